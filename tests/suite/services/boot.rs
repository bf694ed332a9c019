use std::time::Duration;

use event_consumer::Side;
use testkit::cluster;

use super::installation::Installation;

/// Starts each service on an installation that `spoil` spoiled: it has to leave with `expected` in one line.
#[track_caller]
fn check(name: &str, spoil: impl FnOnce(&mut Installation), expected: &str) {
    let prefix = format!("{}{name}-", cluster().prefix());
    let mut installation = Installation::without_topics(cluster().bootstrap_servers(), &prefix);
    spoil(&mut installation);
    let services = [
        (Side::Rt.name(), installation.start(Side::Rt, "0")),
        (Side::Batch.name(), installation.start(Side::Batch, "0")),
        ("status-sync", installation.start_status_sync("0")),
    ];
    for (service, mut process) in services {
        let status = process.wait(Duration::from_secs(60));
        let lines = process.lines();
        assert_eq!(status.code(), Some(78), "{service}: {lines:?}");
        let of_person: Vec<_> =
            lines.iter().filter(|line| line.starts_with(&format!("{service}: "))).collect();
        assert_eq!(of_person, [lines.last().expect("it says why")], "it says so in one line");
        assert!(of_person[0].contains(expected), "{lines:?}");
        assert!(of_person[0].contains("`bindery topics "), "it says what to do: {lines:?}");
    }
}

#[test]
fn a_missing_topic_is_refused() {
    check(
        "missing",
        |installation| {
            let specs = installation.topics.specs();
            let all_but_one: Vec<_> =
                specs.into_iter().filter(|spec| !spec.name.ends_with("event-journal")).collect();
            kafka::apply(&installation.client, &all_but_one).expect("they can be created");
        },
        "event-journal` does not exist",
    );
}

#[test]
fn a_wrong_partition_count_is_refused() {
    check(
        "partitions",
        |installation| {
            let specs = installation.topics.specs();
            kafka::apply(&installation.client, &specs).expect("they can be created");
            // status-sync wants the same number of both.
            installation.topics.event_journal.partitions = 9;
            installation.topics.event_status.partitions = 9;
        },
        "event-journal` has 6 partitions instead of 9",
    );
}

#[test]
fn a_journal_that_is_compacted_is_refused() {
    check(
        "policy",
        |installation| {
            let mut specs = installation.topics.specs();
            for spec in &mut specs {
                spec.config.insert("cleanup.policy".into(), "compact".into());
            }
            kafka::apply(&installation.client, &specs).expect("they can be created");
        },
        "event-journal` has `cleanup.policy=compact` instead of `delete`",
    );
}
