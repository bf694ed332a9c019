use std::sync::atomic::{AtomicU64, Ordering};

use domain::Status;

/// What was committed so far, of all lanes; the handlers write it, metrics read it.
#[derive(Debug, Default)]
pub struct StatusCounts {
    collected: AtomicU64,
    announced: AtomicU64,
    facts: AtomicU64,
    published: [AtomicU64; Status::ALL.len()],
    expired: AtomicU64,
    dead_letters: AtomicU64,
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
        for (total, more) in self.published.iter().zip(batch.published) {
            total.fetch_add(more, Ordering::Relaxed);
        }
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
        }
    }
}
