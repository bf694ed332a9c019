use std::sync::Arc;

use lane::Handler;

use super::*;
use crate::StatusCounts;
use crate::each_record::EachRecord;
use crate::testing::{Lying, in_batch, outbox};

/// What is announced of one record.
#[track_caller]
fn check(topic: &str, value: Option<&str>, expected: &str) {
    let record = Lying {
        topic: topic.into(),
        partition: 1,
        offset: 9,
        timestamp_ms: 900,
        key: None,
        value: value.map(|text| text.as_bytes().to_vec()),
        headers: vec![(
            "traceparent".into(),
            Some(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_vec()),
        )],
    };
    let mut outbox = outbox();
    let counts = Arc::<StatusCounts>::default();
    let announce = Announce { rt_topic: "rt-event".into(), format: Format::Json };
    let mut handler = EachRecord::new(announce, Arc::clone(&counts));
    in_batch(&[record], |batch| handler.handle(batch, 5000, &mut outbox)).unwrap();
    handler.committed().unwrap();
    assert_eq!(counts.totals().announced, 1);
    let written: Vec<_> = outbox.records().collect();
    assert_eq!(written.len(), 1);
    assert!(written[0].headers().any(|(name, _)| name == "traceparent"));
    let headers = written[0].headers().map(|(name, value)| (name, Some(value)));
    let fact = wire::fact::decode(written[0].value, headers).unwrap();
    assert_eq!(written[0].key, Some(fact.event_id.as_str().as_bytes()));
    assert_eq!(fact.kind, FactKind::Received);
    let lane = fact.lane.map_or("none", LaneKind::as_str);
    let at = fact.occurred_at.as_millis();
    let (event_type, tenant) = (fact.event_type.as_deref(), fact.tenant.as_deref());
    let words = [Some(lane), event_type, tenant, fact.external_id.as_deref()];
    let words = words.map(|word| word.unwrap_or("-")).join(" ");
    let id = fact.event_id.as_str();
    // An id made of the position has 36 characters.
    let id = if id.len() == 36 { "made" } else { id };
    assert_eq!(format!("{id} {at} {words}"), expected, "{value:?}");
}

#[test]
fn an_event_is_announced_with_what_describes_it() {
    let event = r#"{"id":"e","type":"order.shipped","tenant":"acme","externalId":"42","ctx":{}}"#;
    check("rt-event", Some(event), "e 900 rt order.shipped acme 42");
    check("batch-event", Some(event), "e 900 batch order.shipped acme 42");
    check("rt-event", Some(r#"{"type":"order.shipped"}"#), "made 900 rt order.shipped - -");
}

#[test]
fn what_is_no_event_is_announced_too() {
    check("rt-event", Some("garbage"), "made 900 rt - - -");
    check("rt-event", None, "made 900 rt - - -");
    check("rt-event", Some(r#"{"id":"e"}"#), "e 900 rt - - -");
}
