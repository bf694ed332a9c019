//! Topics: creation, growth, deletion, and of records.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    TopicName,
};
use uuid::Uuid;

use super::{NODE_ID, text};
use crate::dispatch::Call;
use crate::node::{Node, code, storage};
use crate::topic_config::{KEYS, TopicConfig};

/// Why something was refused: the code, and what there is to say about it.
type Refusal = (ResponseError, String);

/// More partitions than this in one topic are a mistake here.
const MOST_PARTITIONS: i32 = 10_000;

/// Kafka's rule for topic names.
pub(crate) fn is_valid_name(name: &str) -> bool {
    let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty()
        && name.len() <= 249
        && name != "."
        && name != ".."
        && name.bytes().all(is_legal)
}

/// Creates topics.
pub(crate) fn create(
    node: &mut Node,
    _call: &Call,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let twice = request.topics.iter().filter(|other| other.name == topic.name).count() > 1;
        let response = CreatableTopicResult::default().with_name(topic.name.clone());
        let outcome = if twice {
            Err((ResponseError::InvalidRequest, "Duplicate topic name.".to_owned()))
        } else {
            create_one(node, topic, request.validate_only)
        };
        topics.push(match outcome {
            Ok((id, partitions, config)) => response
                .with_topic_id(id)
                .with_num_partitions(partitions)
                .with_replication_factor(1)
                .with_configs(Some(described(&config))),
            Err((error, message)) => response
                .with_error_code(error.code())
                .with_error_message(Some(text(message)))
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_configs(Some(Vec::new())),
        });
    }
    CreateTopicsResponse::default().with_topics(topics)
}

fn described(config: &TopicConfig) -> Vec<CreatableTopicConfigs> {
    let configs = KEYS.iter().map(|key| {
        let (value, is_set) = config.value(key.name);
        CreatableTopicConfigs::default()
            .with_name(text(key.name))
            .with_value(Some(text(value)))
            .with_config_source(super::configs::source(is_set))
    });
    configs.collect()
}

fn create_one(
    node: &mut Node,
    topic: &CreatableTopic,
    validate_only: bool,
) -> Result<(Uuid, i32, TopicConfig), Refusal> {
    let name = topic.name.as_str();
    if !is_valid_name(name) {
        let message = format!("Topic name is invalid: '{name}'");
        return Err((ResponseError::InvalidTopicException, message));
    }
    if node.topics.contains_key(name) {
        let message = format!("Topic '{name}' already exists.");
        return Err((ResponseError::TopicAlreadyExists, message));
    }
    let partitions = partition_count(topic)?;
    let mut overrides = BTreeMap::new();
    for config in &topic.configs {
        let Some(value) = &config.value else {
            let message =
                format!("Null value not supported for topic configs: {}", config.name.as_str());
            return Err((ResponseError::InvalidConfig, message));
        };
        overrides.insert(config.name.to_string(), value.to_string());
    }
    let config =
        TopicConfig::new(overrides).map_err(|problem| (ResponseError::InvalidConfig, problem))?;
    let id = if validate_only {
        Uuid::nil()
    } else {
        let created = node.create_topic(name, partitions, config.clone()).map_err(storage);
        created.map_err(|error| (error, error.to_string()))?
    };
    Ok((id, partitions, config))
}

fn partition_count(topic: &CreatableTopic) -> Result<i32, Refusal> {
    if topic.assignments.is_empty() {
        if topic.num_partitions == 0 || topic.num_partitions < -1 {
            let message = "Number of partitions must be larger than 0, or -1 to use the default \
                           value.";
            return Err((ResponseError::InvalidPartitions, message.to_owned()));
        }
        if topic.num_partitions > MOST_PARTITIONS {
            let message = format!("more than {MOST_PARTITIONS} partitions");
            return Err((ResponseError::InvalidPartitions, message));
        }
        if topic.replication_factor == 0 || topic.replication_factor < -1 {
            let message = "Replication factor must be larger than 0, or -1 to use the default \
                           value.";
            return Err((ResponseError::InvalidReplicationFactor, message.to_owned()));
        }
        if topic.replication_factor > 1 {
            let message = format!(
                "Unable to replicate the partition {} time(s): The target replication factor of \
                 {0} cannot be reached because only 1 broker(s) are registered.",
                topic.replication_factor
            );
            return Err((ResponseError::InvalidReplicationFactor, message));
        }
        return Ok(if topic.num_partitions == -1 { 1 } else { topic.num_partitions });
    }
    if topic.num_partitions != -1 || topic.replication_factor != -1 {
        let message = "A manual partition assignment was specified, but numPartitions or \
                       replicationFactor was not set to -1.";
        return Err((ResponseError::InvalidRequest, message.to_owned()));
    }
    let mut numbers: Vec<i32> = topic.assignments.iter().map(|a| a.partition_index).collect();
    numbers.sort_unstable();
    let consecutive = numbers.iter().zip(0..).all(|(number, expected)| *number == expected);
    let all_here = topic.assignments.iter().all(|assigned| assigned.broker_ids == [NODE_ID]);
    if !consecutive || !all_here {
        let message = "partitions must be numbered from 0 and placed on node 1";
        return Err((ResponseError::InvalidReplicaAssignment, message.to_owned()));
    }
    Ok(i32::try_from(numbers.len()).unwrap_or(i32::MAX))
}

/// Deletes topics, by name or by id.
pub(crate) fn delete(
    node: &mut Node,
    call: &Call,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let by_name = request.topic_names.iter().map(|name| (Some(name.clone()), Uuid::nil()));
    let by_state = request.topics.iter().map(|topic| (topic.name.clone(), topic.topic_id));
    let asked: Vec<(Option<TopicName>, Uuid)> =
        if call.version < 6 { by_name.collect() } else { by_state.collect() };
    let responses = asked.into_iter().map(|(name, id)| {
        let response = DeletableTopicResult::default();
        let found = match &name {
            Some(name) => node
                .topics
                .get(name.as_str())
                .map(|topic| (name.to_string(), topic.id))
                .ok_or(ResponseError::UnknownTopicOrPartition),
            None => node
                .topic_names
                .get(&id)
                .map(|name| (name.clone(), id))
                .ok_or(ResponseError::UnknownTopicId),
        };
        match found.and_then(|(found, id)| {
            node.delete_topic(&found).map_err(storage)?;
            Ok((found, id))
        }) {
            Ok((found, id)) => response.with_name(Some(TopicName(text(found)))).with_topic_id(id),
            Err(error) => response
                .with_name(name)
                .with_topic_id(id)
                .with_error_code(error.code())
                .with_error_message(Some(text(error.to_string()))),
        }
    });
    DeleteTopicsResponse::default().with_responses(responses.collect())
}

/// Adds partitions to topics.
pub(crate) fn create_partitions(
    node: &mut Node,
    _call: &Call,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let results = request.topics.iter().map(|topic| {
        let outcome = grow(node, topic, request.validate_only);
        let response = CreatePartitionsTopicResult::default().with_name(topic.name.clone());
        match outcome {
            Ok(()) => response,
            Err((error, message)) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    });
    CreatePartitionsResponse::default().with_results(results.collect())
}

fn grow(
    node: &mut Node,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refusal> {
    let name = topic.name.as_str();
    let present = match node.topics.get(name) {
        Some(topic) => i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX),
        None => {
            let error = ResponseError::UnknownTopicOrPartition;
            return Err((error, error.to_string()));
        }
    };
    if topic.count <= present || topic.count > MOST_PARTITIONS {
        let message = format!(
            "The topic {name} currently has {present} partition(s); {} would not be an increase.",
            topic.count
        );
        return Err((ResponseError::InvalidPartitions, message));
    }
    if let Some(assignments) = &topic.assignments {
        let added = usize::try_from(topic.count - present).unwrap_or(0);
        let all_here = assignments.iter().all(|assigned| assigned.broker_ids == [NODE_ID]);
        if assignments.len() != added || !all_here {
            let message = "one replica on node 1 is needed for each new partition".to_owned();
            return Err((ResponseError::InvalidReplicaAssignment, message));
        }
    }
    if validate_only {
        return Ok(());
    }
    let grown = node.grow_topic(name, topic.count).map_err(storage);
    grown.map_err(|error| (error, error.to_string()))
}

/// Deletes the records before an offset.
pub(crate) fn delete_records(
    node: &mut Node,
    _call: &Call,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let mut topics = Vec::with_capacity(request.topics.len());
    for topic in &request.topics {
        let partitions = topic.partitions.iter().map(|asked| {
            let outcome = truncate(node, &topic.name, asked.partition_index, asked.offset);
            DeleteRecordsPartitionResult::default()
                .with_partition_index(asked.partition_index)
                .with_low_watermark(outcome.unwrap_or(-1))
                .with_error_code(code(&outcome))
        });
        topics.push(
            DeleteRecordsTopicResult::default()
                .with_name(topic.name.clone())
                .with_partitions(partitions.collect()),
        );
    }
    DeleteRecordsResponse::default().with_topics(topics)
}

fn truncate(node: &mut Node, topic: &str, number: i32, offset: i64) -> Result<i64, ResponseError> {
    let (partition, config) = node.partition_mut(topic, number)?;
    if !config.delete {
        return Err(ResponseError::PolicyViolation);
    }
    let offset = if offset == -1 { partition.next_offset() } else { offset };
    if offset < 0 || offset > partition.next_offset() {
        return Err(ResponseError::OffsetOutOfRange);
    }
    if offset > partition.log_start() {
        node.advance_log_start(topic, number, offset).map_err(storage)?;
    }
    node.partition(topic, number).map(|partition| partition.log_start())
}
