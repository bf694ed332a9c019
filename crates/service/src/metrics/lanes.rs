use std::sync::Arc;

use lane::{LaneStatus, Phase, Rebalance, RenewalReason, Step, TransactionDetail};

use super::samples::float;
use super::{MetricSource, Samples, names};

/// Every phase with its label.
const PHASES: [(Phase, &str); 6] = [
    (Phase::Starting, "starting"),
    (Phase::Running, "running"),
    (Phase::Recovering, "recovering"),
    (Phase::Draining, "draining"),
    (Phase::Ended, "ended"),
    (Phase::Failed, "failed"),
];

/// `messaging.system`.
const KAFKA: &str = "kafka";

/// The metrics of one lane.
pub(super) struct LaneSource {
    name: String,
    status: Arc<LaneStatus>,
}

impl LaneSource {
    pub(super) const fn new(name: String, status: Arc<LaneStatus>) -> Self {
        Self { name, status }
    }

    fn read_state(&self, now_ms: i64, samples: &mut Samples) {
        let (lane, status) = (self.name.as_str(), &self.status);
        let phase = status.phase();
        for (candidate, name) in PHASES {
            let is_it = f64::from(u8::from(candidate == phase));
            samples.gauge(names::LANE_PHASE, &[lane, name], is_it);
        }
        if let Some(client) = status.client() {
            samples.gauge(names::LANE_CLIENT, &[lane, client.as_str()], 1.0);
        }
        let last = status.last_turn_ms();
        // Before the first turn there is no age.
        let since = if last == 0 { 0 } else { now_ms.saturating_sub(last) };
        samples.gauge(names::LANE_LOOP_AGE_SECONDS, &[lane], seconds(since));
        for kind in Rebalance::ALL {
            let labels = [lane, kind.as_str()];
            samples.counter(names::LANE_REBALANCES_TOTAL, &labels, status.rebalances(kind));
        }
        for reason in RenewalReason::ALL {
            let labels = [lane, reason.as_str()];
            samples.counter(names::LANE_PRODUCERS_RENEWED_TOTAL, &labels, status.renewals(reason));
        }
    }

    fn read_counts(&self, samples: &mut Samples) {
        let (lane, status) = (self.name.as_str(), &self.status);
        samples.counter(names::LANE_RECORDS_TOTAL, &[lane], status.records());
        samples.counter(names::LANE_WRITTEN_TOTAL, &[lane], status.written());
        let outcomes = [
            ("committed", status.transactions_committed()),
            ("aborted", status.transactions_aborted()),
        ];
        for (outcome, count) in outcomes {
            samples.counter(names::LANE_TRANSACTIONS_TOTAL, &[lane, outcome], count);
        }
    }

    fn read_partitions(&self, samples: &mut Samples) {
        let partitions = self.status.partitions();
        samples.gauge(
            names::LANE_PARTITIONS,
            &[self.name.as_str()],
            float(partitions.len() as u64),
        );
        for (at, lag) in partitions {
            let partition = at.partition.to_string();
            let labels = [self.name.as_str(), &at.topic, &partition];
            samples.gauge(names::LANE_LAG_RECORDS, &labels, float(lag.records));
            let age_ms = i64::try_from(lag.age_ms).unwrap_or(i64::MAX);
            samples.gauge(names::LANE_LAG_SECONDS, &labels, seconds(age_ms));
            samples.gauge(names::LANE_LSO_GAP_RECORDS, &labels, float(lag.hidden));
            if let Some(committed) = lag.committed {
                let committed = u64::try_from(committed.get()).unwrap_or(0);
                samples.gauge(names::LANE_COMMITTED_OFFSET, &labels, float(committed));
            }
        }
    }

    fn read_detail(&self, detail: &TransactionDetail, samples: &mut Samples) {
        let lane = self.name.as_str();
        samples.histogram(names::BATCH_RECORDS, &[lane], &detail.batch_records.read());
        samples.histogram(names::BATCH_BYTES, &[lane], &detail.batch_bytes.read());
        samples.histogram(names::END_TO_END_LATENCY_SECONDS, &[lane], &detail.latency.read());
        for step in Step::ALL {
            let labels = [lane, step.as_str()];
            let reading = detail.step(step).read();
            samples.histogram(names::TRANSACTION_PHASE_DURATION_SECONDS, &labels, &reading);
        }
    }

    /// The same in the terms of OpenTelemetry.
    fn read_messaging(&self, detail: &TransactionDetail, samples: &mut Samples) {
        let (lane, group) = (self.name.as_str(), self.status.group());
        for (topic, count) in detail.consumed() {
            let labels = [KAFKA, "poll", &topic, group, lane];
            samples.counter(names::CONSUMED_MESSAGES_TOTAL, &labels, count);
        }
        for (topic, count) in detail.sent() {
            let labels = [KAFKA, "send", &topic, lane];
            samples.counter(names::SENT_MESSAGES_TOTAL, &labels, count);
        }
        let handled = detail.step(Step::Handle).read();
        let labels = [KAFKA, "process", group, lane];
        samples.histogram(names::PROCESS_DURATION_SECONDS, &labels, &handled);
        let operations = [
            ("poll", "receive", detail.step(Step::Collect)),
            ("send", "send", detail.sending()),
            ("commit", "settle", detail.settling()),
        ];
        for (name, kind, histogram) in operations {
            let labels = [KAFKA, name, kind, group, lane];
            samples.histogram(names::OPERATION_DURATION_SECONDS, &labels, &histogram.read());
        }
    }
}

impl MetricSource for LaneSource {
    fn read(&self, now_ms: i64, samples: &mut Samples) {
        self.read_state(now_ms, samples);
        self.read_counts(samples);
        self.read_partitions(samples);
        if let Some(detail) = self.status.detail() {
            self.read_detail(detail, samples);
            self.read_messaging(detail, samples);
        }
    }
}

/// Milliseconds as seconds; 0 for what lies in the future.
pub(crate) fn seconds(ms: i64) -> f64 {
    float(u64::try_from(ms).unwrap_or(0)) / 1000.0
}
