//! What a partition remembers of each producer: its epoch, its last batches, its open transaction.

use std::collections::{HashMap, HashSet, VecDeque};

use kafka_protocol::ResponseError;

use super::batch::BatchHeader;
use crate::transactions::Producer;

/// Batches remembered per producer, so that a retry of any request in flight is recognised.
const REMEMBERED_BATCHES: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct RememberedBatch {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// One producer, as one partition knows it.
#[derive(Debug, Clone)]
pub(crate) struct ProducerState {
    pub(crate) epoch: i16,
    batches: VecDeque<RememberedBatch>,
    pub(crate) last_timestamp: i64,
    /// First offset of the transaction that is open in this partition.
    pub(crate) open_since: Option<i64>,
}

impl ProducerState {
    /// The sequence number of the last record, or -1 when this epoch wrote none.
    pub(crate) fn last_sequence(&self) -> i32 {
        self.batches.back().map_or(-1, |batch| batch.last_sequence)
    }
}

/// What to do with a batch that passed the check.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Append,
    /// It is in the log already, at this offset.
    Duplicate {
        base_offset: i64,
    },
}

/// All producers of one partition.
#[derive(Debug, Default)]
pub(crate) struct Producers {
    states: HashMap<i64, ProducerState>,
}

impl Producers {
    pub(crate) fn get(&self, producer_id: i64) -> Option<&ProducerState> {
        self.states.get(&producer_id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &ProducerState)> {
        self.states.iter().map(|(id, state)| (*id, state))
    }

    /// Whether the partition knows a later epoch of the producer.
    pub(crate) fn is_fenced(&self, producer: Producer) -> bool {
        self.states.get(&producer.id).is_some_and(|state| state.epoch > producer.epoch)
    }

    /// Whether the producer has a transaction open here.
    pub(crate) fn is_writing(&self, producer: Producer) -> bool {
        let state = self.states.get(&producer.id);
        state.is_some_and(|state| state.open_since.is_some() && state.epoch == producer.epoch)
    }

    /// Decides about a batch of an idempotent producer, as Kafka's `ProducerAppendInfo` does.
    ///
    /// One that speaks transactions v2 begins at zero always.
    pub(crate) fn check(
        &self,
        header: &BatchHeader,
        begins_at_zero: bool,
    ) -> Result<Admission, ResponseError> {
        let Some(state) = self.states.get(&header.producer_id) else {
            // Nothing known, perhaps because retention removed it: any sequence is a beginning.
            return match header.base_sequence {
                1.. if begins_at_zero => Err(ResponseError::OutOfOrderSequenceNumber),
                _ => Ok(Admission::Append),
            };
        };
        if header.producer_epoch < state.epoch {
            return Err(ResponseError::InvalidProducerEpoch);
        }
        if header.producer_epoch > state.epoch {
            return match header.base_sequence {
                0 => Ok(Admission::Append),
                _ => Err(ResponseError::OutOfOrderSequenceNumber),
            };
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        let repeated = state
            .batches
            .iter()
            .find(|batch| (batch.first_sequence, batch.last_sequence) == (first, last));
        if let Some(batch) = repeated {
            return Ok(Admission::Duplicate { base_offset: batch.base_offset });
        }
        let expected = match state.last_sequence() {
            i32::MAX => 0,
            last => last + 1,
        };
        if first == expected {
            Ok(Admission::Append)
        } else {
            Err(ResponseError::OutOfOrderSequenceNumber)
        }
    }

    /// Takes note of a data batch that is in the log.
    pub(crate) fn appended(&mut self, header: &BatchHeader) {
        let state = self.state(header.producer_id, header.producer_epoch);
        if state.batches.len() == REMEMBERED_BATCHES {
            state.batches.pop_front();
        }
        state.batches.push_back(RememberedBatch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
        });
        state.last_timestamp = state.last_timestamp.max(header.max_timestamp);
        if header.is_transactional() && state.open_since.is_none() {
            state.open_since = Some(header.base_offset);
        }
    }

    /// Takes note of a transaction marker; returns where the ended transaction had begun.
    pub(crate) fn ended(&mut self, header: &BatchHeader) -> Option<i64> {
        let state = self.state(header.producer_id, header.producer_epoch);
        state.last_timestamp = state.last_timestamp.max(header.max_timestamp);
        state.open_since.take()
    }

    /// Producer and base offset of the last batch of each producer.
    pub(crate) fn last_data_batches(&self) -> HashSet<(i64, i64)> {
        let last =
            |(id, state): (&i64, &ProducerState)| Some((*id, state.batches.back()?.base_offset));
        self.states.iter().filter_map(last).collect()
    }

    /// Forgets producers that wrote nothing since `before_ms` and have no transaction open.
    pub(crate) fn expire(&mut self, before_ms: i64) {
        self.states
            .retain(|_, state| state.open_since.is_some() || state.last_timestamp >= before_ms);
    }

    fn state(&mut self, producer_id: i64, epoch: i16) -> &mut ProducerState {
        let state = self.states.entry(producer_id).or_insert_with(|| ProducerState {
            epoch,
            batches: VecDeque::new(),
            last_timestamp: -1,
            open_since: None,
        });
        if epoch != state.epoch {
            // A new epoch starts at sequence 0; the old one's batches are no longer retried.
            state.epoch = epoch;
            state.batches.clear();
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::batch::{Marker, control_batch};

    fn batch(epoch: i16, sequence: i32, count: i32, offset: i64) -> BatchHeader {
        let mut header =
            BatchHeader::parse(&control_batch(Marker::Commit, 9, epoch, offset, 5)).unwrap();
        header.attributes = 0x10;
        header.base_sequence = sequence;
        header.last_offset_delta = count - 1;
        header.record_count = count;
        header
    }

    /// Writes batches of (epoch, sequence, count) at growing offsets, then checks one more.
    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "reads better where it is called")]
    fn check(
        written: &[(i16, i32, i32)],
        next: (i16, i32, i32),
        expected: Result<Admission, ResponseError>,
    ) {
        let mut producers = Producers::default();
        let mut offset = 100;
        for (epoch, sequence, count) in written {
            producers.appended(&batch(*epoch, *sequence, *count, offset));
            offset += i64::from(*count);
        }
        let outcome = producers.check(&batch(next.0, next.1, next.2, offset), false);
        assert_eq!(outcome, expected);
    }

    #[test]
    fn sequences_follow_each_other_without_gaps() {
        check(&[(0, 0, 3)], (0, 3, 1), Ok(Admission::Append));
        check(&[(0, 0, 3)], (0, 4, 1), Err(ResponseError::OutOfOrderSequenceNumber));
        check(&[(0, i32::MAX, 1)], (0, 0, 1), Ok(Admission::Append));
    }

    #[test]
    fn a_repeated_batch_is_answered_with_its_first_offset() {
        check(&[(0, 0, 3), (0, 3, 2)], (0, 0, 3), Ok(Admission::Duplicate { base_offset: 100 }));
        let six: Vec<_> = (0..6).map(|n| (0, n, 1)).collect();
        check(&six, (0, 1, 1), Ok(Admission::Duplicate { base_offset: 101 }));
        check(&six, (0, 0, 1), Err(ResponseError::OutOfOrderSequenceNumber));
    }

    #[test]
    fn a_new_epoch_starts_at_zero_and_fences_the_old() {
        check(&[(0, 0, 3)], (1, 0, 1), Ok(Admission::Append));
        check(&[(0, 0, 3)], (1, 3, 1), Err(ResponseError::OutOfOrderSequenceNumber));
        check(&[(1, 0, 3)], (0, 3, 1), Err(ResponseError::InvalidProducerEpoch));
    }

    #[test]
    fn an_unknown_producer_may_begin_anywhere() {
        check(&[], (3, 17, 1), Ok(Admission::Append));
    }

    #[test]
    fn one_that_speaks_transactions_v2_begins_at_zero() {
        let check = |sequence| Producers::default().check(&batch(3, sequence, 1, 0), true);
        assert_eq!(check(0), Ok(Admission::Append));
        assert_eq!(check(17), Err(ResponseError::OutOfOrderSequenceNumber));
    }

    #[test]
    fn a_transaction_is_open_from_its_first_batch_to_its_marker() {
        let mut producers = Producers::default();
        producers.appended(&batch(0, 0, 2, 10));
        producers.appended(&batch(0, 2, 2, 12));
        assert_eq!(producers.get(9).unwrap().open_since, Some(10));
        assert_eq!(producers.ended(&batch(1, -1, 1, 14)), Some(10));
        assert_eq!(producers.get(9).unwrap().epoch, 1);
        let late = producers.check(&batch(0, 4, 1, 15), false);
        assert_eq!(late, Err(ResponseError::InvalidProducerEpoch));
    }
}
