use std::convert::Infallible;

use kafka::{NextOffset, TopicPartition};
use lane::{Batch, Handler, Outbox, Readiness, TransactionReport};
use service::LaneTraces;
use wire::headers::Trace;

use crate::announce::Announce;
use crate::collect::Collect;
use crate::each_record::EachRecord;
use crate::fold::{FoldError, FoldHandler};

/// The handler of every lane, so that they run side by side and end together.
pub(crate) struct StatusHandler {
    pub(crate) work: Work,
    pub(crate) traces: LaneTraces,
}

/// One of the three kinds of lane.
pub(crate) enum Work {
    Collect(EachRecord<Collect>),
    Fold(Box<FoldHandler>),
    Announce(EachRecord<Announce>),
}

/// Two of the three never fail.
fn never(never: Infallible) -> FoldError {
    match never {}
}

impl StatusHandler {
    /// Has those records traced whose trace is sampled.
    fn note_sampled(&mut self, batch: Batch<'_>) {
        if !self.traces.is_on() {
            return;
        }
        for record in batch.records() {
            let headers = record.headers();
            let trace = Trace::of(headers.iter());
            if let Some(parent) = trace.parent().filter(|_| trace.is_sampled()) {
                self.traces.note(&record, parent, trace.state(), None);
            }
        }
    }
}

impl Handler for StatusHandler {
    type Error = FoldError;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), FoldError> {
        self.note_sampled(batch);
        match &mut self.work {
            Work::Collect(handler) => handler.handle(batch, now_ms, outbox).map_err(never),
            Work::Fold(handler) => handler.handle(batch, now_ms, outbox),
            Work::Announce(handler) => handler.handle(batch, now_ms, outbox).map_err(never),
        }
    }

    fn tick(&mut self, now_ms: i64, outbox: &mut Outbox) -> Result<(), FoldError> {
        match &mut self.work {
            Work::Fold(handler) => handler.tick(now_ms, outbox),
            Work::Collect(_) | Work::Announce(_) => Ok(()),
        }
    }

    fn committed(&mut self) -> Result<(), FoldError> {
        match &mut self.work {
            Work::Collect(handler) => handler.committed().map_err(never),
            Work::Fold(handler) => handler.committed(),
            Work::Announce(handler) => handler.committed().map_err(never),
        }
    }

    fn aborted(&mut self) {
        match &mut self.work {
            Work::Collect(handler) => handler.aborted(),
            Work::Fold(handler) => handler.aborted(),
            Work::Announce(handler) => handler.aborted(),
        }
    }

    fn ended(&mut self, report: &TransactionReport<'_>) {
        self.traces.ended(report);
    }

    fn restores(&self) -> bool {
        match &self.work {
            Work::Fold(handler) => handler.restores(),
            Work::Collect(_) | Work::Announce(_) => false,
        }
    }

    fn assigned(
        &mut self,
        partition: &TopicPartition,
        committed: Option<NextOffset>,
    ) -> Result<(), FoldError> {
        match &mut self.work {
            Work::Fold(handler) => handler.assigned(partition, committed),
            Work::Collect(_) | Work::Announce(_) => Ok(()),
        }
    }

    fn prepare(&mut self, partition: &TopicPartition) -> Result<Readiness, FoldError> {
        match &mut self.work {
            Work::Fold(handler) => handler.prepare(partition),
            Work::Collect(_) | Work::Announce(_) => Ok(Readiness::Ready),
        }
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) {
        match &mut self.work {
            Work::Fold(handler) => handler.revoked(partitions),
            Work::Collect(_) | Work::Announce(_) => {}
        }
    }
}
