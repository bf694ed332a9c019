//! What is known of one event.

use std::time::Instant;

use domain::{EventId, EventStatus, Folded, LaneKind, Status};

use super::ledger::FactWord;
use super::traffic::Expected;
use super::verdict::Verdict;

/// A published status, with what orders it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// What never decreases: attempt, rank, moment, reason.
    order: (u32, u8, i64, String),
    status: Status,
    /// Whatever else it says, in the order of the record's fields.
    details: String,
}

impl Shown {
    /// The status as published.
    pub fn of(status: &EventStatus<'_>) -> Self {
        Self {
            order: (
                status.attempt.get(),
                status.rank(),
                status.occurred_at.as_millis(),
                status.reason.to_string(),
            ),
            status: status.status,
            details: format!(
                "{:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {}",
                status.template_id,
                status.version,
                status.channel,
                status.assigned,
                status.lane,
                status.tenant,
                status.external_id,
                status.event_type,
                status.orphan,
            ),
        }
    }
}

/// What is known of one event.
#[derive(Debug, Default)]
pub(super) struct Entry {
    number: Option<usize>,
    expected: Option<Expected>,
    is_right_lane: bool,
    n_sent: u32,
    n_received: u32,
    n_decided: u32,
    decided: Option<FactWord>,
    n_delivery_facts: u32,
    n_logs: u32,
    assigned: Option<(LaneKind, Instant)>,
    n_assignments: u32,
    n_held: u32,
    is_held_otherwise: bool,
    folded: Folded,
    shown: Option<Shown>,
    n_regressed: u32,
}

impl Entry {
    pub(super) fn sent(&mut self, number: usize, expected: Expected, is_right_lane: bool) {
        self.number = Some(number);
        self.expected = Some(expected);
        self.is_right_lane = is_right_lane;
        self.n_sent += 1;
    }

    pub(super) fn fact(&mut self, kind: FactWord, folded: &Folded) {
        match kind {
            FactWord::Received => self.n_received += 1,
            FactWord::Decided(_) | FactWord::DecidedOtherwise => {
                self.n_decided += 1;
                self.decided = Some(kind);
            }
            FactWord::Delivery => self.n_delivery_facts += 1,
            FactWord::Other => {}
        }
        self.folded.merge(folded);
    }

    pub(super) fn assignment(&mut self, lane: LaneKind, at: Instant) {
        self.n_assignments += 1;
        self.assigned.get_or_insert((lane, at));
    }

    pub(super) fn held(&mut self, is_as_sent: bool) {
        self.n_held += 1;
        self.is_held_otherwise |= !is_as_sent;
    }

    pub(super) fn log(&mut self) {
        self.n_logs += 1;
    }

    pub(super) fn status(&mut self, status: Shown) {
        if self.shown.as_ref().is_some_and(|before| status.order < before.order) {
            self.n_regressed += 1;
        }
        self.shown = Some(status);
    }

    pub(super) fn number(&self) -> Option<usize> {
        self.number
    }

    pub(super) fn shown_status(&self) -> Option<Status> {
        self.shown.as_ref().map(|shown| shown.status)
    }

    /// The number of the event, and when its assignment was first read, if it came by `lane`.
    pub(super) fn visible(&self, lane: LaneKind) -> Option<(usize, Instant)> {
        let (by, at) = self.assigned?;
        (by == lane).then_some((self.number?, at))
    }

    fn is_bound(&self) -> bool {
        self.decided == Some(FactWord::Decided(Expected::Bound))
    }

    fn is_held(&self) -> bool {
        self.decided == Some(FactWord::Decided(Expected::Held))
    }

    /// Whether the status published is what the facts come to.
    fn is_folded(&self) -> bool {
        let id = EventId::new("any").expect("a printable id");
        self.folded.status(id).map(|status| Shown::of(&status)) == self.shown
    }

    /// Whether nothing more has to come.
    pub(super) fn is_settled(&self) -> bool {
        self.n_sent > 0
            && self.n_received > 0
            && self.n_decided > 0
            && (!self.is_bound() || self.n_assignments > 0)
            && (!self.is_held() || self.n_held > 0)
            && self.n_delivery_facts >= self.n_logs
            && self.is_folded()
    }

    /// Adds what is wrong with this event.
    pub(super) fn judge(&self, id: &str, verdict: &mut Verdict) {
        if self.n_sent == 0 {
            return verdict.duplicated(&format!("event `{id}` was never sent"));
        }
        if self.n_sent > 1 || !self.is_right_lane {
            verdict
                .duplicated(&format!("event `{id}` is in the intake topics {} times", self.n_sent));
        }
        once(verdict, id, "Received fact", self.n_received);
        once(verdict, id, "decision fact", self.n_decided);
        if self.n_decided == 1 && self.decided != self.expected.map(FactWord::Decided) {
            let (found, expected) = (self.decided, self.expected);
            verdict.lost(&format!("event `{id}` has decision {found:?}, due was {expected:?}"));
        }
        if self.is_bound() {
            once(verdict, id, "assignment", self.n_assignments);
        } else if self.n_assignments > 0 {
            verdict.duplicated(&format!("event `{id}` has an assignment and is not bound"));
        }
        if self.is_held() {
            once(verdict, id, "held event", self.n_held);
        } else if self.n_held > 0 {
            verdict.duplicated(&format!("event `{id}` is in held-event and not held"));
        }
        if self.is_held_otherwise {
            verdict.lost(&format!("event `{id}` is held other than it was sent"));
        }
        let (facts, logs) = (self.n_delivery_facts, self.n_logs);
        if facts < logs {
            verdict
                .lost(&format!("event `{id}` has {logs} delivery logs and {facts} facts of them"));
        } else if facts > logs {
            verdict.duplicated(&format!("event `{id}` has {logs} delivery logs and {facts} facts"));
        }
        if self.n_regressed > 0 {
            let finding = format!("the status of event `{id}` ran backwards");
            verdict.regressed(self.n_regressed, &finding);
        }
        if !self.is_folded() {
            let shown = self.shown_status();
            verdict.lost(&format!(
                "event `{id}` shows {shown:?}, which is not what its facts come to"
            ));
        }
    }
}

fn once(verdict: &mut Verdict, id: &str, what: &str, times: u32) {
    match times {
        1 => {}
        0 => verdict.lost(&format!("event `{id}` has no {what}")),
        _ => verdict.duplicated(&format!("event `{id}` has {times} times a {what}")),
    }
}
