use std::collections::HashMap;

use kafka::{NextOffset, TopicPartition};
use serde::Deserialize;

use crate::PartitionLag;

/// What whoever fetches says of one partition; negative where it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct PartitionStatistics {
    /// Where the next fetch goes: also past control records.
    pub(crate) next_offset: i64,
    /// The end for a read_committed reader.
    pub(crate) ls_offset: i64,
    /// The end for a reader of everything.
    pub(crate) hi_offset: i64,
    /// The oldest record there is.
    pub(crate) lo_offset: i64,
    /// The group's position when the partition was assigned.
    pub(crate) committed_offset: i64,
    /// Records fetched and not given yet.
    pub(crate) fetchq_cnt: i64,
}

#[derive(Deserialize)]
struct Statistics {
    #[serde(default)]
    topics: HashMap<String, TopicStatistics>,
}

#[derive(Deserialize)]
struct TopicStatistics {
    #[serde(default)]
    partitions: HashMap<String, PartitionStatistics>,
}

/// The partitions that `json`, the client's statistics, speaks of; none where it cannot be read.
pub(crate) fn read(json: &[u8]) -> HashMap<TopicPartition, PartitionStatistics> {
    let Ok(statistics) = serde_json::from_slice::<Statistics>(json) else {
        return HashMap::new();
    };
    let mut partitions = HashMap::new();
    for (topic, of_topic) in statistics.topics {
        for (number, of_partition) in of_topic.partitions {
            // The client lists its internal partition as -1.
            if let Ok(number @ 0..) = number.parse::<i32>() {
                partitions.insert(TopicPartition::new(topic.as_str(), number), of_partition);
            }
        }
    }
    partitions
}

impl PartitionStatistics {
    /// How far a lane is behind that has committed up to `committed`, its last record's timestamp
    /// being `last_ms`. `has_more`: it has records beyond that in its batch.
    pub(crate) fn lag(
        &self,
        committed: Option<NextOffset>,
        last_ms: i64,
        now_ms: i64,
        has_more: bool,
    ) -> PartitionLag {
        let position = match committed {
            Some(committed) => committed.get(),
            None => self.committed_offset.max(self.lo_offset).max(0),
        };
        // Control records at the end are never given and so never committed: only the fetcher's
        // position passes them.
        let has_read_all = self.fetchq_cnt == 0 && self.next_offset >= self.ls_offset;
        if self.ls_offset < 0 {
            return PartitionLag { committed, ..PartitionLag::default() };
        }
        let hidden = u64::try_from(self.hi_offset - self.ls_offset).unwrap_or(0);
        if has_read_all && !has_more {
            return PartitionLag { hidden, committed, ..PartitionLag::default() };
        }
        let records = u64::try_from(self.ls_offset - position).unwrap_or(0);
        let age_ms = u64::try_from(now_ms - last_ms).unwrap_or(0);
        PartitionLag { records, age_ms: if records > 0 { age_ms } else { 0 }, hidden, committed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A partition that ends at 100, with 7 more behind an open transaction, oldest record 10;
    /// committed before at 20.
    fn partition(next_offset: i64, fetchq_cnt: i64) -> PartitionStatistics {
        let (ls_offset, hi_offset, lo_offset, committed_offset) = (100, 107, 10, 20);
        PartitionStatistics {
            next_offset,
            ls_offset,
            hi_offset,
            lo_offset,
            committed_offset,
            fetchq_cnt,
        }
    }

    #[track_caller]
    fn check(
        of: PartitionStatistics,
        committed: Option<i64>,
        has_more: bool,
        (records, age_ms): (u64, u64),
    ) {
        let committed = committed.map(NextOffset::from_committed);
        let lag = of.lag(committed, 1_000, 5_000, has_more);
        assert_eq!(lag, PartitionLag { records, age_ms, hidden: 7, committed });
    }

    #[test]
    fn what_is_not_committed_is_lag() {
        check(partition(80, 20), Some(50), true, (50, 4_000));
        check(partition(100, 0), Some(50), true, (50, 4_000));
        check(partition(100, 20), Some(50), false, (50, 4_000));
    }

    #[test]
    fn control_records_at_the_end_are_no_lag() {
        check(partition(100, 0), Some(99), false, (0, 0));
    }

    #[test]
    fn before_the_first_commit_the_groups_own_position_counts() {
        check(partition(20, 0), None, false, (80, 4_000));
    }

    #[test]
    fn statistics_are_read_and_the_internal_partition_passed_over() {
        let one = r#"{"next_offset":2,"ls_offset":3,"hi_offset":3,"lo_offset":0,"committed_offset":-1001,"fetchq_cnt":0,"x":1}"#;
        let json =
            format!(r#"{{"name":"c","topics":{{"t":{{"partitions":{{"0":{one},"-1":{one}}}}}}}}}"#);
        let partitions = read(json.as_bytes());
        assert_eq!(partitions.len(), 1);
        assert_eq!(partitions[&TopicPartition::new("t", 0)].ls_offset, 3);
        assert!(read(b"{").is_empty());
    }
}
