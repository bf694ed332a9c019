//! Transactions: who may do what, in which state, and what readers see of it.

use kafka_protocol::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, GroupId,
    InitProducerIdRequest, ProducerId, TransactionalId,
};
use testkit::cluster;

use super::client::{ANYBODY, Client, PATIENCE, Writer, batch, name, text};

pub(super) const UNCOMMITTED: i8 = 0;
pub(super) const COMMITTED: i8 = 1;

/// Gets a producer id and epoch.
pub(super) fn initialise(client: &mut Client, id: Option<&str>) -> (i64, i16) {
    let (code, identity) = try_initialise(client, id, 60_000, None);
    assert_eq!(code, 0);
    identity
}

pub(super) fn try_initialise(
    client: &mut Client,
    id: Option<&str>,
    timeout_ms: i32,
    claimed: Option<(i64, i16)>,
) -> (i16, (i64, i16)) {
    if let Some(id) = id.filter(|id| !id.is_empty()) {
        client.find_coordinator(1, id);
    }
    let (producer_id, epoch) = claimed.unwrap_or((-1, -1));
    let request = InitProducerIdRequest::default()
        .with_transactional_id(id.map(|id| TransactionalId(text(id))))
        .with_transaction_timeout_ms(timeout_ms)
        .with_producer_id(ProducerId(producer_id))
        .with_producer_epoch(epoch);
    client.settled(|client| {
        let answer = client.call(4, &request);
        (answer.error_code, (answer.producer_id.0, answer.producer_epoch))
    })
}

/// A transactional producer with one topic.
pub(super) struct Producer {
    pub(super) client: Client,
    pub(super) topic: String,
    pub(super) id: String,
    pub(super) writer: Writer,
    sequence: i32,
}

impl Producer {
    pub(super) fn new() -> Producer {
        let mut client = Client::connect();
        let topic = client.topic(1, &[]);
        let id = format!("{}producer", cluster().prefix());
        let (producer_id, epoch) = initialise(&mut client, Some(&id));
        let writer = Writer { id: producer_id, epoch, transactional: true };
        Producer { client, topic, id, writer, sequence: 0 }
    }

    pub(super) fn add_topic(&mut self) -> i16 {
        self.add(3, &self.topic.clone())
    }

    fn add(&mut self, version: i16, topic: &str) -> i16 {
        let topic =
            AddPartitionsToTxnTopic::default().with_name(name(topic)).with_partitions(vec![0]);
        let request = AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(TransactionalId(text(&self.id)))
            .with_v3_and_below_producer_id(ProducerId(self.writer.id))
            .with_v3_and_below_producer_epoch(self.writer.epoch)
            .with_v3_and_below_topics(vec![topic]);
        let settled = self.client.settled(|client| {
            let answer = client.call(version, &request);
            let results = &answer.results_by_topic_v3_and_below[0].results_by_partition;
            (results[0].partition_error_code, ())
        });
        settled.0
    }

    pub(super) fn add_group(&mut self, version: i16, group: &str) -> i16 {
        let request = AddOffsetsToTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&self.id)))
            .with_producer_id(ProducerId(self.writer.id))
            .with_producer_epoch(self.writer.epoch)
            .with_group_id(GroupId(text(group)));
        self.client.settled(|client| (client.call(version, &request).error_code, ())).0
    }

    fn send(&mut self, value: &str) -> i16 {
        let records = batch(self.writer, self.sequence, &[value]);
        let id = self.id.clone();
        let topic = self.topic.clone();
        let (code, ()) = self
            .client
            .settled(|client| (client.produce(&topic, Some(&id), records.clone()).error_code, ()));
        if code == 0 {
            self.sequence += 1;
        }
        code
    }

    pub(super) fn end(&mut self, version: i16, committed: bool) -> i16 {
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(text(&self.id)))
            .with_producer_id(ProducerId(self.writer.id))
            .with_producer_epoch(self.writer.epoch)
            .with_committed(committed);
        self.client.settled(|client| (client.call(version, &request).error_code, ())).0
    }

    /// Waits until nothing is undecided: markers may come a little after the answer.
    pub(super) fn wait_until_stable(&mut self) {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            let data = self.client.fetch(&self.topic, 0, COMMITTED);
            if data.last_stable_offset == data.high_watermark {
                return;
            }
            assert!(std::time::Instant::now() < until, "the transaction never ended");
        }
    }
}

#[test]
fn readers_of_committed_data_see_whole_transactions_only() {
    let mut producer = Producer::new();
    let topic = producer.topic.clone();
    producer.client.produce(&topic, None, batch(ANYBODY, -1, &["before"]));
    assert_eq!(producer.add_topic(), 0);
    assert_eq!((producer.send("a"), producer.send("b")), (0, 0));
    producer.client.produce(&topic, None, batch(ANYBODY, -1, &["between"]));
    assert_eq!(producer.client.values(&topic, 0, COMMITTED), ["before"]);
    assert_eq!(producer.client.values(&topic, 0, UNCOMMITTED), ["before", "a", "b", "between"]);
    let data = producer.client.fetch(&topic, 0, COMMITTED);
    assert_eq!((data.last_stable_offset, data.high_watermark), (1, 4));
    assert_eq!(producer.end(1, true), 0);
    producer.wait_until_stable();
    assert_eq!(producer.client.values(&topic, 0, COMMITTED), ["before", "a", "b", "between"]);
    let data = producer.client.fetch(&topic, 0, COMMITTED);
    assert_eq!((data.last_stable_offset, data.high_watermark), (5, 5));
    assert_eq!(data.aborted_transactions.unwrap_or_default(), []);
}

#[test]
fn an_aborted_transaction_is_listed_where_it_matters() {
    let mut producer = Producer::new();
    let topic = producer.topic.clone();
    assert_eq!((producer.add_topic(), producer.send("a"), producer.send("b")), (0, 0, 0));
    assert_eq!(producer.end(1, false), 0);
    producer.wait_until_stable();
    producer.client.produce(&topic, None, batch(ANYBODY, -1, &["c"]));
    let listed = |producer: &mut Producer, offset, isolation| -> Vec<(i64, i64)> {
        let data = producer.client.fetch(&topic, offset, isolation);
        let aborted = data.aborted_transactions.unwrap_or_default();
        aborted.iter().map(|aborted| (aborted.producer_id.0, aborted.first_offset)).collect()
    };
    let whole = (producer.writer.id, 0);
    assert_eq!(listed(&mut producer, 0, COMMITTED), [whole]);
    assert_eq!(listed(&mut producer, 2, COMMITTED), [whole]);
    assert_eq!(listed(&mut producer, 3, COMMITTED), []);
    assert_eq!(listed(&mut producer, 0, UNCOMMITTED), []);
}

#[test]
fn a_write_without_an_open_transaction_is_refused() {
    let mut producer = Producer::new();
    assert_eq!(producer.send("a"), 48);
    assert_eq!(producer.add_topic(), 0);
    assert_eq!(producer.send("a"), 0);
    assert_eq!(producer.end(1, true), 0);
    producer.wait_until_stable();
    assert_eq!(producer.send("b"), 48);
}

#[test]
fn a_zombie_is_fenced_everywhere() {
    let mut zombie = Producer::new();
    assert_eq!(zombie.add_topic(), 0);
    assert_eq!(zombie.send("a"), 0);
    let mut other = Client::connect();
    let (id, epoch) = initialise(&mut other, Some(&zombie.id));
    assert_eq!(id, zombie.writer.id);
    assert!(epoch > zombie.writer.epoch);
    zombie.wait_until_stable();
    let topic = zombie.topic.clone();
    assert_eq!(zombie.client.values(&topic, 1, COMMITTED), [""; 0], "it was aborted");
    assert_eq!(zombie.send("b"), 47);
    assert_eq!((zombie.add(0, &topic), zombie.add(3, &topic)), (47, 90));
    assert_eq!((zombie.end(1, true), zombie.end(3, true)), (47, 90));
    assert_eq!((zombie.add_group(0, "g"), zombie.add_group(3, "g")), (47, 90));
    let claimed = Some((zombie.writer.id, zombie.writer.epoch));
    let id = zombie.id.clone();
    assert_eq!(try_initialise(&mut zombie.client, Some(&id), 60_000, claimed).0, 90);
}

#[test]
fn only_the_same_ending_may_be_repeated() {
    let mut producer = Producer::new();
    assert_eq!(producer.end(1, true), 48, "nothing was begun");
    assert_eq!((producer.add_topic(), producer.send("a")), (0, 0));
    assert_eq!(producer.end(1, true), 0);
    assert_eq!(producer.end(1, true), 0);
    assert_eq!(producer.end(1, false), 48);
    producer.add_topic();
    assert_eq!(producer.end(1, false), 0);
    assert_eq!(producer.end(1, false), 0);
    assert_eq!(producer.end(1, true), 48);
}

#[test]
fn strangers_are_told_so() {
    let mut producer = Producer::new();
    let topic = producer.topic.clone();
    assert_eq!(producer.add(3, "broker-no-such-topic"), 3);
    producer.writer.id += 1;
    assert_eq!((producer.add(3, &topic), producer.end(1, true)), (49, 49));
    producer.id = format!("{}nobody", cluster().prefix());
    let id = producer.id.clone();
    producer.client.find_coordinator(1, &id);
    assert_eq!((producer.add(3, &topic), producer.end(1, true)), (49, 49));
}

#[test]
fn a_producer_may_renew_its_own_epoch_and_repeat_that() {
    let mut producer = Producer::new();
    let id = producer.id.clone();
    let old = (producer.writer.id, producer.writer.epoch);
    let renewed = (0, (old.0, old.1 + 1));
    assert_eq!(try_initialise(&mut producer.client, Some(&id), 60_000, Some(old)), renewed);
    assert_eq!(try_initialise(&mut producer.client, Some(&id), 60_000, Some(old)), renewed);
    producer.writer.epoch += 1;
    producer.sequence = 0;
    assert_eq!((producer.add_topic(), producer.send("a"), producer.end(1, true)), (0, 0, 0));
}

#[test]
fn a_timeout_has_to_be_possible() {
    let mut client = Client::connect();
    let id = format!("{}timeout", cluster().prefix());
    assert_eq!(try_initialise(&mut client, Some(&id), 900_001, None).0, 50);
    assert_eq!(try_initialise(&mut client, Some(&id), 0, None).0, 50);
    assert_eq!(try_initialise(&mut client, Some(""), 1_000, None).0, 42);
}

#[test]
fn a_transaction_left_alone_is_aborted_and_its_producer_fenced() {
    let mut producer = Producer::new();
    let (id, topic) = (producer.id.clone(), producer.topic.clone());
    let (code, (_, epoch)) = try_initialise(&mut producer.client, Some(&id), 500, None);
    assert_eq!(code, 0);
    producer.writer.epoch = epoch;
    assert_eq!((producer.add_topic(), producer.send("a")), (0, 0));
    producer.wait_until_stable();
    let data = producer.client.fetch(&topic, 0, COMMITTED);
    assert_eq!(data.aborted_transactions.unwrap_or_default().len(), 1);
    assert_eq!(producer.end(3, true), 90);
    assert_eq!(producer.send("b"), 47);
}
