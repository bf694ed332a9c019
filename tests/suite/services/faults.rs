use std::collections::BTreeMap;
use std::time::Duration;

use domain::Status;
use event_consumer::Side;
use testkit::{OwnCluster, free_port, wait_until};

use super::installation::{DEADLINE, Installation, event_id, status_in};

/// Enough to be in the middle of for a while.
const N_EVENTS: usize = 4_000;

#[test]
fn a_broker_killed_and_restarted_in_mid_run_costs_nothing() {
    let cluster = OwnCluster::start();
    let installation = Installation::on(cluster.bootstrap_servers(), "");
    let topics = &installation.topics;
    let _consumer = installation.start(Side::Rt, "0");
    let _status_sync = installation.start_status_sync("0");
    for round in 1..=2 {
        let (from, to) = ((round - 1) * N_EVENTS, round * N_EVENTS);
        installation.while_producing(&topics.rt_event.name, from..to, || {
            installation.in_mid_run(&topics.rt_assignment.name, to, || {
                cluster.kill();
                cluster.restart();
            });
        });
    }
    installation.check_answered_once(&topics.rt_assignment.name, 2 * N_EVENTS);
    check_statuses(&installation, 2 * N_EVENTS);
}

#[test]
fn status_sync_killed_in_mid_run_and_restarted_publishes_every_status() {
    let cluster = testkit::cluster();
    let prefix = format!("{}status-kill-", cluster.prefix());
    let installation = Installation::on(cluster.bootstrap_servers(), &prefix);
    let topics = &installation.topics;
    installation.produce(&topics.rt_event.name, 0..N_EVENTS);
    let _consumer = installation.start(Side::Rt, "0");
    for forget in [false, true] {
        let mut status_sync = installation.start_status_sync("0");
        installation.wait_for_more(&topics.event_status.name);
        status_sync.kill9();
        let n_settled = n_settled(&installation, N_EVENTS);
        assert!(n_settled < N_EVENTS, "every status was published before it was killed");
        if forget {
            installation.forget_status_sync();
        }
    }
    let _status_sync = installation.start_status_sync("0");
    check_statuses(&installation, N_EVENTS);
}

#[test]
fn a_consumer_started_before_its_broker_waits_and_says_so() {
    let port = free_port();
    let address = format!("127.0.0.1:{port}");
    let installation = Installation::without_topics(&address, "");
    let mut consumer = installation.start(Side::Rt, "0");
    consumer.wait_for_line("no broker answers yet", Duration::from_secs(30));
    let line = consumer.wait_for_line("health endpoints listen", Duration::from_secs(30));
    let health = line.rsplit("address=").next().expect("the line ends with the address").trim();
    assert!(get(health, "/ready").starts_with("HTTP/1.1 503"), "not ready without a broker");
    assert!(get(health, "/live").starts_with("HTTP/1.1 200"), "but alive");
    consumer.terminate();
    assert_eq!(consumer.wait(Duration::from_secs(20)).code(), Some(0));
}

/// Waits until events `0..n` are at PENDING_DELIVERY.
#[track_caller]
fn check_statuses(installation: &Installation, n: usize) {
    wait_until("every status published", DEADLINE, || {
        let n_settled = n_settled(installation, n);
        if n_settled == n { Ok(()) } else { Err(format!("{n_settled} of {n}")) }
    });
}

/// How many of events `0..n` are at PENDING_DELIVERY. Demands that no event's statuses ever decrease.
#[track_caller]
fn n_settled(installation: &Installation, n: usize) -> usize {
    let mut last: BTreeMap<String, Status> = BTreeMap::new();
    for record in &installation.read(&installation.topics.event_status.name) {
        let status = status_in(record);
        let before = last.insert(status.event_id.to_string(), status.status);
        assert!(
            before.is_none_or(|before| before.rank() <= status.status.rank()),
            "the status of {} went from {before:?} to {:?}",
            status.event_id,
            status.status
        );
    }
    let settled = |number: &usize| last.get(&event_id(*number)) == Some(&Status::PendingDelivery);
    (0..n).filter(settled).count()
}

/// What `address` answers to a GET of `path`.
fn get(address: &str, path: &str) -> String {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect(address).expect("the port is open");
    stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
        .expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}
