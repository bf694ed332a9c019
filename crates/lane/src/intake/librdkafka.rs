use std::collections::HashMap;
use std::time::Duration;

use kafka::{Offset, ReadRecord, TopicPartition};
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use tracing::{debug, warn};

use super::{BatchOffset, note_offset};
use crate::Batch;
use crate::consumer::{self, LaneConsumer};
use crate::lag::{self, PartitionStatistics};

/// Records that librdkafka fetches, one by one.
pub(crate) struct LibrdkafkaIntake<'c> {
    consumer: &'c LaneConsumer,
    records: Vec<ReadRecord<'c>>,
    bytes: usize,
    /// Polled and not gathered yet.
    came: Option<ReadRecord<'c>>,
}

impl<'c> LibrdkafkaIntake<'c> {
    pub(super) const fn new(consumer: &'c LaneConsumer) -> Self {
        Self { consumer, records: Vec::new(), bytes: 0, came: None }
    }

    pub(super) fn serve(&mut self, timeout: Duration) -> Result<(), KafkaError> {
        self.came = self.consumer.poll(timeout).transpose()?.map(ReadRecord::from);
        Ok(())
    }

    pub(super) fn gather(&mut self) -> bool {
        let Some(record) = self.came.take() else { return false };
        self.bytes += size(&record);
        self.records.push(record);
        true
    }

    pub(super) fn start(&self, partition: &TopicPartition) -> Result<(), KafkaError> {
        self.consumer.resume(&consumer::list_of([partition]))
    }

    pub(super) fn rest(&self, running: &[TopicPartition]) {
        if let Err(error) = self.consumer.pause(&consumer::list_of(running)) {
            debug!(%error, "some partitions could not be paused");
        }
    }

    pub(super) fn wake(&self, running: &[TopicPartition]) {
        if let Err(error) = self.consumer.resume(&consumer::list_of(running)) {
            warn!(%error, "some partitions could not be resumed");
        }
    }

    pub(super) fn retain(&mut self, mut stays: impl FnMut(&TopicPartition, Offset) -> bool) {
        self.records.retain(|record| {
            let at = TopicPartition::new(record.topic(), record.partition());
            stays(&at, record.offset())
        });
        self.bytes = self.records.iter().map(size).sum();
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.bytes = 0;
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch::read(&self.records)
    }

    pub(super) const fn n_records(&self) -> usize {
        self.records.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next_offsets(&self) -> Vec<BatchOffset> {
        let mut offsets = Vec::new();
        for record in &self.records {
            let next = record.offset().next();
            let last_ms = record.timestamp_ms();
            note_offset(&mut offsets, (record.topic(), record.partition()), next, last_ms, 1);
        }
        offsets
    }

    pub(super) fn timestamps(&self, each: impl FnMut(i64)) {
        self.records.iter().map(ReadRecord::timestamp_ms).for_each(each);
    }

    pub(super) fn take_statistics(&self) -> Option<HashMap<TopicPartition, PartitionStatistics>> {
        self.consumer.context().take_statistics().map(|statistics| lag::read(&statistics))
    }
}

fn size(record: &ReadRecord<'_>) -> usize {
    record.value().map_or(0, <[u8]>::len) + record.key().map_or(0, <[u8]>::len)
}
