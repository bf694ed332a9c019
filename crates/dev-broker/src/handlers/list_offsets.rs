//! Offsets by time and by leader epoch.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::list_offsets_request::ListOffsetsPartition;
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    ListOffsetsRequest, ListOffsetsResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse,
};

use super::fetch::check_epoch;
use crate::dispatch::Call;
use crate::log::batch::LEADER_EPOCH;
use crate::log::{Isolation, TimestampedOffset};
use crate::node::{Node, storage};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;

/// What was found: an offset, its timestamp, and whether there is an epoch to tell.
type Answer = Result<Option<TimestampedOffset>, ResponseError>;

/// The offsets at points in time.
pub(crate) fn list(
    node: &mut Node,
    call: &Call,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let isolation = match request.isolation_level {
        1 => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    };
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let response =
                ListOffsetsPartitionResponse::default().with_partition_index(asked.partition_index);
            match find(node, topic.name.as_str(), asked, isolation) {
                Ok(Some(found)) => response
                    .with_offset(found.offset)
                    .with_timestamp(found.timestamp)
                    .with_leader_epoch(if call.version >= 4 { LEADER_EPOCH } else { -1 }),
                Ok(None) => response,
                Err(error) => response.with_error_code(error.code()),
            }
        });
        ListOffsetsTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn find(node: &Node, topic: &str, asked: &ListOffsetsPartition, isolation: Isolation) -> Answer {
    let partition = node.partition(topic, asked.partition_index)?;
    check_epoch(asked.current_leader_epoch)?;
    let at = |offset| Ok(Some(TimestampedOffset { offset, timestamp: -1 }));
    match asked.timestamp {
        LATEST => at(partition.end(isolation)),
        EARLIEST => at(partition.log_start()),
        MAX_TIMESTAMP => partition.offset_of_max_timestamp().map_err(storage),
        timestamp if timestamp < 0 => Err(ResponseError::UnsupportedVersion),
        timestamp => partition.offset_for_time(timestamp, isolation).map_err(storage),
    }
}

/// Where a leader epoch ended. There is only one, and it has not.
pub(crate) fn for_epoch(
    node: &mut Node,
    _call: &Call,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|asked| {
            let response = EpochEndOffset::default().with_partition(asked.partition);
            let found = check_epoch(asked.current_leader_epoch)
                .and_then(|()| node.partition(topic.topic.as_str(), asked.partition));
            match found {
                Ok(partition) if asked.leader_epoch == LEADER_EPOCH => response
                    .with_leader_epoch(LEADER_EPOCH)
                    .with_end_offset(partition.next_offset()),
                Ok(_) => response.with_leader_epoch(-1).with_end_offset(-1),
                Err(error) => {
                    response.with_error_code(error.code()).with_leader_epoch(-1).with_end_offset(-1)
                }
            }
        });
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic.clone())
            .with_partitions(partitions.collect())
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}
