use std::convert::Infallible;

use kafka::{NextOffset, TopicPartition};
use lane::{Batch, Handler, Outbox, Readiness};

use crate::announce::Announce;
use crate::collect::Collect;
use crate::each_record::EachRecord;
use crate::fold::{FoldError, FoldHandler};

/// One of the three kinds of lane, so that they run side by side and end together.
pub(crate) enum StatusHandler {
    Collect(EachRecord<Collect>),
    Fold(Box<FoldHandler>),
    Announce(EachRecord<Announce>),
}

/// Two of the three never fail.
fn never(never: Infallible) -> FoldError {
    match never {}
}

impl Handler for StatusHandler {
    type Error = FoldError;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), FoldError> {
        match self {
            Self::Collect(handler) => handler.handle(batch, now_ms, outbox).map_err(never),
            Self::Fold(handler) => handler.handle(batch, now_ms, outbox),
            Self::Announce(handler) => handler.handle(batch, now_ms, outbox).map_err(never),
        }
    }

    fn tick(&mut self, now_ms: i64, outbox: &mut Outbox) -> Result<(), FoldError> {
        match self {
            Self::Fold(handler) => handler.tick(now_ms, outbox),
            Self::Collect(_) | Self::Announce(_) => Ok(()),
        }
    }

    fn committed(&mut self) -> Result<(), FoldError> {
        match self {
            Self::Collect(handler) => handler.committed().map_err(never),
            Self::Fold(handler) => handler.committed(),
            Self::Announce(handler) => handler.committed().map_err(never),
        }
    }

    fn aborted(&mut self) {
        match self {
            Self::Collect(handler) => handler.aborted(),
            Self::Fold(handler) => handler.aborted(),
            Self::Announce(handler) => handler.aborted(),
        }
    }

    fn restores(&self) -> bool {
        match self {
            Self::Fold(handler) => handler.restores(),
            Self::Collect(_) | Self::Announce(_) => false,
        }
    }

    fn assigned(
        &mut self,
        partition: &TopicPartition,
        committed: Option<NextOffset>,
    ) -> Result<(), FoldError> {
        match self {
            Self::Fold(handler) => handler.assigned(partition, committed),
            Self::Collect(_) | Self::Announce(_) => Ok(()),
        }
    }

    fn prepare(&mut self, partition: &TopicPartition) -> Result<Readiness, FoldError> {
        match self {
            Self::Fold(handler) => handler.prepare(partition),
            Self::Collect(_) | Self::Announce(_) => Ok(Readiness::Ready),
        }
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) {
        match self {
            Self::Fold(handler) => handler.revoked(partitions),
            Self::Collect(_) | Self::Announce(_) => {}
        }
    }
}
