use clap::Args;
use kafka::ClientSettings;
use wire::Format;

use super::engine::{Engine, Job, Outcome, Run};
use super::load;
use super::measured::Measured;
use super::plot::{Line, Plot};
use super::report::{Cell, Column, Output, Spread, Table};
use super::rounds::{COLD_ROUNDS, in_rounds};
use super::streams::Mode;
use super::worker::Client;
use crate::print;

const PARTITIONS: i32 = 8;

/// Preloaded events through rt lanes, against a lane that only copies and against Kafka Streams.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events per run. Kafka Streams is measured over twice as many more, once it is warm.
    #[arg(long, default_value_t = 500_000)]
    events: usize,
    /// Rounds, each engine once in each, after one round that is not counted.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How the events are written.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["protobuf", "json"])]
    format: Vec<EventFormat>,
    /// Lanes in the process, and stream threads.
    #[arg(long, value_delimiter = ',', default_values_t = [1])]
    lanes: Vec<u32>,
    /// Milliseconds between commits. A lane commits sooner where its bounds on records and bytes are
    /// reached; 0 is as it is shipped: as soon as the last commit has ended.
    #[arg(long, value_delimiter = ',', default_values_t = [100])]
    commit_ms: Vec<u64>,
    /// The clients that write, each measured in every round; the lane that copies is written by
    /// librdkafka.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    /// The references in Kafka Streams, built with Maven.
    #[arg(long, value_enum, value_delimiter = ',')]
    streams: Vec<Mode>,
    #[command(flatten)]
    output: Output,
}

/// How events are written.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EventFormat {
    Protobuf,
    Json,
}

impl EventFormat {
    const fn name(self) -> &'static str {
        match self {
            Self::Protobuf => "protobuf",
            Self::Json => "JSON",
        }
    }

    const fn format(self) -> Format {
        match self {
            Self::Protobuf => Format::Protobuf,
            Self::Json => Format::Json,
        }
    }
}

/// One engine and its runs, in the order of the rounds.
type Measuring = (Engine, Vec<Outcome>);

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut engines = Engine::all(&arguments.client, &[]);
    // What is copied was written by a lane that bound, so the lane that copies comes after one.
    engines.push(Engine::Copy(Client::Librdkafka));
    engines.extend(Engine::all(&[], &arguments.streams));
    print(&format!(
        "{} events, {PARTITIONS} partitions, 6,400 templates; CPU from the first commit to the last\n",
        arguments.events
    ));
    let mut table = Table::new(vec![
        Column::Text("format"),
        Column::Text("lanes"),
        Column::Text("commit ms"),
        Column::Text("engine"),
        Column::Figures("CPU µs/event", 2),
        Column::Figures("events/s", 0),
        Column::Figures("broker CPU µs/event", 2),
        Column::Figures("peak MiB", 0),
        Column::Figures("events/transaction", 0),
        Column::Figures("events per CPU-second / copy's", 2),
        Column::Figures("… / tuned Streams', warm", 2),
        Column::Figures("broker CPU / copy's", 2),
    ]);
    for format in &arguments.format {
        // A broker for each format: what the runs write would fill a disk.
        let kafka = crate::kafka::start_own()?;
        let client = ClientSettings::new(kafka.bootstrap_servers());
        let prefix = format!("drain-{}-", format.name().to_lowercase());
        let topics = load::topics(&prefix, PARTITIONS);
        kafka::apply(&client, &topics.specs())?;
        load::publish_templates(&client, &topics)?;
        let n = arguments.events * Run::loads(&engines);
        load::preload(&client, &topics.rt_event.name, n, format.format())?;
        for lanes in &arguments.lanes {
            let mut lines: Vec<Line> = Vec::new();
            for commit_ms in &arguments.commit_ms {
                let run = Run {
                    commit_ms: Some(*commit_ms).filter(|ms| *ms > 0),
                    lanes: *lanes,
                    ..Run::new(&kafka, &prefix, PARTITIONS, Job::Bind)
                };
                let engines = engines.iter().copied();
                let measuring =
                    in_rounds(engines, COLD_ROUNDS, arguments.repeats, |engine, round| {
                        let group =
                            format!("{prefix}{}-{commit_ms}-{lanes}-{round}", engine.name());
                        Run { group: &group, ..run }.measure(engine, arguments.events)
                    })?;
                let head = [format.name().into(), lanes.to_string(), commit_ms.to_string()];
                add_rows(&mut table, &head, &measuring);
                add_points(&mut lines, *commit_ms, &measuring);
            }
            let plot = Plot {
                title: format!("Drain, {}, {lanes} lane(s)", format.name()),
                across: "ms between commits",
                up: "CPU µs/event",
                lines,
            };
            plot.save(
                &arguments.output,
                &format!("drain-{}-{lanes}", format.name().to_lowercase()),
            )?;
        }
    }
    table.save(&arguments.output, "drain")
}

fn add_rows(table: &mut Table, head: &[String; 3], measuring: &[Measuring]) {
    let of = |engine| measuring.iter().find(|(one, _)| *one == engine);
    let copy = of(Engine::Copy(Client::Librdkafka));
    let streams = of(Engine::Streams(Mode::Tuned));
    for (engine, outcomes) in measuring {
        for (name, runs) in Outcome::parts(&engine.name(), outcomes) {
            table.row(row(head, name, &runs, copy, streams));
        }
    }
}

fn row(
    head: &[String; 3],
    name: String,
    runs: &[Measured],
    copy: Option<&Measuring>,
    streams: Option<&Measuring>,
) -> Vec<Cell> {
    let figures =
        |figure: fn(&Measured) -> f64| Cell::from(runs.iter().map(figure).collect::<Vec<_>>());
    // Pair by pair: of the same round, or the noise of two is in the ratio.
    let against = |other: Option<&Measuring>, ratio: fn(&Measured, &Measured) -> f64| {
        let others = other.into_iter().flat_map(|(_, outcomes)| outcomes);
        Cell::from(
            runs.iter().zip(others).map(|(run, other)| ratio(run, &other.warm)).collect::<Vec<_>>(),
        )
    };
    let per_cpu = |run: &Measured, other: &Measured| other.cpu_micros() / run.cpu_micros();
    let broker = |run: &Measured, other: &Measured| run.broker_micros() / other.broker_micros();
    let mut cells: Vec<Cell> = head.iter().cloned().map(Cell::from).collect();
    cells.extend([
        name.into(),
        figures(Measured::cpu_micros),
        figures(Measured::rate),
        figures(Measured::broker_micros),
        figures(|run| run.peak_mib),
        runs.iter().filter_map(Measured::per_transaction).collect::<Vec<_>>().into(),
        against(copy, per_cpu),
        against(streams, per_cpu),
        against(copy, broker),
    ]);
    cells
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds between commits are few")]
fn add_points(lines: &mut Vec<Line>, commit_ms: u64, measuring: &[Measuring]) {
    for (engine, outcomes) in measuring {
        let figures = outcomes.iter().map(|outcome| outcome.warm.cpu_micros()).collect();
        let Some(Spread { median, .. }) = Spread::of(figures) else { continue };
        let name = engine.name();
        let point = (commit_ms as f64, median);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    }
}
