//! The story for programs.

use domain::EventId;
use serde_json::{Value, json};

use super::story::{Known, Story};
use crate::status;

/// One object: the facts in the contract's own JSON form, each with where it is and what it did, and
/// the status they come to.
pub(super) fn of(id: &EventId<'_>, story: &Story<'_>) -> Value {
    let unreadable = story.unreadable.iter();
    json!({
        "eventId": id.as_str(),
        "partition": story.partition,
        "facts": story.facts.iter().map(known).collect::<Vec<_>>(),
        "unreadable": unreadable
            .map(|(offset, detail)| json!({ "offset": offset.get(), "detail": detail }))
            .collect::<Vec<_>>(),
        "leftOut": story.n_left_out,
        "status": story.status(id).map(|status| status::object(&status, domain::Language::En)),
        "setBy": story.setter().and_then(|at| story.facts.get(at)).map(|set| set.offset.get()),
    })
}

fn known(known: &Known<'_>) -> Value {
    let mut bytes = Vec::new();
    wire::fact::encode(&known.fact, wire::Format::Json, &mut bytes);
    let fact: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    json!({
        "offset": known.offset.get(),
        "recordedAt": jiff::Timestamp::from_millisecond(known.recorded_at.as_millis())
            .map(|at| at.to_string())
            .ok(),
        "fact": fact,
        "status": known.status.map(domain::Status::as_str),
        "setsStatus": known.sets_status,
        "repeated": known.is_repeated,
    })
}
