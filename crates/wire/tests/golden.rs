//! Recorded bytes of every message. What was ever written must be read for ever, and what is written
//! must not change by accident.
//!
//! A file is never edited. Where what is written changes on purpose, the old file is kept under another
//! name with a test of its own that it is still read. `WRITE_GOLDEN=1` records files that are not there
//! yet, and never touches one that is.

use std::borrow::Cow;
use std::fmt::Debug;
use std::path::PathBuf;

use domain::{
    Assignment, Attempt, Canary, Candidate, Channel, DeliveryLog, DeliveryReason, Event, EventId,
    EventStatus, Fact, FactKind, Hold, LaneKind, Lanes, Losers, Lost, NotSupported, Outcome,
    OutcomeKind, RejectionReason, RequiredPath, Revision, SourcePosition, Status, Template,
    TemplateState, TemplateVersion, Timestamp,
};
use wire::cancellation::Cancellation;
use wire::held_event::{HeldEvent, RecordHeader};
use wire::template_content::TemplateContent;
use wire::{
    Format, assignment, cancellation, delivery_log, event, fact, held_event, status, template,
    template_content,
};

const NOW: Timestamp = Timestamp::from_millis(1_763_924_345_678);
const LATER: Timestamp = Timestamp::from_millis(1_763_931_600_000);
const CTX: &[u8] = br#"{"order":{"number":"1232","total":12.50},"name":"Ad\u00e9la \"A\""}"#;
const POSITION: SourcePosition<'static> =
    SourcePosition { topic: "rt-event", partition: 5, offset: 4_294_967_300, timestamp: NOW };

/// One sample, in both formats: written as recorded, and read from the record.
#[track_caller]
fn check<T: PartialEq + Debug>(
    name: &str,
    sample: &T,
    encode: impl Fn(&T, Format, &mut Vec<u8>),
    decode: impl Fn(&'static [u8], Header) -> Result<T, String>,
) {
    for (format, extension) in [(Format::Protobuf, "binpb"), (Format::Json, "json")] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden")
            .join(format!("{name}.{extension}"));
        let mut written = Vec::new();
        encode(sample, format, &mut written);
        if std::env::var_os("WRITE_GOLDEN").is_some() && !path.exists() {
            std::fs::write(&path, &written).expect("the folder is there");
        }
        let recorded = std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        if written != recorded {
            let shown = String::from_utf8_lossy(&written);
            panic!("{path:?} is not what is written now: {shown}");
        }
        let header = ("content-type", Some(format.content_type().as_bytes()));
        let read = decode(Vec::leak(recorded), header);
        assert_eq!(read.as_ref(), Ok(sample), "{path:?}");
    }
}

type Header = (&'static str, Option<&'static [u8]>);

macro_rules! check {
    ($name:literal, $module:ident, $sample:expr) => {
        check($name, &$sample, $module::encode, |bytes, header| {
            $module::decode(Some(bytes), std::iter::once(header)).map_err(|fault| fault.to_string())
        })
    };
}

fn event_id() -> EventId<'static> {
    EventId::new("3f0c6e9a-Ünï-1").expect("well formed")
}

fn attempt() -> Attempt {
    Attempt::new(2).expect("not zero")
}

fn text(text: &'static str) -> Option<Cow<'static, str>> {
    Some(Cow::Borrowed(text))
}

fn smallest_event() -> Event<'static> {
    Event {
        id: EventId::new("1").expect("well formed"),
        event_type: "order.shipped".into(),
        channel: None,
        email: None,
        mobile_phone: None,
        registration_token: None,
        mobile_app: None,
        external_id: None,
        origin: None,
        tenant: None,
        language: None,
        country: None,
        email_format: None,
        occurred_at: None,
        scheduled: None,
        expiration: None,
        ctx: b"".into(),
    }
}

#[test]
fn events_are_as_recorded() {
    let full = Event {
        id: event_id(),
        event_type: "order.shipped".into(),
        channel: Some(Channel::new("whatsapp").unwrap()),
        email: text("ada@example.com"),
        mobile_phone: text("+33123456789"),
        registration_token: text("c2VjcmV0\u{0}\n\"\\"),
        mobile_app: text("shop"),
        external_id: text("1232"),
        origin: text("/shop/eu"),
        tenant: text("acme"),
        language: text("fr-CA"),
        country: text("CA"),
        email_format: text("html"),
        occurred_at: Some(Timestamp::from_millis(-1)),
        scheduled: Some(NOW),
        expiration: Some(LATER),
        ctx: CTX.into(),
    };
    for (name, sample) in [("event", full), ("event-smallest", smallest_event())] {
        check(name, &sample, event::encode, |bytes, header| {
            event::decode(Some(bytes), std::iter::once(header), &POSITION)
                .map_err(|fault| fault.to_string())
        });
    }
}

/// What others write as CloudEvents 1.0 is only read here.
#[test]
fn cloud_events_are_read_as_recorded() {
    let recorded = |name: &str| -> &'static [u8] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
        std::fs::read(&path).unwrap_or_else(|error| panic!("{path:?}: {error}")).leak()
    };
    let expected = Event {
        id: EventId::new("/shop/eu#9").expect("well formed"),
        email: text("ada@example.com"),
        external_id: text("1232"),
        origin: text("/shop/eu"),
        occurred_at: Some(NOW),
        ctx: br#"{"order":{"number":"1232"}}"#.into(),
        ..smallest_event()
    };
    let check = |value: &'static [u8], headers: &[Header]| {
        let read = event::decode(Some(value), headers.iter().copied(), &POSITION);
        assert_eq!(read.map_err(|fault| fault.to_string()), Ok(expected.clone()));
    };
    let structured = ("content-type", Some(&b"application/cloudevents+json"[..]));
    check(recorded("cloud-event-structured.json"), &[structured]);
    // Binary mode: a header a line, and the event's data as the value.
    let lines = std::str::from_utf8(recorded("cloud-event-binary.headers")).expect("text");
    let headers: Vec<Header> = lines
        .lines()
        .map(|line| line.split_once(": ").expect("a name and a value"))
        .map(|(name, value)| (name, Some(value.as_bytes())))
        .collect();
    check(recorded("cloud-event-binary.json"), &headers);
}

#[test]
fn assignments_are_as_recorded() {
    check!(
        "assignment",
        assignment,
        Assignment {
            event_id: event_id(),
            attempt: attempt(),
            event_type: "order.shipped".into(),
            external_id: text("1232"),
            origin: text("/shop/eu"),
            tenant: text("acme"),
            template_id: "order-shipped-email-fr".into(),
            version: TemplateVersion(17),
            language: "fr".into(),
            revision: Revision(1_234),
            channel: Channel::EMAIL,
            address: "ada@example.com".into(),
            mobile_app: text("shop"),
            email_format: text("html"),
            expiration: Some(LATER),
            bound_at: NOW,
            ctx: CTX.into(),
            source: POSITION,
        }
    );
}

fn fact_of(kind: FactKind<'static>) -> Fact<'static> {
    Fact {
        event_id: event_id(),
        attempt: attempt(),
        occurred_at: NOW,
        event_type: text("order.shipped"),
        external_id: text("1232"),
        tenant: text("acme"),
        lane: Some(LaneKind::Batch),
        kind,
    }
}

#[test]
fn facts_are_as_recorded() {
    let loser = |id: &'static str, lost| Candidate { template_id: id.into(), lost };
    check!(
        "fact-bound",
        fact,
        fact_of(FactKind::Bound {
            template_id: "order-shipped-email-fr".into(),
            version: TemplateVersion(17),
            channel: Channel::EMAIL,
            revision: Revision(1_234),
            losers: Losers::from(vec![
                loser("a", Lost::Paused),
                loser("b", Lost::Lane),
                loser("c", Lost::Language),
                loser("d", Lost::Older),
            ]),
        })
    );
    check!(
        "fact-not-supported",
        fact,
        fact_of(FactKind::NotSupported(NotSupported {
            reason: RejectionReason::NoTemplate,
            detail: "no template for `order.shiped` and `email`".into(),
            nearest: text("order.shipped"),
        }))
    );
    check!("fact-held-scheduled", fact, fact_of(FactKind::Held(Hold::Scheduled { until: LATER })));
    let template_id = "order-shipped-email-fr".into();
    check!("fact-held-paused", fact, fact_of(FactKind::Held(Hold::Paused { template_id })));
    check!("fact-duplicate", fact, fact_of(FactKind::Duplicate { of: Attempt::FIRST }));
    check!(
        "fact-delivery",
        fact,
        fact_of(FactKind::Delivery {
            outcome: Outcome::Failed,
            reason: DeliveryReason::new("mailbox_full"),
            kind: Some(OutcomeKind::Soft),
            provider: text("mta-1"),
            provider_message_id: text("<7@mta-1>"),
        })
    );
}

#[test]
fn facts_that_say_one_word_are_as_recorded() {
    let fact = |kind| Fact {
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        ..fact_of(kind)
    };
    check!("fact-received", fact, fact(FactKind::Received));
    check!("fact-released", fact, fact(FactKind::Released));
    check!("fact-expired", fact, fact(FactKind::Expired));
    check!("fact-cancelled", fact, fact(FactKind::Cancelled));
    check!("fact-cancel-requested", fact, fact(FactKind::CancelRequested));
}

#[test]
fn statuses_are_as_recorded() {
    check!(
        "event-status",
        status,
        EventStatus {
            event_id: event_id(),
            status: Status::DeliveryError,
            attempt: attempt(),
            reason: "mailbox_full".into(),
            template_id: text("order-shipped-email-fr"),
            version: Some(TemplateVersion(17)),
            channel: Some(Channel::EMAIL),
            assigned: true,
            lane: Some(LaneKind::Rt),
            tenant: text("acme"),
            external_id: text("1232"),
            event_type: text("order.shipped"),
            occurred_at: NOW,
            orphan: false,
        }
    );
    check!(
        "event-status-orphan",
        status,
        EventStatus {
            event_id: event_id(),
            status: Status::PendingDelivery,
            attempt: Attempt::FIRST,
            reason: "".into(),
            template_id: None,
            version: None,
            channel: None,
            assigned: false,
            lane: None,
            tenant: None,
            external_id: None,
            event_type: None,
            occurred_at: NOW,
            orphan: true,
        }
    );
}

#[test]
fn delivery_logs_are_as_recorded() {
    check!(
        "delivery-log",
        delivery_log,
        DeliveryLog {
            event_id: event_id(),
            attempt: attempt(),
            outcome: Outcome::Failed,
            reason: DeliveryReason::new("mailbox_full"),
            kind: Some(OutcomeKind::Soft),
            occurred_at: Some(NOW),
            provider: text("mta-1"),
            provider_message_id: text("<7@mta-1>"),
        }
    );
}

#[test]
fn templates_are_as_recorded() {
    let path = |path| RequiredPath::new(path).unwrap();
    check!(
        "message-template",
        template,
        Template {
            id: "order-shipped-email-fr".into(),
            event_type: "order.shipped".into(),
            channel: Channel::EMAIL,
            language: "fr".into(),
            lanes: Lanes { rt: true, batch: false },
            state: TemplateState::Paused,
            stable: TemplateVersion(17),
            canary: Some(Canary { version: TemplateVersion(18), percentage: 5 }),
            published_at: NOW,
            required: [path("order.number"), path("order.lines.0.name")].into(),
            retained: [TemplateVersion(3), TemplateVersion(300)].into(),
        }
    );
    check!(
        "template-content",
        template_content,
        TemplateContent {
            template_id: "order-shipped-email-fr".into(),
            version: TemplateVersion(17),
            subject: text("Votre commande {{ ctx.order.number }}"),
            text: text("Elle est partie.\n"),
            html: text("<p class=\"x\">Elle est partie.</p>"),
            title: text("Partie"),
            schema: br#"{"type":"object","required":["order"]}"#.into(),
        }
    );
}

#[test]
fn held_events_are_as_recorded() {
    let held = HeldEvent {
        event_id: event_id(),
        attempt: Attempt::FIRST,
        hold: Hold::Scheduled { until: LATER },
        held_at: NOW,
        lane: LaneKind::Batch,
        source: POSITION,
        key: Some(b"customer-7".into()),
        value: b"\x00\xff{}".into(),
        headers: Cow::Owned(vec![
            RecordHeader { name: "content-type".into(), value: Some(b"application/json".into()) },
            RecordHeader { name: "empty".into(), value: Some(b"".into()) },
            RecordHeader { name: "null".into(), value: None },
        ]),
    };
    check!("held-event", held_event, held);
    let hold = Hold::Paused { template_id: "order-shipped-email-fr".into() };
    check!("held-event-paused", held_event, HeldEvent { hold, key: None, ..held });
}

#[test]
fn cancellations_are_as_recorded() {
    check!(
        "cancellation",
        cancellation,
        Cancellation {
            event_id: event_id(),
            requested_at: Some(NOW),
            requested_by: text("ada"),
            reason: text("order was cancelled"),
        }
    );
}

#[test]
fn json_is_the_documented_form() {
    let mut json = Vec::new();
    let sample =
        Event { ctx: br#"{"a":1}"#.into(), email: text("ada@example.com"), ..smallest_event() };
    event::encode(&sample, Format::Json, &mut json);
    let expected = r#"{"id":"1","type":"order.shipped","email":"ada@example.com","ctx":{"a":1}}"#;
    assert_eq!(String::from_utf8(json).unwrap(), expected);
}
