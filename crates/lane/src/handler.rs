use kafka::{NextOffset, TopicPartition};

use crate::{Batch, Outbox, TransactionReport};

/// What a lane does with its records: bytes in, records out.
///
/// One thread calls it, in this order: `assigned`, `prepare` until ready, then `handle` and `tick`
/// with an empty outbox, and after them exactly one of `committed` and `aborted` if anything was
/// handled or written. After `aborted` the same records come again, less those of revoked
/// partitions, perhaps with more behind them.
pub trait Handler: Send {
    /// What ends the lane: our own fault, never a record's.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Answers every record of `batch` into `outbox`. `now_ms` is milliseconds since the epoch.
    ///
    /// # Errors
    /// Ends the lane; nothing of the batch is committed.
    fn handle(
        &mut self,
        batch: Batch<'_>,
        now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Self::Error>;

    /// Writes what is due by time alone; called at least ten times a second, also when nothing was
    /// read. Must have a bound of its own.
    ///
    /// What it writes in a transaction without input records may be written again when the
    /// outcome of that transaction stays unknown, so it may only write what can be repeated.
    ///
    /// # Errors
    /// Ends the lane.
    fn tick(&mut self, _now_ms: i64, _outbox: &mut Outbox) -> Result<(), Self::Error> {
        Ok(())
    }

    /// All that was written since the last call is committed, with the offsets of all that was handled.
    ///
    /// # Errors
    /// Ends the lane.
    fn committed(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Nothing of it is. Forget what only the last `handle` and `tick` made true.
    fn aborted(&mut self) {}

    /// A transaction has ended: after `committed` or `aborted`, for who follows what the lane does.
    fn ended(&mut self, _report: &TransactionReport<'_>) {}

    /// Whether it has to restore something before a partition's first record. If so each newly
    /// assigned partition rests until [`Handler::prepare`] says it is ready.
    fn restores(&self) -> bool {
        false
    }

    /// `partition` is now this lane's, at the group's committed position. Only called if it restores.
    ///
    /// # Errors
    /// Ends the lane.
    fn assigned(
        &mut self,
        _partition: &TopicPartition,
        _committed: Option<NextOffset>,
    ) -> Result<(), Self::Error> {
        Ok(())
    }

    /// Restores a part of what `partition` needs, for at most some tens of milliseconds.
    ///
    /// # Errors
    /// Ends the lane.
    fn prepare(&mut self, _partition: &TopicPartition) -> Result<Readiness, Self::Error> {
        Ok(Readiness::Ready)
    }

    /// These partitions are no longer this lane's, also those still being restored.
    fn revoked(&mut self, _partitions: &[TopicPartition]) {}
}

/// How far a partition's restoration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Its records may come.
    Ready,
    /// Call again.
    NotYet,
}
