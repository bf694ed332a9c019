//! Committed offsets.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    OffsetFetchRequest, OffsetFetchResponse, TopicName, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
};
use tokio::time::Instant;

use super::{produce, text, transactions};
use crate::dispatch::Call;
use crate::group::{CommittedOffset, Group, Members, Membership};
use crate::journal::Entry;
use crate::node::{Node, code, storage};
use crate::transactions::{Producer, State};

/// The version of TxnOffsetCommit from which on a client knows `TRANSACTION_ABORTABLE`.
const FIRST_WITH_ABORTABLE: i16 = 4;

/// The version of TxnOffsetCommit that belongs to transactions v2: it takes the group into the
/// transaction.
const FIRST_THAT_ADDS: i16 = 5;

/// Kafka's `offset.metadata.max.bytes`.
const LONGEST_METADATA: usize = 4096;

/// What a client wants committed of one topic: partitions with their offsets.
type Offered = (TopicName, Vec<(i32, CommittedOffset)>);

/// What became of it: partitions with their error codes.
type Answered = (TopicName, Vec<(i32, i16)>);

/// Where committed offsets go.
#[derive(Clone, Copy)]
enum Destination<'a> {
    /// Into the group, at once.
    Group(&'a str),
    /// Into the group when the producer's transaction is committed.
    Transaction { producer_id: i64, group: &'a str },
}

impl Destination<'_> {
    /// Stores what is `allowed` and well formed, all of it or nothing.
    fn take(
        self,
        node: &mut Node,
        allowed: Result<(), ResponseError>,
        offered: Vec<Offered>,
    ) -> Vec<Answered> {
        let mut accepted = Vec::new();
        let mut outcomes = Vec::with_capacity(offered.len());
        for (topic, partitions) in offered {
            let mut of_topic = Vec::with_capacity(partitions.len());
            for (number, offset) in partitions {
                let outcome = allowed.and_then(|()| check_offset(node, &topic, number, &offset));
                if outcome.is_ok() {
                    accepted.push((topic.to_string(), number, offset));
                }
                of_topic.push((number, outcome));
            }
            outcomes.push((topic, of_topic));
        }
        let stored = self.store(node, accepted);
        let answered = |(number, outcome): (i32, Result<(), ResponseError>)| {
            (number, code(&outcome.and(stored)))
        };
        let answer = |(topic, of_topic): (TopicName, Vec<_>)| {
            (topic, of_topic.into_iter().map(answered).collect())
        };
        outcomes.into_iter().map(answer).collect()
    }

    /// The journal first: what is not in it must not be seen.
    fn store(
        self,
        node: &mut Node,
        accepted: Vec<(String, i32, CommittedOffset)>,
    ) -> Result<(), ResponseError> {
        if accepted.is_empty() {
            return Ok(());
        }
        let entries: Vec<Entry> = accepted.iter().cloned().map(|one| self.entry(one)).collect();
        node.record(&entries).map_err(storage)?;
        for (topic, partition, offset) in accepted {
            let at = (topic, partition);
            match self {
                Self::Group(group) => node.groups.get_or_create(group).offsets.commit(at, offset),
                Self::Transaction { producer_id, group } => {
                    node.groups.pending.add(producer_id, group, at, offset);
                }
            }
        }
        Ok(())
    }

    fn entry(self, (topic, partition, offset): (String, i32, CommittedOffset)) -> Entry {
        match self {
            Self::Group(group) => {
                Entry::Offset { group: group.to_owned(), topic, partition, offset }
            }
            Self::Transaction { producer_id, group } => Entry::PendingOffset {
                producer_id,
                group: group.to_owned(),
                topic,
                partition,
                offset,
            },
        }
    }
}

/// Commits a member's offsets.
pub(crate) fn commit(
    node: &mut Node,
    call: &Call,
    request: OffsetCommitRequest,
) -> OffsetCommitResponse {
    let group_id = request.group_id.as_str();
    let who = Membership {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id_or_member_epoch,
    };
    let allowed = check_commit(node, group_id, who, call.version);
    let offered = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let offset = CommittedOffset {
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition.committed_metadata.as_deref().unwrap_or_default().to_owned(),
            };
            (partition.partition_index, offset)
        });
        (topic.name.clone(), partitions.collect())
    });
    let topics = Destination::Group(group_id).take(node, allowed, offered.collect());
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(number, error)| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(number)
                .with_error_code(error)
        });
        OffsetCommitResponseTopic::default().with_name(name).with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn check_offset(
    node: &Node,
    topic: &TopicName,
    partition: i32,
    offset: &CommittedOffset,
) -> Result<(), ResponseError> {
    node.partition(topic, partition)?;
    if offset.metadata.len() > LONGEST_METADATA {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    Ok(())
}

fn check_commit(
    node: &mut Node,
    group_id: &str,
    who: Membership<'_>,
    version: i16,
) -> Result<(), ResponseError> {
    if group_id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    let unknown = match who.generation {
        ..0 => Ok(()),
        _ if version >= 9 => Err(ResponseError::GroupIdNotFound),
        _ => Err(ResponseError::IllegalGeneration),
    };
    match node.groups.get_mut(group_id).map(|group| &mut group.members) {
        None => unknown,
        Some(Members::None) if who.generation < 0 => Ok(()),
        Some(Members::None) => Err(ResponseError::UnknownMemberId),
        Some(Members::Classic(group)) => {
            group.check_commit(who, false)?;
            group.committed(who.member_id, Instant::now());
            Ok(())
        }
        Some(Members::Consumer(group)) => {
            let has_members = !group.is_empty();
            group.check_commit(who.member_id, who.generation, false)?;
            // Older versions have no word for a member epoch that went by.
            if has_members && version < 9 {
                return Err(ResponseError::UnsupportedVersion);
            }
            Ok(())
        }
    }
}

/// Takes offsets into a transaction: they are committed when it is.
pub(crate) fn commit_in_transaction(
    node: &mut Node,
    call: &Call,
    request: TxnOffsetCommitRequest,
) -> TxnOffsetCommitResponse {
    let allowed = check_transactional_commit(node, call.version, &request);
    let offered = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let offset = CommittedOffset {
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition.committed_metadata.as_deref().unwrap_or_default().to_owned(),
            };
            (partition.partition_index, offset)
        });
        (topic.name.clone(), partitions.collect())
    });
    let (producer_id, group) = (request.producer_id.0, request.group_id.as_str());
    let destination = Destination::Transaction { producer_id, group };
    let topics = destination.take(node, allowed, offered.collect());
    let topics = topics.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(number, error)| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(number)
                .with_error_code(error)
        });
        TxnOffsetCommitResponseTopic::default()
            .with_name(name)
            .with_partitions(partitions.collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

fn check_transactional_commit(
    node: &mut Node,
    version: i16,
    request: &TxnOffsetCommitRequest,
) -> Result<(), ResponseError> {
    let group_id = request.group_id.as_str();
    if group_id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let id = request.transactional_id.as_str();
    if version >= FIRST_THAT_ADDS {
        transactions::extend(node, id, producer, Vec::new(), Some(group_id), false)?;
    } else {
        let owned = node.transactions.owned(id, producer);
        let transaction = owned.map_err(|stranger| stranger.answer(false))?;
        if transaction.state != State::Ongoing || !transaction.groups.contains(group_id) {
            let knows_abortable = version >= FIRST_WITH_ABORTABLE;
            return Err(produce::word_for(ResponseError::InvalidTxnState, knows_abortable));
        }
    }
    let who = Membership {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let names_nobody = who.generation < 0 && who.member_id.is_empty() && who.instance_id.is_none();
    match node.groups.get(group_id).map(|group| &group.members) {
        None | Some(Members::None) if who.generation < 0 => Ok(()),
        None => Err(ResponseError::IllegalGeneration),
        Some(Members::None) => Err(ResponseError::UnknownMemberId),
        Some(Members::Classic(group)) => group.check_commit(who, true),
        Some(Members::Consumer(group)) => {
            group.check_commit(who.member_id, who.generation, names_nobody).map_err(|error| {
                // The request has no newer word for it.
                let is_stale = error == ResponseError::StaleMemberEpoch;
                if is_stale { ResponseError::IllegalGeneration } else { error }
            })
        }
    }
}

/// What a client asks of one group: some topics with their partitions, or everything.
type Asked<'a> = Option<Vec<(&'a TopicName, &'a [i32])>>;

/// One partition's answer: number, offset, leader epoch, metadata, error.
type Fetched = (i32, CommittedOffset, i16);

/// Reads committed offsets.
pub(crate) fn fetch(
    node: &mut Node,
    call: &Call,
    request: OffsetFetchRequest,
) -> OffsetFetchResponse {
    if call.version < 8 {
        let asked: Asked<'_> = request.topics.as_ref().map(|topics| {
            topics.iter().map(|topic| (&topic.name, topic.partition_indexes.as_slice())).collect()
        });
        let topics = fetched(node, &request.group_id, &asked, request.require_stable);
        let topics = topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(number, found, error)| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(number)
                    .with_committed_offset(found.offset)
                    .with_committed_leader_epoch(if call.version >= 5 {
                        found.leader_epoch
                    } else {
                        -1
                    })
                    .with_metadata(Some(text(found.metadata)))
                    .with_error_code(error)
            });
            OffsetFetchResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        return OffsetFetchResponse::default().with_topics(topics.collect());
    }
    let groups = request.groups.iter().map(|group| {
        let response = OffsetFetchResponseGroup::default().with_group_id(group.group_id.clone());
        let member = group.member_id.as_deref().unwrap_or_default();
        let allowed = check_fetch(node.groups.get(&group.group_id), member, group.member_epoch);
        if let Err(error) = allowed {
            return response.with_error_code(error.code());
        }
        let asked: Asked<'_> = group.topics.as_ref().map(|topics| {
            topics.iter().map(|topic| (&topic.name, topic.partition_indexes.as_slice())).collect()
        });
        let topics = fetched(node, &group.group_id, &asked, request.require_stable);
        let topics = topics.into_iter().map(|(name, partitions)| {
            let partitions = partitions.into_iter().map(|(number, found, error)| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(number)
                    .with_committed_offset(found.offset)
                    .with_committed_leader_epoch(found.leader_epoch)
                    .with_metadata(Some(text(found.metadata)))
                    .with_error_code(error)
            });
            OffsetFetchResponseTopics::default()
                .with_name(name)
                .with_partitions(partitions.collect())
        });
        response.with_topics(topics.collect())
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

/// A member that says who it is has to be one, and up to date.
fn check_fetch(group: Option<&Group>, member: &str, epoch: i32) -> Result<(), ResponseError> {
    if member.is_empty() && epoch < 0 {
        return Ok(());
    }
    match group.map(|group| &group.members) {
        Some(Members::Consumer(group)) => group.check_commit(member, epoch, false),
        Some(Members::None | Members::Classic(_)) => Ok(()),
        None => Err(ResponseError::GroupIdNotFound),
    }
}

fn fetched(
    node: &Node,
    group_id: &str,
    asked: &Asked<'_>,
    require_stable: bool,
) -> Vec<(TopicName, Vec<Fetched>)> {
    let group = node.groups.get(group_id);
    let find = |topic: &str, number: i32| {
        let nothing = CommittedOffset { offset: -1, leader_epoch: -1, metadata: String::new() };
        if require_stable && node.groups.pending.is_unstable(group_id, topic, number) {
            return (number, nothing, ResponseError::UnstableOffsetCommit.code());
        }
        let found = group.and_then(|group| group.offsets.get(topic, number)).cloned();
        (number, found.unwrap_or(nothing), 0)
    };
    if let Some(asked) = asked {
        return asked
            .iter()
            .map(|(name, numbers)| {
                ((*name).clone(), numbers.iter().map(|number| find(name, *number)).collect())
            })
            .collect();
    }
    let mut all: Vec<(TopicName, Vec<Fetched>)> = Vec::new();
    for ((topic, number), _) in group.iter().flat_map(|group| group.offsets.iter()) {
        let found = find(topic, *number);
        match all.last_mut().filter(|(name, _)| name.as_str() == topic) {
            Some((_, partitions)) => partitions.push(found),
            None => all.push((TopicName(text(topic.clone())), vec![found])),
        }
    }
    all
}

/// Deletes committed offsets of topics nobody is subscribed to.
pub(crate) fn delete(
    node: &mut Node,
    _call: &Call,
    request: OffsetDeleteRequest,
) -> OffsetDeleteResponse {
    let group_id = request.group_id.as_str();
    let Some(group) = node.groups.get(group_id) else {
        let error = ResponseError::GroupIdNotFound.code();
        return OffsetDeleteResponse::default().with_error_code(error);
    };
    let consumes = match &group.members {
        Members::Classic(classic) => {
            group.is_empty() || classic.protocol_type.as_deref() == Some("consumer")
        }
        Members::None | Members::Consumer(_) => true,
    };
    if !consumes {
        let error = ResponseError::NonEmptyGroup.code();
        return OffsetDeleteResponse::default().with_error_code(error);
    }
    let mut topics = Vec::new();
    for topic in &request.topics {
        let partitions = topic.partitions.iter().map(|partition| {
            let number = partition.partition_index;
            let outcome = delete_one(node, group_id, &topic.name, number);
            OffsetDeleteResponsePartition::default()
                .with_partition_index(number)
                .with_error_code(code(&outcome))
        });
        topics.push(
            OffsetDeleteResponseTopic::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect()),
        );
    }
    OffsetDeleteResponse::default().with_topics(topics)
}

fn delete_one(
    node: &mut Node,
    group_id: &str,
    topic: &str,
    partition: i32,
) -> Result<(), ResponseError> {
    node.partition(topic, partition)?;
    let group = node.groups.get_mut(group_id).ok_or(ResponseError::GroupIdNotFound)?;
    let subscribed = match &group.members {
        Members::None => false,
        Members::Classic(classic) => classic.is_subscribed(topic),
        Members::Consumer(consumer) => consumer.is_subscribed(topic),
    };
    if subscribed {
        return Err(ResponseError::GroupSubscribedToTopic);
    }
    if group.offsets.remove(topic, partition) {
        let (group, topic) = (group_id.to_owned(), topic.to_owned());
        node.record(&[Entry::OffsetDeleted { group, topic, partition }]).map_err(storage)?;
    }
    Ok(())
}
