//! Facts: the entries of the journal.

pub(crate) mod kind;

use std::borrow::Cow;

use domain::{Attempt, EventId, Fact, LaneKind};

use crate::content::Content;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need, time_of};
use crate::value::{Moment, Value};

pub(crate) use kind::delivery::reason_of_word;
pub(crate) use kind::hold;

fields! {
    EVENT_ID = 1 "eventId" "event_id";
    ATTEMPT = 2 "attempt" "attempt";
    OCCURRED_AT = 3 "occurredAt" "occurred_at";
    EVENT_TYPE = 4 "eventType" "event_type";
    EXTERNAL_ID = 5 "externalId" "external_id";
    TENANT = 6 "tenant" "tenant";
    LANE = 7 "lane" "lane";
    RECEIVED = 10 "received" "received";
    BOUND = 11 "bound" "bound";
    NOT_SUPPORTED = 12 "notSupported" "not_supported";
    HELD = 13 "held" "held";
    RELEASED = 14 "released" "released";
    EXPIRED = 15 "expired" "expired";
    CANCELLED = 16 "cancelled" "cancelled";
    CANCEL_REQUESTED = 17 "cancelRequested" "cancel_requested";
    DUPLICATE = 18 "duplicate" "duplicate";
    DELIVERY = 19 "delivery" "delivery";
}

/// Appends a fact to `buffer`.
pub fn encode(fact: &Fact<'_>, format: Format, buffer: &mut Vec<u8>) {
    fact.append(format, buffer);
}

/// Reads a record of `event-journal`. Text borrows from the record.
///
/// # Errors
/// [`Malformed`] where it is no fact, or one of a kind this version does not know.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Fact<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for Fact<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(EVENT_ID, self.event_id.as_str());
        out.uint32(ATTEMPT, self.attempt.get());
        out.time(OCCURRED_AT, self.occurred_at);
        out.optional(EVENT_TYPE, self.event_type.as_deref());
        out.optional(EXTERNAL_ID, self.external_id.as_deref());
        out.optional(TENANT, self.tenant.as_deref());
        if let Some(lane) = self.lane {
            out.word(LANE, lane);
        }
        kind::write(&self.kind, out);
    }
}

#[derive(Default)]
struct Draft<'a> {
    event_id: Cow<'a, str>,
    attempt: u32,
    occurred_at: Moment,
    event_type: Option<Cow<'a, str>>,
    external_id: Option<Cow<'a, str>>,
    tenant: Option<Cow<'a, str>>,
    lane: Option<LaneKind>,
    kind: kind::Draft<'a>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    #[inline]
    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::EVENT_ID => value.text_over(&mut self.event_id)?,
            number::ATTEMPT => self.attempt = value.uint32()?,
            number::OCCURRED_AT => self.occurred_at.set(value)?,
            number::EVENT_TYPE => value.text_into(&mut self.event_type)?,
            number::EXTERNAL_ID => value.text_into(&mut self.external_id)?,
            number::TENANT => value.text_into(&mut self.tenant)?,
            number::LANE => self.lane = value.word()?,
            _ => self.kind.set(number, value)?,
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<Fact<'a>, Malformed> {
        let event_id = EventId::new(self.event_id).ok();
        let occurred_at = time_of(OCCURRED_AT, self.occurred_at)?;
        Ok(Fact {
            event_id: need(EVENT_ID, event_id, "is not an event id")?,
            attempt: need(ATTEMPT, Attempt::new(self.attempt), "is missing")?,
            occurred_at: need(OCCURRED_AT, occurred_at, "is missing")?,
            event_type: self.event_type,
            external_id: self.external_id,
            tenant: self.tenant,
            lane: self.lane,
            kind: self.kind.finish()?,
        })
    }
}
