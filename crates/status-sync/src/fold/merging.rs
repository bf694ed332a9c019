use domain::{EventId, EventStatus, Fact, Folded};
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

use crate::store::{Changes, PartitionStore, StoreError};

/// What the events of one partition have come to since the store was last written.
#[derive(Default)]
pub(crate) struct Merging(HashMap<String, Merged, FixedState>);

/// One event: what the store has, and all that came since.
#[derive(Default)]
pub(crate) struct Merged {
    folded: Folded,
    /// The period that the store keeps it with, if it does.
    kept: Option<u64>,
    /// Timestamp and place in its batch of the record that changed it last; `None`: none did.
    changed: Option<Change>,
}

/// Which record changed an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// The record's timestamp.
    pub(crate) timestamp_ms: i64,
    /// Its place in the batch.
    pub(crate) index: usize,
}

impl Merging {
    /// Adds a fact to what is known of its event.
    pub(crate) fn apply(
        &mut self,
        store: &PartitionStore,
        fact: &Fact<'_>,
        change: Change,
    ) -> Result<(), StoreError> {
        let merged = self.merged(store, &fact.event_id)?;
        if merged.folded.apply(fact) {
            merged.changed = Some(change);
        }
        Ok(())
    }

    /// Takes a published status, or that there is none any more, for all that is known of its event.
    pub(crate) fn replace(
        &mut self,
        store: &PartitionStore,
        event_id: &EventId<'_>,
        status: Option<&EventStatus<'_>>,
        timestamp_ms: i64,
    ) -> Result<(), StoreError> {
        let merged = self.merged(store, event_id)?;
        merged.folded = status.map(Folded::from).unwrap_or_default();
        merged.changed = Some(Change { timestamp_ms, index: 0 });
        Ok(())
    }

    fn merged(
        &mut self,
        store: &PartitionStore,
        event_id: &EventId<'_>,
    ) -> Result<&mut Merged, StoreError> {
        match self.0.entry_ref(event_id.as_str()) {
            EntryRef::Occupied(present) => Ok(present.into_mut()),
            EntryRef::Vacant(vacant) => {
                let merged = store.get(event_id)?.map(|kept| Merged {
                    folded: kept.folded,
                    kept: Some(kept.period),
                    changed: None,
                });
                Ok(vacant.insert(merged.unwrap_or_default()))
            }
        }
    }

    /// Whether anything is known of an event since the store was last written.
    pub(crate) fn has(&self, event_id: &EventId<'_>) -> bool {
        self.0.contains_key(event_id.as_str())
    }

    /// The statuses that differ from those the store has, and what changed them.
    pub(crate) fn changed(&self) -> impl Iterator<Item = (EventStatus<'_>, Change)> {
        self.0.iter().filter_map(|(id, merged)| {
            let change = merged.changed?;
            Some((merged.folded.status(event_id(id))?, change))
        })
    }

    /// Writes all that changed into `changes`.
    pub(crate) fn write(&self, store: &PartitionStore, changes: &mut Changes) {
        for (id, merged) in &self.0 {
            let Some(change) = merged.changed else { continue };
            let event_id = event_id(id);
            match (merged.folded.key(), merged.kept) {
                (Some(_), kept) => {
                    let timestamp_ms = change.timestamp_ms;
                    changes.put(store, &event_id, &merged.folded, kept, timestamp_ms);
                }
                (None, Some(kept)) => changes.remove(store, &event_id, kept),
                (None, None) => {}
            }
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

fn event_id(text: &str) -> EventId<'_> {
    EventId::new(text).expect("it was an event id when it was put in")
}
