use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka::ClientSettings;

use crate::engine::clock_ms;
use crate::producer::{
    Cause, ConnectError, LibrdkafkaProducer, ProducerSpec, TransactionalProducer, WriteError,
};
use crate::{LaneSettings, Outbox, OutputTopic, Stop};

/// Writes whole outboxes in transactions without input: what publishes templates.
pub struct Publisher {
    producer: LibrdkafkaProducer,
}

/// Why an outbox was not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// There is no producer.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// No broker answered in time.
    #[error("no broker at `{0}` accepts transactions; check the address and that it runs")]
    Unreachable(String),
    /// Nothing was published.
    #[error("nothing was published; try again")]
    Aborted(#[source] Cause),
    /// Perhaps all of it was published, perhaps nothing.
    #[error("the broker did not say whether it was published; look, and try again")]
    Unknown(#[source] Cause),
}

impl Publisher {
    /// Connects as `transactional_id`, which nobody else may be using: they would be fenced.
    ///
    /// # Errors
    /// [`PublishError::Unreachable`] after `limit`, [`PublishError::Connect`] when waiting does not help.
    pub fn connect(
        client: &ClientSettings,
        transactional_id: &str,
        topics: &[OutputTopic],
        limit: Duration,
    ) -> Result<Self, PublishError> {
        let lane = LaneSettings::real_time();
        let spec = ProducerSpec::new(client, &lane, transactional_id, topics);
        let stop = Stop::new();
        let patience = stop.clone();
        let deadline = Instant::now() + limit;
        let finished = Arc::new(Stop::new());
        let watched = Arc::clone(&finished);
        std::thread::spawn(move || {
            if !watched.wait(deadline.saturating_duration_since(Instant::now())) {
                patience.request();
            }
        });
        let connected = LibrdkafkaProducer::connect(&spec, &stop);
        finished.request();
        match connected? {
            Some(producer) => Ok(Self { producer }),
            None => Err(PublishError::Unreachable(client.bootstrap_servers.clone())),
        }
    }

    /// All of `outbox`, visible together, or nothing.
    ///
    /// # Errors
    /// [`PublishError::Aborted`] and [`PublishError::Unknown`].
    pub fn publish(&mut self, outbox: &Outbox) -> Result<(), PublishError> {
        self.producer.write_records(outbox, None).map_err(|error| match error {
            WriteError::Aborted(cause) => PublishError::Aborted(cause),
            WriteError::Unsettled(cause) => PublishError::Unknown(cause),
        })
    }

    /// Now, in milliseconds since the epoch: the moment of a publication.
    pub fn now_ms() -> i64 {
        clock_ms()
    }
}
