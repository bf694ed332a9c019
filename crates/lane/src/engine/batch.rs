//! What is in the batch.

use kafka::{NextOffset, Offset, TopicPartition};
use rdkafka::Message;
use rdkafka::message::BorrowedMessage;

use super::Engine;
use crate::Handler;
use crate::producer::TransactionalProducer;

/// What there is of one partition in the batch.
pub(super) struct BatchOffset {
    pub(super) partition: TopicPartition,
    /// One past its last record.
    pub(super) next: NextOffset,
    /// That record's timestamp, in milliseconds since the epoch.
    pub(super) last_ms: i64,
    pub(super) n_records: u64,
}

impl<H: Handler, P: TransactionalProducer> Engine<'_, H, P> {
    /// What there is of each partition in the batch.
    pub(super) fn next_offsets(&self) -> Vec<BatchOffset> {
        let mut offsets: Vec<BatchOffset> = Vec::new();
        for message in &self.messages {
            let next = Offset::new(message.offset()).next();
            let last_ms = message.timestamp().to_millis().unwrap_or(0);
            let is_of = |offset: &&mut BatchOffset| {
                let at = &offset.partition;
                at.partition == message.partition() && *at.topic == *message.topic()
            };
            // Records of one partition come in runs, so the search nearly always ends at once.
            match offsets.iter_mut().rev().find(is_of) {
                Some(offset) => {
                    (offset.next, offset.last_ms) = (next, last_ms);
                    offset.n_records += 1;
                }
                None => {
                    let partition = TopicPartition::new(message.topic(), message.partition());
                    offsets.push(BatchOffset { partition, next, last_ms, n_records: 1 });
                }
            }
        }
        offsets
    }

    pub(super) fn drop_records(&mut self, mut gone: impl FnMut(&TopicPartition, Offset) -> bool) {
        self.messages.retain(|message| {
            let at = TopicPartition::new(message.topic(), message.partition());
            !gone(&at, Offset::new(message.offset()))
        });
        let bytes = |message: &BorrowedMessage<'_>| message.payload_len() + message.key_len();
        self.message_bytes = self.messages.iter().map(bytes).sum();
    }
}
