//! librdkafka against the broker: what every service of ours does with a cluster.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod common;

use common::{PATIENCE, consumer, create_topic, numbers, producer, read, send};
use dev_broker::{Broker, BrokerConfig, BrokerError};
use rdkafka::consumer::Consumer;
use rdkafka::producer::{BaseRecord, Producer};

#[track_caller]
fn check_group(settings: &[(&str, &str)]) {
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    create_topic(&broker, "numbers", 6);
    send(&producer(&broker, &[]), "numbers", 0..100);
    let first = consumer(&broker, "readers", "numbers", settings);
    assert_eq!(read(&first, 100), numbers(0..100));
    first.commit_consumer_state(rdkafka::consumer::CommitMode::Sync).unwrap();
    drop(first);
    send(&producer(&broker, &[]), "numbers", 100..110);
    let second = consumer(&broker, "readers", "numbers", settings);
    assert_eq!(read(&second, 10), numbers(100..110));
    drop(second);
    broker.stop().unwrap();
}

#[test]
fn a_group_of_the_classic_protocol_reads_on_where_it_left_off() {
    check_group(&[("partition.assignment.strategy", "range")]);
    check_group(&[("partition.assignment.strategy", "cooperative-sticky")]);
}

#[test]
fn a_group_of_the_new_protocol_reads_on_where_it_left_off() {
    check_group(&[("group.protocol", "consumer")]);
}

#[test]
fn every_codec_is_stored_as_it_came() {
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        create_topic(&broker, codec, 1);
        send(&producer(&broker, &[("compression.type", codec)]), codec, 0..50);
        let reader = consumer(&broker, codec, codec, &[]);
        assert_eq!(read(&reader, 50), numbers(0..50), "{codec}");
    }
}

#[test]
fn a_transaction_shows_all_or_nothing_and_moves_the_groups_offsets() {
    let broker = Broker::start(BrokerConfig::default()).unwrap();
    create_topic(&broker, "in", 2);
    create_topic(&broker, "out", 3);
    send(&producer(&broker, &[]), "in", 0..10);
    let source = consumer(&broker, "copiers", "in", &[("enable.auto.commit", "false")]);
    let copies = producer(&broker, &[("transactional.id", "copier")]);
    copies.init_transactions(PATIENCE).unwrap();
    assert_eq!(read(&source, 10), numbers(0..10));

    copies.begin_transaction().unwrap();
    send(&copies, "out", 500..510);
    copies.abort_transaction(PATIENCE).unwrap();

    copies.begin_transaction().unwrap();
    send(&copies, "out", 0..10);
    let (group, positions) = (source.group_metadata().unwrap(), source.position().unwrap());
    copies.send_offsets_to_transaction(&positions, &group, PATIENCE).unwrap();
    copies.commit_transaction(PATIENCE).unwrap();

    let reader = consumer(&broker, "readers", "out", &[]);
    assert_eq!(read(&reader, 10), numbers(0..10));
    let committed = source.committed(PATIENCE).unwrap();
    let sum: i64 = committed.elements().iter().filter_map(|e| e.offset().to_raw()).sum();
    assert_eq!(sum, 10);

    let successor = producer(&broker, &[("transactional.id", "copier")]);
    successor.init_transactions(PATIENCE).unwrap();
    copies.begin_transaction().unwrap();
    copies.send(BaseRecord::<str, str>::to("out").key("z").payload("666")).unwrap();
    assert!(copies.commit_transaction(PATIENCE).is_err(), "a zombie must not commit");
}

#[test]
fn an_address_that_others_can_reach_is_refused() {
    for listen in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9092"] {
        let config = BrokerConfig { listen: listen.parse().unwrap(), ..Default::default() };
        assert!(matches!(Broker::start(config), Err(BrokerError::NotLoopback(_))), "{listen}");
    }
    let taken = Broker::start(BrokerConfig::default()).unwrap();
    let config = BrokerConfig { listen: taken.address(), ..Default::default() };
    assert!(matches!(Broker::start(config), Err(BrokerError::Listen { .. })));
}
