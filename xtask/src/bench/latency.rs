use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use kafka::{ClientSettings, NextOffset, ReadEvent, Reader, Sender};
use wire::Format;

use super::load;
use super::report::{Spread, WorkerRun, percentile};
use super::worker::{Client, Kind, Telemetry};
use crate::print;

const PARTITIONS: i32 = 6;

/// From the intended time of an event to its assignment being visible under read_committed, open loop.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events per second.
    #[arg(long, default_value_t = 1_000)]
    rate: usize,
    /// Seconds measured, after five that are not.
    #[arg(long, default_value_t = 20)]
    seconds: usize,
    /// Runs.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// The generator's own `linger.ms`; at 5,000 events/s 0 makes the generator the bottleneck.
    #[arg(long, default_value_t = 0)]
    generator_linger_ms: u64,
    /// The clients that write, measured in turn.
    #[arg(long, value_enum, default_values = ["librdkafka"])]
    client: Vec<Client>,
}

/// p50 and p99 of one run, in ms.
struct Percentiles {
    p50: f64,
    p99: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    print(&format!(
        "rt at {} events/s, {PARTITIONS} partitions, protobuf, {} s after 5 s of warm-up, open loop; \
         ms from the intended time to visible under read_committed\n",
        arguments.rate, arguments.seconds
    ));
    print("| what | p50 (min, median, max) | p99 (min, median, max) |");
    print("|---|---|---|");
    let engines = arguments.client.iter().map(|client| Some(*client));
    let mut engines: Vec<_> =
        std::iter::once(None).chain(engines).map(|one| (one, Vec::new(), Vec::new())).collect();
    // One after the other in each round: what the machine does meanwhile is the same for all.
    for repeat in 0..arguments.repeats {
        for (client, p50, p99) in &mut engines {
            let prefix = format!("latency-{}-{repeat}-", client.map_or("floor", Client::name));
            let percentiles = measure(arguments, kafka.bootstrap_servers(), &prefix, *client)?;
            p50.push(percentiles.p50);
            p99.push(percentiles.p99);
        }
    }
    for (client, p50, p99) in engines {
        let name =
            client.map_or("no engine".into(), |one| format!("rt-event-consumer, {}", one.name()));
        if let (Some(p50), Some(p99)) = (Spread::of(p50), Spread::of(p99)) {
            print(&format!(
                "| {name} | {:.1}, **{:.1}**, {:.1} | {:.1}, **{:.1}**, {:.1} |",
                p50.min, p50.median, p50.max, p99.min, p99.median, p99.max
            ));
        }
    }
    Ok(())
}

fn measure(
    arguments: &Arguments,
    bootstrap_servers: &str,
    prefix: &str,
    client_of_lane: Option<Client>,
) -> anyhow::Result<Percentiles> {
    let client = ClientSettings::new(bootstrap_servers);
    let topics = load::topics(prefix, PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    load::publish_templates(&client, &topics)?;
    let mut engine = match client_of_lane {
        None => None,
        Some(client) => {
            let run = WorkerRun {
                bootstrap_servers,
                prefix,
                partitions: PARTITIONS,
                kind: Kind::Bind,
                client,
                group: prefix,
                events: 0,
                linger_ms: None,
                telemetry: Telemetry::Metrics,
                otlp_endpoint: None,
            };
            Some(run.command()?.spawn()?)
        }
    };
    let watched = match client_of_lane {
        None => &topics.rt_event.name,
        Some(_) => &topics.rt_assignment.name,
    };
    let measured = drive(arguments, &client, &topics.rt_event.name, watched);
    if let Some(engine) = &mut engine {
        engine.kill()?;
        engine.wait()?;
    }
    measured
}

/// Sends at the intended times, and reads what becomes visible in `watched` on a thread of its own.
fn drive(
    arguments: &Arguments,
    client: &ClientSettings,
    topic: &str,
    watched: &str,
) -> anyhow::Result<Percentiles> {
    let n_warm_up = arguments.rate * 5;
    let n = n_warm_up + arguments.rate * arguments.seconds;
    let interval = Duration::from_secs(1) / u32::try_from(arguments.rate)?;
    let positions: Vec<_> = (0..PARTITIONS).map(|one| (one, NextOffset::START)).collect();
    let linger = arguments.generator_linger_ms.to_string();
    let sender = Sender::new(client, &[("linger.ms", &linger)])?;
    prime(&sender, client, topic, watched, &positions)?;
    let events: Vec<_> = (0..n).map(|number| load::event(number, Format::Protobuf)).collect();
    let sent = Arc::new(AtomicUsize::new(0));
    let started = Instant::now() + Duration::from_millis(200);
    let intended = |number: usize| started + interval * u32::try_from(number).unwrap_or(u32::MAX);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| read(client, watched, &positions, n, &intended));
        for (number, value) in events.iter().enumerate() {
            let wait = intended(number).saturating_duration_since(Instant::now());
            if !wait.is_zero() {
                std::thread::park_timeout(wait);
            }
            let key = format!("customer-{}", number % 1000);
            let headers = [("content-type", b"application/protobuf".as_slice())];
            sender.send(topic, None, Some(key.as_bytes()), Some(value), &headers)?;
            sent.store(number, Ordering::Relaxed);
        }
        let mut latencies = reading.join().expect("the reader does not panic")?;
        let mut measured: Vec<f64> = latencies.split_off(n_warm_up).into_iter().flatten().collect();
        measured.sort_by(f64::total_cmp);
        anyhow::ensure!(!measured.is_empty(), "nothing became visible in `{watched}`");
        Ok(Percentiles { p50: percentile(&measured, 50), p99: percentile(&measured, 99) })
    })
}

/// Sends one event and waits until it is through, so that no start-up is measured.
fn prime(
    sender: &Sender,
    client: &ClientSettings,
    topic: &str,
    watched: &str,
    positions: &[(i32, NextOffset)],
) -> anyhow::Result<()> {
    let value = load::event(1_000_000_000, Format::Protobuf);
    let headers = [("content-type", b"application/protobuf".as_slice())];
    sender.send(topic, None, Some(b"prime"), Some(&value), &headers)?;
    let reader = Reader::open(client, watched, positions)?;
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        if let Some(ReadEvent::Record(_)) = reader.poll(Duration::from_millis(100))? {
            return Ok(());
        }
    }
    anyhow::bail!("nothing came through to `{watched}` within 60 s")
}

/// The latency of each event that becomes visible, in ms, by its number.
fn read(
    client: &ClientSettings,
    topic: &str,
    positions: &[(i32, NextOffset)],
    n: usize,
    intended: &(impl Fn(usize) -> Instant + Sync),
) -> anyhow::Result<Vec<Option<f64>>> {
    let low_latency = [("fetch.wait.max.ms", "500"), ("fetch.min.bytes", "1")];
    let reader = Reader::open_with(client, topic, positions, &low_latency)?;
    let mut latencies = vec![None; n];
    let mut n_seen = 0;
    // One event in a thousand has no template and never becomes an assignment.
    let n_expected = n - n / 1000;
    let mut quiet_since = Instant::now();
    while n_seen < n_expected && quiet_since.elapsed() < Duration::from_secs(15) {
        let Some(ReadEvent::Record(record)) = reader.poll(Duration::from_millis(100))? else {
            continue;
        };
        let now = Instant::now();
        quiet_since = now;
        let value = record.value().context("a record without a value")?;
        let Some(number) = number_in(value).filter(|number| *number < n) else { continue };
        n_seen += 1;
        latencies[number] =
            Some(now.saturating_duration_since(intended(number)).as_secs_f64() * 1e3);
    }
    Ok(latencies)
}

/// The number in the first event id that stands in `value`, whatever the format.
fn number_in(value: &[u8]) -> Option<usize> {
    let start = value.windows(4).position(|window| window == b"evt-")? + 4;
    std::str::from_utf8(value.get(start..start + 12)?).ok()?.parse().ok()
}
