use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use event_consumer::{EventConsumer, EventConsumerSettings, Outputs, Side};
use kafka::{NextOffset, Reader, Topics};
use lane::{
    Batch, Handler, LaneSettings, LaneSpec, LaneStatus, OffsetReset, Outbox, ProducerClient, Stop,
    Subscription, TopicId, run_lanes,
};
use serde::{Deserialize, Serialize};
use service::{Metrics, TelemetrySettings, Traces};

use super::{load, usage};

/// What the measured lane does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Binds, as `rt-event-consumer` does.
    Bind,
    /// Writes the same outputs without looking at its input.
    Copy,
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
    fn of_lane(self) -> ProducerClient {
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

/// One measured process.
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[arg(long)]
    pub(crate) bootstrap_servers: String,
    #[arg(long)]
    pub(crate) prefix: String,
    #[arg(long)]
    pub(crate) partitions: i32,
    #[arg(long, value_enum)]
    pub(crate) kind: Kind,
    /// A consumer group nobody used before: everything is read again.
    #[arg(long)]
    pub(crate) group: String,
    /// Events to answer before it ends; 0: until it is killed.
    #[arg(long)]
    pub(crate) events: u64,
    /// Which client writes.
    #[arg(long, value_enum, default_value = "librdkafka")]
    pub(crate) client: Client,
    /// What the lane tells of itself.
    #[arg(long, value_enum, default_value = "metrics")]
    pub(crate) telemetry: Telemetry,
    /// Where spans go, if they do.
    #[arg(long)]
    pub(crate) otlp_endpoint: Option<String>,
    /// The lane's linger, in ms; without it the rt lane's own.
    #[arg(long)]
    pub(crate) linger_ms: Option<u64>,
}

/// What one process came to, as it prints it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) events: u64,
    pub(crate) cpu_seconds: f64,
    pub(crate) wall_seconds: f64,
    pub(crate) transactions: u64,
    pub(crate) peak_mib: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut settings = EventConsumerSettings::new(Side::Rt, &*arguments.bootstrap_servers);
    settings.topics = load::topics(&arguments.prefix, arguments.partitions);
    settings.group.clone_from(&arguments.group);
    settings.instance.clone_from(&arguments.group);
    if let Some(linger_ms) = arguments.linger_ms {
        settings.lane = LaneSettings { linger_ms, ..LaneSettings::batch() };
    }
    settings.lane.client = arguments.client.of_lane();
    let stop = Stop::new();
    let traces = Traces::start("rt-event-consumer", &telemetry(arguments))?;
    let consumer = EventConsumer::new(Side::Rt, settings.clone()).traced(&traces);
    let consumer = match arguments.telemetry {
        Telemetry::Off => consumer.without_detail(),
        Telemetry::Metrics | Telemetry::Traces => consumer,
    };
    let metrics = Metrics::new();
    consumer.lanes().for_each(|(name, status)| metrics.watch_lane(name, Arc::clone(status)));
    metrics.watch(consumer.metrics());
    let status = match arguments.kind {
        Kind::Bind => consumer.lanes().map(|(_, status)| Arc::clone(status)).next(),
        Kind::Copy => Some(LaneStatus::new()),
    };
    let status = status.context("an event consumer has at least one lane")?;
    std::thread::scope(|scope| {
        let watched = Arc::clone(&status);
        let watcher = scope.spawn(|| {
            let watched = watched;
            watch(&watched, arguments.events, &stop)
        });
        if arguments.telemetry != Telemetry::Off {
            scope.spawn(|| scrape(&metrics, &stop));
        }
        let ran = match arguments.kind {
            Kind::Bind => consumer.run(&stop).map_err(|failure| anyhow::anyhow!("{failure}")),
            Kind::Copy => copy(&settings, status, &stop),
        };
        stop.request();
        let measured = watcher.join().expect("the watcher does not panic")?;
        ran?;
        if let Some(measured) = measured {
            crate::print(&serde_json::to_string(&measured)?);
        }
        Ok(())
    })
}

fn telemetry(arguments: &Arguments) -> TelemetrySettings {
    let mut settings = TelemetrySettings::default();
    settings.otlp.endpoint.clone_from(&arguments.otlp_endpoint);
    settings
}

/// Asks for the metrics as Prometheus does, only more often.
fn scrape(metrics: &Metrics, stop: &Stop) {
    while !stop.wait(Duration::from_secs(1)) {
        // The text is what costs; nobody reads it here.
        drop(metrics.text(0));
    }
}

/// Measures from the first commit to the last.
fn watch(status: &LaneStatus, events: u64, stop: &Stop) -> anyhow::Result<Option<Measured>> {
    const LOOK: Duration = Duration::from_millis(5);
    while status.records() == 0 {
        if stop.wait(LOOK) {
            return Ok(None);
        }
    }
    let (before, cpu, started) = (status.records(), usage::cpu_seconds()?, Instant::now());
    while events == 0 || status.records() < events {
        if stop.wait(LOOK) {
            return Ok(None);
        }
    }
    let client = status.client().map_or("none", ProducerClient::as_str);
    crate::report(&format!("written by {client}"));
    let measured = Measured {
        events: status.records() - before,
        cpu_seconds: usage::cpu_seconds()? - cpu,
        wall_seconds: started.elapsed().as_secs_f64(),
        transactions: status.transactions_committed(),
        peak_mib: usage::peak_mib()?,
    };
    stop.request();
    Ok(Some(measured))
}

fn copy(
    settings: &EventConsumerSettings,
    status: Arc<LaneStatus>,
    stop: &Stop,
) -> anyhow::Result<()> {
    let handler = Copy {
        assignment: sample(settings, &settings.topics.rt_assignment.name)?,
        fact: sample(settings, &settings.topics.event_journal.name)?,
    };
    let lane = LaneSpec {
        name: format!("{}-copy", settings.group),
        client: settings.kafka.clone(),
        settings: settings.lane.clone(),
        subscription: Subscription {
            group: settings.group.clone(),
            topics: vec![settings.topics.rt_event.name.clone()],
            offset_reset: OffsetReset::Earliest,
        },
        outputs: Outputs::of(Side::Rt, &settings.topics).topics(),
        handler,
        status,
    };
    Ok(run_lanes(vec![lane], stop)?)
}

/// What one record of the real thing looks like.
struct Sample {
    value: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
}

/// The first record of `topic`, written by an earlier run that bound.
fn sample(settings: &EventConsumerSettings, topic: &str) -> anyhow::Result<Sample> {
    let partitions = partitions_of(&settings.topics, topic);
    let positions: Vec<_> = (0..partitions).map(|one| (one, NextOffset::START)).collect();
    let reader = Reader::open(&settings.kafka, topic, &positions)?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(kafka::ReadEvent::Record(record)) = reader.poll(Duration::from_millis(100))? {
            let owned = |(name, value): (&str, Option<&[u8]>)| {
                (&*name.to_owned().leak(), value.unwrap_or_default().to_vec())
            };
            return Ok(Sample {
                value: record.value().context("a sample without a value")?.to_vec(),
                headers: record.headers().map(owned).collect(),
            });
        }
    }
    anyhow::bail!("topic `{topic}` holds nothing to copy; run `bind` first")
}

fn partitions_of(topics: &Topics, name: &str) -> i32 {
    let of_name = topics.all().into_iter().find(|spec| spec.name == name);
    of_name.map_or(1, |spec| spec.partitions)
}

/// Writes for each record what binding writes, byte for byte the same sizes, without decoding.
struct Copy {
    assignment: Sample,
    fact: Sample,
}

impl Handler for Copy {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        for record in batch.records() {
            let key = record.key.unwrap_or_default();
            for (topic, sample) in [(TopicId(0), &self.assignment), (TopicId(1), &self.fact)] {
                let headers = sample.headers.iter();
                outbox
                    .record(topic)
                    .key(key)
                    .headers(headers.map(|(name, value)| (*name, value.as_slice())))
                    .value(|value| value.extend_from_slice(&sample.value))
                    .expect("a sample was written once already");
            }
        }
        Ok(())
    }
}
