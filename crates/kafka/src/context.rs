use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{ClientConfig, ClientContext, Statistics};
use tracing::{debug, info, warn};

use crate::{Chain, ClientSettings, SettingsError, TokenError, TokenSource};

/// How long a consumer that is asked for nothing serves what it was told.
const SERVING: Duration = Duration::from_millis(20);

/// A consumer that asks without polling. Where it needs a token, it has one: the client asks for it by an
/// event, which only a poll serves.
pub(crate) fn asking<C: ConsumerContext>(
    config: &ClientConfig,
    context: C,
    settings: &ClientSettings,
) -> Result<BaseConsumer<C>, SettingsError> {
    let consumer: BaseConsumer<C> = config.create_with_context(context)?;
    if settings.tokens().is_some() {
        serve(&consumer);
    }
    Ok(consumer)
}

/// Serves what a consumer was told: tokens it needs, errors it met, lines of its log.
pub(crate) fn serve<C: ConsumerContext>(consumer: &BaseConsumer<C>) {
    // One of these is a record only where partitions are assigned.
    let _ = consumer.poll(SERVING);
}

/// Sends a client's log lines to `tracing` with their facility as a field, and its errors as
/// warnings: a client repairs its connections itself, so none of them is for a human by itself.
#[derive(Clone, Debug)]
pub struct QuietContext {
    tokens: Option<TokenSource>,
}

impl QuietContext {
    /// For clients with these settings.
    pub fn new(settings: &ClientSettings) -> Self {
        Self { tokens: settings.tokens() }
    }

    /// The token that a client asks for, where its mechanism is OAUTHBEARER.
    ///
    /// # Errors
    /// Any [`TokenError`].
    pub fn oauth_token(&self) -> Result<OAuthToken, TokenError> {
        self.tokens.as_ref().ok_or(TokenError::NoSource)?.for_librdkafka()
    }

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
        match error.rdkafka_error_code() {
            // Reaching an end is told as an error, and is none.
            Some(RDKafkaErrorCode::PartitionEOF) => {}
            // The client's own log has a line of each, with the same reason.
            Some(RDKafkaErrorCode::BrokerTransportFailure) => {
                debug!(target: "librdkafka", %error, "{reason}");
            }
            Some(_) | None => warn!(target: "librdkafka", %error, "{reason}"),
        }
    }
}

impl ClientContext for QuietContext {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.oauth_token().map_err(|error| Chain(&error).to_string().into())
    }

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
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    quiet: QuietContext,
    seen: Arc<Mutex<Option<String>>>,
}

impl Witness {
    pub(crate) fn new(settings: &ClientSettings) -> Self {
        Self { quiet: QuietContext::new(settings), seen: Arc::default() }
    }

    /// What went wrong last, in the client's words.
    pub(crate) fn seen(&self) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Witness {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, settings: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.quiet.generate_oauth_token(settings)
    }

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
        // That all brokers are down says nothing of why.
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason.to_owned());
        }
    }

    fn stats(&self, _: Statistics) {}
}

impl ConsumerContext for Witness {}
