use std::sync::Arc;

use lane::Handler;

use super::*;
use crate::StatusCounts;
use crate::each_record::EachRecord;
use crate::testing::{Lying, describe, in_batch, outbox};

fn log(topic: &str, value: Option<&str>) -> Lying {
    Lying {
        topic: topic.into(),
        partition: 4,
        offset: 17,
        timestamp_ms: 900,
        key: Some(b"k".to_vec()),
        value: value.map(|text| text.as_bytes().to_vec()),
        headers: vec![("x-own".into(), Some(b"1".to_vec()))],
    }
}

fn handler() -> (EachRecord<Collect>, Arc<StatusCounts>) {
    let collect = Collect { topic: "delivery-log".into(), format: Format::Protobuf };
    let counts = Arc::<StatusCounts>::default();
    (EachRecord::new(collect, Arc::clone(&counts)), counts)
}

#[track_caller]
fn check(record: &Lying, expected: &[&str]) -> Vec<(String, String)> {
    let mut outbox = outbox();
    let (mut handler, _) = handler();
    in_batch(std::slice::from_ref(record), |batch| handler.handle(batch, 5000, &mut outbox))
        .unwrap();
    assert_eq!(describe(&outbox), expected);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let headers = outbox.records().flat_map(|written| {
        let headers: Vec<_> =
            written.headers().map(|(name, value)| (name.to_owned(), text(value))).collect();
        headers
    });
    headers.collect()
}

fn journal(event: &str) -> i32 {
    kafka::partition_of(event.as_bytes(), 6)
}

#[test]
fn a_delivery_log_becomes_a_fact_of_its_event() {
    let record = log(
        "delivery-log",
        Some(
            r#"{"assignmentId":"e:2","outcome":"failed","reason":"mailbox_full","kind":"soft",
                "occurredAt":"1970-01-01T00:00:00.700Z","provider":"p","providerMessageId":"m"}"#,
        ),
    );
    let fact = format!(
        "event-journal/{} e=2 at 700: Delivery {{ outcome: Failed, reason: \
         Some(DeliveryReason(\"mailbox_full\")), kind: Some(Soft), provider: Some(\"p\"), \
         provider_message_id: Some(\"m\") }}",
        journal("e")
    );
    let headers = check(&record, &[&fact]);
    assert!(headers.contains(&("ce_type".into(), "io.bindery.fact.v1".into())), "{headers:?}");
}

#[test]
fn what_a_log_does_not_say_is_taken_from_where_it_lies() {
    let record = log("delivery-log.acme", Some(r#"{"eventId":"e","outcome":"sent"}"#));
    let fact = format!(
        "event-journal/{} e=1 at 900: Delivery {{ outcome: Sent, reason: None, kind: None, \
         provider: Some(\"acme\"), provider_message_id: None }}",
        journal("e")
    );
    check(&record, &[&fact]);
}

#[test]
fn what_is_no_delivery_log_is_parked_as_it_was_read() {
    let dead = |value: &str| format!("dead-letter/0 k={value}");
    for value in [
        "",
        "garbage",
        "{}",
        r#"{"outcome":"sent"}"#,
        r#"{"eventId":"e"}"#,
        r#"{"eventId":"e","outcome":"vanished"}"#,
        r#"{"eventId":"e","attempt":10001,"outcome":"sent"}"#,
    ] {
        let headers = check(&log("delivery-log", Some(value)), &[&dead(value)]);
        for (name, value) in [
            ("x-own", "1"),
            ("bindery-reason", "undecodable"),
            ("bindery-source-topic", "delivery-log"),
            ("bindery-source-partition", "4"),
            ("bindery-source-offset", "17"),
        ] {
            assert!(headers.contains(&(name.into(), value.into())), "{name}: {headers:?}");
        }
    }
    check(&log("delivery-log", None), &[&dead("null")]);
}

#[test]
fn only_what_is_committed_is_counted() {
    let (mut handler, counts) = handler();
    let good = log("delivery-log", Some(r#"{"eventId":"e","outcome":"sent"}"#));
    let bad = log("delivery-log", Some("garbage"));
    let batch = [good.clone(), good, bad];
    let handle = |handler: &mut EachRecord<Collect>| {
        in_batch(&batch, |batch| handler.handle(batch, 5000, &mut outbox())).unwrap();
    };
    handle(&mut handler);
    handler.aborted();
    handle(&mut handler);
    handler.committed().unwrap();
    let totals = counts.totals();
    assert_eq!((totals.collected, totals.dead_letters), (2, 1));
}

#[test]
fn a_log_as_large_as_its_topic_takes_is_parked_without_its_bytes() {
    let huge = "x".repeat(2 << 20);
    let ((mut handler, _), mut outbox) = (handler(), outbox());
    let record = log("delivery-log", Some(&huge));
    in_batch(&[record], |batch| handler.handle(batch, 5000, &mut outbox)).unwrap();
    assert_eq!(describe(&outbox).len(), 1);
    assert!(outbox.records().all(|written| written.value.is_none()));
}
