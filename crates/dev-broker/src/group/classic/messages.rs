//! What members ask and are told.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;

/// A request to join.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    /// Name and metadata, the preferred first.
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// Newer clients are given a member id before they are let in.
    pub(crate) requires_known_id: bool,
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) metadata: Bytes,
}

/// The answer to a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinReply {
    pub(crate) error: Option<ResponseError>,
    pub(crate) member_id: String,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: String,
    /// All members, for the leader only.
    pub(crate) members: Vec<JoinedMember>,
}

impl JoinReply {
    pub(crate) fn refused(error: ResponseError, member_id: &str) -> JoinReply {
        JoinReply {
            error: Some(error),
            member_id: member_id.to_owned(),
            generation: -1,
            protocol_type: None,
            protocol: None,
            leader: String::new(),
            members: Vec::new(),
        }
    }
}

/// A request for the assignment; the leader's brings everybody's.
#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) assignments: Vec<(String, Bytes)>,
}

/// Protocol type, protocol and assignment.
pub(crate) type SyncReply = Result<(Option<String>, Option<String>, Bytes), ResponseError>;

/// Who a request says it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Membership<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) generation: i32,
}
