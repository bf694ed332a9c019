use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use domain::Catalogue;
use kafka::{ClientSettings, NextOffset, ReadError, ReadEvent, Reader, SettingsError};
use tracing::{debug, info, warn};

use crate::{Applying, CatalogueHandle};

/// `message-template` has one partition.
const PARTITION: i32 = 0;
/// How soon a stop is noticed while nothing is published.
const POLL_TIMEOUT: Duration = Duration::from_millis(200);
/// A broker may notice only at the end of a fetch that a transaction was committed, so a publication
/// comes into force that much later at most. What is fetched ahead is memory on top of the catalogue
/// while it loads.
const PROPERTIES: [(&str, &str); 2] =
    [("fetch.wait.max.ms", "50"), ("queued.max.messages.kbytes", "4096")];
/// Pause before a reader that failed is opened anew.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// Reads the topic of templates for as long as it lives and keeps the catalogue up to date.
///
/// One thread. Waits for a broker by itself, before the first record and at any time later; meanwhile
/// the last catalogue stays in force. Stops when it is dropped.
#[derive(Debug)]
pub struct Follower {
    handle: CatalogueHandle,
    thread: Option<JoinHandle<()>>,
}

/// Why the topic cannot be followed at all.
#[derive(Debug, thiserror::Error)]
pub enum FollowError {
    /// The client's settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The operating system gives no thread.
    #[error("the thread that follows the templates cannot be started")]
    Thread(#[source] io::Error),
}

impl Follower {
    /// Starts to follow `topic` and returns at once; see [`Follower::wait_until_loaded`].
    ///
    /// # Errors
    /// [`FollowError`]; a broker that does not answer is none.
    pub fn start(settings: &ClientSettings, topic: &str) -> Result<Self, FollowError> {
        Self::start_for(CatalogueHandle::new(), settings, topic)
    }

    /// The same for a handle that somebody has already, and that nobody follows yet.
    ///
    /// # Errors
    /// As [`Follower::start`].
    pub fn start_for(
        handle: CatalogueHandle,
        settings: &ClientSettings,
        topic: &str,
    ) -> Result<Self, FollowError> {
        settings.validate()?;
        let work = Following {
            settings: settings.clone(),
            topic: topic.to_owned(),
            handle: handle.clone(),
            applying: Applying::default(),
            started: Instant::now(),
        };
        let thread = thread::Builder::new()
            .name("catalogue".into())
            .spawn(move || work.run())
            .map_err(FollowError::Thread)?;
        Ok(Self { handle, thread: Some(thread) })
    }

    /// The catalogue as it is now; empty before the first load.
    pub fn snapshot(&self) -> Arc<Catalogue> {
        self.handle.load()
    }

    /// For lanes.
    pub fn handle(&self) -> CatalogueHandle {
        self.handle.clone()
    }

    /// Whether the topic was once read to its end.
    pub fn is_loaded(&self) -> bool {
        self.handle.is_loaded()
    }

    /// Waits until it is loaded, or `is_stopped`; says whether it is loaded.
    pub fn wait_until_loaded(&self, is_stopped: impl Fn() -> bool) -> bool {
        self.handle.wait_until_loaded(is_stopped)
    }

    /// How many records were skipped because they are no templates.
    pub fn malformed(&self) -> u64 {
        self.handle.malformed()
    }

    /// Stops following and waits for the thread; the last catalogue stays with the handles.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.handle.request_stop();
        // A panic of that thread was printed when it happened.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

struct Following {
    settings: ClientSettings,
    topic: String,
    handle: CatalogueHandle,
    applying: Applying,
    started: Instant,
}

impl Following {
    fn run(mut self) {
        while !self.handle.is_stopped() {
            if let Err(error) = self.follow() {
                let source = std::error::Error::source(&error).map(ToString::to_string);
                warn!(%error, source, "templates cannot be read, trying again");
                self.handle.wait_for_stop(REOPEN_AFTER);
            }
        }
    }

    /// Reads from where the last reader ended until a stop or a failure.
    fn follow(&mut self) -> Result<(), ReadError> {
        let position = NextOffset::from_committed(self.applying.next().0);
        let reader =
            Reader::open_with(&self.settings, &self.topic, &[(PARTITION, position)], &PROPERTIES)?;
        while !self.handle.is_stopped() {
            match reader.poll(POLL_TIMEOUT)? {
                None => {}
                Some(ReadEvent::Record(record)) => {
                    let offset = record.offset().get();
                    let headers = record.headers();
                    self.applying.apply(offset, record.key(), record.value(), headers.iter());
                }
                Some(ReadEvent::End(_)) => self.reach_end(),
            }
        }
        Ok(())
    }

    /// The last transaction was read whole: what it published comes into force.
    fn reach_end(&mut self) {
        self.handle.set_malformed(self.applying.malformed());
        if let Some(catalogue) = self.applying.settle() {
            let (n_templates, revision) = (catalogue.len(), catalogue.revision().0);
            self.handle.publish(catalogue);
            debug!(n_templates, revision, "catalogue in force");
        }
        if !self.handle.is_loaded() {
            let catalogue = self.handle.load();
            info!(
                n_templates = catalogue.len(),
                revision = catalogue.revision().0,
                malformed = self.applying.malformed(),
                after_ms = self.started.elapsed().as_millis(),
                "catalogue loaded"
            );
            self.handle.set_loaded();
        }
    }
}
