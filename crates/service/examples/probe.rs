//! The smallest service: waits until it is asked to stop. The tests of this crate run it.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{anyhow, ensure};
use clap::Parser;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::{
    Exit, Failure, HealthSettings, HealthSource, LogSettings, ProcessSettings, Secret,
    ServiceFlags, Settings, ShutdownSettings, TelemetrySettings,
};

/// How the probe behaves.
#[derive(Serialize, Deserialize, JsonSchema, PartialEq, Eq, Default)]
#[serde(rename_all = "kebab-case")]
enum Behaviour {
    /// Drains at once when asked to stop.
    #[default]
    Good,
    /// Never finishes draining.
    Stuck,
    /// Asks for the stop itself because it failed, and never finishes draining.
    FailedAndStuck,
    /// Finds no broker.
    Unreachable,
    /// Panics.
    Panic,
}

#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Probe {
    kafka: kafka::ClientSettings,
    #[serde(default)]
    log: LogSettings,
    #[serde(default)]
    health: HealthSettings,
    #[serde(default)]
    shutdown: ShutdownSettings,
    #[serde(default)]
    telemetry: TelemetrySettings,
    #[serde(default)]
    behaviour: Behaviour,
    #[serde(default)]
    password: Option<Secret>,
}

impl Settings for Probe {
    fn process(&self) -> ProcessSettings<'_> {
        ProcessSettings {
            log: &self.log,
            health: &self.health,
            shutdown: &self.shutdown,
            telemetry: &self.telemetry,
        }
    }

    fn validate(&self) -> anyhow::Result<()> {
        self.kafka.validate()?;
        ensure!(self.shutdown.drain_seconds > 0, "`shutdown.drain_seconds` is 0; give it time");
        Ok(())
    }
}

const NO_DEFAULTS: BTreeMap<&str, u32> = BTreeMap::new();

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    flags: ServiceFlags,
}

struct Waiting;

impl HealthSource for Waiting {
    fn name(&self) -> &'static str {
        "waiting"
    }

    fn live(&self, _: i64) -> Result<(), String> {
        Ok(())
    }

    fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    fn started(&self) -> bool {
        true
    }
}

fn main() -> ExitCode {
    service::run("probe", &NO_DEFAULTS, &Arguments::parse().flags, |probe: Probe, context| {
        context.watch(Arc::new(Waiting));
        match probe.behaviour {
            Behaviour::Good | Behaviour::Stuck => {}
            Behaviour::FailedAndStuck => context.shutdown().request(Exit::Internal),
            Behaviour::Unreachable => {
                return Err(Failure::unreachable(anyhow!("nobody is there")));
            }
            Behaviour::Panic => panic!("as asked"),
        }
        context.shutdown().wait();
        if probe.behaviour == Behaviour::Good {
            return Ok(());
        }
        loop {
            std::thread::park();
        }
    })
}
