use std::time::Duration;

use kafka::{ClientSettings, NextOffset, ReadError, ReadEvent, Reader};
use lane::Record;

/// What was written to a topic before, one partition at a time.
///
/// A boundary, so that restoring can be tested without a broker.
pub(crate) trait Past: Send {
    /// The bounds of a partition; `None` when no broker answers now.
    fn bounds(&self, topic: &str, partition: i32) -> Result<Option<Bounds>, ReadError>;

    /// Reads committed records from a position on.
    fn open(
        &self,
        topic: &str,
        partition: i32,
        from: NextOffset,
    ) -> Result<Box<dyn PastReader>, ReadError>;
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
}

/// How long one question about a partition's bounds may take.
const QUESTION: Duration = Duration::from_millis(200);

impl KafkaPast {
    pub(crate) const fn new(settings: ClientSettings) -> Self {
        Self { settings }
    }
}

impl Past for KafkaPast {
    fn bounds(&self, topic: &str, partition: i32) -> Result<Option<Bounds>, ReadError> {
        let ask = |isolation| {
            let properties = [("isolation.level", isolation)];
            let reader = Reader::open_with(&self.settings, topic, &[], &properties)?;
            Ok::<_, ReadError>(reader.bounds(partition, QUESTION).ok())
        };
        // The end first: what is settled up to a later moment covers it sooner.
        let Some((_, end)) = ask("read_uncommitted")? else { return Ok(None) };
        let Some((start, stable_end)) = ask("read_committed")? else { return Ok(None) };
        Ok(Some(Bounds { start, stable_end, end }))
    }

    fn open(
        &self,
        topic: &str,
        partition: i32,
        from: NextOffset,
    ) -> Result<Box<dyn PastReader>, ReadError> {
        let reader = Reader::open(&self.settings, topic, &[(partition, from)])?;
        Ok(Box::new(KafkaPastReader { reader, topic: topic.to_owned() }))
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
                let headers: Vec<_> = read.headers().collect();
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
