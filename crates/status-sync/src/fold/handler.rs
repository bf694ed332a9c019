use std::collections::BTreeMap;
use std::sync::Arc;

use domain::{EventId, EventStatus};
use kafka::{NextOffset, ReadError, TopicPartition};
use lane::{Batch, Outbox, ParkedBatch, Readiness, Record, TooLarge};
use tracing::warn;
use wire::Format;
use wire::headers::{Outgoing, Trace, kind};

use super::merging::{Change, Merging};
use super::past::Past;
use super::restoration::{Restoration, RestoreTopics};
use crate::StatusCounts;
use crate::counts::BatchCounts;
use crate::outputs::{self, Outputs, SOURCE};
use crate::store::{PartitionStore, Store, StoreError};

/// Merges the facts of the journal into statuses, and publishes those that changed to the same
/// partition of `event-status`.
pub(crate) struct FoldHandler {
    store: Store,
    past: Box<dyn Past>,
    topics: RestoreTopics,
    format: Format,
    counts: Arc<StatusCounts>,
    partitions: BTreeMap<i32, Partition>,
    /// Of the batch under way.
    batch: BatchCounts,
    /// When statuses are looked for next that have expired, in milliseconds since the epoch.
    next_expiry_ms: i64,
}

enum Partition {
    Restoring(Restoration),
    Ready(Ready),
}

/// A partition whose facts are folded.
struct Ready {
    store: PartitionStore,
    merging: Merging,
    /// One past the last record of the batch under way.
    position: Option<NextOffset>,
    /// Statuses of which a tombstone is written in this batch, and the period each is kept with.
    expiring: Vec<(EventId<'static>, u64)>,
}

/// Why the fold cannot go on; a restart takes up at the last commit.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FoldError {
    /// The store failed.
    #[error("statuses cannot be kept")]
    Store(#[from] StoreError),
    /// What was published cannot be read.
    #[error("statuses cannot be restored")]
    Past(#[from] ReadError),
    /// The lane gave a record of a partition that was not made ready.
    #[error("partition {0} of the journal was not restored before its records came")]
    NotReady(i32),
}

/// Most tombstones in one transaction.
const EXPIRED_MAX: usize = 1_000;
/// How long nothing is looked for after all that had expired is gone.
const EXPIRY_PAUSE_MS: i64 = 1_000;

impl FoldHandler {
    pub(crate) fn new(
        store: Store,
        past: Box<dyn Past>,
        topics: RestoreTopics,
        format: Format,
        counts: Arc<StatusCounts>,
    ) -> Self {
        Self {
            store,
            past,
            topics,
            format,
            counts,
            partitions: BTreeMap::new(),
            batch: BatchCounts::default(),
            next_expiry_ms: 0,
        }
    }

    fn fold(
        &mut self,
        index: usize,
        record: &Record<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), FoldError> {
        let not_ready = FoldError::NotReady(record.partition);
        let Some(Partition::Ready(partition)) = self.partitions.get_mut(&record.partition) else {
            return Err(not_ready);
        };
        partition.position = Some(record.offset.next());
        self.batch.facts += 1;
        let headers = record.headers();
        match wire::fact::decode(record.value, headers.iter()) {
            Ok(fact) => {
                let change = Change { timestamp_ms: record.timestamp_ms, index };
                partition.merging.apply(&partition.store, &fact, change)?;
            }
            Err(malformed) => {
                self.batch.dead_letters += 1;
                outputs::park(record, malformed.detail(), outbox);
            }
        }
        Ok(())
    }

    /// Facts that cannot be had: they are parked, and folding goes on behind them.
    fn pass_over(
        &mut self,
        parked: &ParkedBatch<'_>,
        outbox: &mut Outbox,
    ) -> Result<(), FoldError> {
        let number = parked.record.partition;
        let Some(Partition::Ready(partition)) = self.partitions.get_mut(&number) else {
            return Err(FoldError::NotReady(number));
        };
        partition.position = partition.position.max(Some(parked.last.next()));
        self.batch.dead_letters += 1;
        outputs::park(&parked.record, &parked.detail, outbox);
        Ok(())
    }

    fn publish(&mut self, records: &[Record<'_>], outbox: &mut Outbox) {
        for (number, partition) in &self.partitions {
            let Partition::Ready(partition) = partition else { continue };
            for (status, change) in partition.merging.changed() {
                let headers = records[change.index].headers();
                let trace = Trace::of(headers.iter());
                publish(&status, *number, trace, self.format, outbox);
                self.batch.count_status(status.status);
                self.batch.orphans += u64::from(status.orphan);
            }
        }
    }

    /// The partitions that are folded.
    fn ready(&mut self) -> impl Iterator<Item = (i32, &mut Ready)> {
        self.partitions.iter_mut().filter_map(|(number, partition)| match partition {
            Partition::Ready(ready) => Some((*number, ready)),
            Partition::Restoring(_) => None,
        })
    }
}

impl lane::Handler for FoldHandler {
    type Error = FoldError;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), FoldError> {
        let records: Vec<Record<'_>> = batch.records().collect();
        for (index, record) in records.iter().enumerate() {
            self.fold(index, record, outbox)?;
        }
        for parked in batch.parked() {
            self.pass_over(&parked, outbox)?;
        }
        self.publish(&records, outbox);
        Ok(())
    }

    fn tick(&mut self, now_ms: i64, outbox: &mut Outbox) -> Result<(), FoldError> {
        if now_ms < self.next_expiry_ms {
            return Ok(());
        }
        let mut room = EXPIRED_MAX;
        for (number, partition) in self.ready() {
            let expired = partition.store.expired(now_ms, room)?;
            room -= expired.len();
            for (event_id, period) in expired {
                // One that changed in this very batch lives on.
                if partition.merging.has(&event_id) {
                    continue;
                }
                bury(&event_id, number, outbox);
                partition.expiring.push((event_id, period));
            }
        }
        self.batch.expired = self.ready().map(|(_, ready)| ready.expiring.len() as u64).sum();
        self.next_expiry_ms =
            if room == 0 { now_ms } else { now_ms.saturating_add(EXPIRY_PAUSE_MS) };
        Ok(())
    }

    fn committed(&mut self) -> Result<(), FoldError> {
        let mut changes = self.store.changes();
        for (_, partition) in self.ready() {
            partition.merging.write(&partition.store, &mut changes);
            for (event_id, period) in &partition.expiring {
                changes.remove(&partition.store, event_id, *period);
            }
            if let Some(position) = partition.position {
                changes.set_position(&partition.store, position);
            }
            partition.forget();
        }
        changes.commit()?;
        self.counts.add(&std::mem::take(&mut self.batch));
        Ok(())
    }

    fn aborted(&mut self) {
        self.ready().for_each(|(_, partition)| partition.forget());
        self.batch = BatchCounts::default();
        self.next_expiry_ms = 0;
    }

    fn restores(&self) -> bool {
        true
    }

    fn assigned(
        &mut self,
        partition: &TopicPartition,
        committed: Option<NextOffset>,
    ) -> Result<(), FoldError> {
        let number = partition.partition;
        let store = self.store.partition(number)?;
        let committed = committed.unwrap_or(NextOffset::START);
        let restoration = Restoration::begin(number, store, committed)?;
        self.partitions.insert(number, Partition::Restoring(restoration));
        Ok(())
    }

    fn prepare(&mut self, partition: &TopicPartition) -> Result<Readiness, FoldError> {
        let number = partition.partition;
        let Some(Partition::Restoring(mut restoration)) = self.partitions.remove(&number) else {
            return Err(FoldError::NotReady(number));
        };
        let readiness = restoration.step(&self.store, self.past.as_mut(), &self.topics)?;
        let partition = match readiness {
            Readiness::NotYet => Partition::Restoring(restoration),
            Readiness::Ready => {
                self.counts.count_restored(restoration.way(), restoration.took());
                Partition::Ready(Ready::new(restoration.into_store()))
            }
        };
        self.partitions.insert(number, partition);
        if self.partitions.values().all(|partition| matches!(partition, Partition::Ready(_))) {
            self.past.release();
        }
        Ok(readiness)
    }

    fn revoked(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.partitions.remove(&partition.partition);
        }
    }
}

impl Ready {
    fn new(store: PartitionStore) -> Self {
        Self { store, merging: Merging::default(), position: None, expiring: Vec::new() }
    }

    /// Forgets what is only true once the batch is committed.
    fn forget(&mut self) {
        self.merging.clear();
        self.position = None;
        self.expiring.clear();
    }
}

fn publish(
    status: &EventStatus<'_>,
    partition: i32,
    trace: Trace<'_>,
    format: Format,
    outbox: &mut Outbox,
) {
    if write(status, partition, trace, format, outbox).is_ok() {
        return;
    }
    warn!(event_id = %status.event_id, "status published without what makes it too large");
    // Only what the producer wrote can be that large.
    let bare = EventStatus { tenant: None, external_id: None, event_type: None, ..status.clone() };
    write(&bare, partition, Trace::NONE, format, outbox)
        .expect("a status without the producer's own words is smaller than any topic's limit");
}

fn write(
    status: &EventStatus<'_>,
    partition: i32,
    trace: Trace<'_>,
    format: Format,
    outbox: &mut Outbox,
) -> Result<(), TooLarge> {
    let id = status.event_id.as_str();
    let outgoing = Outgoing { kind: kind::EVENT_STATUS, id, source: SOURCE, format, trace };
    outbox
        .record(Outputs::STATUS)
        .key(id.as_bytes())
        .partition(partition)
        .headers(wire::headers::outgoing(outgoing))
        .value(|value| wire::status::encode(status, format, value))
}

/// Writes a tombstone. May be written again when the outcome of its transaction stays unknown, which
/// changes nothing.
fn bury(event_id: &EventId<'_>, partition: i32, outbox: &mut Outbox) {
    outbox
        .record(Outputs::STATUS)
        .key(event_id.as_str().as_bytes())
        .partition(partition)
        .tombstone()
        .expect("a tombstone of at most 255 bytes is smaller than any topic's limit");
}

#[cfg(test)]
mod tests;
