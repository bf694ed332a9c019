//! What a producer is told.

use bytes::{Bytes, BytesMut};

use super::client::{ANYBODY, Client, Writer, batch, batch_at, decode, encode, now_ms};

/// Produces one batch to a new topic and expects an error code.
#[track_caller]
fn check(configs: &[(&str, &str)], records: Bytes, expected: i16) {
    let mut client = Client::connect();
    let topic = client.topic(1, configs);
    let answer = client.produce(&topic, None, records);
    assert_eq!(answer.error_code, expected);
    assert_eq!(answer.base_offset, if expected == 0 { 0 } else { -1 });
}

/// The batch with one byte of its header changed, and a checksum that fits again if asked for.
fn altered(at: usize, value: u8, sealed: bool) -> Bytes {
    let mut bytes = BytesMut::from(&batch(ANYBODY, -1, &["a", "b"])[..]);
    bytes[at] = value;
    if sealed {
        let crc = crc32c::crc32c(&bytes[21..]);
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    bytes.freeze()
}

#[test]
fn a_sound_batch_is_taken() {
    check(&[], batch(ANYBODY, -1, &["a", "b"]), 0);
}

#[test]
fn a_batch_larger_than_the_topic_allows_is_refused() {
    let large = "x".repeat(2_000);
    check(&[("max.message.bytes", "1000")], batch(ANYBODY, -1, &[&large]), 10);
}

#[test]
fn a_damaged_batch_is_refused() {
    check(&[], altered(70, 0xff, false), 2);
}

#[test]
fn a_control_batch_from_a_client_is_refused() {
    check(&[], altered(22, 0x20, true), 87);
}

#[test]
fn two_batches_for_one_partition_are_refused() {
    let mut two = BytesMut::from(&batch(ANYBODY, -1, &["a"])[..]);
    two.extend_from_slice(&batch(ANYBODY, -1, &["b"]));
    check(&[], two.freeze(), 87);
}

#[test]
fn a_count_that_disagrees_with_the_offsets_is_refused() {
    check(&[], altered(60, 1, true), 87);
}

#[test]
fn a_record_from_the_far_future_is_refused() {
    check(&[], batch_at(ANYBODY, -1, now_ms() + 7_200_000, &["a"]), 32);
}

#[test]
fn a_compacted_topic_wants_keys() {
    let mut records = decode(batch(ANYBODY, -1, &["a"]));
    records[0].key = None;
    check(&[("cleanup.policy", "compact")], encode(&records), 87);
}

#[test]
fn an_unknown_topic_is_refused() {
    let mut client = Client::connect();
    let answer = client.produce("broker-no-such-topic", None, batch(ANYBODY, -1, &["a"]));
    assert_eq!(answer.error_code, 3);
}

#[test]
fn a_repeated_batch_gets_its_first_offset_and_a_gap_is_refused() {
    let mut client = Client::connect();
    let topic = client.topic(1, &[]);
    let (id, epoch) = super::transactions::initialise(&mut client, None);
    let writer = Writer { id, epoch, transactional: false };
    let mut produce = |writer, sequence, values: &[&str]| {
        let answer = client.produce(&topic, None, batch(writer, sequence, values));
        (answer.error_code, answer.base_offset)
    };
    assert_eq!(produce(writer, 0, &["a", "b"]), (0, 0));
    assert_eq!(produce(writer, 2, &["c"]), (0, 2));
    assert_eq!(produce(writer, 0, &["a", "b"]), (0, 0));
    assert_eq!(produce(writer, 4, &["e"]), (45, -1));
    assert_eq!(produce(writer, 3, &["d"]), (0, 3));
    let newer = Writer { epoch: epoch + 1, ..writer };
    assert_eq!(produce(newer, 5, &["x"]), (45, -1));
    assert_eq!(produce(newer, 0, &["x"]), (0, 4));
    assert_eq!(produce(writer, 4, &["e"]), (47, -1));
}
