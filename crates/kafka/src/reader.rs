use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use tracing::debug;

use crate::context::asking;
use crate::{ClientSettings, NextOffset, QuietContext, ReadRecord, SettingsError};

/// How long one question for the ends may take, and how long to wait before it is asked again.
const QUESTION: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);
/// How long a topic may be unknown that was just created.
const UNKNOWN_LIMIT: Duration = Duration::from_secs(10);

/// Reads partitions of one topic under read_committed, as a member of no group.
///
/// Goes through broker outages by itself: it waits and goes on where it was.
pub struct Reader {
    consumer: BaseConsumer<QuietContext>,
    topic: String,
    partitions: Vec<i32>,
}

/// What came of one poll.
pub enum ReadEvent<'a> {
    /// A record.
    Record(ReadRecord<'a>),
    /// This partition has nothing more for now. Under read_committed its last transaction was read whole.
    End(i32),
}

/// Why reading cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The client's settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The topic is not there.
    #[error("topic `{0}` does not exist")]
    UnknownTopic(String),
    /// The time given has passed.
    #[error("topic `{topic}` could not be read to its end within {limit:?}")]
    TimedOut {
        /// Which.
        topic: String,
        /// The time given.
        limit: Duration,
    },
    /// The client will not go on.
    #[error("reading topic `{topic}` failed")]
    Failed {
        /// Which.
        topic: String,
        /// What the client said.
        #[source]
        source: KafkaError,
    },
}

impl Reader {
    /// Opens `topic` at each partition's position.
    ///
    /// # Errors
    /// [`ReadError::Settings`] where the client refuses its settings.
    pub fn open(
        settings: &ClientSettings,
        topic: &str,
        positions: &[(i32, NextOffset)],
    ) -> Result<Self, ReadError> {
        Self::open_with(settings, topic, positions, &[])
    }

    /// The same, with properties of its own for the client.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn open_with(
        settings: &ClientSettings,
        topic: &str,
        positions: &[(i32, NextOffset)],
        properties: &[(&str, &str)],
    ) -> Result<Self, ReadError> {
        let mut config = settings.reader_config("bindery-reader");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        let consumer: BaseConsumer<QuietContext> =
            asking(&config, QuietContext::new(settings), settings)?;
        let mut assignment = TopicPartitionList::with_capacity(positions.len());
        for (partition, position) in positions {
            let offset = rdkafka::Offset::Offset(position.get());
            assignment
                .add_partition_offset(topic, *partition, offset)
                .map_err(|source| ReadError::Failed { topic: topic.into(), source })?;
        }
        consumer
            .assign(&assignment)
            .map_err(|source| ReadError::Failed { topic: topic.into(), source })?;
        let partitions = positions.iter().map(|(partition, _)| *partition).collect();
        Ok(Self { consumer, topic: topic.into(), partitions })
    }

    /// Waits up to `timeout` for the next record or end; `None` when nothing came, or a broker is
    /// away.
    ///
    /// # Errors
    /// [`ReadError::UnknownTopic`], and [`ReadError::Failed`] when the client is beyond repair.
    pub fn poll(&self, timeout: Duration) -> Result<Option<ReadEvent<'_>>, ReadError> {
        match self.consumer.poll(timeout) {
            None => Ok(None),
            Some(Ok(message)) => Ok(Some(ReadEvent::Record(message.into()))),
            Some(Err(KafkaError::PartitionEOF(partition))) => Ok(Some(ReadEvent::End(partition))),
            Some(Err(error)) if is_unknown(&error) => {
                Err(ReadError::UnknownTopic(self.topic.clone()))
            }
            Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => {
                Err(ReadError::Failed { topic: self.topic.clone(), source })
            }
            Some(Err(error)) => {
                debug!(topic = self.topic, %error, "reading goes on after a passing error");
                Ok(None)
            }
        }
    }

    /// Gives every record up to the end each partition had when this was called. Waits for a topic
    /// just created and for a broker that is away.
    ///
    /// # Errors
    /// [`ReadError::UnknownTopic`] where it is still not there after ten seconds, and
    /// [`ReadError::TimedOut`] after `limit`; else as [`Reader::poll`].
    pub fn read_to_end(
        &self,
        limit: Duration,
        mut each: impl FnMut(&ReadRecord<'_>),
    ) -> Result<(), ReadError> {
        let started = Instant::now();
        let mut unread = self.wait_for_ends(limit)?;
        while !unread.is_empty() {
            let left = limit.checked_sub(started.elapsed()).ok_or_else(|| self.timed_out(limit))?;
            match self.poll(left.min(Duration::from_millis(100))) {
                Ok(None) => {}
                Ok(Some(ReadEvent::End(partition))) => {
                    unread.remove(&partition);
                }
                Ok(Some(ReadEvent::Record(record))) => {
                    let reached = record.offset().next().get();
                    each(&record);
                    if unread.get(&record.partition()).is_some_and(|end| reached >= *end) {
                        unread.remove(&record.partition());
                    }
                }
                // Said of a time before the ends were known.
                Err(ReadError::UnknownTopic(_)) if started.elapsed() < UNKNOWN_LIMIT => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The ends, asked for until there is an answer.
    fn wait_for_ends(&self, limit: Duration) -> Result<BTreeMap<i32, i64>, ReadError> {
        let started = Instant::now();
        loop {
            match self.ends(QUESTION) {
                Ok(ends) => return Ok(ends),
                Err(error) if is_unknown(&error) && started.elapsed() > UNKNOWN_LIMIT => {
                    return Err(ReadError::UnknownTopic(self.topic.clone()));
                }
                Err(_) if started.elapsed() < limit => std::thread::park_timeout(PAUSE),
                Err(_) => return Err(self.timed_out(limit)),
            }
        }
    }

    fn timed_out(&self, limit: Duration) -> ReadError {
        ReadError::TimedOut { topic: self.topic.clone(), limit }
    }

    /// Each partition's last stable offset now: one past its last committed record, or past the
    /// marker behind it. Empty partitions are left out.
    ///
    /// # Errors
    /// What the client said when no broker answered within `timeout`.
    pub fn ends(&self, timeout: Duration) -> Result<BTreeMap<i32, i64>, KafkaError> {
        let mut ends = BTreeMap::new();
        for &partition in &self.partitions {
            let (low, high) = self.consumer.fetch_watermarks(&self.topic, partition, timeout)?;
            if high > low {
                ends.insert(partition, high);
            }
        }
        Ok(ends)
    }

    /// The oldest offset of any partition of the topic and, as this reader's isolation has it, its end:
    /// the last stable offset, or the high watermark under read_uncommitted.
    ///
    /// # Errors
    /// What the client said when no broker answered within `timeout`.
    pub fn bounds(&self, partition: i32, timeout: Duration) -> Result<(i64, i64), KafkaError> {
        self.consumer.fetch_watermarks(&self.topic, partition, timeout)
    }

    /// The position of the first record of `partition` whose timestamp is at least `since_ms`, in
    /// milliseconds since the epoch; `None` where there is none.
    ///
    /// # Errors
    /// What the client said when no broker answered within `timeout`.
    pub fn first_since(
        &self,
        partition: i32,
        since_ms: i64,
        timeout: Duration,
    ) -> Result<Option<NextOffset>, KafkaError> {
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_offset(
            &self.topic,
            partition,
            rdkafka::Offset::Offset(since_ms.max(0)),
        )?;
        let found = self.consumer.offsets_for_times(wanted, timeout)?;
        let element = found.find_partition(&self.topic, partition);
        let offset = element.and_then(|element| element.offset().to_raw());
        Ok(offset.filter(|offset| *offset >= 0).map(NextOffset::from_committed))
    }
}

/// Whether the broker says that it has no such topic, or no such partition of it.
fn is_unknown(error: &KafkaError) -> bool {
    matches!(
        error,
        KafkaError::MessageConsumption(code) | KafkaError::MetadataFetch(code)
            if matches!(
                code,
                RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownTopic
                    | RDKafkaErrorCode::UnknownPartition
            )
    )
}
