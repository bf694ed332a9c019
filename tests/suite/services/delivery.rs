//! Delivery logs that keep coming while something breaks.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::time::Duration;

use domain::{FactKind, Folded, Outcome, Status};
use event_consumer::Side;
use testkit::{Isolation, OwnCluster, Process, wait_until};

use super::installation::{DEADLINE, Installation, event_id, fact_in, status_in};

/// What delivery services say of an event, in this order and over and over, and what it comes to.
const STORIES: [(&[Outcome], Status); 6] = [
    (&[Outcome::Prepared, Outcome::Accepted], Status::PendingDelivery),
    (&[Outcome::Accepted, Outcome::Sent, Outcome::Received], Status::Sent),
    (&[Outcome::Accepted, Outcome::Ignored], Status::Ignored),
    (&[Outcome::Sent, Outcome::Failed], Status::DeliveryError),
    (&[Outcome::Failed, Outcome::Sent], Status::DeliveryError),
    (&[Outcome::Cancelled], Status::DeliveryError),
];

/// Events `0..N_EVENTS` are assigned; each has the story of its number.
const N_EVENTS: usize = 20 * STORIES.len();

/// As many logs may wait to be collected: enough to be in the middle of for a while.
const WAITING_MAX: usize = 8_000;

/// More than the offsets of the journal that are no logs': a decision and a Received fact for each event, and
/// the ends of their transactions.
const OTHER_OFFSETS: usize = 4 * N_EVENTS;

/// What happens to those who make facts and statuses of the logs.
#[derive(Clone, Copy)]
enum Fault {
    StatusSyncKilled,
    BrokerKilled,
    AnotherComesAndGoes,
}

fn story(number: usize) -> (&'static [Outcome], Status) {
    STORIES[number % STORIES.len()]
}

/// Every log of one round: its event, its outcome and an id of its own.
fn logs(round: usize) -> impl Iterator<Item = (String, Outcome, String)> {
    (0..N_EVENTS).flat_map(move |number| {
        let log = move |(step, outcome): (usize, &Outcome)| {
            (event_id(number), *outcome, format!("{round}-{number}-{step}"))
        };
        story(number).0.iter().enumerate().map(log)
    })
}

/// Produces round after round until `over` hangs up, then a last one, and returns how many there were.
fn report(installation: &Installation, over: &Receiver<()>) -> usize {
    let is_over = || over.try_recv() == Err(TryRecvError::Disconnected);
    let n_in_round = logs(0).count();
    let (mut n_rounds, mut was_last) = (0, false);
    let rounds = std::iter::from_fn(|| {
        if was_last {
            return None;
        }
        wait_until("room for another round", DEADLINE, || {
            let n_waiting = (n_rounds * n_in_round).saturating_sub(n_collected(installation));
            let has_room = n_waiting < WAITING_MAX || is_over();
            if has_room { Ok(()) } else { Err(format!("{n_waiting} logs wait")) }
        });
        was_last = is_over();
        n_rounds += 1;
        Some(n_rounds - 1)
    });
    let record = |(event, outcome, id): (String, Outcome, String)| {
        let outcome = outcome.as_str();
        let value = format!(
            r#"{{"assignmentId":"{event}:1","outcome":"{outcome}","provider":"acme","providerMessageId":"{id}"}}"#
        );
        // By a key of its own, so that what is said of one event comes in any order.
        (id, value, [("content-type", "application/json")])
    };
    let topic = &installation.topics.delivery_log.name;
    let records = rounds.flat_map(logs).map(record);
    testkit::produce(&installation.client.bootstrap_servers, topic, records);
    n_rounds
}

/// How many logs are in their topic.
fn n_reported(installation: &Installation) -> usize {
    end_of(installation, &installation.topics.delivery_log.name)
}

/// About how many logs are collected, without reading them: how far the journal is.
fn n_collected(installation: &Installation) -> usize {
    let end = end_of(installation, &installation.topics.event_journal.name);
    end.saturating_sub(OTHER_OFFSETS)
}

/// What the ends of a topic's partitions add up to.
fn end_of(installation: &Installation, topic: &str) -> usize {
    let servers = &installation.client.bootstrap_servers;
    let ends = testkit::end_offsets(servers, topic, Isolation::ReadCommitted);
    usize::try_from(ends.iter().sum::<i64>()).expect("an offset is not negative")
}

/// How often each log is a fact in the journal.
fn facts(installation: &Installation) -> BTreeMap<(String, Outcome, String), usize> {
    let mut times = BTreeMap::new();
    for record in installation.read(&installation.topics.event_journal.name) {
        let fact = fact_in(&record);
        if let FactKind::Delivery { outcome, provider_message_id, .. } = &fact.kind {
            let id = provider_message_id.as_ref().expect("every log of this test has one");
            *times.entry((fact.event_id.to_string(), *outcome, id.to_string())).or_default() += 1;
        }
    }
    times
}

/// Lets status-sync collect logs that keep coming, breaks something meanwhile, and demands one fact for each
/// log and the statuses that they come to.
#[track_caller]
fn check(fault: Fault) {
    let cluster = OwnCluster::start();
    let installation = Installation::on(cluster.bootstrap_servers(), "");
    let _consumer = installation.start(Side::Rt, "0");
    installation.produce(&installation.topics.rt_event.name, 0..N_EVENTS);
    installation.check_answered_once(&installation.topics.rt_assignment.name, N_EVENTS);
    let (n_rounds, _status_sync) = std::thread::scope(|scope| {
        // Dropped when the fault is over, also by a panic.
        let (going_on, over) = mpsc::channel::<()>();
        let installation = &installation;
        let reporting = scope.spawn(move || report(installation, &over));
        wait_until("logs to wait", DEADLINE, || {
            let n = n_reported(installation);
            if n >= WAITING_MAX { Ok(()) } else { Err(format!("{n} are there")) }
        });
        let status_sync = installation.start_status_sync("0");
        wait_until("the first logs collected", DEADLINE, || {
            if n_collected(installation) > 0 { Ok(()) } else { Err("none".into()) }
        });
        let status_sync = fault.strike(&cluster, installation, status_sync);
        drop(going_on);
        (reporting.join().expect("all logs are produced"), status_sync)
    });
    let once: BTreeMap<_, _> = (0..n_rounds).flat_map(logs).map(|log| (log, 1)).collect();
    wait_until("every log collected", DEADLINE, || {
        let n = facts(&installation).len();
        if n >= once.len() { Ok(()) } else { Err(format!("{n} of {}", once.len())) }
    });
    check_statuses(&installation);
    let facts = facts(&installation);
    let odd: Vec<_> = facts.iter().filter(|(log, n)| once.get(*log) != Some(*n)).take(20).collect();
    assert!(facts == once, "{} facts of {} logs, among them {odd:?}", facts.len(), once.len());
}

impl Fault {
    /// Does it, and hands back what runs then.
    #[track_caller]
    fn strike(
        self,
        cluster: &OwnCluster,
        installation: &Installation,
        mut status_sync: Process,
    ) -> Process {
        let n_logs = n_reported(installation);
        // What is no fact afterwards was none at the fault.
        let check_in_mid_run = || {
            let n_facts = facts(installation).len();
            assert!(0 < n_facts && n_facts < n_logs, "{n_facts} of {n_logs} logs were facts");
        };
        match self {
            Self::StatusSyncKilled => {
                status_sync.kill9();
                check_in_mid_run();
                installation.start_status_sync("0")
            }
            Self::BrokerKilled => {
                cluster.kill();
                cluster.restart();
                check_in_mid_run();
                status_sync
            }
            Self::AnotherComesAndGoes => {
                let mut second = installation.start_status_sync("1");
                for lane in ["-1-collect-0", "-1-fold-0"] {
                    wait_for_partitions(&second, lane);
                }
                second.terminate();
                assert_eq!(second.wait(Duration::from_secs(20)).code(), Some(0));
                status_sync
            }
        }
    }
}

/// Waits until that lane of the process has been given partitions.
#[track_caller]
fn wait_for_partitions(process: &Process, lane: &str) {
    let has = |line: &String| {
        let is_assigned = line.contains(lane) && line.contains("partitions assigned");
        is_assigned && !line.contains("n_partitions=0")
    };
    wait_until(&format!("partitions for {lane}"), DEADLINE, || {
        let lines = process.lines();
        if lines.iter().any(has) { Ok(()) } else { Err(lines.join("\n")) }
    });
}

/// Waits until all facts are folded, and demands that each event is at the end of its story and that its
/// statuses never decreased on the way there.
#[track_caller]
fn check_statuses(installation: &Installation) {
    let mut folded: BTreeMap<String, Folded> = BTreeMap::new();
    for record in installation.read(&installation.topics.event_journal.name) {
        let fact = fact_in(&record);
        folded.entry(fact.event_id.to_string()).or_default().apply(&fact);
    }
    wait_until("every fact folded", DEADLINE, || {
        let records = installation.read(&installation.topics.event_status.name);
        let statuses: Vec<_> = records.iter().map(status_in).collect();
        let mut published = BTreeMap::new();
        for status in &statuses {
            let before = published.insert(status.event_id.as_str(), status.key());
            assert!(before <= Some(status.key()), "{before:?} was followed by {status:?}");
        }
        let is_behind = |number: &usize| {
            let id = event_id(*number);
            folded[&id].key() != published.get(&*id).copied()
        };
        if let Some(behind) = (0..N_EVENTS).find(is_behind) {
            return Err(format!("{} is not up to its facts", event_id(behind)));
        }
        for number in 0..N_EVENTS {
            let id = event_id(number);
            assert_eq!(published[&*id].status(), story(number).1, "{id}");
        }
        Ok(())
    });
}

#[test]
fn logs_are_collected_once_while_status_sync_is_killed() {
    check(Fault::StatusSyncKilled);
}

#[test]
fn logs_are_collected_once_while_the_broker_is_killed() {
    check(Fault::BrokerKilled);
}

#[test]
fn logs_are_collected_once_while_another_status_sync_comes_and_goes() {
    check(Fault::AnotherComesAndGoes);
}
