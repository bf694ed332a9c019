use super::POSITION;
use crate::event;

type Headers<'a> = &'a [(&'a str, Option<&'a [u8]>)];

/// One record in, what it is in one line out.
#[track_caller]
fn check(value: Option<&[u8]>, headers: Headers<'_>, expected: &str) {
    let outcome = match event::decode(value, headers.iter().copied(), &POSITION) {
        Ok(event) => format!("{} {} {:?}", event.id, event.event_type, event.email.as_deref()),
        Err(fault) => {
            let ours = fault.event_id == crate::event_id_of_position(&POSITION);
            let id = if ours { "-" } else { fault.event_id.as_str() };
            format!("{id} {}: {}", fault.event_type.as_deref().unwrap_or("-"), fault.detail)
        }
    };
    assert_eq!(outcome, expected);
}

const JSON: &[u8] = br#" {"id":"1","type":"t","email":"a"}"#;
const PROTOBUF: &[u8] = b"\x0a\x011\x12\x01t\x22\x01a";
const READ: &str = "1 t Some(\"a\")";

#[test]
fn the_header_chooses_the_format() {
    let with = |name: &'static str| [("content-type", Some(name.as_bytes()))];
    check(Some(JSON), &[], READ);
    check(Some(JSON), &with("application/json"), READ);
    check(Some(JSON), &with("Application/JSON; charset=utf-8"), READ);
    check(Some(JSON), &[("Content-Type", Some(b"application/json"))], READ);
    check(Some(PROTOBUF), &with("application/protobuf"), READ);
    check(Some(PROTOBUF), &with(" application/x-protobuf ;messageType=Event"), READ);
    check(Some(JSON), &[("content-type", None), ("other", Some(b"text/plain"))], READ);
}

#[test]
fn what_cannot_be_an_event_says_why() {
    check(None, &[], "- -: the value is null");
    check(Some(b""), &[], "- -: the value is empty");
    check(Some(PROTOBUF), &[], "- -: no header `content-type`, and no `{` at the start");
    check(Some(b"[]"), &[], "- -: no header `content-type`, and no `{` at the start");
    let text = [("content-type", Some(&b"text/plain\x07\xff`"[..]))];
    check(Some(JSON), &text, "- -: unknown content type `text/plain...`");
    let long = "a".repeat(500);
    let detail = format!("- -: unknown content type `{}…`", &long[..64]);
    check(Some(JSON), &[("content-type", Some(long.as_bytes()))], &detail);
    let batch = [("content-type", Some(&b"application/cloudevents-batch+json"[..]))];
    check(Some(JSON), &batch, "- -: unknown content type `application/cloudevents-batch+json`");
}

#[test]
fn an_undecodable_event_is_still_named_where_it_can_be() {
    check(Some(br#"{"id":"1","type":"t","email":5}"#), &[], "1 t: `email` is not a string");
    check(Some(br#"{"email":5,"id":"1","type":"t"}"#), &[], "1 t: `email` is not a string");
    check(Some(br#"{"id":"1","email":"a"}"#), &[], "1 -: `type` is missing");
    check(Some(br#"{"id":"1","type":""}"#), &[], "1 -: `type` is missing");
    check(Some(br#"{"id":"1","type":"t","x":}"#), &[], "1 t: `value` is not JSON");
    check(Some(br#"{"id":"1","type":"t""#), &[], "1 t: `value` ends too early");
    check(Some(br#"{"id":5,"type":"t"}"#), &[], "- t: `id` is not a string");
    check(
        Some(br#"{"id":"1","type":"t","channel":7}"#),
        &[],
        "1 t: `channel` is not the name of a channel",
    );
    check(
        Some(br#"{"id":"1","type":"t","scheduled":"soon"}"#),
        &[],
        "1 t: `scheduled` is not an RFC 3339 time",
    );
    let protobuf = [("content-type", Some(&b"application/protobuf"[..]))];
    check(Some(b"\x22\x01\xff\x0a\x011\x12\x01t"), &protobuf, "1 t: `email` is not UTF-8");
    check(
        Some(b"\x0a\x011\x12\x01t\x22\x09a"),
        &protobuf,
        "1 t: `value` ends in the middle of a field",
    );
    check(
        Some(b"\x0a\x011\x12\x01t\x72\x06\x10\xff\xff\xff\xff\x07"),
        &protobuf,
        "1 t: `occurredAt` is not a time from year 1 to 9999",
    );
}

fn binary(more: Headers<'static>) -> Vec<(&'static str, Option<&'static [u8]>)> {
    let mut headers: Vec<(_, Option<&[u8]>)> = vec![
        ("ce_specversion", Some(b"1.0")),
        ("ce_id", Some(b"9")),
        ("ce_source", Some(b"/shop")),
        ("ce_type", Some(b"com.shop.sold")),
    ];
    headers.extend(more);
    headers
}

#[test]
fn cloud_events_are_read_in_binary_mode() {
    check(Some(JSON), &binary(&[]), READ);
    check(Some(br#"{"email":"a"}"#), &binary(&[]), "/shop#9 com.shop.sold Some(\"a\")");
    check(Some(br#"{"type":"t"}"#), &binary(&[]), "/shop#9 t None");
    let protobuf: Headers<'_> = &[("content-type", Some(b"application/protobuf"))];
    check(Some(b"\x22\x01a"), &binary(protobuf), "/shop#9 com.shop.sold Some(\"a\")");
    check(None, &binary(&[]), "/shop#9 com.shop.sold: the value is null");
    check(Some(b"{"), &binary(&[]), "/shop#9 com.shop.sold: `value` ends too early");
    check(
        Some(b"{}"),
        &binary(&[("ce_specversion", Some(b"0.3"))]),
        "/shop#9 com.shop.sold: not version 1.0 of CloudEvents",
    );
    check(
        Some(b"{}"),
        &binary(&[("ce_source", Some(b""))]),
        "- com.shop.sold: a CloudEvent without `source`",
    );
    check(Some(b"{}"), &binary(&[("ce_id", Some(b"\xff"))]), "- -: `ce_id` is not UTF-8");
    check(
        Some(b"{}"),
        &binary(&[("ce_time", Some(b"now"))]),
        "/shop#9 com.shop.sold: `time` is not an RFC 3339 time",
    );
    // Without a version the record does not claim to be a CloudEvent.
    check(Some(b"{}"), &[("ce_id", Some(b"9"))], "- -: `type` is missing");
}

#[test]
fn cloud_events_lend_an_event_what_it_lacks() {
    let headers =
        binary(&[("ce_time", Some(b"2030-01-01T00:00:00Z")), ("ce_subject", Some(b"order 7"))]);
    let event = event::decode(Some(b"{}"), headers.iter().copied(), &POSITION).unwrap();
    assert_eq!(event.origin.as_deref(), Some("/shop"));
    assert_eq!(event.external_id.as_deref(), Some("order 7"));
    assert_eq!(event.occurred_at.map(domain::Timestamp::as_millis), Some(1_893_456_000_000));
    let own = br#"{"origin":"o","externalId":"e","occurredAt":"1970-01-01T00:00:00Z"}"#;
    let event = event::decode(Some(own), headers.iter().copied(), &POSITION).unwrap();
    assert_eq!(event.origin.as_deref(), Some("o"));
    assert_eq!(event.external_id.as_deref(), Some("e"));
    assert_eq!(event.occurred_at.map(domain::Timestamp::as_millis), Some(0));
}

#[test]
fn cloud_events_are_read_in_structured_mode() {
    #[track_caller]
    fn structured(inside: &str, expected: &str) {
        let value = format!(r#"{{"specversion":"1.0","id":"9","source":"/shop",{inside}}}"#);
        let name = b"application/cloudevents+json; charset=UTF-8";
        check(Some(value.as_bytes()), &[("content-type", Some(name))], expected);
    }
    structured(r#""type":"sold","data":{"email":"a"}"#, "/shop#9 sold Some(\"a\")");
    structured(
        r#""type":"sold","datacontenttype":"application/json","traceparent":"x","data":{"id":"1","type":"t"}"#,
        "1 t None",
    );
    structured(r#""type":"sold""#, "/shop#9 sold: a CloudEvent without `data`");
    structured(r#""type":"sold","data":null"#, "/shop#9 sold: a CloudEvent without `data`");
    structured(r#""type":"sold","data":"{}""#, "/shop#9 sold: `data` is not an object");
    structured(
        r#""type":"sold","data":{},"data_base64":"e30=""#,
        "/shop#9 sold: both `data` and `data_base64`",
    );
    structured(r#""type":"sold","data_base64":"eyJlbWFpbCI6ImEifQ==""#, "/shop#9 sold Some(\"a\")");
    structured(
        r#""type":"sold","datacontenttype":"application/protobuf","data_base64":"IgFh","data":null"#,
        "/shop#9 sold Some(\"a\")",
    );
    structured(
        r#""type":"sold","datacontenttype":"application/protobuf","data_base64":"IgH_""#,
        "/shop#9 sold: `email` is not UTF-8",
    );
    structured(
        r#""type":"sold","data_base64":"IgFh""#,
        "/shop#9 sold: `datacontenttype` does not say what `data_base64` is",
    );
    structured(r#""type":"sold","data_base64":"!""#, "/shop#9 sold: `data_base64` is not base64");
    structured(
        r#""type":"sold","datacontenttype":"text/xml","data":{}"#,
        "/shop#9 sold: unknown content type `text/xml`",
    );
    structured(r#""data":{}"#, "/shop#9 -: a CloudEvent without `type`");
    structured(r#""type":"sold","data":{"email":5}"#, "/shop#9 sold: `email` is not a string");
    structured(r#""type":"sold","data":{"#, "/shop#9 sold: `value` ends too early");
    structured(
        r#""type":"sold","specversion":"2","data":{}"#,
        "/shop#9 sold: not version 1.0 of CloudEvents",
    );
}
