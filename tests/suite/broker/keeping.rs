//! What a topic keeps of what was written.

use bytes::{Bytes, BytesMut};
use kafka_protocol::records::{Compression, Record, RecordBatchEncoder, RecordEncodeOptions};
use testkit::wait_until;

use super::client::{ANYBODY, Client, PATIENCE, batch, batch_at, decode, encode, now_ms};
use super::fetching::offset_at;

/// In place of a point in time: where the log starts.
const EARLIEST: i64 = -2;
/// The byte of a batch that says how it is compressed.
const CODEC_AT: usize = 22;

fn compressed(records: &[Record], compression: Compression) -> Bytes {
    let mut out = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode(&mut out, records, &options).unwrap();
    out.freeze()
}

#[test]
fn every_codec_is_stored_as_it_came() {
    let mut client = Client::connect();
    let values = ["a", "b", "c"];
    for (codec, compression) in [
        (0, Compression::None),
        (1, Compression::Gzip),
        (2, Compression::Snappy),
        (3, Compression::Lz4),
        (4, Compression::Zstd),
    ] {
        let topic = client.topic(1, &[]);
        let written = compressed(&decode(batch(ANYBODY, -1, &values)), compression);
        assert_eq!(client.produce(&topic, None, written.clone()).error_code, 0, "{compression:?}");
        let stored = client.fetch(&topic, 0, 0).records.unwrap();
        assert_eq!(stored[CODEC_AT], codec, "{compression:?}");
        // All but the base offset and the leader epoch, which are the broker's.
        assert_eq!(stored[16..], written[16..], "{compression:?}");
        assert_eq!(client.values(&topic, 1, 0), ["b", "c"], "{compression:?}");
    }
}

/// Writes batches, one segment each, until the oldest of them is gone.
#[track_caller]
fn check_deleted(configs: &[(&str, &str)], at_ms: i64) {
    let mut client = Client::connect();
    let configs = [configs, &[("segment.bytes", "1048576"), ("segment.ms", "1")]].concat();
    let topic = client.topic(1, &configs);
    let value = "x".repeat(1_000);
    let start = wait_until("the oldest records are deleted", PATIENCE, || {
        client.produce(&topic, None, batch_at(ANYBODY, -1, at_ms, &[&value]));
        let (_, start, _) = offset_at(&mut client, &topic, EARLIEST, 0);
        if start > 0 { Ok(start) } else { Err("the log starts at 0".to_owned()) }
    });
    assert_eq!(client.fetch(&topic, 0, 0).error_code, 1, "offset 0 is out of range");
    assert_eq!(client.fetch(&topic, start, 0).error_code, 0);
}

#[test]
fn what_is_older_than_its_retention_is_deleted() {
    check_deleted(&[("retention.ms", "1000")], now_ms() - 60_000);
}

#[test]
fn what_is_more_than_may_be_kept_is_deleted() {
    check_deleted(&[("retention.bytes", "10000")], now_ms());
}

#[test]
fn of_a_compacted_key_only_the_last_value_is_kept() {
    let configs = [
        ("cleanup.policy", "compact"),
        ("segment.ms", "1"),
        ("min.cleanable.dirty.ratio", "0.01"),
        ("max.compaction.lag.ms", "1"),
    ];
    let mut client = Client::connect();
    let topic = client.topic(1, &configs);
    let keyed = |key: &'static str, value: &str| {
        let mut records = decode(batch(ANYBODY, -1, &[value]));
        records[0].key = Some(Bytes::from_static(key.as_bytes()));
        encode(&records)
    };
    for (key, value) in [("a", "a1"), ("b", "b1"), ("a", "a2"), ("b", "b2")] {
        client.produce(&topic, None, keyed(key, value));
    }
    // What is written last is not compacted yet: it is in the segment that is written to.
    wait_until("older values are gone", PATIENCE, || {
        client.produce(&topic, None, keyed("c", "c"));
        let mut values = client.values(&topic, 0, 0);
        values.retain(|value| value != "c");
        if values == ["a2", "b2"] { Ok(()) } else { Err(format!("{values:?}")) }
    });
}
