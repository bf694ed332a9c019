use std::convert::Infallible;
use std::sync::Arc;

use lane::{Batch, Handler, Outbox, ParkedBatch, Record};

use crate::StatusCounts;
use crate::counts::BatchCounts;

/// What becomes of one record, whatever came before it.
pub(crate) trait Answer: Send {
    /// Writes what there is to say of it, and counts it.
    fn answer(&self, record: &Record<'_>, counts: &mut BatchCounts, outbox: &mut Outbox);

    /// The same for a batch whose records cannot be had.
    fn pass_over(&self, parked: &ParkedBatch<'_>, counts: &mut BatchCounts, outbox: &mut Outbox);
}

/// The handler of a lane that keeps nothing from one record to the next but counts.
pub(crate) struct EachRecord<A> {
    answer: A,
    counts: Arc<StatusCounts>,
    /// Of the batch under way.
    batch: BatchCounts,
}

impl<A> EachRecord<A> {
    pub(crate) fn new(answer: A, counts: Arc<StatusCounts>) -> Self {
        Self { answer, counts, batch: BatchCounts::default() }
    }
}

impl<A: Answer> Handler for EachRecord<A> {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        for record in batch.records() {
            self.answer.answer(&record, &mut self.batch, outbox);
        }
        for parked in batch.parked() {
            self.answer.pass_over(&parked, &mut self.batch, outbox);
        }
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
