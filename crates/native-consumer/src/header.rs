//! The headers of record batches, and where one batch ends and the next begins.

use bytes::Bytes;

/// Bytes of a batch before its first record.
const HEADER_BYTES: usize = 61;
/// Bytes that every format has in front: base offset, length, leader epoch or checksum, magic.
const COMMON_BYTES: usize = 17;
/// Where the part begins that the checksum covers.
const CHECKED_FROM: usize = 21;
/// The only format that brokers write since Kafka 0.11.
const MAGIC: i8 = 2;

/// One whole batch as it was fetched.
#[derive(Clone, Debug)]
pub(crate) struct FramedBatch {
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) producer_id: i64,
    pub(crate) base_timestamp: i64,
    pub(crate) max_timestamp: i64,
    pub(crate) n_records: i32,
    attributes: i16,
    /// What follows the header: the records, perhaps compressed.
    pub(crate) body: Bytes,
}

/// What the next bytes of a partition's answer are.
#[derive(Debug)]
pub(crate) enum Framed {
    Batch(FramedBatch),
    /// A set of messages in a format from before Kafka 0.11, which this reader does not know.
    Old {
        offset: i64,
        bytes: Bytes,
    },
    /// Not what was written, or not what anybody wrote: nothing in it can be believed, not even where
    /// it ends.
    Corrupt(&'static str),
    /// The rest is the beginning of a batch that did not fit, or nothing.
    End,
}

impl FramedBatch {
    /// By the number that names it: 0 none, 1 gzip, 2 snappy, 3 lz4, 4 zstd.
    pub(crate) const fn codec(&self) -> i16 {
        self.attributes & 0x07
    }

    /// The broker's clock gave the timestamp, one for all.
    pub(crate) const fn has_append_time(&self) -> bool {
        self.attributes & 0x08 != 0
    }

    pub(crate) const fn is_transactional(&self) -> bool {
        self.attributes & 0x10 != 0
    }

    pub(crate) const fn is_control(&self) -> bool {
        self.attributes & 0x20 != 0
    }
}

/// Takes the next batch off `bytes`.
pub(crate) fn next_batch(bytes: &mut Bytes) -> Framed {
    if bytes.len() < COMMON_BYTES {
        return Framed::End;
    }
    let base_offset = i64_at(bytes, 0);
    let Ok(length) = usize::try_from(i32_at(bytes, 8)) else {
        return Framed::Corrupt("a batch of negative length");
    };
    let Some(end) = length.checked_add(12) else {
        return Framed::Corrupt("a batch longer than memory");
    };
    let magic = bytes[16].cast_signed();
    if end < COMMON_BYTES || (magic == MAGIC && end < HEADER_BYTES) {
        return Framed::Corrupt("a batch shorter than its header");
    }
    if bytes.len() < end {
        return Framed::End;
    }
    let batch = bytes.split_to(end);
    if magic != MAGIC {
        return Framed::Old { offset: base_offset, bytes: batch };
    }
    if crc32c::crc32c(&batch[CHECKED_FROM..]) != i32_at(&batch, 17).cast_unsigned() {
        return Framed::Corrupt("the checksum is wrong");
    }
    let last_offset_delta = i32_at(&batch, 23);
    let last_offset = base_offset.checked_add(i64::from(last_offset_delta));
    let (Some(last_offset), 0..) = (last_offset.filter(|last| *last < i64::MAX), last_offset_delta)
    else {
        return Framed::Corrupt("a batch that ends before it begins");
    };
    Framed::Batch(FramedBatch {
        base_offset,
        last_offset,
        leader_epoch: i32_at(&batch, 12),
        attributes: i16::from_be_bytes([batch[21], batch[22]]),
        base_timestamp: i64_at(&batch, 27),
        max_timestamp: i64_at(&batch, 35),
        producer_id: i64_at(&batch, 43),
        n_records: i32_at(&batch, 57),
        body: batch.slice(HEADER_BYTES..),
    })
}

fn i32_at(bytes: &[u8], at: usize) -> i32 {
    let mut number = [0; 4];
    number.copy_from_slice(&bytes[at..at + 4]);
    i32::from_be_bytes(number)
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    let mut number = [0; 8];
    number.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(number)
}
