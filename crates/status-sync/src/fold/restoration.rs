use std::time::{Duration, Instant};

use domain::EventId;
use kafka::NextOffset;
use lane::{Readiness, Record};
use tracing::{info, warn};

use super::handler::FoldError;
use super::merging::{Change, Merging};
use super::past::{Bounds, Past, PastEvent, PastReader};
use crate::RestoreWay;
use crate::store::{Changes, PartitionStore, Store};

/// Brings the store of one partition to the group's committed position, a step at a time.
pub(crate) struct Restoration {
    partition: i32,
    store: PartitionStore,
    /// Where the lane goes on; the store is to be as of this offset.
    committed: NextOffset,
    stage: Stage,
    way: RestoreWay,
    began: Instant,
    n_records: u64,
}

enum Stage {
    /// The store is as of an earlier offset. Nothing read yet.
    Behind { position: NextOffset },
    /// Facts are folded in that were published by whoever had the partition before.
    Replaying { reader: Box<dyn PastReader> },
    /// There is no usable store. Transactions may be open on the topic of statuses.
    Empty { end: Option<i64> },
    /// The published statuses are read.
    Loading { reader: Box<dyn PastReader> },
    /// The store is as of the committed position.
    Done,
}

/// The topics that a partition is restored from.
#[derive(Clone, Debug)]
pub(crate) struct RestoreTopics {
    pub(crate) journal: String,
    pub(crate) status: String,
}

/// Most records and most time for one step; the lane has other partitions to serve.
const STEP_RECORDS: usize = 5_000;
const STEP_TIME: Duration = Duration::from_millis(30);

impl Restoration {
    /// Looks at the store and decides which way to go.
    pub(crate) fn begin(
        partition: i32,
        store: PartitionStore,
        committed: NextOffset,
    ) -> Result<Self, FoldError> {
        let position = store.position()?;
        let (stage, way) = match position {
            Some(position) if position == committed => (Stage::Done, RestoreWay::AsStored),
            Some(position) if position < committed => {
                (Stage::Behind { position }, RestoreWay::Replay)
            }
            // It is ahead where the group was set back, and must fold those facts again from what
            // was published then; or somebody else's position was lost.
            Some(_) | None => (Stage::Empty { end: None }, RestoreWay::Load),
        };
        info!(
            partition,
            stored = position.map(NextOffset::get),
            committed = committed.get(),
            way = way.as_str(),
            "restoring statuses"
        );
        let began = Instant::now();
        Ok(Self { partition, store, committed, stage, way, began, n_records: 0 })
    }

    /// Does a part of the work.
    pub(crate) fn step(
        &mut self,
        store: &Store,
        past: &mut dyn Past,
        topics: &RestoreTopics,
    ) -> Result<Readiness, FoldError> {
        match &mut self.stage {
            Stage::Done => return Ok(Readiness::Ready),
            Stage::Behind { position } => {
                let position = *position;
                if let Some(bounds) = past.bounds(&topics.journal, self.partition)? {
                    self.stage = self.after_gap(&bounds, position, past, topics)?;
                }
            }
            Stage::Empty { end } => {
                if let Some(bounds) = past.bounds(&topics.status, self.partition)? {
                    // The committed position shows that the last owner's transaction is settled,
                    // but this partition may not have its marker yet.
                    let end = *end.get_or_insert(bounds.end);
                    if bounds.start >= end {
                        self.store.clear()?;
                        self.finish(store.changes())?;
                    } else if bounds.stable_end >= end {
                        self.stage = self.loading(past, topics)?;
                    }
                }
            }
            Stage::Replaying { .. } | Stage::Loading { .. } => self.read(store)?,
        }
        Ok(if matches!(self.stage, Stage::Done) { Readiness::Ready } else { Readiness::NotYet })
    }

    /// How it is, or was, done.
    pub(crate) const fn way(&self) -> RestoreWay {
        self.way
    }

    /// How long it has taken until now.
    pub(crate) fn took(&self) -> Duration {
        self.began.elapsed()
    }

    pub(crate) fn into_store(self) -> PartitionStore {
        self.store
    }

    /// The next stage of a store that is behind: what it lacks must not be deleted yet.
    fn after_gap(
        &mut self,
        journal: &Bounds,
        position: NextOffset,
        past: &dyn Past,
        topics: &RestoreTopics,
    ) -> Result<Stage, FoldError> {
        if journal.start > position.get() {
            let partition = self.partition;
            info!(partition, oldest = journal.start, "stored statuses are too old to catch up");
            self.way = RestoreWay::Load;
            return Ok(Stage::Empty { end: None });
        }
        let reader = past.open(&topics.journal, self.partition, position)?;
        Ok(Stage::Replaying { reader })
    }

    fn loading(&self, past: &dyn Past, topics: &RestoreTopics) -> Result<Stage, FoldError> {
        self.store.clear()?;
        let reader = past.open(&topics.status, self.partition, NextOffset::START)?;
        Ok(Stage::Loading { reader })
    }

    /// Reads on, and keeps what was read.
    fn read(&mut self, store: &Store) -> Result<(), FoldError> {
        let started = Instant::now();
        let mut reading = Reading::new(&self.store, self.committed);
        let mut ended = false;
        while !ended && reading.n_records < STEP_RECORDS {
            let Some(left) = STEP_TIME.checked_sub(started.elapsed()) else { break };
            ended = match &self.stage {
                Stage::Replaying { reader } => {
                    let event = reader.next(left, &mut |record| reading.take_fact(record))?;
                    event == PastEvent::End || reading.is_past
                }
                Stage::Loading { reader } => {
                    let event = reader.next(left, &mut |record| reading.take_status(record))?;
                    event == PastEvent::End
                }
                Stage::Behind { .. } | Stage::Empty { .. } | Stage::Done => return Ok(()),
            };
        }
        self.n_records += reading.n_records as u64;
        let merging = reading.finish()?;
        let mut changes = store.changes();
        merging.write(&self.store, &mut changes);
        if ended { self.finish(changes) } else { Ok(changes.commit()?) }
    }

    /// Makes the last changes; the store is then as of the committed position.
    fn finish(&mut self, mut changes: Changes) -> Result<(), FoldError> {
        changes.set_position(&self.store, self.committed);
        changes.commit()?;
        info!(
            partition = self.partition,
            position = self.committed.get(),
            n_records = self.n_records,
            way = self.way.as_str(),
            "statuses restored"
        );
        self.stage = Stage::Done;
        Ok(())
    }
}

/// What one step reads.
struct Reading<'a> {
    store: &'a PartitionStore,
    until: NextOffset,
    merging: Merging,
    n_records: usize,
    is_past: bool,
    failure: Option<FoldError>,
}

impl<'a> Reading<'a> {
    fn new(store: &'a PartitionStore, until: NextOffset) -> Self {
        let merging = Merging::default();
        Self { store, until, merging, n_records: 0, is_past: false, failure: None }
    }

    /// A record of the journal. Those from the committed position on are the lane's own.
    fn take_fact(&mut self, record: &Record<'_>) {
        if !self.until.is_past(record.offset) {
            self.is_past = true;
            return;
        }
        self.is_past = record.offset.next() == self.until;
        self.n_records += 1;
        // A malformed one was reported and parked when it was first read.
        let headers = record.headers();
        if let Ok(fact) = wire::fact::decode(record.value, headers.iter()) {
            let change = Change { timestamp_ms: record.timestamp_ms, index: 0 };
            let applied = self.merging.apply(self.store, &fact, change);
            self.note(applied.map_err(FoldError::from));
        }
    }

    /// A record of the topic of statuses.
    fn take_status(&mut self, record: &Record<'_>) {
        self.n_records += 1;
        let key = record.key.and_then(|key| std::str::from_utf8(key).ok());
        let Some(event_id) = key.and_then(|key| EventId::new(key).ok()) else {
            return skipped(record, "its key is no event id");
        };
        let headers = record.headers();
        let status = match record.value {
            None => None,
            Some(_) => match wire::status::decode(record.value, headers.iter()) {
                Ok(status) => Some(status),
                Err(malformed) => return skipped(record, malformed.detail()),
            },
        };
        let timestamp_ms = record.timestamp_ms;
        let replaced = self.merging.replace(self.store, &event_id, status.as_ref(), timestamp_ms);
        self.note(replaced.map_err(FoldError::from));
    }

    fn note(&mut self, result: Result<(), FoldError>) {
        if let Err(error) = result {
            self.failure.get_or_insert(error);
        }
    }

    fn finish(self) -> Result<Merging, FoldError> {
        self.failure.map_or(Ok(self.merging), Err)
    }
}

fn skipped(record: &Record<'_>, problem: &str) {
    let (partition, offset) = (record.partition, record.offset.get());
    warn!(partition, offset, problem, "published status skipped");
}

#[cfg(test)]
mod tests;
