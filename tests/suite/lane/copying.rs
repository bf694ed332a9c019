use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use kafka::ClientSettings;
use lane::{
    Batch, Handler, LaneError, LaneSettings, LaneSpec, LaneStatus, OffsetReset, Outbox,
    OutputTopic, ProducerClient, Stop, Subscription, TopicId, run_lanes,
};
use testkit::{Isolation, NO_HEADERS, wait_until};

/// How long anything here may take.
const DEADLINE: Duration = Duration::from_secs(90);

/// Two topics of one test and the group that copies one to the other.
pub(crate) struct Copying {
    pub(crate) bootstrap_servers: String,
    pub(crate) source: String,
    pub(crate) copy: String,
    pub(crate) partitions: i32,
    /// The client that is asked for.
    pub(crate) client: ProducerClient,
    /// Most records in one transaction.
    pub(crate) records_max: usize,
    /// Aborts in a row after which a lane gives up.
    pub(crate) aborts_max: u32,
    /// Until it is requested, a lane pauses before each batch.
    pub(crate) release: Stop,
    /// How the lanes reach the brokers.
    pub(crate) settings: ClientSettings,
}

/// One instance: its lane's thread.
pub(crate) struct Instance {
    stop: Stop,
    pub(crate) status: Arc<LaneStatus>,
    thread: Option<JoinHandle<Result<(), LaneError>>>,
}

/// The client that writes in this run: the one `BINDERY_TEST_CLIENT` names, else librdkafka.
pub(crate) fn producer_client() -> ProducerClient {
    match std::env::var("BINDERY_TEST_CLIENT").as_deref() {
        Ok("native") => ProducerClient::Native,
        Ok("librdkafka") | Err(_) => ProducerClient::Librdkafka,
        Ok(other) => panic!("BINDERY_TEST_CLIENT is `librdkafka` or `native`, not `{other}`"),
    }
}

/// How long a lane pauses before each batch until it is released.
const PAUSE: Duration = Duration::from_millis(100);

/// Writes each record as it was read.
struct Copy {
    release: Stop,
}

impl Handler for Copy {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        self.release.wait(PAUSE);
        for record in batch.records() {
            let value = record.value.expect("every record of these tests has a value");
            outbox
                .record(TopicId(0))
                .key(record.key.expect("every record of these tests has a key"))
                .value(|copy| copy.extend_from_slice(value))
                .expect("every record of these tests is small");
        }
        Ok(())
    }
}

impl Copying {
    pub(crate) fn on(bootstrap_servers: &str, name: &str) -> Self {
        let partitions = 4;
        let copying = Self {
            bootstrap_servers: bootstrap_servers.to_owned(),
            source: format!("{name}-source"),
            copy: format!("{name}-copy"),
            partitions,
            client: producer_client(),
            records_max: 500,
            aborts_max: LaneSettings::real_time().aborts_max,
            release: Stop::new(),
            settings: ClientSettings::new(bootstrap_servers),
        };
        copying.release.request();
        let topics = [(&*copying.source, partitions, &[][..]), (&*copying.copy, partitions, &[])];
        testkit::create_topics(bootstrap_servers, &topics);
        copying
    }

    /// Produces the records numbered `numbers`.
    pub(crate) fn produce(&self, numbers: std::ops::Range<usize>) {
        let record = |number: usize| (format!("key-{number}"), number.to_string(), NO_HEADERS);
        testkit::produce(&self.bootstrap_servers, &self.source, numbers.map(record));
    }

    pub(crate) fn start(&self, instance: &str) -> Instance {
        let stop = Stop::new();
        let status = LaneStatus::new();
        let outputs = [OutputTopic {
            name: self.copy.as_str().into(),
            partitions: self.partitions,
            record_bytes_max: 1 << 20,
        }];
        let settings = LaneSettings {
            // Short, so that what a test breaks is found out soon.
            socket_timeout_ms: 4_000,
            transaction_timeout_ms: 10_000,
            session_timeout_ms: 6_000,
            records_max: self.records_max,
            aborts_max: self.aborts_max,
            client: self.client,
            ..LaneSettings::real_time()
        };
        let lane = LaneSpec {
            name: format!("{}-{instance}", self.copy),
            client: self.settings.clone(),
            settings,
            subscription: Subscription {
                group: format!("{}-group", self.copy),
                topics: vec![self.source.clone()],
                offset_reset: OffsetReset::Earliest,
            },
            outputs: Arc::new(outputs),
            handler: Copy { release: self.release.clone() },
            status: Arc::clone(&status),
        };
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || run_lanes(vec![lane], &stopped));
        Instance { stop, status, thread: Some(thread) }
    }

    /// Waits until `n` records are copied, then demands that each is there once, and only committed.
    #[track_caller]
    pub(crate) fn check_copied_once(&self, n: usize) {
        wait_until("every record copied", DEADLINE, || {
            let copied = self.copied();
            let missing = n - copied.len().min(n);
            if missing == 0 { Ok(()) } else { Err(format!("{missing} of {n} are missing")) }
        });
        let doubled: Vec<_> = self.copied().into_iter().filter(|(_, times)| *times != 1).collect();
        assert!(doubled.is_empty(), "copied more than once: {doubled:?}");
    }

    /// How often each value is in the copy.
    pub(crate) fn copied(&self) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        let copies =
            testkit::read_all(&self.bootstrap_servers, &self.copy, Isolation::ReadCommitted);
        for record in copies {
            *times.entry(record.value_text().to_owned()).or_default() += 1;
        }
        times
    }
}

impl Instance {
    /// Tells it to stop and demands that it ends in order and in time.
    #[track_caller]
    pub(crate) fn stop(self) {
        self.stop.request();
        self.end().expect("it ends in order");
    }

    /// Waits until it has ended, and says how.
    #[track_caller]
    pub(crate) fn end(mut self) -> Result<(), LaneError> {
        let thread = self.thread.take().expect("it ends once");
        wait_until("an instance to end", Duration::from_secs(20), || {
            if thread.is_finished() { Ok(()) } else { Err("it still runs".into()) }
        });
        thread.join().expect("it does not panic")
    }

    /// Waits until it has committed at least `n` records.
    #[track_caller]
    pub(crate) fn wait_for_records(&self, n: u64) {
        wait_until("records committed", DEADLINE, || {
            let records = self.status.records();
            if records >= n { Ok(()) } else { Err(format!("{records} of {n}")) }
        });
    }

    /// Waits until it has `n` partitions.
    #[track_caller]
    pub(crate) fn wait_for_partitions(&self, n: usize) {
        wait_until("partitions assigned", DEADLINE, || {
            let partitions = self.status.partitions().len();
            if partitions == n { Ok(()) } else { Err(format!("{partitions} instead of {n}")) }
        });
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.stop.request();
    }
}
