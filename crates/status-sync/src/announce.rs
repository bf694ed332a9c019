use std::borrow::Cow;

use domain::{Attempt, EventId, Fact, FactKind, LaneKind, Timestamp};
use lane::{Outbox, ParkedBatch, Record};
use wire::Format;
use wire::headers::Trace;

use crate::counts::BatchCounts;
use crate::each_record::Answer;
use crate::outputs::{position_of, write_fact};

/// Writes a Received fact for each record of the intake topics.
pub(crate) struct Announce {
    /// The intake topic of real-time events; the other one is that of batch events.
    pub(crate) rt_topic: String,
    /// Of the facts.
    pub(crate) format: Format,
}

impl Answer for Announce {
    fn answer(&self, record: &Record<'_>, counts: &mut BatchCounts, outbox: &mut Outbox) {
        let position = position_of(record);
        let lane = if record.topic == self.rt_topic { LaneKind::Rt } else { LaneKind::Batch };
        let headers = record.headers();
        let trace = Trace::of(headers.iter());
        let received = match wire::event::decode(record.value, headers.iter(), &position) {
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
        if write_fact(&received, trace, self.format, outbox).is_err() {
            let bare = Fact { event_type: None, external_id: None, tenant: None, ..received };
            write_fact(&bare, trace, self.format, outbox).expect(
                "a fact without the producer's own words is smaller than any topic's limit",
            );
        }
        counts.announced += 1;
    }

    /// Nobody knows the ids in it, so there is nobody to tell. Its consumer says what is wrong with it.
    fn pass_over(&self, _: &ParkedBatch<'_>, _: &mut BatchCounts, _: &mut Outbox) {}
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

#[cfg(test)]
mod tests;
