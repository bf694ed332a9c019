use std::time::Duration;

use event_consumer::Side;
use service::names;
use testkit::{OwnedRecord, Process, ReceivedSpan, SpanReceiver, cluster, get, wait_until};

use super::installation::{DEADLINE, Installation};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn installation(name: &str) -> Installation {
    Installation::on(cluster().bootstrap_servers(), &format!("{}{name}-", cluster().prefix()))
}

/// Where a process serves its health endpoints.
fn address_of(process: &Process) -> String {
    let line = process.wait_for_line("health endpoints listen", DEADLINE);
    let address = line.split("address=").nth(1).expect("the line names an address");
    address.trim().to_owned()
}

fn scrape(address: &str) -> String {
    let (status, text) = get(address, "/metrics");
    assert_eq!(status, 200, "{text}");
    text
}

/// The value of the series of `metric` that has all of `labels`.
fn value(text: &str, metric: &str, labels: &[&str]) -> Option<f64> {
    let mut lines = text.lines().filter(|line| line.split(['{', ' ']).next() == Some(metric));
    let line = lines.find(|line| labels.iter().all(|label| line.contains(label)))?;
    line.rsplit(' ').next()?.parse().ok()
}

/// Waits until a series has a value.
#[track_caller]
fn wait_for_value(address: &str, metric: &str, labels: &[&str], expected: f64) {
    wait_until(metric, Duration::from_secs(60), || {
        let value = value(&scrape(address), metric, labels);
        if value == Some(expected) { Ok(()) } else { Err(format!("{labels:?} is {value:?}")) }
    });
}

#[test]
fn a_scrape_has_every_metric_of_the_page_and_counts_each_event_once() {
    let installation = installation("metrics");
    installation.publish_garbage();
    let topic = installation.topics.rt_event.name.clone();
    installation.produce(&topic, 0..300);
    let broken = ("k", "{", [("content-type", "application/json")]);
    testkit::produce(cluster().bootstrap_servers(), &topic, [broken]);
    let log = r#"{"assignmentId":"nobody-knows:1","outcome":"sent"}"#;
    let log = ("k", log, [("content-type", "application/json")]);
    testkit::produce(cluster().bootstrap_servers(), &installation.topics.delivery_log.name, [log]);
    let consumer = installation.start(Side::Rt, "0");
    let status_sync = installation.start_status_sync("0");
    let (rt, sync) = (address_of(&consumer), address_of(&status_sync));
    installation.wait_for_decisions(301);

    wait_for_value(&rt, "bindery_lane_records_total", &[], 301.0);
    let text = scrape(&rt);
    let undecodable = [r#"side="rt""#, r#"outcome="not_supported""#, r#"reason="undecodable""#];
    let input = format!(r#"messaging_destination_name="{topic}""#);
    let assignments = &installation.topics.rt_assignment.name;
    let output = format!(r#"messaging_destination_name="{assignments}""#);
    let group = format!(r#"messaging_consumer_group_name="{}""#, group_of(&installation));
    for (metric, labels, expected) in [
        ("bindery_decisions_total", &undecodable[..], 1.0),
        ("bindery_dead_letters_total", &[r#"reason="undecodable""#], 1.0),
        ("bindery_decisions_total", &[r#"outcome="bound""#], 300.0),
        ("bindery_end_to_end_latency_seconds_count", &[], 301.0),
        ("bindery_batch_records_sum", &[], 301.0),
        ("messaging_client_consumed_messages_total", &[&input, &group], 301.0),
        ("messaging_client_sent_messages_total", &[&output], 300.0),
        ("bindery_catalogue_templates", &[], 2.0),
        ("bindery_catalogue_rejected_records_total", &[], 1.0),
        ("bindery_lane_rebalances_total", &[r#"kind="lost""#], 0.0),
        ("bindery_lane_phase", &[r#"phase="running""#], 1.0),
        ("bindery_spans_total", &[r#"outcome="exported""#], 0.0),
    ] {
        assert_eq!(value(&text, metric, labels), Some(expected), "{metric} {labels:?}\n{text}");
    }
    let committed = value(&text, "bindery_lane_transactions_total", &[r#"outcome="committed""#]);
    for phase in ["collect", "handle", "begin", "send", "offsets", "drain", "commit"] {
        let label = format!(r#"phase="{phase}""#);
        let metric = "bindery_transaction_phase_duration_seconds_count";
        assert_eq!(value(&text, metric, &[&label]), committed, "{phase}");
    }
    let commit_sum = "bindery_transaction_phase_duration_seconds_sum";
    assert!(value(&text, commit_sum, &[r#"phase="commit""#]) > Some(0.0), "{text}");

    wait_for_value(&sync, "bindery_orphan_logs_total", &[], 1.0);
    wait_for_value(&sync, "bindery_logs_collected_total", &[], 1.0);
    wait_for_value(&sync, "bindery_events_announced_total", &[], 301.0);
    let ways = "bindery_fold_restore_duration_seconds_count";
    let journal = installation.topics.event_journal.partitions;
    wait_for_value(&sync, ways, &[r#"way="load""#], f64::from(journal));
    let committed_offset = "bindery_lane_committed_offset";
    wait_until("the lane's lag to be reported", DEADLINE, || {
        let text = scrape(&rt);
        value(&text, committed_offset, &[]).map(|_| ()).ok_or(text)
    });
    let all = scrape(&rt) + &scrape(&sync);
    for metric in names::ALL {
        let header = format!("# TYPE {} {}", metric.name, metric.kind.as_str());
        assert!(all.contains(&header), "no service serves `{}`", metric.name);
    }
}

fn group_of(installation: &Installation) -> String {
    installation.settings(Side::Rt, "0").group
}

/// The only record of `topic` with the trace of this test.
#[track_caller]
fn wait_for_traced(installation: &Installation, topic: &str, n: usize) -> Vec<OwnedRecord> {
    wait_until(topic, DEADLINE, || {
        let mut records = installation.read(topic);
        records.retain(|record| record.header_text("traceparent") == Some(&*traceparent()));
        if records.len() >= n { Ok(records) } else { Err(format!("{} of {n}", records.len())) }
    })
}

fn traceparent() -> String {
    format!("00-{TRACE}-{PARENT}-01")
}

/// Waits for a span in the trace of this test, and returns it and its transaction's.
#[track_caller]
fn wait_for_span(receiver: &SpanReceiver, service: &str, name: &str) -> ReceivedSpan {
    wait_until(name, DEADLINE, || {
        let spans = receiver.spans();
        let is_it = |span: &&ReceivedSpan| {
            span.service == service && span.name == name && span.trace_id == TRACE
        };
        let names: Vec<_> = spans.iter().map(|span| (&span.service, &span.name)).collect();
        spans.iter().find(is_it).cloned().ok_or_else(|| format!("{names:?}"))
    })
}

#[test]
fn a_sampled_event_is_traced_to_its_assignment_and_its_facts() {
    let installation = installation("traces");
    let receiver = SpanReceiver::start();
    let servers = cluster().bootstrap_servers();
    let topics = &installation.topics;
    let mut settings = installation.settings(Side::Rt, "0");
    settings.telemetry.otlp.endpoint = Some(receiver.endpoint());
    let mut sync_settings = installation.status_sync_settings("0");
    sync_settings.telemetry.otlp.endpoint = Some(receiver.endpoint());
    let consumer = installation.start_as(Side::Rt, &settings);
    let mut status_sync = installation.start_status_sync_as(&sync_settings);

    // An event that nobody samples beside one that its producer does.
    installation.produce(&topics.rt_event.name, 0..1);
    let traced = [("content-type", "application/json"), ("traceparent", &*traceparent())];
    let event = r#"{"id":"traced","type":"order.shipped","email":"ada@example.com","ctx":{"order":{"number":"1"}}}"#;
    testkit::produce(servers, &topics.rt_event.name, [("k", event, traced)]);
    let log = r#"{"assignmentId":"traced:1","outcome":"sent"}"#;
    testkit::produce(servers, &topics.delivery_log.name, [("k", log, traced)]);

    // What the producer said is passed on unaltered: by the assignment, and by the facts of all three
    // who write one, and by the status.
    let assignments = wait_for_traced(&installation, &topics.rt_assignment.name, 1);
    assert_eq!(assignments.len(), 1);
    wait_for_traced(&installation, &topics.event_journal.name, 3);
    wait_for_traced(&installation, &topics.event_status.name, 1);

    let rt_event = &topics.rt_event.name;
    let span = wait_for_span(&receiver, "rt-event-consumer", &format!("process {rt_event}"));
    assert_eq!(span.parent_span_id, PARENT);
    assert_eq!(span.attributes["messaging.message.id"], "traced");
    assert_eq!(span.attributes["messaging.destination.name"], **rt_event);
    for topic in [&topics.delivery_log.name, rt_event, &topics.event_journal.name] {
        let span = wait_for_span(&receiver, "status-sync", &format!("process {topic}"));
        assert_eq!(span.parent_span_id, PARENT, "{topic}");
    }
    let spans = receiver.spans();
    let transaction =
        spans.iter().find(|one| span.links.contains(&(one.trace_id.clone(), one.span_id.clone())));
    let transaction = transaction.expect("the event's span links to its transaction's");
    assert!(transaction.links.contains(&(TRACE.to_owned(), PARENT.to_owned())));
    let of_transaction = spans.iter().filter(|one| one.parent_span_id == transaction.span_id);
    let mut steps: Vec<_> = of_transaction.map(|one| one.name.as_str()).collect();
    steps.sort_unstable();
    assert_eq!(steps, [&*format!("commit {rt_event}"), &*format!("poll {rt_event}"), "send"]);
    let in_trace =
        spans.iter().filter(|one| one.trace_id == TRACE && one.service == "rt-event-consumer");
    assert_eq!(in_trace.count(), 1, "the event without a trace has no span of its own");

    let exported = [r#"outcome="exported""#];
    assert!(value(&scrape(&address_of(&consumer)), "bindery_spans_total", &exported) > Some(0.0));
    // Spans that wait are flushed on the way out.
    status_sync.terminate();
    assert_eq!(status_sync.wait(DEADLINE).code(), Some(0));
}
