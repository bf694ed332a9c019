//! Configurations: of topics to read and change, of the broker to read.

use std::collections::BTreeMap;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::alter_configs_response::AlterConfigsResourceResponse;
use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use kafka_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    incremental_alter_configs_request, incremental_alter_configs_response,
};

use super::{NODE_ID, text};
use crate::dispatch::Call;
use crate::node::{Node, storage};
use crate::topic_config::{KEYS, Kind, TopicConfig};

const TOPIC: i8 = 2;
const BROKER: i8 = 4;

const SET_ON_TOPIC: i8 = 1;
const DEFAULT: i8 = 5;

type Refusal = (ResponseError, String);

/// Kafka's number for where a value comes from.
pub(crate) fn source(is_set: bool) -> i8 {
    if is_set { SET_ON_TOPIC } else { DEFAULT }
}

fn kind_number(kind: Kind) -> i8 {
    match kind {
        Kind::Boolean => 1,
        Kind::Text => 2,
        Kind::Int => 3,
        Kind::Long => 5,
        Kind::Double => 6,
        Kind::List => 7,
    }
}

/// Values in force, and where they come from.
pub(crate) fn describe(
    node: &mut Node,
    _call: &Call,
    request: DescribeConfigsRequest,
) -> DescribeConfigsResponse {
    let results = request.resources.iter().map(|resource| {
        let response = DescribeConfigsResult::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match described(node, resource, request.include_synonyms) {
            Ok(configs) => response.with_configs(configs),
            Err((error, message)) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    });
    DescribeConfigsResponse::default().with_results(results.collect())
}

fn described(
    node: &Node,
    resource: &DescribeConfigsResource,
    with_synonyms: bool,
) -> Result<Vec<DescribeConfigsResourceResult>, Refusal> {
    let wanted = |name: &str| {
        let keys = resource.configuration_keys.as_ref();
        keys.is_none_or(|keys| keys.is_empty() || keys.iter().any(|key| key.as_str() == name))
    };
    match resource.resource_type {
        TOPIC => {
            let config = topic_config(node, &resource.resource_name)?;
            let keys = KEYS.iter().filter(|key| wanted(key.name));
            Ok(keys
                .map(|key| {
                    let (value, is_set) = config.value(key.name);
                    let mut synonyms = Vec::new();
                    if with_synonyms && is_set {
                        synonyms.push(synonym(key.name, &value, SET_ON_TOPIC));
                    }
                    if with_synonyms {
                        synonyms.push(synonym(key.name, key.default, DEFAULT));
                    }
                    DescribeConfigsResourceResult::default()
                        .with_name(text(key.name))
                        .with_value(Some(text(value)))
                        .with_config_source(source(is_set))
                        .with_config_type(kind_number(key.kind))
                        .with_synonyms(synonyms)
                })
                .collect())
        }
        BROKER if resource.resource_name.as_str() == NODE_ID.0.to_string() => {
            let known = [
                ("auto.create.topics.enable", "false"),
                ("broker.id", "1"),
                ("node.id", "1"),
                ("transaction.max.timeout.ms", "900000"),
            ];
            let known = known.iter().filter(|(name, _)| wanted(name));
            Ok(known
                .map(|(name, value)| {
                    DescribeConfigsResourceResult::default()
                        .with_name(text(*name))
                        .with_value(Some(text(*value)))
                        .with_read_only(true)
                        .with_config_source(DEFAULT)
                })
                .collect())
        }
        BROKER if resource.resource_name.is_empty() => Ok(Vec::new()),
        other => Err(unsupported(other)),
    }
}

fn synonym(name: &str, value: &str, source: i8) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym::default()
        .with_name(text(name))
        .with_value(Some(text(value)))
        .with_source(source)
}

fn unsupported(resource_type: i8) -> Refusal {
    let message = format!("resources of type `{resource_type}` have no configuration here");
    (ResponseError::InvalidRequest, message)
}

fn topic_config<'a>(node: &'a Node, name: &str) -> Result<&'a TopicConfig, Refusal> {
    if !super::topics::is_valid_name(name) {
        let error = ResponseError::InvalidTopicException;
        return Err((error, format!("Topic name is invalid: '{name}'")));
    }
    let error = ResponseError::UnknownTopicOrPartition;
    let topic = node.topics.get(name).ok_or_else(|| (error, error.to_string()))?;
    Ok(&topic.config)
}

/// Replaces the whole configuration of topics.
pub(crate) fn replace(
    node: &mut Node,
    _call: &Call,
    request: AlterConfigsRequest,
) -> AlterConfigsResponse {
    let responses = request.resources.iter().map(|resource| {
        let changes = resource.configs.iter().map(|config| match &config.value {
            Some(value) => Ok((config.name.to_string(), value.to_string())),
            None => {
                Err((ResponseError::InvalidConfig, format!("{} is null", config.name.as_str())))
            }
        });
        let outcome = changes.collect::<Result<BTreeMap<_, _>, _>>().and_then(|overrides| {
            let (kind, name) = (resource.resource_type, &resource.resource_name);
            apply(node, kind, name, |_| Ok(overrides), request.validate_only)
        });
        let response = AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match outcome {
            Ok(()) => response,
            Err((error, message)) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    });
    AlterConfigsResponse::default().with_responses(responses.collect())
}

/// Changes single values of topics.
pub(crate) fn alter(
    node: &mut Node,
    _call: &Call,
    request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let responses = request.resources.iter().map(|resource| {
        let (kind, name) = (resource.resource_type, &resource.resource_name);
        let change = |overrides: BTreeMap<String, String>| changed(overrides, &resource.configs);
        let outcome = apply(node, kind, name, change, request.validate_only);
        let response = incremental_alter_configs_response::AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone());
        match outcome {
            Ok(()) => response,
            Err((error, message)) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        }
    });
    IncrementalAlterConfigsResponse::default().with_responses(responses.collect())
}

/// Sets, deletes, appends to and subtracts from values, as operations 0 to 3 say.
fn changed(
    mut overrides: BTreeMap<String, String>,
    changes: &[incremental_alter_configs_request::AlterableConfig],
) -> Result<BTreeMap<String, String>, Refusal> {
    for change in changes {
        let name = change.name.to_string();
        let value = change.value.as_deref().unwrap_or_default();
        let listed = |overrides: &BTreeMap<String, String>| -> Vec<String> {
            let default = crate::topic_config::key(&name).map_or("", |key| key.default);
            let present = overrides.get(&name).map_or(default, String::as_str);
            present.split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
        };
        match change.config_operation {
            0 => drop(overrides.insert(name, value.to_owned())),
            1 => drop(overrides.remove(&name)),
            2 => {
                let mut parts = listed(&overrides);
                if !parts.iter().any(|part| part == value) {
                    parts.push(value.to_owned());
                }
                overrides.insert(name, parts.join(","));
            }
            3 => {
                let mut parts = listed(&overrides);
                parts.retain(|part| part != value);
                overrides.insert(name, parts.join(","));
            }
            other => {
                let message = format!("unknown operation `{other}`");
                return Err((ResponseError::InvalidRequest, message));
            }
        }
    }
    Ok(overrides)
}

fn apply(
    node: &mut Node,
    resource_type: i8,
    name: &str,
    change: impl FnOnce(BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal>,
    validate_only: bool,
) -> Result<(), Refusal> {
    if resource_type != TOPIC {
        return Err(unsupported(resource_type));
    }
    let present = topic_config(node, name)?.overrides().clone();
    let config = TopicConfig::new(change(present)?)
        .map_err(|problem| (ResponseError::InvalidConfig, problem))?;
    if validate_only {
        return Ok(());
    }
    let stored = node.configure_topic(name, config).map_err(storage);
    stored.map_err(|error| (error, error.to_string()))
}
