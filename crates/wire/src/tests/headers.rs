use super::POSITION;
use crate::Format;
use crate::headers::{DeadLetter, Outgoing, Trace, kind, outgoing};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn trace<'a>(parent: &'a str, state: &'a str) -> Trace<'a> {
    let headers =
        [("traceparent", Some(parent.as_bytes())), ("tracestate", Some(state.as_bytes()))];
    Trace::of(headers.into_iter())
}

#[test]
fn what_is_written_is_a_cloud_event_and_passes_the_trace_on() {
    let record = Outgoing {
        kind: kind::ASSIGNMENT,
        id: "e:1",
        source: "/bindery/rt-event-consumer",
        format: Format::Protobuf,
        trace: trace(PARENT, "a=b"),
    };
    let headers: Vec<_> = outgoing(record)
        .map(|(name, value)| format!("{name}: {}", std::str::from_utf8(value).unwrap()))
        .collect();
    let traceparent = format!("traceparent: {PARENT}");
    assert_eq!(
        headers,
        [
            "content-type: application/protobuf",
            "ce_specversion: 1.0",
            "ce_id: e:1",
            "ce_source: /bindery/rt-event-consumer",
            "ce_type: io.bindery.assignment.v1",
            &traceparent,
            "tracestate: a=b",
        ]
    );
}

#[test]
fn what_is_no_trace_is_not_passed_on() {
    let upper = PARENT.to_uppercase();
    let later = format!("01{}-more", &PARENT[2..]);
    let parent = |text| trace(text, "").parent().is_some();
    assert!(parent(PARENT));
    assert!(parent(&later));
    for text in [
        "",
        "00",
        &upper,
        &format!("{PARENT}-more"),
        &format!("ff{}", &PARENT[2..]),
        &PARENT.replace('-', "_"),
        &format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
        &format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16)),
        &"é".repeat(40),
    ] {
        assert!(!parent(text), "{text}");
        assert_eq!(trace(text, "a=b"), Trace::NONE);
    }
    assert!(trace(PARENT, "").is_sampled());
    assert!(!trace(&PARENT.replace("-01", "-00"), "").is_sampled());
    assert!(!Trace::NONE.is_sampled());
}

#[test]
fn a_long_trace_state_loses_members_at_its_end() {
    #[track_caller]
    fn check(state: &str, expected: Option<usize>) {
        let length =
            trace(PARENT, state).headers().find(|it| it.0 == "tracestate").map(|it| it.1.len());
        assert_eq!(length, expected);
    }
    check("", None);
    check(&"x".repeat(512), Some(512));
    check(&"x".repeat(513), None);
    check(&format!("{},{}", "x".repeat(512), "y"), Some(512));
    check(&format!("{},{}", "x".repeat(100), "y".repeat(500)), Some(100));
    check("a=\u{7}", None);
}

#[test]
fn a_dead_letter_keeps_its_own_headers_and_says_why_and_whence() {
    let letter = DeadLetter::new("undecodable", "the value is empty", "e-1", &POSITION);
    let own: [(&str, Option<&[u8]>); 4] = [
        ("content-type", Some(b"text/plain")),
        ("null", None),
        ("bindery-reason", Some(b"an earlier one")),
        ("bytes", Some(b"\xff")),
    ];
    let headers: Vec<_> = letter
        .headers(own.into_iter())
        .map(|(name, value)| (name, value.map(String::from_utf8_lossy)))
        .map(|(name, value)| format!("{name}: {}", value.as_deref().unwrap_or("(null)")))
        .collect();
    assert_eq!(
        headers,
        [
            "content-type: text/plain",
            "null: (null)",
            "bytes: \u{fffd}",
            "bindery-reason: undecodable",
            "bindery-detail: the value is empty",
            "bindery-event-id: e-1",
            "bindery-source-topic: rt-event",
            "bindery-source-partition: 3",
            "bindery-source-offset: 41",
            "bindery-source-timestamp: 1700000000123",
        ]
    );
}
