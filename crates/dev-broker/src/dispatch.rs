//! From the bytes of a request to the bytes of its answer.

use bytes::{BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AlterConfigsRequest, ApiKey,
    ApiVersionsRequest, ConsumerGroupDescribeRequest, ConsumerGroupHeartbeatRequest,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteGroupsRequest, DeleteRecordsRequest,
    DeleteTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest, DescribeGroupsRequest,
    DescribeProducersRequest, DescribeTransactionsRequest, EndTxnRequest, FetchRequest,
    FindCoordinatorRequest, HeartbeatRequest, IncrementalAlterConfigsRequest,
    InitProducerIdRequest, JoinGroupRequest, LeaveGroupRequest, ListGroupsRequest,
    ListOffsetsRequest, ListTransactionsRequest, MetadataRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest, OffsetForLeaderEpochRequest, ProduceRequest,
    ResponseHeader, SyncGroupRequest, TxnOffsetCommitRequest,
};
use kafka_protocol::protocol::Encodable;

use crate::guard::{self, Malformed};
use crate::handlers::{
    classic_groups, cluster, configs, consumer_groups, fetch, group_admin, list_offsets, offsets,
    produce, topics, transactions,
};
use crate::refusal::Refuse;
use crate::server::Shared;

/// A request without its body.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) api: ApiKey,
    pub(crate) version: i16,
    /// False only for a version of ApiVersions that is too new.
    pub(crate) is_supported: bool,
    pub(crate) correlation_id: i32,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    /// Set by a test: answer with this error instead of handling the request.
    pub(crate) forced_error: Option<i16>,
}

/// Handles a request that borrows the state once and never waits.
macro_rules! at_once {
    ($shared:ident, $call:ident, $body:ident, $request:ty, $handler:path) => {{
        let request: $request = guard::decode($body, $call.version)?;
        let response = match $call.forced_error {
            Some(code) => request.refuse(code),
            None => $handler(&mut $shared.borrow_mut(), $call, request),
        };
        encode($call, &response).map(Some)
    }};
}

/// Handles a request that may have to wait for others.
macro_rules! in_time {
    ($shared:ident, $call:ident, $body:ident, $request:ty, $handler:path) => {{
        let request: $request = guard::decode($body, $call.version)?;
        let response = match $call.forced_error {
            Some(code) => request.refuse(code),
            None => $handler($shared, $call, request).await,
        };
        encode($call, &response).map(Some)
    }};
}

/// Answers one request; nothing for a produce request that wants no answer.
#[expect(clippy::wildcard_enum_match_arm, reason = "the version table names every key once")]
pub(crate) async fn answer(
    shared: &Shared,
    call: &Call,
    body: Bytes,
) -> Result<Option<BytesMut>, Malformed> {
    use ApiKey as Api;
    match call.api {
        Api::ApiVersions => answer_versions(shared, call, body).map(Some),
        Api::Produce => answer_produce(shared, call, body),
        Api::Fetch => in_time!(shared, call, body, FetchRequest, fetch::fetch),
        Api::JoinGroup => in_time!(shared, call, body, JoinGroupRequest, classic_groups::join),
        Api::SyncGroup => in_time!(shared, call, body, SyncGroupRequest, classic_groups::sync),
        Api::Heartbeat => {
            at_once!(shared, call, body, HeartbeatRequest, classic_groups::heartbeat)
        }
        Api::LeaveGroup => at_once!(shared, call, body, LeaveGroupRequest, classic_groups::leave),
        Api::ConsumerGroupHeartbeat => {
            at_once!(shared, call, body, ConsumerGroupHeartbeatRequest, consumer_groups::heartbeat)
        }
        Api::OffsetCommit => at_once!(shared, call, body, OffsetCommitRequest, offsets::commit),
        Api::OffsetFetch => at_once!(shared, call, body, OffsetFetchRequest, offsets::fetch),
        Api::TxnOffsetCommit => {
            at_once!(shared, call, body, TxnOffsetCommitRequest, offsets::commit_in_transaction)
        }
        Api::InitProducerId => {
            at_once!(shared, call, body, InitProducerIdRequest, transactions::initialise)
        }
        Api::AddPartitionsToTxn => {
            at_once!(shared, call, body, AddPartitionsToTxnRequest, transactions::add_partitions)
        }
        Api::AddOffsetsToTxn => {
            at_once!(shared, call, body, AddOffsetsToTxnRequest, transactions::add_offsets)
        }
        Api::EndTxn => at_once!(shared, call, body, EndTxnRequest, transactions::end),
        Api::ListOffsets => {
            at_once!(shared, call, body, ListOffsetsRequest, list_offsets::list)
        }
        Api::OffsetForLeaderEpoch => {
            at_once!(shared, call, body, OffsetForLeaderEpochRequest, list_offsets::for_epoch)
        }
        Api::Metadata => at_once!(shared, call, body, MetadataRequest, cluster::metadata),
        Api::FindCoordinator => {
            at_once!(shared, call, body, FindCoordinatorRequest, cluster::find_coordinator)
        }
        Api::DescribeCluster => {
            at_once!(shared, call, body, DescribeClusterRequest, cluster::describe)
        }
        _ => answer_admin(shared, call, body),
    }
}

/// Answers the requests of those who administer.
#[expect(clippy::wildcard_enum_match_arm, reason = "the version table names every key once")]
fn answer_admin(shared: &Shared, call: &Call, body: Bytes) -> Result<Option<BytesMut>, Malformed> {
    use ApiKey as Api;
    match call.api {
        Api::CreateTopics => at_once!(shared, call, body, CreateTopicsRequest, topics::create),
        Api::DeleteTopics => at_once!(shared, call, body, DeleteTopicsRequest, topics::delete),
        Api::CreatePartitions => {
            at_once!(shared, call, body, CreatePartitionsRequest, topics::create_partitions)
        }
        Api::DeleteRecords => {
            at_once!(shared, call, body, DeleteRecordsRequest, topics::delete_records)
        }
        Api::DescribeConfigs => {
            at_once!(shared, call, body, DescribeConfigsRequest, configs::describe)
        }
        Api::AlterConfigs => at_once!(shared, call, body, AlterConfigsRequest, configs::replace),
        Api::IncrementalAlterConfigs => {
            at_once!(shared, call, body, IncrementalAlterConfigsRequest, configs::alter)
        }
        Api::OffsetDelete => at_once!(shared, call, body, OffsetDeleteRequest, offsets::delete),
        Api::ListGroups => at_once!(shared, call, body, ListGroupsRequest, group_admin::list),
        Api::DescribeGroups => {
            at_once!(shared, call, body, DescribeGroupsRequest, group_admin::describe)
        }
        Api::DeleteGroups => {
            at_once!(shared, call, body, DeleteGroupsRequest, group_admin::delete)
        }
        Api::ConsumerGroupDescribe => {
            at_once!(shared, call, body, ConsumerGroupDescribeRequest, consumer_groups::describe)
        }
        Api::DescribeProducers => {
            at_once!(shared, call, body, DescribeProducersRequest, transactions::describe_producers)
        }
        Api::DescribeTransactions => {
            at_once!(shared, call, body, DescribeTransactionsRequest, transactions::describe)
        }
        Api::ListTransactions => {
            at_once!(shared, call, body, ListTransactionsRequest, transactions::list)
        }
        other => Err(Malformed(format!("no handler for `{other:?}`"))),
    }
}

fn answer_produce(
    shared: &Shared,
    call: &Call,
    body: Bytes,
) -> Result<Option<BytesMut>, Malformed> {
    let request: ProduceRequest = guard::decode(body, call.version)?;
    let wants_answer = request.acks != 0;
    let response = match call.forced_error {
        Some(code) => request.refuse(code),
        None => produce::produce(&mut shared.borrow_mut(), call, request),
    };
    if !wants_answer {
        if produce::has_failed(&response) {
            // The only way to tell a producer that listens to nothing.
            return Err(Malformed("a produce request without acknowledgement failed".to_owned()));
        }
        return Ok(None);
    }
    encode(call, &response).map(Some)
}

/// Too new a version is answered in version 0, which every client can read.
fn answer_versions(shared: &Shared, call: &Call, body: Bytes) -> Result<BytesMut, Malformed> {
    if !call.is_supported {
        let response = cluster::unsupported_version();
        return encode(
            &Call { version: 0, client_id: String::new(), client_host: String::new(), ..*call },
            &response,
        );
    }
    let request: ApiVersionsRequest = guard::decode(body, call.version)?;
    let response = match call.forced_error {
        Some(code) => request.refuse(code),
        None => cluster::versions(&mut shared.borrow_mut(), call, request),
    };
    encode(call, &response)
}

fn encode<R: Encodable>(call: &Call, response: &R) -> Result<BytesMut, Malformed> {
    let broken = |error: &dyn std::fmt::Display| Malformed(format!("cannot answer: {error}"));
    let header = ResponseHeader::default().with_correlation_id(call.correlation_id);
    let header_version = call.api.response_header_version(call.version);
    let mut out = BytesMut::new();
    out.put_i32(0);
    header.encode(&mut out, header_version).map_err(|error| broken(&error))?;
    response.encode(&mut out, call.version).map_err(|error| broken(&error))?;
    let size = i32::try_from(out.len() - 4).map_err(|error| broken(&error))?;
    out[..4].copy_from_slice(&size.to_be_bytes());
    Ok(out)
}
