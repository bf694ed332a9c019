//! One transaction after the other, by transactions v2 (KIP-890).

use std::time::{Duration, Instant};

use kafka_protocol::messages::{EndTxnRequest, ProduceRequest, ProducerId, TransactionalId};
use kafka_protocol::protocol::StrBytes;
use native_client::{CallError, Codec, Identity, Patience, WaitOrStop};
use tracing::{debug, warn};

use crate::accumulator::RecordAccumulator;
use crate::cluster::{Cluster, Coordinator};
use crate::error::{Cause, ConnectError, WriteError};
use crate::initialise::initialise;
use crate::offsets::{TXN_OFFSET_COMMIT, txn_offset_commit};
use crate::pace::Pace;
use crate::produce::{self, Common, Envelope, Piece};
use crate::trial::{Failure, Trial, coordinator};
use crate::verdict::{Request, Verdict, verdict};
use crate::{Offsets, Settings};

pub(crate) const END_TXN: i16 = 5;

/// Batches in one Produce request, together. More go into the next one.
const REQUEST_BYTES_MAX: usize = 32 << 20;

/// What each part of one transaction took; zero for what was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Times {
    /// TxnOffsetCommit.
    pub offsets: Duration,
    /// Completing the batches, and Produce.
    pub produce: Duration,
    /// EndTxn, whether it commits or aborts.
    pub end: Duration,
}

/// Writes records and next offsets, all of one call in one transaction.
///
/// It belongs to one thread: requests go out and answers come in on it. A transaction is
/// TxnOffsetCommit, then Produce to one leader after the other, then EndTxn. The first request meets
/// the markers of the last transaction, and offsets can be asked again at once, while Produce would
/// be held by the broker for 20 ms. Two requests that add to a transaction must not overlap: the
/// broker keeps one such at a time.
#[derive(Debug)]
pub struct Producer {
    settings: Settings,
    cluster: Cluster,
    identity: Identity,
    codec: Codec,
    envelope: Envelope,
    pace: Pace,
    times: Times,
}

impl Producer {
    /// A producer that has fenced its predecessors and ended what they left open. Waits for a broker
    /// as long as it takes; `None` when it was told to stop first.
    ///
    /// # Errors
    /// When waiting does not help.
    pub fn connect(
        settings: Settings,
        wait_or_stop: WaitOrStop<'_>,
    ) -> Result<Option<Self>, ConnectError> {
        let patience = Patience::endless(wait_or_stop);
        let mut cluster = Cluster::new(&settings);
        let identity = match initialise(&settings, &mut cluster, &patience)? {
            Some(identity) => identity,
            None => return Ok(None),
        };
        debug!(
            transactional_id = settings.transactional_id,
            producer_id = identity.id,
            epoch = identity.epoch,
            "producer initialised"
        );
        let codec = Codec::new(settings.compression);
        Ok(Some(Self {
            settings,
            cluster,
            identity,
            codec,
            envelope: Envelope::default(),
            pace: Pace::default(),
            times: Times::default(),
        }))
    }

    /// All of `records`, made for the same topics, and these offsets, visible together, or nothing.
    /// Whatever comes of it, `records` are to be cleared before others are appended.
    ///
    /// # Errors
    /// [`WriteError::Aborted`]: append them again. [`WriteError::Unsettled`]: make a new producer.
    pub fn commit(
        &mut self,
        records: &mut RecordAccumulator,
        offsets: Option<&Offsets<'_>>,
        wait_or_stop: WaitOrStop<'_>,
    ) -> Result<(), WriteError> {
        self.times = Times::default();
        if records.touched.is_empty() && offsets.is_none() {
            return Ok(());
        }
        let deadline = Instant::now() + self.settings.transaction_timeout;
        let patience = Patience::until(deadline, wait_or_stop);
        let mut written = self.write(records, offsets, &patience);
        if written.is_ok() {
            written = self.end(true, &patience);
        }
        match written {
            Ok(()) => Ok(()),
            Err(Failure::Abort(cause)) => {
                debug!(error = %cause, "aborting a transaction");
                match self.end(false, &patience) {
                    Ok(()) => Err(WriteError::Aborted(cause)),
                    Err(Failure::Abort(_) | Failure::Renew(_)) => Err(WriteError::Unsettled(cause)),
                }
            }
            Err(Failure::Renew(cause)) => Err(WriteError::Unsettled(cause)),
        }
    }

    /// When the next transaction should begin at the earliest; `None` while there was none.
    ///
    /// The broker writes the markers of a transaction after it has answered that it is committed. One
    /// that begins earlier would only wait, and asking keeps a busy broker busier.
    pub fn ready_at(&self) -> Option<Instant> {
        self.pace.ready_at()
    }

    /// What the parts of the last transaction took.
    pub const fn times(&self) -> Times {
        self.times
    }

    fn write(
        &mut self,
        records: &mut RecordAccumulator,
        offsets: Option<&Offsets<'_>>,
        patience: &Patience<'_>,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        if let Some(offsets) = offsets {
            self.commit_offsets(offsets, patience)?;
            self.times.offsets = began.elapsed();
        }
        let produced = self.produce(records, patience);
        self.times.produce = began.elapsed() - self.times.offsets;
        produced
    }

    fn commit_offsets(
        &mut self,
        offsets: &Offsets<'_>,
        patience: &Patience<'_>,
    ) -> Result<(), Failure> {
        let request = txn_offset_commit(&self.settings.transactional_id, self.identity, offsets);
        let mut trial = Trial::of(Request::TxnOffsetCommit, patience);
        let mut has_waited = false;
        loop {
            let group = offsets.group;
            let node = coordinator(&mut self.cluster, Coordinator::Group, group, &mut trial)?;
            let answer = match self.cluster.brokers.ask(node, TXN_OFFSET_COMMIT, &request, patience)
            {
                Ok(answer) => answer,
                Err(lost) => {
                    self.cluster.forget_coordinator(Coordinator::Group);
                    trial.lost(lost)?;
                    continue;
                }
            };
            self.throttle(node, answer.throttle_time_ms);
            let codes = answer.topics.iter().flat_map(|topic| &topic.partitions);
            if codes.clone().count() != offsets.positions.len() {
                // What is not said to be committed is not taken for committed.
                let what = "not every offset has an answer".to_owned();
                self.cluster.brokers.disconnect(node);
                trial.lost(CallError::Malformed { address: format!("broker {node}"), what })?;
                continue;
            }
            let worst = worst(Request::TxnOffsetCommit, codes.map(|one| one.error_code));
            match trial.answered(Request::TxnOffsetCommit, worst)? {
                Verdict::Done => break,
                Verdict::Wait => has_waited = true,
                Verdict::Relocate => self.cluster.forget_coordinator(Coordinator::Group),
                Verdict::Again
                | Verdict::Abort
                | Verdict::Split
                | Verdict::Renew
                | Verdict::Refuse => {}
            }
        }
        self.pace.began(has_waited, Instant::now());
        Ok(())
    }

    fn produce(
        &mut self,
        records: &mut RecordAccumulator,
        patience: &Patience<'_>,
    ) -> Result<(), Failure> {
        records.seal(self.identity, &mut self.codec);
        // The next batch of each partition.
        let mut next = vec![0; records.touched.len()];
        let mut trial = Trial::of(Request::Produce, patience);
        let mut has_looked = false;
        while let Some(first) = records.first_unwritten(&next) {
            let (topic, partition) = records.touched[first];
            let Some(leader) = self.cluster.leader(topic, number(partition)) else {
                if has_looked {
                    let code = kafka_protocol::ResponseError::LeaderNotAvailable.code();
                    trial.answered(Request::Metadata, code)?;
                }
                has_looked = true;
                self.find_leaders(&mut trial)?;
                continue;
            };
            has_looked = false;
            match self.produce_to(leader, records, &mut next, patience) {
                Ok(0) => trial = Trial::of(Request::Produce, patience),
                Ok(code) => match trial.answered(Request::Produce, code) {
                    Ok(Verdict::Relocate) => self.find_leaders(&mut trial)?,
                    Ok(_) => {}
                    Err(failure) => return Err(self.refused(code, failure, records, &next)),
                },
                Err(lost) => {
                    trial.lost(lost)?;
                    self.find_leaders(&mut trial)?;
                }
            }
        }
        Ok(())
    }

    /// Sends the next batch of each partition that `leader` leads, and counts those on that it has
    /// written. Returns the worst error code among the answers, 0 if there is none.
    fn produce_to(
        &mut self,
        leader: i32,
        records: &RecordAccumulator,
        next: &mut [usize],
        patience: &Patience<'_>,
    ) -> Result<i16, CallError> {
        let mut pieces: Vec<Piece<'_>> = Vec::with_capacity(records.touched.len());
        let mut sent = Vec::with_capacity(records.touched.len());
        let mut bytes = 0;
        for (index, (topic, partition)) in records.touched.iter().enumerate() {
            let batches = &records.partitions[*topic][*partition];
            let is_led = self.cluster.leader(*topic, number(*partition)) == Some(leader);
            if !is_led || next[index] == batches.len() {
                continue;
            }
            let batch = batches.get(next[index]);
            if bytes > 0 && bytes + batch.len() > REQUEST_BYTES_MAX {
                break;
            }
            bytes += batch.len();
            pieces.push(Piece { topic: *topic, partition: number(*partition), batch });
            sent.push(index);
        }
        let limit = self.settings.request_timeout;
        let topics = &self.settings.topics;
        let common = Common {
            client_id: &self.settings.client_id,
            transactional_id: &self.settings.transactional_id,
            timeout_ms: i32::try_from(limit.as_millis() / 2).unwrap_or(i32::MAX),
        };
        let envelope = &mut self.envelope;
        let connection = self.cluster.brokers.connection(leader, patience)?;
        let answer = connection.call_in_parts::<ProduceRequest>(
            produce::VERSION,
            |correlation_id| {
                envelope.around(correlation_id, &common, &pieces, |topic| &topics[topic].name)
            },
            limit,
            patience,
        );
        let answer = match answer {
            Ok(answer) => answer,
            Err(lost) => {
                self.cluster.brokers.disconnect(leader);
                return Err(lost);
            }
        };
        connection.throttle(answer.throttle_time_ms);
        let mut codes = Vec::with_capacity(sent.len());
        for index in sent {
            let (topic, partition) = records.touched[index];
            let name = &topics[topic].name;
            let of_topic = answer.responses.iter().find(|one| **one.name == **name);
            let of_partition = of_topic.and_then(|topic| {
                let mut partitions = topic.partition_responses.iter();
                partitions.find(|one| one.index == number(partition))
            });
            let Some(answer) = of_partition else {
                let what = format!("nothing is said of `{name}`-{partition}");
                let malformed = connection.malformed(what);
                self.cluster.brokers.disconnect(leader);
                return Err(malformed);
            };
            if verdict(Request::Produce, answer.error_code) == Verdict::Done {
                next[index] += 1;
            } else {
                codes.push(answer.error_code);
            }
        }
        Ok(worst(Request::Produce, codes.into_iter()))
    }

    /// After a batch was refused for its size, batches of its topics become smaller.
    fn refused(
        &self,
        code: i16,
        failure: Failure,
        records: &mut RecordAccumulator,
        next: &[usize],
    ) -> Failure {
        if verdict(Request::Produce, code) != Verdict::Split {
            return failure;
        }
        // The answer does not say which, but the largest is the likeliest.
        let Some((bytes, topic)) = records.largest_unwritten(next) else { return failure };
        let bytes_max = records.shrink(topic, bytes);
        let topic = self.settings.topics[topic].name.to_string();
        warn!(topic, bytes_max, "a batch was too large; the next ones are smaller");
        Failure::Abort(Cause::TooLarge { topic, bytes_max })
    }

    /// Looks up who leads what. A failure to do so is no failure of the transaction yet.
    fn find_leaders(&mut self, trial: &mut Trial<'_>) -> Result<(), Failure> {
        match self.cluster.find_leaders(&self.settings.topics, trial.patience) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(code)) => trial.answered(Request::Metadata, code).map(|_| ()),
            Err(lost) => trial.lost(lost),
        }
    }

    /// Commits or aborts, and takes over the identity that the next transaction has.
    ///
    /// A lost answer is asked for again with the same epoch. The broker knows by it that this is a
    /// retry: if the transaction ended so, it answers as the first time, and if it ended otherwise, it
    /// says so. A copy of the request that is still on its way does no harm to a later transaction,
    /// which has another epoch.
    fn end(&mut self, committed: bool, patience: &Patience<'_>) -> Result<(), Failure> {
        let began = Instant::now();
        let ended = self.ask_to_end(committed, patience);
        self.times.end = began.elapsed();
        ended
    }

    fn ask_to_end(&mut self, committed: bool, patience: &Patience<'_>) -> Result<(), Failure> {
        let id = self.settings.transactional_id.clone();
        let request = EndTxnRequest::default()
            .with_transactional_id(TransactionalId(StrBytes::from_string(id.clone())))
            .with_producer_id(ProducerId(self.identity.id))
            .with_producer_epoch(self.identity.epoch)
            .with_committed(committed);
        let mut trial = Trial::of(Request::EndTxn, patience);
        loop {
            let node = coordinator(&mut self.cluster, Coordinator::Transaction, &id, &mut trial)?;
            let answer = match self.cluster.brokers.ask(node, END_TXN, &request, patience) {
                Ok(answer) => answer,
                Err(lost) => {
                    self.cluster.forget_coordinator(Coordinator::Transaction);
                    trial.lost(lost)?;
                    continue;
                }
            };
            self.throttle(node, answer.throttle_time_ms);
            match trial.answered(Request::EndTxn, answer.error_code)? {
                Verdict::Done => {
                    let next = Identity { id: answer.producer_id.0, epoch: answer.producer_epoch };
                    return self.take_over(next);
                }
                Verdict::Relocate => self.cluster.forget_coordinator(Coordinator::Transaction),
                Verdict::Wait
                | Verdict::Again
                | Verdict::Abort
                | Verdict::Split
                | Verdict::Renew
                | Verdict::Refuse => {}
            }
        }
    }

    fn take_over(&mut self, next: Identity) -> Result<(), Failure> {
        self.pace.ended(Instant::now());
        let is_later = next.id != self.identity.id || next.epoch > self.identity.epoch;
        if next.id < 0 || next.epoch < 0 || !is_later {
            // It ended as it should, but what follows would be written under a used epoch.
            let code = kafka_protocol::ResponseError::InvalidProducerEpoch.code();
            return Err(Failure::Renew(Cause::Answered { request: Request::EndTxn, code }));
        }
        self.identity = next;
        Ok(())
    }

    fn throttle(&mut self, node: i32, throttle_time_ms: i32) {
        if throttle_time_ms > 0
            && let Ok(connection) =
                self.cluster.brokers.connection(node, &Patience::endless(&|_| false))
        {
            connection.throttle(throttle_time_ms);
        }
    }
}

/// The partition's number; there are never more than the protocol can count.
fn number(partition: usize) -> i32 {
    i32::try_from(partition).unwrap_or(i32::MAX)
}

/// The code that leaves the least to hope for.
fn worst(request: Request, codes: impl Iterator<Item = i16>) -> i16 {
    codes.max_by_key(|code| verdict(request, *code)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
