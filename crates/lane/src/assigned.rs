use std::collections::{BTreeMap, BTreeSet, HashMap};

use kafka::{NextOffset, TopicPartition};

use crate::PartitionLag;
use crate::lag::PartitionStatistics;

/// The partitions a lane has, and what it knows of each.
#[derive(Debug, Default)]
pub(crate) struct AssignedPartitions(BTreeMap<TopicPartition, Assigned>);

#[derive(Debug)]
struct Assigned {
    stage: Stage,
    /// The group's position when it was assigned, once that was asked for.
    position: Option<NextOffset>,
    /// What this lane has committed since the partition was assigned.
    committed: Option<NextOffset>,
    /// The timestamp of the last record committed; the assignment's time before that.
    last_ms: i64,
}

/// How far a partition is on its way to its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its committed position is not known yet.
    New,
    /// The handler knows it and prepares.
    Restoring,
    /// Its records come.
    Running,
}

impl AssignedPartitions {
    pub(crate) fn assign(&mut self, partitions: &[TopicPartition], stage: Stage, now_ms: i64) {
        for partition in partitions {
            let assigned = Assigned { stage, position: None, committed: None, last_ms: now_ms };
            self.0.insert(partition.clone(), assigned);
        }
    }

    pub(crate) fn revoke(&mut self, partitions: &[TopicPartition]) {
        for partition in partitions {
            self.0.remove(partition);
        }
    }

    pub(crate) fn at(&self, stage: Stage) -> Vec<TopicPartition> {
        let of_stage = self.0.iter().filter(|(_, assigned)| assigned.stage == stage);
        of_stage.map(|(partition, _)| partition.clone()).collect()
    }

    pub(crate) fn all_run(&self) -> bool {
        self.0.values().all(|assigned| assigned.stage == Stage::Running)
    }

    pub(crate) fn advance(&mut self, partition: &TopicPartition, stage: Stage) {
        if let Some(assigned) = self.0.get_mut(partition) {
            assigned.stage = stage;
        }
    }

    /// The group's position when `partition` was assigned.
    pub(crate) fn position(&self, partition: &TopicPartition) -> Option<NextOffset> {
        self.0.get(partition)?.position
    }

    pub(crate) fn set_position(&mut self, partition: &TopicPartition, to: Option<NextOffset>) {
        if let Some(assigned) = self.0.get_mut(partition) {
            assigned.position = to;
        }
    }

    pub(crate) fn commit(&mut self, partition: &TopicPartition, next: NextOffset, last_ms: i64) {
        if let Some(assigned) = self.0.get_mut(partition) {
            assigned.committed = Some(next);
            assigned.last_ms = last_ms;
        }
    }

    /// How far each is behind by what who fetches says. Of those that are `waiting` there are records
    /// in the batch.
    pub(crate) fn lags(
        &self,
        statistics: &HashMap<TopicPartition, PartitionStatistics>,
        waiting: &BTreeSet<TopicPartition>,
        now_ms: i64,
    ) -> BTreeMap<TopicPartition, PartitionLag> {
        let lag = |(partition, assigned): (&TopicPartition, &Assigned)| {
            let known = statistics.get(partition);
            let has_more = waiting.contains(partition);
            let lag = known.map(|known| {
                // Not everybody who fetches knows the group's position; then it was asked for.
                let position = assigned.position.map_or(known.committed_offset, NextOffset::get);
                let known = PartitionStatistics { committed_offset: position, ..*known };
                known.lag(assigned.committed, assigned.last_ms, now_ms, has_more)
            });
            let unknown = PartitionLag { committed: assigned.committed, ..PartitionLag::default() };
            (partition.clone(), lag.unwrap_or(unknown))
        };
        self.0.iter().map(lag).collect()
    }
}
