use clap::Args;
use kafka::ClientSettings;

use super::engine::{Engine, Job, Outcome, Run};
use super::measured::Measured;
use super::report::{Cell, Column, Output, Table};
use super::rounds::{COLD_ROUNDS, in_rounds};
use super::streams::Mode;
use super::worker::Client;
use super::{facts, load};
use crate::print;

const PARTITIONS: i32 = 8;
const PREFIX: &str = "status-sync-";

/// Preloaded facts through one folding lane, against the same in Kafka Streams (an aggregated KTable).
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events per run, with three facts each. Kafka Streams is measured over twice as many more.
    #[arg(long, default_value_t = 200_000)]
    events: usize,
    /// Events whose facts lie between two facts of the same event.
    #[arg(long, default_value_t = 10_000)]
    between: usize,
    /// Rounds, each engine once in each, after one round that is not counted.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Milliseconds between commits.
    #[arg(long, default_value_t = 100)]
    commit_ms: u64,
    /// The clients that write.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    /// The references in Kafka Streams, built with Maven.
    #[arg(long, value_enum, value_delimiter = ',')]
    streams: Vec<Mode>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let engines = Engine::all(&arguments.client, &arguments.streams);
    let topics = load::topics(PREFIX, PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    let n_events = arguments.events * Run::loads(&engines);
    facts::preload(&client, &topics.event_journal.name, n_events, arguments.between)?;
    let n_facts = arguments.events * facts::PER_EVENT;
    print(&format!(
        "{n_facts} facts of {} events, {PARTITIONS} partitions, commit {} ms; CPU from the first commit \
         to the last\n",
        arguments.events, arguments.commit_ms
    ));
    let measuring = in_rounds(engines, COLD_ROUNDS, arguments.repeats, |engine, round| {
        let group = format!("{PREFIX}{}-{round}", engine.name());
        let commit_ms = Some(arguments.commit_ms);
        let run =
            Run { group: &group, commit_ms, ..Run::new(&kafka, PREFIX, PARTITIONS, Job::Fold) };
        run.measure(engine, n_facts)
    })?;
    let mut table = Table::new(vec![
        Column::Text("engine"),
        Column::Figures("CPU µs/fact", 2),
        Column::Figures("facts/s", 0),
        Column::Figures("broker CPU µs/fact", 2),
        Column::Figures("peak MiB", 0),
        Column::Figures("facts per CPU-second / tuned Streams', warm", 2),
    ]);
    let tuned = measuring.iter().find(|(engine, _)| *engine == Engine::Streams(Mode::Tuned));
    let tuned: Vec<_> = tuned.into_iter().flat_map(|(_, outcomes)| outcomes).collect();
    for (engine, outcomes) in &measuring {
        for (name, runs) in Outcome::parts(&engine.name(), outcomes) {
            table.row(row(name, &runs, &tuned));
        }
    }
    table.save(&arguments.output, "status-sync")
}

fn row(name: String, runs: &[Measured], tuned: &[&Outcome]) -> Vec<Cell> {
    let of = |figure: fn(&Measured) -> f64| runs.iter().map(figure).collect::<Vec<_>>().into();
    let ratio = |(run, other): (&Measured, &&Outcome)| other.warm.cpu_micros() / run.cpu_micros();
    vec![
        name.into(),
        of(Measured::cpu_micros),
        of(Measured::rate),
        of(Measured::broker_micros),
        of(|run| run.peak_mib),
        runs.iter().zip(tuned).map(ratio).collect::<Vec<_>>().into(),
    ]
}
