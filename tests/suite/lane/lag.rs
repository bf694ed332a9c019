use std::time::Duration;

use kafka::TopicPartition;
use lane::PartitionLag;
use testkit::{NO_HEADERS, OpenTransaction, cluster, wait_until};

use super::copying::{Copying, Instance};

const PARTITION: i32 = 0;

/// Waits until the lag of the one partition is as `expected`.
#[track_caller]
fn wait_for_lag(instance: &Instance, copying: &Copying, expected: impl Fn(&PartitionLag) -> bool) {
    let at = TopicPartition::new(copying.source.as_str(), PARTITION);
    wait_until("the lag", Duration::from_secs(60), || {
        let lag = instance.status.partitions().get(&at).copied();
        if lag.as_ref().is_some_and(&expected) { Ok(()) } else { Err(format!("{lag:?}")) }
    });
}

#[test]
fn what_an_open_transaction_hides_is_no_lag_but_a_gap() {
    let servers = cluster().bootstrap_servers();
    let copying = Copying::on(servers, &cluster().topic("lag"));
    let instance = copying.start("0");
    let open = OpenTransaction::begin(servers, &copying.copy, &copying.source, PARTITION);
    // The open record and at least one more behind it in the same partition.
    let behind = |number: usize| (format!("key-{number}"), number.to_string(), NO_HEADERS);
    testkit::produce(servers, &copying.source, (0..40).map(behind));
    wait_for_lag(&instance, &copying, |lag| lag.hidden >= 2 && lag.records == 0);
    open.commit();
    wait_for_lag(&instance, &copying, |lag| lag.hidden == 0 && lag.records == 0);
    wait_for_lag(&instance, &copying, |lag| lag.committed.is_some_and(|next| next.get() >= 2));
    instance.wait_for_records(41);
    instance.stop();
}
