use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use domain::{Attempt, EventId, Fact, FactKind, LaneKind, Timestamp};
use lane::{Batch, Outbox, Record};
use wire::Format;

use crate::StatusCounts;
use crate::counts::BatchCounts;
use crate::outputs::{position_of, write_fact};

/// Writes a Received fact for each record of the intake topics.
pub(crate) struct AnnounceHandler {
    /// The intake topic of real-time events; the other one is that of batch events.
    rt_topic: String,
    format: Format,
    counts: Arc<StatusCounts>,
    /// Of the batch under way.
    batch: BatchCounts,
}

impl AnnounceHandler {
    pub(crate) fn new(rt_topic: String, format: Format, counts: Arc<StatusCounts>) -> Self {
        Self { rt_topic, format, counts, batch: BatchCounts::default() }
    }

    fn announce(&mut self, record: &Record<'_>, outbox: &mut Outbox) {
        let position = position_of(record);
        let lane = if record.topic == self.rt_topic { LaneKind::Rt } else { LaneKind::Batch };
        let received = match wire::event::decode(record.value, record.headers(), &position) {
            Ok(event) => Fact {
                event_type: Some(event.event_type),
                external_id: event.external_id,
                tenant: event.tenant,
                ..received(event.id, lane, position.timestamp)
            },
            // Somebody waits for it all the same. Its consumer says what is wrong with it.
            Err(undecodable) => Fact {
                event_type: undecodable.event_type,
                ..received(undecodable.event_id, lane, position.timestamp)
            },
        };
        if write_fact(&received, record, self.format, outbox).is_err() {
            let bare = Fact { event_type: None, external_id: None, tenant: None, ..received };
            write_fact(&bare, record, self.format, outbox).expect(
                "a fact without the producer's own words is smaller than any topic's limit",
            );
        }
        self.batch.announced += 1;
    }
}

fn received(event_id: EventId<'_>, lane: LaneKind, occurred_at: Timestamp) -> Fact<'_> {
    Fact {
        event_id,
        attempt: Attempt::FIRST,
        occurred_at,
        event_type: None::<Cow<'_, str>>,
        external_id: None,
        tenant: None,
        lane: Some(lane),
        kind: FactKind::Received,
    }
}

impl lane::Handler for AnnounceHandler {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        batch.records().for_each(|record| self.announce(&record, outbox));
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
