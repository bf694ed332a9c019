use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use domain::{EventStatus, Status};
use testkit::{Isolation, OwnedRecord, read_all, wait_until};
use uuid::Uuid;

use super::foreign::Foreign;
use super::line::Line;

/// How many orders one half of a run has.
const HALF: usize = 40;

/// How long the orders of one half may take, a virtual machine's start included.
const DEADLINE: Duration = Duration::from_secs(120);

/// One order: what the producer is told, and how its event has to end.
struct Order {
    number: String,
    email: &'static str,
    status: Status,
    reason: &'static str,
}

/// Has `client` publish events and deliver their messages, restarts its service in between, sends one
/// assignment twice, and demands for every event one decision, one assignment, one message, and
/// statuses that never go back and end as they should. Says in words what was seen.
///
/// # Panics
///
/// When something is not so.
pub(super) fn check(client: &Foreign, line: &Line) -> String {
    // Tells this run's orders from those of another on the same cluster.
    let run = Uuid::new_v4().simple().to_string();
    let orders: Vec<Order> = (0..2 * HALF)
        .map(|number| order(format!("{}-{run}-{number}", client.name()), number))
        .collect();
    let (first, second) = orders.split_at(HALF);
    let outbox = tempfile::tempdir().expect("the temporary folder is writable");

    let service = client.serve(line.servers(), outbox.path());
    publish(client, line, first);
    wait_until_ended(line, first);
    service.stop();
    // What a crash between sending and committing leads to.
    let repeated = repeat_assignments(line, first);
    publish(client, line, second);
    let service = client.serve(line.servers(), outbox.path());
    wait_until_ended(line, &orders);
    wait_until_reported_twice(line, &repeated);
    service.stop();

    check_answered_once(line, &orders, repeated.len());
    if client.leaves_messages() {
        check_sent_once(outbox.path(), &orders);
    }
    told(&orders)
}

/// The orders differ by their number only.
fn order(number: String, index: usize) -> Order {
    let (email, status, reason) = match index % 10 {
        3 => ("nobody@example.com", Status::Ignored, "denylisted"),
        7 => ("not-an-address", Status::NotSupported, "address_invalid"),
        _ => ("ada@example.com", Status::Sent, ""),
    };
    Order { number, email, status, reason }
}

fn publish(client: &Foreign, line: &Line, orders: &[Order]) {
    let lines = orders.iter().map(|order| format!("{} {}\n", order.number, order.email));
    let published = client.publish(line.servers(), &lines.collect::<String>());
    published.unwrap_or_else(|error| panic!("{error:#}"));
}

/// Waits until every event has the status it should end with.
fn wait_until_ended(line: &Line, orders: &[Order]) {
    wait_until("every event to end as it should", DEADLINE, || {
        let records = read(line, "event-status");
        let statuses = histories(&records);
        let ended = |order: &&Order| {
            let last = statuses.get(order.number.as_str()).and_then(|history| history.last());
            last.is_none_or(|last| last.status != order.status || last.reason != order.reason)
        };
        match orders.iter().find(ended) {
            None => Ok(()),
            Some(order) => {
                let history = statuses.get(order.number.as_str());
                let words = history.into_iter().flatten().map(|status| status.status.as_str());
                let words: Vec<&str> = words.collect();
                Err(format!(
                    "order {} is at {words:?}, not {}",
                    order.number,
                    order.status.as_str()
                ))
            }
        }
    });
}

/// Every status published for each order, in their order.
fn histories(records: &[OwnedRecord]) -> BTreeMap<&str, Vec<EventStatus<'_>>> {
    let mut histories: BTreeMap<&str, Vec<EventStatus<'_>>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.value.is_some()) {
        let status = wire::status::decode(record.value.as_deref(), headers(record));
        let status = status.expect("a status can be decoded");
        if let Some(number) = number_of(record.key_text()) {
            histories.entry(number).or_default().push(status);
        }
    }
    histories
}

/// Writes some assignments of `orders` to their topic once more, and returns those orders' numbers.
fn repeat_assignments<'a>(line: &Line, orders: &'a [Order]) -> Vec<&'a str> {
    const REPEATED: usize = 3;
    let sent = orders.iter().filter(|order| order.status == Status::Sent);
    let repeated: Vec<&str> = sent.map(|order| order.number.as_str()).take(REPEATED).collect();
    let assignments = read(line, "rt-assignment").into_iter().filter(|record| {
        number_of(&assigned(record)).is_some_and(|number| repeated.contains(&number))
    });
    let records = assignments.map(|record| (record.key, record.value, record.headers));
    let n_written = testkit::produce(line.servers(), "rt-assignment", records);
    assert_eq!(n_written, repeated.len(), "assignments of {repeated:?}");
    repeated
}

fn wait_until_reported_twice(line: &Line, numbers: &[&str]) {
    wait_until("what came twice to be reported twice", DEADLINE, || {
        let mut times: BTreeMap<String, usize> = BTreeMap::new();
        for record in read(line, "delivery-log") {
            let log = wire::delivery_log::decode(record.value.as_deref(), headers(&record));
            let log = log.expect("a delivery log can be decoded");
            if let Some(number) = number_of(log.event_id.as_str()) {
                *times.entry(number.to_owned()).or_default() += 1;
            }
        }
        let late = numbers.iter().find(|number| times.get(**number).is_none_or(|times| *times < 2));
        late.map_or(Ok(()), |number| Err(format!("order {number}: {:?}", times.get(*number))))
    });
}

/// The event of an assignment.
fn assigned(record: &OwnedRecord) -> String {
    let assignment = wire::assignment::decode(record.value.as_deref(), headers(record));
    assignment.expect("an assignment can be decoded").event_id.to_string()
}

/// One decision each, one assignment each where there is one to make, and no status that went back.
fn check_answered_once(line: &Line, orders: &[Order], n_repeated: usize) {
    let mut n_decisions: BTreeMap<String, usize> = BTreeMap::new();
    for record in read(line, "event-journal") {
        let fact = wire::fact::decode(record.value.as_deref(), headers(&record));
        let fact = fact.expect("a fact can be decoded");
        if let (true, Some(number)) = (is_decision(&fact.kind), number_of(fact.event_id.as_str())) {
            *n_decisions.entry(number.to_owned()).or_default() += 1;
        }
    }
    let mut n_assignments: BTreeMap<String, usize> = BTreeMap::new();
    for record in read(line, "rt-assignment") {
        if let Some(number) = number_of(&assigned(&record)) {
            *n_assignments.entry(number.to_owned()).or_default() += 1;
        }
    }
    let statuses = read(line, "event-status");
    let statuses = histories(&statuses);
    let mut n_assigned = 0;
    for order in orders {
        let number = order.number.as_str();
        assert_eq!(n_decisions.get(number), Some(&1), "decisions on order {number}");
        n_assigned += n_assignments.get(number).copied().unwrap_or(0);
        let history = &statuses[number];
        let rises = history.windows(2).all(|pair| pair[0].key() < pair[1].key());
        assert!(rises, "a status of order {number} went back: {history:?}");
    }
    let n_bound = orders.iter().filter(|order| order.status != Status::NotSupported).count();
    assert_eq!(n_assigned, n_bound + n_repeated, "assignments, and those sent twice on purpose");
}

fn is_decision(kind: &domain::FactKind<'_>) -> bool {
    use domain::FactKind as Kind;
    match kind {
        Kind::Bound { .. }
        | Kind::NotSupported(_)
        | Kind::Held(_)
        | Kind::Expired
        | Kind::Cancelled
        | Kind::Duplicate { .. } => true,
        Kind::Received | Kind::Released | Kind::CancelRequested | Kind::Delivery { .. } => false,
    }
}

/// One message for each order that was sent, and none else.
fn check_sent_once(outbox: &Path, orders: &[Order]) {
    let messages = std::fs::read_dir(outbox).expect("the service made its outbox");
    let mut left: Vec<String> = messages
        .map(|message| {
            let path = message.expect("the folder can be read").path();
            let text = std::fs::read_to_string(path).expect("a message is text");
            orders
                .iter()
                .find(|order| text.contains(&format!("\"{}\"", order.number)))
                .unwrap_or_else(|| panic!("no order of this run: {text}"))
                .number
                .clone()
        })
        .collect();
    let sent = orders.iter().filter(|order| order.status == Status::Sent);
    let mut sent: Vec<String> = sent.map(|order| order.number.clone()).collect();
    left.sort_unstable();
    sent.sort_unstable();
    assert_eq!(left, sent, "messages in the outbox");
}

fn told(orders: &[Order]) -> String {
    let count = |status| orders.iter().filter(|order| order.status == status).count();
    let statuses = [Status::Sent, Status::Ignored, Status::NotSupported];
    let counts = statuses.map(|status| format!("{} {}", count(status), status.as_str()));
    format!("{} events: {}", orders.len(), counts.join(", "))
}

/// The order's number in an event id; a CloudEvent's begins with its source.
fn number_of(event_id: &str) -> Option<&str> {
    event_id.split_once("order-shipped-").map(|(_, number)| number)
}

fn read(line: &Line, topic: &str) -> Vec<OwnedRecord> {
    read_all(line.servers(), topic, Isolation::ReadCommitted)
}

fn headers(record: &OwnedRecord) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
    record.headers.iter().map(|(name, value)| (name.as_str(), Some(value.as_slice())))
}
