use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::worker::{Client, Kind, Measured, Telemetry};

/// Minimum, median and maximum of repeated figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` where there are no figures.
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        Some(Self { min, median: figures[figures.len() / 2], max })
    }
}

/// The value below which `hundredth` hundredths of `sorted` lie; 0 where there are none.
pub(crate) fn percentile(sorted: &[f64], hundredth: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * hundredth / 100).copied().unwrap_or_default()
}

/// Everything that says how a worker is to run.
#[derive(Clone, Debug)]
pub(crate) struct WorkerRun<'a> {
    pub(crate) bootstrap_servers: &'a str,
    pub(crate) prefix: &'a str,
    pub(crate) partitions: i32,
    pub(crate) kind: Kind,
    pub(crate) client: Client,
    pub(crate) group: &'a str,
    pub(crate) events: usize,
    pub(crate) linger_ms: Option<u64>,
    pub(crate) telemetry: Telemetry,
    /// Where spans go, if they do.
    pub(crate) otlp_endpoint: Option<&'a str>,
}

impl WorkerRun<'_> {
    /// The command that runs it: this program again, so that nothing else is in its figures.
    pub(crate) fn command(&self) -> anyhow::Result<Command> {
        let mut command = Command::new(std::env::current_exe()?);
        let kind = match self.kind {
            Kind::Bind => "bind",
            Kind::Copy => "copy",
        };
        let telemetry = match self.telemetry {
            Telemetry::Off => "off",
            Telemetry::Metrics => "metrics",
            Telemetry::Traces => "traces",
        };
        command
            .args(["bench", "worker", "--kind", kind])
            .args(["--client", self.client.name()])
            .args(["--telemetry", telemetry])
            .args(["--bootstrap-servers", self.bootstrap_servers])
            .args(["--prefix", self.prefix])
            .args(["--partitions", &self.partitions.to_string()])
            .args(["--group", self.group])
            .args(["--events", &self.events.to_string()])
            .stdin(Stdio::null());
        if let Some(endpoint) = self.otlp_endpoint {
            command.args(["--otlp-endpoint", endpoint]);
        }
        if let Some(linger_ms) = self.linger_ms {
            command.args(["--linger-ms", &linger_ms.to_string()]);
        }
        Ok(command)
    }

    /// Runs it to its end.
    pub(crate) fn measure(&self) -> anyhow::Result<Measured> {
        let output = self.command()?.stderr(Stdio::inherit()).output()?;
        anyhow::ensure!(output.status.success(), "a measured process ended with {}", output.status);
        let stdout = String::from_utf8(output.stdout)?;
        let last = stdout.lines().last().context("a measured process printed nothing")?;
        Ok(serde_json::from_str(last)?)
    }
}
