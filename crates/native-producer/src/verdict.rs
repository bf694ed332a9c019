//! What each error code of each request means for a transaction: one table.

use kafka_protocol::ResponseError::{self, *};
use native_client::listed;

/// The requests of a transactional producer that are answered with error codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// Where the broker is that keeps a transactional id, or a group.
    FindCoordinator,
    /// The producer's identity; fences its predecessors.
    InitProducerId,
    /// Where the partitions are.
    Metadata,
    /// The next offsets of the input.
    TxnOffsetCommit,
    /// The records.
    Produce,
    /// Commit or abort.
    EndTxn,
}

/// What to do about an answer; the later, the less there is to hope for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// It is as good as success.
    Done,
    /// The broker is still busy with the last transaction: the same again, very soon.
    Wait,
    /// A passing trouble: the same again, later.
    Again,
    /// Asked in the wrong place, perhaps: find out where, then the same again.
    Relocate,
    /// The transaction has to be aborted; the producer goes on.
    Abort,
    /// A batch was too large: the transaction has to be aborted and written in smaller ones.
    Split,
    /// The producer is over, and only a new one finds out what became of the transaction.
    Renew,
    /// Waiting does not help: somebody has to change something.
    Refuse,
}

/// Answers that are not listed are not expected. Before a transaction a person has to look; within
/// one a new producer finds out.
const fn unexpected(request: Request) -> Verdict {
    match request {
        Request::FindCoordinator | Request::InitProducerId => Verdict::Refuse,
        Request::Metadata => Verdict::Again,
        Request::TxnOffsetCommit | Request::Produce | Request::EndTxn => Verdict::Renew,
    }
}

/// What `code` means as the answer to `request`.
pub(crate) fn verdict(request: Request, code: i16) -> Verdict {
    if code == 0 {
        return Verdict::Done;
    }
    listed(TABLE, &request, code).unwrap_or_else(|| unexpected(request))
}

/// Every answer that is expected, request by request.
#[rustfmt::skip]
pub(crate) const TABLE: &[(Request, ResponseError, Verdict)] = &[
    (Request::FindCoordinator, CoordinatorLoadInProgress,          Verdict::Again),
    (Request::FindCoordinator, CoordinatorNotAvailable,            Verdict::Again),
    (Request::FindCoordinator, NotCoordinator,                     Verdict::Again),
    (Request::FindCoordinator, RequestTimedOut,                    Verdict::Again),
    (Request::FindCoordinator, UnknownServerError,                 Verdict::Again),
    (Request::FindCoordinator, TransactionAbortable,               Verdict::Abort),
    (Request::FindCoordinator, GroupAuthorizationFailed,           Verdict::Abort),
    (Request::FindCoordinator, TransactionalIdAuthorizationFailed, Verdict::Refuse),
    (Request::FindCoordinator, ClusterAuthorizationFailed,         Verdict::Refuse),
    (Request::FindCoordinator, InvalidRequest,                     Verdict::Refuse),

    (Request::InitProducerId, ConcurrentTransactions,              Verdict::Wait),
    (Request::InitProducerId, CoordinatorLoadInProgress,           Verdict::Again),
    (Request::InitProducerId, RequestTimedOut,                     Verdict::Again),
    (Request::InitProducerId, UnknownServerError,                  Verdict::Again),
    // Another instance of the same id came between the broker's two steps: the later one wins.
    (Request::InitProducerId, ProducerFenced,                      Verdict::Again),
    (Request::InitProducerId, InvalidProducerEpoch,                Verdict::Again),
    (Request::InitProducerId, InvalidProducerIdMapping,            Verdict::Again),
    (Request::InitProducerId, TransactionAbortable,                Verdict::Again),
    (Request::InitProducerId, CoordinatorNotAvailable,             Verdict::Relocate),
    (Request::InitProducerId, NotCoordinator,                      Verdict::Relocate),
    (Request::InitProducerId, TransactionalIdAuthorizationFailed,  Verdict::Refuse),
    (Request::InitProducerId, ClusterAuthorizationFailed,          Verdict::Refuse),
    (Request::InitProducerId, InvalidTransactionTimeout,           Verdict::Refuse),
    (Request::InitProducerId, InvalidRequest,                      Verdict::Refuse),
    (Request::InitProducerId, UnsupportedVersion,                  Verdict::Refuse),

    (Request::Metadata, UnknownTopicOrPartition,                   Verdict::Again),
    (Request::Metadata, LeaderNotAvailable,                        Verdict::Again),
    (Request::Metadata, UnknownServerError,                        Verdict::Again),
    (Request::Metadata, InvalidTopicException,                     Verdict::Abort),
    (Request::Metadata, TopicAuthorizationFailed,                  Verdict::Abort),

    // Offsets go first, so this is where the markers of the last transaction are met.
    (Request::TxnOffsetCommit, ConcurrentTransactions,             Verdict::Wait),
    (Request::TxnOffsetCommit, CoordinatorLoadInProgress,          Verdict::Again),
    (Request::TxnOffsetCommit, UnknownTopicOrPartition,            Verdict::Again),
    (Request::TxnOffsetCommit, NotEnoughReplicas,                  Verdict::Again),
    (Request::TxnOffsetCommit, NetworkException,                   Verdict::Again),
    (Request::TxnOffsetCommit, CoordinatorNotAvailable,            Verdict::Relocate),
    (Request::TxnOffsetCommit, NotCoordinator,                     Verdict::Relocate),
    (Request::TxnOffsetCommit, RequestTimedOut,                    Verdict::Relocate),
    // The consumer has to rejoin, which it does in its next poll.
    (Request::TxnOffsetCommit, IllegalGeneration,                  Verdict::Abort),
    (Request::TxnOffsetCommit, UnknownMemberId,                    Verdict::Abort),
    (Request::TxnOffsetCommit, RebalanceInProgress,                Verdict::Abort),
    (Request::TxnOffsetCommit, FencedInstanceId,                   Verdict::Abort),
    (Request::TxnOffsetCommit, FencedMemberEpoch,                  Verdict::Abort),
    (Request::TxnOffsetCommit, StaleMemberEpoch,                   Verdict::Abort),
    (Request::TxnOffsetCommit, TransactionAbortable,               Verdict::Abort),
    (Request::TxnOffsetCommit, UnknownServerError,                 Verdict::Abort),
    (Request::TxnOffsetCommit, InvalidGroupId,                     Verdict::Abort),
    (Request::TxnOffsetCommit, InvalidCommitOffsetSize,            Verdict::Abort),
    (Request::TxnOffsetCommit, GroupAuthorizationFailed,           Verdict::Abort),
    (Request::TxnOffsetCommit, TopicAuthorizationFailed,           Verdict::Abort),
    (Request::TxnOffsetCommit, InvalidProducerEpoch,               Verdict::Renew),
    (Request::TxnOffsetCommit, ProducerFenced,                     Verdict::Renew),
    (Request::TxnOffsetCommit, InvalidProducerIdMapping,           Verdict::Renew),
    (Request::TxnOffsetCommit, InvalidTxnState,                    Verdict::Renew),
    (Request::TxnOffsetCommit, TransactionalIdAuthorizationFailed, Verdict::Renew),
    (Request::TxnOffsetCommit, UnsupportedForMessageFormat,        Verdict::Renew),

    // A retry that the broker recognised.
    (Request::Produce, DuplicateSequenceNumber,                    Verdict::Done),
    (Request::Produce, ConcurrentTransactions,                     Verdict::Wait),
    (Request::Produce, RequestTimedOut,                            Verdict::Again),
    (Request::Produce, NotEnoughReplicas,                          Verdict::Again),
    (Request::Produce, NotEnoughReplicasAfterAppend,               Verdict::Again),
    (Request::Produce, CorruptMessage,                             Verdict::Again),
    (Request::Produce, ThrottlingQuotaExceeded,                    Verdict::Again),
    (Request::Produce, CoordinatorLoadInProgress,                  Verdict::Again),
    (Request::Produce, CoordinatorNotAvailable,                    Verdict::Again),
    (Request::Produce, NotCoordinator,                             Verdict::Again),
    (Request::Produce, UnknownTopicOrPartition,                    Verdict::Relocate),
    (Request::Produce, LeaderNotAvailable,                         Verdict::Relocate),
    (Request::Produce, NotLeaderOrFollower,                        Verdict::Relocate),
    (Request::Produce, ReplicaNotAvailable,                        Verdict::Relocate),
    (Request::Produce, FencedLeaderEpoch,                          Verdict::Relocate),
    (Request::Produce, UnknownLeaderEpoch,                         Verdict::Relocate),
    (Request::Produce, NetworkException,                           Verdict::Relocate),
    (Request::Produce, KafkaStorageError,                          Verdict::Relocate),
    (Request::Produce, MessageTooLarge,                            Verdict::Split),
    (Request::Produce, RecordListTooLarge,                         Verdict::Split),
    (Request::Produce, TransactionAbortable,                       Verdict::Abort),
    (Request::Produce, InvalidTxnState,                            Verdict::Abort),
    (Request::Produce, OutOfOrderSequenceNumber,                   Verdict::Abort),
    (Request::Produce, UnknownProducerId,                          Verdict::Abort),
    (Request::Produce, InvalidRecord,                              Verdict::Abort),
    (Request::Produce, InvalidTimestamp,                           Verdict::Abort),
    (Request::Produce, InvalidTopicException,                      Verdict::Abort),
    (Request::Produce, UnsupportedCompressionType,                 Verdict::Abort),
    (Request::Produce, TopicAuthorizationFailed,                   Verdict::Abort),
    (Request::Produce, PolicyViolation,                            Verdict::Abort),
    (Request::Produce, UnknownServerError,                         Verdict::Abort),
    (Request::Produce, InvalidProducerEpoch,                       Verdict::Renew),
    (Request::Produce, ProducerFenced,                             Verdict::Renew),
    (Request::Produce, InvalidProducerIdMapping,                   Verdict::Renew),
    (Request::Produce, TransactionalIdAuthorizationFailed,         Verdict::Renew),
    (Request::Produce, ClusterAuthorizationFailed,                 Verdict::Renew),
    (Request::Produce, InvalidRequiredAcks,                        Verdict::Renew),
    (Request::Produce, UnsupportedForMessageFormat,                Verdict::Renew),

    // Sent again with the epoch before the bump, it is answered as the first time.
    (Request::EndTxn, ConcurrentTransactions,                      Verdict::Wait),
    (Request::EndTxn, CoordinatorLoadInProgress,                   Verdict::Again),
    (Request::EndTxn, RequestTimedOut,                             Verdict::Again),
    (Request::EndTxn, NotEnoughReplicas,                           Verdict::Again),
    (Request::EndTxn, NetworkException,                            Verdict::Again),
    (Request::EndTxn, CoordinatorNotAvailable,                     Verdict::Relocate),
    (Request::EndTxn, NotCoordinator,                              Verdict::Relocate),
    (Request::EndTxn, TransactionAbortable,                        Verdict::Abort),
    (Request::EndTxn, InvalidProducerEpoch,                        Verdict::Renew),
    (Request::EndTxn, ProducerFenced,                              Verdict::Renew),
    (Request::EndTxn, InvalidProducerIdMapping,                    Verdict::Renew),
    (Request::EndTxn, InvalidTxnState,                             Verdict::Renew),
    (Request::EndTxn, TransactionalIdAuthorizationFailed,          Verdict::Renew),
    (Request::EndTxn, UnknownServerError,                          Verdict::Renew),
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
    fn what_is_not_listed_never_counts_as_done() {
        use Request::{
            EndTxn, FindCoordinator, InitProducerId, Metadata, Produce, TxnOffsetCommit,
        };
        for request in [FindCoordinator, InitProducerId, Metadata, TxnOffsetCommit, Produce, EndTxn]
        {
            assert_eq!(verdict(request, 0), Verdict::Done);
            for code in (-2..200).filter(|code| *code != 0) {
                let listed = TABLE.iter().any(|(r, e, _)| *r == request && e.code() == code);
                let is_done = verdict(request, code) == Verdict::Done;
                assert!(listed || !is_done, "{request:?} {code}");
            }
        }
    }
}
