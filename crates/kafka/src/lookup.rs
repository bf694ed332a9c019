use std::time::{Duration, Instant};

use rdkafka::error::KafkaError;

use crate::{
    AdminError, ClientSettings, NextOffset, Offset, ReadError, ReadEvent, ReadRecord, Reader,
    partition_count, partition_of,
};

/// How long nothing may come before a lookup gives up.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How many offsets the first of the windows of [`KeyLookup::last`] has, and how much larger each
/// following one is.
const WINDOW: i64 = 20_000;
const WINDOW_GROWTH: i64 = 8;
/// What makes reading much at once fast: large fetches, and the next ones under way meanwhile.
const BULK: [(&str, &str); 4] = [
    ("fetch.message.max.bytes", "16777216"),
    ("fetch.max.bytes", "67108864"),
    ("queued.max.messages.kbytes", "131072"),
    ("queued.min.messages", "1000000"),
];

/// Finds the records of one key in the one partition they are in: the partitioner says which, as the
/// Java client's does. Reads under read_committed, as a member of no group.
#[derive(Clone, Debug)]
pub struct KeyLookup {
    settings: ClientSettings,
    topic: String,
    key: Vec<u8>,
    partition: i32,
    low: NextOffset,
    end: NextOffset,
}

/// Why a key cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The cluster could not be asked.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The partition could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// A record that was found, owning its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundRecord {
    /// Its offset.
    pub offset: Offset,
    /// Its timestamp, in milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Its value; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// Its headers, in order.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

impl FoundRecord {
    fn of(record: &ReadRecord<'_>) -> Self {
        let owned = |(name, value): (&str, Option<&[u8]>)| (name.into(), value.map(<[u8]>::to_vec));
        Self {
            offset: record.offset(),
            timestamp_ms: record.timestamp_ms(),
            value: record.value().map(<[u8]>::to_vec),
            headers: record.headers().iter().map(owned).collect(),
        }
    }

    /// Its headers, as a decoder takes them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref()))
    }
}

impl KeyLookup {
    /// Finds out where records of `key` are, and where the partition begins and ends now.
    ///
    /// # Errors
    /// Where no broker answers, or the topic does not exist.
    pub fn open(settings: &ClientSettings, topic: &str, key: &[u8]) -> Result<Self, LookupError> {
        let count = partition_count(settings, topic)?;
        let count = count.ok_or_else(|| ReadError::UnknownTopic(topic.into()))?;
        let partition = partition_of(key, count);
        let reader = Reader::open(settings, topic, &[])?;
        let (low, end) =
            reader.bounds(partition, STALL_MAX).map_err(|source| failed(topic, source))?;
        Ok(Self {
            settings: settings.clone(),
            topic: topic.into(),
            key: key.into(),
            partition,
            low: NextOffset::from_committed(low),
            end: NextOffset::from_committed(end),
        })
    }

    /// The partition that records of the key are in.
    pub fn partition(&self) -> i32 {
        self.partition
    }

    /// The last stable offset when this was opened: everything before it is looked at.
    pub fn end(&self) -> NextOffset {
        self.end
    }

    /// Leaves out what was written before `since_ms`, in milliseconds since the epoch.
    ///
    /// # Errors
    /// Where no broker answers.
    pub fn since(mut self, since_ms: i64) -> Result<Self, LookupError> {
        let reader = Reader::open(&self.settings, &self.topic, &[])?;
        let first = reader
            .first_since(self.partition, since_ms, STALL_MAX)
            .map_err(|source| failed(&self.topic, source))?;
        self.low = first.unwrap_or(self.end).max(self.low).min(self.end);
        Ok(self)
    }

    /// Gives every record of the key, in order. Reads the whole partition.
    ///
    /// # Errors
    /// [`ReadError::TimedOut`] where nothing came for half a minute; else as [`Reader::poll`].
    pub fn all(&self, mut each: impl FnMut(FoundRecord)) -> Result<(), LookupError> {
        self.scan(self.low.get(), self.end.get(), &mut each)
    }

    /// The last record of the key. Reads the partition from its end, in windows that grow, so that
    /// what was written lately is found at once; the whole partition where there is none.
    ///
    /// # Errors
    /// As [`KeyLookup::all`].
    pub fn last(&self) -> Result<Option<FoundRecord>, LookupError> {
        let (mut to, mut size) = (self.end.get(), WINDOW);
        while to > self.low.get() {
            let from = to.saturating_sub(size).max(self.low.get());
            let mut last = None;
            self.scan(from, to, &mut |record| last = Some(record))?;
            if last.is_some() {
                return Ok(last);
            }
            (to, size) = (from, size.saturating_mul(WINDOW_GROWTH));
        }
        Ok(None)
    }

    /// Gives the records of the key from `from` up to `to`, excluded.
    fn scan(
        &self,
        from: i64,
        to: i64,
        each: &mut impl FnMut(FoundRecord),
    ) -> Result<(), LookupError> {
        if from >= to {
            return Ok(());
        }
        let position = [(self.partition, NextOffset::from_committed(from))];
        let reader = Reader::open_with(&self.settings, &self.topic, &position, &BULK)?;
        let mut last_progress = Instant::now();
        loop {
            match reader.poll(Duration::from_millis(100))? {
                Some(ReadEvent::Record(record)) => {
                    let offset = record.offset();
                    if offset.get() < to && record.key() == Some(self.key.as_slice()) {
                        each(FoundRecord::of(&record));
                    }
                    if offset.next().get() >= to {
                        return Ok(());
                    }
                    last_progress = Instant::now();
                }
                Some(ReadEvent::End(_)) => return Ok(()),
                None if last_progress.elapsed() > STALL_MAX => {
                    let topic = self.topic.clone();
                    return Err(ReadError::TimedOut { topic, limit: STALL_MAX }.into());
                }
                None => {}
            }
        }
    }
}

fn failed(topic: &str, source: KafkaError) -> ReadError {
    ReadError::Failed { topic: topic.into(), source }
}
