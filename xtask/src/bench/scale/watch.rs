use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kafka::{ClientSettings, NextOffset, ReadEvent, Reader, TopicSpec};
use lane::Stop;

/// The longest time without a new assignment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    /// In the topic as a whole.
    pub(super) of_topic: Duration,
    /// In the partition that waited longest.
    pub(super) of_partition: Duration,
}

/// Reads one topic under read_committed on a thread of its own and notes when records come.
pub(super) struct Watch {
    arrivals: Arc<Mutex<Arrivals>>,
    partitions: usize,
}

type Arrivals = Vec<(usize, Instant)>;

impl Watch {
    pub(super) fn start(
        client: &ClientSettings,
        topic: &TopicSpec,
        stop: &Stop,
    ) -> anyhow::Result<Self> {
        let positions: Vec<_> = (0..topic.partitions).map(|one| (one, NextOffset::START)).collect();
        let reader = Reader::open(client, &topic.name, &positions)?;
        let arrivals: Arc<Mutex<Arrivals>> = Arc::default();
        let (noted, stop) = (Arc::clone(&arrivals), stop.clone());
        std::thread::spawn(move || {
            while !stop.is_requested() {
                match reader.poll(Duration::from_millis(100)) {
                    Ok(Some(ReadEvent::Record(record))) => {
                        let partition = usize::try_from(record.partition()).unwrap_or_default();
                        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                        noted.push((partition, Instant::now()));
                    }
                    Ok(Some(ReadEvent::End(_)) | None) => {}
                    Err(error) => return crate::report(&format!("reading stopped: {error}")),
                }
            }
        });
        Ok(Self { arrivals, partitions: usize::try_from(topic.partitions)? })
    }

    /// Waits until anything came.
    pub(super) fn wait_for_first(&self, limit: Duration) {
        testkit::wait_until("a first assignment", limit, || {
            if self.arrivals().is_empty() { Err("none".to_owned()) } else { Ok(()) }
        });
    }

    /// The longest pause from `began` until now; one that goes on counts too.
    pub(super) fn pause_since(&self, began: Instant) -> Pause {
        let now = Instant::now();
        let mut last_of_topic = began;
        let mut last = vec![began; self.partitions];
        let mut pause = Pause::default();
        for &(partition, at) in self.arrivals().iter().filter(|(_, at)| *at >= began) {
            pause.of_topic = pause.of_topic.max(at - last_of_topic);
            pause.of_partition = pause.of_partition.max(at - last[partition]);
            (last_of_topic, last[partition]) = (at, at);
        }
        pause.of_topic = pause.of_topic.max(now - last_of_topic);
        let waiting = last.into_iter().map(|last| now - last).max().unwrap_or_default();
        pause.of_partition = pause.of_partition.max(waiting);
        pause
    }

    fn arrivals(&self) -> MutexGuard<'_, Arrivals> {
        self.arrivals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
