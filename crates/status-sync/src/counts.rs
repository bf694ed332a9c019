use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Status;
use lane::{Buckets, Histogram};

/// What was committed so far, of all lanes; the handlers write it, metrics read it.
#[derive(Debug)]
pub struct StatusCounts {
    collected: AtomicU64,
    announced: AtomicU64,
    facts: AtomicU64,
    published: [AtomicU64; Status::ALL.len()],
    expired: AtomicU64,
    dead_letters: AtomicU64,
    orphans: AtomicU64,
    restored: [Histogram; RestoreWay::ALL.len()],
}

/// How a partition's statuses were brought to the committed position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RestoreWay {
    /// The store was as of it.
    AsStored,
    /// The journal was replayed from where the store was.
    Replay,
    /// The published statuses were loaded.
    Load,
}

impl RestoreWay {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::AsStored, Self::Replay, Self::Load];

    /// The stable word: `as_stored`, `replay`, `load`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AsStored => "as_stored",
            Self::Replay => "replay",
            Self::Load => "load",
        }
    }
}

/// For what takes no time or reads a whole partition.
const RESTORING: Buckets = Buckets {
    bounds: &[10, 50, 100, 500, 1_000, 5_000, 10_000, 30_000, 60_000, 120_000, 300_000, 600_000],
    per_unit: 1_000,
};

impl Default for StatusCounts {
    fn default() -> Self {
        Self {
            collected: AtomicU64::default(),
            announced: AtomicU64::default(),
            facts: AtomicU64::default(),
            published: Default::default(),
            expired: AtomicU64::default(),
            dead_letters: AtomicU64::default(),
            orphans: AtomicU64::default(),
            restored: RestoreWay::ALL.map(|_| Histogram::new(RESTORING)),
        }
    }
}

/// The totals of [`StatusCounts`] at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusTotals {
    /// Delivery logs turned into facts.
    pub collected: u64,
    /// Events announced as received.
    pub announced: u64,
    /// Facts folded.
    pub facts: u64,
    /// Statuses published, in the order of [`Status::ALL`].
    pub published: [u64; Status::ALL.len()],
    /// Statuses buried at the end of their retention.
    pub expired: u64,
    /// Records parked in `dead-letter`.
    pub dead_letters: u64,
    /// Statuses published of events of which only delivery logs are known.
    pub orphans: u64,
}

/// What one batch came to, until it is committed.
pub(crate) type BatchCounts = StatusTotals;

impl StatusTotals {
    /// One status more.
    pub(crate) fn count_status(&mut self, status: Status) {
        let index = Status::ALL.iter().position(|one| *one == status);
        self.published[index.expect("ALL has every status")] += 1;
    }
}

impl StatusCounts {
    /// Adds what a batch came to, once it is committed.
    pub(crate) fn add(&self, batch: &BatchCounts) {
        self.collected.fetch_add(batch.collected, Ordering::Relaxed);
        self.announced.fetch_add(batch.announced, Ordering::Relaxed);
        self.facts.fetch_add(batch.facts, Ordering::Relaxed);
        self.expired.fetch_add(batch.expired, Ordering::Relaxed);
        self.dead_letters.fetch_add(batch.dead_letters, Ordering::Relaxed);
        self.orphans.fetch_add(batch.orphans, Ordering::Relaxed);
        for (total, more) in self.published.iter().zip(batch.published) {
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// A partition's statuses are restored.
    pub(crate) fn count_restored(&self, way: RestoreWay, took: Duration) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.restored[way as usize].record(took_ms);
    }

    /// How long it took to restore partitions in this way, recorded in milliseconds.
    pub const fn restored(&self, way: RestoreWay) -> &Histogram {
        &self.restored[way as usize]
    }

    /// The totals so far.
    pub fn totals(&self) -> StatusTotals {
        StatusTotals {
            collected: self.collected.load(Ordering::Relaxed),
            announced: self.announced.load(Ordering::Relaxed),
            facts: self.facts.load(Ordering::Relaxed),
            published: std::array::from_fn(|index| self.published[index].load(Ordering::Relaxed)),
            expired: self.expired.load(Ordering::Relaxed),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
            orphans: self.orphans.load(Ordering::Relaxed),
        }
    }
}
