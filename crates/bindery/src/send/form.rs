//! A line as a record: what it is checked for, how it is written, under which key.

use clap::ValueEnum;
use domain::{Context as _, Event, EventId, SourcePosition, Timestamp};
use kafka::TopicSpec;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use wire::{JsonContext, event_id_of_position};

/// Who sends, for CloudEvents made of events that do not say.
const SOURCE: &str = "/bindery/send";
const JSON: &str = "application/json";
const PROTOBUF: &str = "application/protobuf";
const CLOUD_EVENT: &str = "application/cloudevents+json";

/// How records are written.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Format {
    /// The JSON form of an event.
    #[default]
    Json,
    /// Protobuf, as `proto/bindery/v1/event.proto` has it.
    Protobuf,
    /// A structured CloudEvent around the JSON form.
    Cloudevents,
}

/// What lines are made into.
#[derive(Debug)]
pub(super) struct Form {
    format: Format,
    key_path: Option<String>,
    topic: String,
    bytes_max: usize,
}

/// What is sent for one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) key: Option<String>,
    pub(super) value: Vec<u8>,
    pub(super) content_type: &'static str,
}

impl Form {
    /// For records of the topic `spec`, whose key is at `key_path` of their line.
    pub(super) fn new(format: Format, key_path: Option<&str>, spec: &TopicSpec) -> Self {
        Self {
            format,
            key_path: key_path.map(str::to_owned),
            topic: spec.name.clone(),
            bytes_max: spec.value_bytes_max(),
        }
    }

    /// The record of line `number`, or what is wrong with it.
    pub(super) fn record(&self, number: u64, line: Vec<u8>) -> Result<Record, String> {
        // Without an id of its own an event is named after where it is read, which is not known yet.
        let position = SourcePosition {
            topic: &self.topic,
            partition: 0,
            offset: i64::try_from(number).unwrap_or(i64::MAX),
            timestamp: Timestamp::default(),
        };
        let is_cloud_event = is_cloud_event(&line);
        let content_type = if is_cloud_event { CLOUD_EVENT } else { JSON };
        let header = [("content-type", Some(content_type.as_bytes()))];
        let event = wire::event::decode(Some(&line), header.into_iter(), &position)
            .map_err(|undecodable| undecodable.detail.into_owned())?;
        let ctx: &[u8] = if event.ctx.is_empty() { b"{}" } else { &event.ctx };
        if JsonContext.check(ctx, &[]).is_err() {
            return Err("`ctx` is not a JSON object".to_owned());
        }
        let is_named = event.id != event_id_of_position(&position);
        let key = match &self.key_path {
            Some(path) => Some(key_at(path, &line)?),
            None => {
                let id = || is_named.then(|| event.id.to_string());
                event.external_id.as_deref().map(str::to_owned).or_else(id)
            }
        };
        let (value, content_type) = match (self.format, is_cloud_event) {
            (Format::Json, false) => (None, JSON),
            (Format::Cloudevents, true) => (None, CLOUD_EVENT),
            (Format::Json, true) => {
                (Some(encoded(&named(event, is_named), wire::Format::Json)), JSON)
            }
            (Format::Protobuf, _) => {
                (Some(encoded(&named(event, is_named), wire::Format::Protobuf)), PROTOBUF)
            }
            (Format::Cloudevents, false) => {
                (Some(enveloped(&named(event, is_named), &line)), CLOUD_EVENT)
            }
        };
        let value = value.unwrap_or(line);
        let bytes = value.len() + key.as_ref().map_or(0, String::len);
        if bytes > self.bytes_max {
            let bytes_max = self.bytes_max;
            return Err(format!(
                "{bytes} bytes are more than the {bytes_max} that the topic takes"
            ));
        }
        Ok(Record { key, value, content_type })
    }
}

/// The event with an id of its own: these forms cannot be without one.
fn named(mut event: Event<'_>, is_named: bool) -> Event<'_> {
    if !is_named {
        let id = uuid::Uuid::new_v4().hyphenated().to_string();
        event.id = EventId::new(id).expect("a UUID is 36 printable characters");
    }
    event
}

fn encoded(event: &Event<'_>, format: wire::Format) -> Vec<u8> {
    let mut buffer = Vec::new();
    wire::event::encode(event, format, &mut buffer);
    buffer
}

/// A structured CloudEvent whose data is `line` byte for byte.
fn enveloped(event: &Event<'_>, line: &[u8]) -> Vec<u8> {
    let quoted = |text: &str| Value::from(text).to_string();
    let mut envelope = format!(
        r#"{{"specversion":"1.0","id":{},"source":{},"type":{},"datacontenttype":"{JSON}","data":"#,
        quoted(event.id.as_str()),
        quoted(event.origin.as_deref().unwrap_or(SOURCE)),
        quoted(&event.event_type),
    )
    .into_bytes();
    envelope.extend_from_slice(line);
    envelope.push(b'}');
    envelope
}

/// Whether a line is a structured CloudEvent: nothing else has a `specversion`.
fn is_cloud_event(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        specversion: Option<IgnoredAny>,
    }
    const NAME: &[u8] = b"\"specversion\"";
    // Nearly all lines are told apart without being read twice.
    line.windows(NAME.len()).any(|window| window == NAME)
        && serde_json::from_slice::<Envelope>(line).is_ok_and(|read| read.specversion.is_some())
}

/// The text at a path of names with dots between them.
fn key_at(path: &str, line: &[u8]) -> Result<String, String> {
    let read: Value = serde_json::from_slice(line).map_err(|error| error.to_string())?;
    let found = path.split('.').try_fold(&read, |value, name| value.get(name));
    match found {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
        Some(Value::Array(_) | Value::Object(_)) => {
            Err(format!("`{path}`, which is to be the key, is neither text nor a number"))
        }
        Some(Value::Null) | None => Err(format!("`{path}`, which is to be the key, is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(format: Format, key_path: Option<&str>) -> Form {
        let spec = kafka::Topics::default().rt_event;
        Form::new(format, key_path, &spec)
    }

    fn record(format: Format, key_path: Option<&str>, line: &str) -> Result<Record, String> {
        form(format, key_path).record(7, line.as_bytes().to_vec())
    }

    #[track_caller]
    fn check_key(key_path: Option<&str>, line: &str, expected: Result<Option<&str>, &str>) {
        let key = record(Format::Json, key_path, line).map(|record| record.key);
        match (key, expected) {
            (Ok(key), Ok(expected)) => assert_eq!(key.as_deref(), expected, "{line}"),
            (Err(detail), Err(expected)) => assert!(detail.contains(expected), "{line}: {detail}"),
            (key, expected) => panic!("{line}: {key:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn the_key_is_the_external_id_or_else_the_id() {
        check_key(None, r#"{"type":"a","id":"1","externalId":"x"}"#, Ok(Some("x")));
        check_key(None, r#"{"type":"a","id":"1"}"#, Ok(Some("1")));
        check_key(None, r#"{"type":"a"}"#, Ok(None));
    }

    #[test]
    fn the_key_is_at_the_path_asked_for() {
        let line = r#"{"type":"a","id":"1","ctx":{"customer":{"id":42},"name":null}}"#;
        check_key(Some("id"), line, Ok(Some("1")));
        check_key(Some("ctx.customer.id"), line, Ok(Some("42")));
        check_key(Some("ctx.customer"), line, Err("neither text nor a number"));
        check_key(Some("ctx.name"), line, Err("`ctx.name`, which is to be the key, is missing"));
        check_key(Some("tenant"), line, Err("missing"));
    }

    #[test]
    fn what_is_no_event_is_told() {
        check_key(None, "nonsense", Err(""));
        check_key(None, r#"{"id":"1"}"#, Err("`type` is missing"));
        check_key(None, r#"{"type":"a","ctx":[1]}"#, Err("`ctx` is not a JSON object"));
        check_key(None, r#"{"type":"a","channel":"E MAIL"}"#, Err("`channel`"));
        check_key(None, r#"{"specversion":"1.0","type":"a"}"#, Err("CloudEvent without `id`"));
    }

    /// What a service makes of a line that was sent in this format.
    #[track_caller]
    fn check_read(format: Format, line: &str, content_type: &str, expected: &str) {
        let record = record(format, None, line).unwrap();
        assert_eq!(record.content_type, content_type, "{line}");
        let header = [("content-type", Some(record.content_type.as_bytes()))];
        let position = SourcePosition {
            topic: "rt-event",
            partition: 3,
            offset: 4,
            timestamp: Timestamp::default(),
        };
        let event =
            wire::event::decode(Some(&record.value), header.into_iter(), &position).unwrap();
        let id = if event.id == event_id_of_position(&position) { "-" } else { event.id.as_str() };
        let ctx = std::str::from_utf8(&event.ctx).unwrap();
        assert_eq!(format!("{id} {} {ctx}", event.event_type), expected, "{line}");
    }

    #[test]
    fn a_service_reads_the_same_event_in_every_format() {
        let line = r#"{"type":"a.b","id":"1","email":"ada@example.com","ctx":{"n": 1}}"#;
        check_read(Format::Json, line, JSON, r#"1 a.b {"n": 1}"#);
        check_read(Format::Protobuf, line, PROTOBUF, r#"1 a.b {"n": 1}"#);
        check_read(Format::Cloudevents, line, CLOUD_EVENT, r#"1 a.b {"n": 1}"#);
        let line =
            r#"{"specversion":"1.0","type":"a.b","id":"1","source":"/s","data":{"ctx":{"n": 1}}}"#;
        check_read(Format::Json, line, JSON, r#"/s#1 a.b {"n": 1}"#);
        check_read(Format::Protobuf, line, PROTOBUF, r#"/s#1 a.b {"n": 1}"#);
        check_read(Format::Cloudevents, line, CLOUD_EVENT, r#"/s#1 a.b {"n": 1}"#);
    }

    #[test]
    fn a_line_in_the_format_asked_for_is_sent_byte_for_byte() {
        let line = r#"{"type":"a",  "unknown":true}"#;
        assert_eq!(record(Format::Json, None, line).unwrap().value, line.as_bytes());
        let line = r#"{"specversion":"1.0","type":"a","id":"1","source":"/s","data":{}, "x":1}"#;
        assert_eq!(record(Format::Cloudevents, None, line).unwrap().value, line.as_bytes());
    }

    #[test]
    fn an_event_without_an_id_gets_one_where_the_format_needs_it() {
        let id = |format| {
            let record = record(format, None, r#"{"type":"a"}"#).unwrap();
            let header = [("content-type", Some(record.content_type.as_bytes()))];
            let position = SourcePosition {
                topic: "rt-event",
                partition: 0,
                offset: 7,
                timestamp: Timestamp::default(),
            };
            let event =
                wire::event::decode(Some(&record.value), header.into_iter(), &position).unwrap();
            (event.id != event_id_of_position(&position)).then(|| event.id.to_string())
        };
        assert_eq!(id(Format::Json), None);
        let (one, other) = (id(Format::Protobuf).unwrap(), id(Format::Protobuf).unwrap());
        assert_ne!(one, other);
        assert!(id(Format::Cloudevents).unwrap().starts_with("/bindery/send#"));
    }

    #[test]
    fn an_event_that_the_topic_would_not_take_is_told() {
        let mut spec = kafka::Topics::default().rt_event;
        spec.config.insert("max.message.bytes".into(), "600".into());
        let form = Form::new(Format::Json, None, &spec);
        let line = format!(r#"{{"type":"a","ctx":{{"n":"{}"}}}}"#, "x".repeat(100));
        let detail = form.record(1, line.into_bytes()).unwrap_err();
        assert!(detail.contains("more than the 88 that the topic takes"), "{detail}");
    }
}
