//! Lanes that ask for the native client, on an Apache Kafka that does not let it write.

use lane::ProducerClient;
use testkit::kafka::OlderNode;

use super::copying::Copying;

#[test]
fn a_kafka_without_transactions_v2_is_written_by_librdkafka_and_each_record_once() {
    if !testkit::runs_on_kafka() {
        return;
    }
    let mut node = OlderNode::start();
    let mut copying = Copying::on(&node.bootstrap_servers(), "older");
    copying.client = ProducerClient::Native;
    let (first, second) = (copying.start("0"), copying.start("1"));
    copying.produce(0..1_000);
    copying.check_copied_once(1_000);
    copying.produce(1_000..5_000);
    node.restart();
    copying.check_copied_once(5_000);
    for instance in [first, second] {
        assert_eq!(instance.status.client(), Some(ProducerClient::Librdkafka));
        instance.stop();
    }
}
