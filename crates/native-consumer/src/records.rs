//! Where the records are in what a batch unpacked to.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::header::FramedBatch;
use crate::unpack::{Reason, unpack};

/// One record, borrowed from what was fetched.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Its offset.
    pub offset: i64,
    /// Its timestamp, in milliseconds since the epoch; -1 where it has none.
    pub timestamp_ms: i64,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    headers: &'a [u8],
    n_headers: u32,
}

impl<'a> Record<'a> {
    /// Its headers, in order; those whose name is not UTF-8 are left out. They are read as they are
    /// asked for, and end where they make no sense.
    pub fn headers(&self) -> Headers<'a> {
        Headers { left: self.n_headers, cursor: Cursor(self.headers) }
    }
}

/// The headers of a record.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    left: u32,
    cursor: Cursor<'a>,
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        while self.left > 0 {
            self.left -= 1;
            let name = self.cursor.nullable()??;
            let value = self.cursor.nullable()?;
            if let Ok(name) = std::str::from_utf8(name) {
                return Some((name, value));
            }
        }
        None
    }
}

/// Where the parts of one record are. Its numbers are positions in what the batch unpacked to.
#[derive(Clone, Copy, Debug)]
struct Slot {
    offset: i64,
    timestamp_ms: i64,
    /// The length is negative where there is none.
    key: (u32, i32),
    value: (u32, i32),
    headers: (u32, u32),
    n_headers: u32,
}

/// The records of one batch, with what they borrow.
#[derive(Debug)]
pub(crate) struct RecordBatch {
    bytes: Bytes,
    slots: Vec<Slot>,
}

impl RecordBatch {
    /// Unpacks a batch and finds its records, those before `from` left out.
    pub(crate) fn read(batch: &FramedBatch, from: i64, bytes_max: usize) -> Result<Self, Reason> {
        let bytes = unpack(batch.codec(), &batch.body, bytes_max)?;
        let slots = find_records(batch, &bytes, from).map_err(|what| {
            Reason::Malformed(format!("{what}, at offset {}", batch.base_offset))
        })?;
        Ok(Self { bytes, slots })
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// What it keeps in memory, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.bytes.len() + self.slots.len() * size_of::<Slot>()
    }

    pub(crate) fn get(&self, index: usize) -> Record<'_> {
        let slot = &self.slots[index];
        let part = |(at, length): (u32, i32)| {
            let (at, length) = (at as usize, usize::try_from(length).ok()?);
            Some(&self.bytes[at..at + length])
        };
        let (start, end) = slot.headers;
        Record {
            offset: slot.offset,
            timestamp_ms: slot.timestamp_ms,
            key: part(slot.key),
            value: part(slot.value),
            headers: &self.bytes[start as usize..end as usize],
            n_headers: slot.n_headers,
        }
    }

    /// Bytes of key and value.
    pub(crate) fn payload(&self, index: usize) -> usize {
        let slot = &self.slots[index];
        let length = |(_, length): (u32, i32)| usize::try_from(length).unwrap_or(0);
        length(slot.key) + length(slot.value)
    }
}

/// Some records of one partition in the order of their offsets, none of them copied.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The topic.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
    pub(crate) batch: Arc<RecordBatch>,
    pub(crate) range: Range<usize>,
}

impl Fetched {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The records.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> + DoubleEndedIterator {
        self.range.clone().map(|index| self.batch.get(index))
    }

    /// Bytes of keys and values.
    pub fn payload(&self) -> usize {
        self.range.clone().map(|index| self.batch.payload(index)).sum()
    }

    /// Leaves out the records before `offset`.
    pub fn skip_to(&mut self, offset: i64) {
        let slots = &self.batch.slots[self.range.clone()];
        self.range.start += slots.partition_point(|slot| slot.offset < offset);
    }
}

/// Smallest record: a length, attributes, two deltas, no key, no value, no headers.
const SMALLEST_RECORD: usize = 7;

fn find_records(batch: &FramedBatch, bytes: &[u8], from: i64) -> Result<Vec<Slot>, &'static str> {
    let n_records = usize::try_from(batch.n_records).map_err(|_| "a negative count of records")?;
    if n_records > bytes.len() / SMALLEST_RECORD {
        return Err("more records are claimed than there is room for");
    }
    if u32::try_from(bytes.len()).is_err() {
        return Err("more bytes than positions can count");
    }
    let mut slots = Vec::with_capacity(n_records);
    let mut cursor = Cursor(bytes);
    let mut last = None;
    for _ in 0..n_records {
        let length = cursor.length().ok_or("a record without a length")?;
        let body = cursor.take(length).ok_or("a record longer than its batch")?;
        let slot = find_parts(batch, bytes, body).ok_or("a record shorter than what is in it")?;
        if slot.offset > batch.last_offset || last.is_some_and(|last| slot.offset <= last) {
            return Err("records out of order");
        }
        last = Some(slot.offset);
        if slot.offset >= from {
            slots.push(slot);
        }
    }
    if !cursor.0.is_empty() {
        return Err("something follows the last record");
    }
    Ok(slots)
}

/// `body` is the part of `bytes` that is one record, without its length.
fn find_parts(batch: &FramedBatch, bytes: &[u8], body: &[u8]) -> Option<Slot> {
    let position = |part: &[u8]| u32::try_from(part.as_ptr().addr() - bytes.as_ptr().addr()).ok();
    let place = |part: Option<&[u8]>| match part {
        Some(part) => Some((position(part)?, i32::try_from(part.len()).ok()?)),
        None => Some((0, -1)),
    };
    let mut cursor = Cursor(body);
    cursor.take(1)?;
    let timestamp_delta = cursor.varint()?;
    let offset_delta = u32::try_from(cursor.varint()?).ok()?;
    let key = place(cursor.nullable()?)?;
    let value = place(cursor.nullable()?)?;
    let n_headers = u32::try_from(cursor.varint()?).ok()?;
    let start = position(cursor.0)?;
    let timestamp_ms = if batch.has_append_time() {
        batch.max_timestamp
    } else {
        batch.base_timestamp.wrapping_add(timestamp_delta)
    };
    Some(Slot {
        offset: batch.base_offset.checked_add(i64::from(offset_delta))?,
        timestamp_ms,
        key,
        value,
        headers: (start, start + u32::try_from(cursor.0.len()).ok()?),
        n_headers,
    })
}

/// Reads the protocol's numbers and lengths; `None` where they make no sense.
#[derive(Clone, Debug)]
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn varint(&mut self) -> Option<i64> {
        let mut value = 0_u64;
        for (index, byte) in self.0.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.0 = &self.0[index + 1..];
                return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
            }
        }
        None
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Bytes with their length in front; the inner `None` for null.
    #[expect(clippy::option_option, reason = "null is not the same as nonsense")]
    fn nullable(&mut self) -> Option<Option<&'a [u8]>> {
        match self.varint()? {
            -1 => Some(None),
            length => Some(Some(self.take(usize::try_from(length).ok()?)?)),
        }
    }
}

#[cfg(test)]
mod tests;
