//! Produce: check, place, answer.

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_request::PartitionProduceData;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{ProduceRequest, ProduceResponse};

use super::{text, transactions};
use crate::dispatch::Call;
use crate::log::Admission;
use crate::log::batch::{self, BatchHeader};
use crate::log::records;
use crate::node::{Node, storage};
use crate::topic_config::TopicConfig;
use crate::transactions::Producer;
use crate::upkeep::now_ms;

/// The compression type that came with version 7.
const ZSTD: i16 = 4;

/// The version from which on a client knows `TRANSACTION_ABORTABLE`.
const FIRST_WITH_ABORTABLE: i16 = 11;

/// The version that belongs to transactions v2: writing to a partition takes it into the transaction.
const FIRST_THAT_ADDS: i16 = 12;

/// Where a batch went.
struct Placed {
    base_offset: i64,
    log_append_time_ms: i64,
    log_start: i64,
}

/// Appends one batch to each partition named.
pub(crate) fn produce(node: &mut Node, call: &Call, request: ProduceRequest) -> ProduceResponse {
    let transactional_id = request.transactional_id.as_ref().map(|id| id.to_string());
    let acks_are_valid = (-1..=1).contains(&request.acks);
    let mut added = Ok(());
    if acks_are_valid && call.version >= FIRST_THAT_ADDS {
        added = transactional_id.as_deref().map_or(Ok(()), |id| add(node, id, &request));
    }
    let added = &added;
    let mut responses = Vec::with_capacity(request.topic_data.len());
    for topic in request.topic_data {
        let answers = topic.partition_data.into_iter().map(|data| {
            let index = data.index;
            let outcome = if acks_are_valid {
                append(node, call, transactional_id.as_deref(), *added, topic.name.as_str(), data)
            } else {
                Err(ResponseError::InvalidRequiredAcks)
            };
            answer(index, outcome)
        });
        let answers = answers.collect();
        responses.push(
            TopicProduceResponse::default().with_name(topic.name).with_partition_responses(answers),
        );
    }
    ProduceResponse::default().with_responses(responses)
}

/// Whether any partition was refused.
pub(crate) fn has_failed(response: &ProduceResponse) -> bool {
    let mut answers = response.responses.iter().flat_map(|topic| &topic.partition_responses);
    answers.any(|answer| answer.error_code != 0)
}

fn answer(index: i32, outcome: Result<Placed, ResponseError>) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match outcome {
        Ok(placed) => response
            .with_base_offset(placed.base_offset)
            .with_log_append_time_ms(placed.log_append_time_ms)
            .with_log_start_offset(placed.log_start),
        Err(error) => response
            .with_error_code(error.code())
            .with_error_message(Some(text(error.to_string())))
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1),
    }
}

/// Takes the partitions that a request writes to into its transaction, unless they are in it.
fn add(node: &mut Node, id: &str, request: &ProduceRequest) -> Result<(), ResponseError> {
    let mut producer = None;
    let mut wanted = Vec::new();
    for topic in &request.topic_data {
        for data in &topic.partition_data {
            let Ok(partition) = node.partition(&topic.name, data.index) else { continue };
            let Some(header) = data.records.as_deref().and_then(BatchHeader::parse) else {
                continue;
            };
            let writer = Producer { id: header.producer_id, epoch: header.producer_epoch };
            if !header.is_transactional() || partition.producers().is_writing(writer) {
                continue;
            }
            if *producer.get_or_insert(writer) != writer {
                return Err(ResponseError::InvalidProducerIdMapping);
            }
            wanted.push((topic.name.to_string(), data.index));
        }
    }
    match producer {
        Some(producer) => transactions::extend(node, id, producer, wanted, None, false),
        None => Ok(()),
    }
}

fn append(
    node: &mut Node,
    call: &Call,
    transactional_id: Option<&str>,
    added: Result<(), ResponseError>,
    topic: &str,
    data: PartitionProduceData,
) -> Result<Placed, ResponseError> {
    let index = data.index;
    node.partition(topic, index)?;
    let bytes = data.records.unwrap_or_default();
    let header = batch::check_produced(&bytes)?;
    if header.compression() == ZSTD && call.version < 7 {
        return Err(ResponseError::UnsupportedCompressionType);
    }
    if header.is_transactional() {
        let id = transactional_id.ok_or(ResponseError::InvalidRecord)?;
        let producer = Producer { id: header.producer_id, epoch: header.producer_epoch };
        let producers = node.partition(topic, index)?.producers();
        if producers.is_fenced(producer) {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        if call.version < FIRST_THAT_ADDS {
            let written = node.transactions.check_write(id, producer, &(topic.to_owned(), index));
            written.map_err(|error| word_for(error, call.version >= FIRST_WITH_ABORTABLE))?;
        } else if !producers.is_writing(producer) {
            added?;
        }
    }
    let now_ms = now_ms();
    let (partition, config) = node.partition_mut(topic, index)?;
    check_limits(&bytes, &header, config, now_ms)?;
    let log_append_time_ms = if config.log_append_time { now_ms } else { -1 };
    let admission = if header.has_producer() {
        let begins_at_zero = header.is_transactional() && call.version >= FIRST_THAT_ADDS;
        partition.producers().check(&header, begins_at_zero)?
    } else {
        Admission::Append
    };
    let base_offset = match admission {
        Admission::Duplicate { base_offset } => base_offset,
        Admission::Append => partition.append(&bytes, config, now_ms).map_err(storage)?,
    };
    Ok(Placed { base_offset, log_append_time_ms, log_start: partition.log_start() })
}

/// What a client that is not in a transaction is told; newer ones know that they may abort.
pub(super) fn word_for(error: ResponseError, knows_abortable: bool) -> ResponseError {
    if error == ResponseError::InvalidTxnState && knows_abortable {
        ResponseError::TransactionAbortable
    } else {
        error
    }
}

/// The limits a topic sets: sizes, times, keys.
fn check_limits(
    bytes: &Bytes,
    header: &BatchHeader,
    config: &TopicConfig,
    now_ms: i64,
) -> Result<(), ResponseError> {
    if header.size > config.max_message_bytes {
        return Err(ResponseError::MessageTooLarge);
    }
    if header.size as u64 > config.segment_bytes {
        return Err(ResponseError::RecordListTooLarge);
    }
    let is_late = header.max_timestamp.saturating_sub(now_ms) > config.timestamp_after_max_ms;
    if !config.log_append_time && is_late {
        return Err(ResponseError::InvalidTimestamp);
    }
    if config.compact {
        let records = records::read(bytes).map_err(|_| ResponseError::InvalidRecord)?;
        if records.iter().any(|record| record.key.is_none()) {
            return Err(ResponseError::InvalidRecord);
        }
    }
    Ok(())
}
