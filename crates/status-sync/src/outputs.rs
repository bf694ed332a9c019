use std::sync::Arc;

use domain::{Fact, SourcePosition, Timestamp};
use kafka::{TopicSpec, Topics};
use lane::{Outbox, OutputTopic, Record, TooLarge, TopicId};
use tracing::warn;
use wire::Format;
use wire::headers::{DeadLetter, Outgoing, Trace, kind};

/// Who writes, in the headers of what is written.
pub(crate) const SOURCE: &str = "/bindery/status-sync";

/// Why a record is a dead letter, as the runbook has it.
pub(crate) const UNDECODABLE: &str = "undecodable";

/// The topics that status-sync writes to, in the order of its outbox.
#[derive(Clone, Debug)]
pub(crate) struct Outputs(Arc<[OutputTopic]>);

impl Outputs {
    pub(crate) const JOURNAL: TopicId = TopicId(0);
    pub(crate) const DEAD_LETTER: TopicId = TopicId(1);
    pub(crate) const STATUS: TopicId = TopicId(2);

    pub(crate) fn of(topics: &Topics) -> Self {
        let output = |spec: &TopicSpec| OutputTopic {
            name: spec.name.as_str().into(),
            partitions: spec.partitions,
            record_bytes_max: spec.value_bytes_max(),
        };
        Self([&topics.event_journal, &topics.dead_letter, &topics.event_status].map(output).into())
    }

    pub(crate) fn topics(&self) -> Arc<[OutputTopic]> {
        Arc::clone(&self.0)
    }
}

/// Where a record was read.
pub(crate) fn position_of<'a>(record: &Record<'a>) -> SourcePosition<'a> {
    SourcePosition {
        topic: record.topic,
        partition: record.partition,
        offset: record.offset.get(),
        timestamp: Timestamp::from_millis(record.timestamp_ms),
    }
}

/// Writes a fact that a record of this trace tells of.
///
/// # Errors
/// [`TooLarge`]: the record's own words do not fit into the journal.
pub(crate) fn write_fact(
    fact: &Fact<'_>,
    trace: Trace<'_>,
    format: Format,
    outbox: &mut Outbox,
) -> Result<(), TooLarge> {
    let id = fact.event_id.as_str();
    let outgoing = Outgoing { kind: kind::FACT, id, source: SOURCE, format, trace };
    outbox
        .record(Outputs::JOURNAL)
        .key(id.as_bytes())
        .headers(wire::headers::outgoing(outgoing))
        .value(|value| wire::fact::encode(fact, format, value))
}

/// Parks a record that is not what its topic holds: the bytes as read, headers saying why and whence.
pub(crate) fn park(record: &Record<'_>, detail: &str, outbox: &mut Outbox) {
    let letter = DeadLetter::new(UNDECODABLE, detail, "", &position_of(record));
    let (topic, partition, offset) = (record.topic, record.partition, record.offset.get());
    warn!(topic, partition, offset, detail, "record parked");
    // A record as large as its own topic allows can be too large with our headers on it; the
    // position says where the bytes still are.
    if write_letter(record, record.value, &letter, outbox).is_err()
        && write_letter(&bare(record), None, &letter, outbox).is_err()
    {
        warn!(topic, partition, offset, "a dead letter is too large even without its value");
    }
}

/// The record without its headers and key.
fn bare<'a>(record: &Record<'a>) -> Record<'a> {
    let mut bare = Record::at(record.topic, record.partition, record.offset);
    bare.timestamp_ms = record.timestamp_ms;
    bare
}

fn write_letter(
    record: &Record<'_>,
    value: Option<&[u8]>,
    letter: &DeadLetter<'_>,
    outbox: &mut Outbox,
) -> Result<(), TooLarge> {
    let as_read = record.headers();
    let headers = letter.headers(as_read.iter());
    let mut parked = outbox
        .record(Outputs::DEAD_LETTER)
        .headers_as_read(headers.map(|(name, value)| (name, value.unwrap_or_default())));
    if let Some(key) = record.key {
        parked = parked.key(key);
    }
    match value {
        Some(bytes) => parked.value(|value| value.extend_from_slice(bytes)),
        None => parked.tombstone(),
    }
}
