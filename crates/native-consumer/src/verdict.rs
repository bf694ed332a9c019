//! What each error code of each request means for reading on: one table.

use kafka_protocol::ResponseError::{self, *};
use native_client::listed;

/// The requests of a fetcher that are answered with error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Who leads what.
    Metadata,
    /// Where a partition begins or ends.
    ListOffsets,
    /// Where a leader's time ended.
    OffsetForLeaderEpoch,
    /// The records.
    Fetch,
}

/// What to do about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Done,
    /// A passing trouble: the same again, later.
    Again,
    /// Asked in the wrong place, perhaps: find the leader, then the same again.
    Relocate,
    /// The position is not there: the configured reset, or the leader if a follower said so.
    Reset,
    /// Somebody has to change something. It is told, and tried again seldom.
    Refused,
}

/// What `code` means as the answer to `request`. What is not listed is told and tried again.
pub(crate) fn verdict(request: Request, code: i16) -> Verdict {
    if code == 0 {
        return Verdict::Done;
    }
    listed(TABLE, &request, code).unwrap_or(Verdict::Refused)
}

/// Every answer that is expected, request by request.
#[rustfmt::skip]
pub(crate) const TABLE: &[(Request, ResponseError, Verdict)] = &[
    (Request::Metadata, UnknownTopicOrPartition,              Verdict::Again),
    (Request::Metadata, LeaderNotAvailable,                   Verdict::Again),
    (Request::Metadata, ReplicaNotAvailable,                  Verdict::Again),
    (Request::Metadata, ListenerNotFound,                     Verdict::Again),
    (Request::Metadata, UnknownServerError,                   Verdict::Again),
    (Request::Metadata, TopicAuthorizationFailed,             Verdict::Refused),
    (Request::Metadata, InvalidTopicException,                Verdict::Refused),

    (Request::ListOffsets, OffsetNotAvailable,                Verdict::Again),
    (Request::ListOffsets, RequestTimedOut,                   Verdict::Again),
    (Request::ListOffsets, ThrottlingQuotaExceeded,           Verdict::Again),
    (Request::ListOffsets, UnknownServerError,                Verdict::Again),
    (Request::ListOffsets, UnknownTopicOrPartition,           Verdict::Relocate),
    (Request::ListOffsets, LeaderNotAvailable,                Verdict::Relocate),
    (Request::ListOffsets, NotLeaderOrFollower,               Verdict::Relocate),
    (Request::ListOffsets, ReplicaNotAvailable,               Verdict::Relocate),
    (Request::ListOffsets, FencedLeaderEpoch,                 Verdict::Relocate),
    (Request::ListOffsets, UnknownLeaderEpoch,                Verdict::Relocate),
    (Request::ListOffsets, KafkaStorageError,                 Verdict::Relocate),
    (Request::ListOffsets, TopicAuthorizationFailed,          Verdict::Refused),
    (Request::ListOffsets, UnsupportedForMessageFormat,       Verdict::Refused),

    (Request::OffsetForLeaderEpoch, OffsetNotAvailable,       Verdict::Again),
    (Request::OffsetForLeaderEpoch, UnknownServerError,       Verdict::Again),
    (Request::OffsetForLeaderEpoch, UnknownTopicOrPartition,  Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, LeaderNotAvailable,       Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, NotLeaderOrFollower,      Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, ReplicaNotAvailable,      Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, FencedLeaderEpoch,        Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, UnknownLeaderEpoch,       Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, KafkaStorageError,        Verdict::Relocate),
    (Request::OffsetForLeaderEpoch, TopicAuthorizationFailed, Verdict::Refused),

    (Request::Fetch, OffsetNotAvailable,                      Verdict::Again),
    (Request::Fetch, CorruptMessage,                          Verdict::Again),
    (Request::Fetch, RequestTimedOut,                         Verdict::Again),
    (Request::Fetch, ThrottlingQuotaExceeded,                 Verdict::Again),
    (Request::Fetch, UnknownServerError,                      Verdict::Again),
    (Request::Fetch, UnknownTopicOrPartition,                 Verdict::Relocate),
    (Request::Fetch, UnknownTopicId,                          Verdict::Relocate),
    (Request::Fetch, InconsistentTopicId,                     Verdict::Relocate),
    (Request::Fetch, LeaderNotAvailable,                      Verdict::Relocate),
    (Request::Fetch, NotLeaderOrFollower,                     Verdict::Relocate),
    (Request::Fetch, ReplicaNotAvailable,                     Verdict::Relocate),
    (Request::Fetch, FencedLeaderEpoch,                       Verdict::Relocate),
    // The broker is behind the metadata, or the metadata behind the broker: both pass.
    (Request::Fetch, UnknownLeaderEpoch,                      Verdict::Relocate),
    (Request::Fetch, KafkaStorageError,                       Verdict::Relocate),
    (Request::Fetch, OffsetOutOfRange,                        Verdict::Reset),
    (Request::Fetch, TopicAuthorizationFailed,                Verdict::Refused),
    (Request::Fetch, UnsupportedVersion,                      Verdict::Refused),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_answer_has_two_rows() {
        for (index, (request, error, _)) in TABLE.iter().enumerate() {
            let again = TABLE[index + 1..].iter().any(|(r, e, _)| r == request && e == error);
            assert!(!again, "{request:?} {error:?}");
        }
    }

    #[test]
    fn only_no_error_counts_as_done() {
        use Request::{Fetch, ListOffsets, Metadata, OffsetForLeaderEpoch};
        for request in [Metadata, ListOffsets, OffsetForLeaderEpoch, Fetch] {
            assert_eq!(verdict(request, 0), Verdict::Done);
            for code in (-2..200).filter(|code| *code != 0) {
                assert_ne!(verdict(request, code), Verdict::Done, "{request:?} {code}");
            }
        }
    }

    #[test]
    fn only_an_offset_that_is_not_there_moves_the_position() {
        let resets: Vec<_> =
            TABLE.iter().filter(|(_, _, verdict)| *verdict == Verdict::Reset).collect();
        assert!(resets.iter().all(|(request, _, _)| *request == Request::Fetch));
        assert_eq!(resets.len(), 1);
    }
}
