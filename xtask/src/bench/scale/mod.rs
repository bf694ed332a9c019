//! Instances that come, go and are restarted under load.

mod audit;
mod fleet;
mod load;
mod watch;

use std::time::{Duration, Instant};

use clap::Args;
use kafka::ClientSettings;
use lane::Stop;

use crate::print;
use audit::Audit;
use fleet::{Fleet, Service};
use load::Load;
use watch::{Pause, Watch};

/// How long what was sent may take to come through once the load has stopped.
const REST: Duration = Duration::from_secs(120);

/// Each service from one instance to three and back, a rolling restart, and a kill, all under load; then
/// every event is looked up.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events per second and side.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Seconds under load after each change.
    #[arg(long, default_value_t = 10)]
    hold: u64,
    /// Partitions of every topic that is spread by key.
    #[arg(long, default_value_t = 6)]
    partitions: i32,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let topics = super::load::topics("scale-", arguments.partitions);
    kafka::apply(&client, &topics.specs())?;
    super::load::publish_templates(&client, &topics)?;
    print(&format!(
        "{} events/s and side on Apache Kafka, {} partitions, {} s after each change\n",
        arguments.rate, arguments.partitions, arguments.hold
    ));
    print("| under load | longest pause rt | … of one partition | batch | … of one partition |");
    print("|---|---|---|---|---|");
    let mut fleet = Fleet::new(client.clone(), topics.clone())?;
    for service in Service::ALL {
        fleet.scale(service, 1);
    }
    let stop = Stop::new();
    let rt = Watch::start(&client, &topics.rt_assignment, &stop)?;
    let batch = Watch::start(&client, &topics.batch_assignment, &stop)?;
    let load = Load::start(&client, &topics, arguments.rate);
    rt.wait_for_first(REST);
    batch.wait_for_first(REST);

    let mut phase = |name: &str, act: &mut dyn FnMut(&mut Fleet)| {
        let began = Instant::now();
        act(&mut fleet);
        stop.wait(Duration::from_secs(arguments.hold));
        row(name, rt.pause_since(began), batch.pause_since(began));
    };
    phase("nothing changes", &mut |_| {});
    for service in Service::ALL {
        let name = service.name();
        phase(&format!("{name} 1 → 3"), &mut |fleet| fleet.scale(service, 3));
        phase(&format!("{name} 3 → 1"), &mut |fleet| fleet.scale(service, 1));
    }
    phase("all three 1 → 3", &mut |fleet| {
        for service in Service::ALL {
            fleet.scale(service, 3);
        }
    });
    phase("rolling restart of all nine instances", &mut |fleet| {
        for service in Service::ALL {
            fleet.restart_one_by_one(service);
        }
    });
    phase("kill -9 and restart of one instance of each", &mut |fleet| {
        for service in Service::ALL {
            fleet.kill_and_restart(service);
        }
    });

    let sent = load.stop()?;
    let audit = Audit::of(&client, &topics, sent, REST)?;
    stop.request();
    print(&format!("\n{audit}"));
    anyhow::ensure!(audit.is_exact(), "not every event was answered exactly once");
    Ok(())
}

fn row(name: &str, rt: Pause, batch: Pause) {
    print(&format!(
        "| {name} | {:.1} s | {:.1} s | {:.1} s | {:.1} s |",
        rt.of_topic.as_secs_f64(),
        rt.of_partition.as_secs_f64(),
        batch.of_topic.as_secs_f64(),
        batch.of_partition.as_secs_f64()
    ));
}
