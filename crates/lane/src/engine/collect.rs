//! Collecting a batch: the only place that polls.

use std::time::{Duration, Instant};

use kafka::TopicPartition;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use tracing::{debug, warn};

use super::{BACKOFF_MAX, Engine, LaneError, clock_ms, handler_error};
use crate::assigned::Stage;
use crate::consumer::Change;
use crate::producer::TransactionalProducer;
use crate::{Handler, Readiness, Rebalance};

/// How long a lane with nothing to do waits for a record; also the granularity of `tick` and of stopping.
const IDLE: Duration = Duration::from_millis(100);
/// The same while partitions are being restored, which goes on between two waits.
const RESTORING: Duration = Duration::from_millis(1);

impl<H: Handler, P: TransactionalProducer> Engine<'_, H, P> {
    /// Adds records to the batch until it is due or full. No transaction is open here, and nothing
    /// else polls: a revoke can only ever arrive now.
    pub(super) fn collect(&mut self) -> Result<(), LaneError> {
        if self.intake.is_empty() {
            // Whatever was aborted went with its partitions. To wait for its next attempt, with
            // everything else at rest, would be to wait for ever.
            self.aborts = 0;
        }
        if self.aborts > 0 {
            return self.wait_after_abort();
        }
        let mut deadline = Instant::now() + self.patience();
        while !self.is_full() {
            let was_empty = self.intake.is_empty();
            // Without a wait first: while records are there, nobody has to look at the clock.
            let came = self.poll(Duration::ZERO)? || {
                let left = deadline.saturating_duration_since(Instant::now());
                // The client waits in whole milliseconds; less would be spent asking again and again.
                let is_due = left.is_zero() || !was_empty && left < Duration::from_millis(1);
                if is_due || self.stop.is_requested() {
                    break;
                }
                self.poll(left.min(IDLE))?
            };
            if came && was_empty {
                let now = Instant::now();
                self.first_came = Some(now);
                let due = now + self.settings.linger();
                let ready_at = self.producer.as_ref().and_then(P::ready_at);
                deadline = ready_at.map_or(due, |ready_at| due.max(ready_at));
            }
        }
        Ok(())
    }

    /// Polls for a while without adding to an aborted batch, however full it is: the abort may have
    /// come of a rebalance, which only a poll can serve.
    pub(super) fn wait_after_abort(&mut self) -> Result<(), LaneError> {
        let doubled = Duration::from_millis(2) * 2_u32.saturating_pow(self.aborts.min(16));
        let deadline = Instant::now() + doubled.min(BACKOFF_MAX);
        self.intake.rest(&self.partitions.at(Stage::Running));
        while Instant::now() < deadline && !self.stop.is_requested() {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.poll(left.min(IDLE))? {
                // Of a partition assigned meanwhile, which does not rest: enough waited.
                break;
            }
        }
        self.intake.wake(&self.partitions.at(Stage::Running));
        Ok(())
    }

    /// Waits up to `timeout` for records and adds them to the batch; says whether any came.
    pub(super) fn poll(&mut self, timeout: Duration) -> Result<bool, LaneError> {
        let served = self.intake.serve(timeout);
        // Before the records: they were read after whatever was revoked or assigned now.
        self.take_changes();
        match served {
            Ok(()) => {}
            Err(source @ KafkaError::MessageConsumptionFatal(_)) => {
                return Err(LaneError::Consumer(source));
            }
            Err(error) => debug!(%error, "the consumer goes on after a passing error"),
        }
        Ok(self.intake.gather(&self.settings))
    }

    pub(super) fn is_full(&self) -> bool {
        self.intake.n_records() >= self.settings.records_max
            || self.intake.bytes() >= self.settings.bytes_max
    }

    /// How long to wait for a first record.
    pub(super) fn patience(&self) -> Duration {
        match (self.intake.is_empty(), self.partitions.all_run()) {
            (true, true) => IDLE,
            (true, false) => RESTORING,
            (false, _) => Duration::ZERO,
        }
    }

    /// Follows the rebalances that the last poll served.
    pub(super) fn take_changes(&mut self) {
        for change in self.consumer.context().take_changes() {
            match change {
                Change::Assigned(partitions) => {
                    self.status.count_rebalance(Rebalance::Assigned);
                    let is_prepared = self.handler.restores() || self.intake.needs_positions();
                    let stage = if is_prepared { Stage::New } else { Stage::Running };
                    self.partitions.assign(&partitions, stage, clock_ms());
                }
                Change::Revoked { partitions, lost } => {
                    let kind = if lost { Rebalance::Lost } else { Rebalance::Revoked };
                    self.status.count_rebalance(kind);
                    self.partitions.revoke(&partitions);
                    self.intake.revoke(&partitions);
                    self.handler.revoked(&partitions);
                }
            }
        }
    }

    /// Brings newly assigned partitions a step nearer to their first record.
    pub(super) fn prepare_partitions(&mut self) -> Result<(), LaneError> {
        if self.partitions.all_run() {
            return Ok(());
        }
        let new = self.partitions.at(Stage::New);
        if !new.is_empty()
            && let Some(committed) = self.committed_offsets(&new)
        {
            for (partition, next) in committed {
                self.partitions.set_position(&partition, next);
                if self.handler.restores() {
                    self.handler.assigned(&partition, next).map_err(handler_error)?;
                    self.partitions.advance(&partition, Stage::Restoring);
                } else {
                    self.start(&partition);
                }
            }
        }
        for partition in self.partitions.at(Stage::Restoring) {
            match self.handler.prepare(&partition).map_err(handler_error)? {
                Readiness::NotYet => {}
                Readiness::Ready => self.start(&partition),
            }
        }
        Ok(())
    }

    /// Has the records of a partition come; tried again if that fails.
    fn start(&mut self, partition: &TopicPartition) {
        let position = self.partitions.position(partition);
        match self.intake.start(partition, position) {
            Ok(()) => self.partitions.advance(partition, Stage::Running),
            Err(error) => warn!(%partition, %error, "a partition could not be resumed"),
        }
    }
}
