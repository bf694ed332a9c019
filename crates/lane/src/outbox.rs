use std::ops::Range;
use std::sync::Arc;

use native_producer::RecordAccumulator;

/// A topic that a lane may write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputTopic {
    /// Its name.
    pub name: Arc<str>,
    /// How many partitions it has.
    pub partitions: i32,
    /// The largest record it takes: key, value and headers, in bytes.
    pub record_bytes_max: usize,
}

impl OutputTopic {
    /// The same as the native producer has it.
    pub(crate) fn for_batches(&self) -> native_producer::Topic {
        native_producer::Topic {
            name: self.name.clone(),
            partitions: self.partitions,
            batch_bytes_max: self.record_bytes_max,
        }
    }
}

/// Which of an outbox's topics: its index in the list the outbox was made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(pub usize);

/// The record was larger than its topic takes and is not in the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record of {bytes} bytes is larger than the {bytes_max} that topic takes")]
pub struct TooLarge {
    /// How large it would have been.
    pub bytes: usize,
    /// How large it may be.
    pub bytes_max: usize,
}

/// How an outbox keeps its records until they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// One after the other, as [`Outbox::records`] gives them.
    Arena,
    /// In the batches of their partitions, as the native client sends them. Each is copied there from a
    /// place that is still in the processor's cache, and the next one is laid out in the same place.
    Batches,
}

/// What a handler wants written: records laid out, topic and partition already chosen.
///
/// A lane keeps one and clears it for each batch, so that in the steady state nothing is allocated.
#[derive(Debug)]
pub struct Outbox {
    topics: Arc<[OutputTopic]>,
    /// What the records that are kept here, and the one being laid out, consist of.
    arena: Vec<u8>,
    headers: Vec<HeaderEntry>,
    kept: Kept,
    /// How many records there are for each topic.
    counts: Box<[usize]>,
}

/// The records that are laid out.
#[derive(Debug)]
enum Kept {
    InArena(Vec<Entry>),
    InBatches {
        records: RecordAccumulator,
        /// Of the record being laid out.
        headers: native_producer::Headers,
        /// The timestamp of those that have none of their own.
        now_ms: i64,
    },
}

#[derive(Clone, Debug)]
struct Entry {
    topic: TopicId,
    partition: i32,
    timestamp_ms: Option<i64>,
    key: Option<Span>,
    value: Option<Span>,
    headers: Span,
}

#[derive(Clone, Debug)]
struct HeaderEntry {
    name: HeaderName,
    value: Span,
}

/// Nearly all names are known when the program is built; only what is passed on as read is laid out.
#[derive(Clone, Copy, Debug)]
enum HeaderName {
    Known(&'static str),
    Laid(Span),
}

#[derive(Clone, Copy, Debug)]
struct Span {
    start: usize,
    end: usize,
}

impl Span {
    const fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// One record of an outbox.
#[derive(Clone, Copy, Debug)]
pub struct OutboundRecord<'a> {
    /// Where it goes.
    pub topic: &'a OutputTopic,
    /// The partition chosen.
    pub partition: i32,
    /// Its timestamp in milliseconds since the epoch; `None`: the time it is written.
    pub timestamp_ms: Option<i64>,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` for a tombstone.
    pub value: Option<&'a [u8]>,
    outbox: &'a Outbox,
    headers: Span,
}

impl<'a> OutboundRecord<'a> {
    /// How many headers it has.
    pub fn n_headers(&self) -> usize {
        self.headers.range().len()
    }

    /// Its headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let outbox = self.outbox;
        outbox.headers[self.headers.range()].iter().map(|header| {
            let name = match header.name {
                HeaderName::Known(name) => name,
                HeaderName::Laid(span) => std::str::from_utf8(&outbox.arena[span.range()])
                    .expect("a header's name was laid out from a str"),
            };
            (name, &outbox.arena[header.value.range()])
        })
    }
}

impl Outbox {
    /// Memory that [`Outbox::clear`] keeps; what one outsized batch took beyond it is given back.
    const KEPT_BYTES: usize = 32 << 20;

    /// An empty one for `topics`; a [`TopicId`] is an index into them.
    pub fn new(topics: impl Into<Arc<[OutputTopic]>>) -> Self {
        let topics = topics.into();
        Self {
            counts: vec![0; topics.len()].into(),
            topics,
            arena: Vec::new(),
            headers: Vec::new(),
            kept: Kept::InArena(Vec::new()),
        }
    }

    /// Forgets every record, and keeps those to come like this.
    pub fn lay_out(&mut self, layout: Layout) {
        self.clear();
        match (layout, &self.kept) {
            (Layout::Arena, Kept::InArena(_)) | (Layout::Batches, Kept::InBatches { .. }) => {}
            (Layout::Arena, Kept::InBatches { .. }) => self.kept = Kept::InArena(Vec::new()),
            (Layout::Batches, Kept::InArena(_)) => {
                let topics: Vec<_> = self.topics.iter().map(OutputTopic::for_batches).collect();
                let records = RecordAccumulator::new(&topics);
                let headers = native_producer::Headers::default();
                self.kept = Kept::InBatches { records, headers, now_ms: 0 };
            }
        }
    }

    /// The topics it was made for.
    pub fn topics(&self) -> &[OutputTopic] {
        &self.topics
    }

    /// Begins a record for `topic`. It is in the outbox once its value is given.
    ///
    /// # Panics
    /// Where the outbox has no such topic.
    pub fn record(&mut self, topic: TopicId) -> RecordBuilder<'_> {
        assert!(topic.0 < self.topics.len(), "an outbox has no topic number {}", topic.0);
        let arena_start = self.arena.len();
        let headers_start = self.headers.len();
        RecordBuilder {
            outbox: self,
            topic,
            partition: None,
            timestamp_ms: None,
            key: None,
            arena_start,
            headers_start,
            header_bytes: 0,
            stays: false,
        }
    }

    /// Forgets every record and keeps the memory for the next.
    pub fn clear(&mut self) {
        self.arena.clear();
        self.arena.shrink_to(Self::KEPT_BYTES);
        self.headers.clear();
        match &mut self.kept {
            Kept::InArena(entries) => entries.clear(),
            Kept::InBatches { records, .. } => records.clear(),
        }
        self.counts.fill(0);
    }

    /// As [`Outbox::lay_out`], for records that are written at this time, in milliseconds since the epoch.
    pub(crate) fn begin(&mut self, layout: Layout, at_ms: i64) {
        self.lay_out(layout);
        if let Kept::InBatches { now_ms, .. } = &mut self.kept {
            *now_ms = at_ms;
        }
    }

    /// The records, in the order they were written; none of those in [`Layout::Batches`].
    pub fn records(&self) -> impl ExactSizeIterator<Item = OutboundRecord<'_>> {
        let entries: &[Entry] = match &self.kept {
            Kept::InArena(entries) => entries,
            Kept::InBatches { .. } => &[],
        };
        entries.iter().map(|entry| OutboundRecord {
            topic: &self.topics[entry.topic.0],
            partition: entry.partition,
            timestamp_ms: entry.timestamp_ms,
            key: entry.key.map(|span| &self.arena[span.range()]),
            value: entry.value.map(|span| &self.arena[span.range()]),
            outbox: self,
            headers: entry.headers,
        })
    }

    /// The records that are in [`Layout::Batches`]; `None` in the other one.
    pub(crate) fn batches(&mut self) -> Option<&mut RecordAccumulator> {
        match &mut self.kept {
            Kept::InArena(_) => None,
            Kept::InBatches { records, .. } => Some(records),
        }
    }

    /// How many records there are for each of its topics.
    pub fn counts(&self) -> impl Iterator<Item = (&OutputTopic, u64)> {
        self.topics.iter().zip(self.counts.iter().map(|n| *n as u64))
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.counts.iter().sum()
    }

    /// Whether nothing is to be written.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lay(&mut self, bytes: &[u8]) -> Span {
        let start = self.arena.len();
        self.arena.extend_from_slice(bytes);
        Span { start, end: self.arena.len() }
    }
}

/// One record being laid out. Dropped before its value was given, it leaves nothing behind.
#[must_use = "a record without a value is not written"]
pub struct RecordBuilder<'a> {
    outbox: &'a mut Outbox,
    topic: TopicId,
    partition: Option<i32>,
    timestamp_ms: Option<i64>,
    key: Option<Span>,
    arena_start: usize,
    headers_start: usize,
    header_bytes: usize,
    /// Whether the arena keeps it.
    stays: bool,
}

impl RecordBuilder<'_> {
    /// Its key; decides the partition unless one is given.
    pub fn key(mut self, key: &[u8]) -> Self {
        self.key = Some(self.outbox.lay(key));
        self
    }

    /// Its partition, whatever the key.
    pub fn partition(mut self, partition: i32) -> Self {
        self.partition = Some(partition);
        self
    }

    /// Its timestamp, in milliseconds since the epoch.
    pub fn timestamp(mut self, timestamp_ms: i64) -> Self {
        self.timestamp_ms = Some(timestamp_ms);
        self
    }

    /// One more header.
    pub fn header(mut self, name: &'static str, value: &[u8]) -> Self {
        self.push_header(name, value, |_| HeaderName::Known(name));
        self
    }

    /// More headers.
    pub fn headers<'v>(
        mut self,
        headers: impl IntoIterator<Item = (&'static str, &'v [u8])>,
    ) -> Self {
        for (name, value) in headers {
            self.push_header(name, value, |_| HeaderName::Known(name));
        }
        self
    }

    /// Headers that are passed on as they were read.
    pub fn headers_as_read<'h>(
        mut self,
        headers: impl IntoIterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        for (name, value) in headers {
            let lay = |outbox: &mut Outbox| HeaderName::Laid(outbox.lay(name.as_bytes()));
            self.push_header(name, value, lay);
        }
        self
    }

    /// Its value, as `write` appends it to the arena; `write` must only append.
    ///
    /// # Errors
    /// [`TooLarge`], and the outbox is as it was before the record.
    pub fn value(mut self, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), TooLarge> {
        let start = self.outbox.arena.len();
        write(&mut self.outbox.arena);
        let end = self.outbox.arena.len();
        assert!(end >= start, "a value is appended to the arena, which never shrinks");
        self.finish(Some(Span { start, end }))
    }

    /// No value: a tombstone on a compacted topic.
    ///
    /// # Errors
    /// As [`RecordBuilder::value`].
    pub fn tombstone(mut self) -> Result<(), TooLarge> {
        self.finish(None)
    }

    /// Adds a header; `entry_name` is how the arena has its name.
    fn push_header(
        &mut self,
        name: &str,
        value: &[u8],
        entry_name: impl FnOnce(&mut Outbox) -> HeaderName,
    ) {
        self.header_bytes += name.len() + value.len();
        if let Kept::InBatches { headers, .. } = &mut self.outbox.kept {
            headers.push(name, value);
            return;
        }
        let name = entry_name(self.outbox);
        let value = self.outbox.lay(value);
        self.outbox.headers.push(HeaderEntry { name, value });
    }

    fn finish(&mut self, value: Option<Span>) -> Result<(), TooLarge> {
        let topic = &self.outbox.topics[self.topic.0];
        let length = |span: Option<Span>| span.map_or(0, |span| span.range().len());
        let bytes = length(self.key) + length(value) + self.header_bytes;
        if bytes > topic.record_bytes_max {
            return Err(TooLarge { bytes, bytes_max: topic.record_bytes_max });
        }
        let n_partitions = topic.partitions;
        let outbox = &mut *self.outbox;
        let (arena, topic_id) = (&outbox.arena, self.topic);
        let partition = self.partition.unwrap_or_else(|| match self.key {
            Some(key) => kafka::partition_of(&arena[key.range()], n_partitions),
            None => kafka::partition_of(&outbox.len().to_le_bytes(), n_partitions),
        });
        match &mut outbox.kept {
            Kept::InArena(entries) => {
                let headers = Span { start: self.headers_start, end: outbox.headers.len() };
                entries.push(Entry {
                    topic: topic_id,
                    partition,
                    timestamp_ms: self.timestamp_ms,
                    key: self.key,
                    value,
                    headers,
                });
                self.stays = true;
            }
            Kept::InBatches { records, headers, now_ms } => {
                let record = native_producer::Record {
                    timestamp_ms: self.timestamp_ms.unwrap_or(*now_ms),
                    key: self.key.map(|span| &arena[span.range()]),
                    value: value.map(|span| &arena[span.range()]),
                    headers,
                };
                records.append(topic_id.0, partition, &record);
            }
        }
        outbox.counts[topic_id.0] += 1;
        Ok(())
    }
}

impl Drop for RecordBuilder<'_> {
    fn drop(&mut self) {
        if !self.stays {
            self.outbox.arena.truncate(self.arena_start);
            self.outbox.headers.truncate(self.headers_start);
        }
        if let Kept::InBatches { headers, .. } = &mut self.outbox.kept {
            headers.clear();
        }
    }
}

#[cfg(test)]
mod tests;
