//! What the loop tells of itself: once for each transaction, never for a record.

use super::{Engine, clock, clock_ms};
use crate::Handler;
use crate::detail::{CommittedBatch, TransactionDetail};
use crate::intake::BatchOffset;
use crate::producer::TransactionalProducer;
use crate::report::{TransactionOutcome, TransactionReport};

impl<H: Handler, P: TransactionalProducer> Engine<'_, H, P> {
    /// Counts what was committed, where it is to be seen.
    pub(super) fn record_commit(&self, offsets: &[BatchOffset]) {
        if let Some(detail) = self.status.detail() {
            self.record_detail(detail, offsets);
        }
        // Last, so that who waits for a number of records finds all else counted.
        self.status.count_commit(self.intake.n_records(), self.outbox.len());
    }

    fn record_detail(&self, detail: &TransactionDetail, offsets: &[BatchOffset]) {
        let now_ms = clock_ms();
        let mut latency = detail.latency.tally();
        self.intake.timestamps(|timestamp_ms| {
            // One without a timestamp has no latency.
            if timestamp_ms > 0 {
                latency.record(u64::try_from(now_ms - timestamp_ms).unwrap_or(0));
            }
        });
        detail.record(&mut CommittedBatch {
            n_records: self.intake.n_records(),
            bytes: self.intake.bytes(),
            outbox: &self.outbox,
            times: &self.times,
            latency: &latency,
            partitions: &mut offsets.iter().map(|offset| (&offset.partition, offset.n_records)),
        });
    }

    /// Tells the handler how a transaction ended.
    pub(super) fn report(&mut self, offsets: &[BatchOffset], outcome: TransactionOutcome) {
        let topic = offsets.first().map(|first| &*first.partition.topic);
        let is_only = |topic: &&str| offsets.iter().all(|one| *one.partition.topic == **topic);
        let times = self.times;
        let now = clock();
        self.handler.ended(&TransactionReport {
            lane: &self.producer_spec.transactional_id,
            group: self.status.group(),
            topic: topic.filter(is_only),
            n_records: self.intake.n_records(),
            n_written: self.outbox.len(),
            started: now.checked_sub(times.total()).unwrap_or(now),
            times,
            outcome,
        });
    }

    pub(super) fn report_lag(&mut self, now_ms: i64) {
        if let Some(statistics) = self.intake.take_statistics() {
            let offsets = self.intake.next_offsets();
            let waiting = offsets.into_iter().map(|offset| offset.partition).collect();
            self.status.set_partitions(self.partitions.lags(&statistics, &waiting, now_ms));
        }
    }
}
