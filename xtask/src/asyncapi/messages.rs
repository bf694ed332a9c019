use serde_yaml_ng::Value;
use wire::headers::{DeadLetter, kind};

use super::schemas::Contract;
use super::{map, reference};

const DEAD_LETTER: &str =
    "The bytes of a record as read, with headers that say why it is here and where it was read.";

/// What can be in a topic.
#[derive(Clone, Copy)]
pub(super) enum Payload {
    Event,
    MessageTemplate,
    TemplateContent,
    Assignment,
    Fact,
    EventStatus,
    DeliveryLog,
    DeadLetter,
    HeldEvent,
    Cancellation,
}

impl Payload {
    pub(super) const ALL: [Self; 10] = [
        Self::Event,
        Self::MessageTemplate,
        Self::TemplateContent,
        Self::Assignment,
        Self::Fact,
        Self::EventStatus,
        Self::DeliveryLog,
        Self::DeadLetter,
        Self::HeldEvent,
        Self::Cancellation,
    ];

    /// Also the name of the protobuf message, where there is one.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Event => "Event",
            Self::MessageTemplate => "MessageTemplate",
            Self::TemplateContent => "TemplateContent",
            Self::Assignment => "Assignment",
            Self::Fact => "Fact",
            Self::EventStatus => "EventStatus",
            Self::DeliveryLog => "DeliveryLog",
            Self::DeadLetter => "DeadLetter",
            Self::HeldEvent => "HeldEvent",
            Self::Cancellation => "Cancellation",
        }
    }

    const fn key(self) -> &'static str {
        match self {
            Self::Event => "The producer's choice; events of one key keep their order.",
            Self::MessageTemplate => "The template's id.",
            Self::TemplateContent => "The template's id, a slash, the version.",
            Self::Assignment => "The event's key, or its id where it had none.",
            Self::Fact | Self::EventStatus | Self::HeldEvent | Self::Cancellation => {
                "The event's id."
            }
            Self::DeliveryLog => "Any.",
            Self::DeadLetter => "As read.",
        }
    }

    /// The `ce_type` of what Bindery writes; none where others write.
    const fn kind(self) -> Option<&'static str> {
        match self {
            Self::MessageTemplate => Some(kind::MESSAGE_TEMPLATE),
            Self::TemplateContent => Some(kind::TEMPLATE_CONTENT),
            Self::Assignment => Some(kind::ASSIGNMENT),
            Self::Fact => Some(kind::FACT),
            Self::EventStatus => Some(kind::EVENT_STATUS),
            Self::HeldEvent => Some(kind::HELD_EVENT),
            Self::Event | Self::DeliveryLog | Self::Cancellation | Self::DeadLetter => None,
        }
    }

    /// Whether a trace goes through it.
    const fn passes_trace_on(self) -> bool {
        match self {
            Self::Event
            | Self::Assignment
            | Self::Fact
            | Self::EventStatus
            | Self::DeliveryLog
            | Self::HeldEvent => true,
            Self::MessageTemplate
            | Self::TemplateContent
            | Self::DeadLetter
            | Self::Cancellation => false,
        }
    }

    pub(super) fn describe(self, contract: &Contract) -> Value {
        let key = map([("type", "string".into()), ("description", self.key().into())]);
        let binding = map([("key", key), ("bindingVersion", "0.5.0".into())]);
        let (about, payload) = if let Self::DeadLetter = self {
            (DEAD_LETTER.into(), map([("description", "Anything.".into())]))
        } else {
            (contract.about(self.name()), reference(&format!("components/schemas/{}", self.name())))
        };
        map([
            ("name", self.name().into()),
            ("summary", about.into()),
            ("headers", self.headers()),
            ("payload", payload),
            ("bindings", map([("kafka", binding)])),
        ])
    }

    fn headers(self) -> Value {
        let text = |about: &str| map([("type", "string".into()), ("description", about.into())]);
        let constant = |word: &str| map([("type", "string".into()), ("const", word.into())]);
        let mut headers = Vec::new();
        if let Self::DeadLetter = self {
            headers.extend([
                (DeadLetter::REASON, text("The stable word for why.")),
                (DeadLetter::DETAIL, text("What is wrong, for a person.")),
                (DeadLetter::EVENT_ID, text("The event's id, where there is one.")),
                (DeadLetter::SOURCE_TOPIC, text("The topic it was read from.")),
                (DeadLetter::SOURCE_PARTITION, text("The partition, in digits.")),
                (DeadLetter::SOURCE_OFFSET, text("The offset, in digits.")),
                (DeadLetter::SOURCE_TIMESTAMP, text("The record's timestamp in ms, in digits.")),
            ]);
        } else {
            headers.push(("content-type", content_type(self)));
        }
        let trace = [
            ("traceparent", text("W3C trace context, passed on.")),
            (
                "tracestate",
                text("Passed on with `traceparent`; of more than 512 bytes, the first members."),
            ),
        ];
        match (self, self.kind()) {
            (_, Some(kind)) => {
                headers.extend([
                    ("ce_specversion", constant("1.0")),
                    ("ce_type", constant(kind)),
                    ("ce_source", text("The service that wrote it.")),
                    ("ce_id", text("Names the record among those of its source.")),
                ]);
            }
            (Self::Event, None) => {
                headers.extend([
                    ("ce_specversion", constant("1.0")),
                    (
                        "ce_type",
                        text("Of a CloudEvent: the event's type, unless the value has one."),
                    ),
                    (
                        "ce_source",
                        text("Of a CloudEvent: the event's id is this, `#` and `ce_id`."),
                    ),
                    ("ce_id", text("Of a CloudEvent: unique for its source.")),
                    (
                        "ce_time",
                        text("Of a CloudEvent: when it happened, unless the value says so."),
                    ),
                    (
                        "ce_subject",
                        text("Of a CloudEvent: the business key, unless the value has one."),
                    ),
                ]);
            }
            (_, None) => {}
        }
        if self.passes_trace_on() {
            headers.extend(trace);
        }
        map([("type", "object".into()), ("properties", map(headers))])
    }
}

/// How the value is written.
fn content_type(message: Payload) -> Value {
    let mut known = vec![Value::from("application/json"), Value::from("application/protobuf")];
    if let Payload::Event = message {
        known.push("application/cloudevents+json".into());
    }
    map([
        ("type", "string".into()),
        ("description", "Without it, a value that starts with `{` is JSON.".into()),
        ("enum", known.into()),
    ])
}
