//! Lag as a table and as an object.

use serde_json::{Value, json};

use super::measure::{Behind, Lane};
use crate::console::table;
use crate::event::elapsed;

/// For people.
pub(super) fn text(lanes: &[Lane]) -> String {
    let columns =
        ["lane", "group", "members", "partitions", "records", "behind", "worst partition"];
    let mut text = table(columns, &[2, 3, 4, 5], lanes.iter().map(row));
    for lane in lanes {
        text.push_str(&note(lane).map_or(String::new(), |note| format!("\n{note}")));
    }
    text
}

fn row(lane: &Lane) -> [String; 7] {
    [
        lane.name.to_owned(),
        lane.group.clone(),
        lane.members.map_or("-".into(), |members| members.to_string()),
        lane.partitions.len().to_string(),
        lane.records().to_string(),
        behind(lane.records(), lane.age_ms()),
        lane.worst().map_or(String::new(), worst),
    ]
}

fn worst(of: &Behind) -> String {
    format!("{}: {} records, {}", of.partition, of.records, behind(of.records, of.age_ms))
}

fn behind(records: u64, age_ms: Option<i64>) -> String {
    match (records, age_ms) {
        (0, _) => "0 s".into(),
        (_, Some(age_ms)) => elapsed(age_ms),
        (_, None) => "?".into(),
    }
}

/// What a number alone does not say.
fn note(lane: &Lane) -> Option<String> {
    let (name, group) = (lane.name, &lane.group);
    let has_begun = lane.partitions.iter().any(|behind| behind.has_begun);
    if lane.partitions.is_empty() {
        return Some(format!("{name}: its topics do not exist; run `bindery topics apply`"));
    }
    match (lane.members, has_begun) {
        (None, false) => {
            Some(format!("{name}: no group `{group}` yet: it has never run, or has another name"))
        }
        (None | Some(0), _) => {
            Some(format!("{name}: group `{group}` has no members: it does not run"))
        }
        (Some(_), _) => None,
    }
}

/// For programs; `secondsBehind` is null where records wait of an age that could not be found out.
pub(super) fn object(lanes: &[Lane]) -> Value {
    let partition = |of: &Behind| {
        json!({
            "topic": of.partition.topic.as_ref(),
            "partition": of.partition.partition,
            "begun": of.has_begun,
            "records": of.records,
            "secondsBehind": seconds(of.records, of.age_ms),
        })
    };
    let lane = |lane: &Lane| {
        json!({
            "lane": lane.name,
            "group": lane.group,
            "members": lane.members,
            "records": lane.records(),
            "secondsBehind": seconds(lane.records(), lane.age_ms()),
            "partitions": lane.partitions.iter().map(partition).collect::<Vec<_>>(),
        })
    };
    json!({ "lanes": lanes.iter().map(lane).collect::<Vec<_>>() })
}

fn seconds(records: u64, age_ms: Option<i64>) -> Option<f64> {
    let age_ms = if records == 0 { Some(0) } else { age_ms };
    // An age of more than a century is told a little short.
    age_ms.map(|age_ms| f64::from(u32::try_from(age_ms / 100).unwrap_or(u32::MAX)) / 10.0)
}

#[cfg(test)]
mod tests {
    use kafka::TopicPartition;

    use super::*;

    fn lane(members: Option<usize>, partitions: &[(bool, u64, Option<i64>)]) -> Lane {
        let behind =
            |(number, (has_begun, records, age_ms)): (usize, &(bool, u64, Option<i64>))| {
                let partition = TopicPartition::new("rt-event", i32::try_from(number).unwrap());
                Behind { partition, has_begun: *has_begun, records: *records, age_ms: *age_ms }
            };
        Lane {
            name: "rt",
            group: "g".into(),
            members,
            partitions: partitions.iter().enumerate().map(behind).collect(),
        }
    }

    /// The only place that tells of a lane: its cells, and the note if there is one.
    #[track_caller]
    fn check(lane: &Lane, expected: &str) {
        let mut told = row(lane).join("|");
        told.push_str(&note(lane).map_or(String::new(), |note| format!("|{note}")));
        assert_eq!(told, expected);
    }

    #[test]
    fn the_worst_partition_is_the_one_that_waits_longest() {
        let partitions = [(true, 9, Some(1_500)), (true, 2, Some(61_000)), (true, 0, None)];
        let expected = "rt|g|1|3|11|1 min 1 s|rt-event/1: 2 records, 1 min 1 s";
        check(&lane(Some(1), &partitions), expected);
    }

    #[test]
    fn nothing_waits() {
        check(&lane(Some(2), &[(true, 0, None)]), "rt|g|2|1|0|0 s|");
    }

    #[test]
    fn a_lane_that_does_not_run_is_told_of() {
        let never = "rt|g|-|1|0|0 s||rt: no group `g` yet: it has never run, or has another name";
        check(&lane(None, &[(false, 0, None)]), never);
        let left = "rt|g|0|1|0|0 s||rt: group `g` has no members: it does not run";
        check(&lane(Some(0), &[(true, 0, None)]), left);
        let none = "rt|g|-|0|0|0 s||rt: its topics do not exist; run `bindery topics apply`";
        check(&lane(None, &[]), none);
    }

    #[test]
    fn an_age_that_could_not_be_found_out_is_not_told_as_none() {
        check(&lane(Some(1), &[(true, 4, None)]), "rt|g|1|1|4|?|rt-event/0: 4 records, ?");
        assert_eq!(seconds(4, None), None);
        assert_eq!(seconds(0, None), Some(0.0));
        assert_eq!(seconds(4, Some(1_250)), Some(1.2));
    }
}
