//! The forms in which producers write events.

use std::borrow::Cow;

use domain::{Channel, Event, EventId, Timestamp};
use serde_json::{Value, json};

use super::case::Written;
use super::random::Random;
use super::subject::Subject;

/// Who sends, for CloudEvents.
const SOURCE: &str = "https://larkspur.example/shop";

/// One of the forms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// JSON, with or without saying so.
    Json,
    /// Protobuf.
    Protobuf,
    /// CloudEvents in one JSON object.
    Structured,
    /// CloudEvents by headers.
    Binary,
}

impl Form {
    /// One of them; JSON more often than not.
    pub(super) fn any(random: &mut Random) -> Self {
        match random.below(20) {
            0..=10 => Self::Json,
            11..=15 => Self::Protobuf,
            16 | 17 => Self::Structured,
            _ => Self::Binary,
        }
    }

    /// The id that an event written in this form has of its own.
    pub(super) fn event_id(self, subject: &Subject) -> Option<String> {
        match self {
            Self::Json => subject.is_named.then(|| subject.id.clone()),
            Self::Protobuf => Some(subject.id.clone()),
            Self::Structured | Self::Binary => Some(format!("{SOURCE}#{}", subject.id)),
        }
    }

    /// The record's value and headers.
    pub(super) fn write(self, subject: &Subject) -> Written {
        let content_type = |name: &str| ("content-type", name.as_bytes().to_vec());
        match self {
            Self::Json => {
                let mut body = body(subject);
                body["type"] = json!(subject.event_type);
                if subject.is_named {
                    body["id"] = json!(subject.id);
                    (Some(bytes(&body)), vec![content_type("application/json")])
                } else {
                    // Those who give no id often give no content type either.
                    (Some(bytes(&body)), Vec::new())
                }
            }
            Self::Protobuf => (Some(protobuf(subject)), vec![content_type("application/protobuf")]),
            Self::Structured => {
                let envelope = json!({
                    "specversion": "1.0", "id": subject.id, "source": SOURCE,
                    "type": subject.event_type, "datacontenttype": "application/json",
                    "data": body(subject),
                });
                (Some(bytes(&envelope)), vec![content_type("application/cloudevents+json")])
            }
            Self::Binary => {
                let headers = vec![
                    content_type("application/json"),
                    ("ce_specversion", b"1.0".to_vec()),
                    ("ce_id", subject.id.clone().into_bytes()),
                    ("ce_source", SOURCE.as_bytes().to_vec()),
                    ("ce_type", subject.event_type.as_bytes().to_vec()),
                    (
                        "traceparent",
                        b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_vec(),
                    ),
                ];
                (Some(bytes(&body(subject))), headers)
            }
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

fn body(subject: &Subject) -> Value {
    let mut body = Value::Object(subject.fields.clone());
    body["ctx"] = subject.ctx.clone();
    body
}

fn protobuf(subject: &Subject) -> Vec<u8> {
    let text = |name: &str| subject.fields.get(name).and_then(Value::as_str).map(Cow::Borrowed);
    let moment = |name: &str| {
        let parsed: Option<jiff::Timestamp> = text(name).and_then(|text| text.parse().ok());
        parsed.map(|at| Timestamp::from_millis(at.as_millisecond()))
    };
    let ctx = bytes(&subject.ctx);
    let event = Event {
        id: EventId::new(subject.id.as_str()).expect("the demo's ids are printable"),
        event_type: Cow::Borrowed(subject.event_type),
        channel: text("channel").map(|name| Channel::new(name).expect("a channel's name")),
        email: text("email"),
        mobile_phone: text("mobilePhone"),
        registration_token: text("registrationToken"),
        mobile_app: text("mobileApp"),
        external_id: text("externalId"),
        origin: text("origin"),
        tenant: text("tenant"),
        language: text("language"),
        country: text("country"),
        email_format: None,
        occurred_at: moment("occurredAt"),
        scheduled: moment("scheduled"),
        expiration: moment("expiration"),
        ctx: Cow::Borrowed(&ctx),
    };
    let mut buffer = Vec::new();
    wire::event::encode(&event, wire::Format::Protobuf, &mut buffer);
    buffer
}
