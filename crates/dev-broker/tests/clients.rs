//! librdkafka against the broker: what every service of ours does with a cluster.

use std::time::{Duration, Instant};

use dev_broker::{Broker, BrokerConfig};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

const PATIENCE: Duration = Duration::from_secs(30);

fn client(broker: &Broker, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

fn create_topic(broker: &Broker, name: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(broker, &[]).create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let results = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
    results.into_iter().for_each(|result| drop(result.unwrap()));
}

fn producer(broker: &Broker, settings: &[(&str, &str)]) -> BaseProducer {
    client(broker, settings).create().unwrap()
}

fn send(producer: &BaseProducer, topic: &str, values: std::ops::Range<u32>) {
    for value in values {
        let value = value.to_string();
        producer.send(BaseRecord::to(topic).key(&value).payload(&value)).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// Reads until so many records have come, and returns their values in order.
fn read(consumer: &BaseConsumer, count: usize) -> Vec<String> {
    let until = Instant::now() + PATIENCE;
    let mut values = Vec::new();
    while values.len() < count {
        assert!(Instant::now() < until, "only {} of {count} records came", values.len());
        if let Some(record) = consumer.poll(Duration::from_millis(100)) {
            let record = record.unwrap();
            values.push(String::from_utf8(record.payload().unwrap().to_vec()).unwrap());
        }
    }
    values.sort_by_key(|value| value.parse::<u32>().unwrap());
    values
}

fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|value| value.to_string()).collect()
}

fn consumer(broker: &Broker, group: &str, topic: &str, settings: &[(&str, &str)]) -> BaseConsumer {
    let defaults = [("group.id", group), ("auto.offset.reset", "earliest")];
    let all: Vec<(&str, &str)> = defaults.iter().chain(settings).copied().collect();
    let consumer: BaseConsumer = client(broker, &all).create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}

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
