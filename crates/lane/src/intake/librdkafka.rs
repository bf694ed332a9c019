use std::collections::HashMap;
use std::time::Duration;

use kafka::{Offset, TopicPartition};
use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tracing::{debug, warn};

use super::{BatchOffset, note_offset};
use crate::Batch;
use crate::consumer::{self, LaneConsumer};
use crate::lag::{self, PartitionStatistics};

/// Records that librdkafka fetches, one by one.
pub(crate) struct LibrdkafkaIntake<'c> {
    consumer: &'c LaneConsumer,
    messages: Vec<BorrowedMessage<'c>>,
    bytes: usize,
    /// Polled and not gathered yet.
    came: Option<BorrowedMessage<'c>>,
}

impl<'c> LibrdkafkaIntake<'c> {
    pub(super) const fn new(consumer: &'c LaneConsumer) -> Self {
        Self { consumer, messages: Vec::new(), bytes: 0, came: None }
    }

    pub(super) fn serve(&mut self, timeout: Duration) -> Result<(), KafkaError> {
        self.came = self.consumer.poll(timeout).transpose()?;
        Ok(())
    }

    pub(super) fn gather(&mut self) -> bool {
        let Some(message) = self.came.take() else { return false };
        self.bytes += size(&message);
        self.messages.push(message);
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
        self.messages.retain(|message| {
            let at = TopicPartition::new(message.topic(), message.partition());
            stays(&at, Offset::new(message.offset()))
        });
        self.bytes = self.messages.iter().map(size).sum();
    }

    pub(super) fn clear(&mut self) {
        self.messages.clear();
        self.bytes = 0;
    }

    pub(super) fn batch(&self) -> Batch<'_> {
        Batch::read(&self.messages)
    }

    pub(super) const fn n_records(&self) -> usize {
        self.messages.len()
    }

    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn next_offsets(&self) -> Vec<BatchOffset> {
        let mut offsets = Vec::new();
        for message in &self.messages {
            let next = Offset::new(message.offset()).next();
            let last_ms = message.timestamp().to_millis().unwrap_or(0);
            note_offset(&mut offsets, (message.topic(), message.partition()), next, last_ms, 1);
        }
        offsets
    }

    pub(super) fn timestamps(&self, each: impl FnMut(i64)) {
        let timestamps = self.messages.iter().map(|message| message.timestamp().to_millis());
        timestamps.flatten().for_each(each);
    }

    pub(super) fn take_statistics(&self) -> Option<HashMap<TopicPartition, PartitionStatistics>> {
        self.consumer.context().take_statistics().map(|statistics| lag::read(&statistics))
    }
}

fn size(message: &BorrowedMessage<'_>) -> usize {
    message.payload_len() + message.key_len()
}
