//! Records of the topics, as far as the check is concerned.

use std::time::Instant;

use domain::{AssignmentId, Fact, FactKind, Folded, LaneKind, SourcePosition, Timestamp};
use kafka::ReadRecord;
use wire::held_event::RecordHeader;

use super::entry::Shown;
use super::ledger::{FactWord, Observation};
use super::traffic::{Expected, Traffic, number_of_key};

/// What kind of topic a record was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `rt-event`, `batch-event`.
    Intake(LaneKind),
    /// `rt-assignment`, `batch-assignment`.
    Assignment(LaneKind),
    /// `event-journal`.
    Journal,
    /// `event-status`.
    Status,
    /// `delivery-log`.
    Log,
    /// `dead-letter`.
    DeadLetter,
    /// `held-event`.
    Held,
}

/// What `record`, read from `topic` at `at`, says of one of the events.
pub(super) fn observe(
    source: Source,
    topic: &str,
    record: &ReadRecord<'_>,
    traffic: Traffic,
    at: Instant,
) -> Observation {
    let read = match source {
        Source::Intake(lane) => intake(lane, topic, record, traffic),
        Source::Assignment(lane) => assignment(lane, record, at),
        Source::Journal => fact(record),
        Source::Status => status(record),
        Source::Log => log(record),
        Source::DeadLetter => dead_letter(record, traffic),
        Source::Held => held(record, traffic),
    };
    read.unwrap_or_else(|detail| {
        let (partition, offset) = (record.partition(), record.offset());
        Observation::Stray { detail: format!("{topic}/{partition}/{offset}: {detail}") }
    })
}

fn number(record: &ReadRecord<'_>, traffic: Traffic) -> Result<usize, String> {
    let number = record.key().and_then(number_of_key);
    number.filter(|number| *number < traffic.len()).ok_or_else(|| "no event of this run".into())
}

fn intake(
    lane: LaneKind,
    topic: &str,
    record: &ReadRecord<'_>,
    traffic: Traffic,
) -> Result<Observation, String> {
    let number = number(record, traffic)?;
    let position = SourcePosition {
        topic,
        partition: record.partition(),
        offset: record.offset().get(),
        timestamp: Timestamp::from_millis(record.timestamp_ms()),
    };
    let own_id = traffic.record(number).own_id;
    let id = own_id.unwrap_or_else(|| wire::event_id_of_position(&position).to_string());
    Ok(Observation::Intake { number, id, lane })
}

fn assignment(lane: LaneKind, record: &ReadRecord<'_>, at: Instant) -> Result<Observation, String> {
    let headers = record.headers();
    let assignment = wire::assignment::decode(record.value(), headers.iter())
        .map_err(|error| error.to_string())?;
    Ok(Observation::Assignment { id: assignment.event_id.to_string(), lane, at })
}

fn fact(record: &ReadRecord<'_>) -> Result<Observation, String> {
    let headers = record.headers();
    let fact =
        wire::fact::decode(record.value(), headers.iter()).map_err(|error| error.to_string())?;
    if record.key() != Some(fact.event_id.as_str().as_bytes()) {
        return Err("the key is not the event's id".into());
    }
    Ok(Observation::Fact {
        id: fact.event_id.to_string(),
        kind: word(&fact),
        folded: Box::new(Folded::of(&fact)),
    })
}

fn word(fact: &Fact<'_>) -> FactWord {
    match &fact.kind {
        FactKind::Received => FactWord::Received,
        FactKind::Bound { .. } => FactWord::Decided(Expected::Bound),
        FactKind::Held(_) => FactWord::Decided(Expected::Held),
        FactKind::Expired => FactWord::Decided(Expected::Expired),
        FactKind::NotSupported(rejection) => {
            FactWord::Decided(Expected::NotSupported(rejection.reason))
        }
        FactKind::Cancelled | FactKind::Duplicate { .. } => FactWord::DecidedOtherwise,
        FactKind::Delivery { .. } => FactWord::Delivery,
        FactKind::Released | FactKind::CancelRequested => FactWord::Other,
    }
}

fn status(record: &ReadRecord<'_>) -> Result<Observation, String> {
    let headers = record.headers();
    let status =
        wire::status::decode(record.value(), headers.iter()).map_err(|error| error.to_string())?;
    let id = status.event_id.to_string();
    Ok(Observation::Status { id, status: Box::new(Shown::of(&status)) })
}

/// Read as its writer wrote it, not as the services read it.
fn log(record: &ReadRecord<'_>) -> Result<Observation, String> {
    let log: serde_json::Value = serde_json::from_slice(record.value().unwrap_or_default())
        .map_err(|error| error.to_string())?;
    let id = log["assignmentId"].as_str().and_then(AssignmentId::parse);
    let id = id.ok_or("a delivery log without an assignment's id")?;
    Ok(Observation::Log { id: id.event_id.to_string() })
}

fn dead_letter(record: &ReadRecord<'_>, traffic: Traffic) -> Result<Observation, String> {
    let number = number(record, traffic)?;
    let sent = traffic.record(number);
    let headers = record.headers();
    let is_as_sent = record.value() == sent.value.as_deref()
        && sent.headers.iter().all(|(name, value)| {
            headers.iter().any(|(found, with)| found == *name && with == Some(value.as_slice()))
        });
    Ok(Observation::DeadLetter { number, is_as_sent })
}

fn held(record: &ReadRecord<'_>, traffic: Traffic) -> Result<Observation, String> {
    let headers = record.headers();
    let held = wire::held_event::decode(record.value(), headers.iter())
        .map_err(|error| error.to_string())?;
    if record.key() != Some(held.event_id.as_str().as_bytes()) {
        return Err("the key is not the event's id".into());
    }
    let number = held.key.as_deref().and_then(number_of_key);
    let number = number.filter(|number| *number < traffic.len()).ok_or("no event of this run")?;
    let sent = traffic.record(number);
    let is_as_sent = Some(&*held.value) == sent.value.as_deref()
        && sent.headers.iter().all(|(name, value)| {
            let is_it = |header: &RecordHeader<'_>| {
                header.name == *name && header.value.as_deref() == Some(value.as_slice())
            };
            held.headers.iter().any(is_it)
        });
    Ok(Observation::Held { id: held.event_id.to_string(), is_as_sent })
}
