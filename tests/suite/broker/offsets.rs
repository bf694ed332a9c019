//! Committed offsets, within transactions and without.

use kafka_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use kafka_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    DeleteGroupsRequest, GroupId, OffsetCommitRequest, OffsetDeleteRequest, OffsetFetchRequest,
    ProducerId, TransactionalId, TxnOffsetCommitRequest,
};
use testkit::cluster;

use super::client::{Client, PATIENCE, name, text};
use super::transactions::Producer;

/// Who commits: member id, generation or member epoch, instance id.
pub(super) type Who<'a> = (&'a str, i32, Option<&'a str>);

/// A consumer that is in no group.
pub(super) const NOBODY: Who<'static> = ("", -1, None);

/// Commits offset 5 of partition 0; returns the error code.
pub(super) fn commit(
    client: &mut Client,
    version: i16,
    group: &str,
    who: Who<'_>,
    topic: &str,
) -> i16 {
    commit_with(client, version, group, who, topic, "")
}

fn commit_with(
    client: &mut Client,
    version: i16,
    group: &str,
    (member, generation, instance): Who<'_>,
    topic: &str,
    metadata: &str,
) -> i16 {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(0)
        .with_committed_offset(5)
        .with_committed_metadata(Some(text(metadata)));
    let topic =
        OffsetCommitRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(text(group)))
        .with_generation_id_or_member_epoch(generation)
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text))
        .with_topics(vec![topic]);
    client
        .settled(|client| (client.call(version, &request).topics[0].partitions[0].error_code, ()))
        .0
}

/// Error code and offset of partition 0.
pub(super) fn fetch(client: &mut Client, group: &str, topic: &str, stable: bool) -> (i16, i64) {
    let topic =
        OffsetFetchRequestTopics::default().with_name(name(topic)).with_partition_indexes(vec![0]);
    let asked = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(text(group)))
        .with_topics(Some(vec![topic]));
    let request =
        OffsetFetchRequest::default().with_groups(vec![asked]).with_require_stable(stable);
    client.settled(|client| {
        let answer = &client.call(8, &request).groups[0];
        let code = if answer.error_code == 0 {
            answer.topics[0].partitions[0].error_code
        } else {
            answer.error_code
        };
        (code, answer.topics.first().map_or(-1, |t| t.partitions[0].committed_offset))
    })
}

/// A client, a group of its own and a topic of its own.
pub(super) fn fixture() -> (Client, String, String) {
    let mut client = Client::connect();
    let group = format!("{}group", cluster().prefix());
    client.find_coordinator(0, &group);
    let topic = client.topic(1, &[]);
    (client, group, topic)
}

#[test]
fn offsets_are_committed_read_and_deleted() {
    let (mut client, group, topic) = fixture();
    assert_eq!(fetch(&mut client, &group, &topic, true), (0, -1));
    assert_eq!(commit(&mut client, 8, &group, NOBODY, &topic), 0);
    assert_eq!(fetch(&mut client, &group, &topic, true), (0, 5));
    assert_eq!(commit(&mut client, 8, &group, NOBODY, "broker-no-such-topic"), 3);
    let long = "x".repeat(5_000);
    assert_eq!(commit_with(&mut client, 8, &group, NOBODY, &topic, &long), 12);
    assert_eq!(delete_offset(&mut client, &group, &topic), (0, 0));
    assert_eq!(fetch(&mut client, &group, &topic, true), (0, -1));
}

fn delete_offset(client: &mut Client, group: &str, topic: &str) -> (i16, i16) {
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(0);
    let topic =
        OffsetDeleteRequestTopic::default().with_name(name(topic)).with_partitions(vec![partition]);
    let request =
        OffsetDeleteRequest::default().with_group_id(GroupId(text(group))).with_topics(vec![topic]);
    let answer = client.call(0, &request);
    let partition = answer.topics.first().map_or(0, |topic| topic.partitions[0].error_code);
    (answer.error_code, partition)
}

#[test]
fn a_stranger_cannot_commit_for_a_group_that_is_not_there() {
    let (mut client, group, topic) = fixture();
    assert_eq!(commit(&mut client, 8, &group, ("somebody", 3, None), &topic), 22);
    assert_eq!(commit(&mut client, 9, &group, ("somebody", 3, None), &topic), 69);
}

#[test]
fn a_group_is_deleted_with_its_offsets() {
    let (mut client, group, topic) = fixture();
    let request = DeleteGroupsRequest::default().with_groups_names(vec![GroupId(text(&group))]);
    assert_eq!(client.call(2, &request).results[0].error_code, 69);
    assert_eq!(delete_offset(&mut client, &group, &topic).0, 69);
    assert_eq!(commit(&mut client, 8, &group, NOBODY, &topic), 0);
    assert_eq!(client.call(2, &request).results[0].error_code, 0);
    assert_eq!(fetch(&mut client, &group, &topic, true), (0, -1));
}

/// Takes offset 9 of partition 0 into a producer's transaction; returns the error code.
pub(super) fn commit_in_transaction(
    producer: &mut Producer,
    group: &str,
    (member, generation, instance): Who<'_>,
    topic: &str,
) -> i16 {
    let partition =
        TxnOffsetCommitRequestPartition::default().with_partition_index(0).with_committed_offset(9);
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(name(topic))
        .with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(&producer.id)))
        .with_group_id(GroupId(text(group)))
        .with_producer_id(ProducerId(producer.writer.id))
        .with_producer_epoch(producer.writer.epoch)
        .with_generation_id(generation)
        .with_member_id(text(member))
        .with_group_instance_id(instance.map(text))
        .with_topics(vec![topic]);
    producer
        .client
        .settled(|client| (client.call(3, &request).topics[0].partitions[0].error_code, ()))
        .0
}

#[test]
fn a_transactions_offsets_appear_with_its_commit() {
    let (mut client, group, topic) = fixture();
    let mut producer = Producer::new();
    assert_eq!(commit(&mut client, 8, &group, NOBODY, &topic), 0);
    for (committed, expected) in [(false, 5), (true, 9)] {
        assert_eq!(producer.add_group(3, &group), 0);
        assert_eq!(commit_in_transaction(&mut producer, &group, NOBODY, &topic), 0);
        assert_eq!(fetch(&mut client, &group, &topic, true), (88, -1));
        assert_eq!(fetch(&mut client, &group, &topic, false), (0, 5));
        assert_eq!(producer.end(1, committed), 0);
        let until = std::time::Instant::now() + PATIENCE;
        while fetch(&mut client, &group, &topic, true) != (0, expected) {
            assert!(std::time::Instant::now() < until, "offset {expected} did not appear");
        }
    }
}

#[test]
fn a_transaction_takes_offsets_only_of_groups_it_named_and_members_there_are() {
    let (_, group, topic) = fixture();
    let mut producer = Producer::new();
    assert_eq!(commit_in_transaction(&mut producer, &group, NOBODY, &topic), 48);
    assert_eq!(producer.add_group(3, &group), 0);
    let stranger = ("somebody", 3, None);
    assert_eq!(commit_in_transaction(&mut producer, &group, stranger, &topic), 22);
    assert_eq!(commit_in_transaction(&mut producer, &group, NOBODY, "broker-no-such-topic"), 3);
    producer.writer.epoch -= 1;
    assert_eq!(commit_in_transaction(&mut producer, &group, NOBODY, &topic), 47);
}
