//! Delivery logs: what delivery services write.

use std::borrow::Cow;

use domain::{AssignmentId, Attempt, DeliveryLog, DeliveryReason, Outcome, OutcomeKind};

use crate::assignment::write_id;
use crate::content::Content;
use crate::event_id::event_id_of_text;
use crate::fact::reason_of_word;
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fields, Write, fields, need, time_of};
use crate::value::{Moment, Value};

fields! {
    ASSIGNMENT_ID = 1 "assignmentId" "assignment_id";
    EVENT_ID = 2 "eventId" "event_id";
    ATTEMPT = 3 "attempt" "attempt";
    OUTCOME = 4 "outcome" "outcome";
    REASON = 5 "reason" "reason";
    KIND = 6 "kind" "kind";
    OCCURRED_AT = 7 "occurredAt" "occurred_at";
    PROVIDER = 8 "provider" "provider";
    PROVIDER_MESSAGE_ID = 9 "providerMessageId" "provider_message_id";
}

/// Appends a delivery log to `buffer`.
pub fn encode(log: &DeliveryLog<'_>, format: Format, buffer: &mut Vec<u8>) {
    log.append(format, buffer);
}

/// Reads a record of `delivery-log` or `delivery-log.<provider>`.
///
/// An event id that is too long or has control characters is replaced as an event's own is; a reason
/// that is no word is read as `undefined`.
///
/// # Errors
/// [`Malformed`] where it is no delivery log: above all, one that names no event or no outcome.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
) -> Result<DeliveryLog<'a>, Malformed> {
    let (format, bytes) = Content::open(value, headers).in_place()?;
    message::read::<Draft<'_>>(format, bytes)?.finish()
}

impl Encode for DeliveryLog<'_> {
    fn write(&self, out: &mut impl Write) {
        write_id(ASSIGNMENT_ID, &self.event_id, self.attempt, out);
        out.word(OUTCOME, self.outcome);
        out.optional(REASON, self.reason.as_ref().map(DeliveryReason::as_str));
        if let Some(kind) = self.kind {
            out.word(KIND, kind);
        }
        out.optional_time(OCCURRED_AT, self.occurred_at);
        out.optional(PROVIDER, self.provider.as_deref());
        out.optional(PROVIDER_MESSAGE_ID, self.provider_message_id.as_deref());
    }
}

#[derive(Default)]
struct Draft<'a> {
    assignment_id: Option<Cow<'a, str>>,
    event_id: Option<Cow<'a, str>>,
    attempt: u32,
    outcome: Option<Outcome>,
    reason: Option<Cow<'a, str>>,
    kind: Option<OutcomeKind>,
    occurred_at: Moment,
    provider: Option<Cow<'a, str>>,
    provider_message_id: Option<Cow<'a, str>>,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    #[inline]
    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::ASSIGNMENT_ID => value.text_into(&mut self.assignment_id)?,
            number::EVENT_ID => value.text_into(&mut self.event_id)?,
            number::ATTEMPT => self.attempt = value.uint32()?,
            number::OUTCOME => self.outcome = value.word()?,
            number::REASON => value.text_into(&mut self.reason)?,
            number::KIND => self.kind = value.word()?,
            number::OCCURRED_AT => self.occurred_at.set(value)?,
            number::PROVIDER => value.text_into(&mut self.provider)?,
            number::PROVIDER_MESSAGE_ID => value.text_into(&mut self.provider_message_id)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    fn finish(self) -> Result<DeliveryLog<'a>, Malformed> {
        let AssignmentId { event_id, attempt } =
            assignment_of(self.assignment_id, self.event_id, self.attempt)?;
        Ok(DeliveryLog {
            event_id,
            attempt,
            outcome: need(OUTCOME, self.outcome, "is missing")?,
            reason: self.reason.map(reason_of_word),
            kind: self.kind,
            occurred_at: time_of(OCCURRED_AT, self.occurred_at)?,
            provider: self.provider,
            provider_message_id: self.provider_message_id,
        })
    }
}

/// Which assignment a log is about, said in one of two ways or in both alike.
fn assignment_of<'a>(
    assignment_id: Option<Cow<'a, str>>,
    event_id: Option<Cow<'a, str>>,
    attempt: u32,
) -> Result<AssignmentId<'a>, Malformed> {
    let stated = match assignment_id {
        Some(Cow::Borrowed(text)) => Some(AssignmentId::parse(text)),
        Some(Cow::Owned(text)) => Some(
            AssignmentId::parse(&text)
                .map(|id| AssignmentId { event_id: id.event_id.into_owned(), attempt: id.attempt }),
        ),
        None => None,
    };
    let stated = stated.map(|id| need(ASSIGNMENT_ID, id, "is not an assignment id")).transpose()?;
    let event_id = event_id.and_then(event_id_of_text);
    match (stated, event_id) {
        (Some(stated), named) => {
            let agrees = named.is_none_or(|named| named == stated.event_id)
                && (attempt == 0 || attempt == stated.attempt.get());
            need(EVENT_ID, agrees.then_some(stated), "disagrees with `assignmentId`")
        }
        (None, Some(event_id)) => {
            let attempt = Attempt::new(attempt).unwrap_or(Attempt::FIRST);
            Ok(AssignmentId { event_id, attempt })
        }
        (None, None) => Err(Malformed::new("neither `assignmentId` nor `eventId`")),
    }
}
