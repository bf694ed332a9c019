//! The demo's own check: what the topics say of each event, held against what was sent.
//!
//! It knows nothing of the services. Everything comes from the topics, read back under
//! `read_committed`, in any order between topics and in order within a partition.

use std::collections::HashMap;
use std::time::Instant;

use domain::{Folded, LaneKind, Status};

use super::entry::Entry;
use super::traffic::{Expected, Traffic};
use super::verdict::Verdict;

/// One record of one topic, as far as the check is concerned.
#[derive(Clone, Debug)]
pub enum Observation {
    /// An event is in its intake topic.
    Intake {
        /// Its number.
        number: usize,
        /// The id it goes by.
        id: String,
        /// The side.
        lane: LaneKind,
    },
    /// A fact is in the journal.
    Fact {
        /// The event.
        id: String,
        /// What kind.
        kind: FactWord,
        /// What it comes to.
        folded: Box<Folded>,
    },
    /// An assignment is visible.
    Assignment {
        /// The event.
        id: String,
        /// The side it came by.
        lane: LaneKind,
        /// When it was read.
        at: Instant,
    },
    /// A status was published.
    Status {
        /// The event.
        id: String,
        /// The status, taken back in.
        status: Box<super::entry::Shown>,
    },
    /// A delivery service reported.
    Log {
        /// The event.
        id: String,
    },
    /// A record was parked.
    DeadLetter {
        /// The number of the event.
        number: usize,
        /// Whether key and value are those that were sent.
        is_as_sent: bool,
    },
    /// An event is kept for later.
    Held {
        /// The event.
        id: String,
        /// Whether its value is the one that was sent.
        is_as_sent: bool,
    },
    /// A record that cannot be read or belongs to no event of ours.
    Stray {
        /// Which and why.
        detail: String,
    },
}

/// The kinds of facts that the check tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactWord {
    /// The event is in an intake topic.
    Received,
    /// What binding came to.
    Decided(Expected),
    /// A decision that no event of the demo can come to: cancelled, duplicate.
    DecidedOtherwise,
    /// A delivery service reported.
    Delivery,
    /// Anything else.
    Other,
}

/// All that was observed so far.
#[derive(Debug)]
pub struct Ledger {
    traffic: Traffic,
    entries: HashMap<String, Entry>,
    /// By number of the event: how often it was read from dead-letter, and whether as it was sent.
    dead_letters: HashMap<usize, (u32, bool)>,
    strays: Vec<String>,
    n_settled: usize,
    totals: Totals,
}

/// Counts of all records read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Events in the intake topics.
    pub intake: u64,
    /// Facts in the journal.
    pub facts: u64,
    /// Assignments.
    pub assignments: u64,
    /// Statuses published, each change one.
    pub statuses: u64,
    /// Delivery logs.
    pub logs: u64,
    /// Dead letters.
    pub dead_letters: u64,
}

impl Ledger {
    /// An empty one, for this traffic.
    pub fn new(traffic: Traffic) -> Self {
        Self {
            traffic,
            entries: HashMap::with_capacity(traffic.len()),
            dead_letters: HashMap::new(),
            strays: Vec::new(),
            n_settled: 0,
            totals: Totals::default(),
        }
    }

    /// Takes in one record.
    pub fn take(&mut self, observation: Observation) {
        match observation {
            Observation::Intake { number, id, lane } => {
                self.totals.intake += 1;
                let expected = self.traffic.expected(number);
                let is_right_lane =
                    number < self.traffic.len() && self.traffic.lane(number) == lane;
                self.change(id, |entry| entry.sent(number, expected, is_right_lane));
            }
            Observation::Fact { id, kind, folded } => {
                self.totals.facts += 1;
                self.change(id, |entry| entry.fact(kind, &folded));
            }
            Observation::Assignment { id, lane, at } => {
                self.totals.assignments += 1;
                self.change(id, |entry| entry.assignment(lane, at));
            }
            Observation::Status { id, status } => {
                self.totals.statuses += 1;
                self.change(id, |entry| entry.status(*status));
            }
            Observation::Log { id } => {
                self.totals.logs += 1;
                self.change(id, Entry::log);
            }
            Observation::DeadLetter { number, is_as_sent } => {
                self.totals.dead_letters += 1;
                let parked = self.dead_letters.entry(number).or_insert((0, true));
                *parked = (parked.0 + 1, parked.1 && is_as_sent);
            }
            Observation::Held { id, is_as_sent } => {
                self.change(id, |entry| entry.held(is_as_sent));
            }
            Observation::Stray { detail } => self.strays.push(detail),
        }
    }

    fn change(&mut self, id: String, change: impl FnOnce(&mut Entry)) {
        let entry = self.entries.entry(id).or_default();
        let before = entry.is_settled();
        change(entry);
        match (before, entry.is_settled()) {
            (false, true) => self.n_settled += 1,
            (true, false) => self.n_settled -= 1,
            (true, true) | (false, false) => {}
        }
    }

    /// How many events are accounted for, for the moment: sent, decided, assigned if bound, kept if
    /// held, every report taken in, and the status published that all of it comes to.
    pub fn n_settled(&self) -> usize {
        self.n_settled
    }

    /// Whether every event is accounted for, and every malformed one parked.
    pub fn is_settled(&self) -> bool {
        let n_malformed =
            (0..self.traffic.len()).filter(|number| is_malformed(self.traffic, *number));
        self.n_settled >= self.traffic.len() && self.dead_letters.len() >= n_malformed.count()
    }

    /// How many records were read of each kind.
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// How many events have each status now.
    pub fn statuses(&self) -> Vec<(Status, usize)> {
        let count = |status: Status| {
            self.entries.values().filter(|entry| entry.shown_status() == Some(status)).count()
        };
        Status::ALL.into_iter().map(|status| (status, count(status))).collect()
    }

    /// One event of each status that has any, by its id.
    pub fn examples(&self) -> Vec<(Status, &str)> {
        let example = |status: Status| {
            let of_status =
                self.entries.iter().filter(|(_, entry)| entry.shown_status() == Some(status));
            // Shortest first: those that a producer named are easier to read than those that it did not.
            let ids = of_status.map(|(id, _)| id.as_str());
            Some((status, ids.min_by_key(|id| (id.len(), *id))?))
        };
        Status::ALL.into_iter().filter_map(example).collect()
    }

    /// For each assignment of this side: the event's number and when it was first read.
    pub fn visible(&self, lane: LaneKind) -> impl Iterator<Item = (usize, Instant)> {
        self.entries.values().filter_map(move |entry| entry.visible(lane))
    }

    /// Everything that is wrong, now. Only at the end is what is missing lost.
    pub fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let mut sent = vec![false; self.traffic.len()];
        let mut entries: Vec<(&String, &Entry)> = self.entries.iter().collect();
        entries.sort_by_key(|(id, _)| id.as_str());
        for (id, entry) in entries {
            if let Some(seen) = entry.number().and_then(|number| sent.get_mut(number)) {
                *seen = true;
            }
            entry.judge(id, &mut verdict);
        }
        for (number, _) in sent.iter().enumerate().filter(|(_, seen)| !**seen) {
            verdict.lost(&format!("event number {number} is in no intake topic"));
        }
        for number in 0..self.traffic.len() {
            let parked = self.dead_letters.get(&number);
            match (is_malformed(self.traffic, number), parked) {
                (true, Some((1, true))) | (false, None) => {}
                (true, None) => {
                    verdict.lost(&format!("malformed event number {number} is not parked"));
                }
                (true, Some((1, false))) => {
                    verdict
                        .lost(&format!("event number {number} is parked other than it was sent"));
                }
                (true, Some((times, _))) => {
                    verdict.duplicated(&format!("event number {number} is parked {times} times"));
                }
                (false, Some(_)) => {
                    verdict
                        .duplicated(&format!("event number {number} is parked and not malformed"));
                }
            }
        }
        for stray in &self.strays {
            verdict.duplicated(stray);
        }
        verdict
    }
}

fn is_malformed(traffic: Traffic, number: usize) -> bool {
    traffic.expected(number) == Expected::NotSupported(domain::RejectionReason::Undecodable)
}

#[cfg(test)]
mod tests;
