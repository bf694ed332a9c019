//! Log lines: their format, their level, and a bound on the Kafka client's.

mod quiet;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::{SubscriberInitExt as _, TryInitError};
use tracing_subscriber::{EnvFilter, fmt};

use crate::settings::{LogFormat, LogSettings};
use quiet::QuietClient;

/// Why there are no log lines.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The level is neither a level nor a list of directives.
    #[error("the setting `log.level` cannot be used: `{level}`")]
    Level {
        /// What was asked for.
        level: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// Somebody else has started logging before.
    #[error("logging was started before")]
    Twice(#[source] TryInitError),
}

/// Refuses settings that [`start_logging`] would refuse.
///
/// # Errors
/// [`TelemetryError::Level`].
pub(crate) fn check_logging(settings: &LogSettings) -> Result<(), TelemetryError> {
    filter(&settings.level).map(|_| ())
}

fn filter(level: &str) -> Result<EnvFilter, TelemetryError> {
    let filter = EnvFilter::builder()
        .parse(level)
        .map_err(|source| TelemetryError::Level { level: level.to_owned(), source })?;
    // It tells of its own life at `info`.
    Ok(filter.add_directive("opentelemetry_sdk=warn".parse().expect("a directive as documented")))
}

/// Starts writing log lines to standard error.
///
/// To be called before the first Kafka client is made: clients ask for the level in force.
///
/// # Errors
/// [`TelemetryError`].
pub fn start_logging(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = filter(&settings.level)?;
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines.with_filter(QuietClient::default()))
        .try_init()
        .map_err(TelemetryError::Twice)
}
