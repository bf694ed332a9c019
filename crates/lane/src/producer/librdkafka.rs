use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use kafka::{NextOffset, QuietContext, SettingsError, TopicPartition};
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::util::Timeout;
use rdkafka::{ClientContext, Statistics, TopicPartitionList};
use tracing::{debug, info, warn};

use super::offset_sender::OffsetSender;
use super::{Cause, ConnectError, Input, ProducerSpec, TransactionalProducer, WriteError};
use crate::outbox::OutboundRecord;
use crate::{Layout, Outbox, ProducerClient, Step, StepTimes, Stop};

/// The transactional producer that stands on librdkafka, which speaks transactions v1.
///
/// Without transactions v2 a delayed EndTxn can end a *later* transaction of the same epoch, so a
/// producer whose requests may still be under way is never used again.
pub(crate) struct LibrdkafkaProducer {
    offsets: OffsetSender,
    client: Arc<ThreadedProducer<Deliveries>>,
    shared: Arc<Shared>,
    transaction_timeout: Duration,
    slow: Duration,
    /// Of the last transaction.
    times: StepTimes,
}

/// What the client's own thread tells the lane's.
#[derive(Default)]
struct Shared {
    delivered: AtomicU64,
    /// How many deliveries the lane waits for; `u64::MAX` while it still sends.
    expected: AtomicU64,
    /// Whether a connection broke since the producer was made.
    disconnected: AtomicBool,
    lane: Mutex<Option<Thread>>,
}

impl TransactionalProducer for LibrdkafkaProducer {
    fn connect(spec: &ProducerSpec, stop: &Stop) -> Result<Option<Self>, ConnectError> {
        const ATTEMPT: Duration = Duration::from_secs(1);
        let shared = Arc::new(Shared::default());
        let quiet = QuietContext::new(&spec.client);
        let context = Deliveries { quiet, shared: Arc::clone(&shared) };
        let client: ThreadedProducer<Deliveries> =
            config(spec).create_with_context(context).map_err(SettingsError::from)?;
        let mut waiting = false;
        while !stop.is_requested() {
            match client.init_transactions(ATTEMPT) {
                Ok(()) => {
                    // What was under way until now has another epoch.
                    shared.disconnected.store(false, Ordering::Release);
                    if waiting {
                        info!(transactional_id = spec.transactional_id, "the producer is ready");
                    }
                    let client = Arc::new(client);
                    let transaction_timeout = spec.lane.transaction_timeout();
                    return Ok(Some(Self {
                        offsets: OffsetSender::of(Arc::clone(&client), transaction_timeout),
                        client,
                        shared,
                        transaction_timeout,
                        slow: spec.lane.slow(),
                        times: StepTimes::default(),
                    }));
                }
                Err(KafkaError::Transaction(error))
                    if error.is_retriable() && !error.is_fatal() =>
                {
                    if !waiting {
                        waiting = true;
                        let transactional_id = &spec.transactional_id;
                        warn!(transactional_id, %error, "no producer yet; trying on");
                    }
                }
                Err(source) => {
                    let transactional_id = spec.transactional_id.clone();
                    return Err(ConnectError::Refused { transactional_id, source });
                }
            }
        }
        Ok(None)
    }

    fn layout(&self) -> Layout {
        Layout::Arena
    }

    fn write(&mut self, outbox: &mut Outbox, input: Option<&Input<'_>>) -> Result<(), WriteError> {
        self.write_records(outbox, input)
    }

    fn times(&self) -> StepTimes {
        self.times
    }

    fn client(&self) -> ProducerClient {
        ProducerClient::Librdkafka
    }
}

/// Times one step after the other.
struct Stopwatch {
    since: Instant,
    times: StepTimes,
}

impl Stopwatch {
    fn start() -> Self {
        Self { since: Instant::now(), times: StepTimes::default() }
    }

    fn lap(&mut self, step: Step) {
        let now = Instant::now();
        self.times.set(step, now.duration_since(self.since));
        self.since = now;
    }
}

impl LibrdkafkaProducer {
    /// As [`TransactionalProducer::write`], which leaves the outbox as it is.
    pub(crate) fn write_records(
        &mut self,
        outbox: &Outbox,
        input: Option<&Input<'_>>,
    ) -> Result<(), WriteError> {
        let mut watch = Stopwatch::start();
        let written = self.transact(outbox, input, &mut watch);
        self.times = watch.times;
        written
    }

    fn transact(
        &mut self,
        outbox: &Outbox,
        input: Option<&Input<'_>>,
        watch: &mut Stopwatch,
    ) -> Result<(), WriteError> {
        if self.shared.is_tainted() {
            return Err(WriteError::Unsettled(Cause::Disconnected));
        }
        self.shared.begin();
        let deadline = watch.since + self.transaction_timeout;
        call("begin", self.slow, || self.client.begin_transaction())?;
        watch.lap(Step::Begin);
        match self.fill_and_commit(outbox, input, deadline, watch) {
            Ok(()) if self.shared.is_tainted() => Err(WriteError::Unsettled(Cause::Disconnected)),
            Ok(()) => Ok(()),
            Err(WriteError::Aborted(cause)) => self.abort(cause),
            Err(unsettled @ WriteError::Unsettled(_)) => Err(unsettled),
        }
    }

    fn fill_and_commit(
        &mut self,
        outbox: &Outbox,
        input: Option<&Input<'_>>,
        deadline: Instant,
        watch: &mut Stopwatch,
    ) -> Result<(), WriteError> {
        for record in outbox.records() {
            self.send(&record, deadline)?;
        }
        watch.lap(Step::Send);
        if let Some(input) = input {
            let offsets = topic_partition_list(input.offsets).map_err(aborted("offsets"))?;
            let sender = &mut self.offsets;
            call("send offsets", self.slow, || {
                sender.send(offsets.clone(), input.member.metadata())
            })?;
        }
        watch.lap(Step::Offsets);
        // The client's commit flushes in slices of 100 ms while anything is in flight.
        self.drain(outbox.len() as u64, deadline)?;
        watch.lap(Step::Drain);
        call("commit", self.slow, || self.client.commit_transaction(Timeout::Never))?;
        watch.lap(Step::Commit);
        Ok(())
    }

    /// Ends a transaction that failed for `cause`.
    fn abort(&self, cause: Cause) -> Result<(), WriteError> {
        debug!(error = %kafka::Chain(&cause), "aborting a transaction");
        // An abort that overtakes the first produce is fatal to the client.
        let sent = self.client.in_flight_count();
        let deadline = Instant::now() + Duration::from_secs(1);
        while self.client.in_flight_count() >= sent && sent > 0 && Instant::now() < deadline {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        match call("abort", self.slow, || self.client.abort_transaction(Timeout::Never)) {
            Ok(()) if self.shared.is_tainted() => Err(WriteError::Unsettled(cause)),
            Ok(()) => Err(WriteError::Aborted(cause)),
            Err(WriteError::Aborted(cause) | WriteError::Unsettled(cause)) => {
                Err(WriteError::Unsettled(cause))
            }
        }
    }

    fn send(&self, record: &OutboundRecord<'_>, deadline: Instant) -> Result<(), WriteError> {
        let mut outgoing: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(&record.topic.name).partition(record.partition);
        outgoing.key = record.key;
        outgoing.payload = record.value;
        outgoing.timestamp = record.timestamp_ms;
        outgoing.headers = (record.n_headers() > 0).then(|| {
            let headers = OwnedHeaders::new_with_capacity(record.n_headers());
            let one = |headers: OwnedHeaders, (key, value)| {
                headers.insert(Header { key, value: Some(value) })
            };
            record.headers().fold(headers, one)
        });
        loop {
            match self.client.send(outgoing) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused))
                    if Instant::now() < deadline =>
                {
                    outgoing = refused;
                    std::thread::park_timeout(Duration::from_millis(1));
                }
                Err((source, _)) => return Err(aborted("send")(source)),
            }
        }
    }

    /// Waits until every record sent is acknowledged, or will never be.
    fn drain(&self, sent: u64, deadline: Instant) -> Result<(), WriteError> {
        self.shared.expect(sent);
        while self.shared.delivered.load(Ordering::Acquire) < sent {
            if Instant::now() > deadline {
                let missing = sent - self.shared.delivered.load(Ordering::Acquire);
                return Err(WriteError::Unsettled(Cause::NotDrained(missing)));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
        // A record counts as in flight until its report is freed, a moment after it was told.
        while self.client.in_flight_count() > 0 {
            if Instant::now() > deadline {
                return Err(WriteError::Unsettled(Cause::NotDrained(0)));
            }
            std::thread::park_timeout(Duration::from_micros(20));
        }
        Ok(())
    }
}

/// One transactional call: again while the client says that it may be made again, and by kind
/// otherwise. What takes longer than `slow` may have a request of its own still under way.
fn call(
    phase: &'static str,
    slow: Duration,
    mut call: impl FnMut() -> Result<(), KafkaError>,
) -> Result<(), WriteError> {
    let started = Instant::now();
    let is_slow = |elapsed: Duration| {
        let (elapsed_ms, bound_ms) = (elapsed.as_millis(), slow.as_millis());
        WriteError::Unsettled(Cause::Slow { phase, elapsed_ms, bound_ms })
    };
    loop {
        let result = call();
        let elapsed = started.elapsed();
        match result {
            Ok(()) if elapsed <= slow => return Ok(()),
            Ok(()) | Err(KafkaError::Canceled) => return Err(is_slow(elapsed)),
            Err(KafkaError::Transaction(error)) if error.is_fatal() => {
                return Err(unsettled(phase)(KafkaError::Transaction(error)));
            }
            Err(KafkaError::Transaction(error)) if error.txn_requires_abort() => {
                return Err(aborted(phase)(KafkaError::Transaction(error)));
            }
            Err(KafkaError::Transaction(error))
                if error.is_retriable()
                    && error.code() != RDKafkaErrorCode::OperationTimedOut
                    && elapsed <= slow =>
            {
                std::thread::park_timeout(Duration::from_millis(1));
            }
            Err(source) => return Err(unsettled(phase)(source)),
        }
    }
}

fn aborted(phase: &'static str) -> impl FnOnce(KafkaError) -> WriteError {
    move |source| WriteError::Aborted(Cause::Call { phase, source })
}

fn unsettled(phase: &'static str) -> impl FnOnce(KafkaError) -> WriteError {
    move |source| WriteError::Unsettled(Cause::Call { phase, source })
}

fn topic_partition_list(
    offsets: &[(TopicPartition, NextOffset)],
) -> Result<TopicPartitionList, KafkaError> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (at, next) in offsets {
        list.add_partition_offset(&at.topic, at.partition, rdkafka::Offset::Offset(next.get()))?;
    }
    Ok(list)
}

fn config(spec: &ProducerSpec) -> rdkafka::ClientConfig {
    // Above the largest record and its batch's own bytes.
    let message_bytes_max = (spec.record_bytes_max + (64 << 10)).max(1_000_000);
    let mut config = spec.client.sender_config(&spec.transactional_id);
    config
        .set("transactional.id", &spec.transactional_id)
        .set("transaction.timeout.ms", spec.lane.transaction_timeout_ms.to_string())
        .set("socket.timeout.ms", spec.lane.socket_timeout_ms.to_string())
        .set("linger.ms", spec.lane.producer_linger_ms.to_string())
        .set("compression.type", &spec.lane.compression)
        .set("message.max.bytes", message_bytes_max.to_string())
        .set("batch.size", spec.batch_bytes_max.to_string())
        // The default of 100 ms would land in every commit against a real broker.
        .set("retry.backoff.ms", "2")
        .set("retry.backoff.max.ms", "100")
        .set("queue.buffering.max.messages", "1000000")
        .set("queue.buffering.max.kbytes", "65536");
    if !matches!(config.log_level, RDKafkaLogLevel::Debug) {
        // Below that it does not tell of connections that break.
        config.set_log_level(RDKafkaLogLevel::Info);
    }
    config
}

impl Shared {
    fn begin(&self) {
        self.expected.store(u64::MAX, Ordering::Release);
        self.delivered.store(0, Ordering::Release);
        *self.lane.lock().unwrap_or_else(PoisonError::into_inner) = Some(std::thread::current());
    }

    /// Whether a request may still be under way on a connection that the client has given up.
    ///
    /// This is never taken back: of breaks that follow within 30 s the client tells only the first.
    fn is_tainted(&self) -> bool {
        self.disconnected.load(Ordering::Acquire)
    }

    fn expect(&self, sent: u64) {
        self.expected.store(sent, Ordering::SeqCst);
    }

    fn deliver(&self) {
        let delivered = self.delivered.fetch_add(1, Ordering::SeqCst) + 1;
        if delivered == self.expected.load(Ordering::SeqCst) {
            let lane = self.lane.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(lane) = lane.as_ref() {
                lane.unpark();
            }
        }
    }
}

/// Whether a line of the client's log says that a connection broke on which requests may have gone out.
///
/// The client reports as an error only what keeps it from connecting; a connection that breaks once it was
/// up is in its log alone.
fn tells_of_a_break(facility: &str, message: &str) -> bool {
    let was_up =
        || [" in state UP", " in state REAUTH"].iter().any(|state| message.contains(state));
    facility == "FAIL" && was_up()
}

struct Deliveries {
    quiet: QuietContext,
    shared: Arc<Shared>,
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, settings: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        self.quiet.generate_oauth_token(settings)
    }

    /// Called by the thread that serves the connection, before it makes another one.
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        if tells_of_a_break(facility, message) {
            self.shared.disconnected.store(true, Ordering::Release);
        }
        QuietContext::line(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        QuietContext::failure(&error, reason);
    }

    fn stats(&self, _: Statistics) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    /// A failed delivery makes the client refuse the commit, so failures need no count of their own.
    fn delivery(&self, _: &DeliveryResult<'_>, (): ()) {
        self.shared.deliver();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(facility: &str, message: &str, expected: bool) {
        assert_eq!(tells_of_a_break(facility, message), expected, "{facility} {message}");
    }

    #[test]
    fn only_a_connection_that_was_up_can_have_broken() {
        check("FAIL", "[thrd:a]: a:9092/1: Disconnected (after 12ms in state UP)", true);
        check("FAIL", "a:9092/1: 1 request(s) timed out: disconnect (after 9ms in state UP)", true);
        check("FAIL", "a:9092/1: Disconnected (after 12ms in state REAUTH)", true);
        check("FAIL", "a:9092/1: Connect to a failed (after 0ms in state CONNECT)", false);
        check("FAIL", "a:9092/1: Disconnected (after 1ms in state APIVERSION_QUERY)", false);
        check("REQTMOUT", "a:9092/1: Timed out EndTxnRequest in flight (in state UP)", false);
    }
}
