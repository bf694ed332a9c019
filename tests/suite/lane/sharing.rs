use std::time::Duration;

use lane::{PartitionLag, Stop};
use testkit::{cluster, wait_until};

use super::copying::{Copying, Instance};

fn copying(name: &str) -> Copying {
    Copying::on(cluster().bootstrap_servers(), &cluster().topic(name))
}

#[test]
fn every_record_is_copied_once_while_instances_come_and_go() {
    let copying = copying("come-and-go");
    copying.produce(0..4_000);
    let first = copying.start("0");
    first.wait_for_records(1_000);
    let second = copying.start("1");
    copying.produce(4_000..8_000);
    first.wait_for_partitions(2);
    second.wait_for_partitions(2);
    copying.produce(8_000..10_000);
    first.stop();
    second.wait_for_partitions(4);
    copying.produce(10_000..12_000);
    copying.check_copied_once(12_000);
    second.stop();
}

#[test]
fn an_instance_that_starts_again_goes_on_where_it_stopped() {
    let copying = copying("again");
    for round in 0..3 {
        let instance = copying.start("0");
        copying.produce(round * 500..(round + 1) * 500);
        copying.check_copied_once((round + 1) * 500);
        instance.stop();
    }
}

/// Waits until the lags of all partitions are as `expected`.
#[track_caller]
fn wait_for_lags(instance: &Instance, what: &str, expected: impl Fn(&[PartitionLag]) -> bool) {
    wait_until(what, Duration::from_secs(30), || {
        let lags: Vec<PartitionLag> = instance.status.partitions().into_values().collect();
        if expected(&lags) { Ok(()) } else { Err(format!("{lags:?}")) }
    });
}

#[test]
fn lag_is_nothing_once_everything_is_committed_and_counts_what_is_not() {
    // A hundred batches, and a tenth of a second for each until the lane is released.
    let copying = Copying { records_max: 10, release: Stop::new(), ..copying("lag") };
    copying.produce(0..1_000);
    let instance = copying.start("0");
    wait_for_lags(&instance, "a lag", |lags| {
        let records: u64 = lags.iter().map(|lag| lag.records).sum();
        let is_late = |lag: &PartitionLag| lag.records > 0 && lag.age_ms > 0;
        records < 1_000 && lags.iter().any(is_late)
    });
    copying.release.request();
    copying.check_copied_once(1_000);
    wait_for_lags(&instance, "no lag", |lags| {
        lags.len() == 4 && lags.iter().all(|lag| lag.records == 0 && lag.age_ms == 0)
    });
    instance.stop();
}
