//! Fetch: what is there at once, or what comes within the time the client waits.

use std::rc::Rc;
use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::FetchPartition;
use kafka_protocol::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use kafka_protocol::messages::{FetchRequest, FetchResponse, ProducerId};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

use crate::dispatch::Call;
use crate::log::batch::LEADER_EPOCH;
use crate::log::{Isolation, Slice};
use crate::node::{Node, storage};
use crate::server::Shared;

/// The most one answer carries beyond its first batch. Clients allow tens of megabytes, which
/// would all be in memory at once.
const LARGEST_ANSWER: usize = 2 * 1024 * 1024;

/// What a first look found.
struct Found {
    response: FetchResponse,
    bytes: usize,
    /// Something the client has to hear at once.
    has_error: bool,
}

/// Answers when there is enough, when time is up, or when something is wrong.
pub(crate) async fn fetch(shared: &Shared, _call: &Call, request: FetchRequest) -> FetchResponse {
    let patience = u64::try_from(request.max_wait_ms).unwrap_or(0);
    let deadline = Instant::now() + Duration::from_millis(patience);
    let enough = usize::try_from(request.min_bytes).unwrap_or(0);
    let is_empty = request.topics.iter().all(|topic| topic.partitions.is_empty());
    let more = Rc::new(Notify::new());
    let mut last_look = patience == 0 || is_empty;
    loop {
        let found = {
            let node = shared.borrow();
            let found = look(&node, &request);
            if !last_look {
                wait_for_more(&node, &request, &more);
            }
            found
        };
        if found.bytes >= enough || found.has_error || last_look {
            return found.response;
        }
        last_look = timeout_at(deadline, more.notified()).await.is_err();
    }
}

fn isolation(request: &FetchRequest) -> Isolation {
    match request.isolation_level {
        1 => Isolation::ReadCommitted,
        _ => Isolation::ReadUncommitted,
    }
}

fn wait_for_more(node: &Node, request: &FetchRequest, more: &Rc<Notify>) {
    for topic in &request.topics {
        for wanted in &topic.partitions {
            if let Ok(partition) = node.partition(topic.topic.as_str(), wanted.partition) {
                partition.wait(more, isolation(request));
            }
        }
    }
}

fn look(node: &Node, request: &FetchRequest) -> Found {
    let mut room = usize::try_from(request.max_bytes).unwrap_or(0).min(LARGEST_ANSWER);
    let (mut bytes, mut has_error) = (0, false);
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for wanted in &topic.partitions {
            let name = topic.topic.as_str();
            let outcome = read(node, name, wanted, room, bytes == 0, isolation(request));
            let data = match outcome {
                Ok((slice, data)) => {
                    bytes += slice.records.len();
                    room = room.saturating_sub(slice.records.len());
                    with_slice(data, slice, isolation(request))
                }
                Err(error) => {
                    has_error = true;
                    refused(wanted.partition, error.code())
                }
            };
            partitions.push(data);
        }
        topics.push(
            FetchableTopicResponse::default()
                .with_topic(topic.topic.clone())
                .with_partitions(partitions),
        );
    }
    Found { response: FetchResponse::default().with_responses(topics), bytes, has_error }
}

/// Reads one partition. The first batch of an answer is sent whatever its size.
fn read(
    node: &Node,
    topic: &str,
    wanted: &FetchPartition,
    room: usize,
    is_first: bool,
    isolation: Isolation,
) -> Result<(Slice, PartitionData), ResponseError> {
    let partition = node.partition(topic, wanted.partition)?;
    check_epoch(wanted.current_leader_epoch)?;
    let (start, end) = (partition.log_start(), partition.next_offset());
    if wanted.fetch_offset < start || wanted.fetch_offset > end {
        return Err(ResponseError::OffsetOutOfRange);
    }
    let most = usize::try_from(wanted.partition_max_bytes).unwrap_or(0).min(room);
    let is_full = most == 0 && !is_first;
    let mut slice = if is_full {
        Slice::default()
    } else {
        partition.read(wanted.fetch_offset, most, isolation).map_err(storage)?
    };
    if slice.records.len() > most && !is_first {
        slice = Slice::default();
    }
    let data = PartitionData::default()
        .with_partition_index(wanted.partition)
        .with_high_watermark(end)
        .with_last_stable_offset(partition.last_stable())
        .with_log_start_offset(start);
    Ok((slice, data))
}

/// Compares the epoch a client believes in with the only one there is.
pub(crate) fn check_epoch(current: i32) -> Result<(), ResponseError> {
    // An older epoch than the first there cannot be.
    if current > LEADER_EPOCH { Err(ResponseError::UnknownLeaderEpoch) } else { Ok(()) }
}

fn with_slice(data: PartitionData, slice: Slice, isolation: Isolation) -> PartitionData {
    let aborted = slice.aborted.iter().map(|aborted| {
        AbortedTransaction::default()
            .with_producer_id(ProducerId(aborted.producer_id))
            .with_first_offset(aborted.first_offset)
    });
    let aborted = match isolation {
        Isolation::ReadCommitted => Some(aborted.collect()),
        Isolation::ReadUncommitted => None,
    };
    data.with_aborted_transactions(aborted).with_records(Some(slice.records))
}

/// The answer for a partition that cannot be read.
pub(crate) fn refused(partition: i32, code: i16) -> PartitionData {
    PartitionData::default()
        .with_partition_index(partition)
        .with_error_code(code)
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_aborted_transactions(None)
        .with_records(Some(bytes::Bytes::new()))
}
