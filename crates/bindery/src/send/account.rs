//! What became of the lines that were sent.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Kept by two threads: the one that sends, and the client's own, which hears of deliveries. As large
/// as what is on its way, which the client bounds.
#[derive(Debug, Default)]
pub(super) struct Account(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// Lines on their way.
    unsettled: BTreeSet<u64>,
    n_acknowledged: u64,
    /// Lines that did not arrive, and why, which nobody has taken yet.
    undelivered: Vec<(u64, String)>,
}

impl Account {
    /// Line `number` is about to be sent.
    pub(super) fn send(&self, number: u64) {
        self.entries().unsettled.insert(number);
    }

    /// It was not sent after all.
    pub(super) fn take_back(&self, number: u64) {
        self.entries().unsettled.remove(&number);
    }

    /// The broker has it, or does not and why.
    pub(super) fn settle(&self, number: u64, outcome: Result<(), String>) {
        let mut entries = self.entries();
        entries.unsettled.remove(&number);
        match outcome {
            Ok(()) => entries.n_acknowledged += 1,
            Err(detail) => entries.undelivered.push((number, detail)),
        }
    }

    /// How many the broker has.
    pub(super) fn n_acknowledged(&self) -> u64 {
        self.entries().n_acknowledged
    }

    /// The lines that did not arrive since this was last asked.
    pub(super) fn take_undelivered(&self) -> Vec<(u64, String)> {
        std::mem::take(&mut self.entries().undelivered)
    }

    /// How many are on their way, and the first of them.
    pub(super) fn unsettled(&self) -> (u64, Option<u64>) {
        let entries = self.entries();
        (entries.unsettled.len() as u64, entries.unsettled.first().copied())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_on_its_way_until_it_is_settled() {
        let account = Account::default();
        for number in [2, 3, 5] {
            account.send(number);
        }
        assert_eq!(account.unsettled(), (3, Some(2)));
        account.settle(3, Ok(()));
        account.settle(2, Err("no".into()));
        assert_eq!(account.unsettled(), (1, Some(5)));
        account.take_back(5);
        assert_eq!(account.unsettled(), (0, None));
        assert_eq!(account.n_acknowledged(), 1);
        assert_eq!(account.take_undelivered(), [(2, "no".to_owned())]);
        assert_eq!(account.take_undelivered(), []);
    }
}
