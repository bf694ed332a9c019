//! Members of groups that speak the protocol of KIP-848.

use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse, TopicName, consumer_group_describe_response,
    consumer_group_heartbeat_response,
};
use tokio::time::Instant;

use super::{owned, text};
use crate::dispatch::Call;
use crate::group::{Assignment, ConsumerGroup, Heartbeat, Members, Reconciled, Subscribable};
use crate::node::Node;

/// The assignors that go by these names place partitions alike.
const ASSIGNORS: [&str; 2] = ["uniform", "range"];

/// Takes a heartbeat and answers with what the member should hold.
pub(crate) fn heartbeat(
    node: &mut Node,
    call: &Call,
    request: ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    let interval = node.group_timing.heartbeat_interval.as_millis();
    let response = ConsumerGroupHeartbeatResponse::default();
    match reconciled(node, call, &request) {
        Ok(reconciled) => response
            .with_member_id(Some(text(reconciled.member_id)))
            .with_member_epoch(reconciled.epoch)
            .with_heartbeat_interval_ms(i32::try_from(interval).unwrap_or(i32::MAX))
            .with_assignment(reconciled.assignment.as_ref().map(told)),
        Err(error) => {
            response.with_error_code(error.code()).with_error_message(Some(text(error.to_string())))
        }
    }
}

fn reconciled(
    node: &mut Node,
    call: &Call,
    request: &ConsumerGroupHeartbeatRequest,
) -> Result<Reconciled, ResponseError> {
    if request.group_id.is_empty() || request.member_epoch < -2 {
        return Err(ResponseError::InvalidRequest);
    }
    if request.subscribed_topic_regex.as_ref().is_some_and(|regex| !regex.is_empty()) {
        return Err(ResponseError::InvalidRegularExpression);
    }
    let assignor = request.server_assignor.as_deref();
    if assignor.is_some_and(|name| !ASSIGNORS.contains(&name)) {
        return Err(ResponseError::UnsupportedAssignor);
    }
    if request.member_epoch != 0 && node.groups.get(&request.group_id).is_none() {
        return Err(ResponseError::GroupIdNotFound);
    }
    let held = request.topic_partitions.as_ref().map(|topics| {
        let topics = topics.iter();
        topics.map(|t| (t.topic_id, t.partitions.iter().copied().collect())).collect()
    });
    let beat = Heartbeat {
        member_id: request.member_id.to_string(),
        epoch: request.member_epoch,
        instance_id: owned(request.instance_id.as_ref()),
        client_id: call.client_id.clone(),
        client_host: call.client_host.clone(),
        rebalance_timeout: u64::try_from(request.rebalance_timeout_ms)
            .ok()
            .map(Duration::from_millis),
        topics: request
            .subscribed_topic_names
            .as_ref()
            .map(|names| names.iter().map(|name| name.to_string()).collect()),
        held,
    };
    let subscribable: Subscribable = node
        .topics
        .iter()
        .map(|(name, topic)| {
            let count = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
            (name.clone(), (topic.id, count))
        })
        .collect();
    let session_timeout = node.group_timing.session_timeout;
    let group = node.groups.consumer(&request.group_id).ok_or(ResponseError::GroupIdNotFound)?;
    group.heartbeat(&beat, &subscribable, session_timeout, Instant::now())
}

fn told(assignment: &Assignment) -> consumer_group_heartbeat_response::Assignment {
    let topics = assignment.iter().map(|(id, partitions)| {
        consumer_group_heartbeat_response::TopicPartitions::default()
            .with_topic_id(*id)
            .with_partitions(partitions.iter().copied().collect())
    });
    consumer_group_heartbeat_response::Assignment::default().with_topic_partitions(topics.collect())
}

/// Groups and their members.
pub(crate) fn describe(
    node: &mut Node,
    _call: &Call,
    request: ConsumerGroupDescribeRequest,
) -> ConsumerGroupDescribeResponse {
    let groups = request.group_ids.iter().map(|id| {
        let response =
            consumer_group_describe_response::DescribedGroup::default().with_group_id(id.clone());
        match node.groups.get(id).map(|group| &group.members) {
            Some(Members::Consumer(group)) => described(node, response, group),
            Some(Members::None | Members::Classic(_)) | None => response
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(text(format!("Group {} not found.", id.as_str())))),
        }
    });
    ConsumerGroupDescribeResponse::default().with_groups(groups.collect())
}

fn described(
    node: &Node,
    response: consumer_group_describe_response::DescribedGroup,
    group: &ConsumerGroup,
) -> consumer_group_describe_response::DescribedGroup {
    let named = |assignment: &Assignment| {
        let topics = assignment.iter().map(|(id, partitions)| {
            let name = node.topic_names.get(id).cloned().unwrap_or_default();
            consumer_group_describe_response::TopicPartitions::default()
                .with_topic_id(*id)
                .with_topic_name(TopicName(text(name)))
                .with_partitions(partitions.iter().copied().collect())
        });
        consumer_group_describe_response::Assignment::default()
            .with_topic_partitions(topics.collect())
    };
    let members = group.members.iter().map(|(id, member)| {
        let target = group.target.get(id).cloned().unwrap_or_default();
        let topics = member.topics.iter().map(|name| TopicName(text(name.clone())));
        consumer_group_describe_response::Member::default()
            .with_member_id(text(id.clone()))
            .with_instance_id(member.instance_id.clone().map(text))
            .with_member_epoch(member.epoch)
            .with_client_id(text(member.client_id.clone()))
            .with_client_host(text(member.client_host.clone()))
            .with_subscribed_topic_names(topics.collect())
            .with_assignment(named(&member.assigned))
            .with_target_assignment(named(&target))
    });
    response
        .with_group_state(text(group.state_name()))
        .with_group_epoch(group.epoch)
        .with_assignment_epoch(group.target_epoch)
        .with_assignor_name(text(ASSIGNORS[0]))
        .with_members(members.collect())
}
