use std::time::{Duration, Instant};

use event_consumer::Side;
use testkit::{OwnCluster, Process};

use super::installation::{DRAIN_SECONDS, Installation};

const LIMIT: Duration = Duration::from_secs(DRAIN_SECONDS as u64);
/// What the machine may take on top: the process still has to be scheduled and reaped.
const SLACK: Duration = Duration::from_secs(5);

const SERVICES: [&str; 3] = ["rt-event-consumer", "batch-event-consumer", "status-sync"];

fn start(installation: &Installation, service: &str) -> Process {
    match service {
        "rt-event-consumer" => installation.start(Side::Rt, "0"),
        "batch-event-consumer" => installation.start(Side::Batch, "0"),
        _ => installation.start_status_sync("0"),
    }
}

/// Asks it to stop: it has to leave in order and in time.
#[track_caller]
fn check(service: &str, process: &mut Process) {
    let asked = Instant::now();
    process.terminate();
    let code = process.wait(LIMIT + SLACK).code();
    let took = asked.elapsed();
    assert_eq!(code, Some(0), "{service} after {took:?}");
    assert!(took < LIMIT + SLACK, "{service} took {took:?}");
}

#[test]
fn every_service_drains_in_bounded_time_in_the_middle_of_its_work() {
    let cluster = testkit::cluster();
    let prefix = format!("{}drain-", cluster.prefix());
    let installation = Installation::on(cluster.bootstrap_servers(), &prefix);
    let topics = &installation.topics;
    for topic in [&topics.rt_event.name, &topics.batch_event.name] {
        installation.produce(topic, 0..20_000);
    }
    for service in SERVICES {
        let mut process = start(&installation, service);
        process.wait_for_line("partitions assigned", Duration::from_secs(60));
        check(service, &mut process);
        process.wait_for_line(&format!("{service} ends"), Duration::from_secs(1));
    }
}

#[test]
fn every_service_leaves_in_bounded_time_while_the_broker_is_away() {
    let cluster = OwnCluster::start();
    let installation = Installation::on(cluster.bootstrap_servers(), "");
    let mut services = SERVICES.map(|service| (service, start(&installation, service)));
    for (_, process) in &services {
        process.wait_for_line("partitions assigned", Duration::from_secs(60));
    }
    let topic = installation.topics.rt_event.name.clone();
    installation.produce(&topic, 0..2_000);
    installation.wait_for_decisions(100);
    cluster.kill();
    for (service, process) in &mut services {
        check(service, process);
    }
}
