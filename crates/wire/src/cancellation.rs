//! Cancellations: what calls an event off before it is bound.

use std::borrow::Cow;

use domain::{EventId, Timestamp};

use crate::content::Content;
use crate::event_id::event_id_of_text;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need, time_of};
use crate::value::{Moment, Value};

fields! {
    EVENT_ID = 1 "eventId" "event_id";
    REQUESTED_AT = 2 "requestedAt" "requested_at";
    REQUESTED_BY = 3 "requestedBy" "requested_by";
    REASON = 4 "reason" "reason";
}

/// Calls one event off, if it is not bound yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation<'a> {
    /// The event.
    pub event_id: EventId<'a>,
    /// When it was asked for; `None`: when the record was written.
    pub requested_at: Option<Timestamp>,
    /// Who asked for it.
    pub requested_by: Option<Cow<'a, str>>,
    /// Why, for people.
    pub reason: Option<Cow<'a, str>>,
}

/// Appends a cancellation to `buffer`.
pub fn encode(cancellation: &Cancellation<'_>, format: Format, buffer: &mut Vec<u8>) {
    cancellation.append(format, buffer);
}

/// Reads a record of `event-cancellation`. An event id that is too long or has control characters is
/// replaced as an event's own is.
///
/// # Errors
/// [`Malformed`] where it is no cancellation.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Cancellation<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for Cancellation<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(EVENT_ID, self.event_id.as_str());
        out.optional_time(REQUESTED_AT, self.requested_at);
        out.optional(REQUESTED_BY, self.requested_by.as_deref());
        out.optional(REASON, self.reason.as_deref());
    }
}

#[derive(Default)]
struct Draft<'a> {
    event_id: Cow<'a, str>,
    requested_at: Moment,
    requested_by: Option<Cow<'a, str>>,
    reason: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::EVENT_ID => value.text_over(&mut self.event_id)?,
            number::REQUESTED_AT => self.requested_at.set(value)?,
            number::REQUESTED_BY => value.text_into(&mut self.requested_by)?,
            number::REASON => value.text_into(&mut self.reason)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<Cancellation<'a>, Malformed> {
        Ok(Cancellation {
            event_id: need(EVENT_ID, event_id_of_text(self.event_id), "is missing")?,
            requested_at: time_of(REQUESTED_AT, self.requested_at)?,
            requested_by: self.requested_by,
            reason: self.reason,
        })
    }
}
