use bytes::BytesMut;
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, Record as Written,
    RecordBatchEncoder, RecordEncodeOptions, TimestampType,
};
use proptest::prelude::*;

use super::*;
use crate::header::{Framed, next_batch};

const LIMIT: usize = 1 << 20;

type Parts = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Vec<(String, Option<Vec<u8>>)>);

/// The batch that the generated code makes of records, the first at offset 1,000.
fn encode(records: &[Parts], compression: Compression) -> Bytes {
    let written = records.iter().zip(0_i32..).map(|((timestamp, key, value, headers), index)| {
        let header = |(name, value): &(String, Option<Vec<u8>>)| {
            (StrBytes::from_string(name.clone()), value.clone().map(Bytes::from))
        };
        Written {
            transactional: false,
            control: false,
            delete_horizon: false,
            partition_leader_epoch: 5,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            timestamp_type: TimestampType::Creation,
            offset: 1_000 + i64::from(index),
            sequence: NO_SEQUENCE + index,
            timestamp: *timestamp,
            key: key.clone().map(Bytes::from),
            value: value.clone().map(Bytes::from),
            headers: headers.iter().map(header).collect::<IndexMap<_, _>>(),
        }
    });
    let written: Vec<Written> = written.collect();
    let mut bytes = BytesMut::new();
    let options = RecordEncodeOptions { version: 2, compression };
    RecordBatchEncoder::encode(&mut bytes, written.iter(), &options).expect("it can be encoded");
    bytes.freeze()
}

fn frame(bytes: &Bytes) -> FramedBatch {
    let mut rest = bytes.clone();
    match next_batch(&mut rest) {
        Framed::Batch(batch) => {
            assert!(rest.is_empty(), "the length is the batch's");
            batch
        }
        other @ (Framed::Old { .. } | Framed::Corrupt(_) | Framed::End) => {
            panic!("no batch but {other:?}")
        }
    }
}

fn parts(record: &Record<'_>) -> (i64, Parts) {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let headers = record.headers().map(|(name, value)| (name.to_owned(), owned(value)));
    let parts = (record.timestamp_ms, owned(record.key), owned(record.value), headers.collect());
    (record.offset, parts)
}

fn check(records: &[Parts], compression: Compression, from: i64) {
    let batch = frame(&encode(records, compression));
    let read = RecordBatch::read(&batch, from, LIMIT).expect("it is well formed");
    let found: Vec<_> = (0..read.len()).map(|index| parts(&read.get(index))).collect();
    let expected: Vec<_> =
        (1_000..).zip(records.iter().cloned()).filter(|(offset, _)| *offset >= from).collect();
    assert_eq!(found, expected);
    let payload = |(_, key, value, _): &Parts| {
        key.as_ref().map_or(0, Vec::len) + value.as_ref().map_or(0, Vec::len)
    };
    let payloads: Vec<_> = (0..read.len()).map(|index| read.payload(index)).collect();
    let expected: Vec<_> = expected.iter().map(|(_, parts)| payload(parts)).collect();
    assert_eq!(payloads, expected);
}

fn one() -> Vec<Parts> {
    vec![(17, Some(b"key".to_vec()), Some(b"value".to_vec()), vec![("h".into(), None)])]
}

#[test]
fn a_batch_of_every_codec_is_read() {
    let codecs = [
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ];
    for compression in codecs {
        check(&one(), compression, 0);
        check(&vec![one().remove(0); 500], compression, 1_100);
    }
}

#[test]
fn a_batch_that_is_cut_short_waits_for_the_next_answer() {
    let whole = encode(&one(), Compression::None);
    for length in 0..whole.len() {
        let found = next_batch(&mut whole.slice(..length));
        assert!(matches!(found, Framed::End), "{length} bytes: {found:?}");
    }
}

#[test]
fn a_byte_that_changed_on_the_way_is_noticed() {
    let whole = encode(&one(), Compression::None);
    for index in 21..whole.len() {
        let mut changed = whole.to_vec();
        changed[index] ^= 0x10;
        let found = next_batch(&mut Bytes::from(changed));
        assert!(matches!(found, Framed::Corrupt(_)), "byte {index}: {found:?}");
    }
}

/// Calculates the checksum anew: what a producer got wrong, not the network.
fn seal(bytes: &mut [u8]) {
    let checksum = crc32c::crc32c(&bytes[21..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
}

#[test]
fn a_count_that_is_not_the_number_of_records_parks_the_batch() {
    for count in [-1, 0, 2, i32::MAX] {
        let mut bytes = encode(&one(), Compression::None).to_vec();
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        seal(&mut bytes);
        let reason = RecordBatch::read(&frame(&Bytes::from(bytes)), 0, LIMIT).unwrap_err();
        assert_eq!(reason.as_str(), "batch_malformed", "{count}");
    }
}

fn parts_of_a_record() -> impl Strategy<Value = Parts> {
    let bytes = || prop::option::of(prop::collection::vec(any::<u8>(), 0..200));
    let headers = prop::collection::btree_map("[a-z]{0,8}", bytes(), 0..4);
    let headers = headers.prop_map(|headers| headers.into_iter().collect());
    (0_i64..4_000_000_000_000, bytes(), bytes(), headers)
}

proptest! {
    #[test]
    fn records_are_read_as_they_were_written(
        records in prop::collection::vec(parts_of_a_record(), 1..30),
        codec in prop::sample::select(vec![
            Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4,
            Compression::Zstd,
        ]),
        from in 990_i64..1_040,
    ) {
        check(&records, codec, from);
    }

    #[test]
    fn nonsense_in_a_batch_never_panics(
        records in prop::collection::vec(parts_of_a_record(), 1..5),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keeps_checksum in any::<bool>(),
    ) {
        let mut bytes = encode(&records, Compression::None).to_vec();
        for (at, change) in changes {
            let index = at.index(bytes.len());
            bytes[index] ^= change;
        }
        if keeps_checksum {
            seal(&mut bytes);
        }
        let mut bytes = Bytes::from(bytes);
        if let Framed::Batch(batch) = next_batch(&mut bytes)
            && let Ok(read) = RecordBatch::read(&batch, 0, LIMIT)
        {
            for index in 0..read.len() {
                let (offset, _) = parts(&read.get(index));
                prop_assert!(offset <= batch.last_offset);
            }
        }
    }

    #[test]
    fn bytes_that_are_no_batch_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut bytes = Bytes::from(bytes);
        while !matches!(next_batch(&mut bytes), Framed::End | Framed::Corrupt(_)) {}
    }
}

/// A partition's log as Apache Kafka 4.1.1 keeps it: one record of a transaction, twelve of none, and
/// the marker that the transaction is committed.
#[test]
fn a_recorded_log_with_a_transaction_is_read() {
    let mut bytes = Bytes::from_static(include_bytes!("recorded_transaction.bin"));
    let mut found = Vec::new();
    let mut aborted = crate::aborted::Aborted::new(std::iter::empty());
    while let Framed::Batch(batch) = next_batch(&mut bytes) {
        let is_shown = aborted.shows(&batch);
        let read = RecordBatch::read(&batch, 0, LIMIT).expect("it is well formed");
        assert_eq!(batch.leader_epoch, 0);
        found.push((batch.base_offset, batch.last_offset, read.len(), is_shown));
    }
    assert!(bytes.is_empty());
    assert_eq!(found, [(0, 0, 1, true), (1, 12, 12, true), (13, 13, 1, false)]);
    let mut bytes = Bytes::from_static(include_bytes!("recorded_transaction.bin"));
    let Framed::Batch(first) = next_batch(&mut bytes) else { panic!("a batch was recorded") };
    let read = RecordBatch::read(&first, 0, LIMIT).expect("it is well formed");
    let (key, value) = (read.get(0).key, read.get(0).value);
    assert_eq!((key, value), (Some(&b"open"[..]), Some(&b"open"[..])));
}

/// As Apache Kafka 4.1.1 took and kept it: 20 MiB in 859 bytes of zstd.
#[test]
fn a_recorded_batch_that_unpacks_too_far_is_parked() {
    let batch = frame(&Bytes::from_static(include_bytes!("recorded_bomb.bin")));
    let reason = RecordBatch::read(&batch, 0, LIMIT).unwrap_err();
    assert_eq!(reason, Reason::TooLarge { bytes_max: LIMIT });
    let read = RecordBatch::read(&batch, 0, 64 << 20).expect("with more room it is read");
    assert_eq!(read.len(), 1);
    assert!(read.payload(0) > 20 << 20);
}
