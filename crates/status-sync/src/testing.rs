//! Records made by hand, a past to restore from, and what an outbox says.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{
    Attempt, Channel, DeliveryReason, EventId, Fact, FactKind, Losers, Outcome, Revision,
    TemplateVersion, Timestamp,
};
use kafka::{NextOffset, Offset, ReadError, Topics};
use lane::{Batch, OutboundRecord, Outbox, Record};
use wire::Format;

use crate::fold::{Bounds, Past, PastEvent, PastReader};
use crate::outputs::Outputs;

/// A record as it lies in a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lying {
    pub(crate) topic: String,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

type Headers<'a> = Vec<(&'a str, Option<&'a [u8]>)>;

impl Lying {
    /// What an outbox wrote, lying at `offset`.
    pub(crate) fn of(written: &OutboundRecord<'_>, offset: i64, timestamp_ms: i64) -> Self {
        let mut headers = Vec::new();
        for (name, value) in written.headers() {
            headers.push((name.to_owned(), Some(value.to_vec())));
        }
        Self {
            topic: written.topic.name.to_string(),
            partition: written.partition,
            offset,
            timestamp_ms,
            key: written.key.map(<[u8]>::to_vec),
            value: written.value.map(<[u8]>::to_vec),
            headers,
        }
    }

    pub(crate) fn headers(&self) -> Headers<'_> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
    }

    fn record<'a>(&'a self, headers: &'a Headers<'a>) -> Record<'a> {
        let mut record = Record::at(&self.topic, self.partition, Offset::new(self.offset));
        record.timestamp_ms = self.timestamp_ms;
        record.key = self.key.as_deref();
        record.value = self.value.as_deref();
        record.with_headers(headers)
    }
}

/// Gives `records` to `work` as one batch.
pub(crate) fn in_batch<R>(records: &[Lying], work: impl FnOnce(Batch<'_>) -> R) -> R {
    let headers: Vec<_> = records.iter().map(Lying::headers).collect();
    let records: Vec<_> =
        records.iter().zip(&headers).map(|(lying, headers)| lying.record(headers)).collect();
    work(Batch::of(&records))
}

pub(crate) fn outbox() -> Outbox {
    Outbox::new(Outputs::of(&Topics::default()).topics())
}

/// Every record of an outbox as `topic/partition key=…`.
pub(crate) fn describe(outbox: &Outbox) -> Vec<String> {
    outbox
        .records()
        .map(|written| {
            let key = String::from_utf8_lossy(written.key.unwrap_or(b"null"));
            let headers: Headers<'_> =
                written.headers().map(|(name, value)| (name, Some(value))).collect();
            let headers = headers.into_iter();
            let value = match (&*written.topic.name, written.value) {
                (_, None) => "null".into(),
                ("event-status", value) => {
                    let status = wire::status::decode(value, headers).unwrap();
                    let word = status.status.as_str();
                    format!("{word} {} {}", status.attempt.get(), status.reason)
                }
                ("event-journal", value) => {
                    let fact = wire::fact::decode(value, headers).unwrap();
                    let at = fact.occurred_at.as_millis();
                    format!("{} at {at}: {:?}", fact.attempt.get(), fact.kind)
                }
                (_, Some(value)) => String::from_utf8_lossy(value).into_owned(),
            };
            format!("{}/{} {key}={}", written.topic.name, written.partition, value.trim_end())
        })
        .collect()
}

pub(crate) fn delivery(outcome: Outcome, reason: Option<&'static str>) -> FactKind<'static> {
    FactKind::Delivery {
        outcome,
        reason: reason.map(|word| DeliveryReason::new(word).unwrap()),
        kind: None,
        provider: None,
        provider_message_id: None,
    }
}

pub(crate) fn bound() -> FactKind<'static> {
    FactKind::Bound {
        template_id: "t".into(),
        version: TemplateVersion(1),
        channel: Channel::EMAIL,
        revision: Revision(1),
        losers: Losers::default(),
    }
}

pub(crate) fn fact(event: &str, attempt: u32, at: i64, kind: FactKind<'static>) -> Fact<'static> {
    Fact {
        event_id: EventId::new(event.to_owned()).unwrap(),
        attempt: Attempt::new(attempt).unwrap(),
        occurred_at: Timestamp::from_millis(at),
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        kind,
    }
}

/// A fact lying in the journal.
pub(crate) fn journalled(fact: &Fact<'_>, partition: i32, offset: i64) -> Lying {
    let mut value = Vec::new();
    wire::fact::encode(fact, Format::Protobuf, &mut value);
    let content_type = Format::Protobuf.content_type().as_bytes().to_vec();
    Lying {
        topic: "event-journal".into(),
        partition,
        offset,
        timestamp_ms: fact.occurred_at.as_millis(),
        key: Some(fact.event_id.as_str().into()),
        value: Some(value),
        headers: vec![("content-type".into(), Some(content_type))],
    }
}

/// Topics that can be read and written by hand; all clones are the same.
#[derive(Clone, Default)]
pub(crate) struct FakePast(Arc<Mutex<HashMap<(String, i32), FakePartition>>>);

#[derive(Clone, Default)]
pub(crate) struct FakePartition {
    pub(crate) records: Vec<Lying>,
    /// Below it everything was deleted.
    pub(crate) start: i64,
    /// From here on transactions are open; `None`: all are settled.
    pub(crate) open_from: Option<i64>,
}

impl FakePartition {
    pub(crate) fn end(&self) -> i64 {
        self.records.last().map_or(self.start, |last| last.offset + 1)
    }

    fn stable_end(&self) -> i64 {
        self.open_from.unwrap_or_else(|| self.end())
    }
}

impl FakePast {
    pub(crate) fn partition<R>(
        &self,
        topic: &str,
        partition: i32,
        work: impl FnOnce(&mut FakePartition) -> R,
    ) -> R {
        let mut partitions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(partitions.entry((topic.to_owned(), partition)).or_default())
    }

    pub(crate) fn push(&self, record: Lying) {
        let (topic, partition) = (record.topic.clone(), record.partition);
        self.partition(&topic, partition, |lying| lying.records.push(record));
    }
}

impl Past for FakePast {
    fn bounds(&mut self, topic: &str, partition: i32) -> Result<Option<Bounds>, ReadError> {
        Ok(Some(self.partition(topic, partition, |lying| Bounds {
            start: lying.start,
            stable_end: lying.stable_end(),
            end: lying.end(),
        })))
    }

    fn open(
        &self,
        topic: &str,
        partition: i32,
        from: NextOffset,
    ) -> Result<Box<dyn PastReader>, ReadError> {
        let of = (topic.to_owned(), partition);
        Ok(Box::new(FakeReader { past: self.clone(), of, next: Mutex::new(from) }))
    }
}

struct FakeReader {
    past: FakePast,
    of: (String, i32),
    next: Mutex<NextOffset>,
}

impl PastReader for FakeReader {
    fn next(
        &self,
        _timeout: Duration,
        each: &mut dyn FnMut(&Record<'_>),
    ) -> Result<PastEvent, ReadError> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let found = self.past.partition(&self.of.0, self.of.1, |lying| {
            let from = next.get().max(lying.start);
            let at = lying.records.partition_point(|record| record.offset < from);
            let stable_end = lying.stable_end();
            lying.records.get(at).filter(|record| record.offset < stable_end).cloned()
        });
        let Some(found) = found else { return Ok(PastEvent::End) };
        *next = Offset::new(found.offset).next();
        each(&found.record(&found.headers()));
        Ok(PastEvent::Record)
    }
}
