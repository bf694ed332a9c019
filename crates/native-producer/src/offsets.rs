use kafka_protocol::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use kafka_protocol::messages::{
    GroupId, ProducerId, TopicName, TransactionalId, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::StrBytes;
use native_client::Identity;

pub(crate) const TXN_OFFSET_COMMIT: i16 = 5;

/// The next offsets of the input, and the member of a group that read it.
#[derive(Clone, Copy, Debug)]
pub struct Offsets<'a> {
    /// The consumer group.
    pub group: &'a str,
    /// The generation, or the member epoch, that the member was last told.
    pub generation: i32,
    /// Which member.
    pub member_id: &'a str,
    /// Its name, where it is a static member.
    pub group_instance_id: Option<&'a str>,
    /// One past the last record answered, of each partition.
    pub positions: &'a [NextPosition<'a>],
}

/// Where one partition's reading goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextPosition<'a> {
    /// The topic.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// One past the last record answered.
    pub offset: i64,
}

/// The request that commits `offsets` in the transaction of `producer`.
pub(crate) fn txn_offset_commit(
    transactional_id: &str,
    producer: Identity,
    offsets: &Offsets<'_>,
) -> TxnOffsetCommitRequest {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let mut topics: Vec<TxnOffsetCommitRequestTopic> = Vec::new();
    for next in offsets.positions {
        let partition = TxnOffsetCommitRequestPartition::default()
            .with_partition_index(next.partition)
            .with_committed_offset(next.offset)
            .with_committed_leader_epoch(-1)
            .with_committed_metadata(Some(StrBytes::new()));
        match topics.iter_mut().find(|topic| **topic.name == *next.topic) {
            Some(topic) => topic.partitions.push(partition),
            None => topics.push(
                TxnOffsetCommitRequestTopic::default()
                    .with_name(TopicName(text(next.topic)))
                    .with_partitions(vec![partition]),
            ),
        }
    }
    TxnOffsetCommitRequest::default()
        .with_transactional_id(TransactionalId(text(transactional_id)))
        .with_group_id(GroupId(text(offsets.group)))
        .with_producer_id(ProducerId(producer.id))
        .with_producer_epoch(producer.epoch)
        .with_generation_id(offsets.generation)
        .with_member_id(text(offsets.member_id))
        .with_group_instance_id(offsets.group_instance_id.map(text))
        .with_topics(topics)
}
