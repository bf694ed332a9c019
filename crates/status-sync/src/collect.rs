use domain::{DeliveryLog, Fact, FactKind, Timestamp};
use lane::{Outbox, ParkedBatch, Record};
use wire::Format;
use wire::headers::Trace;

use crate::counts::BatchCounts;
use crate::each_record::Answer;
use crate::outputs::{park, write_fact};

/// Turns delivery logs, of any partitioning and format, into facts keyed by event id.
pub(crate) struct Collect {
    /// The topic of logs; a provider's own is called `<topic>.<provider>`.
    pub(crate) topic: String,
    /// Of the facts.
    pub(crate) format: Format,
}

/// No event is decided more often. A greater number in a log is an error, and believed it would hide
/// everything that becomes of the event later.
const ATTEMPT_MAX: u32 = 10_000;

impl Answer for Collect {
    fn answer(&self, record: &Record<'_>, counts: &mut BatchCounts, outbox: &mut Outbox) {
        let mut refuse = |detail: &str, outbox: &mut Outbox| {
            counts.dead_letters += 1;
            park(record, detail, outbox);
        };
        let headers = record.headers();
        let log = match wire::delivery_log::decode(record.value, headers.iter()) {
            Ok(log) => log,
            Err(malformed) => return refuse(malformed.detail(), outbox),
        };
        if log.attempt.get() > ATTEMPT_MAX {
            return refuse("`attempt` is greater than any decision's", outbox);
        }
        let provider = self.provider_of(record.topic);
        let trace = Trace::of(headers.iter());
        match write_fact(&fact_of(&log, record, provider), trace, self.format, outbox) {
            Ok(()) => counts.collected += 1,
            Err(too_large) => refuse(&too_large.to_string(), outbox),
        }
    }

    fn pass_over(&self, parked: &ParkedBatch<'_>, counts: &mut BatchCounts, outbox: &mut Outbox) {
        counts.dead_letters += 1;
        park(&parked.record, &parked.detail, outbox);
    }
}

impl Collect {
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

#[cfg(test)]
mod tests;
