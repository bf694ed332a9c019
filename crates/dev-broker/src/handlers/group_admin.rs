//! Groups as an administrator sees them.

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, ListGroupsRequest, ListGroupsResponse,
};

use super::text;
use crate::dispatch::Call;
use crate::group::{ClassicGroup, Members};
use crate::journal::Entry;
use crate::node::{Node, code, storage};

const CONSUMER: &str = "consumer";

/// All groups, or those in some states or of some types.
pub(crate) fn list(
    node: &mut Node,
    _call: &Call,
    request: ListGroupsRequest,
) -> ListGroupsResponse {
    let wanted = |filter: &[kafka_protocol::protocol::StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|name| name.eq_ignore_ascii_case(value))
    };
    let groups = node.groups.iter().filter(|(_, group)| {
        wanted(&request.states_filter, group.state_name())
            && wanted(&request.types_filter, group.type_name())
    });
    let groups = groups.map(|(id, group)| {
        let protocol_type = match &group.members {
            Members::None => String::new(),
            Members::Classic(classic) => classic.protocol_type.clone().unwrap_or_default(),
            Members::Consumer(_) => CONSUMER.to_owned(),
        };
        ListedGroup::default()
            .with_group_id(GroupId(text(id.clone())))
            .with_protocol_type(text(protocol_type))
            .with_group_state(text(group.state_name()))
            .with_group_type(text(group.type_name()))
    });
    ListGroupsResponse::default().with_groups(groups.collect())
}

/// Groups of the classic protocol with their members.
pub(crate) fn describe(
    node: &mut Node,
    _call: &Call,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let groups = request.groups.iter().map(|id| {
        let response = DescribedGroup::default().with_group_id(id.clone());
        match node.groups.get(id).map(|group| &group.members) {
            Some(Members::Classic(group)) => described(response, group),
            Some(Members::None) => response.with_group_state(text("Empty")),
            // Which is what a group of the other protocol is to this request.
            Some(Members::Consumer(_)) | None => response.with_group_state(text("Dead")),
        }
    });
    DescribeGroupsResponse::default().with_groups(groups.collect())
}

fn described(response: DescribedGroup, group: &ClassicGroup) -> DescribedGroup {
    let members = group.members().map(|(id, member, metadata)| {
        DescribedGroupMember::default()
            .with_member_id(text(id.clone()))
            .with_group_instance_id(member.instance_id.clone().map(text))
            .with_client_id(text(member.client_id.clone()))
            .with_client_host(text(member.client_host.clone()))
            .with_member_metadata(metadata)
            .with_member_assignment(member.assignment.clone())
    });
    response
        .with_group_state(text(group.state_name()))
        .with_protocol_type(text(group.protocol_type.clone().unwrap_or_default()))
        .with_protocol_data(text(group.protocol.clone().unwrap_or_default()))
        .with_members(members.collect())
}

/// Deletes groups that nobody is in.
pub(crate) fn delete(
    node: &mut Node,
    _call: &Call,
    request: DeleteGroupsRequest,
) -> DeleteGroupsResponse {
    let results = request.groups_names.iter().map(|id| {
        let outcome = delete_one(node, id);
        DeletableGroupResult::default().with_group_id(id.clone()).with_error_code(code(&outcome))
    });
    DeleteGroupsResponse::default().with_results(results.collect())
}

fn delete_one(node: &mut Node, id: &str) -> Result<(), ResponseError> {
    let group = node.groups.get(id).ok_or(ResponseError::GroupIdNotFound)?;
    if !group.is_empty() {
        return Err(ResponseError::NonEmptyGroup);
    }
    node.record(&[Entry::GroupDeleted { group: id.to_owned() }]).map_err(storage)?;
    node.groups.remove(id);
    Ok(())
}
