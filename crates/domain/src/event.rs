use std::borrow::Cow;

use crate::{Channel, EventId, RequiredPath, Timestamp};

/// What a producer published, decoded: something happened, somebody should be told.
///
/// Borrows from the record it was read from; a field owns its text only where the format escaped it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// The event's name.
    pub id: EventId<'a>,
    /// The producer's name for what happened, not empty; selects the template.
    pub event_type: Cow<'a, str>,
    /// The channel wished for; `None`: derive it from the addresses.
    pub channel: Option<Channel<'a>>,
    /// Address for e-mail, as given.
    pub email: Option<Cow<'a, str>>,
    /// Address for sms, whatsapp, voice (E.164), as given.
    pub mobile_phone: Option<Cow<'a, str>>,
    /// Address for push channels, as given.
    pub registration_token: Option<Cow<'a, str>>,
    /// The application the registration token belongs to.
    pub mobile_app: Option<Cow<'a, str>>,
    /// The producer's business key; the address for paper and for channels of no other address.
    pub external_id: Option<Cow<'a, str>>,
    /// The application the event came from.
    pub origin: Option<Cow<'a, str>>,
    /// For whom, where one installation serves several.
    pub tenant: Option<Cow<'a, str>>,
    /// BCP 47 language tag, as given.
    pub language: Option<Cow<'a, str>>,
    /// ISO 3166 country code, as given.
    pub country: Option<Cow<'a, str>>,
    /// The e-mail format wished for (`html`, `text`), as given.
    pub email_format: Option<Cow<'a, str>>,
    /// When it happened, by the producer's clock.
    pub occurred_at: Option<Timestamp>,
    /// Not to be sent before.
    pub scheduled: Option<Timestamp>,
    /// Not to be sent after.
    pub expiration: Option<Timestamp>,
    /// The data for the template: the bytes of a JSON object as they came, not yet looked into.
    /// Empty where the event has none, which is read as `{}`.
    pub ctx: Cow<'a, [u8]>,
}

/// What binding asks of an event's data without knowing its format.
pub trait Context {
    /// Checks that `ctx` is a JSON object and has every path of `required`.
    ///
    /// # Errors
    /// [`ContextFault::Invalid`] where it is no JSON object; else [`ContextFault::Missing`] with the
    /// index of the first of `required` that does not exist. A path whose value is `null` exists.
    fn check(&self, ctx: &[u8], required: &[RequiredPath]) -> Result<(), ContextFault>;
}

/// Why an event's `ctx` does not do for its template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextFault {
    /// Not a JSON object; says what is wrong, never the data itself.
    Invalid(Cow<'static, str>),
    /// The required path with this index does not exist.
    Missing(usize),
}
