//! What became of each assignment, told to `delivery-log`.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use crate::contract::{Assignment, DeliveryLog};
use crate::mix::Fate;
use crate::settings::Settings;

/// How long the broker may take for what was queued.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);

/// The reports that an assignment of this fate causes, in the order they are written, each with
/// whether it has to wait as a late bounce does.
pub(crate) fn reports(
    assignment: &Assignment,
    fate: Fate,
    now: jiff::Timestamp,
) -> Vec<(DeliveryLog, bool)> {
    let log = |outcome, reason, kind, after_ms: i64| DeliveryLog {
        assignment_id: assignment.assignment_id.clone(),
        outcome,
        reason,
        kind,
        occurred_at: now + jiff::SignedDuration::from_millis(after_ms),
        provider: "example",
        trace: assignment.trace.clone(),
    };
    let sent = log("sent", None, None, 0);
    let bounce = |after_ms| log("failed", Some("mailbox_full"), Some("soft"), after_ms);
    match fate {
        Fate::Sent => vec![(sent, false)],
        Fate::Ignored => vec![(log("ignored", Some("denylisted"), Some("ignored"), 0), false)],
        Fate::Failed => vec![(log("failed", Some("user_unknown"), Some("hard"), 0), false)],
        Fate::BouncedLate => vec![(sent, false), (bounce(1), true)],
        Fate::ReportedTwice => vec![(sent.clone(), false), (sent, false)],
        Fate::OutOfOrder => vec![(bounce(1), false), (sent, false)],
        Fate::StillOut => vec![(log("accepted", None, None, 0), false)],
    }
}

/// The report for an assignment whose message could not be made.
pub(crate) fn content_error(assignment: &Assignment, now: jiff::Timestamp) -> DeliveryLog {
    DeliveryLog {
        assignment_id: assignment.assignment_id.clone(),
        outcome: "failed",
        reason: Some("content_error"),
        kind: Some("hard"),
        occurred_at: now,
        provider: "example",
        trace: assignment.trace.clone(),
    }
}

/// The report for an assignment that came after its expiration.
pub(crate) fn too_late(assignment: &Assignment, now: jiff::Timestamp) -> DeliveryLog {
    DeliveryLog {
        outcome: "ignored",
        reason: Some("expired"),
        kind: Some("ignored"),
        ..content_error(assignment, now)
    }
}

/// Remembers the first report that the broker did not take: its assignment must not be committed.
#[derive(Default)]
struct Refusals(Mutex<Option<KafkaError>>);

impl Refusals {
    fn first(&self) -> Option<KafkaError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ClientContext for Refusals {}

impl ProducerContext for Refusals {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            let mut first = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert_with(|| error.clone());
        }
    }
}

/// Writes reports; keeps those that have to wait.
pub(crate) struct Reporter {
    producer: ThreadedProducer<Refusals>,
    topic: String,
    bounce_after: Duration,
    /// The earliest first.
    waiting: BinaryHeap<Reverse<(Instant, u64)>>,
    waiting_logs: HashMap<u64, DeliveryLog>,
    next: u64,
    n_written: u64,
}

impl Reporter {
    /// Connects in the background.
    ///
    /// # Errors
    /// Where the client refuses its settings.
    pub(crate) fn new(settings: &Settings) -> anyhow::Result<Self> {
        let producer = settings
            .client()
            .set("enable.idempotence", "true")
            .set("linger.ms", "5")
            .create_with_context(Refusals::default())?;
        Ok(Self {
            producer,
            topic: settings.delivery_log.clone(),
            bounce_after: settings.bounce_after,
            waiting: BinaryHeap::new(),
            waiting_logs: HashMap::new(),
            next: 0,
            n_written: 0,
        })
    }

    /// Queues `log` now.
    ///
    /// # Errors
    /// Where the broker does not take it in time.
    pub(crate) fn write(&mut self, log: &DeliveryLog) -> anyhow::Result<()> {
        let value = serde_json::to_vec(log)?;
        let mut record = BaseRecord::to(&self.topic)
            .key(log.assignment_id.as_bytes())
            .payload(&value)
            .headers(headers(log));
        loop {
            match self.producer.send(record) {
                Ok(()) => {
                    self.n_written += 1;
                    return Ok(());
                }
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => {
                    record = refused;
                    self.flush()?;
                }
                Err((error, _)) => return Err(error).context("a report cannot be written"),
            }
        }
    }

    /// Keeps `log` for as long as a bounce takes.
    pub(crate) fn write_later(&mut self, log: DeliveryLog) {
        self.waiting.push(Reverse((Instant::now() + self.bounce_after, self.next)));
        self.waiting_logs.insert(self.next, log);
        self.next += 1;
    }

    /// Queues the reports whose time has come.
    ///
    /// # Errors
    /// As [`Reporter::write`].
    pub(crate) fn write_due(&mut self) -> anyhow::Result<()> {
        while let Some(Reverse((due, number))) = self.waiting.peek().copied()
            && due <= Instant::now()
        {
            self.waiting.pop();
            if let Some(log) = self.waiting_logs.remove(&number) {
                self.write(&log)?;
            }
        }
        Ok(())
    }

    /// How many reports were queued so far; after [`Reporter::flush`] the broker has them.
    pub(crate) fn n_written(&self) -> u64 {
        self.n_written
    }

    /// How many reports wait for their time.
    pub(crate) fn n_waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Waits until the broker has everything that was written.
    ///
    /// # Errors
    /// Where it does not take it in time, or not at all: too large, or not allowed.
    pub(crate) fn flush(&self) -> anyhow::Result<()> {
        if self.producer.flush(FLUSH_TIMEOUT).is_err() {
            bail!("the broker did not take the reports within {FLUSH_TIMEOUT:?}");
        }
        match self.producer.context().first() {
            Some(refusal) => Err(refusal).context("the broker refused a report"),
            None => Ok(()),
        }
    }
}

/// How the report is written, and the trace it belongs to: Bindery passes it on to the status.
fn headers(log: &DeliveryLog) -> OwnedHeaders {
    let content_type = Header { key: "content-type", value: Some("application/json") };
    let headers = OwnedHeaders::new_with_capacity(3).insert(content_type);
    log.trace
        .headers()
        .fold(headers, |headers, (key, value)| headers.insert(Header { key, value: Some(value) }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    use rdkafka::message::Headers as _;
    use rdkafka::mocking::MockCluster;
    use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

    use super::*;
    use crate::contract::Trace;
    use crate::mix::Mix;

    #[track_caller]
    fn check(fate: Fate, expected: &str) {
        let assignment = Assignment { assignment_id: "e1:1".into(), ..Assignment::default() };
        let described: Vec<String> = reports(&assignment, fate, jiff::Timestamp::UNIX_EPOCH)
            .iter()
            .map(|(log, later)| {
                let at = log.occurred_at.as_millisecond();
                format!("{}@{at}{}", log.outcome, if *later { " later" } else { "" })
            })
            .collect();
        assert_eq!(described.join(", "), expected);
    }

    #[test]
    fn every_fate_has_its_reports() {
        check(Fate::Sent, "sent@0");
        check(Fate::Ignored, "ignored@0");
        check(Fate::Failed, "failed@0");
        check(Fate::BouncedLate, "sent@0, failed@1 later");
        check(Fate::ReportedTwice, "sent@0, sent@0");
        check(Fate::OutOfOrder, "failed@1, sent@0");
        check(Fate::StillOut, "accepted@0");
    }

    #[test]
    fn a_report_goes_on_with_the_trace_of_its_assignment() {
        let trace = Trace { parent: Some(b"00-1-2-01".to_vec()), state: Some(b"a=1".to_vec()) };
        let assignment = Assignment { trace, ..Assignment::default() };
        let check = |log: &DeliveryLog, expected: &[&str]| {
            let headers = headers(log);
            let written: Vec<String> = headers
                .iter()
                .map(|header| {
                    let value = String::from_utf8_lossy(header.value.unwrap_or_default());
                    format!("{}={value}", header.key)
                })
                .collect();
            assert_eq!(written, expected);
        };
        let traced = ["content-type=application/json", "traceparent=00-1-2-01", "tracestate=a=1"];
        let now = jiff::Timestamp::UNIX_EPOCH;
        for (log, _) in reports(&assignment, Fate::BouncedLate, now) {
            check(&log, &traced);
        }
        check(&content_error(&assignment, now), &traced);
        check(&too_late(&assignment, now), &traced);
        let untraced = too_late(&Assignment::default(), now);
        check(&untraced, &["content-type=application/json"]);
    }

    #[test]
    fn a_report_that_the_broker_refuses_is_not_taken_for_written() {
        let broker = MockCluster::new(1).unwrap();
        let settings = Settings {
            bootstrap_servers: broker.bootstrap_servers(),
            properties: BTreeMap::new(),
            group: "test".into(),
            assignments: Vec::new(),
            template_content: String::new(),
            delivery_log: "delivery-log".into(),
            out: PathBuf::new(),
            files_max: 0,
            mix: Mix::default(),
            bounce_after: Duration::ZERO,
        };
        let mut reporter = Reporter::new(&settings).unwrap();
        let log = content_error(&Assignment::default(), jiff::Timestamp::UNIX_EPOCH);
        reporter.write(&log).unwrap();
        reporter.flush().unwrap();
        let refused = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
        broker.request_errors(RDKafkaApiKey::Produce, &[refused]);
        reporter.write(&log).unwrap();
        assert!(reporter.flush().is_err(), "it is lost");
    }
}
