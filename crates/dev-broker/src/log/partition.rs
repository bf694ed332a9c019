//! A partition: its segments, its producers, its open and aborted transactions, its waiting readers.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use bytes::Bytes;
use tokio::sync::Notify;

use super::batch::{self, BatchHeader, Marker};
use super::producer_state::Producers;
use super::records::{self, RawRecord};
use super::segment::Segment;
use crate::topic_config::TopicConfig;

/// What a reader may see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isolation {
    ReadUncommitted,
    ReadCommitted,
}

/// A transaction whose records a reader of committed data has to skip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AbortedTransaction {
    pub(crate) producer_id: i64,
    pub(crate) first_offset: i64,
    /// The offset of the abort marker.
    pub(crate) last_offset: i64,
}

/// Whole batches read from the log.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    pub(crate) records: Bytes,
    pub(crate) aborted: Vec<AbortedTransaction>,
}

/// An answer to a question about time: a record's offset and its timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimestampedOffset {
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
}

/// Readers parked until there is more to read.
#[derive(Debug, Default)]
struct Waiters(RefCell<Vec<Weak<Notify>>>);

impl Waiters {
    fn add(&self, reader: &Rc<Notify>) {
        let mut waiting = self.0.borrow_mut();
        waiting.retain(|known| known.strong_count() > 0);
        waiting.push(Rc::downgrade(reader));
    }

    fn wake(&self) {
        for reader in self.0.borrow_mut().drain(..).filter_map(|reader| reader.upgrade()) {
            reader.notify_one();
        }
    }
}

/// One partition of a topic.
#[derive(Debug)]
pub(crate) struct Partition {
    directory: PathBuf,
    log_start: i64,
    next_offset: i64,
    /// Oldest first, never empty; the last one is written to.
    pub(super) segments: Vec<Segment>,
    pub(super) producers: Producers,
    /// First offset of each open transaction, and whose it is.
    open_transactions: BTreeMap<i64, i64>,
    /// In the order of their markers.
    pub(super) aborted: Vec<AbortedTransaction>,
    waiting_for_records: Waiters,
    waiting_for_stable: Waiters,
    /// The end of what compaction has been over.
    pub(super) clean_to: i64,
    /// How far each compaction went, and when.
    pub(super) clean_passes: Vec<(i64, i64)>,
}

impl Partition {
    pub(super) fn empty(directory: PathBuf, log_start: i64) -> Partition {
        Partition {
            directory,
            log_start,
            next_offset: log_start,
            segments: Vec::new(),
            producers: Producers::default(),
            open_transactions: BTreeMap::new(),
            aborted: Vec::new(),
            waiting_for_records: Waiters::default(),
            waiting_for_stable: Waiters::default(),
            clean_to: 0,
            clean_passes: Vec::new(),
        }
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// The first offset a reader may ask for.
    pub(crate) fn log_start(&self) -> i64 {
        self.log_start
    }

    /// The offset the next record gets; with one replica also the high watermark.
    pub(crate) fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The end of what a reader of committed data may see.
    pub(crate) fn last_stable(&self) -> i64 {
        self.open_transactions.keys().next().copied().unwrap_or(self.next_offset)
    }

    pub(crate) fn end(&self, isolation: Isolation) -> i64 {
        match isolation {
            Isolation::ReadUncommitted => self.next_offset,
            Isolation::ReadCommitted => self.last_stable(),
        }
    }

    pub(crate) fn producers(&self) -> &Producers {
        &self.producers
    }

    /// Producers with a transaction open here.
    pub(crate) fn open_producers(&self) -> Vec<i64> {
        self.open_transactions.values().copied().collect()
    }

    /// Bytes of all segments.
    pub(crate) fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// Appends a batch that was checked, and returns its base offset.
    pub(crate) fn append(
        &mut self,
        bytes: &[u8],
        config: &TopicConfig,
        now_ms: i64,
    ) -> io::Result<i64> {
        let mut placed = bytes.to_vec();
        batch::place(&mut placed, self.next_offset);
        if config.log_append_time {
            batch::stamp(&mut placed, now_ms);
        }
        let header = parsed(&placed)?;
        self.write(&placed, &header, config, now_ms)?;
        self.restore(&header, &placed);
        self.waiting_for_records.wake();
        if self.open_transactions.is_empty() {
            self.waiting_for_stable.wake();
        }
        Ok(header.base_offset)
    }

    /// Writes the marker that ends a producer's transaction here. [`Partition::wake`] shows it.
    pub(crate) fn append_marker(
        &mut self,
        marker: Marker,
        producer_id: i64,
        producer_epoch: i16,
        config: &TopicConfig,
        now_ms: i64,
    ) -> io::Result<()> {
        let bytes =
            batch::control_batch(marker, producer_id, producer_epoch, self.next_offset, now_ms);
        let header = parsed(&bytes)?;
        self.write(&bytes, &header, config, now_ms)?;
        self.restore(&header, &bytes);
        Ok(())
    }

    fn write(
        &mut self,
        bytes: &[u8],
        header: &BatchHeader,
        config: &TopicConfig,
        now_ms: i64,
    ) -> io::Result<()> {
        let active = self.active();
        let too_large = active.size > 0 && active.size + header.size as u64 > config.segment_bytes;
        let too_old = active
            .started_ms
            .is_some_and(|started| now_ms.saturating_sub(started) > config.segment_ms);
        if too_large || too_old {
            self.roll()?;
        }
        let active = self.active();
        active.append(bytes, header)?;
        active.started_ms.get_or_insert(now_ms);
        Ok(())
    }

    /// Closes the segment that is written to and begins another.
    pub(super) fn roll(&mut self) -> io::Result<()> {
        let mut segment = Segment::new(&self.directory, self.next_offset);
        segment.create()?;
        self.active().close();
        self.segments.push(segment);
        Ok(())
    }

    fn active(&mut self) -> &mut Segment {
        if self.segments.is_empty() {
            self.segments.push(Segment::new(&self.directory, self.next_offset));
        }
        let last = self.segments.len() - 1;
        &mut self.segments[last]
    }

    /// Takes a segment over, while opening.
    pub(super) fn adopt(&mut self, segment: Segment) {
        self.next_offset = self.next_offset.max(segment.base_offset);
        self.segments.push(segment);
    }

    pub(super) fn finish_opening(&mut self) {
        let first = self.active().base_offset.min(self.next_offset);
        let first = self.segments.first().map_or(first, |segment| segment.base_offset);
        self.log_start = self.log_start.max(first);
        self.next_offset = self.next_offset.max(self.log_start);
    }

    /// Takes a batch that is in the log into the state kept in memory.
    pub(super) fn restore(&mut self, header: &BatchHeader, bytes: &[u8]) {
        self.next_offset = self.next_offset.max(header.last_offset() + 1);
        if !header.has_producer() {
            return;
        }
        if !header.is_control() {
            self.producers.appended(header);
            if header.is_transactional() {
                let open = self.producers.get(header.producer_id);
                let first = open.and_then(|state| state.open_since);
                self.open_transactions
                    .insert(first.unwrap_or(header.base_offset), header.producer_id);
            }
            return;
        }
        let Some(first_offset) = self.producers.ended(header) else { return };
        self.open_transactions.remove(&first_offset);
        if batch::marker_of(bytes) == Some(Marker::Abort) {
            self.aborted.push(AbortedTransaction {
                producer_id: header.producer_id,
                first_offset,
                last_offset: header.base_offset,
            });
        }
    }

    /// Reads whole batches from an offset on: the first at any size, more up to `max_bytes`.
    pub(crate) fn read(
        &self,
        offset: i64,
        max_bytes: usize,
        isolation: Isolation,
    ) -> io::Result<Slice> {
        let end = self.end(isolation);
        if offset >= end {
            return Ok(Slice::default());
        }
        let from = self.segments.partition_point(|segment| segment.base_offset <= offset);
        for segment in &self.segments[from.saturating_sub(1)..] {
            let (records, last_offset) = read_segment(segment, offset, end, max_bytes)?;
            if records.is_empty() {
                // What the segment held behind this offset was compacted away.
                continue;
            }
            let aborted = match isolation {
                Isolation::ReadUncommitted => Vec::new(),
                Isolation::ReadCommitted => self.aborted_between(offset, last_offset),
            };
            return Ok(Slice { records, aborted });
        }
        Ok(Slice::default())
    }

    fn aborted_between(&self, first: i64, last: i64) -> Vec<AbortedTransaction> {
        let from = self.aborted.partition_point(|aborted| aborted.last_offset < first);
        let overlapping =
            self.aborted[from..].iter().filter(|aborted| aborted.first_offset <= last);
        overlapping.copied().collect()
    }

    /// Wakes this reader when there are more records for its isolation level.
    pub(crate) fn wait(&self, reader: &Rc<Notify>, isolation: Isolation) {
        match isolation {
            Isolation::ReadUncommitted => self.waiting_for_records.add(reader),
            Isolation::ReadCommitted => self.waiting_for_stable.add(reader),
        }
    }

    /// Wakes every reader: something else than an append has changed.
    pub(crate) fn wake(&self) {
        self.waiting_for_records.wake();
        self.waiting_for_stable.wake();
    }

    /// The first record that is not older than a timestamp.
    pub(crate) fn offset_for_time(
        &self,
        timestamp: i64,
        isolation: Isolation,
    ) -> io::Result<Option<TimestampedOffset>> {
        let end = self.end(isolation);
        for segment in self.segments.iter().filter(|segment| segment.max_timestamp >= timestamp) {
            let mut found = None;
            segment.walk(segment.position_before_time(timestamp), |position, header, _| {
                if header.base_offset >= end {
                    return Ok(false);
                }
                if header.max_timestamp >= timestamp && header.last_offset() >= self.log_start {
                    let batch = segment.read(position, header.size)?;
                    found = first_record(&batch, |record| {
                        record.timestamp >= timestamp && record.offset >= self.log_start
                    })?;
                }
                Ok(found.is_none())
            })?;
            if found.is_some() {
                return Ok(found.filter(|found| found.offset < end));
            }
        }
        Ok(None)
    }

    /// The record with the highest timestamp, the first of them if there are several.
    pub(crate) fn offset_of_max_timestamp(&self) -> io::Result<Option<TimestampedOffset>> {
        let highest = self.segments.iter().map(|segment| segment.max_timestamp).max();
        match highest.filter(|timestamp| *timestamp >= 0) {
            Some(timestamp) => self.offset_for_time(timestamp, Isolation::ReadUncommitted),
            None => Ok(None),
        }
    }

    /// Removes records below an offset from view, and segments that hold nothing else.
    pub(crate) fn advance_log_start(&mut self, offset: i64) -> io::Result<()> {
        self.log_start = self.log_start.max(offset);
        while self.segments.len() > 1 && self.segments[1].base_offset <= self.log_start {
            self.segments.remove(0).delete()?;
        }
        let log_start = self.log_start;
        self.aborted.retain(|aborted| aborted.last_offset >= log_start);
        Ok(())
    }

    /// Hands everything to the disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.segments.iter().try_for_each(Segment::flush)
    }

    /// Removes the files.
    pub(crate) fn delete(&mut self) -> io::Result<()> {
        self.wake();
        self.segments.clear();
        match std::fs::remove_dir_all(&self.directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

fn parsed(bytes: &[u8]) -> io::Result<BatchHeader> {
    BatchHeader::parse(bytes)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a batch"))
}

/// Beyond the bytes asked for: the batches between an index entry and the wanted offset.
const INDEX_SLACK: usize = 8 * 1024;

/// Reads whole batches of one segment; also returns the last offset among them.
fn read_segment(
    segment: &Segment,
    offset: i64,
    end: i64,
    max_bytes: usize,
) -> io::Result<(Bytes, i64)> {
    let mut start = segment.position_before(offset);
    let mut buffer = segment.read(start, max_bytes.saturating_add(INDEX_SLACK))?;
    // Skip what lies before the offset.
    let mut skipped = 0;
    let first = loop {
        match BatchHeader::parse(&buffer[skipped.min(buffer.len())..]) {
            Some(header) if header.last_offset() >= offset => break header,
            Some(header) => skipped += header.size,
            None if start + skipped as u64 >= segment.size => return Ok((Bytes::new(), -1)),
            None => {
                start += skipped as u64;
                skipped = 0;
                buffer = segment.read(start, max_bytes.saturating_add(INDEX_SLACK))?;
            }
        }
    };
    if first.base_offset >= end {
        return Ok((Bytes::new(), -1));
    }
    if buffer.len() < skipped + first.size {
        buffer = segment.read(start + skipped as u64, first.size.max(max_bytes))?;
        skipped = 0;
    }
    let records = buffer.slice(skipped..);
    let mut taken = first.size;
    let mut last_offset = first.last_offset();
    while let Some(header) = BatchHeader::parse(&records[taken..]) {
        let fits = taken + header.size <= max_bytes.min(records.len());
        if !fits || header.base_offset >= end {
            break;
        }
        taken += header.size;
        last_offset = header.last_offset();
    }
    Ok((records.slice(..taken), last_offset))
}

fn first_record(
    batch: &Bytes,
    wanted: impl Fn(&RawRecord) -> bool,
) -> io::Result<Option<TimestampedOffset>> {
    let records = records::read(batch)?;
    let found = records.iter().find(|record| wanted(record));
    Ok(found.map(|record| TimestampedOffset { offset: record.offset, timestamp: record.timestamp }))
}
