mod reporting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use kafka::{NextOffset, Offset, SettingsError, TopicPartition};
use rdkafka::Message;
use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tracing::{debug, info, warn};

use crate::assigned::{AssignedPartitions, Stage};
use crate::consumer::{self, Change, LaneConsumer};
use crate::producer::{
    Cause, ChosenProducer, ConnectError, Input, Member, ProducerSpec, TransactionalProducer,
    WriteError,
};
use crate::{
    Batch, Handler, LaneSettings, LaneSpec, LaneStatus, Outbox, Phase, Readiness, Rebalance, Step,
    StepTimes, Stop, TransactionOutcome, lag,
};

/// How long a lane with nothing to do waits for a record; also the granularity of `tick` and of stopping.
const IDLE: Duration = Duration::from_millis(100);
/// The same while partitions are being restored, which goes on between two waits.
const RESTORING: Duration = Duration::from_millis(1);
/// How long one question for committed offsets may take.
const QUESTION: Duration = Duration::from_secs(1);
/// How long to wait before an unanswered one is asked again.
const BETWEEN_QUESTIONS: Duration = Duration::from_millis(50);
/// The longest pause between two tries of one batch.
const BACKOFF_MAX: Duration = Duration::from_secs(1);
/// The time over which new producers are counted.
const RENEWAL_WINDOW: Duration = Duration::from_secs(600);

/// Why a lane ended; the process leaves, and its successor goes on from the committed offsets.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The client refuses its settings.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// There is no producer and waiting does not help.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The topics cannot be subscribed to.
    #[error("the topics cannot be subscribed to")]
    Subscribe(#[source] KafkaError),
    /// The consumer is beyond repair.
    #[error("the consumer failed for good")]
    Consumer(#[source] KafkaError),
    /// The handler cannot go on.
    #[error("the handler cannot go on")]
    Handler(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// One batch was aborted again and again.
    #[error("the same batch was aborted {aborts} times in a row")]
    TooManyAborts {
        /// How often.
        aborts: u32,
        /// The last reason.
        #[source]
        cause: Cause,
    },
    /// Producers had to be made anew again and again.
    #[error("{renewals} producers had to be given up within ten minutes")]
    TooManyRenewals {
        /// How many.
        renewals: usize,
        /// The last reason.
        #[source]
        cause: Cause,
    },
    /// A thread panicked; the reason was printed.
    #[error("a lane's thread panicked")]
    Panicked,
}

/// Runs one lane until `stop` is requested.
pub(crate) fn run<H: Handler>(lane: LaneSpec<H>, stop: &Stop) -> Result<(), LaneError> {
    let rests = lane.handler.restores();
    let consumer =
        consumer::connect(&lane.client, &lane.settings, &lane.subscription, &lane.name, rests)?;
    let producer_spec = ProducerSpec::new(&lane.client, &lane.settings, &lane.name, &lane.outputs);
    let Some(producer) = ChosenProducer::connect(&producer_spec, stop)? else {
        return Ok(());
    };
    let topics: Vec<&str> = lane.subscription.topics.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).map_err(LaneError::Subscribe)?;
    lane.status.set_group(&lane.subscription.group);
    lane.status.turned(clock_ms());
    lane.status.set_client(producer.client());
    lane.status.set_phase(Phase::Running);
    info!(?topics, "lane running");
    let mut engine = Engine {
        consumer: &consumer,
        producer: Some(producer),
        producer_spec,
        handler: lane.handler,
        settings: lane.settings,
        status: lane.status,
        stop,
        messages: Vec::new(),
        message_bytes: 0,
        outbox: Outbox::new(lane.outputs),
        partitions: AssignedPartitions::default(),
        aborts: 0,
        renewals: VecDeque::new(),
        first_came: None,
        times: StepTimes::default(),
    };
    while !stop.is_requested() {
        engine.turn()?;
    }
    engine.status.set_phase(Phase::Draining);
    Ok(())
}

/// The loop's state. `'c` is the consumer's life, which the records of the batch are borrowed for.
struct Engine<'c, H: Handler, P: TransactionalProducer> {
    consumer: &'c LaneConsumer,
    /// `None` only while a new one is being made.
    producer: Option<P>,
    producer_spec: ProducerSpec,
    handler: H,
    settings: LaneSettings,
    status: Arc<LaneStatus>,
    stop: &'c Stop,
    /// The batch: read and not committed. It stays after an abort.
    messages: Vec<BorrowedMessage<'c>>,
    message_bytes: usize,
    outbox: Outbox,
    partitions: AssignedPartitions,
    /// How often this batch was aborted.
    aborts: u32,
    /// When the last producers were given up.
    renewals: VecDeque<Instant>,
    /// When the first record of the batch came.
    first_came: Option<Instant>,
    /// What the steps of the batch took so far.
    times: StepTimes,
}

impl<H: Handler, P: TransactionalProducer> Engine<'_, H, P> {
    /// Once round: collect, handle, write everything in one transaction.
    fn turn(&mut self) -> Result<(), LaneError> {
        self.collect()?;
        let collected = self.first_came.take().map(|first| first.elapsed());
        self.times.set(Step::Collect, collected.unwrap_or_default());
        self.prepare_partitions()?;
        let now_ms = clock_ms();
        self.status.turned(now_ms);
        self.report_lag(now_ms);
        if self.stop.is_requested() {
            return Ok(());
        }
        self.outbox.clear();
        let called = Instant::now();
        if !self.messages.is_empty() {
            let batch = Batch::read(&self.messages);
            self.handler.handle(batch, now_ms, &mut self.outbox).map_err(handler_error)?;
        }
        self.handler.tick(now_ms, &mut self.outbox).map_err(handler_error)?;
        if self.messages.is_empty() && self.outbox.is_empty() {
            return Ok(());
        }
        self.times.set(Step::Handle, called.elapsed());
        self.transact()
    }

    /// Adds records to the batch until it is due or full. No transaction is open here, and nothing
    /// else polls: a revoke can only ever arrive now.
    fn collect(&mut self) -> Result<(), LaneError> {
        if self.messages.is_empty() {
            // Whatever was aborted went with its partitions. To wait for its next attempt, with
            // everything else at rest, would be to wait for ever.
            self.aborts = 0;
        }
        if self.aborts > 0 {
            return self.wait_after_abort();
        }
        let mut deadline = Instant::now() + self.patience();
        while !self.is_full() {
            let was_empty = self.messages.is_empty();
            // Without a wait first: while records are there, nobody has to look at the clock.
            let came = self.poll(Duration::ZERO)? || {
                let left = deadline.saturating_duration_since(Instant::now());
                // The client waits in whole milliseconds; less would be spent asking again and again.
                let is_due = left.is_zero() || !was_empty && left < Duration::from_millis(1);
                if is_due || self.stop.is_requested() {
                    break;
                }
                self.poll(left.min(IDLE))?
            };
            if came && was_empty {
                let now = Instant::now();
                self.first_came = Some(now);
                let due = now + self.settings.linger();
                let ready_at = self.producer.as_ref().and_then(P::ready_at);
                deadline = ready_at.map_or(due, |ready_at| due.max(ready_at));
            }
        }
        Ok(())
    }

    /// Polls for a while without adding to an aborted batch, however full it is: the abort may have
    /// come of a rebalance, which only a poll can serve.
    fn wait_after_abort(&mut self) -> Result<(), LaneError> {
        let doubled = Duration::from_millis(2) * 2_u32.saturating_pow(self.aborts.min(16));
        let deadline = Instant::now() + doubled.min(BACKOFF_MAX);
        let resting = consumer::list_of(&self.partitions.at(Stage::Running));
        if let Err(error) = self.consumer.pause(&resting) {
            debug!(%error, "some partitions could not be paused");
        }
        while Instant::now() < deadline && !self.stop.is_requested() {
            let left = deadline.saturating_duration_since(Instant::now());
            if self.poll(left.min(IDLE))? {
                // Of a partition assigned meanwhile, which does not rest: enough waited.
                break;
            }
        }
        let running = consumer::list_of(&self.partitions.at(Stage::Running));
        if let Err(error) = self.consumer.resume(&running) {
            warn!(%error, "some partitions could not be resumed");
        }
        Ok(())
    }

    /// Waits up to `timeout` for one record and adds it to the batch; says whether one came.
    fn poll(&mut self, timeout: Duration) -> Result<bool, LaneError> {
        let polled = self.consumer.poll(timeout);
        // Before the record: it was read after whatever this poll revoked or assigned.
        self.take_changes();
        match polled {
            Some(Ok(message)) => {
                self.message_bytes += message.payload_len() + message.key_len();
                self.messages.push(message);
                return Ok(true);
            }
            Some(Err(source @ KafkaError::MessageConsumptionFatal(_))) => {
                return Err(LaneError::Consumer(source));
            }
            Some(Err(error)) => debug!(%error, "the consumer goes on after a passing error"),
            None => {}
        }
        Ok(false)
    }

    fn is_full(&self) -> bool {
        self.messages.len() >= self.settings.records_max
            || self.message_bytes >= self.settings.bytes_max
    }

    /// How long to wait for a first record.
    fn patience(&self) -> Duration {
        match (self.messages.is_empty(), self.partitions.all_run()) {
            (true, true) => IDLE,
            (true, false) => RESTORING,
            (false, _) => Duration::ZERO,
        }
    }

    /// Follows the rebalances that the last poll served.
    fn take_changes(&mut self) {
        for change in self.consumer.context().take_changes() {
            match change {
                Change::Assigned(partitions) => {
                    self.status.count_rebalance(Rebalance::Assigned);
                    let stage = if self.handler.restores() { Stage::New } else { Stage::Running };
                    self.partitions.assign(&partitions, stage, clock_ms());
                }
                Change::Revoked { partitions, lost } => {
                    let kind = if lost { Rebalance::Lost } else { Rebalance::Revoked };
                    self.status.count_rebalance(kind);
                    self.partitions.revoke(&partitions);
                    self.drop_records(|at, _| partitions.contains(at));
                    self.handler.revoked(&partitions);
                }
            }
        }
    }

    /// Brings newly assigned partitions a step nearer to their first record.
    fn prepare_partitions(&mut self) -> Result<(), LaneError> {
        if self.partitions.all_run() {
            return Ok(());
        }
        let new = self.partitions.at(Stage::New);
        if !new.is_empty()
            && let Some(committed) = self.committed_offsets(&new)
        {
            for (partition, next) in committed {
                self.handler.assigned(&partition, next).map_err(handler_error)?;
                self.partitions.advance(&partition, Stage::Restoring);
            }
        }
        for partition in self.partitions.at(Stage::Restoring) {
            match self.handler.prepare(&partition).map_err(handler_error)? {
                Readiness::NotYet => {}
                Readiness::Ready => match self.consumer.resume(&consumer::list_of([&partition])) {
                    Ok(()) => self.partitions.advance(&partition, Stage::Running),
                    Err(error) => warn!(%partition, %error, "a partition could not be resumed"),
                },
            }
        }
        Ok(())
    }

    /// Writes the outbox and the batch's next offsets, and follows what the producer says.
    fn transact(&mut self) -> Result<(), LaneError> {
        let offsets = self.next_offsets();
        let positions: Vec<_> =
            offsets.iter().map(|offset| (offset.partition.clone(), offset.next)).collect();
        let input = Input { offsets: &positions, member: Member::new(self.consumer) };
        let input = (!positions.is_empty()).then_some(&input);
        if input.is_some_and(|input| !input.member.is_in_group()) {
            return self.aborted(Cause::NotInGroup, &offsets);
        }
        let producer = self.producer.as_mut().expect("a lane without a producer is recovering");
        let written = producer.write(&self.outbox, input);
        self.times.take_written(&producer.times());
        match written {
            Ok(()) => self.committed(&offsets),
            Err(WriteError::Aborted(cause)) => self.aborted(cause, &offsets),
            Err(WriteError::Unsettled(cause)) => self.recover(cause, &offsets),
        }
    }

    fn committed(&mut self, offsets: &[BatchOffset]) -> Result<(), LaneError> {
        self.handler.committed().map_err(handler_error)?;
        self.record_commit(offsets);
        self.report(offsets, TransactionOutcome::Committed);
        for offset in offsets {
            self.partitions.commit(&offset.partition, offset.next, offset.last_ms);
        }
        self.messages.clear();
        self.message_bytes = 0;
        self.aborts = 0;
        Ok(())
    }

    /// Keeps the batch in memory to try it again.
    fn aborted(&mut self, cause: Cause, offsets: &[BatchOffset]) -> Result<(), LaneError> {
        self.handler.aborted();
        self.status.count_abort();
        self.report(offsets, TransactionOutcome::Aborted(cause.reason().as_str()));
        self.aborts += 1;
        // Once for a batch: a rebalance or a broker that comes back costs many tries in a row.
        if self.aborts == 1 {
            warn!(error = %kafka::Chain(&cause), "transaction aborted; the batch is tried again");
        } else {
            debug!(error = %kafka::Chain(&cause), aborts = self.aborts, "transaction aborted again");
        }
        if self.aborts > self.settings.aborts_max {
            return Err(LaneError::TooManyAborts { aborts: self.aborts, cause });
        }
        Ok(())
    }

    /// Finds out with a new producer what became of the transaction.
    fn recover(&mut self, cause: Cause, offsets: &[BatchOffset]) -> Result<(), LaneError> {
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
        self.drop_records(|at, offset| {
            committed.iter().any(|(of, position)| {
                of == at && position.is_some_and(|position| position.is_past(offset))
            })
        });
        Ok(())
    }

    /// The group's position in each of `partitions`; `None` when the broker did not answer.
    fn committed_offsets(
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

    /// What there is of each partition in the batch.
    fn next_offsets(&self) -> Vec<BatchOffset> {
        let mut offsets: Vec<BatchOffset> = Vec::new();
        for message in &self.messages {
            let next = Offset::new(message.offset()).next();
            let last_ms = message.timestamp().to_millis().unwrap_or(0);
            let is_of = |offset: &&mut BatchOffset| {
                let at = &offset.partition;
                at.partition == message.partition() && *at.topic == *message.topic()
            };
            // Records of one partition come in runs, so the search nearly always ends at once.
            match offsets.iter_mut().rev().find(is_of) {
                Some(offset) => {
                    (offset.next, offset.last_ms) = (next, last_ms);
                    offset.n_records += 1;
                }
                None => {
                    let partition = TopicPartition::new(message.topic(), message.partition());
                    offsets.push(BatchOffset { partition, next, last_ms, n_records: 1 });
                }
            }
        }
        offsets
    }

    fn drop_records(&mut self, mut gone: impl FnMut(&TopicPartition, Offset) -> bool) {
        self.messages.retain(|message| {
            let at = TopicPartition::new(message.topic(), message.partition());
            !gone(&at, Offset::new(message.offset()))
        });
        let bytes = |message: &BorrowedMessage<'_>| message.payload_len() + message.key_len();
        self.message_bytes = self.messages.iter().map(bytes).sum();
    }

    fn report_lag(&self, now_ms: i64) {
        if let Some(statistics) = self.consumer.context().take_statistics() {
            let statistics = lag::read(&statistics);
            let waiting = self.next_offsets().into_iter().map(|offset| offset.partition).collect();
            self.status.set_partitions(self.partitions.lags(&statistics, &waiting, now_ms));
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

/// What there is of one partition in the batch.
struct BatchOffset {
    partition: TopicPartition,
    /// One past its last record.
    next: NextOffset,
    /// That record's timestamp, in milliseconds since the epoch.
    last_ms: i64,
    n_records: u64,
}

fn handler_error(error: impl std::error::Error + Send + Sync + 'static) -> LaneError {
    LaneError::Handler(Box::new(error))
}

/// Milliseconds since the epoch: the one clock of a lane.
pub(crate) fn clock_ms() -> i64 {
    let since_epoch = clock().duration_since(std::time::UNIX_EPOCH);
    since_epoch.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

#[expect(clippy::disallowed_methods, reason = "the lane loop is where the clock is read")]
fn clock() -> SystemTime {
    SystemTime::now()
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
