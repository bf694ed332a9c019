use std::borrow::Cow;

use domain::{Channel, Event, EventId};

/// The same event, owning its texts.
pub(super) fn event(event: Event<'_>) -> Event<'static> {
    let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
    Event {
        id: EventId::into_owned(event.id),
        event_type: Cow::Owned(event.event_type.into_owned()),
        channel: event.channel.map(Channel::into_owned),
        email: owned(event.email),
        mobile_phone: owned(event.mobile_phone),
        registration_token: owned(event.registration_token),
        mobile_app: owned(event.mobile_app),
        external_id: owned(event.external_id),
        origin: owned(event.origin),
        tenant: owned(event.tenant),
        language: owned(event.language),
        country: owned(event.country),
        email_format: owned(event.email_format),
        occurred_at: event.occurred_at,
        scheduled: event.scheduled,
        expiration: event.expiration,
        ctx: Cow::Owned(event.ctx.into_owned()),
    }
}
