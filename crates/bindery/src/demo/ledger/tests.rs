use domain::{
    Attempt, Channel, EventId, Fact, FactKind, Outcome, RejectionReason, Revision, TemplateVersion,
    Timestamp,
};

use super::super::entry::Shown;
use super::*;

const N_EVENTS: usize = 200;

fn traffic() -> Traffic {
    Traffic::new(N_EVENTS, 7, Timestamp::default())
}

fn id(number: usize) -> String {
    format!("e{number}")
}

fn fact(number: usize, at_ms: i64, kind: FactKind<'static>) -> Fact<'static> {
    Fact {
        event_id: EventId::new(id(number)).unwrap(),
        attempt: Attempt::FIRST,
        occurred_at: Timestamp::from_millis(at_ms),
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        kind,
    }
}

fn decision(expected: Expected) -> FactKind<'static> {
    match expected {
        Expected::Bound => FactKind::Bound {
            template_id: "t".into(),
            version: TemplateVersion(1),
            channel: Channel::EMAIL,
            revision: Revision(1),
            losers: Vec::new().into(),
        },
        Expected::Held => {
            FactKind::Held(domain::Hold::Scheduled { until: Timestamp::from_millis(9) })
        }
        Expected::Expired => FactKind::Expired,
        Expected::NotSupported(reason) => FactKind::NotSupported(domain::NotSupported {
            reason,
            detail: "".into(),
            nearest: None,
        }),
    }
}

/// Writes what the services would have written, one event after the other.
#[derive(Default)]
struct Scribe {
    observations: Vec<Observation>,
}

impl Scribe {
    fn fact(&mut self, word: FactWord, fact: &Fact<'_>, folded: &mut Folded) {
        let id = fact.event_id.to_string();
        let one = Box::new(Folded::of(fact));
        self.observations.push(Observation::Fact { id: id.clone(), kind: word, folded: one });
        folded.apply(fact);
        let status = folded.status(fact.event_id.borrowed()).expect("a status");
        let status = Box::new(Shown::of(&status));
        self.observations.push(Observation::Status { id, status });
    }

    fn event(&mut self, traffic: Traffic, number: usize) {
        let (lane, expected) = (traffic.lane(number), traffic.expected(number));
        let mut folded = Folded::default();
        self.observations.push(Observation::Intake { number, id: id(number), lane });
        self.fact(FactWord::Received, &fact(number, 1, FactKind::Received), &mut folded);
        let decided = fact(number, 2, decision(expected));
        self.fact(FactWord::Decided(expected), &decided, &mut folded);
        if expected == Expected::Bound {
            let at = Instant::now();
            self.observations.push(Observation::Assignment { id: id(number), lane, at });
            self.observations.push(Observation::Log { id: id(number) });
            let outcome = FactKind::Delivery {
                outcome: Outcome::Sent,
                reason: None,
                kind: None,
                provider: None,
                provider_message_id: None,
            };
            self.fact(FactWord::Delivery, &fact(number, 3, outcome), &mut folded);
        }
        if expected == Expected::Held {
            self.observations.push(Observation::Held { id: id(number), is_as_sent: true });
        }
        if expected == Expected::NotSupported(RejectionReason::Undecodable) {
            self.observations.push(Observation::DeadLetter { number, is_as_sent: true });
        }
    }
}

/// What a run without a fault leaves in the topics.
fn sound() -> Vec<Observation> {
    let mut scribe = Scribe::default();
    (0..N_EVENTS).for_each(|number| scribe.event(traffic(), number));
    scribe.observations
}

fn ledger(observations: Vec<Observation>) -> Ledger {
    let mut ledger = Ledger::new(traffic());
    observations.into_iter().for_each(|observation| ledger.take(observation));
    ledger
}

#[track_caller]
fn check(observations: Vec<Observation>, (lost, duplicated, regressed): (u64, u64, u64)) {
    let verdict = ledger(observations).verdict();
    let found = (verdict.lost, verdict.duplicated, verdict.regressed);
    assert_eq!(found, (lost, duplicated, regressed), "{:?}", verdict.findings);
}

/// The first observation of this kind, for event 1, which is bound.
fn position(observations: &[Observation], matches: impl Fn(&Observation) -> bool) -> usize {
    observations.iter().position(matches).expect("such an observation")
}

fn is_decision(observation: &Observation) -> bool {
    matches!(observation, Observation::Fact { id, kind: FactWord::Decided(Expected::Bound), .. }
        if id == "e1")
}

fn is_assignment(observation: &Observation) -> bool {
    matches!(observation, Observation::Assignment { id, .. } if id == "e1")
}

fn is_delivery(observation: &Observation) -> bool {
    matches!(observation, Observation::Fact { id, kind: FactWord::Delivery, .. } if id == "e1")
}

fn is_parked(observation: &Observation) -> bool {
    matches!(observation, Observation::DeadLetter { .. })
}

fn is_held(observation: &Observation) -> bool {
    matches!(observation, Observation::Held { .. })
}

fn without(matches: impl Fn(&Observation) -> bool) -> Vec<Observation> {
    let mut observations = sound();
    let at = position(&observations, matches);
    observations.remove(at);
    observations
}

fn twice(matches: impl Fn(&Observation) -> bool) -> Vec<Observation> {
    let mut observations = sound();
    let at = position(&observations, matches);
    observations.insert(at, observations[at].clone());
    observations
}

#[test]
fn a_sound_run_is_good_and_settled() {
    let ledger = ledger(sound());
    assert!(ledger.verdict().is_good(), "{:?}", ledger.verdict().findings);
    assert!(ledger.is_settled());
    let total: usize = ledger.statuses().iter().map(|(_, count)| count).sum();
    assert_eq!(total, N_EVENTS);
}

#[test]
fn topics_may_be_read_in_any_order() {
    let mut observations = sound();
    let later = |observation: &Observation| match observation {
        Observation::Status { .. } => 0,
        Observation::Log { .. } | Observation::DeadLetter { .. } | Observation::Held { .. } => 1,
        Observation::Assignment { .. } => 2,
        Observation::Fact { .. } | Observation::Stray { .. } => 3,
        Observation::Intake { .. } => 4,
    };
    observations.sort_by_key(later);
    check(observations, (0, 0, 0));
}

#[test]
fn a_lost_record_is_found() {
    // Without its decision an event has an assignment that nothing causes, and its status was
    // published from a fact that is not there, which its delivery then hides.
    let verdict = ledger(without(is_decision)).verdict();
    assert!(verdict.lost >= 1, "{verdict:?}");
    check(without(is_assignment), (1, 0, 0));
    check(without(is_parked), (1, 0, 0));
    check(without(is_held), (1, 0, 0));
    assert!(!ledger(without(is_held)).is_settled());
    let whole_event =
        |observation: &Observation| matches!(observation, Observation::Intake { number: 1, .. });
    let verdict = ledger(without(whole_event)).verdict();
    assert!(verdict.lost >= 1, "{verdict:?}");
}

#[test]
fn a_lost_report_is_found() {
    // Its fact is missing, and the status is not what the facts that are left come to.
    check(without(is_delivery), (2, 0, 0));
    assert!(!ledger(without(is_delivery)).is_settled());
}

#[test]
fn a_lost_status_is_found() {
    let mut observations = sound();
    let last = observations
        .iter()
        .rposition(|one| matches!(one, Observation::Status { id, .. } if id == "e1"));
    observations.remove(last.unwrap());
    check(observations, (1, 0, 0));
}

#[test]
fn a_doubled_record_is_found() {
    check(twice(is_decision), (0, 1, 0));
    check(twice(is_assignment), (0, 1, 0));
    check(twice(is_delivery), (0, 1, 0));
    check(twice(is_parked), (0, 1, 0));
    check(twice(is_held), (0, 1, 0));
}

#[test]
fn an_event_held_without_a_decision_or_other_than_it_was_sent_is_found() {
    let mut observations = sound();
    observations.push(Observation::Held { id: id(1), is_as_sent: true });
    check(observations, (0, 1, 0));
    let mut observations = sound();
    let at = position(&observations, is_held);
    if let Observation::Held { is_as_sent, .. } = &mut observations[at] {
        *is_as_sent = false;
    }
    check(observations, (1, 0, 0));
}

#[test]
fn what_nobody_sent_is_found() {
    let mut observations = sound();
    let folded = Box::new(Folded::of(&fact(9_999, 1, FactKind::Received)));
    let stranger = Observation::Fact { id: id(9_999), kind: FactWord::Received, folded };
    observations.push(stranger);
    observations.push(Observation::Stray { detail: "a record of nobody".into() });
    check(observations, (0, 2, 0));
}

#[test]
fn a_status_that_runs_backwards_is_found() {
    let mut observations = sound();
    let of_event = |one: &Observation| matches!(one, Observation::Status { id, .. } if id == "e1");
    let first = observations.iter().position(of_event).unwrap();
    let last = observations.iter().rposition(of_event).unwrap();
    observations.insert(last, observations[first].clone());
    check(observations, (0, 0, 1));
}

#[test]
fn a_wrong_decision_is_found() {
    let mut observations = sound();
    let at = position(&observations, is_decision);
    if let Observation::Fact { kind, .. } = &mut observations[at] {
        *kind = FactWord::Decided(Expected::Expired);
    }
    // The decision is not the one due, and the assignment has no cause.
    check(observations, (1, 1, 0));
}
