use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::time::Duration;

use kafka::{ClientSettings, NextOffset, ReadError, ReadEvent, Reader};
use lane::Record;

/// What was written to a topic before, one partition at a time.
///
/// A boundary, so that restoring can be tested without a broker.
pub(crate) trait Past: Send {
    /// The bounds of a partition; `None` when no broker answers now.
    fn bounds(&mut self, topic: &str, partition: i32) -> Result<Option<Bounds>, ReadError>;

    /// Reads committed records from a position on.
    fn open(
        &self,
        topic: &str,
        partition: i32,
        from: NextOffset,
    ) -> Result<Box<dyn PastReader>, ReadError>;

    /// Nothing more is asked for now.
    fn release(&mut self) {}
}

/// Where a partition begins and ends now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The offset of its oldest record.
    pub(crate) start: i64,
    /// The offset up to which every transaction is settled.
    pub(crate) stable_end: i64,
    /// The offset of the next record to be written.
    pub(crate) end: i64,
}

/// Reads one partition.
pub(crate) trait PastReader: Send {
    /// Gives the next record to `each`, waiting at most `timeout` for it.
    fn next(
        &self,
        timeout: Duration,
        each: &mut dyn FnMut(&Record<'_>),
    ) -> Result<PastEvent, ReadError>;
}

/// What came of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PastEvent {
    /// A record.
    Record,
    /// The partition has no more.
    End,
    /// Nothing yet.
    Nothing,
}

/// The past as a cluster has it.
pub(crate) struct KafkaPast {
    settings: ClientSettings,
    /// Clients to ask for bounds with, by topic; making one costs more than a question.
    asking: HashMap<String, Asking>,
}

struct Asking {
    uncommitted: Reader,
    committed: Reader,
}

/// How long one question about a partition's bounds may take.
const QUESTION: Duration = Duration::from_millis(200);
/// The end of a partition is known once a fetch comes back empty. Each partition has a reader of its own while
/// it is restored, all at once after a start, and a record read ahead takes two or three times its bytes.
const PROPERTIES: [(&str, &str); 3] = [
    ("fetch.wait.max.ms", "10"),
    ("fetch.message.max.bytes", "262144"),
    ("queued.max.messages.kbytes", "512"),
];

impl KafkaPast {
    pub(crate) fn new(settings: ClientSettings) -> Self {
        Self { settings, asking: HashMap::new() }
    }

    fn asking(&mut self, topic: &str) -> Result<&Asking, ReadError> {
        match self.asking.entry(topic.to_owned()) {
            Entry::Occupied(present) => Ok(present.into_mut()),
            Entry::Vacant(vacant) => {
                let reader = |isolation| {
                    let properties = [("isolation.level", isolation)];
                    Reader::open_with(&self.settings, topic, &[], &properties)
                };
                let uncommitted = reader("read_uncommitted")?;
                let committed = reader("read_committed")?;
                Ok(vacant.insert(Asking { uncommitted, committed }))
            }
        }
    }
}

impl Past for KafkaPast {
    fn bounds(&mut self, topic: &str, partition: i32) -> Result<Option<Bounds>, ReadError> {
        let asking = self.asking(topic)?;
        // The end first: what is settled up to a later moment covers it sooner.
        let Ok((_, end)) = asking.uncommitted.bounds(partition, QUESTION) else { return Ok(None) };
        let Ok((start, stable_end)) = asking.committed.bounds(partition, QUESTION) else {
            return Ok(None);
        };
        Ok(Some(Bounds { start, stable_end, end }))
    }

    fn open(
        &self,
        topic: &str,
        partition: i32,
        from: NextOffset,
    ) -> Result<Box<dyn PastReader>, ReadError> {
        let positions = [(partition, from)];
        let reader = Reader::open_with(&self.settings, topic, &positions, &PROPERTIES)?;
        Ok(Box::new(KafkaPastReader { reader, topic: topic.to_owned() }))
    }

    fn release(&mut self) {
        self.asking.clear();
    }
}

struct KafkaPastReader {
    reader: Reader,
    topic: String,
}

impl PastReader for KafkaPastReader {
    fn next(
        &self,
        timeout: Duration,
        each: &mut dyn FnMut(&Record<'_>),
    ) -> Result<PastEvent, ReadError> {
        match self.reader.poll(timeout)? {
            None => Ok(PastEvent::Nothing),
            Some(ReadEvent::End(_)) => Ok(PastEvent::End),
            Some(ReadEvent::Record(read)) => {
                let headers = read.headers();
                let headers: Vec<_> = headers.iter().collect();
                let mut record = Record::at(&self.topic, read.partition(), read.offset());
                record.timestamp_ms = read.timestamp_ms();
                record.key = read.key();
                record.value = read.value();
                each(&record.with_headers(&headers));
                Ok(PastEvent::Record)
            }
        }
    }
}
