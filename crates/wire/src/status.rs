//! Statuses: what became of each event.

use std::borrow::Cow;

use domain::{
    AssignmentId, Attempt, Channel, EventId, EventStatus, LaneKind, Status, TemplateVersion,
};

use crate::assignment::write_id;
use crate::content::Content;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need, time_of};
use crate::value::{Moment, Value};

fields! {
    EVENT_ID = 1 "eventId" "event_id";
    STATUS = 2 "status" "status";
    ATTEMPT = 3 "attempt" "attempt";
    REASON = 4 "reason" "reason";
    TEMPLATE_ID = 5 "templateId" "template_id";
    VERSION = 6 "version" "version";
    CHANNEL = 7 "channel" "channel";
    ASSIGNMENT_ID = 8 "assignmentId" "assignment_id";
    LANE = 9 "lane" "lane";
    TENANT = 10 "tenant" "tenant";
    EXTERNAL_ID = 11 "externalId" "external_id";
    EVENT_TYPE = 12 "eventType" "event_type";
    OCCURRED_AT = 13 "occurredAt" "occurred_at";
    ORPHAN = 14 "orphan" "orphan";
}

/// Appends a status to `buffer`.
pub fn encode(status: &EventStatus<'_>, format: Format, buffer: &mut Vec<u8>) {
    status.append(format, buffer);
}

/// Reads a record of `event-status`. A record without a value is a tombstone, which its reader tells
/// apart before it comes here.
///
/// # Errors
/// [`Malformed`] where it is no status.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<EventStatus<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for EventStatus<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(EVENT_ID, self.event_id.as_str());
        out.word(STATUS, self.status);
        out.uint32(ATTEMPT, self.attempt.get());
        out.text(REASON, &self.reason);
        out.optional(TEMPLATE_ID, self.template_id.as_deref());
        out.uint32(VERSION, self.version.map_or(0, |version| version.0));
        out.optional(CHANNEL, self.channel.as_ref().map(Channel::as_str));
        if self.assigned {
            write_id(ASSIGNMENT_ID, &self.event_id, self.attempt, out);
        }
        if let Some(lane) = self.lane {
            out.word(LANE, lane);
        }
        out.optional(TENANT, self.tenant.as_deref());
        out.optional(EXTERNAL_ID, self.external_id.as_deref());
        out.optional(EVENT_TYPE, self.event_type.as_deref());
        out.time(OCCURRED_AT, self.occurred_at);
        out.flag(ORPHAN, self.orphan);
    }
}

#[derive(Default)]
struct Draft<'a> {
    event_id: Cow<'a, str>,
    status: Option<Status>,
    attempt: u32,
    reason: Cow<'a, str>,
    template_id: Option<Cow<'a, str>>,
    version: u32,
    channel: Option<Cow<'a, str>>,
    assignment_id: Option<Cow<'a, str>>,
    lane: Option<LaneKind>,
    tenant: Option<Cow<'a, str>>,
    external_id: Option<Cow<'a, str>>,
    event_type: Option<Cow<'a, str>>,
    occurred_at: Moment,
    orphan: bool,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::EVENT_ID => value.text_over(&mut self.event_id)?,
            number::STATUS => self.status = value.word()?,
            number::ATTEMPT => self.attempt = value.uint32()?,
            number::REASON => value.text_over(&mut self.reason)?,
            number::TEMPLATE_ID => value.text_into(&mut self.template_id)?,
            number::VERSION => self.version = value.uint32()?,
            number::CHANNEL => value.text_into(&mut self.channel)?,
            number::ASSIGNMENT_ID => value.text_into(&mut self.assignment_id)?,
            number::LANE => self.lane = value.word()?,
            number::TENANT => value.text_into(&mut self.tenant)?,
            number::EXTERNAL_ID => value.text_into(&mut self.external_id)?,
            number::EVENT_TYPE => value.text_into(&mut self.event_type)?,
            number::OCCURRED_AT => self.occurred_at.set(value)?,
            number::ORPHAN => self.orphan = value.flag()?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<EventStatus<'a>, Malformed> {
        let event_id = need(EVENT_ID, EventId::new(self.event_id).ok(), "is not an event id")?;
        let attempt = need(ATTEMPT, Attempt::new(self.attempt), "is missing")?;
        if let Some(id) = &self.assignment_id {
            let agrees = AssignmentId::parse(id)
                .is_some_and(|id| id.event_id == event_id && id.attempt == attempt);
            need(ASSIGNMENT_ID, agrees.then_some(()), "is not that of the event and attempt")?;
        }
        let channel = self.channel.map(|name| Channel::new(name).ok());
        let channel = channel
            .map(|channel| need(CHANNEL, channel, "is not the name of a channel"))
            .transpose()?;
        let occurred_at = time_of(OCCURRED_AT, self.occurred_at)?;
        Ok(EventStatus {
            event_id,
            status: need(STATUS, self.status, "is missing")?,
            attempt,
            reason: self.reason,
            template_id: self.template_id,
            version: (self.version > 0).then_some(TemplateVersion(self.version)),
            channel,
            assigned: self.assignment_id.is_some(),
            lane: self.lane,
            tenant: self.tenant,
            external_id: self.external_id,
            event_type: self.event_type,
            occurred_at: need(OCCURRED_AT, occurred_at, "is missing")?,
            orphan: self.orphan,
        })
    }
}
