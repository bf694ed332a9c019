use std::collections::{BTreeMap, BTreeSet};

use domain::{Catalogue, CatalogueBuilder, Decision, History, Revision, Situation, SourcePosition};

use super::*;
use crate::template::{Outcome, Published, embedded, plan};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn traffic() -> Traffic {
    Traffic::new(2_000, 7, NOW)
}

/// What the demo publishes.
fn catalogue() -> Catalogue {
    let mut builder = CatalogueBuilder::new();
    for outcome in plan(&embedded().unwrap(), &Published::default(), NOW) {
        let Outcome::Published(publication) = outcome else { panic!("{outcome:?}") };
        builder.publish(publication.template);
    }
    builder.build(Revision(17))
}

/// What becomes of event `number` by the services' own rules.
fn decide(traffic: Traffic, number: usize, catalogue: &Catalogue) -> (Expected, Option<String>) {
    let record = traffic.record(number);
    let position = SourcePosition { topic: "t", partition: 0, offset: 9, timestamp: NOW };
    let headers = record.headers.iter().map(|(name, value)| (*name, Some(value.as_slice())));
    let event = match wire::event::decode(record.value.as_deref(), headers, &position) {
        Err(_) => return (Expected::NotSupported(RejectionReason::Undecodable), None),
        Ok(event) => event,
    };
    let situation = Situation {
        lane: traffic.lane(number),
        history: History::New,
        catalogue,
        context: &wire::JsonContext,
        now: NOW,
    };
    let found = match domain::bind(&event, &situation) {
        Decision::Bound(_) => Expected::Bound,
        Decision::Held(_) => Expected::Held,
        Decision::Expired { .. } => Expected::Expired,
        Decision::NotSupported(rejection) => Expected::NotSupported(rejection.reason),
        decision @ (Decision::Cancelled | Decision::Duplicate { .. }) => panic!("{decision:?}"),
    };
    let own = event.id != wire::event_id_of_position(&position);
    (found, own.then(|| event.id.to_string()))
}

#[test]
fn every_event_is_decided_as_expected_and_has_the_id_it_says() {
    let (traffic, catalogue) = (traffic(), catalogue());
    for number in 0..traffic.len() {
        let record = traffic.record(number);
        let found = decide(traffic, number, &catalogue);
        assert_eq!(found, (record.expected, record.own_id.clone()), "event {number}: {record:?}");
    }
}

#[test]
fn every_reason_and_every_form_occurs() {
    let traffic = traffic();
    let mut cases: BTreeMap<String, usize> = BTreeMap::new();
    let mut forms = BTreeSet::new();
    for number in 0..traffic.len() {
        let record = traffic.record(number);
        *cases.entry(format!("{:?}", record.expected)).or_default() += 1;
        let header = record.headers.iter().find(|(name, _)| *name == "content-type");
        forms.insert(header.map(|(_, value)| String::from_utf8_lossy(value).into_owned()));
        if record.headers.iter().any(|(name, _)| *name == "ce_id") {
            forms.insert(Some("binary".into()));
        }
    }
    // All but the one that needs a record of a megabyte.
    assert_eq!(cases.len(), 3 + RejectionReason::ALL.len() - 1, "{cases:?}");
    for form in
        ["application/json", "application/protobuf", "application/cloudevents+json", "binary"]
    {
        assert!(forms.contains(&Some(form.to_owned())), "{form}: {forms:?}");
    }
    assert!(forms.contains(&None), "{forms:?}");
}

#[test]
fn a_run_can_be_repeated() {
    let (one, two) = (traffic(), traffic());
    for number in 0..one.len() {
        assert_eq!(one.record(number), two.record(number));
    }
    assert_ne!(one.record(3), Traffic::new(2_000, 8, NOW).record(3));
}

#[test]
fn a_key_says_the_number_and_each_event_has_one_side() {
    let traffic = traffic();
    let both = traffic.numbers(LaneKind::Rt).chain(traffic.numbers(LaneKind::Batch));
    let numbers: BTreeSet<usize> = both.collect();
    assert_eq!(numbers.len(), traffic.len());
    assert_eq!(number_of_key(traffic.record(42).key.as_bytes()), Some(42));
    assert_eq!(number_of_key(b"someone"), None);
}

#[test]
fn ids_are_unique() {
    let traffic = traffic();
    let ids: Vec<String> =
        (0..traffic.len()).filter_map(|number| traffic.record(number).own_id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}
