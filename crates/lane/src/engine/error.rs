use kafka::SettingsError;
use rdkafka::error::KafkaError;

use crate::producer::{Cause, ConnectError};

/// Why a lane ended; the process leaves, and its successor goes on from the committed offsets.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The client refuses its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no producer and waiting does not help.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The topics cannot be subscribed to.
    #[error("the topics cannot be subscribed to")]
    Subscribe(#[source] KafkaError),
    /// The consumer is beyond repair.
    #[error("the consumer failed for good")]
    Consumer(#[source] KafkaError),
    /// The handler cannot go on.
    #[error("the handler cannot go on")]
    Handler(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// One batch was aborted again and again.
    #[error("the same batch was aborted {aborts} times in a row")]
    TooManyAborts {
        /// How often.
        aborts: u32,
        /// The last reason.
        #[source]
        cause: Cause,
    },
    /// Producers had to be made anew again and again.
    #[error("{renewals} producers had to be given up within ten minutes")]
    TooManyRenewals {
        /// How many.
        renewals: usize,
        /// The last reason.
        #[source]
        cause: Cause,
    },
    /// A thread panicked; the reason was printed.
    #[error("a lane's thread panicked")]
    Panicked,
}
