use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientContext, Statistics};
use tracing::{debug, info, warn};

/// Sends a client's log lines to `tracing` with their facility as a field, and its errors as
/// warnings: a client repairs its connections itself, so none of them is for a human by itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct QuietContext;

impl QuietContext {
    /// One line of the client's own log.
    pub fn line(level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => warn!(target: "librdkafka", facility, "{message}"),
            RDKafkaLogLevel::Notice | RDKafkaLogLevel::Info => {
                info!(target: "librdkafka", facility, "{message}");
            }
            RDKafkaLogLevel::Debug => debug!(target: "librdkafka", facility, "{message}"),
        }
    }

    /// One error the client met and goes on from.
    pub fn failure(error: &KafkaError, reason: &str) {
        // Reaching an end is told as an error, and is none.
        if *error == KafkaError::Global(RDKafkaErrorCode::PartitionEOF) {
            return;
        }
        warn!(target: "librdkafka", %error, "{reason}");
    }
}

impl ClientContext for QuietContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        Self::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        Self::failure(&error, reason);
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for QuietContext {}

/// The same, and remembers what went wrong last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness(Arc<Mutex<Option<String>>>);

impl Witness {
    /// What went wrong last, in the client's words.
    pub(crate) fn seen(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Witness {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
        // That all brokers are down says nothing of why.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for Witness {}
