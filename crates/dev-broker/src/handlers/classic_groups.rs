//! Members of groups that speak the classic protocol.

use std::time::Duration;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest,
    LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::{owned, text};
use crate::dispatch::Call;
use crate::group::{ClassicGroup, Join, JoinReply, Members, Membership, Sync, SyncReply};
use crate::node::{Node, code};
use crate::server::Shared;

/// Kafka's `group.min.session.timeout.ms` and `group.max.session.timeout.ms`.
const SESSION_TIMEOUT_MS: std::ops::RangeInclusive<i32> = 6_000..=1_800_000;

/// Joins a group; waits for the other members.
pub(crate) async fn join(
    shared: &Shared,
    call: &Call,
    request: JoinGroupRequest,
) -> JoinGroupResponse {
    let member_id = request.member_id.to_string();
    let (reply, answer) = oneshot::channel();
    let started = start_join(&mut shared.borrow_mut(), call, request, reply);
    let outcome = match started {
        Ok(()) => answer.await.unwrap_or_else(|_| {
            JoinReply::refused(ResponseError::CoordinatorNotAvailable, &member_id)
        }),
        Err(error) => JoinReply::refused(error, &member_id),
    };
    // Until version 7 a protocol name cannot be absent.
    let protocol = outcome.protocol.or((call.version < 7).then(String::new));
    let members = outcome.members.into_iter().map(|member| {
        JoinGroupResponseMember::default()
            .with_member_id(text(member.member_id))
            .with_group_instance_id(member.instance_id.map(text))
            .with_metadata(member.metadata)
    });
    JoinGroupResponse::default()
        .with_error_code(outcome.error.map_or(0, |error| error.code()))
        .with_generation_id(outcome.generation)
        .with_protocol_type(outcome.protocol_type.map(text))
        .with_protocol_name(protocol.map(text))
        .with_leader(text(outcome.leader))
        .with_member_id(text(outcome.member_id))
        .with_members(members.collect())
}

fn start_join(
    node: &mut Node,
    call: &Call,
    request: JoinGroupRequest,
    reply: oneshot::Sender<JoinReply>,
) -> Result<(), ResponseError> {
    if request.group_id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    if !SESSION_TIMEOUT_MS.contains(&request.session_timeout_ms) {
        return Err(ResponseError::InvalidSessionTimeout);
    }
    let is_unknown = !request.member_id.is_empty() && node.groups.get(&request.group_id).is_none();
    if is_unknown {
        return Err(ResponseError::UnknownMemberId);
    }
    let millis = |value: i32| Duration::from_millis(u64::try_from(value).unwrap_or(0));
    let session_timeout = millis(request.session_timeout_ms);
    let rebalance_timeout = match request.rebalance_timeout_ms {
        given if given >= 0 && call.version >= 1 => millis(given),
        _ => session_timeout,
    };
    let join = Join {
        member_id: request.member_id.to_string(),
        instance_id: owned(request.group_instance_id.as_ref()),
        client_id: call.client_id.clone(),
        client_host: call.client_host.clone(),
        session_timeout,
        rebalance_timeout,
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .into_iter()
            .map(|protocol| (protocol.name.to_string(), protocol.metadata))
            .collect(),
        requires_known_id: call.version >= 4,
    };
    let group =
        node.groups.classic(&request.group_id).ok_or(ResponseError::InconsistentGroupProtocol)?;
    group.join(join, reply, Instant::now());
    Ok(())
}

/// Gets an assignment; waits for the leader's.
pub(crate) async fn sync(
    shared: &Shared,
    _call: &Call,
    request: SyncGroupRequest,
) -> SyncGroupResponse {
    let (reply, answer) = oneshot::channel();
    let started = start_sync(&mut shared.borrow_mut(), request, reply);
    let outcome = match started {
        Ok(()) => answer.await.unwrap_or(Err(ResponseError::CoordinatorNotAvailable)),
        Err(error) => Err(error),
    };
    let response = SyncGroupResponse::default().with_error_code(code(&outcome));
    match outcome {
        Ok((protocol_type, protocol, assignment)) => response
            .with_protocol_type(protocol_type.map(text))
            .with_protocol_name(protocol.map(text))
            .with_assignment(assignment),
        Err(_) => response,
    }
}

fn start_sync(
    node: &mut Node,
    request: SyncGroupRequest,
    reply: oneshot::Sender<SyncReply>,
) -> Result<(), ResponseError> {
    let group = existing(node, &request.group_id)?;
    let who = Membership {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let sync = Sync {
        protocol_type: owned(request.protocol_type.as_ref()),
        protocol: owned(request.protocol_name.as_ref()),
        assignments: request
            .assignments
            .into_iter()
            .map(|assigned| (assigned.member_id.to_string(), assigned.assignment))
            .collect(),
    };
    group.sync(who, sync, reply, Instant::now());
    Ok(())
}

fn existing<'a>(node: &'a mut Node, id: &str) -> Result<&'a mut ClassicGroup, ResponseError> {
    if id.is_empty() {
        return Err(ResponseError::InvalidGroupId);
    }
    match node.groups.get_mut(id).map(|group| &mut group.members) {
        Some(Members::Classic(group)) => Ok(group),
        Some(Members::None | Members::Consumer(_)) | None => Err(ResponseError::UnknownMemberId),
    }
}

/// Takes a sign of life.
pub(crate) fn heartbeat(
    node: &mut Node,
    _call: &Call,
    request: HeartbeatRequest,
) -> HeartbeatResponse {
    let who = Membership {
        member_id: &request.member_id,
        instance_id: request.group_instance_id.as_deref(),
        generation: request.generation_id,
    };
    let outcome =
        existing(node, &request.group_id).and_then(|group| group.heartbeat(who, Instant::now()));
    HeartbeatResponse::default().with_error_code(code(&outcome))
}

/// Lets members go.
pub(crate) fn leave(
    node: &mut Node,
    call: &Call,
    request: LeaveGroupRequest,
) -> LeaveGroupResponse {
    let group = match existing(node, &request.group_id) {
        Ok(group) => group,
        Err(error) => return LeaveGroupResponse::default().with_error_code(error.code()),
    };
    let now = Instant::now();
    if call.version < 3 {
        let outcome = group.leave(&request.member_id, None, now);
        return LeaveGroupResponse::default().with_error_code(code(&outcome));
    }
    let members = request.members.iter().map(|member| {
        let instance = member.group_instance_id.as_deref();
        let outcome = group.leave(&member.member_id, instance, now);
        MemberResponse::default()
            .with_member_id(member.member_id.clone())
            .with_group_instance_id(member.group_instance_id.clone())
            .with_error_code(code(&outcome))
    });
    LeaveGroupResponse::default().with_members(members.collect())
}
