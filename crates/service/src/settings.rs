use std::net::SocketAddr;
use std::time::Duration;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::traces::TelemetrySettings;

/// A binary's own configuration: one struct, read once, before anything is opened.
///
/// Implementations carry `#[serde(deny_unknown_fields)]`, and `#[serde(default)]` on all that has a
/// default. `Serialize` is what the log shows: it must hide secrets. `JsonSchema` is what keys are
/// looked up in; the doc comments in it are the reference page.
pub trait Settings: DeserializeOwned + Serialize + JsonSchema {
    /// The parts that concern the process and not what it does.
    fn process(&self) -> ProcessSettings<'_>;

    /// Refuses what does not fit together: a fragment that names the settings and what to change.
    ///
    /// # Errors
    /// What is wrong.
    fn validate(&self) -> anyhow::Result<()>;
}

/// The parts of any binary's configuration that [`crate::run`] acts on.
#[derive(Debug, Clone, Copy)]
pub struct ProcessSettings<'a> {
    /// What is logged and how.
    pub log: &'a LogSettings,
    /// The port for the orchestrator and for metrics.
    pub health: &'a HealthSettings,
    /// How long draining may take.
    pub shutdown: &'a ShutdownSettings,
    /// Where spans go.
    pub telemetry: &'a TelemetrySettings,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line, for collectors.
    Json,
}

/// What is logged and how. Lines go to standard error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// `text` for people, `json` for collectors. Wrong: lines that the collector cannot take apart.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,lane=debug`.
    /// `RUST_LOG` sets it too. Too high: nothing to find a fault with.
    pub level: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// The port for the orchestrator and for metrics.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HealthSettings {
    /// `address:port` of `/live`, `/ready`, `/startup` and `/metrics`; absent for none, port 0 for
    /// any. Wrong: the process does not start.
    pub listen: Option<SocketAddr>,
}

/// How long draining may take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownSettings {
    /// From the request to stop until the process leaves, drained or not. It must cover the
    /// longest transaction; the orchestrator's own patience must be longer.
    pub drain_seconds: u32,
}

impl ShutdownSettings {
    /// The limit as a duration.
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.drain_seconds.into())
    }
}

impl Default for ShutdownSettings {
    fn default() -> Self {
        Self { drain_seconds: 30 }
    }
}
