//! Offsets: those a group committed, and those that wait for a transaction to end.

use std::collections::BTreeMap;

use super::CommittedOffset;
use crate::transactions::TopicPartition;

/// The committed offsets of one group.
#[derive(Debug, Default)]
pub(crate) struct GroupOffsets {
    committed: BTreeMap<TopicPartition, CommittedOffset>,
}

impl GroupOffsets {
    pub(crate) fn get(&self, topic: &str, partition: i32) -> Option<&CommittedOffset> {
        self.committed.get(&(topic.to_owned(), partition))
    }

    pub(crate) fn commit(&mut self, partition: TopicPartition, offset: CommittedOffset) {
        self.committed.insert(partition, offset);
    }

    pub(crate) fn remove(&mut self, topic: &str, partition: i32) -> bool {
        self.committed.remove(&(topic.to_owned(), partition)).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &CommittedOffset)> {
        self.committed.iter()
    }

    pub(super) fn forget_topic(&mut self, topic: &str) {
        self.committed.retain(|(name, _), _| name != topic);
    }
}

/// Offsets of open transactions: by producer, then group, then partition.
#[derive(Debug, Default)]
pub(crate) struct PendingOffsets {
    by_producer: BTreeMap<i64, BTreeMap<(String, TopicPartition), CommittedOffset>>,
}

impl PendingOffsets {
    pub(crate) fn add(
        &mut self,
        producer_id: i64,
        group: &str,
        partition: TopicPartition,
        offset: CommittedOffset,
    ) {
        let pending = self.by_producer.entry(producer_id).or_default();
        pending.insert((group.to_owned(), partition), offset);
    }

    /// Takes out what a producer's transaction would commit.
    pub(crate) fn take(
        &mut self,
        producer_id: i64,
    ) -> BTreeMap<(String, TopicPartition), CommittedOffset> {
        self.by_producer.remove(&producer_id).unwrap_or_default()
    }

    /// Whether some open transaction may still move this offset.
    pub(crate) fn is_unstable(&self, group: &str, topic: &str, partition: i32) -> bool {
        let key = (group.to_owned(), (topic.to_owned(), partition));
        self.by_producer.values().any(|pending| pending.contains_key(&key))
    }

    /// Every pending offset.
    pub(crate) fn iter(
        &self,
    ) -> impl Iterator<Item = (i64, &(String, TopicPartition), &CommittedOffset)> {
        self.by_producer.iter().flat_map(|(producer_id, pending)| {
            pending.iter().map(|(key, offset)| (*producer_id, key, offset))
        })
    }

    pub(super) fn forget_topic(&mut self, topic: &str) {
        for pending in self.by_producer.values_mut() {
            pending.retain(|(_, (name, _)), _| name != topic);
        }
    }
}
