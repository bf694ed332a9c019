use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kafka::TopicPartition;

use crate::{Buckets, Histogram, Outbox, Step, StepTimes, Tally};

/// Where the time of committed transactions went, and what was in them.
#[derive(Debug)]
pub struct TransactionDetail {
    /// Records answered in one transaction.
    pub batch_records: Histogram,
    /// Bytes of keys and values answered in one.
    pub batch_bytes: Histogram,
    /// From a record's timestamp to its commit, recorded in milliseconds.
    pub latency: Histogram,
    steps: [Histogram; Step::ALL.len()],
    sending: Histogram,
    settling: Histogram,
    consumed: Mutex<BTreeMap<Arc<str>, u64>>,
    sent: Mutex<BTreeMap<Arc<str>, u64>>,
}

/// One committed batch, as the status counts it.
pub(crate) struct CommittedBatch<'a> {
    pub(crate) n_records: usize,
    pub(crate) bytes: usize,
    pub(crate) outbox: &'a Outbox,
    pub(crate) times: &'a StepTimes,
    /// The latency of each record.
    pub(crate) latency: &'a Tally,
    /// How many records came from each partition.
    pub(crate) partitions: &'a mut dyn Iterator<Item = (&'a TopicPartition, u64)>,
}

/// For what takes from half a millisecond to ten seconds.
const DURATION: Buckets = Buckets {
    bounds: &[
        500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 75_000, 100_000, 250_000, 500_000,
        1_000_000, 2_500_000, 5_000_000, 10_000_000,
    ],
    per_unit: 1_000_000,
};
/// For what is a few milliseconds when all is well and hours after an outage.
const LATENCY: Buckets = Buckets {
    bounds: &[
        5, 10, 25, 50, 75, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
        3_600_000,
    ],
    per_unit: 1_000,
};
const RECORDS: Buckets =
    Buckets { bounds: &[1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000], per_unit: 1 };
const BYTES: Buckets = Buckets {
    bounds: &[
        1 << 10,
        1 << 12,
        1 << 14,
        1 << 16,
        1 << 18,
        1 << 20,
        1 << 21,
        1 << 22,
        1 << 23,
        1 << 24,
    ],
    per_unit: 1,
};

impl Default for TransactionDetail {
    fn default() -> Self {
        Self {
            batch_records: Histogram::new(RECORDS),
            batch_bytes: Histogram::new(BYTES),
            latency: Histogram::new(LATENCY),
            steps: Step::ALL.map(|_| Histogram::new(DURATION)),
            sending: Histogram::new(DURATION),
            settling: Histogram::new(DURATION),
            consumed: Mutex::default(),
            sent: Mutex::default(),
        }
    }
}

impl TransactionDetail {
    /// What `step` took, recorded in microseconds.
    pub const fn step(&self, step: Step) -> &Histogram {
        &self.steps[step as usize]
    }

    /// What sending took, acknowledgements included.
    pub const fn sending(&self) -> &Histogram {
        &self.sending
    }

    /// What settling took: sending the offsets and committing.
    pub const fn settling(&self) -> &Histogram {
        &self.settling
    }

    /// Records answered, by the topic they came from.
    pub fn consumed(&self) -> BTreeMap<Arc<str>, u64> {
        self.consumed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records written, by the topic they went to.
    pub fn sent(&self) -> BTreeMap<Arc<str>, u64> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Records one committed batch.
    pub(crate) fn record(&self, batch: &mut CommittedBatch<'_>) {
        self.batch_records.record(batch.n_records as u64);
        self.batch_bytes.record(batch.bytes as u64);
        self.latency.add(batch.latency);
        for (step, histogram) in Step::ALL.into_iter().zip(&self.steps) {
            histogram.record(micros(batch.times.of(step)));
        }
        let times = batch.times;
        self.sending.record(micros(times.of(Step::Send) + times.of(Step::Drain)));
        self.settling.record(micros(times.of(Step::Offsets) + times.of(Step::Commit)));
        let mut consumed = self.consumed.lock().unwrap_or_else(PoisonError::into_inner);
        for (partition, records) in &mut *batch.partitions {
            add(&mut consumed, &partition.topic, records);
        }
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        for (topic, records) in batch.outbox.counts().filter(|(_, records)| *records > 0) {
            add(&mut sent, &topic.name, records);
        }
    }
}

fn add(counts: &mut BTreeMap<Arc<str>, u64>, topic: &Arc<str>, records: u64) {
    // A topic is new once in a lane's life.
    match counts.get_mut(topic) {
        Some(count) => *count += records,
        None => _ = counts.insert(Arc::clone(topic), records),
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}
