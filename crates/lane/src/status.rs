use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use kafka::{NextOffset, TopicPartition};

use crate::TransactionDetail;

use crate::ProducerClient;

/// What a lane is doing, for health endpoints and metrics. The lane writes it, anybody reads it.
#[derive(Debug)]
pub struct LaneStatus {
    phase: AtomicU8,
    client: AtomicU8,
    last_turn_ms: AtomicI64,
    group: OnceLock<String>,
    records: AtomicU64,
    written: AtomicU64,
    committed: AtomicU64,
    aborted: AtomicU64,
    renewed: [AtomicU64; RenewalReason::ALL.len()],
    rebalances: [AtomicU64; Rebalance::ALL.len()],
    partitions: Mutex<BTreeMap<TopicPartition, PartitionLag>>,
    detail: Option<TransactionDetail>,
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

/// What a rebalance did to a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rebalance {
    /// Partitions came.
    Assigned,
    /// Partitions went, and the lane could finish with them first.
    Revoked,
    /// Partitions had gone already: the group had given the lane up.
    Lost,
}

impl Rebalance {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Assigned, Self::Revoked, Self::Lost];

    /// The stable word: `assigned`, `revoked`, `lost`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Assigned => "assigned",
            Self::Revoked => "revoked",
            Self::Lost => "lost",
        }
    }
}

/// Why nobody knew what became of a transaction, so that its producer was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalReason {
    /// A call failed.
    Failed,
    /// A call took so long that a copy of its request may still be under way.
    Slow,
    /// A connection broke.
    Disconnected,
    /// Not every record was acknowledged in time.
    NotAcknowledged,
}

impl RenewalReason {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Failed, Self::Slow, Self::Disconnected, Self::NotAcknowledged];

    /// The stable word: `failed`, `slow`, `disconnected`, `not_acknowledged`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Slow => "slow",
            Self::Disconnected => "disconnected",
            Self::NotAcknowledged => "not_acknowledged",
        }
    }
}

/// How far one partition's commits are behind its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PartitionLag {
    /// Records not committed yet, as offsets: control records between them count.
    pub records: u64,
    /// Age of the last committed record while records wait, in milliseconds; 0 when none do.
    pub age_ms: u64,
    /// Offsets behind a transaction that is still open: nobody is given them.
    pub hidden: u64,
    /// What this lane has committed since the partition came to it.
    pub committed: Option<NextOffset>,
}

impl Default for LaneStatus {
    fn default() -> Self {
        Self::with(Some(TransactionDetail::default()))
    }
}

impl LaneStatus {
    /// A lane that has not begun.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    /// One that does not record where the time of its transactions goes: what measuring is measured
    /// against.
    pub fn without_detail() -> Arc<Self> {
        Arc::new(Self::with(None))
    }

    fn with(detail: Option<TransactionDetail>) -> Self {
        Self {
            phase: AtomicU8::default(),
            client: AtomicU8::default(),
            last_turn_ms: AtomicI64::default(),
            group: OnceLock::new(),
            records: AtomicU64::default(),
            written: AtomicU64::default(),
            committed: AtomicU64::default(),
            aborted: AtomicU64::default(),
            renewed: Default::default(),
            rebalances: Default::default(),
            partitions: Mutex::default(),
            detail,
        }
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

    /// Its consumer group; empty before it has begun.
    pub fn group(&self) -> &str {
        self.group.get().map_or("", String::as_str)
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
        RenewalReason::ALL.into_iter().map(|reason| self.renewals(reason)).sum()
    }

    /// Producers made anew for one reason.
    pub fn renewals(&self, reason: RenewalReason) -> u64 {
        self.renewed[reason as usize].load(Ordering::Relaxed)
    }

    /// Times partitions came or went in this way.
    pub fn rebalances(&self, kind: Rebalance) -> u64 {
        self.rebalances[kind as usize].load(Ordering::Relaxed)
    }

    /// The partitions it has, and how far behind each is.
    pub fn partitions(&self) -> BTreeMap<TopicPartition, PartitionLag> {
        self.partitions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where the time of its transactions went; `None` where that is not recorded.
    pub const fn detail(&self) -> Option<&TransactionDetail> {
        self.detail.as_ref()
    }

    pub(crate) fn set_group(&self, group: &str) {
        self.group.get_or_init(|| group.to_owned());
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

    pub(crate) fn count_commit(&self, n_records: usize, n_written: usize) {
        self.records.fetch_add(n_records as u64, Ordering::Relaxed);
        self.written.fetch_add(n_written as u64, Ordering::Relaxed);
        self.committed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_abort(&self) {
        self.aborted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_renewal(&self, reason: RenewalReason) {
        self.renewed[reason as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_rebalance(&self, kind: Rebalance) {
        self.rebalances[kind as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn set_partitions(&self, lags: BTreeMap<TopicPartition, PartitionLag>) {
        *self.partitions.lock().unwrap_or_else(PoisonError::into_inner) = lags;
    }
}
