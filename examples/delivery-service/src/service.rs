//! The loop: read some assignments, make and send their messages, report, commit.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use tracing::warn;

use crate::contents::Contents;
use crate::contract::{Assignment, Form, Trace};
use crate::files::Folder;
use crate::render::{Message as Rendered, render};
use crate::report::{Reporter, content_error, reports, too_late};
use crate::settings::Settings;

/// How many assignments are handled between two commits, at most.
const BATCH_RECORDS_MAX: usize = 1000;
/// How long assignments are collected for one commit, at most.
const BATCH_TIME_MAX: Duration = Duration::from_millis(200);
/// How many assignment ids are remembered.
const REMEMBERED_MAX: usize = 100_000;

/// What a running service has done so far; for whoever watches it.
#[derive(Debug, Default)]
pub struct Progress {
    /// Assignments whose reports the broker has, apart from the late ones.
    pub handled: AtomicU64,
    /// Assignments that came a second time and were left alone.
    pub repeated: AtomicU64,
    /// Messages that could not be made.
    pub content_errors: AtomicU64,
    /// Reports that the broker has.
    pub reported: AtomicU64,
    /// Reports that wait for their time.
    pub reports_waiting: AtomicU64,
}

/// Runs until `stop` is set.
///
/// An assignment is committed only after its reports have arrived, so that none is ever lost; after
/// a crash some may come again. Their id says so: a service that really sends writes the id where it
/// writes that it sent. This one remembers the last 100,000 in memory, and a repeated message is the
/// same file.
///
/// # Errors
/// Where the broker does not take reports for 30 s, or a message cannot be written to its file.
pub fn run(settings: &Settings, progress: &Progress, stop: &AtomicBool) -> anyhow::Result<()> {
    let consumer = subscribe(settings)?;
    let mut service = Service {
        contents: Contents::open(settings)?,
        reporter: Reporter::new(settings)?,
        folder: Folder::new(settings.out.clone(), settings.files_max),
        remembered: Remembered::default(),
        settings,
        progress,
    };
    while !stop.load(Ordering::Acquire) {
        let started = Instant::now();
        let mut n_read = 0;
        while n_read < BATCH_RECORDS_MAX && started.elapsed() < BATCH_TIME_MAX {
            match consumer.poll(Duration::from_millis(20)) {
                None => break,
                Some(Err(KafkaError::PartitionEOF(_))) => {}
                Some(Err(error)) => warn!(%error, "assignments cannot be read now"),
                Some(Ok(record)) => {
                    service.handle(&record)?;
                    consumer.store_offset_from_message(&record)?;
                    n_read += 1;
                }
            }
        }
        service.reporter.write_due()?;
        service.reporter.flush()?;
        if n_read > 0 {
            // A partition may have moved on meanwhile: its new owner handles what is not committed.
            if let Err(error) = consumer.commit_consumer_state(CommitMode::Sync) {
                warn!(%error, "offsets are not committed; some assignments will come again");
            }
        }
        service.count(n_read);
    }
    leave(&consumer);
    Ok(())
}

/// Leaves the group before the client is closed. A client that is closed while an assignment waits to be
/// served may hang (librdkafka issue 4041); what comes here is not committed, so it comes again.
fn leave(consumer: &BaseConsumer) {
    consumer.unsubscribe();
    let asked = Instant::now();
    while asked.elapsed() < BATCH_TIME_MAX {
        let _ = consumer.poll(Duration::from_millis(20));
    }
}

fn subscribe(settings: &Settings) -> anyhow::Result<BaseConsumer> {
    let consumer: BaseConsumer = settings
        .client()
        .set("group.id", &settings.group)
        // Without it, assignments of transactions that were never committed would be sent.
        .set("isolation.level", "read_committed")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", "earliest")
        .create()?;
    let topics: Vec<&str> = settings.assignments.iter().map(String::as_str).collect();
    consumer.subscribe(&topics).context("the assignment topics cannot be subscribed to")?;
    Ok(consumer)
}

struct Service<'a> {
    contents: Contents,
    reporter: Reporter,
    folder: Folder,
    remembered: Remembered,
    settings: &'a Settings,
    progress: &'a Progress,
}

impl Service<'_> {
    fn handle(&mut self, record: &BorrowedMessage<'_>) -> anyhow::Result<()> {
        let form = Form::of(crate::header(record, "content-type"));
        let value = record.payload().unwrap_or_default();
        let assignment = match form.and_then(|form| Assignment::decode(form, value)) {
            Ok(assignment) => Assignment { trace: trace(record), ..assignment },
            Err(error) => {
                let (topic, offset) = (record.topic(), record.offset());
                warn!(topic, offset, %error, "an assignment cannot be read and is skipped");
                return Ok(());
            }
        };
        if !self.remembered.insert(&assignment.assignment_id) {
            self.progress.repeated.fetch_add(1, Ordering::AcqRel);
            return Ok(());
        }
        let now = jiff::Timestamp::now();
        if assignment.expiration.is_some_and(|expiration| expiration < now) {
            return self.reporter.write(&too_late(&assignment, now));
        }
        match self.message(&assignment) {
            Ok(message) => {
                self.folder
                    .write(&assignment.assignment_id, &assignment.channel, &message)
                    .context("a message cannot be written to its file")?;
                self.report(&assignment, now)
            }
            Err(error) => {
                warn!(assignment = assignment.assignment_id, %error, "no message could be made");
                self.progress.content_errors.fetch_add(1, Ordering::AcqRel);
                self.reporter.write(&content_error(&assignment, now))
            }
        }
    }

    fn message(&mut self, assignment: &Assignment) -> anyhow::Result<Rendered> {
        let content = self
            .contents
            .get(&assignment.template_id, assignment.version)
            .context("its template's content is not there")?;
        Ok(render(content, assignment)?)
    }

    fn report(&mut self, assignment: &Assignment, now: jiff::Timestamp) -> anyhow::Result<()> {
        let fate = self.settings.mix.fate(&assignment.assignment_id);
        for (log, later) in reports(assignment, fate, now) {
            if later {
                self.reporter.write_later(log);
            } else {
                self.reporter.write(&log)?;
            }
        }
        Ok(())
    }

    fn count(&self, n_handled: usize) {
        let progress = self.progress;
        progress.reports_waiting.store(self.reporter.n_waiting() as u64, Ordering::Release);
        progress.reported.store(self.reporter.n_written(), Ordering::Release);
        progress.handled.fetch_add(n_handled as u64, Ordering::AcqRel);
    }
}

fn trace(record: &BorrowedMessage<'_>) -> Trace {
    let owned = |name| crate::header(record, name).map(<[u8]>::to_vec);
    Trace { parent: owned("traceparent"), state: owned("tracestate") }
}

/// The last ids that came.
#[derive(Default)]
struct Remembered {
    ids: HashSet<String>,
    order: VecDeque<String>,
}

impl Remembered {
    /// Whether `id` is new.
    fn insert(&mut self, id: &str) -> bool {
        if !self.ids.insert(id.to_owned()) {
            return false;
        }
        self.order.push_back(id.to_owned());
        if self.order.len() > REMEMBERED_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_new_once_until_it_is_forgotten() {
        let mut remembered = Remembered::default();
        assert!(remembered.insert("first"));
        assert!(!remembered.insert("first"));
        for n in 0..REMEMBERED_MAX {
            assert!(remembered.insert(&n.to_string()));
        }
        assert!(remembered.insert("first"));
        assert_eq!(remembered.ids.len(), REMEMBERED_MAX);
    }
}
