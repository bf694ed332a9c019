use std::net::TcpListener;
use std::time::{Duration, Instant, SystemTime};

use ::lane::{Record, StepTimes, TransactionOutcome, TransactionReport};
use kafka::Offset;
use testkit::{ReceivedSpan, SpanReceiver};

use super::*;
use crate::metrics::Metrics;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

fn settings(endpoint: String) -> TelemetrySettings {
    let otlp = OtlpSettings { endpoint: Some(endpoint), ..OtlpSettings::default() };
    TelemetrySettings { otlp }
}

fn report(outcome: TransactionOutcome) -> TransactionReport<'static> {
    TransactionReport {
        lane: "rt-0",
        group: "rt",
        topic: Some("rt-event"),
        n_records: 10,
        n_written: 20,
        started: SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        times: StepTimes::default(),
        outcome,
    }
}

fn note(traces: &mut LaneTraces, offset: i64, flags: &str) {
    let parent = format!("00-{TRACE}-{PARENT}-{flags}");
    let record = Record::at("rt-event", 3, Offset::new(offset));
    traces.note(&record, parent.as_bytes(), Some(b"vendor=1"), Some("event-1"));
}

/// What arrives of what one lane does.
fn exported(work: impl FnOnce(&mut LaneTraces)) -> Vec<ReceivedSpan> {
    let receiver = SpanReceiver::start();
    let traces = Traces::start("rt-event-consumer", &settings(receiver.endpoint())).unwrap();
    let mut lane = traces.lane();
    work(&mut lane);
    traces.shutdown();
    receiver.spans()
}

fn names(spans: &[ReceivedSpan]) -> Vec<&str> {
    spans.iter().map(|span| span.name.as_str()).collect()
}

#[test]
fn a_sampled_record_has_a_span_in_its_own_trace_and_its_transaction_links_to_it() {
    let spans = exported(|lane| {
        note(lane, 7, "01");
        lane.ended(&report(TransactionOutcome::Committed));
    });
    let all = ["process rt-event", "poll rt-event", "send", "commit rt-event", "process rt-event"];
    assert_eq!(names(&spans), all);
    let (transaction, steps, record) = (&spans[0], &spans[1..4], &spans[4]);
    assert_eq!(transaction.service, "rt-event-consumer");
    assert_eq!(transaction.parent_span_id, "");
    assert_eq!(transaction.links, [(TRACE.to_owned(), PARENT.to_owned())]);
    assert_eq!(transaction.attributes["messaging.batch.message_count"], "10");
    for step in steps {
        assert_eq!(step.trace_id, transaction.trace_id, "{step:?}");
        assert_eq!(step.parent_span_id, transaction.span_id, "{step:?}");
    }
    assert_eq!((record.trace_id.as_str(), record.parent_span_id.as_str()), (TRACE, PARENT));
    let back = (transaction.trace_id.clone(), transaction.span_id.clone());
    assert_eq!(record.links, [back]);
    let expected = [
        ("messaging.client.id", "rt-0"),
        ("messaging.consumer.group.name", "rt"),
        ("messaging.destination.name", "rt-event"),
        ("messaging.destination.partition.id", "3"),
        ("messaging.kafka.offset", "7"),
        ("messaging.message.id", "event-1"),
        ("messaging.operation.name", "process"),
        ("messaging.operation.type", "process"),
        ("messaging.system", "kafka"),
    ];
    let attributes = record.attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    assert_eq!(attributes.collect::<Vec<_>>(), expected);
}

#[test]
fn a_transaction_without_sampled_records_is_one_span() {
    let spans = exported(|lane| {
        note(lane, 7, "00");
        lane.ended(&report(TransactionOutcome::Committed));
    });
    assert_eq!(names(&spans), ["process rt-event"]);
    assert_eq!(spans[0].links, []);
}

#[test]
fn an_aborted_transaction_tells_why_and_its_records_wait_for_the_next() {
    let spans = exported(|lane| {
        note(lane, 7, "01");
        lane.ended(&report(TransactionOutcome::Aborted("slow")));
    });
    assert_eq!(names(&spans), ["process rt-event", "poll rt-event", "send"]);
    assert!(spans[0].is_error);
    assert_eq!(spans[0].attributes["error.type"], "slow");
}

#[test]
fn links_have_a_bound() {
    let spans = exported(|lane| {
        (0..200).for_each(|offset| note(lane, offset, "01"));
        lane.ended(&report(TransactionOutcome::Committed));
    });
    assert_eq!(spans[0].links.len(), 128);
    assert_eq!(spans.len(), 4 + 200);
}

#[test]
fn a_receiver_that_never_answers_makes_nobody_wait() {
    // It takes connections and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = settings(format!("http://{}", silent.local_addr().unwrap()));
    settings.otlp.timeout_ms = 200;
    settings.otlp.queue_spans = 10;
    let traces = Traces::start("rt-event-consumer", &settings).unwrap();
    let mut lane = traces.lane();
    let started = Instant::now();
    (0..100).for_each(|_| lane.ended(&report(TransactionOutcome::Committed)));
    traces.shutdown();
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    let metrics = Metrics::new();
    metrics.watch(Arc::new(traces));
    let text = metrics.text(0).unwrap();
    assert!(text.contains(r#"bindery_spans_total{outcome="dropped"} 90"#), "{text}");
    assert!(text.contains(r#"bindery_spans_total{outcome="exported"} 0"#), "{text}");
}

#[test]
fn without_an_endpoint_nothing_is_made() {
    let traces = Traces::start("rt-event-consumer", &TelemetrySettings::default()).unwrap();
    assert!(!traces.lane().is_on());
    traces.shutdown();
}
