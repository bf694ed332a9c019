//! Assignments: what delivery services read.

use std::borrow::Cow;

use domain::{Assignment, AssignmentId, Attempt, Channel, EventId, Revision, TemplateVersion};

use crate::content::Content;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, checked, fields, need, time_of};
use crate::position;
use crate::value::{Moment, Value};

fields! {
    ASSIGNMENT_ID = 1 "assignmentId" "assignment_id";
    EVENT_ID = 2 "eventId" "event_id";
    ATTEMPT = 3 "attempt" "attempt";
    EVENT_TYPE = 4 "eventType" "event_type";
    EXTERNAL_ID = 5 "externalId" "external_id";
    ORIGIN = 6 "origin" "origin";
    TENANT = 7 "tenant" "tenant";
    TEMPLATE_ID = 8 "templateId" "template_id";
    VERSION = 9 "version" "version";
    LANGUAGE = 10 "language" "language";
    REVISION = 11 "revision" "revision";
    CHANNEL = 12 "channel" "channel";
    ADDRESS = 13 "address" "address";
    MOBILE_APP = 14 "mobileApp" "mobile_app";
    EMAIL_FORMAT = 15 "emailFormat" "email_format";
    EXPIRATION = 16 "expiration" "expiration";
    BOUND_AT = 17 "boundAt" "bound_at";
    CTX = 18 "ctx" "ctx";
    SOURCE = 19 "source" "source";
}

/// Appends an assignment to `buffer`. Its `ctx` is taken to be a JSON object, which binding has
/// checked.
pub fn encode(assignment: &Assignment<'_>, format: Format, buffer: &mut Vec<u8>) {
    assignment.append(format, buffer);
}

/// Reads a record of `rt-assignment` or `batch-assignment`.
///
/// # Errors
/// [`Malformed`] where it is no assignment, or its ids disagree.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<Assignment<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

/// Writes `<event id>:<attempt>`.
pub(crate) fn write_id(
    field: message::Field,
    event_id: &EventId<'_>,
    attempt: Attempt,
    out: &mut impl Write,
) {
    // Colon and digits in one array: no text is put together.
    let mut digits = itoa::Buffer::new();
    let digits = digits.format(attempt.get()).as_bytes();
    let mut tail = [b':'; 11];
    let length = 1 + digits.len();
    tail[1..length].copy_from_slice(digits);
    let tail = std::str::from_utf8(&tail[..length]).unwrap_or_default();
    out.joined(field, event_id.as_str(), tail);
}

impl Encode for Assignment<'_> {
    fn write(&self, out: &mut impl Write) {
        write_id(ASSIGNMENT_ID, &self.event_id, self.attempt, out);
        out.text(EVENT_ID, self.event_id.as_str());
        out.uint32(ATTEMPT, self.attempt.get());
        out.text(EVENT_TYPE, &self.event_type);
        out.optional(EXTERNAL_ID, self.external_id.as_deref());
        out.optional(ORIGIN, self.origin.as_deref());
        out.optional(TENANT, self.tenant.as_deref());
        out.text(TEMPLATE_ID, &self.template_id);
        out.uint32(VERSION, self.version.0);
        out.text(LANGUAGE, &self.language);
        out.int64(REVISION, self.revision.0);
        out.text(CHANNEL, self.channel.as_str());
        out.text(ADDRESS, &self.address);
        out.optional(MOBILE_APP, self.mobile_app.as_deref());
        out.optional(EMAIL_FORMAT, self.email_format.as_deref());
        out.optional_time(EXPIRATION, self.expiration);
        out.time(BOUND_AT, self.bound_at);
        out.json(CTX, &self.ctx);
        out.message(SOURCE, |out| position::write(&self.source, out));
    }
}

#[derive(Default)]
struct Draft<'a> {
    assignment_id: Cow<'a, str>,
    event_id: Cow<'a, str>,
    attempt: u32,
    event_type: Cow<'a, str>,
    external_id: Option<Cow<'a, str>>,
    origin: Option<Cow<'a, str>>,
    tenant: Option<Cow<'a, str>>,
    template_id: Cow<'a, str>,
    version: u32,
    language: Cow<'a, str>,
    revision: i64,
    channel: Cow<'a, str>,
    address: Cow<'a, str>,
    mobile_app: Option<Cow<'a, str>>,
    email_format: Option<Cow<'a, str>>,
    expiration: Moment,
    bound_at: Moment,
    ctx: &'a [u8],
    source: position::Draft<'a>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::ASSIGNMENT_ID => value.text_over(&mut self.assignment_id)?,
            number::EVENT_ID => value.text_over(&mut self.event_id)?,
            number::ATTEMPT => self.attempt = value.uint32()?,
            number::EVENT_TYPE => value.text_over(&mut self.event_type)?,
            number::EXTERNAL_ID => value.text_into(&mut self.external_id)?,
            number::ORIGIN => value.text_into(&mut self.origin)?,
            number::TENANT => value.text_into(&mut self.tenant)?,
            number::TEMPLATE_ID => value.text_over(&mut self.template_id)?,
            number::VERSION => self.version = value.uint32()?,
            number::LANGUAGE => value.text_over(&mut self.language)?,
            number::REVISION => self.revision = value.signed()?,
            number::CHANNEL => value.text_over(&mut self.channel)?,
            number::ADDRESS => value.text_over(&mut self.address)?,
            number::MOBILE_APP => value.text_into(&mut self.mobile_app)?,
            number::EMAIL_FORMAT => value.text_into(&mut self.email_format)?,
            number::EXPIRATION => self.expiration.set(value)?,
            number::BOUND_AT => self.bound_at.set(value)?,
            number::CTX => self.ctx = value.json()?,
            number::SOURCE => {
                value.message(&mut self.source)?;
            }
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<Assignment<'a>, Malformed> {
        let event_id = need(EVENT_ID, EventId::new(self.event_id).ok(), "is not an event id")?;
        let attempt = need(ATTEMPT, Attempt::new(self.attempt), "is missing")?;
        let stated = AssignmentId::parse(&self.assignment_id);
        let agrees = stated.is_some_and(|id| id.event_id == event_id && id.attempt == attempt);
        need(ASSIGNMENT_ID, agrees.then_some(()), "is not that of the event and attempt")?;
        let channel = Channel::new(self.channel).ok();
        let present = |text: &Cow<'_, str>| (!text.is_empty()).then_some(());
        need(TEMPLATE_ID, present(&self.template_id), "is missing")?;
        need(ADDRESS, present(&self.address), "is missing")?;
        Ok(Assignment {
            event_id,
            attempt,
            event_type: self.event_type,
            external_id: self.external_id,
            origin: self.origin,
            tenant: self.tenant,
            template_id: self.template_id,
            version: TemplateVersion(self.version),
            language: self.language,
            revision: Revision(self.revision),
            channel: need(CHANNEL, channel, "is not the name of a channel")?,
            address: self.address,
            mobile_app: self.mobile_app,
            email_format: self.email_format,
            expiration: time_of(EXPIRATION, self.expiration)?,
            bound_at: need(BOUND_AT, time_of(BOUND_AT, self.bound_at)?, "is missing")?,
            ctx: Cow::Borrowed(self.ctx),
            source: checked(SOURCE, self.source.finish())?,
        })
    }
}
