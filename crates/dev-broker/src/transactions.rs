//! The state machine of transactional ids: who owns one, what its transaction covers, how it ends.
//!
//! It decides and remembers; writing markers and offsets is up to its caller, who does both in
//! one go. A transaction is therefore never seen half ended, except in a journal read after a crash.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::ResponseError;
use serde::{Deserialize, Serialize};

use crate::log::batch::Marker;

/// The last epoch that a producer is given.
const LAST_EPOCH: i16 = i16::MAX - 1;

/// Longest timeout a producer may ask for.
pub(crate) const MAX_TIMEOUT_MS: i32 = 900_000;

/// Where a transactional id stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum State {
    Empty,
    Ongoing,
    /// Decided, and the markers are being written.
    PrepareCommit,
    PrepareAbort,
    CompleteCommit,
    CompleteAbort,
}

impl State {
    /// Kafka's name of the state.
    pub(crate) fn name(self) -> &'static str {
        match self {
            State::Empty => "Empty",
            State::Ongoing => "Ongoing",
            State::PrepareCommit => "PrepareCommit",
            State::PrepareAbort => "PrepareAbort",
            State::CompleteCommit => "CompleteCommit",
            State::CompleteAbort => "CompleteAbort",
        }
    }

    /// The marker of a transaction that was decided but perhaps not marked everywhere.
    pub(crate) fn decided(self) -> Option<Marker> {
        match self {
            State::PrepareCommit => Some(Marker::Commit),
            State::PrepareAbort => Some(Marker::Abort),
            State::Empty | State::Ongoing | State::CompleteCommit | State::CompleteAbort => None,
        }
    }
}

/// A producer's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
}

/// A topic partition.
pub(crate) type TopicPartition = (String, i32);

/// One transactional id.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    /// The epoch before a bump that the producer knows of or may ask for again, -1 otherwise.
    pub(crate) last_epoch: i16,
    /// The producer id before the present one, if the epochs of that one were used up, else the
    /// present one; -1 before the first transaction.
    #[serde(default = "nobody")]
    pub(crate) previous_producer_id: i64,
    /// The producer id that follows when the markers are written, -1 if the present one stays.
    #[serde(default = "nobody")]
    pub(crate) next_producer_id: i64,
    pub(crate) timeout_ms: i32,
    pub(crate) state: State,
    pub(crate) partitions: BTreeSet<TopicPartition>,
    pub(crate) groups: BTreeSet<String>,
    pub(crate) started_ms: i64,
}

impl Transaction {
    pub(crate) fn producer(&self) -> Producer {
        Producer { id: self.producer_id, epoch: self.epoch }
    }

    /// Whether the next bump uses up the producer id: the highest epoch is kept for fencing.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.epoch >= LAST_EPOCH
    }

    /// Takes note that the markers are written.
    pub(crate) fn complete(&mut self, marker: Marker) {
        self.state = match marker {
            Marker::Commit => State::CompleteCommit,
            Marker::Abort => State::CompleteAbort,
        };
        self.groups.clear();
        self.partitions.clear();
        self.previous_producer_id = self.producer_id;
        if self.next_producer_id >= 0 {
            self.producer_id = std::mem::replace(&mut self.next_producer_id, -1);
            self.epoch = 0;
        }
    }

    /// Moves on to the next epoch, and to `fresh_id` after this when the epochs are used up.
    fn bump(&mut self, fresh_id: Option<i64>) {
        self.last_epoch = self.epoch;
        self.epoch = self.epoch.saturating_add(1);
        self.next_producer_id = fresh_id.unwrap_or(-1);
    }

    /// Decides on behalf of the broker to abort, fencing the producer by the next epoch.
    pub(crate) fn fence(&mut self) {
        self.bump(None);
        self.state = State::PrepareAbort;
    }

    fn is_expired(&self, now_ms: i64) -> bool {
        self.state == State::Ongoing
            && now_ms.saturating_sub(self.started_ms) >= i64::from(self.timeout_ms)
    }

    fn begin(&mut self, now_ms: i64) {
        if self.state != State::Ongoing {
            self.state = State::Ongoing;
            self.started_ms = now_ms;
            self.partitions.clear();
            self.groups.clear();
        }
    }
}

/// The error of a producer that is not, or no longer, the owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stranger {
    /// The id is unknown or mapped to another producer.
    Unmapped,
    /// Right producer id, other epoch.
    Fenced,
}

impl Stranger {
    /// The answer of the coordinator's own calls: old versions know no `PRODUCER_FENCED`.
    pub(crate) fn answer(self, knows_fenced: bool) -> ResponseError {
        match self {
            Stranger::Unmapped => ResponseError::InvalidProducerIdMapping,
            Stranger::Fenced if knows_fenced => ResponseError::ProducerFenced,
            Stranger::Fenced => ResponseError::InvalidProducerEpoch,
        }
    }
}

/// What ending a transaction takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It ended this way before; a retry is answered the same.
    AlreadyEnded,
    Mark,
}

/// All transactional ids.
#[derive(Debug, Default)]
pub(crate) struct Transactions {
    pub(crate) by_id: BTreeMap<String, Transaction>,
}

impl Transactions {
    /// The transaction of an id, if this producer owns it.
    pub(crate) fn owned(
        &mut self,
        id: &str,
        producer: Producer,
    ) -> Result<&mut Transaction, Stranger> {
        let transaction = self.by_id.get_mut(id).ok_or(Stranger::Unmapped)?;
        if transaction.producer_id != producer.id {
            return Err(Stranger::Unmapped);
        }
        if transaction.epoch != producer.epoch {
            return Err(Stranger::Fenced);
        }
        Ok(transaction)
    }

    /// Whether an owner may take the id over, or which error it gets instead.
    ///
    /// `claimed` is what the producer says it was before; nothing for a producer that just began.
    pub(crate) fn initialise(
        &mut self,
        id: &str,
        timeout_ms: i32,
        claimed: Option<Producer>,
        fresh_id: impl FnOnce() -> i64,
    ) -> Result<Producer, ResponseError> {
        let Some(transaction) = self.by_id.get_mut(id) else {
            let producer = Producer { id: fresh_id(), epoch: 0 };
            self.by_id.insert(id.to_owned(), new_transaction(producer, timeout_ms));
            return Ok(producer);
        };
        if let Some(claimed) = claimed {
            if claimed.id != transaction.producer_id {
                return Err(ResponseError::ProducerFenced);
            }
            if claimed.epoch == transaction.last_epoch && claimed.epoch >= 0 {
                // A retry of a bump that succeeded.
                return Ok(transaction.producer());
            }
            if claimed.epoch != transaction.epoch {
                return Err(ResponseError::ProducerFenced);
            }
        }
        transaction.timeout_ms = timeout_ms;
        transaction.last_epoch = claimed.map_or(-1, |claimed| claimed.epoch);
        if transaction.is_exhausted() {
            transaction.producer_id = fresh_id();
            transaction.epoch = 0;
            transaction.last_epoch = -1;
        } else {
            transaction.epoch += 1;
        }
        transaction.state = State::Empty;
        transaction.partitions.clear();
        transaction.groups.clear();
        Ok(transaction.producer())
    }

    /// Takes partitions and a group into the transaction; says whether that was news.
    pub(crate) fn add(
        transaction: &mut Transaction,
        partitions: impl IntoIterator<Item = TopicPartition>,
        group: Option<&str>,
        now_ms: i64,
    ) -> bool {
        let was_ongoing = transaction.state == State::Ongoing;
        transaction.begin(now_ms);
        let before = (transaction.partitions.len(), transaction.groups.len());
        transaction.partitions.extend(partitions);
        transaction.groups.extend(group.map(str::to_owned));
        !was_ongoing || before != (transaction.partitions.len(), transaction.groups.len())
    }

    /// Decides how a transaction ends.
    pub(crate) fn end(
        transaction: &mut Transaction,
        marker: Marker,
    ) -> Result<Ending, ResponseError> {
        match (transaction.state, marker) {
            (State::Ongoing, Marker::Commit) => transaction.state = State::PrepareCommit,
            (State::Ongoing, Marker::Abort) => transaction.state = State::PrepareAbort,
            (State::CompleteCommit, Marker::Commit) | (State::CompleteAbort, Marker::Abort) => {
                return Ok(Ending::AlreadyEnded);
            }
            (State::PrepareCommit, Marker::Commit) | (State::PrepareAbort, Marker::Abort) => {
                return Err(ResponseError::ConcurrentTransactions);
            }
            (
                State::Empty
                | State::PrepareCommit
                | State::PrepareAbort
                | State::CompleteCommit
                | State::CompleteAbort,
                Marker::Commit | Marker::Abort,
            ) => return Err(ResponseError::InvalidTxnState),
        }
        Ok(Ending::Mark)
    }

    /// Decides how a transaction ends as transactions v2 have it: every ending bumps the epoch, so
    /// the epoch says whether a request is a retry. `fresh_id` is there when the epochs are used up.
    pub(crate) fn end_and_bump(
        &mut self,
        id: &str,
        producer: Producer,
        marker: Marker,
        fresh_id: Option<i64>,
    ) -> Result<Ending, ResponseError> {
        let transaction = self.by_id.get_mut(id).ok_or(ResponseError::InvalidProducerIdMapping)?;
        let is_bumped = producer.epoch.checked_add(1) == Some(transaction.epoch);
        let is_replaced = transaction.previous_producer_id == producer.id
            && producer.epoch == LAST_EPOCH
            && transaction.epoch == 0;
        if transaction.producer_id != producer.id && !is_replaced {
            return Err(ResponseError::InvalidProducerIdMapping);
        }
        let is_retry = is_bumped || is_replaced;
        let is_current = transaction.epoch == producer.epoch;
        let is_known = match transaction.state {
            State::Empty | State::Ongoing => is_current,
            State::PrepareCommit | State::PrepareAbort => is_bumped,
            State::CompleteCommit | State::CompleteAbort => is_current || is_retry,
        };
        if !is_known {
            return Err(ResponseError::ProducerFenced);
        }
        let decided = match (transaction.state, marker) {
            (State::Ongoing, Marker::Commit) => State::PrepareCommit,
            (State::Ongoing | State::Empty, Marker::Abort) => State::PrepareAbort,
            (State::CompleteCommit, Marker::Commit) | (State::CompleteAbort, Marker::Abort)
                if is_retry =>
            {
                return Ok(Ending::AlreadyEnded);
            }
            // Nothing was begun. The epoch moves on all the same.
            (State::CompleteCommit | State::CompleteAbort, Marker::Abort) if !is_retry => {
                State::PrepareAbort
            }
            (State::PrepareCommit, Marker::Commit) | (State::PrepareAbort, Marker::Abort) => {
                return Err(ResponseError::ConcurrentTransactions);
            }
            (
                State::Empty
                | State::PrepareCommit
                | State::PrepareAbort
                | State::CompleteCommit
                | State::CompleteAbort,
                Marker::Commit | Marker::Abort,
            ) => return Err(ResponseError::InvalidTxnState),
        };
        transaction.state = decided;
        transaction.bump(fresh_id);
        Ok(Ending::Mark)
    }

    /// Transactions that have been open for longer than their producers allowed.
    pub(crate) fn expired(&self, now_ms: i64) -> Vec<String> {
        let expired = self.by_id.iter().filter(|(_, transaction)| transaction.is_expired(now_ms));
        expired.map(|(id, _)| id.clone()).collect()
    }

    /// Checks that a producer may write to a partition within its transaction.
    pub(crate) fn check_write(
        &mut self,
        id: &str,
        producer: Producer,
        partition: &TopicPartition,
    ) -> Result<(), ResponseError> {
        let transaction = self.owned(id, producer).map_err(|stranger| stranger.answer(false))?;
        let added = transaction.partitions.contains(partition);
        if transaction.state == State::Ongoing && added {
            Ok(())
        } else {
            Err(ResponseError::InvalidTxnState)
        }
    }
}

/// In place of a producer id.
fn nobody() -> i64 {
    -1
}

fn new_transaction(producer: Producer, timeout_ms: i32) -> Transaction {
    Transaction {
        producer_id: producer.id,
        epoch: producer.epoch,
        last_epoch: -1,
        previous_producer_id: -1,
        next_producer_id: -1,
        timeout_ms,
        state: State::Empty,
        partitions: BTreeSet::new(),
        groups: BTreeSet::new(),
        started_ms: 0,
    }
}

#[cfg(test)]
mod tests;
