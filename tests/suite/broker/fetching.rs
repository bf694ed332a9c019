//! Reading, and finding out where to read.

use std::time::{Duration, Instant};

use kafka_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use kafka_protocol::messages::{BrokerId, FetchRequest, ListOffsetsRequest};

use super::client::{ANYBODY, Client, batch, batch_at, fetch_request, name, now_ms};

/// Error, offset and timestamp of partition 0 at a point in time.
pub(super) fn offset_at(
    client: &mut Client,
    topic: &str,
    timestamp: i64,
    isolation: i8,
) -> (i16, i64, i64) {
    let partition = ListOffsetsPartition::default()
        .with_partition_index(0)
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(isolation)
        .with_topics(vec![topic]);
    let answer = &client.call(7, &request).topics[0].partitions[0];
    (answer.error_code, answer.offset, answer.timestamp)
}

#[test]
fn offsets_are_found_by_time() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    assert_eq!(offset_at(&mut client, &topic, -2, 0), (0, 0, -1));
    assert_eq!(offset_at(&mut client, &topic, -1, 0), (0, 0, -1));
    assert_eq!(offset_at(&mut client, &topic, -3, 0), (0, -1, -1));
    let start = now_ms() - 10_000;
    for (at, values) in [(0, ["a", "b"]), (1_000, ["c", "d"]), (500, ["e", "f"])] {
        client.produce(&topic, None, batch_at(ANYBODY, -1, start + at, &values));
    }
    let mut check = |timestamp: i64, expected: (i64, i64)| {
        let (code, offset, at) = offset_at(&mut client, &topic, timestamp, 0);
        assert_eq!((code, offset, at), (0, expected.0, expected.1), "at {timestamp}");
    };
    check(start - 5, (0, start));
    check(start + 1, (1, start + 1));
    check(start + 2, (2, start + 1_000));
    check(start + 1_001, (3, start + 1_001));
    check(start + 1_002, (-1, -1));
    check(-3, (3, start + 1_001));
    check(-2, (0, -1));
    check(-1, (6, -1));
}

#[test]
fn a_reader_beyond_the_log_is_told_so() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    client.produce(&topic, None, batch(ANYBODY, -1, &["a", "b"]));
    let codes = [0, 2, 3, -1].map(|offset| client.fetch(&topic, offset, 0).error_code);
    assert_eq!(codes, [0, 0, 1, 1]);
    assert_eq!(client.fetch("broker-no-such-topic", 0, 0).error_code, 3);
    assert_eq!(offset_at(&mut client, "broker-no-such-topic", -1, 0).0, 3);
}

#[test]
fn a_batch_is_sent_whole_from_within_and_at_any_size() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    client.produce(&topic, None, batch(ANYBODY, -1, &["a", "b", "c"]));
    assert_eq!(client.values(&topic, 1, 0), ["b", "c"]);
    let mut request = fetch_request(&topic, 0, 0, 0);
    request.max_bytes = 1;
    request.topics[0].partitions[0].partition_max_bytes = 1;
    let answer = client.call(11, &request);
    let size = answer.responses[0].partitions[0].records.as_ref().map_or(0, bytes::Bytes::len);
    assert!(size > 60, "only {size} bytes");
}

#[test]
fn a_waiting_reader_is_woken_by_the_next_record() {
    let mut writer = Client::connect();
    let topic = writer.topic(1, &[]);
    let mut reader = Client::connect();
    let request = fetch_request(&topic, 0, 1, 20_000);
    let begun = Instant::now();
    reader.send(11, &request);
    writer.produce(&topic, None, batch(ANYBODY, -1, &["a"]));
    let answer = reader.receive::<FetchRequest>(11);
    assert!(!answer.responses[0].partitions[0].records.as_ref().unwrap().is_empty());
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_reader_waits_as_long_as_it_asked_for_and_no_longer() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    let begun = Instant::now();
    let answer = client.call(11, &fetch_request(&topic, 0, 0, 300));
    assert!(begun.elapsed() >= Duration::from_millis(290));
    assert_eq!(answer.responses[0].partitions[0].error_code, 0);
    assert_eq!(answer.responses[0].partitions[0].high_watermark, 0);
}
