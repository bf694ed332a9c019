//! What every binary shares: configuration, telemetry, health endpoints, shutdown.
//!
//! A binary's `main` parses its flags and calls [`run`] with the work to do:
//!
//! ```text
//! fn main() -> ExitCode {
//!     service::run("rt-event-consumer", &defaults, &Arguments::parse().flags, |settings: Settings, context| {
//!         let lanes = build(&settings, context)?;   // refused settings and topics end here
//!         lanes.run(context.stop())                 // returns when stopped and drained
//!     })
//! }
//! ```

mod config;
mod exit;
mod failure;
mod flags;
mod health;
mod metrics;
mod run;
mod secret;
mod settings;
mod shutdown;
mod signals;
mod telemetry;
mod traces;
mod watchdog;

pub use config::{
    ConfigError, Configuration, Row, Sources, load, load_part, reference, section_names,
};
pub use exit::{Exit, Failure, one_line};
pub use flags::{Flags, ServiceFlags};
pub use health::{Health, HealthServer, HealthSource, LaneHealth};
pub use metrics::{MetricSource, Metrics, MetricsError, Samples, names};
pub use run::{Context, run};
pub use secret::Secret;
pub use settings::{
    HealthSettings, LogFormat, LogSettings, ProcessSettings, Settings, ShutdownSettings,
};
pub use shutdown::Shutdown;
pub use signals::stop_on_signals;
pub use telemetry::{TelemetryError, start_logging};
pub use traces::{LaneTraces, OtlpSettings, TelemetrySettings, Traces, TracesError};
pub use watchdog::Watchdog;
