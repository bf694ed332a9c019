//! Lanes that ask for the native client, on an Apache Kafka that does not let it write.

use lane::ProducerClient;
use testkit::OwnCluster;

use super::copying::Copying;

#[test]
fn a_kafka_without_transactions_v2_is_written_by_librdkafka_and_each_record_once() {
    const RECORDS: usize = 30_000;
    if !testkit::runs_on_kafka() {
        return;
    }
    let cluster = OwnCluster::start_before_transactions_v2();
    let mut copying = Copying::on(cluster.bootstrap_servers(), "older");
    copying.client = ProducerClient::Native;
    copying.produce(0..RECORDS);
    let (first, second) = (copying.start("0"), copying.start("1"));
    // Most of them are still to come: a transaction takes 500 at most.
    first.wait_for_records(1);
    cluster.restart();
    copying.check_copied_once(RECORDS);
    for instance in [first, second] {
        assert_eq!(instance.status.client(), Some(ProducerClient::Librdkafka));
        instance.stop();
    }
}
