use domain::{EventId, Folded};
use fjall::{Keyspace, OwnedWriteBatch};
use kafka::NextOffset;
use wire::Format;

use super::StoreError;
use super::layout::{POSITION, age_key, read_age_key, read_status, status_key};

/// The statuses of one partition of the journal, as of one offset.
#[derive(Clone)]
pub(crate) struct PartitionStore {
    keyspace: Keyspace,
    age: StatusAge,
}

/// How long a status is kept after its last change.
///
/// Changes are told apart by period only, so that a status that changes often moves in the list of
/// ages seldom; it may live a period longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StatusAge {
    retention_ms: u64,
    period_ms: u64,
}

impl StatusAge {
    const PERIODS: u64 = 32;

    /// Kept for `retention_ms`, which is at least 1.
    pub(crate) const fn new(retention_ms: u64) -> Self {
        let period_ms = retention_ms / Self::PERIODS;
        Self { retention_ms, period_ms: if period_ms == 0 { 1 } else { period_ms } }
    }

    /// The beginning of the period that `changed_ms` lies in.
    fn period(self, changed_ms: i64) -> u64 {
        let changed_ms = u64::try_from(changed_ms).unwrap_or(0);
        changed_ms - changed_ms % self.period_ms
    }

    /// Statuses that last changed in a period that began before this have expired.
    fn expired_before(self, now_ms: i64) -> u64 {
        let now_ms = u64::try_from(now_ms).unwrap_or(0);
        (now_ms + 1).saturating_sub(self.retention_ms + self.period_ms)
    }
}

/// A status as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) folded: Folded,
    /// The period of its last change.
    pub(crate) period: u64,
}

impl PartitionStore {
    pub(super) const fn new(keyspace: Keyspace, age: StatusAge) -> Self {
        Self { keyspace, age }
    }

    /// The offset it is as of; `None` where it has never been filled.
    pub(crate) fn position(&self) -> Result<Option<NextOffset>, StoreError> {
        let Some(value) = self.keyspace.get(POSITION)? else { return Ok(None) };
        let bytes = value.as_ref().try_into();
        let bytes = bytes.map_err(|_| StoreError::Foreign("a position of no known form".into()))?;
        Ok(Some(NextOffset::from_committed(i64::from_be_bytes(bytes))))
    }

    /// Forgets everything, the position included.
    pub(crate) fn clear(&self) -> Result<(), StoreError> {
        Ok(self.keyspace.clear()?)
    }

    /// What is kept of an event.
    pub(crate) fn get(&self, event_id: &EventId<'_>) -> Result<Option<Kept>, StoreError> {
        let Some(value) = self.keyspace.get(status_key(event_id.as_str()))? else {
            return Ok(None);
        };
        let (period, bytes) = read_status(&value)?;
        let content_type = Format::Protobuf.content_type().as_bytes();
        let headers = [("content-type", Some(content_type))].into_iter();
        let status = wire::status::decode(Some(bytes), headers)
            .map_err(|error| StoreError::Foreign(error.to_string()))?;
        Ok(Some(Kept { folded: Folded::from(&status), period }))
    }

    /// At most `limit` events whose status has expired, each with the period it is kept with; the
    /// oldest first.
    pub(crate) fn expired(
        &self,
        now_ms: i64,
        limit: usize,
    ) -> Result<Vec<(EventId<'static>, u64)>, StoreError> {
        let (start, end) = (age_key(0, ""), age_key(self.age.expired_before(now_ms), ""));
        let read = |entry: fjall::Guard| {
            let key = entry.key()?;
            let (period, event_id) = read_age_key(&key)?;
            let event_id = EventId::new(event_id.to_owned())
                .map_err(|error| StoreError::Foreign(error.to_string()))?;
            Ok((event_id, period))
        };
        self.keyspace.range(start..end).take(limit).map(read).collect()
    }
}

/// Changes that are made together.
pub(crate) struct Changes {
    batch: OwnedWriteBatch,
    status: Vec<u8>,
}

impl Changes {
    pub(super) const fn new(batch: OwnedWriteBatch) -> Self {
        Self { batch, status: Vec::new() }
    }

    /// Keeps what `folded` has come to at `changed_ms`; `previous` is what was kept until now.
    ///
    /// Facts that come to no status yet are not kept: what they say is in no topic of statuses either,
    /// so it would be lost the next time the store is rebuilt.
    pub(crate) fn put(
        &mut self,
        store: &PartitionStore,
        event_id: &EventId<'_>,
        folded: &Folded,
        previous: Option<u64>,
        changed_ms: i64,
    ) {
        let Some(status) = folded.status(event_id.borrowed()) else { return };
        let period = store.age.period(changed_ms).max(previous.unwrap_or(0));
        if previous != Some(period) {
            if let Some(previous) = previous {
                self.batch.remove(&store.keyspace, age_key(previous, event_id.as_str()));
            }
            self.batch.insert(&store.keyspace, age_key(period, event_id.as_str()), []);
        }
        self.status.clear();
        self.status.extend_from_slice(&period.to_be_bytes());
        wire::status::encode(&status, Format::Protobuf, &mut self.status);
        let key = status_key(event_id.as_str());
        self.batch.insert(&store.keyspace, key, self.status.as_slice());
    }

    /// Forgets an event; `previous` is the period it was kept with.
    pub(crate) fn remove(&mut self, store: &PartitionStore, event_id: &EventId<'_>, previous: u64) {
        self.batch.remove(&store.keyspace, age_key(previous, event_id.as_str()));
        self.batch.remove(&store.keyspace, status_key(event_id.as_str()));
    }

    /// The store is as of `position`.
    pub(crate) fn set_position(&mut self, store: &PartitionStore, position: NextOffset) {
        self.batch.insert(&store.keyspace, POSITION, position.get().to_be_bytes());
    }

    /// Makes the changes. Waits while four filled memtables of a partition are not in files yet.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        Ok(self.batch.commit()?)
    }
}
