use std::borrow::Cow;

use crate::{Attempt, Channel, EventId, Revision, SourcePosition, TemplateVersion, Timestamp};

/// One message to send, for a delivery service. Its id is `<event id>:<attempt>`.
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment<'a> {
    /// The event it was bound from.
    pub event_id: EventId<'a>,
    /// Which decision on that event made it.
    pub attempt: Attempt,
    /// The event's type.
    pub event_type: Cow<'a, str>,
    /// The producer's business key.
    pub external_id: Option<Cow<'a, str>>,
    /// The application the event came from.
    pub origin: Option<Cow<'a, str>>,
    /// For whom.
    pub tenant: Option<Cow<'a, str>>,
    /// The template to render.
    pub template_id: Cow<'a, str>,
    /// Its version.
    pub version: TemplateVersion,
    /// That template's language; empty: the default language.
    pub language: Cow<'a, str>,
    /// The catalogue it was chosen from.
    pub revision: Revision,
    /// The channel to send by.
    pub channel: Channel<'a>,
    /// Where to send to.
    pub address: Cow<'a, str>,
    /// The application a push token belongs to.
    pub mobile_app: Option<Cow<'a, str>>,
    /// The e-mail format wished for.
    pub email_format: Option<Cow<'a, str>>,
    /// Not to be sent after.
    pub expiration: Option<Timestamp>,
    /// When it was bound.
    pub bound_at: Timestamp,
    /// The data for the template, byte for byte as the producer sent it.
    pub ctx: Cow<'a, [u8]>,
    /// Where the event was read.
    pub source: SourcePosition<'a>,
}
