use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Statistics};
use tracing::warn;

use crate::{ClientSettings, QuietContext, SettingsError};

/// An idempotent producer without transactions, for what publishes events: the command line, the
/// demo, tests.
pub struct Sender {
    producer: ThreadedProducer<Counting>,
    failed: Arc<AtomicU64>,
}

/// Why a record was not taken or not delivered.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// The client's settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The record cannot be sent: too large, no such topic.
    #[error("the record cannot be sent to topic `{topic}`")]
    Refused {
        /// Where to.
        topic: String,
        /// What the client said.
        #[source]
        source: KafkaError,
    },
    /// The queue stayed full.
    #[error("the broker did not take records for {0:?}")]
    Stalled(Duration),
    /// Some records did not arrive.
    #[error("{0} records were not delivered")]
    Undelivered(u64),
}

impl Sender {
    /// How long [`Sender::send`] waits for room in the queue.
    const STALL_MAX: Duration = Duration::from_secs(30);

    /// Connects in the background.
    ///
    /// # Errors
    /// [`SendError::Settings`] where the client refuses its settings.
    pub fn new(settings: &ClientSettings, properties: &[(&str, &str)]) -> Result<Self, SendError> {
        let mut config = settings.sender_config("bindery-sender");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        let failed = Arc::new(AtomicU64::new(0));
        let producer = config
            .create_with_context(Counting { failed: Arc::clone(&failed) })
            .map_err(SettingsError::Refused)?;
        Ok(Self { producer, failed })
    }

    /// Queues one record; waits while the queue is full. Without a `partition` the key decides, as
    /// the Java client does.
    ///
    /// # Errors
    /// [`SendError::Refused`] for this record alone, [`SendError::Stalled`] after 30 s of a full queue.
    pub fn send(
        &self,
        topic: &str,
        partition: Option<i32>,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(&str, &[u8])],
    ) -> Result<(), SendError> {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic);
        record.partition = partition;
        record.key = key;
        record.payload = value;
        if !headers.is_empty() {
            let owned = OwnedHeaders::new_with_capacity(headers.len());
            record.headers = Some(headers.iter().fold(owned, |owned, (key, value)| {
                owned.insert(Header { key, value: Some(*value) })
            }));
        }
        let started = Instant::now();
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    if started.elapsed() > Self::STALL_MAX {
                        return Err(SendError::Stalled(Self::STALL_MAX));
                    }
                    record = refused;
                    // The producer's own thread makes room; parking is the wait with a bound.
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err((source, _)) => {
                    return Err(SendError::Refused { topic: topic.into(), source });
                }
            }
        }
    }

    /// Waits until every record is delivered.
    ///
    /// # Errors
    /// [`SendError::Stalled`] when `timeout` has passed, [`SendError::Undelivered`] when some failed.
    pub fn flush(&self, timeout: Duration) -> Result<(), SendError> {
        self.producer.flush(timeout).map_err(|_| SendError::Stalled(timeout))?;
        match self.failed.load(Ordering::Acquire) {
            0 => Ok(()),
            failed => Err(SendError::Undelivered(failed)),
        }
    }
}

struct Counting {
    failed: Arc<AtomicU64>,
}

impl ClientContext for Counting {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
    }

    fn stats(&self, _: Statistics) {}
}

impl ProducerContext for Counting {
    type DeliveryOpaque = ();

    fn delivery(&self, delivery: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = delivery {
            self.failed.fetch_add(1, Ordering::AcqRel);
            warn!(%error, "a record was not delivered");
        }
    }
}
