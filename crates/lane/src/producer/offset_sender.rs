use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::ConsumerGroupMetadata;
use rdkafka::error::KafkaError;
use rdkafka::producer::{Producer, ProducerContext, ThreadedProducer};

/// Sends a transaction's offsets from a thread of its own, so that the lane need not wait for ever.
///
/// The client's call does not keep to its time-out: where the group's coordinator dies in the middle of
/// it, librdkafka waits for that very broker to come back, though the coordinator is another by then.
pub(super) struct OffsetSender {
    jobs: Option<Sender<Job>>,
    answers: Receiver<Result<(), KafkaError>>,
    thread: Option<JoinHandle<()>>,
    timeout: Duration,
}

struct Job {
    offsets: TopicPartitionList,
    group: ConsumerGroupMetadata,
}

impl OffsetSender {
    /// What the call itself may take beyond its time-out.
    const SLACK: Duration = Duration::from_secs(1);

    pub(super) fn of<C: ProducerContext + 'static>(
        client: Arc<ThreadedProducer<C>>,
        timeout: Duration,
    ) -> Self {
        let (jobs, to_do) = mpsc::channel::<Job>();
        let (answer, answers) = mpsc::channel();
        let work = move || {
            for job in to_do {
                let sent = client.send_offsets_to_transaction(&job.offsets, &job.group, timeout);
                if answer.send(sent).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new()
            .name("offsets".to_owned())
            .spawn(work)
            .expect("a process that cannot start a thread cannot do its work");
        Self { jobs: Some(jobs), answers, thread: Some(thread), timeout }
    }

    /// [`KafkaError::Canceled`] where the client did not come back in time; it is of no use then.
    pub(super) fn send(
        &mut self,
        offsets: TopicPartitionList,
        group: ConsumerGroupMetadata,
    ) -> Result<(), KafkaError> {
        let jobs = self.jobs.as_ref().ok_or(KafkaError::Canceled)?;
        jobs.send(Job { offsets, group }).map_err(|_| KafkaError::Canceled)?;
        match self.answers.recv_timeout(self.timeout + Self::SLACK) {
            Ok(sent) => sent,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                // The thread is left to itself, and the client with it: what it still answers is nobody's.
                (self.jobs, self.thread) = (None, None);
                Err(KafkaError::Canceled)
            }
        }
    }
}

impl Drop for OffsetSender {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // Whoever makes the next producer does so when this one is gone.
            let _ = thread.join();
        }
    }
}
