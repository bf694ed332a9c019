//! Short ways to use librdkafka on an embedded broker.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]
#![allow(dead_code, unreachable_pub, reason = "each test binary uses some of it")]

use std::time::{Duration, Instant};

use dev_broker::Broker;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

pub const PATIENCE: Duration = Duration::from_secs(30);

pub fn client(broker: &Broker, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", broker.bootstrap_servers());
    for (name, value) in settings {
        config.set(*name, *value);
    }
    config
}

pub fn create_topic(broker: &Broker, name: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(broker, &[]).create().unwrap();
    let topic = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let results = runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).unwrap();
    results.into_iter().for_each(|result| drop(result.unwrap()));
}

pub fn producer(broker: &Broker, settings: &[(&str, &str)]) -> BaseProducer {
    client(broker, settings).create().unwrap()
}

pub fn send(producer: &BaseProducer, topic: &str, values: std::ops::Range<u32>) {
    for value in values {
        let value = value.to_string();
        producer.send(BaseRecord::to(topic).key(&value).payload(&value)).unwrap();
    }
    producer.flush(PATIENCE).unwrap();
}

/// Reads until so many records have come, and returns their values in order.
pub fn read(consumer: &BaseConsumer, count: usize) -> Vec<String> {
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

pub fn numbers(range: std::ops::Range<u32>) -> Vec<String> {
    range.map(|value| value.to_string()).collect()
}

pub fn consumer(
    broker: &Broker,
    group: &str,
    topic: &str,
    settings: &[(&str, &str)],
) -> BaseConsumer {
    let defaults = [("group.id", group), ("auto.offset.reset", "earliest")];
    let all: Vec<(&str, &str)> = defaults.iter().chain(settings).copied().collect();
    let consumer: BaseConsumer = client(broker, &all).create().unwrap();
    consumer.subscribe(&[topic]).unwrap();
    consumer
}
