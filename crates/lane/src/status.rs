use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use kafka::TopicPartition;

use crate::ProducerClient;

/// What a lane is doing, for health endpoints and metrics. The lane writes it, anybody reads it.
#[derive(Debug, Default)]
pub struct LaneStatus {
    phase: AtomicU8,
    client: AtomicU8,
    last_turn_ms: AtomicI64,
    records: AtomicU64,
    written: AtomicU64,
    committed: AtomicU64,
    aborted: AtomicU64,
    renewed: AtomicU64,
    rebalances: AtomicU64,
    partitions: Mutex<BTreeMap<TopicPartition, PartitionLag>>,
}

/// What a lane is doing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// It has no producer yet: the broker did not answer so far.
    #[default]
    Starting,
    /// It reads and writes.
    Running,
    /// A transaction's outcome is being found out with a new producer; the broker may be away.
    Recovering,
    /// It was told to stop and is leaving.
    Draining,
    /// It ended in order.
    Ended,
    /// It ended with an error.
    Failed,
}

/// How far one partition's commits are behind its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionLag {
    /// Records not committed yet, as offsets: control records between them count.
    pub records: u64,
    /// Age of the last committed record while records wait, in milliseconds; 0 when none do.
    pub age_ms: u64,
}

impl LaneStatus {
    /// A lane that has not begun.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// What it is doing.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Starting,
            1 => Phase::Running,
            2 => Phase::Recovering,
            3 => Phase::Draining,
            4 => Phase::Ended,
            _ => Phase::Failed,
        }
    }

    /// Which client writes its transactions; `None` while it has none.
    pub fn client(&self) -> Option<ProducerClient> {
        match self.client.load(Ordering::Relaxed) {
            1 => Some(ProducerClient::Librdkafka),
            2 => Some(ProducerClient::Native),
            _ => None,
        }
    }

    /// When its loop last came round, in milliseconds since the epoch; 0 before the first time.
    pub fn last_turn_ms(&self) -> i64 {
        self.last_turn_ms.load(Ordering::Relaxed)
    }

    /// Records whose answers are committed.
    pub fn records(&self) -> u64 {
        self.records.load(Ordering::Relaxed)
    }

    /// Records written and committed.
    pub fn written(&self) -> u64 {
        self.written.load(Ordering::Relaxed)
    }

    /// Transactions committed.
    pub fn transactions_committed(&self) -> u64 {
        self.committed.load(Ordering::Relaxed)
    }

    /// Transactions aborted and taken again.
    pub fn transactions_aborted(&self) -> u64 {
        self.aborted.load(Ordering::Relaxed)
    }

    /// Producers made anew, because the outcome of a transaction could not be known.
    pub fn producers_renewed(&self) -> u64 {
        self.renewed.load(Ordering::Relaxed)
    }

    /// Times partitions were assigned or revoked.
    pub fn rebalances(&self) -> u64 {
        self.rebalances.load(Ordering::Relaxed)
    }

    /// The partitions it has, and how far behind each is.
    pub fn partitions(&self) -> BTreeMap<TopicPartition, PartitionLag> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_phase(&self, phase: Phase) {
        let number = match phase {
            Phase::Starting => 0,
            Phase::Running => 1,
            Phase::Recovering => 2,
            Phase::Draining => 3,
            Phase::Ended => 4,
            Phase::Failed => 5,
        };
        self.phase.store(number, Ordering::Release);
    }

    pub(crate) fn set_client(&self, client: ProducerClient) {
        let number = match client {
            ProducerClient::Librdkafka => 1,
            ProducerClient::Native => 2,
        };
        self.client.store(number, Ordering::Relaxed);
    }

    pub(crate) fn turned(&self, now_ms: i64) {
        self.last_turn_ms.store(now_ms, Ordering::Relaxed);
    }

    pub(crate) fn count_commit(&self, records: usize, written: usize) {
        self.records.fetch_add(records as u64, Ordering::Relaxed);
        self.written.fetch_add(written as u64, Ordering::Relaxed);
        self.committed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_abort(&self) {
        self.aborted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_renewal(&self) {
        self.renewed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_rebalance(&self) {
        self.rebalances.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_partitions(&self, lags: BTreeMap<TopicPartition, PartitionLag>) {
        *self.partitions.lock().unwrap_or_else(PoisonError::into_inner) = lags;
    }
}
