//! The records this service reads and writes, in both forms the contract has: protobuf, as generated
//! from `proto/bindery/v1`, and JSON.

use anyhow::{Context, bail};
use prost::Message as _;
use serde::{Deserialize, Serialize};

/// The generated types.
#[allow(clippy::all, unreachable_pub, reason = "generated; the .proto files say what they are")]
mod proto {
    include!(concat!(env!("OUT_DIR"), "/bindery.v1.rs"));
}

/// The W3C trace context of an assignment, for its reports to go on with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trace {
    /// The header `traceparent`, as it came.
    pub parent: Option<Vec<u8>>,
    /// The header `tracestate`, as it came.
    pub state: Option<Vec<u8>>,
}

impl Trace {
    /// The headers there are.
    pub(crate) fn headers(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let parent = self.parent.as_deref().map(|value| ("traceparent", value));
        let state = self.state.as_deref().map(|value| ("tracestate", value));
        parent.into_iter().chain(state)
    }
}

/// What this service needs of an assignment.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Assignment {
    /// The idempotency key: the same id is the same message.
    pub assignment_id: String,
    /// The template to render.
    pub template_id: String,
    /// Its version.
    pub version: u32,
    /// The channel to send by.
    pub channel: String,
    /// Where to send to.
    pub address: String,
    /// Not to be sent after.
    #[serde(default)]
    pub expiration: Option<jiff::Timestamp>,
    /// The data for the template.
    #[serde(default)]
    pub ctx: serde_json::Value,
    /// Of the record's headers; decoding leaves it empty.
    #[serde(skip)]
    pub trace: Trace,
}

/// One version of a template: what is rendered. A text that is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Content {
    /// The subject of an e-mail.
    pub subject: String,
    /// The title of a push message.
    pub title: String,
    /// Plain text.
    pub text: String,
    /// HTML.
    pub html: String,
}

/// What this service reports of an assignment; written as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeliveryLog {
    /// As it was given in the assignment.
    pub assignment_id: String,
    /// `accepted`, `sent`, `ignored`, `failed`.
    pub outcome: &'static str,
    /// Why, where there is something to explain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// `hard`, `soft` or `ignored`, of a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    /// When it happened, by this service's clock.
    pub occurred_at: jiff::Timestamp,
    /// Who carried the message.
    pub provider: &'static str,
    /// The assignment's trace, for the record's headers.
    #[serde(skip)]
    pub trace: Trace,
}

/// The two forms of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `application/protobuf`.
    Protobuf,
    /// `application/json`.
    Json,
}

impl Form {
    /// The form that a record's `content-type` header names; JSON where there is none.
    ///
    /// # Errors
    /// Where it names another.
    pub(crate) fn of(content_type: Option<&[u8]>) -> anyhow::Result<Self> {
        match content_type.map(String::from_utf8_lossy).as_deref() {
            Some("application/protobuf") => Ok(Self::Protobuf),
            None | Some("application/json") => Ok(Self::Json),
            Some(other) => bail!("content type `{other}` is not known here"),
        }
    }
}

impl Assignment {
    /// Reads an assignment.
    ///
    /// # Errors
    /// Where the bytes are none.
    pub(crate) fn decode(form: Form, value: &[u8]) -> anyhow::Result<Self> {
        match form {
            Form::Json => serde_json::from_slice(value).context("not an assignment in JSON"),
            Form::Protobuf => {
                let read = proto::Assignment::decode(value).context("not an assignment")?;
                let ctx = if read.ctx.is_empty() {
                    serde_json::json!({})
                } else {
                    serde_json::from_slice(&read.ctx).context("`ctx` is not JSON")?
                };
                let moment =
                    |at: prost_types::Timestamp| jiff::Timestamp::new(at.seconds, at.nanos);
                Ok(Self {
                    assignment_id: read.assignment_id,
                    template_id: read.template_id,
                    version: read.version,
                    channel: read.channel,
                    address: read.address,
                    expiration: read.expiration.map(moment).transpose()?,
                    ctx,
                    trace: Trace::default(),
                })
            }
        }
    }
}

impl Content {
    /// Reads a template's content.
    ///
    /// # Errors
    /// Where the bytes are none.
    pub(crate) fn decode(form: Form, value: &[u8]) -> anyhow::Result<Self> {
        match form {
            Form::Json => serde_json::from_slice(value).context("not a template in JSON"),
            Form::Protobuf => {
                let read = proto::TemplateContent::decode(value).context("not a template")?;
                Ok(Self {
                    subject: read.subject,
                    title: read.title,
                    text: read.text,
                    html: read.html,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_an_assignment_read_the_same() {
        let json = br#"{"assignmentId":"e1:1","templateId":"t","version":3,"channel":"email",
            "address":"ada@example.com","expiration":"2026-01-02T03:04:05Z","eventType":"x",
            "revision":"12","ctx":{"a":{"b":1}}}"#;
        let protobuf = proto::Assignment {
            assignment_id: "e1:1".into(),
            template_id: "t".into(),
            version: 3,
            channel: "email".into(),
            address: "ada@example.com".into(),
            expiration: Some(prost_types::Timestamp { seconds: 1_767_323_045, nanos: 0 }),
            ctx: br#"{"a":{"b":1}}"#.to_vec(),
            ..proto::Assignment::default()
        };
        let from_json = Assignment::decode(Form::Json, json).unwrap();
        let bytes = protobuf.encode_to_vec();
        assert_eq!(from_json, Assignment::decode(Form::Protobuf, &bytes).unwrap());
        assert_eq!(from_json.ctx["a"]["b"], 1);
    }

    #[test]
    fn a_report_says_only_what_is_to_be_said() {
        let log = DeliveryLog {
            assignment_id: "e1:1".into(),
            outcome: "sent",
            reason: None,
            kind: None,
            occurred_at: jiff::Timestamp::from_millisecond(1_767_323_045_250).unwrap(),
            provider: "example",
            trace: Trace { parent: Some(b"00-1".to_vec()), state: None },
        };
        assert_eq!(
            serde_json::to_string(&log).unwrap(),
            r#"{"assignmentId":"e1:1","outcome":"sent","occurredAt":"2026-01-02T03:04:05.25Z","provider":"example"}"#
        );
    }
}
