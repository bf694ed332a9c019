use std::time::Duration;

use clap::Args;
use kafka::ClientSettings;

use super::engine::{Engine, Job, Run};
use super::load;
use super::open_loop::{Line, OpenLoop, Percentiles};
use super::report::{Column, Output, Table};
use super::rounds::{COLD_ROUNDS, in_rounds};
use super::streams::Mode;
use super::worker::Client;
use crate::kafka::OwnKafka;
use crate::print;

const PARTITIONS: i32 = 6;

/// From the intended time of an event to its assignment being visible under read_committed, open loop.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    generator: OpenLoop,
    /// Seconds measured.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// Rounds, each engine once in each.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// The clients that write, measured in turn.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    /// The references in Kafka Streams, built with Maven.
    #[arg(long, value_enum, value_delimiter = ',')]
    streams: Vec<Mode>,
    /// Milliseconds between the commits of Kafka Streams; 10 was found to be its best.
    #[arg(long, default_value_t = 10)]
    streams_commit_ms: u64,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let rate = arguments.generator.rate;
    print(&format!(
        "rt at {rate} events/s, {PARTITIONS} partitions, protobuf, {} s after {} s of warm-up, open \
         loop; ms from the intended time to visible under read_committed\n",
        arguments.seconds, arguments.generator.warm_up_seconds
    ));
    let engines = Engine::all(&arguments.client, &arguments.streams);
    let engines = std::iter::once(None).chain(engines.into_iter().map(Some));
    let measuring = in_rounds(engines, COLD_ROUNDS, arguments.repeats, |engine, round| {
        measure(arguments, &kafka, engine, round)
    })?;
    let mut table = Table::new(vec![
        Column::Text("engine"),
        Column::Figures("p50", 1),
        Column::Figures("p99", 1),
        Column::Figures("p50 / Streams'", 2),
        Column::Figures("p99 / Streams'", 2),
    ]);
    let streams = measuring.iter().find(|(engine, _)| matches!(engine, Some(Engine::Streams(_))));
    for (engine, runs) in &measuring {
        let of = |figure: fn(&Percentiles) -> f64| runs.iter().map(figure).collect::<Vec<_>>();
        // Pair by pair: of the same round.
        let against = |figure: fn(&Percentiles) -> f64| {
            let others = streams.into_iter().flat_map(|(_, runs)| runs).map(figure);
            of(figure).into_iter().zip(others).map(|(run, other)| run / other).collect::<Vec<_>>()
        };
        table.row(vec![
            name(*engine).into(),
            of(|run| run.p50).into(),
            of(|run| run.p99).into(),
            against(|run| run.p50).into(),
            against(|run| run.p99).into(),
        ]);
    }
    table.save(&arguments.output, &format!("latency-{rate}"))
}

fn name(engine: Option<Engine>) -> String {
    engine.map_or("none".into(), Engine::name)
}

fn measure(
    arguments: &Arguments,
    kafka: &OwnKafka,
    engine: Option<Engine>,
    repeat: usize,
) -> anyhow::Result<Percentiles> {
    let client = &ClientSettings::new(kafka.bootstrap_servers());
    let prefix = &format!("latency-{}-{repeat}-", name(engine));
    let topics = load::topics(prefix, PARTITIONS);
    kafka::apply(client, &topics.specs())?;
    load::publish_templates(client, &topics)?;
    let mut run = Run::new(kafka, prefix, PARTITIONS, Job::Bind);
    if matches!(engine, Some(Engine::Streams(_))) {
        run.commit_ms = Some(arguments.streams_commit_ms);
    }
    let _running = engine.map(|engine| run.start(engine)).transpose()?;
    let watched = match engine {
        None => &topics.rt_event.name,
        Some(_) => &topics.rt_assignment.name,
    };
    let topic = &topics.rt_event.name;
    let line = Line { client, topic, watched, partitions: PARTITIONS };
    let measured_from = Ok::<_, anyhow::Error>;
    let (latencies, from) = arguments.generator.drive(&line, arguments.seconds, measured_from)?;
    latencies.between(from, from + Duration::from_secs(arguments.seconds as u64))
}
