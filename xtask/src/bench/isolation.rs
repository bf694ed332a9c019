use std::time::{Duration, Instant};

use clap::Args;
use kafka::ClientSettings;
use wire::Format;

use super::engine::{Engine, Job, Run};
use super::load;
use super::observed::Progress;
use super::open_loop::{Line, OpenLoop, Percentiles};
use super::report::{Column, Output, Table};
use super::rounds::{COLD_ROUNDS, in_rounds};
use super::worker::Client;
use crate::kafka::OwnKafka;
use crate::print;

const RT_PARTITIONS: i32 = 6;
const BATCH_PARTITIONS: i32 = 8;
const BATCH_PREFIX: &str = "isolation-batch-";

/// Latency of real-time events while the batch side drains a backlog on the same broker, against that
/// while it is idle.
#[derive(Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    generator: OpenLoop,
    /// Events in the backlog.
    #[arg(long, default_value_t = 2_000_000)]
    backlog: usize,
    /// Seconds measured before the batch side starts.
    #[arg(long, default_value_t = 10)]
    idle_seconds: u64,
    /// Seconds after that; what is left of the backlog then is drained unmeasured.
    #[arg(long, default_value_t = 20)]
    busy_seconds_max: u64,
    /// Rounds, each client once in each.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// The clients that write, on both sides.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    #[command(flatten)]
    output: Output,
}

/// One run: before the batch side started, and while it drained.
struct Isolation {
    idle: Percentiles,
    busy: Percentiles,
    /// Events that the batch side drained in a second of the time measured.
    batch_rate: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let topics = load::topics(BATCH_PREFIX, BATCH_PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    load::publish_templates(&client, &topics)?;
    load::preload(&client, &topics.batch_event.name, arguments.backlog, Format::Protobuf)?;
    print(&format!(
        "rt at {} events/s, protobuf, idle and while batch drains {} events on the same broker; ms\n",
        arguments.generator.rate, arguments.backlog
    ));
    let clients = arguments.client.iter().copied();
    let runs = in_rounds(clients, COLD_ROUNDS, arguments.repeats, |client, round| {
        measure(arguments, &kafka, client, round)
    })?;
    let mut table = Table::new(vec![
        Column::Text("client"),
        Column::Figures("idle p50", 1),
        Column::Figures("idle p99", 1),
        Column::Figures("draining p50", 1),
        Column::Figures("draining p99", 1),
        Column::Figures("p99 draining / idle", 2),
        Column::Figures("batch events/s", 0),
    ]);
    for (client, runs) in runs {
        let of = |figure: fn(&Isolation) -> f64| runs.iter().map(figure).collect::<Vec<_>>().into();
        table.row(vec![
            client.name().into(),
            of(|run| run.idle.p50),
            of(|run| run.idle.p99),
            of(|run| run.busy.p50),
            of(|run| run.busy.p99),
            of(|run| run.busy.p99 / run.idle.p99),
            of(|run| run.batch_rate),
        ]);
    }
    table.save(&arguments.output, "isolation")
}

fn measure(
    arguments: &Arguments,
    kafka: &OwnKafka,
    client_of_lane: Client,
    repeat: usize,
) -> anyhow::Result<Isolation> {
    let client = &ClientSettings::new(kafka.bootstrap_servers());
    let engine = Engine::Bindery(client_of_lane);
    let prefix = &format!("isolation-{}-{repeat}-", client_of_lane.name());
    let topics = load::topics(prefix, RT_PARTITIONS);
    kafka::apply(client, &topics.specs())?;
    load::publish_templates(client, &topics)?;
    let _rt = Run::new(kafka, prefix, RT_PARTITIONS, Job::Bind).start(engine)?;
    let line = Line {
        client,
        topic: &topics.rt_event.name,
        watched: &topics.rt_assignment.name,
        partitions: RT_PARTITIONS,
    };
    // In the group of the real-time side it would be a second member of it, by the same transactional id.
    let group = &format!("{prefix}{BATCH_PREFIX}");
    let batch = Run { group, ..Run::new(kafka, BATCH_PREFIX, BATCH_PARTITIONS, Job::BindBatch) };
    let topic = format!("{BATCH_PREFIX}batch-event");
    let progress = Progress::of(client, group, &topic, BATCH_PARTITIONS)?;
    let busy_max = Duration::from_secs(arguments.busy_seconds_max);
    let drain = |measured_from: Instant| {
        let started = measured_from + Duration::from_secs(arguments.idle_seconds);
        std::thread::park_timeout(started.saturating_duration_since(Instant::now()));
        let _batch = batch.start(engine)?;
        let before = progress.wait_for(1)?;
        let begun = Instant::now();
        let end = started + busy_max;
        let mut committed = before;
        while committed < arguments.backlog as u64 && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(20));
            committed = progress.committed()?;
        }
        Ok((measured_from, started, begun, Instant::now(), committed - before))
    };
    let seconds = usize::try_from(arguments.idle_seconds + arguments.busy_seconds_max)?;
    let (latencies, times) = arguments.generator.drive(&line, seconds, drain)?;
    let (measured_from, started, begun, ended, drained) = times;
    Ok(Isolation {
        idle: latencies.between(measured_from, started)?,
        busy: latencies.between(begun, ended)?,
        batch_rate: rate(drained, ended - begun),
    })
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn rate(events: u64, within: Duration) -> f64 {
    events as f64 / within.as_secs_f64()
}
