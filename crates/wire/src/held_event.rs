//! Held events: intake records kept until a time or a template comes.

use std::borrow::Cow;

use domain::{Attempt, EventId, Hold, LaneKind, SourcePosition, Timestamp};

use crate::content::Content;
use crate::fact::hold;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, checked, fields, need, time_of};
use crate::position;
use crate::value::{Moment, Value};

fields! {
    EVENT_ID = 1 "eventId" "event_id";
    ATTEMPT = 2 "attempt" "attempt";
    SCHEDULED_UNTIL = 3 "scheduledUntil" "scheduled_until";
    PAUSED_TEMPLATE_ID = 4 "pausedTemplateId" "paused_template_id";
    HELD_AT = 5 "heldAt" "held_at";
    LANE = 6 "lane" "lane";
    SOURCE = 7 "source" "source";
    KEY = 8 "key" "key";
    VALUE = 9 "value" "value";
    HEADERS = 10 "headers" "headers";
}

/// One intake record kept for later, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct HeldEvent<'a> {
    /// The event.
    pub event_id: EventId<'a>,
    /// The decision that held it.
    pub attempt: Attempt,
    /// For what it is held.
    pub hold: Hold<'a>,
    /// When it was held.
    pub held_at: Timestamp,
    /// The side it came in by.
    pub lane: LaneKind,
    /// Where it was read.
    pub source: SourcePosition<'a>,
    /// The record's key as read.
    pub key: Option<Cow<'a, [u8]>>,
    /// The record's value as read.
    pub value: Cow<'a, [u8]>,
    /// The record's headers as read, in their order.
    pub headers: Cow<'a, [RecordHeader<'a>]>,
}

/// One header of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordHeader<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its value; `None` where it is null.
    pub value: Option<Cow<'a, [u8]>>,
}

/// Appends a held event to `buffer`.
pub fn encode(held: &HeldEvent<'_>, format: Format, buffer: &mut Vec<u8>) {
    held.append(format, buffer);
}

/// Reads a record of `held-event`. A record without a value is a tombstone, which its reader tells
/// apart before it comes here.
///
/// # Errors
/// [`Malformed`] where it is no held event.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<HeldEvent<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for HeldEvent<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(EVENT_ID, self.event_id.as_str());
        out.uint32(ATTEMPT, self.attempt.get());
        hold::write(&self.hold, SCHEDULED_UNTIL, PAUSED_TEMPLATE_ID, out);
        out.time(HELD_AT, self.held_at);
        out.word(LANE, self.lane);
        out.message(SOURCE, |out| position::write(&self.source, out));
        if let Some(key) = &self.key {
            out.bytes(KEY, key);
        }
        if !self.value.is_empty() {
            out.bytes(VALUE, &self.value);
        }
        out.messages(HEADERS, self.headers.iter(), |out, header| {
            out.text(header::NAME, &header.name);
            if let Some(value) = &header.value {
                out.bytes(header::VALUE, value);
            }
        });
    }
}

#[derive(Default)]
struct Draft<'a> {
    event_id: Cow<'a, str>,
    attempt: u32,
    hold: hold::Draft<'a>,
    held_at: Moment,
    lane: Option<LaneKind>,
    source: position::Draft<'a>,
    key: Option<Cow<'a, [u8]>>,
    value: Cow<'a, [u8]>,
    headers: Vec<RecordHeader<'a>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::EVENT_ID => value.text_over(&mut self.event_id)?,
            number::ATTEMPT => self.attempt = value.uint32()?,
            number::SCHEDULED_UNTIL => self.hold.set_scheduled(value)?,
            number::PAUSED_TEMPLATE_ID => self.hold.set_paused(value)?,
            number::HELD_AT => self.held_at.set(value)?,
            number::LANE => self.lane = value.word()?,
            number::SOURCE => {
                value.message(&mut self.source)?;
            }
            number::KEY => self.key = optional_bytes(value)?,
            number::VALUE => self.value = value.bytes()?,
            number::HEADERS => value.elements(|element| {
                let mut draft = header::Draft::default();
                element.message(&mut draft)?;
                self.headers.push(RecordHeader { name: draft.name, value: draft.value });
                Ok(())
            })?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<HeldEvent<'a>, Malformed> {
        let held_at = time_of(HELD_AT, self.held_at)?;
        let event_id = EventId::new(self.event_id).ok();
        Ok(HeldEvent {
            event_id: need(EVENT_ID, event_id, "is not an event id")?,
            attempt: need(ATTEMPT, Attempt::new(self.attempt), "is missing")?,
            hold: self
                .hold
                .finish()
                .map_err(|problem| Malformed::new(format!("the hold {}", problem.0)))?,
            held_at: need(HELD_AT, held_at, "is missing")?,
            lane: need(LANE, self.lane, "is missing")?,
            source: checked(SOURCE, self.source.finish())?,
            key: self.key,
            value: self.value,
            headers: Cow::Owned(self.headers),
        })
    }
}

fn optional_bytes(value: Value<'_>) -> Result<Option<Cow<'_, [u8]>>, Problem> {
    if matches!(value, Value::Null) { Ok(None) } else { value.bytes().map(Some) }
}

pub(crate) mod header {
    use super::{Cow, Problem, Value, optional_bytes};
    use crate::message::{self, Fields, fields};

    fields! {
        NAME = 1 "name" "name";
        VALUE = 2 "value" "value";
    }

    #[derive(Default)]
    pub(crate) struct Draft<'a> {
        pub(super) name: Cow<'a, str>,
        pub(super) value: Option<Cow<'a, [u8]>>,
    }

    impl<'a> Fields<'a> for Draft<'a> {
        const FIELDS: &'static [message::Field] = FIELDS;
        const LEVEL: u32 = 1;

        fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
            match number {
                number::NAME => value.text_over(&mut self.name)?,
                number::VALUE => self.value = optional_bytes(value)?,
                _ => {}
            }
            Ok(())
        }
    }
}
