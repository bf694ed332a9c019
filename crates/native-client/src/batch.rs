//! Record batches (magic 2), laid out byte by byte into one buffer per partition.

use std::ops::Range;

use crate::buffers::Buffers;
use crate::compression::Codec;
use crate::put::{put_uvarint, uvarint_len, zigzag};

/// Bytes of a batch before its first record.
pub const HEADER_BYTES: usize = 61;
/// Where the part begins that the checksum covers.
const CHECKED_FROM: usize = 21;
/// The attribute of a batch that belongs to a transaction.
const TRANSACTIONAL: i16 = 0x10;

/// Who writes, as the broker knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The producer's id.
    pub id: i64,
    /// Its epoch.
    pub epoch: i16,
}

/// One record to be laid out.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: &'a Headers,
}

/// The headers of one record, encoded as a batch has them.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    bytes: Vec<u8>,
    n: usize,
}

impl Headers {
    /// One that has none.
    pub const NONE: &'static Self = &Self { bytes: Vec::new(), n: 0 };

    /// Adds one more.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        put_counted(&mut self.bytes, name.as_bytes());
        put_counted(&mut self.bytes, value);
        self.n += 1;
    }

    /// Forgets them, and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.n = 0;
    }
}

/// The batches of one partition in one transaction, in memory that is lent to it.
#[derive(Debug, Default)]
pub struct PartitionBatches {
    /// Batches one after the other, as they are built; the last one is open.
    built: Vec<u8>,
    /// The same compressed, where there is compression.
    compressed: Vec<u8>,
    is_compressed: bool,
    batches: Vec<Batch>,
    /// How many records the batches before the open one have: the sequence goes on there.
    n_records: i32,
}

#[derive(Clone, Debug)]
struct Batch {
    /// Where it is in `built`; after sealing, in what is sent.
    bytes: Range<usize>,
    first_sequence: i32,
    n_records: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl PartitionBatches {
    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Where the first record is going to be laid out: in `memory`, which is empty.
    pub fn build_in(&mut self, memory: Vec<u8>) {
        debug_assert!(memory.is_empty() && self.is_empty(), "nothing is laid out yet");
        self.built = memory;
    }

    /// Forgets everything, and gives the memory back.
    pub fn clear(&mut self, buffers: &mut Buffers) {
        for buffer in [&mut self.built, &mut self.compressed] {
            buffers.give_back(std::mem::take(buffer));
        }
        self.is_compressed = false;
        self.batches.clear();
        self.n_records = 0;
    }

    /// Lays out one record, in the open batch if that stays within `batch_bytes_max`.
    pub fn append(&mut self, record: &Record<'_>, batch_bytes_max: usize) {
        let without_deltas = bytes_without_deltas(record);
        // An upper bound; the deltas take ten and five bytes at most.
        let bytes_max = without_deltas + 10 + 5 + 5;
        let is_full = self.batches.last().is_none_or(|batch| {
            batch.bytes.len() + bytes_max > batch_bytes_max || batch.n_records == i32::MAX
        });
        if is_full {
            self.open(record.timestamp_ms);
        }
        let batch = self.batches.last_mut().expect("a batch was opened if there was none");
        let timestamp_delta = zigzag(record.timestamp_ms - batch.base_timestamp);
        let offset_delta = zigzag(i64::from(batch.n_records));
        let length = without_deltas + uvarint_len(timestamp_delta) + uvarint_len(offset_delta);
        let out = &mut self.built;
        out.reserve(length + 5);
        put_length(out, length);
        out.push(0);
        put_uvarint(out, timestamp_delta);
        put_uvarint(out, offset_delta);
        put_nullable(out, record.key);
        put_nullable(out, record.value);
        put_length(out, record.headers.n);
        out.extend_from_slice(&record.headers.bytes);
        batch.n_records += 1;
        batch.max_timestamp = batch.max_timestamp.max(record.timestamp_ms);
        batch.bytes.end = out.len();
        self.n_records += 1;
    }

    fn open(&mut self, timestamp_ms: i64) {
        let start = self.built.len();
        self.built.resize(start + HEADER_BYTES, 0);
        self.batches.push(Batch {
            bytes: start..self.built.len(),
            first_sequence: self.n_records,
            n_records: 0,
            base_timestamp: timestamp_ms,
            max_timestamp: timestamp_ms,
        });
    }

    /// Completes every batch for this writer. What [`PartitionBatches::get`] gives then stays until
    /// the next `clear`: a retry sends the same bytes.
    pub fn seal(&mut self, writer: Identity, codec: &mut Codec, buffers: &mut Buffers) {
        let attribute = codec.attribute();
        self.is_compressed = codec.compresses();
        if self.is_compressed {
            self.compressed = buffers.take();
        }
        for batch in &mut self.batches {
            let bytes = if self.is_compressed {
                let start = self.compressed.len();
                self.compressed.resize(start + HEADER_BYTES, 0);
                let records = batch.bytes.start + HEADER_BYTES..batch.bytes.end;
                codec.append(&self.built[records], &mut self.compressed);
                batch.bytes = start..self.compressed.len();
                &mut self.compressed[batch.bytes.clone()]
            } else {
                &mut self.built[batch.bytes.clone()]
            };
            write_header(bytes, batch, writer, attribute);
        }
        if self.is_compressed {
            buffers.give_back(std::mem::take(&mut self.built));
        }
    }

    /// How many batches there are.
    pub fn len(&self) -> usize {
        self.batches.len()
    }

    /// The bytes of a sealed batch.
    pub fn get(&self, index: usize) -> &[u8] {
        let buffer = if self.is_compressed { &self.compressed } else { &self.built };
        &buffer[self.batches[index].bytes.clone()]
    }
}

fn write_header(bytes: &mut [u8], batch: &Batch, writer: Identity, codec: i16) {
    let length = i32::try_from(bytes.len() - 12).expect("a batch is far below 2 GiB");
    // The broker sets the base offset and, with the leader epoch, does not check it.
    bytes[..8].copy_from_slice(&0_i64.to_be_bytes());
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    bytes[12..16].copy_from_slice(&(-1_i32).to_be_bytes());
    bytes[16] = 2;
    bytes[21..23].copy_from_slice(&(TRANSACTIONAL | codec).to_be_bytes());
    bytes[23..27].copy_from_slice(&(batch.n_records - 1).to_be_bytes());
    bytes[27..35].copy_from_slice(&batch.base_timestamp.to_be_bytes());
    bytes[35..43].copy_from_slice(&batch.max_timestamp.to_be_bytes());
    bytes[43..51].copy_from_slice(&writer.id.to_be_bytes());
    bytes[51..53].copy_from_slice(&writer.epoch.to_be_bytes());
    bytes[53..57].copy_from_slice(&batch.first_sequence.to_be_bytes());
    bytes[57..61].copy_from_slice(&batch.n_records.to_be_bytes());
    let checksum = crc32c::crc32c(&bytes[CHECKED_FROM..]);
    bytes[17..21].copy_from_slice(&checksum.to_be_bytes());
}

/// The length of a record's body, without its timestamp's and offset's deltas.
fn bytes_without_deltas(record: &Record<'_>) -> usize {
    let nullable = |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| counted(bytes.len()));
    let attributes = 1;
    let headers = length_len(record.headers.n) + record.headers.bytes.len();
    attributes + nullable(record.key) + nullable(record.value) + headers
}

/// Bytes of a length and what has it.
fn counted(length: usize) -> usize {
    length_len(length) + length
}

fn length_code(length: usize) -> u64 {
    zigzag(i64::try_from(length).expect("nothing in memory is longer"))
}

fn length_len(length: usize) -> usize {
    uvarint_len(length_code(length))
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        Some(bytes) => put_counted(out, bytes),
        None => put_uvarint(out, zigzag(-1)),
    }
}

fn put_counted(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    put_uvarint(out, length_code(length));
}

#[cfg(test)]
mod tests;
