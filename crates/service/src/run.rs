use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use lane::{LaneStatus, Stop};
use serde::Serialize;
use tracing::info;

use crate::config::{Configuration, Sources, load_part};
use crate::exit::{Exit, Failure, print};
use crate::flags::ServiceFlags;
use crate::health::{Health, HealthServer, HealthSource, LaneHealth};
use crate::metrics::Metrics;
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::signals::stop_on_signals;
use crate::telemetry::{check_logging, start_logging};
use crate::traces::Traces;
use crate::watchdog::Watchdog;

/// Half of `max.poll.interval.ms`, after all of which a lane's partitions are taken away.
const STALLED_AFTER: Duration = Duration::from_secs(60);

/// What only `bindery` looks at, in a file or an environment that it shares with services.
const OF_THE_COMMAND_LINE: [&str; 1] = ["groups"];

/// What the work of a binary finds around it.
pub struct Context {
    shutdown: Shutdown,
    health: Health,
    metrics: Metrics,
    traces: Traces,
    health_address: Option<SocketAddr>,
}

impl Context {
    /// What lanes and other threads look at and wait on.
    pub fn stop(&self) -> &Stop {
        self.shutdown.stop()
    }

    /// To ask for the stop from inside, with a code.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Shows a lane in the health endpoints and the metrics. To be called before it starts.
    pub fn watch_lane(&self, name: &str, status: &Arc<LaneStatus>) {
        self.metrics.watch_lane(name, Arc::clone(status));
        let health = LaneHealth::new(name, Arc::clone(status), STALLED_AFTER);
        self.health.watch(Arc::new(health));
    }

    /// Shows another part in the health endpoints, such as the catalogue.
    pub fn watch(&self, source: Arc<dyn HealthSource>) {
        self.health.watch(source);
    }

    /// To show what the binary itself counts.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// For the spans of lanes.
    pub fn traces(&self) -> &Traces {
        &self.traces
    }

    /// Where the health endpoints listen, if they do.
    pub fn health_address(&self) -> Option<SocketAddr> {
        self.health_address
    }
}

/// All of a binary's `main` but its flags: reads the configuration over `defaults`, starts logging, signals, health
/// and metrics, and does `work`, which returns when it was asked to stop and has drained. With `--check-config` it
/// only shows the configuration.
///
/// A failure is one line on standard error, and the code to end with.
pub fn run<S: Settings>(
    program: &'static str,
    defaults: &impl Serialize,
    flags: &ServiceFlags,
    work: impl FnOnce(S, &Context) -> Result<(), Failure>,
) -> ExitCode {
    match supervised(program, defaults, flags, work) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(program).into(),
    }
}

fn supervised<S: Settings>(
    program: &'static str,
    defaults: &impl Serialize,
    flags: &ServiceFlags,
    work: impl FnOnce(S, &Context) -> Result<(), Failure>,
) -> Result<Exit, Failure> {
    let configuration = configure::<S>(defaults, flags)?;
    if flags.check_config {
        print(&configuration.effective().context("cannot show the settings")?);
        return Ok(Exit::Ok);
    }
    let settings = configuration.settings;
    let process = settings.process();
    start_logging(process.log).map_err(Failure::configuration)?;
    let shown = serde_json::to_string(&settings).context("cannot show the settings")?;
    info!(settings = shown, "{program} starts");

    let shutdown = Shutdown::new();
    stop_on_signals(program, shutdown.clone(), Exit::Ok).context("cannot receive signals")?;
    let limit = process.shutdown.limit();
    let _watchdog =
        Watchdog::start(program, shutdown.clone(), limit).context("cannot start the watchdog")?;
    let health = Health::new(shutdown.clone());
    let metrics = Metrics::new();
    let traces = Traces::start(program, process.telemetry).map_err(Failure::internal)?;
    metrics.watch(Arc::new(traces.clone()));
    let server = match process.health.listen {
        Some(address) => Some(serve(address, &health, &metrics)?),
        None => None,
    };

    let health_address = server.as_ref().map(HealthServer::address);
    let context = Context { shutdown: shutdown.clone(), health, metrics, traces, health_address };
    // What a panic says has been printed by the time it is caught; what counts here is the code.
    let done = catch_unwind(AssertUnwindSafe(|| work(settings, &context)))
        .unwrap_or_else(|_| Err(Failure::internal(anyhow!("stopped by a panic, see above"))));
    context.traces.shutdown();
    done?;
    info!("{program} ends");
    Ok(shutdown.exit())
}

/// Reads the configuration, and refuses all that can be known to be wrong without a broker.
fn configure<S: Settings>(
    defaults: &impl Serialize,
    flags: &ServiceFlags,
) -> Result<Configuration<S>, Failure> {
    let sources = Sources::of_process(&flags.flags);
    let configuration = load_part::<S>(defaults, &sources, &OF_THE_COMMAND_LINE);
    let configuration = configuration.map_err(Failure::configuration)?;
    configuration.settings.validate().map_err(Failure::configuration)?;
    let process = configuration.settings.process();
    check_logging(process.log).map_err(Failure::configuration)?;
    process.telemetry.validate().map_err(|problem| Failure::configuration(anyhow!(problem)))?;
    Ok(configuration)
}

fn serve(address: SocketAddr, health: &Health, metrics: &Metrics) -> Result<HealthServer, Failure> {
    let server = HealthServer::start(address, health.clone(), metrics.clone())
        .with_context(|| format!("cannot listen at `{address}`; set `health.listen` to another"))
        .map_err(Failure::configuration)?;
    info!(address = %server.address(), "health endpoints listen");
    Ok(server)
}
