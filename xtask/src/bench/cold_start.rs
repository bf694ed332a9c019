use std::time::{Duration, Instant};

use clap::Args;
use kafka::{ClientSettings, NextOffset, ReadEvent, Reader, Topics};
use wire::Format;

use super::engine::{Engine, Job, Run};
use super::load::{self, TemplatePublisher};
use super::report::{Column, Output, Table};
use super::rounds::in_rounds;
use super::shipped::{Place, Service};
use super::streams::Mode;
use super::usage::Usage;
use super::worker::Client;
use crate::kafka::OwnKafka;
use crate::print;

const PARTITIONS: i32 = 6;
const PREFIX: &str = "cold-start-";
/// How long a start may take before it counts as failed.
const LIMIT: Duration = Duration::from_secs(120);

/// From the start of the process of rt-event-consumer to the first assignment that is committed, with an
/// event waiting.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Templates: 32 for each event type, rounded down.
    #[arg(long, default_value_t = 100_000)]
    templates: usize,
    /// Rounds, each engine started once in each.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// The clients that write.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    /// The references in Kafka Streams, built with Maven.
    #[arg(long, value_enum, value_delimiter = ',')]
    streams: Vec<Mode>,
    #[command(flatten)]
    output: Output,
}

/// One start.
struct Start {
    seconds: f64,
    peak_mib: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let topics = load::topics(PREFIX, PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    let mut publisher = TemplatePublisher::connect(&client, &topics)?;
    let (n_templates, bytes) = publisher.publish_all(arguments.templates)?;
    load::preload(&client, &topics.rt_event.name, 1, Format::Protobuf)?;
    print(&format!(
        "{n_templates} templates of {} kB; from the start of the process to its first committed output\n",
        bytes / 1000
    ));
    // Built before anything is measured.
    testkit::binary(Service::Rt.name());
    let engines = Engine::all(&arguments.client, &arguments.streams);
    let measuring = in_rounds(engines, 0, arguments.repeats, |engine, round| {
        start(&kafka, &topics, engine, round)
    })?;
    let mut table = Table::new(vec![
        Column::Text("engine"),
        Column::Figures("seconds", 2),
        Column::Figures("peak MiB", 0),
    ]);
    for (engine, starts) in measuring {
        let of = |figure: fn(&Start) -> f64| starts.iter().map(figure).collect::<Vec<_>>().into();
        table.row(vec![engine.name().into(), of(|one| one.seconds), of(|one| one.peak_mib)]);
    }
    table.save(&arguments.output, "cold-start")
}

/// Starts `engine` in a group of its own, which therefore answers the waiting event once more.
fn start(
    kafka: &OwnKafka,
    topics: &Topics,
    engine: Engine,
    repeat: usize,
) -> anyhow::Result<Start> {
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let group = &format!("{}-{repeat}", engine.name());
    let reader = at_end(&client, &topics.rt_assignment.name)?;
    let folder = tempfile::tempdir()?;
    let place = Place {
        bootstrap_servers: kafka.bootstrap_servers(),
        topics,
        client: Client::Librdkafka,
        group,
        folder: folder.path(),
    };
    match engine {
        Engine::Bindery(client) => {
            let place = Place { client, ..place };
            let started = Instant::now();
            let process = Service::Rt.start(&place)?;
            until_committed(&reader, started, process.id())
        }
        Engine::Copy(_) | Engine::Streams(_) => {
            let run = Run { group, ..Run::new(kafka, PREFIX, PARTITIONS, Job::Bind) };
            run.prepare(engine)?;
            let started = Instant::now();
            let running = run.start(engine)?;
            until_committed(&reader, started, running.id())
        }
    }
}

/// A reader of what comes from now on.
fn at_end(client: &ClientSettings, topic: &str) -> anyhow::Result<Reader> {
    let positions: Vec<_> = (0..PARTITIONS).map(|one| (one, NextOffset::START)).collect();
    let reader = Reader::open(client, topic, &positions)?;
    let mut n_ends = 0;
    while n_ends < PARTITIONS {
        if let Some(ReadEvent::End(_)) = reader.poll(Duration::from_millis(100))? {
            n_ends += 1;
        }
    }
    Ok(reader)
}

fn until_committed(reader: &Reader, started: Instant, process: u32) -> anyhow::Result<Start> {
    while started.elapsed() < LIMIT {
        if let Some(ReadEvent::Record(_)) = reader.poll(Duration::from_millis(10))? {
            let seconds = started.elapsed().as_secs_f64();
            return Ok(Start { seconds, peak_mib: Usage::of(process).peak_mib()? });
        }
    }
    anyhow::bail!("nothing was committed within {LIMIT:?}")
}
