//! The plain clients, on the cluster of the test process.

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use std::time::Duration;
use testkit::{Isolation, NO_HEADERS, cluster, committed, create_topics, produce, read_all};

const SOON: Duration = Duration::from_secs(30);

#[test]
fn what_is_produced_is_read_back_in_order_with_nulls_and_headers() {
    let bootstrap = cluster().bootstrap_servers();
    let topic = cluster().topic("round-trip");
    create_topics(bootstrap, &[(&topic, 3, &[("cleanup.policy", "compact")])]);
    let sent = produce(
        bootstrap,
        &topic,
        [
            ("a", Some("1"), vec![("h", "x"), ("h", "y")]),
            ("a", None, vec![]),
            ("b", Some(""), vec![]),
        ],
    );
    assert_eq!(sent, 3);

    let records = read_all(bootstrap, &topic, Isolation::ReadCommitted);
    let of_a: Vec<_> = records.iter().filter(|r| r.key.as_deref() == Some(b"a")).collect();
    assert_eq!(records.len(), 3);
    assert_eq!(of_a[0].value_text(), "1");
    assert_eq!(of_a[0].header_text("h"), Some("y"));
    assert_eq!(of_a[0].headers.len(), 2);
    assert_eq!(of_a[1].value, None);
    assert!(of_a[1].offset > of_a[0].offset && of_a[0].timestamp_ms > 1_700_000_000_000);
}

#[test]
fn an_empty_topic_reads_as_nothing() {
    let bootstrap = cluster().bootstrap_servers();
    let topic = cluster().topic("empty");
    create_topics(bootstrap, &[(&topic, 2, &[])]);
    assert_eq!(read_all(bootstrap, &topic, Isolation::ReadCommitted), []);
}

#[test]
fn aborted_records_are_read_only_uncommitted() {
    let bootstrap = cluster().bootstrap_servers();
    let topic = cluster().topic("aborted");
    create_topics(bootstrap, &[(&topic, 1, &[])]);
    produce(bootstrap, &topic, [((), "kept", NO_HEADERS)]);
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("transactional.id", cluster().prefix())
        .create()
        .unwrap();
    producer.init_transactions(SOON).unwrap();
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<(), str>::to(&topic).payload("aborted")).unwrap();
    producer.flush(SOON).unwrap();
    producer.abort_transaction(SOON).unwrap();

    let values = |isolation| -> Vec<String> {
        let records = read_all(bootstrap, &topic, isolation);
        records.iter().map(|record| record.value_text().to_owned()).collect()
    };
    assert_eq!(values(Isolation::ReadCommitted), ["kept"]);
    assert_eq!(values(Isolation::ReadUncommitted), ["kept", "aborted"]);
}

#[test]
fn committed_offsets_are_per_partition_and_absent_until_committed() {
    let bootstrap = cluster().bootstrap_servers();
    let (topic, group) = (cluster().topic("committed"), cluster().topic("group"));
    create_topics(bootstrap, &[(&topic, 2, &[])]);
    assert_eq!(committed(bootstrap, &group, &topic), [None, None]);

    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("group.id", &group)
        .create()
        .unwrap();
    let mut offsets = TopicPartitionList::new();
    offsets.add_partition_offset(&topic, 1, Offset::Offset(7)).unwrap();
    consumer.commit(&offsets, CommitMode::Sync).unwrap();
    assert_eq!(committed(bootstrap, &group, &topic), [None, Some(7)]);
}

#[test]
#[should_panic(expected = "cannot create topic")]
fn a_topic_that_exists_is_refused() {
    let bootstrap = cluster().bootstrap_servers();
    let topic = cluster().topic("twice");
    for _ in 0..2 {
        create_topics(bootstrap, &[(&topic, 1, &[])]);
    }
}
