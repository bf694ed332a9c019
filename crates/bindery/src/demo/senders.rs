//! Sends the events: those of the rt side at a steady rate, those of the batch side in bulk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use domain::LaneKind;
use kafka::{ClientSettings, SendError, Sender, Topics};
use lane::Stop;

use super::traffic::Traffic;

/// How many real-time events are sent in a second.
const RT_PER_SECOND: u32 = 1_000;
/// How long the broker may take for the last events.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// The two senders at work.
pub(super) struct Senders {
    started: Instant,
    due: Arc<DueTimes>,
    threads: Vec<JoinHandle<Result<(), SendError>>>,
}

/// When each event was due to be sent, in microseconds after the start; 0: not yet.
///
/// A latency is counted from here, so that a sender who falls behind hides nothing.
struct DueTimes(Vec<AtomicU64>);

/// Two senders that connect while the services start, so that no event has to wait for it.
pub(super) struct ReadySenders {
    rt: Sender,
    batch: Sender,
}

impl ReadySenders {
    /// Begins to connect.
    pub(super) fn connect(client: &ClientSettings) -> Result<Self, SendError> {
        Ok(Self {
            rt: Sender::new(client, &[("linger.ms", "0")])?,
            batch: Sender::new(client, &[("linger.ms", "5")])?,
        })
    }

    /// Begins to send.
    pub(super) fn start(
        self,
        topics: &Topics,
        traffic: Traffic,
        stop: &Stop,
    ) -> std::io::Result<Senders> {
        let started = Instant::now();
        let due = Arc::new(DueTimes((0..traffic.len()).map(|_| AtomicU64::new(0)).collect()));
        let sides = [
            (LaneKind::Rt, self.rt, &topics.rt_event.name, Some(RT_PER_SECOND)),
            (LaneKind::Batch, self.batch, &topics.batch_event.name, None),
        ];
        let start = |(lane, sender, topic, per_second): (LaneKind, _, &String, _)| {
            let side = Side {
                sender,
                topic: topic.clone(),
                lane,
                per_second,
                traffic,
                started,
                due: Arc::clone(&due),
                stop: stop.clone(),
            };
            Builder::new().name(format!("send {}", lane.as_str())).spawn(move || side.run())
        };
        let threads: std::io::Result<Vec<_>> = sides.into_iter().map(start).collect();
        Ok(Senders { started, due, threads: threads? })
    }
}

impl Senders {
    /// When sending began.
    pub(super) fn started(&self) -> Instant {
        self.started
    }

    /// Whether everything is sent, or a sender has given up.
    pub(super) fn are_finished(&self) -> bool {
        self.threads.iter().all(JoinHandle::is_finished)
    }

    /// How long after it was due something happened to event `number`; `None` if it was never due.
    pub(super) fn latency(&self, number: usize, at: Instant) -> Option<Duration> {
        let due = self.due.0.get(number)?.load(Ordering::Acquire);
        let since = at.saturating_duration_since(self.started);
        (due > 0).then(|| since.saturating_sub(Duration::from_micros(due)))
    }

    /// Waits for the senders.
    ///
    /// # Errors
    /// Where the broker did not take all events.
    pub(super) fn join(&mut self) -> Result<(), SendError> {
        for thread in self.threads.drain(..) {
            // A panic has been printed, and what was not sent is found missing.
            thread.join().unwrap_or(Ok(()))?;
        }
        Ok(())
    }
}

/// One sender.
struct Side {
    sender: Sender,
    topic: String,
    lane: LaneKind,
    per_second: Option<u32>,
    traffic: Traffic,
    started: Instant,
    due: Arc<DueTimes>,
    stop: Stop,
}

impl Side {
    fn run(self) -> Result<(), SendError> {
        let interval = self.per_second.map(|per_second| Duration::from_secs(1) / per_second);
        let mut due = self.started.elapsed();
        for number in self.traffic.numbers(self.lane) {
            match interval {
                Some(interval) => {
                    due += interval;
                    let early = due.saturating_sub(self.started.elapsed());
                    if !early.is_zero() {
                        self.stop.wait(early);
                    }
                }
                None => due = self.started.elapsed(),
            }
            if self.stop.is_requested() {
                break;
            }
            let micros = u64::try_from(due.as_micros()).unwrap_or(u64::MAX).max(1);
            self.due.0[number].store(micros, Ordering::Release);
            let record = self.traffic.record(number);
            let headers: Vec<(&str, &[u8])> =
                record.headers.iter().map(|(name, value)| (*name, value.as_slice())).collect();
            let key = Some(record.key.as_bytes());
            self.sender.send(&self.topic, None, key, record.value.as_deref(), &headers)?;
        }
        self.sender.flush(FLUSH_TIMEOUT)
    }
}
