use domain::{
    Attempt, Channel, LaneKind, Lost, RejectionReason, Revision, Status, TemplateVersion, Timestamp,
};
use kafka::{FoundRecord, Offset};

use super::*;

/// 2023-11-14 22:13:20 UTC.
const START_MS: i64 = 1_700_000_000_000;

/// A fact of event `order-7`, so many milliseconds after the start.
fn fact(after_ms: i64, kind: FactKind<'static>) -> Fact<'static> {
    Fact {
        event_id: EventId::new("order-7").unwrap(),
        attempt: Attempt::FIRST,
        occurred_at: Timestamp::from_millis(START_MS + after_ms),
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        kind,
    }
}

fn received() -> Fact<'static> {
    Fact {
        event_type: Some("order.shipped".into()),
        external_id: Some("C-7".into()),
        lane: Some(LaneKind::Rt),
        ..fact(0, FactKind::Received)
    }
}

fn bound(after_ms: i64) -> Fact<'static> {
    let loser = |id: &'static str, lost| Candidate { template_id: id.into(), lost };
    let losers = vec![loser("shipped-fr", Lost::Language), loser("shipped-old", Lost::Older)];
    fact(
        after_ms,
        FactKind::Bound {
            template_id: "shipped-en".into(),
            version: TemplateVersion(3),
            channel: Channel::EMAIL,
            revision: Revision(9),
            losers: losers.into(),
        },
    )
}

fn delivery(
    after_ms: i64,
    outcome: Outcome,
    why: Option<(&'static str, OutcomeKind)>,
) -> Fact<'static> {
    fact(
        after_ms,
        FactKind::Delivery {
            outcome,
            reason: why.and_then(|(word, _)| DeliveryReason::new(word)),
            kind: why.map(|(_, kind)| kind),
            provider: Some("example".into()),
            provider_message_id: None,
        },
    )
}

/// The facts as the journal has them, each with how long after it became true it was written.
fn journal(facts: &[(Fact<'_>, i64)]) -> Vec<FoundRecord> {
    let record = |(at, (fact, late_ms)): (usize, &(Fact<'_>, i64))| {
        let mut value = Vec::new();
        wire::fact::encode(fact, wire::Format::Protobuf, &mut value);
        FoundRecord {
            offset: Offset::new(i64::try_from(at).unwrap()),
            timestamp_ms: fact.occurred_at.as_millis() + late_ms,
            value: Some(value),
            headers: vec![("content-type".into(), Some(b"application/protobuf".to_vec()))],
        }
    };
    facts.iter().enumerate().map(record).collect()
}

/// What is told of these facts, but for the rule under the table's head, whatever order the journal
/// has them in.
#[track_caller]
fn check(facts: &[(Fact<'_>, i64)], language: Language, expected: &str) {
    let id = EventId::new("order-7").unwrap();
    let mut records = journal(facts);
    for _ in 0..facts.len().max(1) {
        let told = text(&id, &Story::of(0, &records), language);
        let is_rule = |line: &&str| line.starts_with('─');
        let told: Vec<&str> = told.lines().filter(|line| !is_rule(line)).collect();
        assert_eq!(told.join("\n"), expected.trim_matches('\n'));
        records.rotate_left(1);
    }
}

#[test]
fn a_late_bounce_is_told_in_order_with_what_lost_and_how_long_each_step_took() {
    let facts = [
        (received(), 5),
        (bound(18), 5),
        (delivery(318, Outcome::Sent, None), 5),
        (delivery(72_318, Outcome::Failed, Some(("mailbox_full", OutcomeKind::Soft))), 2_000),
    ];
    check(
        &facts,
        Language::En,
        "
event order-7: order.shipped, lane rt, external id C-7

     when                          after        status             what
 1   2023-11-14 22:13:20.000 UTC                PENDING            received: the event is in its topic
 2   2023-11-14 22:13:20.018 UTC        18 ms   PENDING_DELIVERY   bound to template shipped-en, version 3, by email
                                                                     not template shipped-fr: the language of another suits the event better
                                                                     not template shipped-old: another in the same language was published later
                                                                     handed on as assignment order-7:1
 3   2023-11-14 22:13:20.318 UTC       300 ms   SENT               the message was sent (sent)
                                                                     by provider example
 4   2023-11-14 22:14:32.318 UTC   1 min 12 s   DELIVERY_ERROR     the message could not be delivered (failed)
                                                                     mailbox_full: the recipient's mailbox is full; trying again may succeed (soft)
                                                                     by provider example
                                                                     (known here 2.0 s later)

Status: Delivery error, DELIVERY_ERROR, mailbox_full (the recipient's mailbox is full). Fact 4 set it.",
    );
}

#[test]
fn what_came_after_a_failure_does_not_hide_it() {
    let failed = Some(("user_unknown", OutcomeKind::Hard));
    let facts = [
        (received(), 0),
        (bound(1), 0),
        (delivery(2, Outcome::Failed, failed), 0),
        (delivery(3, Outcome::Sent, None), 0),
    ];
    check(&facts, Language::Fr, "
événement order-7: order.shipped, voie rt, id externe C-7

     quand                         après   statut             quoi
 1   2023-11-14 22:13:20.000 UTC           PENDING            reçu : l'événement est dans son topic
 2   2023-11-14 22:13:20.001 UTC    1 ms   PENDING_DELIVERY   lié au modèle shipped-en, version 3, par email
                                                                pas le modèle shipped-fr : la langue d'un autre convient mieux à l'événement
                                                                pas le modèle shipped-old : un autre dans la même langue a été publié plus récemment
                                                                transmis comme affectation order-7:1
 3   2023-11-14 22:13:20.002 UTC    1 ms   DELIVERY_ERROR     le message n'a pas pu être remis (failed)
                                                                user_unknown: personne n'a cette adresse; un nouvel essai serait inutile (hard)
                                                                par le fournisseur example
 4   2023-11-14 22:13:20.003 UTC    1 ms   (inchangé)         le message a été envoyé (sent)
                                                                par le fournisseur example

Statut : Erreur de diffusion, DELIVERY_ERROR, user_unknown (personne n'a cette adresse). Le fait 3 l'a fixé. La suite n'y change rien : d'une tentative compte le fait de plus de poids, non le dernier.");
}

#[test]
fn a_refusal_says_why_and_what_was_meant() {
    let refused = fact(
        4,
        FactKind::NotSupported(NotSupported {
            reason: RejectionReason::NoTemplate,
            detail: "no template for event type `order.shiped`".into(),
            nearest: Some("order.shipped".into()),
        }),
    );
    check(&[(received(), 0), (refused, 0)], Language::En, "
event order-7: order.shipped, lane rt, external id C-7

     when                          after   status          what
 1   2023-11-14 22:13:20.000 UTC           PENDING         received: the event is in its topic
 2   2023-11-14 22:13:20.004 UTC    4 ms   NOT_SUPPORTED   not supported: no message can be made
                                                             no_template: no template is published for its type, channel and lane
                                                             no template for event type `order.shiped`
                                                             the nearest type that has a template is order.shipped

Status: Event not supported, NOT_SUPPORTED, no_template (no template is published for its type, channel and lane). Fact 2 set it.");
}

#[test]
fn an_orphan_is_told_as_one() {
    check(&[(delivery(0, Outcome::Sent, None), 0)], Language::En, "
event order-7

     when                          after   status   what
 1   2023-11-14 22:13:20.000 UTC           SENT     the message was sent (sent)
                                                      by provider example

Status: Sent, SENT. Fact 1 set it. Nothing is known of the event itself, only what a delivery service reported.");
}

#[test]
fn the_fact_that_sets_the_status_is_the_one_the_fold_takes() {
    let failed = Some(("user_unknown", OutcomeKind::Hard));
    let facts = [(delivery(3, Outcome::Sent, None), 0), (delivery(2, Outcome::Failed, failed), 0)];
    let records = journal(&facts);
    let story = Story::of(0, &records);
    let id = EventId::new("order-7").unwrap();
    assert_eq!(story.setter().map(|at| story.facts[at].offset.get()), Some(1));
    assert_eq!(story.status(&id).map(|status| status.status), Some(Status::DeliveryError));
}

/// The lines of the story in which `word` is.
fn lines_with(word: &str, story: &Story<'_>, language: Language) -> Vec<String> {
    let id = EventId::new("order-7").unwrap();
    let told = text(&id, story, language);
    let with = told.lines().filter(|line| line.contains(word));
    with.map(|line| line.trim().to_owned()).collect()
}

#[test]
fn a_full_list_of_losers_is_told_as_one_that_may_go_on() {
    let told = |n_losers: usize, language, word| {
        let loser = Candidate { template_id: "old".into(), lost: Lost::Older };
        let fact = fact(
            0,
            FactKind::Bound {
                template_id: "new".into(),
                version: TemplateVersion(1),
                channel: Channel::EMAIL,
                revision: Revision(9),
                losers: vec![loser; n_losers].into(),
            },
        );
        lines_with(word, &Story::of(0, &journal(&[(fact, 0)])), language)
    };
    assert_eq!(told(15, Language::En, "perhaps"), [""; 0]);
    let expected = ["perhaps other templates lost too: only 16 are listed"];
    assert_eq!(told(16, Language::En, "perhaps"), expected);
    let expected = ["peut-être d'autres modèles encore : 16 seulement sont énumérés"];
    assert_eq!(told(16, Language::Fr, "peut-être"), expected);
}

#[test]
fn facts_that_were_not_looked_at_are_told_of() {
    let records = journal(&[(received(), 0)]);
    let mut story = Story::of(0, &records);
    assert_eq!(lines_with("left out", &story, Language::En), [""; 0]);
    story.n_left_out = 12;
    let expected = "Facts written later, left out because there are so many: 12. `--since` begins later; \
                    `bindery status` has the status that all of them come to.";
    assert_eq!(lines_with("left out", &story, Language::En), [expected]);
    let expected = "Faits écrits plus tard, laissés de côté parce qu'il y en a trop : 12. `--since` commence \
                    plus tard ; `bindery status` donne le statut auquel tous aboutissent.";
    assert_eq!(lines_with("laissés", &story, Language::Fr), [expected]);
    assert_eq!(super::super::object::of(&EventId::new("order-7").unwrap(), &story)["leftOut"], 12);
}

#[test]
fn that_nothing_says_when_an_event_came_is_told() {
    let told = |facts: &[(Fact<'_>, i64)]| {
        let id = EventId::new("order-7").unwrap();
        text(&id, &Story::of(0, &journal(facts)), Language::En)
            .contains("When it came is not known")
    };
    assert!(told(&[(bound(18), 5)]));
    assert!(!told(&[(received(), 5), (bound(18), 5)]));
    assert!(!told(&[(received(), 5)]));
}
