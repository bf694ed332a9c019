mod collect;
mod error;
mod recover;
mod reporting;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rdkafka::consumer::Consumer;
use tracing::{debug, info, warn};

pub use self::error::LaneError;
use crate::assigned::AssignedPartitions;
use crate::consumer::{self, LaneConsumer};
use crate::intake::{BatchOffset, Fetcher, Intake};
use crate::producer::{
    Cause, ChosenProducer, Input, Member, ProducerSpec, TransactionalProducer, WriteError,
};
use crate::{
    Handler, LaneSettings, LaneSpec, LaneStatus, Outbox, Phase, Step, StepTimes, Stop,
    TransactionOutcome,
};

const HAS_PRODUCER: &str = "a lane without a producer is recovering";

/// The longest pause between two tries of one batch.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// Runs one lane until `stop` is requested.
pub(crate) fn run<H: Handler>(lane: LaneSpec<H>, stop: &Stop) -> Result<(), LaneError> {
    let (client, subscription) = (&lane.client, &lane.subscription);
    let fetcher = Fetcher::connect(client, &lane.settings, subscription, &lane.name, stop);
    let Some(fetcher) = fetcher else { return Ok(()) };
    let rests = consumer::Rests { at_first: lane.handler.restores(), always: fetcher.is_native() };
    let consumer = consumer::connect(client, &lane.settings, subscription, &lane.name, rests)?;
    let producer_spec = ProducerSpec::new(&lane.client, &lane.settings, &lane.name, &lane.outputs);
    let Some(producer) = ChosenProducer::connect(&producer_spec, stop)? else {
        return Ok(());
    };
    if stop.is_requested() {
        // To join the group now would only have the others wait for the partitions to come back.
        return Ok(());
    }
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
        intake: Intake::new(fetcher, &consumer),
        outbox: Outbox::new(lane.outputs),
        partitions: AssignedPartitions::default(),
        aborts: 0,
        renewals: VecDeque::new(),
        first_came: None,
        times: StepTimes::default(),
    };
    let ended = engine.turn_until_stopped();
    consumer::leave(&consumer);
    ended
}

/// The loop's state. `'c` is the consumer's life, which the records of a batch may be borrowed for.
struct Engine<'c, H: Handler, P: TransactionalProducer> {
    consumer: &'c LaneConsumer,
    /// `None` only while a new one is being made.
    producer: Option<P>,
    producer_spec: ProducerSpec,
    handler: H,
    settings: LaneSettings,
    status: Arc<LaneStatus>,
    stop: &'c Stop,
    intake: Intake<'c>,
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
    fn turn_until_stopped(&mut self) -> Result<(), LaneError> {
        while !self.stop.is_requested() {
            self.turn()?;
        }
        self.status.set_phase(Phase::Draining);
        Ok(())
    }

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
        let layout = self.producer.as_ref().expect(HAS_PRODUCER).layout();
        self.outbox.begin(layout, now_ms);
        let called = Instant::now();
        if !self.intake.is_empty() {
            self.handler
                .handle(self.intake.batch(), now_ms, &mut self.outbox)
                .map_err(handler_error)?;
        }
        self.handler.tick(now_ms, &mut self.outbox).map_err(handler_error)?;
        if self.intake.is_empty() && self.outbox.is_empty() {
            return Ok(());
        }
        self.times.set(Step::Handle, called.elapsed());
        self.transact()
    }

    /// Writes the outbox and the batch's next offsets, and follows what the producer says.
    fn transact(&mut self) -> Result<(), LaneError> {
        let offsets = self.intake.next_offsets();
        let positions: Vec<_> =
            offsets.iter().map(|offset| (offset.partition.clone(), offset.next)).collect();
        let member = (!positions.is_empty()).then(|| Member::now(self.consumer));
        let input = member.as_ref().map(|member| Input { offsets: &positions, member });
        if input.as_ref().is_some_and(|input| !input.member.is_in_group()) {
            return self.aborted(Cause::NotInGroup, &offsets);
        }
        let producer = self.producer.as_mut().expect(HAS_PRODUCER);
        let written = producer.write(&mut self.outbox, input.as_ref());
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
        self.intake.clear();
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
