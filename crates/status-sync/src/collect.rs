use std::convert::Infallible;
use std::sync::Arc;

use domain::{DeliveryLog, Fact, FactKind, Timestamp};
use lane::{Batch, Outbox, Record};
use wire::Format;

use crate::StatusCounts;
use crate::counts::BatchCounts;
use crate::outputs::{park, write_fact};

/// Turns delivery logs, of any partitioning and format, into facts keyed by event id.
pub(crate) struct CollectHandler {
    /// The topic of logs; a provider's own is called `<topic>.<provider>`.
    topic: String,
    format: Format,
    counts: Arc<StatusCounts>,
    /// Of the batch under way.
    batch: BatchCounts,
}

/// No event is decided more often. A greater number in a log is an error, and believed it would hide
/// everything that becomes of the event later.
const ATTEMPT_MAX: u32 = 10_000;

impl CollectHandler {
    pub(crate) fn new(topic: String, format: Format, counts: Arc<StatusCounts>) -> Self {
        Self { topic, format, counts, batch: BatchCounts::default() }
    }

    fn collect(&mut self, record: &Record<'_>, outbox: &mut Outbox) {
        let log = match wire::delivery_log::decode(record.value, record.headers()) {
            Ok(log) => log,
            Err(malformed) => return self.refuse(record, malformed.detail(), outbox),
        };
        if log.attempt.get() > ATTEMPT_MAX {
            return self.refuse(record, "`attempt` is greater than any decision's", outbox);
        }
        let provider = self.provider_of(record.topic);
        match write_fact(&fact_of(&log, record, provider), record, self.format, outbox) {
            Ok(()) => self.batch.collected += 1,
            Err(too_large) => self.refuse(record, &too_large.to_string(), outbox),
        }
    }

    fn refuse(&mut self, record: &Record<'_>, detail: &str, outbox: &mut Outbox) {
        self.batch.dead_letters += 1;
        park(record, detail, outbox);
    }

    /// The provider whose own topic `topic` is.
    fn provider_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(self.topic.as_str())?.strip_prefix('.')
    }
}

fn fact_of<'a>(
    log: &'a DeliveryLog<'_>,
    record: &Record<'a>,
    provider: Option<&'a str>,
) -> Fact<'a> {
    Fact {
        event_id: log.event_id.borrowed(),
        attempt: log.attempt,
        occurred_at: log.occurred_at.unwrap_or(Timestamp::from_millis(record.timestamp_ms)),
        event_type: None,
        external_id: None,
        tenant: None,
        lane: None,
        kind: FactKind::Delivery {
            outcome: log.outcome,
            reason: log.reason.clone(),
            kind: log.kind,
            provider: log.provider.as_deref().or(provider).map(Into::into),
            provider_message_id: log.provider_message_id.as_deref().map(Into::into),
        },
    }
}

impl lane::Handler for CollectHandler {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        batch.records().for_each(|record| self.collect(&record, outbox));
        Ok(())
    }

    fn committed(&mut self) -> Result<(), Infallible> {
        self.counts.add(&std::mem::take(&mut self.batch));
        Ok(())
    }

    fn aborted(&mut self) {
        self.batch = BatchCounts::default();
    }
}

#[cfg(test)]
mod tests;
