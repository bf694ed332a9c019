//! Transactions v2 (KIP-890): requests add what they touch, and every ending bumps the epoch.

use bytes::Bytes;
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    EndTxnRequest, GroupId, ProduceRequest, ProducerId, TransactionalId, TxnOffsetCommitRequest,
};

use super::client::{Client, batch, name, text, versions_request};
use super::offsets::{NOBODY, Who, fetch, fixture};
use super::transactions::{COMMITTED, Producer, UNCOMMITTED, initialise, try_initialise};

/// What an ended transaction answers: error code, producer id and epoch.
type Ended = (i16, i64, i16);

impl Producer {
    /// Sends one batch of one value to partition 0; returns the error code.
    fn write(&mut self, version: i16, sequence: i32, value: &str) -> i16 {
        let records = batch(self.writer, sequence, &[value]);
        self.write_records(version, &self.topic.clone(), records)
    }

    fn write_records(&mut self, version: i16, topic: &str, records: Bytes) -> i16 {
        let data = PartitionProduceData::default().with_index(0).with_records(Some(records));
        let data =
            TopicProduceData::default().with_name(name(topic)).with_partition_data(vec![data]);
        let request = ProduceRequest::default()
            .with_transactional_id(Some(TransactionalId(text(&self.id))))
            .with_acks(-1)
            .with_timeout_ms(10_000)
            .with_topic_data(vec![data]);
        let settled = self.client.settled(|client| {
            let answer = client.call(version, &request);
            (answer.responses[0].partition_responses[0].error_code, ())
        });
        settled.0
    }

    /// Ends the transaction as a client of transactions v2; keeps its own epoch.
    fn try_end(&mut self, committed: bool) -> Ended {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&self.id)))
            .with_producer_id(ProducerId(self.writer.id))
            .with_producer_epoch(self.writer.epoch)
            .with_committed(committed);
        let (code, (id, epoch)) = self.client.settled(|client| {
            let answer = client.call(5, &request);
            (answer.error_code, (answer.producer_id.0, answer.producer_epoch))
        });
        (code, id, epoch)
    }

    /// Ends the transaction and goes on with the identity that it is given.
    fn end_v2(&mut self, committed: bool) {
        let before = self.writer;
        assert_eq!(self.try_end(committed), (0, before.id, before.epoch + 1));
        self.writer.epoch += 1;
    }

    fn commit_offsets(&mut self, version: i16, group: &str, who: Who<'_>, topic: &str) -> i16 {
        let (member, generation, instance) = who;
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(0)
            .with_committed_offset(9);
        let topic = TxnOffsetCommitRequestTopic::default()
            .with_name(name(topic))
            .with_partitions(vec![partition]);
        let request = TxnOffsetCommitRequest::default()
            .with_transactional_id(TransactionalId(text(&self.id)))
            .with_group_id(GroupId(text(group)))
            .with_producer_id(ProducerId(self.writer.id))
            .with_producer_epoch(self.writer.epoch)
            .with_generation_id(generation)
            .with_member_id(text(member))
            .with_group_instance_id(instance.map(text))
            .with_topics(vec![topic]);
        let settled = self.client.settled(|client| {
            (client.call(version, &request).topics[0].partitions[0].error_code, ())
        });
        settled.0
    }
}

#[test]
fn the_finalised_features_say_that_transactions_v2_are_spoken() {
    for version in [3, 4] {
        let answer = Client::connect().call(version, &versions_request());
        let levels =
            |feature: &kafka_protocol::messages::api_versions_response::FinalizedFeatureKey| {
                (&*feature.name == "transaction.version")
                    .then_some((feature.min_version_level, feature.max_version_level))
            };
        let found: Vec<_> = answer.finalized_features.iter().filter_map(levels).collect();
        assert_eq!(found, [(2, 2)]);
        assert!(answer.finalized_features_epoch >= 0);
    }
}

#[test]
fn a_write_begins_the_transaction_and_its_end_bumps_the_epoch() {
    let mut producer = Producer::new();
    let topic = producer.topic.clone();
    assert_eq!((producer.write(12, 0, "a"), producer.write(12, 1, "b")), (0, 0));
    assert_eq!(producer.client.values(&topic, 0, COMMITTED), [""; 0]);
    assert_eq!(producer.client.values(&topic, 0, UNCOMMITTED), ["a", "b"]);
    producer.end_v2(true);
    producer.wait_until_stable();
    assert_eq!(producer.client.values(&topic, 0, COMMITTED), ["a", "b"]);
    assert_eq!(producer.write(12, 2, "c"), 45, "a new epoch begins at sequence 0");
    assert_eq!(producer.write(12, 0, "c"), 0);
    producer.end_v2(false);
    assert_eq!(producer.write(12, 0, "d"), 0);
    producer.end_v2(true);
    producer.wait_until_stable();
    let values = producer.client.values(&topic, 0, UNCOMMITTED);
    assert_eq!(values, ["a", "b", "c", "d"]);
    let data = producer.client.fetch(&topic, 0, COMMITTED);
    let aborted = data.aborted_transactions.unwrap_or_default();
    let aborted: Vec<_> = aborted.iter().map(|one| (one.producer_id.0, one.first_offset)).collect();
    assert_eq!(aborted, [(producer.writer.id, 3)]);
}

#[test]
fn a_new_producers_first_write_begins_at_sequence_0() {
    let mut producer = Producer::new();
    assert_eq!(producer.write(12, 5, "a"), 45);
    assert_eq!(producer.write(12, 0, "a"), 0);
    assert_eq!(producer.write(12, 0, "a"), 0, "a retry is answered as before");
    let topic = producer.topic.clone();
    assert_eq!(producer.client.values(&topic, 0, UNCOMMITTED), ["a"]);
    producer.end_v2(true);
}

#[test]
fn an_end_with_the_epoch_before_is_a_retry_of_the_same_ending() {
    for committed in [true, false] {
        let mut producer = Producer::new();
        assert_eq!(producer.write(12, 0, "a"), 0);
        let before = producer.writer;
        producer.end_v2(committed);
        producer.wait_until_stable();
        producer.writer = before;
        let (id, epoch) = (before.id, before.epoch + 1);
        assert_eq!(producer.try_end(committed), (0, id, epoch));
        assert_eq!(producer.try_end(committed), (0, id, epoch));
        assert_eq!(producer.try_end(!committed), (48, -1, -1), "it ended the other way");
        producer.writer.epoch += 1;
        assert_eq!(producer.write(12, 0, "b"), 0);
        producer.writer = before;
        assert_eq!(producer.try_end(committed), (90, -1, -1), "the next one is open");
    }
}

#[test]
fn nothing_can_be_committed_before_it_was_begun_but_aborted() {
    let mut producer = Producer::new();
    assert_eq!(producer.try_end(true), (48, -1, -1));
    producer.end_v2(false);
    assert_eq!(producer.write(12, 0, "a"), 0);
    producer.end_v2(true);
    producer.wait_until_stable();
    assert_eq!(producer.try_end(true), (48, -1, -1));
    producer.end_v2(false);
    producer.end_v2(false);
}

#[test]
fn requests_of_an_old_epoch_are_refused() {
    let (_, group, input) = fixture();
    let mut producer = Producer::new();
    let topic = producer.topic.clone();
    let before = producer.writer;
    assert_eq!(producer.write(12, 0, "a"), 0);
    producer.end_v2(true);
    producer.wait_until_stable();
    producer.writer = before;
    assert_eq!(producer.write(12, 1, "late"), 47);
    assert_eq!(producer.write(12, 0, "late"), 47);
    assert_eq!(producer.commit_offsets(5, &group, NOBODY, &input), 47);
    assert_eq!(producer.client.values(&topic, 0, UNCOMMITTED), ["a"]);
    producer.writer.epoch += 1;
    producer.writer.id += 1;
    assert_eq!(producer.write(12, 0, "b"), 49);
    assert_eq!(producer.commit_offsets(5, &group, NOBODY, &input), 49);
    assert_eq!(producer.try_end(true), (49, -1, -1));
}

#[test]
fn offsets_begin_a_transaction_and_appear_with_its_commit() {
    let (mut client, group, input) = fixture();
    let mut producer = Producer::new();
    for (committed, expected) in [(false, -1), (true, 9)] {
        assert_eq!(producer.commit_offsets(5, &group, NOBODY, &input), 0);
        assert_eq!(fetch(&mut client, &group, &input, true), (88, -1));
        producer.end_v2(committed);
        let settled = client.settled_with(&[88], |client| fetch(client, &group, &input, true));
        assert_eq!(settled, (0, expected));
    }
    let stranger = ("somebody", 3, None);
    assert_eq!(producer.commit_offsets(5, &group, stranger, &input), 25);
    assert_eq!(producer.commit_offsets(5, &group, NOBODY, "broker-no-such-topic"), 3);
}

#[test]
fn older_versions_add_nothing_and_the_last_of_them_say_that_one_may_abort() {
    let (_, group, input) = fixture();
    let mut producer = Producer::new();
    for (version, code) in [(9, 48), (10, 48), (11, 120)] {
        assert_eq!(producer.write(version, 0, "a"), code, "Produce {version}");
    }
    for (version, code) in [(3, 48), (4, 120)] {
        let answer = producer.commit_offsets(version, &group, NOBODY, &input);
        assert_eq!(answer, code, "TxnOffsetCommit {version}");
    }
    assert_eq!(
        producer.write_records(12, "broker-no-such-topic", batch(producer.writer, 0, &["a"])),
        3
    );
}

#[test]
fn a_producer_may_change_to_transactions_v2_and_back() {
    let mut producer = Producer::new();
    assert_eq!((producer.add_topic(), producer.write(9, 0, "a")), (0, 0));
    producer.end_v2(true);
    assert_eq!(producer.write(12, 0, "b"), 0);
    assert_eq!(producer.end(3, true), 0);
    // With the same epoch nothing tells a write that comes before the marker from one of the
    // transaction that ends: what transactions v2 mend.
    producer.wait_until_stable();
    assert_eq!(producer.write(12, 1, "c"), 0, "the older ending kept the epoch");
    producer.end_v2(true);
    producer.wait_until_stable();
    let topic = producer.topic.clone();
    assert_eq!(producer.client.values(&topic, 0, COMMITTED), ["a", "b", "c"]);
}

#[test]
fn a_transaction_that_timed_out_is_aborted_with_the_next_epoch() {
    let mut producer = Producer::new();
    let (id, topic) = (producer.id.clone(), producer.topic.clone());
    let (code, (_, epoch)) = try_initialise(&mut producer.client, Some(&id), 500, None);
    assert_eq!(code, 0);
    producer.writer.epoch = epoch;
    assert_eq!(producer.write(12, 0, "a"), 0);
    producer.wait_until_stable();
    let data = producer.client.fetch(&topic, 0, COMMITTED);
    assert_eq!(data.aborted_transactions.unwrap_or_default().len(), 1);
    assert_eq!(producer.write(12, 1, "b"), 47);
    assert_eq!(producer.try_end(true), (48, -1, -1), "to the broker it is a retry");
    let aborted = producer.try_end(false);
    assert_eq!(aborted, (0, producer.writer.id, producer.writer.epoch + 1));
}

#[test]
fn a_successor_fences_its_predecessor_in_transactions_v2() {
    let (_, group, input) = fixture();
    let mut zombie = Producer::new();
    assert_eq!(zombie.write(12, 0, "a"), 0);
    let (id, epoch) = initialise(&mut Client::connect(), Some(&zombie.id));
    assert_eq!(id, zombie.writer.id);
    assert!(epoch > zombie.writer.epoch);
    zombie.wait_until_stable();
    assert_eq!(zombie.write(12, 1, "b"), 47);
    assert_eq!(zombie.commit_offsets(5, &group, NOBODY, &input), 47);
    assert_eq!(zombie.try_end(true), (90, -1, -1));
}
