use std::borrow::Cow;

use domain::{Channel, Event, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value};

use super::{POSITION, content_type};
use crate::{Format, event, event_id_of_position, event_id_of_text};

/// An event as serde_json reads it, judged by the rules; `None` where it is undecodable.
fn reference(bytes: &[u8]) -> Option<Event<'static>> {
    let Value::Object(object) = serde_json::from_slice(bytes).ok()? else { return None };
    let value = |camel: &str, snake: &str| object.get(camel).or_else(|| object.get(snake));
    let text = |camel: &str, snake: &str| match value(camel, snake) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) if text.is_empty() => Some(None),
        Some(Value::String(text)) => Some(Some(Cow::<str>::Owned(text.clone()))),
        Some(_) => None,
    };
    let time = |camel: &str, snake: &str| match value(camel, snake) {
        None | Some(Value::Null) => Some(None),
        Some(Value::String(text)) => {
            let (seconds, nanos) = crate::rfc3339::parse(text)?;
            Some(Some(Timestamp::from_millis(seconds * 1_000 + i64::from(nanos / 1_000_000))))
        }
        Some(_) => None,
    };
    let channel = match object.get("channel") {
        Some(Value::Number(number)) => Some(Cow::Owned(number.to_string())),
        _ => text("channel", "channel")?,
    };
    let ctx = match object.get("ctx") {
        None | Some(Value::Null) => Vec::new(),
        Some(ctx) => serde_json::to_vec(ctx).unwrap(),
    };
    let id = text("id", "id")?.and_then(event_id_of_text);
    Some(Event {
        id: id.unwrap_or_else(|| event_id_of_position(&POSITION)),
        event_type: text("type", "type")??,
        channel: channel.map(Channel::new).transpose().ok()?,
        email: text("email", "email")?,
        mobile_phone: text("mobilePhone", "mobile_phone")?,
        registration_token: text("registrationToken", "registration_token")?,
        mobile_app: text("mobileApp", "mobile_app")?,
        external_id: text("externalId", "external_id")?,
        origin: text("origin", "origin")?,
        tenant: text("tenant", "tenant")?,
        language: text("language", "language")?,
        country: text("country", "country")?,
        email_format: text("emailFormat", "email_format")?,
        occurred_at: time("occurredAt", "occurred_at")?,
        scheduled: time("scheduled", "scheduled")?,
        expiration: time("expiration", "expiration")?,
        ctx: ctx.into(),
    })
}

#[track_caller]
fn check(bytes: &[u8]) {
    let ours = event::decode(Some(bytes), content_type("application/json"), &POSITION);
    let mut theirs = reference(bytes);
    if let (Ok(ours), Some(theirs)) = (&ours, &mut theirs) {
        // serde_json writes the data anew, so it is compared as a value: but for that ours are the
        // bytes that came.
        let value = |ctx: &[u8]| serde_json::from_slice::<Value>(ctx).ok();
        assert_eq!(value(&ours.ctx), value(&theirs.ctx));
        assert!(ours.ctx.is_empty() || bytes.windows(ours.ctx.len()).any(|it| it == &*ours.ctx));
        theirs.ctx = ours.ctx.clone().into_owned().into();
    }
    assert_eq!(ours.ok(), theirs, "{}", String::from_utf8_lossy(bytes));
}

fn key() -> impl Strategy<Value = String> {
    let names = event::FIELDS.iter().map(|field| field.name).collect::<Vec<_>>();
    const ORIGINALS: &[&str] =
        &["mobile_phone", "external_id", "occurred_at", "email_format", "other", ""];
    prop_oneof![
        3 => prop::sample::select(names).prop_map(|name| serde_json::to_string(name).unwrap()),
        1 => prop::sample::select(ORIGINALS).prop_map(|name| serde_json::to_string(name).unwrap()),
        // The same name with an escape in it.
        1 => Just("\"\\u0065mail\"".to_owned()),
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        "\"[a-z]{0,6}\"",
        "\"(\\\\n|\\\\\"|\\\\u00e9|é|\\\\ud83d\\\\ude00){0,3}\"",
        "null|true|5|1.5|41|42|0|1|\"42\"|\"\"|\\[1,2\\]|\\{\"a\": \\{\\}\\}|\\{\\}",
        "\"20[0-3][0-9]-(0[1-9]|1[0-2])-(0[1-9]|2[0-8])T[012][0-9]:[0-6][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|z|[+-][01][0-9]:[0-5][0-9])\"",
        "\"email\"|\"sms\"|\"a b\"|\"\\\\u0007id\"",
        "nul|\\{|\"|\"\\\\ud800\"|1e999",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn objects_read_as_serde_json_reads_them(
        mut pairs in vec((key(), value()), 0..9),
        space in "[ \n]{0,2}",
    ) {
        // The two names of one field have no order in a map, so only one of them is used.
        let both = |pairs: &[(String, String)], name: &str| pairs.iter().any(|(key, _)| key == name);
        for (camel, snake) in [("mobilePhone", "mobile_phone"), ("externalId", "external_id"),
            ("occurredAt", "occurred_at"), ("emailFormat", "email_format")] {
            if both(&pairs, &format!("\"{camel}\"")) {
                pairs.retain(|(key, _)| key != &format!("\"{snake}\""));
            }
        }
        let inside: Vec<_> = pairs.iter().map(|(key, value)| format!("{key}:{space}{value}")).collect();
        check(format!("{space}{{{}}}", inside.join(",")).as_bytes());
        check(format!("{{\"type\":\"t\",{space}{}}}{space}", inside.join(",")).as_bytes());
    }

    #[test]
    fn a_damaged_event_reads_as_serde_json_reads_it(
        event in super::strategies::event(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
    ) {
        let mut bytes = Vec::new();
        event::encode(&event, Format::Json, &mut bytes);
        for (index, byte) in &edits {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        check(&bytes);
    }
}

#[test]
fn a_repeated_key_counts_as_its_last_value_even_after_a_fault() {
    check(br#"{"type":"t","email":5,"email":"a"}"#);
    check(br#"{"type":"t","email":5,"tenant":6,"email":"a"}"#);
    check(br#"{"type":"t","email":"a","email":null}"#);
    check(br#"{"type":"t","email":"a","email":5}"#);
    check(br#"{"type":"t","expiration":"x","expiration":"2030-01-01T00:00:00Z"}"#);
    check(br#"{"type":"t","ctx":{"a":1},"ctx":null}"#);
}

#[test]
fn the_smallest_useful_event_is_read() {
    let bytes =
        br#"{"type":"order.shipped","email":"ada@example.com","ctx":{"order":{"number":"1232"}}}"#;
    check(bytes);
    let event = event::decode(Some(bytes), std::iter::empty(), &POSITION).unwrap();
    assert_eq!(event.ctx, Cow::Borrowed(br#"{"order":{"number":"1232"}}"#));
    assert!(matches!(event.email, Some(Cow::Borrowed("ada@example.com"))));
    assert!(matches!(event.event_type, Cow::Borrowed("order.shipped")));
}

#[test]
fn a_megabyte_is_read() {
    let filler = "x\\n".repeat(350_000);
    check(format!(r#"{{"type":"t","email":"{filler}","ctx":{{"a":"{filler}"}}}}"#).as_bytes());
    let many: Map<String, Value> = (0..60_000).map(|n| (format!("key{n}"), n.into())).collect();
    check(format!(r#"{{"type":"t","ctx":{}}}"#, serde_json::to_string(&many).unwrap()).as_bytes());
}

#[test]
fn data_that_is_no_object_is_left_to_its_rule() {
    for ctx in ["1", "\"a\\n\"", "[1, 2]", "true", "false"] {
        let json = format!(r#"{{"type":"t","ctx": {ctx} }}"#);
        let event = event::decode(Some(json.as_bytes()), std::iter::empty(), &POSITION).unwrap();
        assert_eq!(event.ctx, ctx.as_bytes());
    }
}

#[test]
fn data_that_is_no_json_is_written_as_a_string() {
    for ctx in [&b"{"[..], b"\xff", b"{} {}"] {
        let event = Event { ctx: ctx.into(), ..reference(br#"{"type":"t"}"#).unwrap() };
        let mut json = Vec::new();
        event::encode(&event, Format::Json, &mut json);
        let read = event::decode(Some(&json), std::iter::empty(), &POSITION).unwrap();
        assert!(read.ctx.starts_with(b"\""), "{:?}", read.ctx);
    }
}
