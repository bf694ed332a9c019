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
    let text = text.into();
    // Asked first, because the constructor takes the text with it when it refuses.
    if text.len() <= EventId::BYTES_MAX && text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return EventId::new(text).ok();
    }
    match EventId::new(text.as_ref()) {
        Ok(_) => EventId::new(text).ok(),
        Err(EventIdFault::TooLong | EventIdFault::NotPrintable) => Some(hashed(&text)),
        Err(EventIdFault::Empty) => None,
    }
}

fn hashed(name: &str) -> EventId<'static> {
    let uuid = Uuid::new_v5(&NAMESPACE, name.as_bytes());
    EventId::new(uuid.hyphenated().to_string()).expect("a UUID is 36 printable characters")
}
