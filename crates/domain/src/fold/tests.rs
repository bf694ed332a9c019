use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::{Losers, NotSupported, OutcomeKind, RejectionReason, Revision};

fn delivery(outcome: Outcome, reason: Option<&'static str>) -> FactKind<'static> {
    FactKind::Delivery {
        outcome,
        reason: reason.map(|word| DeliveryReason::new(word).unwrap()),
        kind: Some(OutcomeKind::Hard),
        provider: None,
        provider_message_id: None,
    }
}

fn bound(template_id: &'static str) -> FactKind<'static> {
    FactKind::Bound {
        template_id: template_id.into(),
        version: TemplateVersion(3),
        channel: Channel::EMAIL,
        revision: Revision(1),
        losers: Losers::default(),
    }
}

fn not_supported(reason: RejectionReason) -> FactKind<'static> {
    FactKind::NotSupported(NotSupported { reason, detail: "".into(), nearest: None })
}

fn scheduled() -> FactKind<'static> {
    FactKind::Held(Hold::Scheduled { until: Timestamp::from_millis(9) })
}

fn paused() -> FactKind<'static> {
    FactKind::Held(Hold::Paused { template_id: "t".into() })
}

fn fact(attempt: u32, occurred_at: i64, kind: FactKind<'static>) -> Fact<'static> {
    Fact {
        event_id: EventId::new("e").unwrap(),
        attempt: Attempt::new(attempt).unwrap(),
        occurred_at: Timestamp::from_millis(occurred_at),
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        kind,
    }
}

fn fold(facts: &[Fact<'_>]) -> Folded {
    let mut folded = Folded::default();
    for fact in facts {
        folded.apply(fact);
    }
    folded
}

/// Facts of attempt and time, folded, as `STATUS attempt reason [template] [assigned] [orphan]`.
#[track_caller]
fn check(facts: &[(u32, i64, FactKind<'static>)], expected: &str) {
    let facts: Vec<_> =
        facts.iter().map(|(attempt, at, kind)| fact(*attempt, *at, kind.clone())).collect();
    let folded = fold(&facts);
    let backwards: Vec<_> = facts.iter().rev().cloned().collect();
    assert_eq!(fold(&backwards), folded, "the order matters");
    let described = folded.status(EventId::new("e").unwrap()).map_or("nothing".into(), |status| {
        let mut text = format!("{} {}", status.status.as_str(), status.attempt.get());
        let words = [
            Some(status.reason.as_ref()).filter(|reason| !reason.is_empty()),
            status.template_id.as_deref(),
            status.assigned.then_some("assigned"),
            status.orphan.then_some("orphan"),
        ];
        words.into_iter().flatten().for_each(|word| text = format!("{text} {word}"));
        text
    });
    assert_eq!(described, expected);
}

#[test]
fn every_fact_has_its_status() {
    use Outcome::{Accepted, Cancelled, Failed, Ignored, Prepared, Received, Sent};
    let one = |kind, expected: &str| check(&[(1, 1, kind)], expected);
    one(FactKind::Received, "PENDING 1");
    one(scheduled(), "PENDING 1 scheduled");
    one(FactKind::Released, "PENDING 1 released");
    one(paused(), "PAUSED 1 template_paused");
    one(bound("t"), "PENDING_DELIVERY 1 t assigned");
    one(FactKind::Expired, "EXPIRED 1");
    one(FactKind::Cancelled, "CANCELLED 1");
    for reason in RejectionReason::ALL {
        one(not_supported(reason), &format!("NOT_SUPPORTED 1 {}", reason.as_str()));
    }
    one(delivery(Prepared, None), "PENDING_DELIVERY 1 assigned orphan");
    one(delivery(Accepted, None), "PENDING_DELIVERY 1 assigned orphan");
    one(delivery(Sent, None), "SENT 1 assigned orphan");
    one(delivery(Received, None), "SENT 1 assigned orphan");
    one(delivery(Ignored, Some("quarantined")), "IGNORED 1 quarantined assigned orphan");
    one(delivery(Ignored, None), "IGNORED 1 undefined assigned orphan");
    one(delivery(Failed, Some("mailbox_full")), "DELIVERY_ERROR 1 mailbox_full assigned orphan");
    one(delivery(Failed, None), "DELIVERY_ERROR 1 undefined assigned orphan");
    one(delivery(Cancelled, None), "DELIVERY_ERROR 1 cancelled assigned orphan");
    one(FactKind::CancelRequested, "nothing");
    one(FactKind::Duplicate { of: Attempt::FIRST }, "nothing");
}

#[test]
fn a_late_bounce_turns_sent_into_an_error_and_a_late_sent_hides_nothing() {
    let bounce = || delivery(Outcome::Failed, Some("user_unknown"));
    let sent = || delivery(Outcome::Sent, None);
    let expected = "DELIVERY_ERROR 1 user_unknown t assigned";
    check(&[(1, 1, bound("t")), (1, 2, sent()), (1, 3, bounce())], expected);
    check(&[(1, 1, bound("t")), (1, 3, sent()), (1, 2, bounce())], expected);
}

#[test]
fn an_error_for_want_of_a_receipt_gives_way_to_any_receipt() {
    let silence = || delivery(Outcome::Failed, Some("no_receipt"));
    check(&[(1, 1, bound("t")), (1, 9, silence())], "DELIVERY_ERROR 1 no_receipt t assigned");
    let sent = (1, 2, delivery(Outcome::Sent, None));
    check(&[(1, 1, bound("t")), (1, 9, silence()), sent], "SENT 1 t assigned");
    let ignored = (1, 2, delivery(Outcome::Ignored, Some("double")));
    check(&[(1, 1, bound("t")), (1, 9, silence()), ignored], "IGNORED 1 double t assigned");
}

#[test]
fn a_later_attempt_wins_over_everything_of_an_earlier_one() {
    let bounce = (1, 99, delivery(Outcome::Failed, None));
    let first = [(1, 1, bound("old")), bounce];
    let and = |fact| [first.as_slice(), &[fact]].concat();
    check(&and((2, 2, bound("new"))), "PENDING_DELIVERY 2 new assigned");
    let rejected = not_supported(RejectionReason::NoTemplate);
    check(&and((2, 2, rejected)), "NOT_SUPPORTED 2 no_template old");
}

#[test]
fn a_release_neither_ends_a_pause_nor_hides_the_decision_after_it() {
    check(&[(1, 1, paused()), (1, 2, FactKind::Released)], "PAUSED 1 template_paused");
    let held = [(1, 1, scheduled()), (1, 2, FactKind::Released)];
    check(&held, "PENDING 1 released");
    let decided = (1, 2, bound("t"));
    check(&[held.as_slice(), &[decided]].concat(), "PENDING_DELIVERY 1 t assigned");
}

#[test]
fn a_wish_to_cancel_and_a_duplicate_leave_the_status_alone() {
    let duplicate = || FactKind::Duplicate { of: Attempt::FIRST };
    let asked = || FactKind::CancelRequested;
    check(
        &[(1, 1, bound("t")), (1, 9, asked()), (1, 9, duplicate())],
        "PENDING_DELIVERY 1 t assigned",
    );
    check(&[(1, 1, delivery(Outcome::Sent, None)), (1, 9, asked())], "SENT 1 assigned orphan");
    check(&[(1, 1, delivery(Outcome::Sent, None)), (1, 9, duplicate())], "SENT 1 assigned");
}

#[test]
fn a_cancellation_after_binding_shows_and_keeps_the_assignment() {
    check(&[(1, 1, bound("t")), (1, 2, FactKind::Cancelled)], "CANCELLED 1 t assigned");
    let reported = (2, 0, delivery(Outcome::Accepted, None));
    let facts = [(1, 0, bound("t")), reported, (2, 1, FactKind::Expired)];
    check(&facts, "EXPIRED 2 t assigned");
}

#[test]
fn descriptive_fields_fill_in_from_whatever_fact_has_them() {
    let sent = fact(1, 5, delivery(Outcome::Sent, None));
    let received = Fact {
        event_type: Some("order.shipped".into()),
        tenant: Some("acme".into()),
        external_id: Some("42".into()),
        lane: Some(LaneKind::Batch),
        ..fact(1, 1, FactKind::Received)
    };
    let other = Fact {
        event_type: Some("zzz".into()),
        tenant: Some("zzz".into()),
        ..fact(1, 1, FactKind::Duplicate { of: Attempt::FIRST })
    };
    let folded = fold(&[sent, received, other]);
    let status = folded.status(EventId::new("e").unwrap()).unwrap();
    assert_eq!(status.event_type.as_deref(), Some("order.shipped"));
    assert_eq!(status.tenant.as_deref(), Some("acme"));
    assert_eq!(status.external_id.as_deref(), Some("42"));
    assert_eq!(status.lane, Some(LaneKind::Batch));
    assert_eq!((status.status, status.orphan), (Status::Sent, false));
}

fn any_kind() -> impl Strategy<Value = FactKind<'static>> {
    let reasons = [None, Some("no_receipt"), Some("mailbox_full"), Some("user_unknown")];
    prop_oneof![
        select(vec![
            FactKind::Received,
            FactKind::Released,
            FactKind::Expired,
            FactKind::Cancelled,
            FactKind::CancelRequested,
            FactKind::Duplicate { of: Attempt::FIRST },
            scheduled(),
            paused(),
            bound("t"),
            bound("u"),
            not_supported(RejectionReason::NoTemplate),
            not_supported(RejectionReason::CtxInvalid),
        ]),
        (select(Outcome::ALL.to_vec()), select(reasons.to_vec()))
            .prop_map(|(outcome, reason)| delivery(outcome, reason)),
    ]
}

fn any_fact() -> impl Strategy<Value = Fact<'static>> {
    let text = || select(vec![None, Some("a"), Some("b")]);
    let lane = select(vec![None, Some(LaneKind::Rt), Some(LaneKind::Batch)]);
    (1..4_u32, 0..4_i64, any_kind(), text(), text(), lane).prop_map(
        |(attempt, at, kind, event_type, tenant, lane)| Fact {
            event_type: event_type.map(Cow::Borrowed),
            tenant: tenant.map(Cow::Borrowed),
            lane,
            ..fact(attempt, at, kind)
        },
    )
}

/// Facts, and the same facts in another order with some of them repeated.
fn shuffled() -> impl Strategy<Value = (Vec<Fact<'static>>, Vec<Fact<'static>>)> {
    prop::collection::vec(any_fact(), 0..12).prop_flat_map(|facts| {
        let repeated = prop::sample::subsequence(facts.clone(), 0..=facts.len());
        let other = repeated
            .prop_map({
                let facts = facts.clone();
                move |repeated| [facts.clone(), repeated].concat()
            })
            .prop_shuffle();
        (Just(facts), other)
    })
}

proptest! {
    #[test]
    fn any_order_and_any_repetition_come_to_the_same((facts, other) in shuffled()) {
        prop_assert_eq!(fold(&facts), fold(&other));
    }

    #[test]
    fn a_status_never_runs_backwards(facts in prop::collection::vec(any_fact(), 0..12)) {
        let mut folded = Folded::default();
        for fact in &facts {
            let before = folded.clone();
            let changed = folded.apply(fact);
            prop_assert!(folded.key() >= before.key());
            prop_assert_eq!(changed, folded != before);
            prop_assert!(!folded.apply(fact), "the same fact again changes nothing");
        }
    }

    #[test]
    fn merging_is_folding_all_facts_of_both(
        (left, right) in (prop::collection::vec(any_fact(), 0..8), prop::collection::vec(any_fact(), 0..8))
    ) {
        let both = fold(&[left.clone(), right.clone()].concat());
        let mut merged = fold(&left);
        let before = merged.clone();
        prop_assert_eq!(merged.merge(&fold(&right)), merged != before);
        prop_assert_eq!(&merged, &both);
        let one_by_one = right.iter().map(Folded::of);
        let mut merged = fold(&left);
        one_by_one.for_each(|folded| { merged.merge(&folded); });
        prop_assert_eq!(merged, both);
    }

    #[test]
    fn a_published_status_taken_back_in_publishes_the_same(facts in prop::collection::vec(any_fact(), 0..12)) {
        let folded = fold(&facts);
        let id = EventId::new("e").unwrap();
        if let Some(status) = folded.status(id.borrowed()) {
            let restored = Folded::from(&status);
            prop_assert_eq!(restored.status(id.borrowed()), Some(status));
            prop_assert_eq!(restored.key(), folded.key());
            // Nothing that led to it changes its place any more.
            let mut replayed = restored;
            facts.iter().for_each(|fact| { replayed.apply(fact); });
            prop_assert_eq!(replayed.key(), folded.key());
        }
    }
}
