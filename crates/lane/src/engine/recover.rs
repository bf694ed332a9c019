//! After a transaction of which nobody knows what became: a new producer, and the committed offsets.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use kafka::{NextOffset, TopicPartition};
use rdkafka::consumer::Consumer;
use tracing::{debug, info, warn};

use super::{BACKOFF_MAX, Engine, LaneError, clock_ms};
use crate::intake::BatchOffset;
use crate::producer::{Cause, TransactionalProducer};
use crate::{Handler, Phase, TransactionOutcome, consumer};

/// How long one question for committed offsets may take.
const QUESTION: Duration = Duration::from_secs(1);
/// How long to wait before an unanswered one is asked again.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);
/// The time over which new producers are counted.
const RENEWAL_WINDOW: Duration = Duration::from_secs(600);

impl<H: Handler, P: TransactionalProducer> Engine<'_, H, P> {
    /// Finds out with a new producer what became of the transaction.
    pub(super) fn recover(
        &mut self,
        cause: Cause,
        offsets: &[BatchOffset],
    ) -> Result<(), LaneError> {
        warn!(error = %kafka::Chain(&cause), "making a new producer; the committed offsets decide");
        self.status.set_phase(Phase::Recovering);
        self.status.count_renewal(cause.reason());
        self.producer = None;
        let now = Instant::now();
        self.renewals.push_back(now);
        self.renewals.retain(|renewal| now.duration_since(*renewal) < RENEWAL_WINDOW);
        if self.renewals.len() > self.settings.renewals_max {
            return Err(LaneError::TooManyRenewals { renewals: self.renewals.len(), cause });
        }
        if self.stop.wait(pause_after(&self.renewals, now)) {
            return Ok(());
        }
        // Its first act fences the old one and ends what that has under way, so that the offsets
        // read next can not change any more.
        let Some(producer) = P::connect(&self.producer_spec, self.stop)? else {
            return Ok(());
        };
        self.status.set_client(producer.client());
        self.producer = Some(producer);
        let partitions: Vec<_> = offsets.iter().map(|offset| offset.partition.clone()).collect();
        let committed = loop {
            if let Some(committed) = self.committed_offsets(&partitions) {
                break committed;
            }
            if self.stop.wait(BETWEEN_QUESTIONS) {
                return Ok(());
            }
        };
        self.status.turned(clock_ms());
        self.status.set_phase(Phase::Running);
        let reached = |offset: &BatchOffset| {
            let has = |(of, position): &(TopicPartition, Option<NextOffset>)| {
                *of == offset.partition && *position >= Some(offset.next)
            };
            committed.iter().any(has)
        };
        // All: a partition lost meanwhile may have been taken further by its new owner.
        if !offsets.is_empty() && offsets.iter().all(reached) {
            info!("the transaction had been committed");
            return self.committed(offsets);
        }
        info!("the transaction had not been committed; taking the batch again");
        self.handler.aborted();
        self.status.count_abort();
        self.report(offsets, TransactionOutcome::Aborted(cause.reason().as_str()));
        self.intake.drop_before(&committed);
        Ok(())
    }

    /// The group's position in each of `partitions`; `None` when the broker did not answer.
    pub(super) fn committed_offsets(
        &self,
        partitions: &[TopicPartition],
    ) -> Option<Vec<(TopicPartition, Option<NextOffset>)>> {
        if partitions.is_empty() {
            return Some(Vec::new());
        }
        let list = consumer::list_of(partitions);
        match self.consumer.committed_offsets(list, QUESTION) {
            Ok(list) => list
                .elements()
                .iter()
                .map(|one| {
                    one.error().ok()?;
                    let position = match one.offset() {
                        rdkafka::Offset::Offset(offset) => Some(NextOffset::from_committed(offset)),
                        rdkafka::Offset::Beginning
                        | rdkafka::Offset::End
                        | rdkafka::Offset::Stored
                        | rdkafka::Offset::Invalid
                        | rdkafka::Offset::OffsetTail(_) => None,
                    };
                    Some((TopicPartition::new(one.topic(), one.partition()), position))
                })
                .collect(),
            Err(error) => {
                debug!(%error, "the committed offsets could not be read; asking again");
                None
            }
        }
    }
}

/// How long to wait before another producer is made: not at all after the first was given up, longer
/// after each that follows soon. Two lanes of one name by mistake fence each other, and without a
/// pause neither would finish anything.
fn pause_after(renewals: &VecDeque<Instant>, now: Instant) -> Duration {
    const SOON: Duration = Duration::from_secs(10);
    let is_recent = |renewal: &&Instant| now.duration_since(**renewal) < SOON;
    match renewals.iter().filter(is_recent).count() {
        0 | 1 => Duration::ZERO,
        n => {
            let doublings = u32::try_from(n - 2).unwrap_or(u32::MAX).min(16);
            (Duration::from_millis(10) * 2_u32.pow(doublings)).min(BACKOFF_MAX)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn producers_that_are_given_up_soon_after_each_other_are_made_later_and_later() {
        let now = Instant::now();
        let pause = |n: usize| pause_after(&VecDeque::from(vec![now; n]), now);
        assert_eq!((pause(1), pause(2)), (Duration::ZERO, Duration::from_millis(10)));
        assert_eq!((pause(4), pause(30)), (Duration::from_millis(40), BACKOFF_MAX));
        let long_ago = VecDeque::from(vec![now, now]);
        assert_eq!(pause_after(&long_ago, now + Duration::from_secs(60)), Duration::ZERO);
    }
}
