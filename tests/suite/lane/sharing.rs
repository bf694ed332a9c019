use std::time::Duration;

use testkit::{cluster, wait_until};

use super::copying::Copying;

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

#[test]
fn lag_is_nothing_once_everything_is_committed_and_counts_what_is_not() {
    let copying = copying("lag");
    let instance = copying.start("0");
    copying.produce(0..1_000);
    copying.check_copied_once(1_000);
    instance.wait_for_partitions(4);
    wait_until("no lag", Duration::from_secs(30), || {
        let lags = instance.status.partitions();
        let behind: u64 = lags.values().map(|lag| lag.records).sum();
        if behind == 0 { Ok(()) } else { Err(format!("{lags:?}")) }
    });
    instance.stop();
}
