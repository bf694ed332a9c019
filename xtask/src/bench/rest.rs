use std::time::{Duration, Instant};

use clap::Args;
use kafka::ClientSettings;

use super::load;
use super::report::{Column, Output, Table};
use super::shipped::{Place, Service};
use super::usage::Usage;
use super::worker::Client;
use crate::print;

const PARTITIONS: i32 = 6;
/// What starting leaves to be done is done by then.
const SETTLED: Duration = Duration::from_secs(10);

/// CPU of idle services, as they are shipped, with 6,400 templates.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Seconds of each measurement.
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Measurements, one after the other, of the same processes.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// The clients that write.
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["librdkafka", "native"])]
    client: Vec<Client>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let topics = load::topics("rest-", PARTITIONS);
    kafka::apply(&client, &topics.specs())?;
    load::publish_templates(&client, &topics)?;
    print(&format!("idle services, {} s each time\n", arguments.seconds));
    let mut table = Table::new(vec![
        Column::Text("service"),
        Column::Text("client"),
        Column::Figures("% of a core", 2),
        Column::Figures("peak MiB", 0),
    ]);
    for client in &arguments.client {
        let folder = tempfile::tempdir()?;
        let place = Place {
            bootstrap_servers: kafka.bootstrap_servers(),
            topics: &topics,
            client: *client,
            group: client.name(),
            folder: folder.path(),
        };
        let mut measured = Vec::new();
        for service in Service::ALL {
            measured.push((service, service.start_and_wait(&place)?, Vec::new()));
        }
        std::thread::park_timeout(SETTLED);
        for _ in 0..arguments.repeats {
            let began = Instant::now();
            let seconds = |process: &testkit::Process| Usage::of(process.id()).cpu_seconds();
            let before: anyhow::Result<Vec<f64>> =
                measured.iter().map(|(_, process, _)| seconds(process)).collect();
            let before = before?;
            std::thread::park_timeout(Duration::from_secs(arguments.seconds));
            let elapsed = began.elapsed().as_secs_f64();
            for ((_, process, percent), before) in measured.iter_mut().zip(before) {
                percent.push((seconds(process)? - before) / elapsed * 100.0);
            }
        }
        for (service, process, percent) in measured {
            let peak = vec![Usage::of(process.id()).peak_mib()?];
            table.row(vec![
                service.name().into(),
                client.name().into(),
                percent.into(),
                peak.into(),
            ]);
        }
    }
    table.save(&arguments.output, "rest")
}
