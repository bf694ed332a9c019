mod copy;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use event_consumer::{EventConsumer, EventConsumerSettings, Side};
use lane::{LaneSettings, LaneStatus, ProducerClient, Stop};
use service::{Metrics, TelemetrySettings, Traces};
use status_sync::{StatusSync, StatusSyncSettings};

use super::load;
use super::measured::Measured;
use super::usage::Usage;

/// What the measured lanes do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Bind, as `rt-event-consumer` does.
    Bind,
    /// Bind, as `batch-event-consumer` does.
    BindBatch,
    /// Write the same outputs without looking at their input.
    Copy,
    /// Fold, as those of `status-sync` do.
    Fold,
}

impl Kind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::BindBatch => "bind-batch",
            Self::Copy => "copy",
            Self::Fold => "fold",
        }
    }

    const fn side(self) -> Side {
        match self {
            Self::BindBatch => Side::Batch,
            Self::Bind | Self::Copy | Self::Fold => Side::Rt,
        }
    }
}

/// Which client writes transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Client {
    /// librdkafka, by transactions v1.
    Librdkafka,
    /// Our own, by transactions v2.
    Native,
}

impl Client {
    pub(crate) fn of_lane(self) -> ProducerClient {
        match self {
            Self::Librdkafka => ProducerClient::Librdkafka,
            Self::Native => ProducerClient::Native,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        self.of_lane().as_str()
    }
}

/// What the measured lane tells of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Telemetry {
    /// Nothing but how many records it has answered.
    Off,
    /// Metrics as shipped, scraped once a second.
    Metrics,
    /// Those, and spans exported over OTLP.
    Traces,
}

impl Telemetry {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Metrics => "metrics",
            Self::Traces => "traces",
        }
    }
}

/// One measured process.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[arg(long)]
    bootstrap_servers: String,
    /// The broker's process id.
    #[arg(long)]
    broker: u32,
    #[arg(long)]
    prefix: String,
    #[arg(long)]
    partitions: i32,
    #[arg(long, value_enum)]
    kind: Kind,
    /// A consumer group nobody used before: everything is read again.
    #[arg(long)]
    group: String,
    /// Records to answer before it ends; 0: until it is killed.
    #[arg(long)]
    events: u64,
    #[arg(long, value_enum)]
    client: Client,
    #[arg(long, value_enum)]
    telemetry: Telemetry,
    /// Where spans go, if they do.
    #[arg(long)]
    otlp_endpoint: Option<String>,
    /// How long lanes linger, in ms; without it, the lanes as they are shipped.
    #[arg(long)]
    commit_ms: Option<u64>,
    #[arg(long)]
    lanes: u32,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    match arguments.kind {
        Kind::Bind | Kind::BindBatch => bind(arguments),
        Kind::Copy => copy(arguments),
        Kind::Fold => fold(arguments),
    }
}

fn bind(arguments: &Arguments) -> anyhow::Result<()> {
    let side = arguments.kind.side();
    let traces = Traces::start(side.name(), &telemetry(arguments))?;
    let consumer = EventConsumer::new(side, consumer_settings(arguments)).traced(&traces);
    let consumer = match arguments.telemetry {
        Telemetry::Off => consumer.without_detail(),
        Telemetry::Metrics | Telemetry::Traces => consumer,
    };
    let metrics = Metrics::new();
    consumer.lanes().for_each(|(name, status)| metrics.watch_lane(name, Arc::clone(status)));
    metrics.watch(consumer.metrics());
    let statuses: Vec<_> = consumer.lanes().map(|(_, status)| Arc::clone(status)).collect();
    let work = |stop: &Stop| consumer.run(stop).map_err(|failure| anyhow::anyhow!("{failure}"));
    watched(arguments, &statuses, &metrics, work)
}

fn copy(arguments: &Arguments) -> anyhow::Result<()> {
    let settings = consumer_settings(arguments);
    let statuses: Vec<_> = (0..arguments.lanes).map(|_| LaneStatus::new()).collect();
    let metrics = Metrics::new();
    watched(arguments, &statuses, &metrics, |stop| copy::run(&settings, &statuses, stop))
}

/// Status-sync with nothing to collect and nothing to announce.
fn fold(arguments: &Arguments) -> anyhow::Result<()> {
    let state = tempfile::tempdir()?;
    let sync = StatusSync::new(fold_settings(arguments, state.path()));
    let metrics = Metrics::new();
    sync.lanes().for_each(|(name, status)| metrics.watch_lane(name, Arc::clone(status)));
    let folding = sync.lanes().filter(|(name, _)| name.contains("-fold-"));
    let statuses: Vec<_> = folding.map(|(_, status)| Arc::clone(status)).collect();
    let work = |stop: &Stop| sync.run(stop).map_err(|failure| anyhow::anyhow!("{failure}"));
    watched(arguments, &statuses, &metrics, work)
}

fn lane_settings(arguments: &Arguments, shipped: LaneSettings) -> LaneSettings {
    let mut settings = match arguments.commit_ms {
        Some(linger_ms) => LaneSettings { linger_ms, ..LaneSettings::batch() },
        None => shipped,
    };
    settings.client = arguments.client.of_lane();
    settings
}

fn consumer_settings(arguments: &Arguments) -> EventConsumerSettings {
    let mut settings =
        EventConsumerSettings::new(arguments.kind.side(), &*arguments.bootstrap_servers);
    settings.topics = load::topics(&arguments.prefix, arguments.partitions);
    settings.group.clone_from(&arguments.group);
    settings.instance.clone_from(&arguments.group);
    settings.lanes = arguments.lanes;
    settings.lane = lane_settings(arguments, settings.lane);
    settings
}

fn fold_settings(arguments: &Arguments, state: &Path) -> StatusSyncSettings {
    let mut settings = StatusSyncSettings::new(&*arguments.bootstrap_servers);
    settings.topics = load::topics(&arguments.prefix, arguments.partitions);
    settings.group.clone_from(&arguments.group);
    settings.state_directory = state.to_owned();
    settings.fold_lanes = arguments.lanes;
    settings.announce_lanes = 0;
    settings.lane = lane_settings(arguments, settings.lane);
    settings
}

fn telemetry(arguments: &Arguments) -> TelemetrySettings {
    let mut settings = TelemetrySettings::default();
    settings.otlp.endpoint.clone_from(&arguments.otlp_endpoint);
    settings
}

/// Runs `work` until as many records are answered as asked for, and prints what that came to.
fn watched(
    arguments: &Arguments,
    statuses: &[Arc<LaneStatus>],
    metrics: &Metrics,
    work: impl FnOnce(&Stop) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let stop = Stop::new();
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(statuses, arguments, &stop));
        if arguments.telemetry != Telemetry::Off {
            scope.spawn(|| scrape(metrics, &stop));
        }
        let ran = work(&stop);
        stop.request();
        let measured = watcher.join().expect("the watcher does not panic")?;
        ran?;
        if let Some(measured) = measured {
            crate::print(&serde_json::to_string(&measured)?);
        }
        Ok(())
    })
}

/// Asks for the metrics as Prometheus does, only more often.
fn scrape(metrics: &Metrics, stop: &Stop) {
    while !stop.wait(Duration::from_secs(1)) {
        // The text is what costs; nobody reads it here.
        drop(metrics.text(0));
    }
}

/// Measures from the first commit to the last.
fn watch(
    statuses: &[Arc<LaneStatus>],
    arguments: &Arguments,
    stop: &Stop,
) -> anyhow::Result<Option<Measured>> {
    const LOOK: Duration = Duration::from_millis(5);
    let (own, broker) = (Usage::own(), Usage::of(arguments.broker));
    let records = || statuses.iter().map(|status| status.records()).sum::<u64>();
    let transactions =
        || statuses.iter().map(|status| status.transactions_committed()).sum::<u64>();
    while records() == 0 {
        if stop.wait(LOOK) {
            return Ok(None);
        }
    }
    let (records_before, transactions_before) = (records(), transactions());
    let (cpu, broker_cpu, started) = (own.cpu_seconds()?, broker.cpu_seconds()?, Instant::now());
    while arguments.events == 0 || records() < arguments.events {
        if stop.wait(LOOK) {
            return Ok(None);
        }
    }
    let measured = Measured {
        events: records() - records_before,
        cpu_seconds: own.cpu_seconds()? - cpu,
        broker_cpu_seconds: broker.cpu_seconds()? - broker_cpu,
        wall_seconds: started.elapsed().as_secs_f64(),
        transactions: Some(transactions() - transactions_before),
        peak_mib: own.peak_mib()?,
    };
    ensure_client(statuses, arguments.client)?;
    stop.request();
    Ok(Some(measured))
}

/// A lane that cannot use the native client falls back to the other; that would be a wrong figure.
fn ensure_client(statuses: &[Arc<LaneStatus>], wanted: Client) -> anyhow::Result<()> {
    let client = statuses.iter().find_map(|status| status.client()).context("no lane has begun")?;
    anyhow::ensure!(
        client == wanted.of_lane(),
        "`{}` writes, not `{}` as asked for",
        client.as_str(),
        wanted.name()
    );
    Ok(())
}
