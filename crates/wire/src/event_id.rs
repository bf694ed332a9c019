use std::borrow::Cow;

use domain::{EventId, EventIdFault, SourcePosition};
use uuid::Uuid;

/// The namespace of every event id that we make. Never to be changed: the same record must get the
/// same id for ever.
const NAMESPACE: Uuid = Uuid::from_u128(0x4b8c3c5e_55b1_5a2f_9a36_0d7b3c1f7e42);

/// The id of an event that has none: the UUIDv5 of `<topic>/<partition>/<offset>/<timestamp in ms>`
/// under the namespace 4b8c3c5e-55b1-5a2f-9a36-0d7b3c1f7e42.
pub fn event_id_of_position(position: &SourcePosition<'_>) -> EventId<'static> {
    let SourcePosition { topic, partition, offset, timestamp } = position;
    hashed(&format!("{topic}/{partition}/{offset}/{}", timestamp.as_millis()))
}

/// The id an event goes by when its producer calls it `text`: the text itself or, where it is too long
/// or has control characters, its UUIDv5 under the same namespace. The producer can compute it, and a
/// repeated event has the same. `None` for an empty text.
pub fn event_id_of_text<'a>(text: impl Into<Cow<'a, str>>) -> Option<EventId<'a>> {
    match text.into() {
        Cow::Borrowed(text) => kept_or_hashed(EventId::new(text), text),
        Cow::Owned(text) => {
            let id = kept_or_hashed(EventId::new(text.as_str()), &text)?;
            Some(if id.as_str() == text { EventId::new(text).ok()? } else { id.into_owned() })
        }
    }
}

fn kept_or_hashed<'a>(id: Result<EventId<'a>, EventIdFault>, text: &str) -> Option<EventId<'a>> {
    match id {
        Ok(id) => Some(id),
        Err(EventIdFault::TooLong | EventIdFault::NotPrintable) => Some(hashed(text)),
        Err(EventIdFault::Empty) => None,
    }
}

fn hashed(name: &str) -> EventId<'static> {
    let uuid = Uuid::new_v5(&NAMESPACE, name.as_bytes());
    EventId::new(uuid.hyphenated().to_string()).expect("a UUID is 36 printable characters")
}
