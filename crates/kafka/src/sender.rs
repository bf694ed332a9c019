use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rdkafka::client::OAuthToken;
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
    producer: ThreadedProducer<Deliveries>,
    failed: Arc<AtomicU64>,
}

/// Told what became of each record: the number it was sent under, and why it was not delivered if it
/// was not. Called on the client's own thread, which waits for it.
type Listener = Box<dyn Fn(usize, Result<(), &KafkaError>) + Send + Sync>;

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

/// A record with the number that the listener knows it by.
type Numbered<'a> = BaseRecord<'a, [u8], [u8], usize>;

impl Sender {
    /// How long [`Sender::send`] waits for room in the queue.
    const STALL_MAX: Duration = Duration::from_secs(30);

    /// Connects in the background.
    ///
    /// # Errors
    /// [`SendError::Settings`] where the client refuses its settings.
    pub fn new(settings: &ClientSettings, properties: &[(&str, &str)]) -> Result<Self, SendError> {
        Self::connect(settings, properties, None)
    }

    /// The same; `listener` is told what became of each record, by the number it was sent under, and
    /// why it was not delivered if it was not. It runs on the client's own thread and must not wait.
    ///
    /// # Errors
    /// As [`Sender::new`].
    pub fn with_listener(
        settings: &ClientSettings,
        properties: &[(&str, &str)],
        listener: impl Fn(usize, Result<(), &KafkaError>) + Send + Sync + 'static,
    ) -> Result<Self, SendError> {
        Self::connect(settings, properties, Some(Box::new(listener)))
    }

    fn connect(
        settings: &ClientSettings,
        properties: &[(&str, &str)],
        listener: Option<Listener>,
    ) -> Result<Self, SendError> {
        let mut config = settings.sender_config("bindery-sender");
        for (name, value) in properties {
            config.set(*name, *value);
        }
        let failed = Arc::new(AtomicU64::new(0));
        let producer = config
            .create_with_context(Deliveries {
                quiet: QuietContext::new(settings),
                failed: Arc::clone(&failed),
                listener,
            })
            .map_err(SettingsError::from)?;
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
        let mut record: Numbered<'_> = record_to(topic, 0, key, value, headers);
        record.partition = partition;
        let started = Instant::now();
        loop {
            match self.offer(record)? {
                None => return Ok(()),
                Some(_) if started.elapsed() > Self::STALL_MAX => {
                    return Err(SendError::Stalled(Self::STALL_MAX));
                }
                Some(refused) => record = refused,
            }
            // The producer's own thread makes room; parking is the wait with a bound.
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }

    /// Queues one record under a number of the caller's, for the listener; `false` where the queue is
    /// full, and nothing is queued then. The key decides on the partition, as the Java client has it.
    ///
    /// # Errors
    /// [`SendError::Refused`] for this record alone. The listener does not hear of it.
    pub fn try_send(
        &self,
        number: usize,
        topic: &str,
        key: Option<&[u8]>,
        value: &[u8],
        headers: &[(&str, &[u8])],
    ) -> Result<bool, SendError> {
        let refused = self.offer(record_to(topic, number, key, Some(value), headers))?;
        Ok(refused.is_none())
    }

    /// Gives the record back where the queue is full.
    fn offer<'a>(&self, record: Numbered<'a>) -> Result<Option<Numbered<'a>>, SendError> {
        let topic = record.topic;
        match self.producer.send(record) {
            Ok(()) => Ok(None),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                Ok(Some(refused))
            }
            Err((source, _)) => Err(SendError::Refused { topic: topic.into(), source }),
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

fn record_to<'a>(
    topic: &'a str,
    number: usize,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: &[(&str, &[u8])],
) -> Numbered<'a> {
    let mut record = BaseRecord::with_opaque_to(topic, number);
    record.key = key;
    record.payload = value;
    if !headers.is_empty() {
        let owned = OwnedHeaders::new_with_capacity(headers.len());
        record.headers =
            Some(headers.iter().fold(owned, |owned, (key, value)| {
                owned.insert(Header { key, value: Some(*value) })
            }));
    }
    record
}

struct Deliveries {
    quiet: QuietContext,
    failed: Arc<AtomicU64>,
    listener: Option<Listener>,
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, settings: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.quiet.generate_oauth_token(settings)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
    }

    fn stats(&self, _: Statistics) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, delivery: &DeliveryResult<'_>, number: usize) {
        let outcome = delivery.as_ref().map(|_| ()).map_err(|(error, _)| error);
        match (&self.listener, outcome) {
            (Some(listener), outcome) => listener(number, outcome),
            (None, Err(error)) => warn!(%error, "a record was not delivered"),
            (None, Ok(())) => {}
        }
        if outcome.is_err() {
            self.failed.fetch_add(1, Ordering::AcqRel);
        }
    }
}
