//! Producers' identities and transactions.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddOffsetsToTxnResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, DescribeProducersRequest, DescribeProducersResponse,
    DescribeTransactionsRequest, DescribeTransactionsResponse, EndTxnRequest, EndTxnResponse,
    InitProducerIdRequest, InitProducerIdResponse, ListTransactionsRequest,
    ListTransactionsResponse, ProducerId, TopicName, TransactionalId,
    describe_transactions_response, list_transactions_response,
};

use super::text;
use crate::dispatch::Call;
use crate::log::batch::Marker;
use crate::node::{Node, code, storage};
use crate::transactions::{
    Ending, MAX_TIMEOUT_MS, Producer, State, TopicPartition, Transaction, Transactions,
};
use crate::upkeep::now_ms;

/// The version of EndTxn that belongs to transactions v2: every ending bumps the epoch.
const FIRST_WITH_BUMP: i16 = 5;

/// Gives a producer its identity, fencing whoever had its transactional id before.
pub(crate) fn initialise(
    node: &mut Node,
    call: &Call,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let response = InitProducerIdResponse::default();
    match initialised(node, &request) {
        Ok(producer) => {
            response.with_producer_id(ProducerId(producer.id)).with_producer_epoch(producer.epoch)
        }
        Err(error) => {
            let is_new_word = error == ResponseError::ProducerFenced && call.version < 4;
            let known = if is_new_word { ResponseError::InvalidProducerEpoch } else { error };
            response
                .with_error_code(known.code())
                .with_producer_id(ProducerId(-1))
                .with_producer_epoch(-1)
        }
    }
}

fn initialised(
    node: &mut Node,
    request: &InitProducerIdRequest,
) -> Result<Producer, ResponseError> {
    let fresh = node.fresh_producer_id().map_err(storage)?;
    let Some(id) = &request.transactional_id else {
        return Ok(Producer { id: fresh, epoch: 0 });
    };
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest);
    }
    if !(1..=MAX_TIMEOUT_MS).contains(&request.transaction_timeout_ms) {
        return Err(ResponseError::InvalidTransactionTimeout);
    }
    let claimed = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let claimed = Some(claimed).filter(|claimed| claimed.id >= 0);
    let open = node
        .transactions
        .by_id
        .get(id.as_str())
        .filter(|transaction| transaction.state == State::Ongoing)
        .map(|transaction| claimed.is_none_or(|claimed| claimed == transaction.producer()));
    match open {
        Some(true) if claimed.is_none() => {
            node.fence_and_abort(id, now_ms()).map_err(storage)?;
        }
        Some(true) => end_transaction(node, id, Marker::Abort)?,
        Some(false) => return Err(ResponseError::ProducerFenced),
        None => {}
    }
    let timeout_ms = request.transaction_timeout_ms;
    let producer = node.transactions.initialise(id, timeout_ms, claimed, || fresh)?;
    node.record_transaction(id).map_err(storage)?;
    Ok(producer)
}

/// Takes partitions into a transaction; all or none.
pub(crate) fn add_partitions(
    node: &mut Node,
    call: &Call,
    request: AddPartitionsToTxnRequest,
) -> AddPartitionsToTxnResponse {
    let wanted: Vec<TopicPartition> = request
        .v3_and_below_topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|number| (topic.name.to_string(), *number)))
        .collect();
    let unknown = |(topic, number): &TopicPartition| node.partition(topic, *number).is_err();
    let outcome: Box<dyn Fn(&TopicPartition) -> i16> = if wanted.iter().any(unknown) {
        let missing: Vec<TopicPartition> =
            wanted.iter().filter(|partition| unknown(partition)).cloned().collect();
        Box::new(move |partition| {
            if missing.contains(partition) {
                ResponseError::UnknownTopicOrPartition.code()
            } else {
                ResponseError::OperationNotAttempted.code()
            }
        })
    } else {
        let producer = Producer {
            id: request.v3_and_below_producer_id.0,
            epoch: request.v3_and_below_producer_epoch,
        };
        let id = request.v3_and_below_transactional_id.as_str();
        let added = extend(node, id, producer, wanted, None, call.version >= 2);
        let outcome = code(&added);
        Box::new(move |_| outcome)
    };
    let results = request.v3_and_below_topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|number| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(*number)
                .with_partition_error_code(outcome(&(topic.name.to_string(), *number)))
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(partitions.collect())
    });
    AddPartitionsToTxnResponse::default().with_results_by_topic_v3_and_below(results.collect())
}

/// Takes partitions and a group into a transaction, beginning it if need be.
pub(super) fn extend(
    node: &mut Node,
    id: &str,
    producer: Producer,
    partitions: Vec<TopicPartition>,
    group: Option<&str>,
    knows_fenced: bool,
) -> Result<(), ResponseError> {
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest);
    }
    let transaction =
        node.transactions.owned(id, producer).map_err(|stranger| stranger.answer(knows_fenced))?;
    if transaction.state.decided().is_some() {
        return Err(ResponseError::ConcurrentTransactions);
    }
    if Transactions::add(transaction, partitions, group, now_ms()) {
        node.record_transaction(id).map_err(storage)?;
    }
    Ok(())
}

/// Takes a group's offsets into a transaction.
pub(crate) fn add_offsets(
    node: &mut Node,
    call: &Call,
    request: AddOffsetsToTxnRequest,
) -> AddOffsetsToTxnResponse {
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let group = Some(request.group_id.as_str());
    let id = request.transactional_id.as_str();
    let outcome = extend(node, id, producer, Vec::new(), group, call.version >= 2);
    AddOffsetsToTxnResponse::default().with_error_code(code(&outcome))
}

/// Commits or aborts.
pub(crate) fn end(node: &mut Node, call: &Call, request: EndTxnRequest) -> EndTxnResponse {
    let producer = Producer { id: request.producer_id.0, epoch: request.producer_epoch };
    let marker = if request.committed { Marker::Commit } else { Marker::Abort };
    let id = request.transactional_id.as_str();
    let response = EndTxnResponse::default();
    if call.version >= FIRST_WITH_BUMP {
        return match end_and_bump(node, id, producer, marker) {
            Ok(next) => {
                response.with_producer_id(ProducerId(next.id)).with_producer_epoch(next.epoch)
            }
            Err(error) => response.with_error_code(error.code()),
        };
    }
    let outcome = node
        .transactions
        .owned(id, producer)
        .map_err(|stranger| stranger.answer(call.version >= 2))
        .map(|_| ())
        .and_then(|()| end_transaction(node, id, marker));
    response.with_error_code(code(&outcome))
}

/// Ends a transaction as transactions v2 have it; returns the producer's next identity.
fn end_and_bump(
    node: &mut Node,
    id: &str,
    producer: Producer,
    marker: Marker,
) -> Result<Producer, ResponseError> {
    if id.is_empty() {
        return Err(ResponseError::InvalidRequest);
    }
    let is_exhausted = node.transactions.by_id.get(id).is_some_and(Transaction::is_exhausted);
    let fresh_id = is_exhausted.then(|| node.fresh_producer_id()).transpose().map_err(storage)?;
    match node.transactions.end_and_bump(id, producer, marker, fresh_id)? {
        Ending::AlreadyEnded => {}
        Ending::Mark => {
            node.record_transaction(id).map_err(storage)?;
            node.complete_transaction(id, marker, now_ms()).map_err(storage)?;
        }
    }
    Ok(node.transactions.by_id[id].producer())
}

/// Decides, writes the decision down, and carries it out.
fn end_transaction(node: &mut Node, id: &str, marker: Marker) -> Result<(), ResponseError> {
    let transaction =
        node.transactions.by_id.get_mut(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
    match Transactions::end(transaction, marker)? {
        Ending::AlreadyEnded => Ok(()),
        Ending::Mark => {
            node.record_transaction(id).map_err(storage)?;
            node.complete_transaction(id, marker, now_ms()).map_err(storage)
        }
    }
}

/// The producers that write to partitions.
pub(crate) fn describe_producers(
    node: &mut Node,
    _call: &Call,
    request: DescribeProducersRequest,
) -> DescribeProducersResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|number| {
            let found = node.partition(topic.name.as_str(), *number);
            let response = PartitionResponse::default()
                .with_partition_index(*number)
                .with_error_code(code(&found));
            let Ok(partition) = found else { return response };
            let producers = partition.producers().iter().map(|(id, state)| {
                ProducerState::default()
                    .with_producer_id(ProducerId(id))
                    .with_producer_epoch(i32::from(state.epoch))
                    .with_last_sequence(state.last_sequence())
                    .with_last_timestamp(state.last_timestamp)
                    .with_coordinator_epoch(0)
                    .with_current_txn_start_offset(state.open_since.unwrap_or(-1))
            });
            response.with_active_producers(producers.collect())
        });
        TopicResponse::default().with_name(topic.name.clone()).with_partitions(partitions.collect())
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

/// What transactional ids are doing.
pub(crate) fn describe(
    node: &mut Node,
    _call: &Call,
    request: DescribeTransactionsRequest,
) -> DescribeTransactionsResponse {
    let states = request.transactional_ids.iter().map(|id| {
        let response = describe_transactions_response::TransactionState::default()
            .with_transactional_id(id.clone());
        let Some(transaction) = node.transactions.by_id.get(id.as_str()) else {
            return response.with_error_code(ResponseError::TransactionalIdNotFound.code());
        };
        let mut topics: Vec<describe_transactions_response::TopicData> = Vec::new();
        for (topic, number) in &transaction.partitions {
            match topics.last_mut().filter(|last| last.topic.as_str() == topic) {
                Some(last) => last.partitions.push(*number),
                None => topics.push(
                    describe_transactions_response::TopicData::default()
                        .with_topic(TopicName(text(topic.clone())))
                        .with_partitions(vec![*number]),
                ),
            }
        }
        let is_ongoing = transaction.state == State::Ongoing;
        response
            .with_transaction_state(text(transaction.state.name()))
            .with_transaction_timeout_ms(transaction.timeout_ms)
            .with_transaction_start_time_ms(if is_ongoing { transaction.started_ms } else { -1 })
            .with_producer_id(ProducerId(transaction.producer_id))
            .with_producer_epoch(transaction.epoch)
            .with_topics(topics)
    });
    DescribeTransactionsResponse::default().with_transaction_states(states.collect())
}

/// All transactional ids, or those in some states or of some producers.
pub(crate) fn list(
    node: &mut Node,
    _call: &Call,
    request: ListTransactionsRequest,
) -> ListTransactionsResponse {
    let now = now_ms();
    let states = node
        .transactions
        .by_id
        .iter()
        .filter(|(_, transaction)| {
            let name = transaction.state.name();
            let running = now.saturating_sub(transaction.started_ms);
            (request.state_filters.is_empty()
                || request.state_filters.iter().any(|state| state.as_str() == name))
                && (request.producer_id_filters.is_empty()
                    || request.producer_id_filters.contains(&ProducerId(transaction.producer_id)))
                && (request.duration_filter < 0 || running >= request.duration_filter)
        })
        .map(|(id, transaction)| {
            list_transactions_response::TransactionState::default()
                .with_transactional_id(TransactionalId(text(id.clone())))
                .with_producer_id(ProducerId(transaction.producer_id))
                .with_transaction_state(text(transaction.state.name()))
        });
    ListTransactionsResponse::default().with_transaction_states(states.collect())
}
