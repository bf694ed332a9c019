use clap::Args;
use kafka::ClientSettings;
use testkit::SpanReceiver;
use wire::Format;

use super::engine::{Engine, Job, Run};
use super::load;
use super::measured::Measured;
use super::report::Spread;
use super::rounds::{COLD_ROUNDS, in_rounds};
use super::worker::{Client, Telemetry};
use crate::print;

const PARTITIONS: i32 = 8;

/// What telemetry costs: the drain with and without it, in turns.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Protobuf events.
    #[arg(long, default_value_t = 500_000)]
    events: usize,
    /// Rounds of three runs, after one that is not counted.
    #[arg(long, default_value_t = 7)]
    repeats: usize,
    /// The client that reads and writes.
    #[arg(long, value_enum, default_value_t = Client::Librdkafka)]
    client: Client,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let receiver = SpanReceiver::start();
    let endpoint = receiver.endpoint();
    let prefix = "telemetry-";
    let topics = load::topics(prefix, PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    load::publish_templates(&client, &topics)?;
    load::preload(&client, &topics.rt_event.name, arguments.events, Format::Protobuf)?;
    let run = Run::new(&kafka, prefix, PARTITIONS, Job::Bind);
    let all = [Telemetry::Off, Telemetry::Metrics, Telemetry::Traces];
    let measured = in_rounds(all, COLD_ROUNDS, arguments.repeats, |telemetry, round| {
        let group = format!("{prefix}{}-{round}", telemetry.name());
        let otlp_endpoint = (telemetry == Telemetry::Traces).then_some(endpoint.as_str());
        let run = Run { group: &group, telemetry, otlp_endpoint, ..run };
        let outcome = run.measure(Engine::Bindery(arguments.client), arguments.events)?;
        Ok(outcome.warm)
    })?;
    print(&format!(
        "{} protobuf events, one rt lane on {}; CPU of the whole process from its first commit to its last\n",
        arguments.events,
        arguments.client.name()
    ));
    print(
        "| telemetry | CPU µs/event (min, median, max) | against none, pair by pair (the same) |",
    );
    print("|---|---|---|");
    let bare = &measured[0].1;
    for (telemetry, runs) in &measured {
        let name = match telemetry {
            Telemetry::Off => "none",
            Telemetry::Metrics => "metrics, scraped every second",
            Telemetry::Traces => "and spans over OTLP",
        };
        row(name, runs, bare);
    }
    Ok(())
}

fn row(telemetry: &str, runs: &[Measured], bare: &[Measured]) {
    let pairs = runs
        .iter()
        .zip(bare)
        .map(|(run, bare)| run.cpu_micros() / bare.cpu_micros() * 100.0 - 100.0);
    let ratio = Spread::of(pairs.collect());
    let cpu = Spread::of(runs.iter().map(Measured::cpu_micros).collect());
    if let (Some(cpu), Some(ratio)) = (cpu, ratio) {
        print(&format!(
            "| {telemetry} | {:.2}, **{:.2}**, {:.2} | {:+.1}, **{:+.1}**, {:+.1} % |",
            cpu.min, cpu.median, cpu.max, ratio.min, ratio.median, ratio.max
        ));
    }
}
