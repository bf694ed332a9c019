//! What a record's headers say about its value: the format, and CloudEvents' attributes.

use std::borrow::Cow;

use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Fields, fields};
use crate::value::Value;

/// A record's value and what came around it.
pub(crate) struct Content<'a> {
    pub(crate) attributes: Attributes<'a>,
    /// The bytes of the message itself, and how they are written.
    pub(crate) payload: Result<(Format, Cow<'a, [u8]>), Malformed>,
}

/// The attributes of a CloudEvent that we use; all `None` where the record is no CloudEvent.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) id: Option<Cow<'a, str>>,
    pub(crate) source: Option<Cow<'a, str>>,
    pub(crate) kind: Option<Cow<'a, str>>,
    pub(crate) time: Option<Cow<'a, str>>,
    pub(crate) subject: Option<Cow<'a, str>>,
}

/// The headers we know, as they came.
#[derive(Default)]
struct Known<'a> {
    content_type: Option<&'a [u8]>,
    spec_version: Option<&'a [u8]>,
    id: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    subject: Option<&'a [u8]>,
}

enum ContentType {
    Is(Format),
    StructuredCloudEvent,
}

impl<'a> Content<'a> {
    /// Reads the headers, once, and finds the message in the value.
    pub(crate) fn open(
        value: Option<&'a [u8]>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Self {
        let known = Known::read(headers);
        let mut attributes = Attributes::default();
        let payload = known.payload(value, &mut attributes);
        Self { attributes, payload }
    }

    /// The message, for a reader that only borrows from the record.
    pub(crate) fn in_place(self) -> Result<(Format, &'a [u8]), Malformed> {
        match self.payload? {
            (format, Cow::Borrowed(bytes)) => Ok((format, bytes)),
            (_, Cow::Owned(_)) => Err(Malformed::new("`data_base64` is read in events only")),
        }
    }
}

impl<'a> Known<'a> {
    fn read(headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>) -> Self {
        let mut known = Self::default();
        for (name, value) in headers {
            if let Some(attribute) = name.strip_prefix("ce_") {
                match attribute {
                    "specversion" => known.spec_version = value,
                    "id" => known.id = value,
                    "source" => known.source = value,
                    "type" => known.kind = value,
                    "time" => known.time = value,
                    "subject" => known.subject = value,
                    _ => {}
                }
            } else if name.eq_ignore_ascii_case("content-type") {
                known.content_type = value;
            }
        }
        known
    }

    fn payload(
        &self,
        value: Option<&'a [u8]>,
        attributes: &mut Attributes<'a>,
    ) -> Result<(Format, Cow<'a, [u8]>), Malformed> {
        if let Some(version) = self.spec_version {
            *attributes = self.attributes()?;
            attributes.check(version)?;
        }
        let value = match value {
            None => return Err(Malformed::new("the value is null")),
            Some([]) => return Err(Malformed::new("the value is empty")),
            Some(value) => value,
        };
        let content_type = match self.content_type {
            Some(content_type) => content_type_of(content_type)?,
            None if value.trim_ascii_start().starts_with(b"{") => ContentType::Is(Format::Json),
            None => {
                return Err(Malformed::new("no header `content-type`, and no `{` at the start"));
            }
        };
        match content_type {
            ContentType::Is(format) => Ok((format, Cow::Borrowed(value))),
            ContentType::StructuredCloudEvent => structured(value, attributes),
        }
    }

    fn attributes(&self) -> Result<Attributes<'a>, Malformed> {
        let text =
            |name: &'static str, bytes: Option<&'a [u8]>| match bytes.map(std::str::from_utf8) {
                None | Some(Ok("")) => Ok(None),
                Some(Ok(text)) => Ok(Some(Cow::Borrowed(text))),
                Some(Err(_)) => Err(Malformed::of_field(name, Problem("is not UTF-8"))),
            };
        Ok(Attributes {
            id: text("ce_id", self.id)?,
            source: text("ce_source", self.source)?,
            kind: text("ce_type", self.kind)?,
            time: text("ce_time", self.time)?,
            subject: text("ce_subject", self.subject)?,
        })
    }
}

impl Attributes<'_> {
    /// Whether all is there that makes a CloudEvent.
    fn check(&self, version: &[u8]) -> Result<(), Malformed> {
        if version != b"1.0" {
            return Err(Malformed::new("not version 1.0 of CloudEvents"));
        }
        for (name, attribute) in [("id", &self.id), ("source", &self.source), ("type", &self.kind)]
        {
            if attribute.is_none() {
                return Err(Malformed::new(format!("a CloudEvent without `{name}`")));
            }
        }
        Ok(())
    }
}

fn content_type_of(header: &[u8]) -> Result<ContentType, Malformed> {
    // As nearly everybody writes them.
    match header {
        b"application/protobuf" => return Ok(ContentType::Is(Format::Protobuf)),
        b"application/json" => return Ok(ContentType::Is(Format::Json)),
        _ => {}
    }
    let end = header.iter().position(|byte| *byte == b';').unwrap_or(header.len());
    let essence = header[..end].trim_ascii();
    let is = |name: &str| essence.eq_ignore_ascii_case(name.as_bytes());
    if is("application/protobuf") || is("application/x-protobuf") {
        Ok(ContentType::Is(Format::Protobuf))
    } else if is("application/json") {
        Ok(ContentType::Is(Format::Json))
    } else if is("application/cloudevents+json") {
        Ok(ContentType::StructuredCloudEvent)
    } else {
        Err(Malformed::new(format!("unknown content type `{}`", printable(essence))))
    }
}

/// A header's value as far as a log line should carry it.
fn printable(bytes: &[u8]) -> String {
    const LENGTH_MAX: usize = 64;
    let shown = bytes.iter().take(LENGTH_MAX).map(|byte| match byte {
        b' '..=b'~' if *byte != b'`' => char::from(*byte),
        _ => '.',
    });
    let more = if bytes.len() > LENGTH_MAX { "…" } else { "" };
    shown.chain(more.chars()).collect()
}

/// A CloudEvent in structured mode.
#[derive(Default)]
struct Structured<'a> {
    spec_version: Cow<'a, str>,
    attributes: Attributes<'a>,
    data_content_type: Option<Cow<'a, str>>,
    data: Option<Value<'a>>,
    data_base64: Option<Value<'a>>,
}

impl<'a> Fields<'a> for Structured<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::SPEC_VERSION => value.text_over(&mut self.spec_version)?,
            number::ID => value.text_into(&mut self.attributes.id)?,
            number::SOURCE => value.text_into(&mut self.attributes.source)?,
            number::TYPE => value.text_into(&mut self.attributes.kind)?,
            number::TIME => value.text_into(&mut self.attributes.time)?,
            number::SUBJECT => value.text_into(&mut self.attributes.subject)?,
            number::DATA_CONTENT_TYPE => value.text_into(&mut self.data_content_type)?,
            number::DATA => self.data = present(value),
            number::DATA_BASE64 => self.data_base64 = present(value),
            _ => {}
        }
        Ok(())
    }
}

// The numbers are ours: structured mode is JSON only.
fields! {
    SPEC_VERSION = 1 "specversion" "specversion";
    ID = 2 "id" "id";
    SOURCE = 3 "source" "source";
    TYPE = 4 "type" "type";
    TIME = 5 "time" "time";
    SUBJECT = 6 "subject" "subject";
    DATA_CONTENT_TYPE = 7 "datacontenttype" "datacontenttype";
    DATA = 8 "data" "data";
    DATA_BASE64 = 9 "data_base64" "data_base64";
}

fn structured<'a>(
    value: &'a [u8],
    attributes: &mut Attributes<'a>,
) -> Result<(Format, Cow<'a, [u8]>), Malformed> {
    let mut event = Structured::default();
    let read = message::utf8(value)
        .map_err(Into::into)
        .and_then(|text| message::read_json(&mut event, text));
    // What was read before a fault still names the event.
    *attributes = event.attributes;
    read?;
    attributes.check(event.spec_version.as_bytes())?;
    let stated = event.data_content_type.as_deref().map(str::as_bytes).map(content_type_of);
    let stated = stated.transpose()?;
    match (event.data, event.data_base64) {
        (Some(Value::Object(data)), None) => match stated {
            None | Some(ContentType::Is(Format::Json)) => {
                Ok((Format::Json, Cow::Borrowed(data.as_bytes())))
            }
            Some(ContentType::Is(Format::Protobuf) | ContentType::StructuredCloudEvent) => {
                Err(Malformed::new("`datacontenttype` is not that of a JSON object"))
            }
        },
        (Some(_), None) => Err(Malformed::new("`data` is not an object")),
        (None, Some(data)) => {
            let bytes = data.bytes().map_err(|fault| Malformed::of_field("data_base64", fault))?;
            match stated {
                Some(ContentType::Is(format)) => Ok((format, bytes)),
                None if bytes.trim_ascii_start().starts_with(b"{") => Ok((Format::Json, bytes)),
                None | Some(ContentType::StructuredCloudEvent) => {
                    Err(Malformed::new("`datacontenttype` does not say what `data_base64` is"))
                }
            }
        }
        (Some(_), Some(_)) => Err(Malformed::new("both `data` and `data_base64`")),
        (None, None) => Err(Malformed::new("a CloudEvent without `data`")),
    }
}

fn present(value: Value<'_>) -> Option<Value<'_>> {
    if matches!(value, Value::Null) { None } else { Some(value) }
}
