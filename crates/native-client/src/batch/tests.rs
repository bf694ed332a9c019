use bytes::Bytes;
use kafka_protocol::records::{Record as ReadRecord, RecordBatchDecoder};
use proptest::prelude::*;

use super::*;
use crate::Compression;

const WRITER: Identity = Identity { id: 77, epoch: 5 };
const NO_LIMIT: usize = usize::MAX;

#[derive(Clone, Debug)]
struct Written {
    timestamp_ms: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<u8>)>,
}

/// Lays records out in batches of at most `batch_bytes_max`, and seals them.
fn build(records: &[Written], batch_bytes_max: usize, compression: Compression) -> Vec<Bytes> {
    let mut batches = PartitionBatches::default();
    let mut buffers = Buffers::default();
    // Twice: what is cleared must leave nothing behind.
    for _ in 0..2 {
        batches.clear(&mut buffers);
        batches.build_in(buffers.take());
        for record in records {
            let mut headers = Headers::default();
            record.headers.iter().for_each(|(name, value)| headers.push(name, value));
            let laid_out = Record {
                timestamp_ms: record.timestamp_ms,
                key: record.key.as_deref(),
                value: record.value.as_deref(),
                headers: &headers,
            };
            batches.append(&laid_out, batch_bytes_max);
        }
        batches.seal(WRITER, &mut Codec::new(compression), &mut buffers);
    }
    (0..batches.len()).map(|index| Bytes::copy_from_slice(batches.get(index))).collect()
}

fn read(batch: &Bytes) -> Vec<ReadRecord> {
    let mut bytes = batch.clone();
    let set = RecordBatchDecoder::decode(&mut bytes).expect("the batch is well formed");
    assert!(bytes.is_empty(), "the length is the batch's");
    set.records
}

fn check(records: &[Written], batch_bytes_max: usize, compression: Compression) {
    let batches = build(records, batch_bytes_max, compression);
    let mut sequence = 0;
    let mut expected = records.iter();
    for batch in &batches {
        for (offset, read) in (0..).zip(read(batch)) {
            let written = expected.next().expect("no record more than was written");
            assert_eq!(read.offset, offset);
            assert_eq!(read.timestamp, written.timestamp_ms);
            assert_eq!(read.key.as_deref(), written.key.as_deref());
            assert_eq!(read.value.as_deref(), written.value.as_deref());
            let headers: Vec<(String, Vec<u8>)> = read
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.as_ref().unwrap().to_vec()))
                .collect();
            assert_eq!(headers, written.headers);
            assert_eq!((read.producer_id, read.producer_epoch), (WRITER.id, WRITER.epoch));
            assert_eq!((read.sequence, read.transactional, read.control), (sequence, true, false));
            sequence += 1;
        }
        let length = i32::from_be_bytes(batch[8..12].try_into().unwrap());
        assert_eq!(usize::try_from(length).unwrap() + 12, batch.len());
    }
    assert!(expected.next().is_none(), "a record is missing");
    if compression == Compression::None {
        let too_large = |batch: &&Bytes| batch.len() > batch_bytes_max && read(batch).len() > 1;
        assert_eq!(batches.iter().find(too_large), None);
    }
}

fn record() -> impl Strategy<Value = Written> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    // A name occurs once: the decoder that this is held against keeps one of each.
    let headers = prop::collection::btree_map("[a-z]{1,12}", bytes(), 0..4);
    let times = prop_oneof![1_700_000_000_000..1_800_000_000_000_i64, Just(0), Just(-1)];
    (times, prop::option::of(bytes()), prop::option::of(bytes()), headers).prop_map(
        |(timestamp_ms, key, value, headers)| Written {
            timestamp_ms,
            key,
            value,
            headers: headers.into_iter().collect(),
        },
    )
}

proptest! {
    #[test]
    fn what_is_laid_out_is_what_another_decoder_reads(
        records in prop::collection::vec(record(), 1..200),
        batch_bytes_max in prop_oneof![Just(NO_LIMIT), 1..20_000_usize],
        compression in prop_oneof![
            Just(Compression::None), Just(Compression::Lz4), Just(Compression::Zstd),
        ],
    ) {
        check(&records, batch_bytes_max, compression);
    }
}

#[test]
fn lengths_at_the_edges_of_their_encoding_are_right() {
    for length in [0, 1, 63, 64, 127, 128, 8_191, 8_192, 1_048_575, 1_048_576, 3_000_000] {
        let records = [
            Written { timestamp_ms: 5, key: None, value: Some(vec![7; length]), headers: vec![] },
            Written { timestamp_ms: 6, key: Some(vec![1; length]), value: None, headers: vec![] },
        ];
        check(&records, NO_LIMIT, Compression::None);
    }
}

#[test]
fn a_batch_is_these_bytes() {
    let record = Written {
        timestamp_ms: 1_700_000_000_000,
        key: Some(b"k".to_vec()),
        value: Some(b"value".to_vec()),
        headers: vec![("h".into(), b"1".to_vec())],
    };
    let tombstone = Written {
        timestamp_ms: 1_700_000_000_100,
        key: Some(b"k".to_vec()),
        value: None,
        headers: vec![],
    };
    let batches = build(&[record, tombstone], NO_LIMIT, Compression::None);
    let hex: String = batches[0].iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, GOLDEN);
    assert_eq!(read(&batches[0]).len(), 2);
}

/// Base offset, length, leader epoch, magic, CRC, attributes; last delta, times, writer, sequence,
/// count; then two records.
const GOLDEN: &str = concat!(
    "0000000000000000",
    "0000004b",
    "ffffffff",
    "02",
    "4dc96140",
    "0010",
    "00000001",
    "0000018bcfe56800",
    "0000018bcfe56864",
    "000000000000004d",
    "0005",
    "00000000",
    "00000002",
    "20",
    "00",
    "00",
    "00",
    "026b",
    "0a76616c7565",
    "02",
    "0268",
    "0231",
    "10",
    "00",
    "c801",
    "02",
    "026b",
    "01",
    "00",
);
