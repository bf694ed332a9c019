use clap::Args;
use kafka::ClientSettings;
use wire::Format;

use super::load;
use super::report::{Spread, WorkerRun};
use super::worker::{Client, Kind, Measured, Telemetry};
use crate::print;

const PARTITIONS: i32 = 8;

/// Preloaded events through one rt lane, against a lane that only copies.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events per format.
    #[arg(long, default_value_t = 500_000)]
    events: usize,
    /// Pairs of runs per format, after one that is not counted.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Let the lane linger so many ms and take larger batches; without it, the rt lane as it is.
    #[arg(long)]
    linger_ms: Option<u64>,
    /// The clients that write, each measured in every round; the lane that copies is written by the
    /// first.
    #[arg(long, value_enum, default_values = ["librdkafka"])]
    client: Vec<Client>,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    print(&format!(
        "{} events, 8 partitions, 6,400 templates, one rt lane; \
         CPU of the whole process from its first commit to its last\n",
        arguments.events
    ));
    print("| format | lane | CPU µs/event (min, median, max) | events/s | peak MiB |");
    print("|---|---|---|---|---|");
    for format in [Format::Protobuf, Format::Json] {
        let name = match format {
            Format::Protobuf => "protobuf",
            Format::Json => "JSON",
        };
        let prefix = format!("drain-{}-", name.to_lowercase());
        let topics = load::topics(&prefix, PARTITIONS);
        kafka::apply(&client, &topics.specs())?;
        load::publish_templates(&client, &topics)?;
        load::preload(&client, &topics.rt_event.name, arguments.events, format)?;
        let mut copied = Vec::new();
        let mut bound: Vec<_> = arguments.client.iter().map(|_| (Vec::new(), Vec::new())).collect();
        for repeat in 0..=arguments.repeats {
            let measure = |kind, client, group: &str| {
                WorkerRun {
                    bootstrap_servers: kafka.bootstrap_servers(),
                    prefix: &prefix,
                    partitions: PARTITIONS,
                    kind,
                    client,
                    group,
                    events: arguments.events,
                    linger_ms: arguments.linger_ms,
                    telemetry: Telemetry::Metrics,
                    otlp_endpoint: None,
                }
                .measure()
            };
            let mut binds = Vec::new();
            for client in &arguments.client {
                let group = format!("{prefix}bind-{}-{repeat}", client.name());
                binds.push(measure(Kind::Bind, *client, &group)?);
            }
            let copy = measure(Kind::Copy, arguments.client[0], &format!("{prefix}copy-{repeat}"))?;
            if repeat > 0 {
                for (bind, (runs, ratios)) in binds.into_iter().zip(&mut bound) {
                    ratios.push(micros(&copy) / micros(&bind));
                    runs.push(bind);
                }
                copied.push(copy);
            }
        }
        row(name, &format!("copy, {}", arguments.client[0].name()), &copied);
        for (client, (runs, ratios)) in arguments.client.iter().zip(bound) {
            let client = client.name();
            row(name, &format!("bind, {client}"), &runs);
            if let Some(Spread { min, median, max }) = Spread::of(ratios) {
                print(&format!(
                    "| {name} | events per CPU-second, bind, {client} / copy \
                     | {min:.2}, **{median:.2}**, {max:.2} | | |"
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn micros(measured: &Measured) -> f64 {
    measured.cpu_seconds * 1e6 / events(measured)
}

#[expect(clippy::cast_precision_loss, reason = "a count of events is far below 2^52")]
fn events(measured: &Measured) -> f64 {
    measured.events as f64
}

fn row(format: &str, lane: &str, runs: &[Measured]) {
    let of = |figure: fn(&Measured) -> f64| Spread::of(runs.iter().map(figure).collect());
    let rate = of(|run| events(run) / run.wall_seconds);
    if let (Some(cpu), Some(rate), Some(peak)) = (of(micros), rate, of(|run| run.peak_mib)) {
        print(&format!(
            "| {format} | {lane} | {:.2}, **{:.2}**, {:.2} | {:.0} | {:.0} |",
            cpu.min, cpu.median, cpu.max, rate.median, peak.max
        ));
    }
}
