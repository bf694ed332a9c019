use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Decision, Hold, RejectionReason};

/// How many committed decisions there were of each kind; the handler writes it, metrics read it.
#[derive(Debug, Default)]
pub struct DecisionCounts {
    bound: AtomicU64,
    scheduled: AtomicU64,
    paused: AtomicU64,
    expired: AtomicU64,
    cancelled: AtomicU64,
    duplicate: AtomicU64,
    not_supported: [AtomicU64; RejectionReason::ALL.len()],
    dead_letters: AtomicU64,
}

/// What one batch came to, until it is committed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Bound to a template.
    pub bound: u64,
    /// Kept until its scheduled time.
    pub scheduled: u64,
    /// Kept until a template is resumed.
    pub paused: u64,
    /// Too late.
    pub expired: u64,
    /// Called off.
    pub cancelled: u64,
    /// Seen before.
    pub duplicate: u64,
    /// Not supported, by reason in the order of [`RejectionReason::ALL`].
    pub not_supported: [u64; RejectionReason::ALL.len()],
    /// Records parked in `dead-letter`; each is one of those not supported, too.
    pub dead_letters: u64,
}

impl Decisions {
    /// One decision more.
    pub fn count(&mut self, decision: &Decision<'_>) {
        match decision {
            Decision::Bound(_) => self.bound += 1,
            Decision::Held(Hold::Scheduled { .. }) => self.scheduled += 1,
            Decision::Held(Hold::Paused { .. }) => self.paused += 1,
            Decision::Expired { .. } => self.expired += 1,
            Decision::Cancelled => self.cancelled += 1,
            Decision::Duplicate { .. } => self.duplicate += 1,
            Decision::NotSupported(not_supported) => self.count_rejection(not_supported.reason),
        }
    }

    /// One rejection more.
    pub fn count_rejection(&mut self, reason: RejectionReason) {
        let index = RejectionReason::ALL.iter().position(|one| *one == reason);
        self.not_supported[index.expect("ALL has every reason")] += 1;
    }
}

impl DecisionCounts {
    /// Adds what a batch came to, once it is committed.
    pub fn add(&self, decisions: &Decisions) {
        self.bound.fetch_add(decisions.bound, Ordering::Relaxed);
        self.scheduled.fetch_add(decisions.scheduled, Ordering::Relaxed);
        self.paused.fetch_add(decisions.paused, Ordering::Relaxed);
        self.expired.fetch_add(decisions.expired, Ordering::Relaxed);
        self.cancelled.fetch_add(decisions.cancelled, Ordering::Relaxed);
        self.duplicate.fetch_add(decisions.duplicate, Ordering::Relaxed);
        self.dead_letters.fetch_add(decisions.dead_letters, Ordering::Relaxed);
        for (total, more) in self.not_supported.iter().zip(decisions.not_supported) {
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// The totals so far.
    pub fn totals(&self) -> Decisions {
        Decisions {
            bound: self.bound.load(Ordering::Relaxed),
            scheduled: self.scheduled.load(Ordering::Relaxed),
            paused: self.paused.load(Ordering::Relaxed),
            expired: self.expired.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            duplicate: self.duplicate.load(Ordering::Relaxed),
            not_supported: std::array::from_fn(|index| {
                self.not_supported[index].load(Ordering::Relaxed)
            }),
            dead_letters: self.dead_letters.load(Ordering::Relaxed),
        }
    }
}
