//! Events: what producers write to the intake topics.

mod owned;
mod undecodable;

use std::borrow::Cow;

use domain::{Channel, Event, SourcePosition};

use crate::content::{Attributes, Content};
use crate::event_id::{event_id_of_position, event_id_of_text};
use crate::format::Format;
use crate::malformed::{Malformed, Problem};
use crate::message::{self, Encode, Fault, Fields, Write, fields, time_of};
use crate::protobuf::Reader;
use crate::value::{Moment, Value};

pub use undecodable::Undecodable;

fields! {
    ID = 1 "id" "id";
    TYPE = 2 "type" "type";
    CHANNEL = 3 "channel" "channel";
    EMAIL = 4 "email" "email";
    MOBILE_PHONE = 5 "mobilePhone" "mobile_phone";
    REGISTRATION_TOKEN = 6 "registrationToken" "registration_token";
    MOBILE_APP = 7 "mobileApp" "mobile_app";
    EXTERNAL_ID = 8 "externalId" "external_id";
    ORIGIN = 9 "origin" "origin";
    TENANT = 10 "tenant" "tenant";
    LANGUAGE = 11 "language" "language";
    COUNTRY = 12 "country" "country";
    EMAIL_FORMAT = 13 "emailFormat" "email_format";
    OCCURRED_AT = 14 "occurredAt" "occurred_at";
    SCHEDULED = 15 "scheduled" "scheduled";
    EXPIRATION = 16 "expiration" "expiration";
    CTX = 17 "ctx" "ctx";
}

/// Reads a record of an intake topic. Headers choose the format: `content-type`, CloudEvents' `ce_*`,
/// or the value itself where there are none.
///
/// # Errors
/// [`Undecodable`] where the bytes are no event. It carries the event's own id and type where they
/// could still be read, so that its producer finds it.
pub fn decode<'a>(
    value: Option<&'a [u8]>,
    headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    position: &SourcePosition<'_>,
) -> Result<Event<'a>, Undecodable<'a>> {
    let Content { attributes, payload } = Content::open(value, headers);
    let mut draft = Draft::default();
    match payload {
        Ok((format, Cow::Borrowed(bytes))) => {
            let read = draft.read(format, bytes);
            draft.finish(attributes, read, position)
        }
        // Only the bytes of `data_base64` are not in the record.
        Ok((format, Cow::Owned(bytes))) => {
            let mut draft = Draft::default();
            let read = draft.read(format, &bytes);
            let event = draft.finish(attributes, read, position);
            event.map(owned::event).map_err(Undecodable::into_owned)
        }
        Err(fault) => draft.finish(attributes, Err(fault), position),
    }
}

/// Appends an event to `buffer`. Where its `ctx` is no JSON, the JSON form has it as a string, which a
/// reader refuses as it would refuse the bytes.
pub fn encode(event: &Event<'_>, format: Format, buffer: &mut Vec<u8>) {
    event.append(format, buffer);
}

impl Encode for Event<'_> {
    fn write(&self, out: &mut impl Write) {
        out.text(ID, self.id.as_str());
        out.text(TYPE, &self.event_type);
        out.optional(CHANNEL, self.channel.as_ref().map(Channel::as_str));
        out.optional(EMAIL, self.email.as_deref());
        out.optional(MOBILE_PHONE, self.mobile_phone.as_deref());
        out.optional(REGISTRATION_TOKEN, self.registration_token.as_deref());
        out.optional(MOBILE_APP, self.mobile_app.as_deref());
        out.optional(EXTERNAL_ID, self.external_id.as_deref());
        out.optional(ORIGIN, self.origin.as_deref());
        out.optional(TENANT, self.tenant.as_deref());
        out.optional(LANGUAGE, self.language.as_deref());
        out.optional(COUNTRY, self.country.as_deref());
        out.optional(EMAIL_FORMAT, self.email_format.as_deref());
        out.optional_time(OCCURRED_AT, self.occurred_at);
        out.optional_time(SCHEDULED, self.scheduled);
        out.optional_time(EXPIRATION, self.expiration);
        out.unchecked_json(CTX, &self.ctx);
    }
}

/// An event while it is read. Goes on after a field's fault, for the id may still come.
#[derive(Default)]
struct Draft<'a> {
    id: Option<Cow<'a, str>>,
    event_type: Option<Cow<'a, str>>,
    /// Its name, which the last one decides, whatever those before it were.
    channel: Option<Cow<'a, str>>,
    email: Option<Cow<'a, str>>,
    mobile_phone: Option<Cow<'a, str>>,
    registration_token: Option<Cow<'a, str>>,
    mobile_app: Option<Cow<'a, str>>,
    external_id: Option<Cow<'a, str>>,
    origin: Option<Cow<'a, str>>,
    tenant: Option<Cow<'a, str>>,
    language: Option<Cow<'a, str>>,
    country: Option<Cow<'a, str>>,
    email_format: Option<Cow<'a, str>>,
    occurred_at: Moment,
    scheduled: Moment,
    expiration: Moment,
    ctx: Cow<'a, [u8]>,
    faults: Faults,
}

/// The fields that could not be read, by number, and what is wrong with the last of them.
#[derive(Default)]
struct Faults {
    fields: u32,
    last: Option<(u32, Problem)>,
    /// In JSON a repeated key replaces the one before it, and its fault; protobuf forgives none.
    forgive: bool,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;

    #[inline(always)]
    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match self.take(number, value) {
            Ok(()) => self.faults.forget(number),
            Err(problem) => self.faults.note(number, problem),
        }
        Ok(())
    }
}

impl Faults {
    #[inline]
    const fn forget(&mut self, number: u32) {
        if self.forgive && self.fields != 0 {
            self.fields &= !1_u32.wrapping_shl(number);
        }
    }

    const fn note(&mut self, number: u32, problem: Problem) {
        self.fields |= 1_u32.wrapping_shl(number);
        self.last = Some((number, problem));
    }

    fn check(&self) -> Result<(), Malformed> {
        if self.fields == 0 {
            return Ok(());
        }
        let lowest = self.fields.trailing_zeros();
        let (number, problem) = match self.last {
            Some((number, problem)) if self.fields & 1 << number != 0 => (number, problem),
            _ => (lowest, Problem("cannot be read")),
        };
        let name =
            FIELDS.iter().find(|field| field.number == number).map_or("", |field| field.name);
        Err(Malformed::of_field(name, problem))
    }
}

impl<'a> Draft<'a> {
    #[inline(always)]
    fn take(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::ID => value.text_into(&mut self.id)?,
            number::TYPE => value.text_into(&mut self.event_type)?,
            number::CHANNEL => self.channel = channel_name(value)?,
            number::EMAIL => value.text_into(&mut self.email)?,
            number::MOBILE_PHONE => value.text_into(&mut self.mobile_phone)?,
            number::REGISTRATION_TOKEN => value.text_into(&mut self.registration_token)?,
            number::MOBILE_APP => value.text_into(&mut self.mobile_app)?,
            number::EXTERNAL_ID => value.text_into(&mut self.external_id)?,
            number::ORIGIN => value.text_into(&mut self.origin)?,
            number::TENANT => value.text_into(&mut self.tenant)?,
            number::LANGUAGE => value.text_into(&mut self.language)?,
            number::COUNTRY => value.text_into(&mut self.country)?,
            number::EMAIL_FORMAT => value.text_into(&mut self.email_format)?,
            number::OCCURRED_AT => self.occurred_at.set(value)?,
            number::SCHEDULED => self.scheduled.set(value)?,
            number::EXPIRATION => self.expiration.set(value)?,
            number::CTX => self.ctx = Cow::Borrowed(value.json()?),
            _ => {}
        }
        Ok(())
    }

    fn read(&mut self, format: Format, bytes: &'a [u8]) -> Result<(), Malformed> {
        match format {
            Format::Protobuf => message::read_protobuf(self, Reader::new(bytes, 0))?,
            Format::Json => {
                self.faults.forgive = true;
                let text = message::utf8(bytes).map_err(Fault::from)?;
                message::read_json(self, text)?;
            }
        }
        self.faults.check()
    }

    fn finish(
        mut self,
        attributes: Attributes<'a>,
        read: Result<(), Malformed>,
        position: &SourcePosition<'_>,
    ) -> Result<Event<'a>, Undecodable<'a>> {
        if let (None, Some(source), Some(id)) = (&self.id, &attributes.source, &attributes.id) {
            self.id = Some(Cow::Owned(format!("{source}#{id}")));
        }
        let id = self.id.take().and_then(event_id_of_text);
        let id = id.unwrap_or_else(|| event_id_of_position(position));
        let event_type = self.event_type.take().or(attributes.kind);
        let checked = read.and_then(|()| {
            if self.occurred_at.is_absent() {
                self.occurred_at = time_attribute(attributes.time.as_deref())?;
            }
            let times = [
                time_of(OCCURRED_AT, self.occurred_at)?,
                time_of(SCHEDULED, self.scheduled)?,
                time_of(EXPIRATION, self.expiration)?,
            ];
            Ok((channel_of(self.channel)?, times))
        });
        let (event_type, (channel, [occurred_at, scheduled, expiration])) =
            match (event_type, checked) {
                (Some(event_type), Ok(checked)) => (event_type, checked),
                (event_type, Err(fault)) => {
                    return Err(Undecodable {
                        event_id: id,
                        event_type,
                        detail: fault.into_detail(),
                    });
                }
                (None, Ok(_)) => {
                    let detail = Cow::Borrowed("`type` is missing");
                    return Err(Undecodable { event_id: id, event_type: None, detail });
                }
            };
        Ok(Event {
            id,
            event_type,
            channel,
            email: self.email,
            mobile_phone: self.mobile_phone,
            registration_token: self.registration_token,
            mobile_app: self.mobile_app,
            external_id: self.external_id.or(attributes.subject),
            origin: self.origin.or(attributes.source),
            tenant: self.tenant,
            language: self.language,
            country: self.country,
            email_format: self.email_format,
            occurred_at,
            scheduled,
            expiration,
            ctx: self.ctx,
        })
    }
}

fn time_attribute(time: Option<&str>) -> Result<Moment, Malformed> {
    match time {
        Some(time) => Moment::of_text(time).map_err(|problem| Malformed::of_field("time", problem)),
        None => Ok(Moment::default()),
    }
}

/// The name of a channel or, in JSON, one of the four numbers.
fn channel_name(value: Value<'_>) -> Result<Option<Cow<'_, str>>, Problem> {
    if let Value::Number(number) = value {
        return Ok(Some(Cow::Borrowed(number)));
    }
    let mut name = None;
    value.text_into(&mut name)?;
    Ok(name)
}

fn channel_of(name: Option<Cow<'_, str>>) -> Result<Option<Channel<'_>>, Malformed> {
    let channel = name.map(Channel::new).transpose();
    channel.map_err(|_| Malformed::of_field(CHANNEL.name, Problem("is not the name of a channel")))
}
