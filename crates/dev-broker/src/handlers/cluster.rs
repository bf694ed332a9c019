//! Who is there: API versions, metadata, coordinators.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, DescribeClusterRequest,
    DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse, MetadataRequest,
    MetadataResponse, TopicName,
};
use uuid::Uuid;

use super::{NODE_ID, text};
use crate::dispatch::Call;
use crate::log::batch::LEADER_EPOCH;
use crate::node::{Node, Topic};
use crate::versions::SUPPORTED;

/// The version table, for a client that says what it is.
pub(crate) fn versions(
    node: &mut Node,
    call: &Call,
    request: ApiVersionsRequest,
) -> ApiVersionsResponse {
    let names = [&request.client_software_name, &request.client_software_version];
    if call.version >= 3 && !names.iter().all(|name| is_software_name(name)) {
        return ApiVersionsResponse::default()
            .with_error_code(ResponseError::InvalidRequest.code());
    }
    let level = node.transaction_version;
    let mut response = table().with_finalized_features_epoch(0).with_finalized_features(vec![
        FinalizedFeatureKey::default()
            .with_name(text(TRANSACTION_VERSION))
            .with_min_version_level(level)
            .with_max_version_level(level),
    ]);
    // Before version 4 a feature that may be off could not be told of.
    if call.version >= 4 {
        response = response.with_supported_features(vec![
            SupportedFeatureKey::default()
                .with_name(text(TRANSACTION_VERSION))
                .with_min_version(0)
                .with_max_version(2),
        ]);
    }
    response
}

/// The feature that says which transactions clients are to speak.
const TRANSACTION_VERSION: &str = "transaction.version";

/// Letters and digits, and between them also dots and hyphens.
fn is_software_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let is_outer = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = name.as_bytes();
    is_outer(bytes.first()) && is_outer(bytes.last()) && bytes.iter().copied().all(is_inner)
}

fn table() -> ApiVersionsResponse {
    let keys = SUPPORTED.iter().map(|(api, range)| {
        ApiVersion::default()
            .with_api_key(*api as i16)
            .with_min_version(*range.start())
            .with_max_version(*range.end())
    });
    ApiVersionsResponse::default().with_api_keys(keys.collect())
}

/// The answer to a version of ApiVersions that is too new: the one that is not.
pub(crate) fn unsupported_version() -> ApiVersionsResponse {
    let mut response = table().with_error_code(ResponseError::UnsupportedVersion.code());
    response.api_keys.retain(|key| key.api_key == ApiKey::ApiVersions as i16);
    response
}

/// Topics and where they are.
pub(crate) fn metadata(node: &mut Node, call: &Call, request: MetadataRequest) -> MetadataResponse {
    // In version 0 an empty list stands for all topics; later that is the absent list.
    let all = match &request.topics {
        None => true,
        Some(topics) => topics.is_empty() && call.version == 0,
    };
    let topics = if all {
        node.topics.iter().map(|(name, topic)| describe_topic(name, topic)).collect()
    } else {
        let asked = request.topics.iter().flatten();
        asked
            .map(|asked| match &asked.name {
                Some(name) => match node.topics.get(name.as_str()) {
                    Some(topic) => describe_topic(name.as_str(), topic),
                    None => unknown_name(name.as_str()),
                },
                None => match node.topic_names.get(&asked.topic_id) {
                    Some(name) => describe_topic(name, &node.topics[name]),
                    None => MetadataResponseTopic::default()
                        .with_error_code(ResponseError::UnknownTopicId.code())
                        .with_name(None)
                        .with_topic_id(asked.topic_id),
                },
            })
            .collect()
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(NODE_ID)
        .with_host(text(node.address.ip().to_string()))
        .with_port(i32::from(node.address.port()));
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(node.cluster_id.clone())))
        .with_controller_id(NODE_ID)
        .with_topics(topics)
}

fn unknown_name(name: &str) -> MetadataResponseTopic {
    let error = if super::topics::is_valid_name(name) {
        ResponseError::UnknownTopicOrPartition
    } else {
        ResponseError::InvalidTopicException
    };
    MetadataResponseTopic::default()
        .with_error_code(error.code())
        .with_name(Some(TopicName(text(name))))
        .with_topic_id(Uuid::nil())
}

fn describe_topic(name: &str, topic: &Topic) -> MetadataResponseTopic {
    let partitions = (0..topic.partitions.len()).map(|number| {
        MetadataResponsePartition::default()
            .with_partition_index(i32::try_from(number).unwrap_or(i32::MAX))
            .with_leader_id(NODE_ID)
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(vec![NODE_ID])
            .with_isr_nodes(vec![NODE_ID])
    });
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(name))))
        .with_topic_id(topic.id)
        .with_partitions(partitions.collect())
}

/// Always this node.
pub(crate) fn find_coordinator(
    node: &mut Node,
    call: &Call,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    let (host, port) = (text(node.address.ip().to_string()), i32::from(node.address.port()));
    let is_known_kind = (0..=1).contains(&request.key_type);
    let error = if is_known_kind { 0 } else { ResponseError::InvalidRequest.code() };
    if call.version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(error)
            .with_node_id(NODE_ID)
            .with_host(host)
            .with_port(port);
    }
    let coordinators = request.coordinator_keys.iter().map(|key| {
        Coordinator::default()
            .with_key(key.clone())
            .with_error_code(error)
            .with_node_id(NODE_ID)
            .with_host(host.clone())
            .with_port(port)
    });
    FindCoordinatorResponse::default().with_coordinators(coordinators.collect())
}

/// The cluster of one.
pub(crate) fn describe(
    node: &mut Node,
    _call: &Call,
    request: DescribeClusterRequest,
) -> DescribeClusterResponse {
    let broker = DescribeClusterBroker::default()
        .with_broker_id(NODE_ID)
        .with_host(text(node.address.ip().to_string()))
        .with_port(i32::from(node.address.port()));
    DescribeClusterResponse::default()
        .with_endpoint_type(request.endpoint_type)
        .with_cluster_id(text(node.cluster_id.clone()))
        .with_controller_id(NODE_ID)
        .with_brokers(vec![broker])
}
