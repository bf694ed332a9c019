//! Reads the topics back, each on a thread of its own, under `read_committed`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use domain::LaneKind;
use kafka::{
    ClientSettings, NextOffset, ReadError, ReadEvent, ReadRecord, Reader, TopicSpec, Topics,
};
use lane::Stop;

use super::ledger::Observation;
use super::observe::{Source, observe};
use super::traffic::Traffic;

/// How many observations may wait to be taken in.
const WAITING_MAX: usize = 20_000;
/// How long reading what is left may take at the end.
const FINISH_LIMIT: Duration = Duration::from_secs(60);
/// How long is waited for the readers before sending begins all the same.
const READY_LIMIT: Duration = Duration::from_secs(20);
/// How long a topic just created may be unknown.
const APPEAR_LIMIT: Duration = Duration::from_secs(10);

/// The readers of all topics that the check looks at.
pub(super) struct Readers {
    observations: Receiver<Result<Observation, ReadError>>,
    finish: Stop,
    threads: Vec<JoinHandle<()>>,
    n_ready: Arc<AtomicUsize>,
}

impl Readers {
    /// Starts to read every topic from its beginning.
    pub(super) fn start(
        client: &ClientSettings,
        topics: &Topics,
        traffic: Traffic,
    ) -> std::io::Result<Self> {
        let sources = [
            (Source::Intake(LaneKind::Rt), &topics.rt_event),
            (Source::Intake(LaneKind::Batch), &topics.batch_event),
            (Source::Assignment(LaneKind::Rt), &topics.rt_assignment),
            (Source::Assignment(LaneKind::Batch), &topics.batch_assignment),
            (Source::Journal, &topics.event_journal),
            (Source::Status, &topics.event_status),
            (Source::Log, &topics.delivery_log),
            (Source::DeadLetter, &topics.dead_letter),
            (Source::Held, &topics.held_event),
        ];
        let (sender, observations) = sync_channel(WAITING_MAX);
        let finish = Stop::new();
        let n_ready = Arc::<AtomicUsize>::default();
        let start = |(source, topic): (Source, &TopicSpec)| {
            let follower = Follower {
                client: client.clone(),
                topic: topic.clone(),
                source,
                traffic,
                sender: sender.clone(),
                finish: finish.clone(),
                n_ready: Arc::clone(&n_ready),
                positions: (0..topic.partitions)
                    .map(|partition| (partition, NextOffset::START))
                    .collect(),
            };
            Builder::new().name(format!("read {}", topic.name)).spawn(move || follower.run())
        };
        let threads: std::io::Result<Vec<JoinHandle<()>>> =
            sources.into_iter().map(start).collect();
        Ok(Self { observations, finish, threads: threads?, n_ready })
    }

    /// Waits until every topic was read to its end once, or until `stop`: a latency shall not have in
    /// it how long a reader takes to connect.
    pub(super) fn wait_until_ready(&self, stop: &Stop) {
        let started = Instant::now();
        while self.n_ready.load(Ordering::Acquire) < self.threads.len()
            && started.elapsed() < READY_LIMIT
            && !stop.wait(Duration::from_millis(5))
        {}
    }

    /// The next observation; `None` if none comes within `timeout`.
    ///
    /// # Errors
    /// Where a topic cannot be read.
    pub(super) fn next(&self, timeout: Duration) -> Result<Option<Observation>, ReadError> {
        self.observations.recv_timeout(timeout).ok().transpose()
    }

    /// Reads every topic to the end it has now, and ends.
    ///
    /// # Errors
    /// Where a topic cannot be read.
    pub(super) fn finish(self, mut take: impl FnMut(Observation)) -> Result<(), ReadError> {
        self.finish.request();
        for observation in &self.observations {
            take(observation?);
        }
        for thread in self.threads {
            // A panic of a reader has been printed, and what it did not read is found missing.
            let _ = thread.join();
        }
        Ok(())
    }
}

struct Follower {
    client: ClientSettings,
    topic: TopicSpec,
    source: Source,
    traffic: Traffic,
    sender: SyncSender<Result<Observation, ReadError>>,
    finish: Stop,
    n_ready: Arc<AtomicUsize>,
    positions: BTreeMap<i32, NextOffset>,
}

/// Nobody takes observations any more.
struct Abandoned;

impl Follower {
    fn run(mut self) {
        let sender = self.sender.clone();
        let result = self.follow().and_then(|followed| match followed {
            Ok(()) => self.read_to_end(),
            Err(Abandoned) => Ok(()),
        });
        if let Err(error) = result {
            // Nobody may be there to hear it.
            let _ = sender.send(Err(error));
        }
    }

    /// Reads until it is time to finish.
    fn follow(&mut self) -> Result<Result<(), Abandoned>, ReadError> {
        let started = Instant::now();
        let mut reader = self.open()?;
        let mut unread: BTreeSet<i32> = self.positions.keys().copied().collect();
        while !self.finish.is_requested() {
            match reader.poll(Duration::from_millis(50)) {
                Ok(Some(ReadEvent::Record(record))) => {
                    let position = record.offset().next();
                    self.positions.insert(record.partition(), position);
                    if self.sender.send(Ok(self.observe(&record))).is_err() {
                        return Ok(Err(Abandoned));
                    }
                }
                Ok(Some(ReadEvent::End(partition))) => {
                    if unread.remove(&partition) && unread.is_empty() {
                        self.n_ready.fetch_add(1, Ordering::AcqRel);
                    }
                }
                Ok(None) => {}
                Err(ReadError::UnknownTopic(_)) if started.elapsed() < APPEAR_LIMIT => {
                    self.finish.wait(Duration::from_millis(50));
                    reader = self.open()?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Ok(()))
    }

    /// With a reader of its own, which is told of every partition's end once more.
    fn read_to_end(&self) -> Result<(), ReadError> {
        self.open()?.read_to_end(FINISH_LIMIT, |record| {
            let _ = self.sender.send(Ok(self.observe(record)));
        })
    }

    fn open(&self) -> Result<Reader, ReadError> {
        let positions: Vec<(i32, NextOffset)> =
            self.positions.iter().map(|(partition, next)| (*partition, *next)).collect();
        Reader::open(&self.client, &self.topic.name, &positions)
    }

    fn observe(&self, record: &ReadRecord<'_>) -> Observation {
        observe(self.source, &self.topic.name, record, self.traffic, Instant::now())
    }
}
