use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use lane::{Record, Step, TransactionOutcome, TransactionReport};
use opentelemetry::trace::{
    Link, Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt as _,
    TraceFlags, TraceId, TraceState, Tracer as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::SdkTracer;

use super::attributes as key;
use super::queue::SpanCounts;

/// Most links of one span.
pub(super) const LINKS_MAX: u32 = 128;
/// Most records of one transaction that get a span of their own. More are dropped and counted.
const SAMPLED_MAX: usize = 1_024;

/// Makes the spans of one lane, when its handler tells it how a transaction ended.
///
/// A handler notes each record whose trace is sampled, and passes on the lane's report. Off, it does
/// nothing and has no cost.
#[derive(Debug)]
pub struct LaneTraces {
    tracer: Option<SdkTracer>,
    counts: Arc<SpanCounts>,
    /// Of the batch under way.
    sampled: Vec<Sampled>,
}

/// A record that somebody wants to be traced.
#[derive(Debug)]
struct Sampled {
    parent: SpanContext,
    topic: String,
    partition: i32,
    offset: i64,
    message_id: Option<String>,
}

impl LaneTraces {
    pub(super) const fn new(tracer: Option<SdkTracer>, counts: Arc<SpanCounts>) -> Self {
        Self { tracer, counts, sampled: Vec::new() }
    }

    /// One that makes no spans.
    pub fn off() -> Self {
        Self::new(None, Arc::default())
    }

    /// Whether spans are made at all; where not, nobody needs to look for sampled records.
    pub const fn is_on(&self) -> bool {
        self.tracer.is_some()
    }

    /// Notes that `record` belongs to a sampled trace: `parent` and `state` are its `traceparent`, well
    /// formed, and `tracestate`. `message_id` is its id where it has one.
    pub fn note(
        &mut self,
        record: &Record<'_>,
        parent: &[u8],
        state: Option<&[u8]>,
        message_id: Option<&str>,
    ) {
        if !self.is_on() {
            return;
        }
        let Some(parent) = context_of(parent, state) else { return };
        if self.sampled.len() == SAMPLED_MAX {
            return self.counts.drop_spans(1);
        }
        self.sampled.push(Sampled {
            parent,
            topic: record.topic.to_owned(),
            partition: record.partition,
            offset: record.offset.get(),
            message_id: message_id.map(ToOwned::to_owned),
        });
    }

    /// Makes the spans of a transaction and of the records noted in it.
    ///
    /// The transaction has one, with links to the first of those records. Where there are such records
    /// it has one more for each of its steps, and so has each record, as a child of the record's own
    /// context: how much that is, is up to who samples.
    pub fn ended(&mut self, report: &TransactionReport<'_>) {
        let Some(tracer) = &self.tracer else { return };
        let transaction = transaction(tracer, report, &self.sampled);
        if !self.sampled.is_empty() {
            steps(tracer, report, &transaction);
        }
        if report.outcome == TransactionOutcome::Committed {
            for sampled in &self.sampled {
                process(tracer, report, sampled, &transaction);
            }
        }
        // After an abort they are noted again.
        self.sampled.clear();
    }
}

/// The span of the whole transaction.
fn transaction(
    tracer: &SdkTracer,
    report: &TransactionReport<'_>,
    sampled: &[Sampled],
) -> SpanContext {
    let linked = sampled.iter().take(LINKS_MAX as usize);
    let mut attributes = common(report, "process", "process", report.topic);
    attributes.push(KeyValue::new(key::BATCH_MESSAGE_COUNT, count(report.n_records)));
    let builder = SpanBuilder::from_name(named("process", report.topic))
        .with_kind(SpanKind::Consumer)
        .with_start_time(report.started)
        .with_links(linked.map(|one| Link::with_context(one.parent.clone())).collect());
    let mut span =
        tracer.build_with_context(with_outcome(builder, attributes, report), &Context::new());
    set_status(&mut span, report);
    span.end_with_timestamp(report.started + report.times.total());
    span.span_context().clone()
}

/// The spans of its steps, as far as it came: `poll`, `send`, `commit`.
fn steps(tracer: &SdkTracer, report: &TransactionReport<'_>, parent: &SpanContext) {
    let parent = Context::new().with_remote_span_context(parent.clone());
    let at = |step| report.started + report.times.before(step);
    let step = |name: &'static str, kind, topic, from: SystemTime, to: SystemTime, n_messages| {
        let mut attributes = common(report, name, kind, topic);
        attributes.push(KeyValue::new(key::BATCH_MESSAGE_COUNT, count(n_messages)));
        let builder = SpanBuilder::from_name(named(name, topic))
            .with_kind(SpanKind::Client)
            .with_start_time(from)
            .with_attributes(attributes);
        tracer.build_with_context(builder, &parent).end_with_timestamp(to);
    };
    let (records, written) = (report.n_records, report.n_written);
    step("poll", "receive", report.topic, at(Step::Collect), at(Step::Handle), records);
    // Between sending and waiting for what was sent, the offsets go out.
    step("send", "send", None, at(Step::Send), at(Step::Commit), written);
    if report.outcome == TransactionOutcome::Committed {
        let end = report.started + report.times.total();
        step("commit", "settle", report.topic, at(Step::Commit), end, records);
    }
}

/// The span of one record: the handler's time, in the record's own trace.
fn process(
    tracer: &SdkTracer,
    report: &TransactionReport<'_>,
    sampled: &Sampled,
    transaction: &SpanContext,
) {
    let mut attributes = common(report, "process", "process", Some(&sampled.topic));
    attributes.push(KeyValue::new(key::PARTITION_ID, sampled.partition.to_string()));
    attributes.push(KeyValue::new(key::KAFKA_OFFSET, sampled.offset));
    if let Some(id) = &sampled.message_id {
        attributes.push(KeyValue::new(key::MESSAGE_ID, id.clone()));
    }
    let builder = SpanBuilder::from_name(named("process", Some(&sampled.topic)))
        .with_kind(SpanKind::Consumer)
        .with_start_time(report.started + report.times.before(Step::Handle))
        .with_attributes(attributes)
        .with_links(vec![Link::with_context(transaction.clone())]);
    let parent = Context::new().with_remote_span_context(sampled.parent.clone());
    let end = report.started + report.times.before(Step::Begin);
    tracer.build_with_context(builder, &parent).end_with_timestamp(end);
}

fn with_outcome(
    builder: SpanBuilder,
    mut attributes: Vec<KeyValue>,
    report: &TransactionReport<'_>,
) -> SpanBuilder {
    if let TransactionOutcome::Aborted(reason) = report.outcome {
        attributes.push(KeyValue::new(key::ERROR_TYPE, reason));
    }
    builder.with_attributes(attributes)
}

fn set_status(span: &mut opentelemetry_sdk::trace::Span, report: &TransactionReport<'_>) {
    if let TransactionOutcome::Aborted(_) = report.outcome {
        span.set_status(Status::error("the transaction was aborted"));
    }
}

fn common(
    report: &TransactionReport<'_>,
    name: &'static str,
    kind: &'static str,
    topic: Option<&str>,
) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new(key::SYSTEM, "kafka"),
        KeyValue::new(key::OPERATION_NAME, name),
        KeyValue::new(key::OPERATION_TYPE, kind),
        KeyValue::new(key::CONSUMER_GROUP_NAME, report.group.to_owned()),
        KeyValue::new(key::CLIENT_ID, report.lane.to_owned()),
    ];
    if let Some(topic) = topic {
        attributes.push(KeyValue::new(key::DESTINATION_NAME, topic.to_owned()));
    }
    attributes
}

/// `{operation} {destination}`, or the operation alone where it has several destinations.
fn named(operation: &'static str, topic: Option<&str>) -> Cow<'static, str> {
    match topic {
        Some(topic) => Cow::Owned(format!("{operation} {topic}")),
        None => Cow::Borrowed(operation),
    }
}

/// The context that a `traceparent` names, if it is sampled.
fn context_of(parent: &[u8], state: Option<&[u8]>) -> Option<SpanContext> {
    let text = std::str::from_utf8(parent.get(..55)?).ok()?;
    let trace_id = TraceId::from_hex(text.get(3..35)?).ok()?;
    let span_id = SpanId::from_hex(text.get(36..52)?).ok()?;
    let flags = TraceFlags::new(u8::from_str_radix(text.get(53..55)?, 16).ok()?);
    let state = state.and_then(|state| std::str::from_utf8(state).ok());
    let state = state.and_then(|state| state.parse::<TraceState>().ok()).unwrap_or_default();
    let context = SpanContext::new(trace_id, span_id, flags, true, state);
    (context.is_valid() && context.is_sampled()).then_some(context)
}

fn count(n: usize) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
