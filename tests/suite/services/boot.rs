use std::time::Duration;

use event_consumer::Side;
use testkit::cluster;

use super::installation::Installation;

/// Starts a consumer on an installation that `spoil` spoiled: it has to leave with `expected` in one line.
#[track_caller]
fn check(name: &str, spoil: impl FnOnce(&mut Installation), expected: &str) {
    let prefix = format!("{}{name}-", cluster().prefix());
    let mut installation = Installation::without_topics(cluster().bootstrap_servers(), &prefix);
    spoil(&mut installation);
    let mut consumer = installation.start(Side::Rt, "0");
    let status = consumer.wait(Duration::from_secs(60));
    let lines = consumer.lines();
    assert_eq!(status.code(), Some(78), "{lines:?}");
    let last = lines.last().expect("it says why");
    assert!(last.contains(expected), "{last}");
    assert!(last.contains("`bindery topics "), "it says what to do: {last}");
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
            installation.topics.rt_assignment.partitions = 9;
        },
        "rt-assignment` has 6 partitions instead of 9",
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
