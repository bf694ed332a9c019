use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use domain::Catalogue;

/// The catalogue in force, for whoever binds. Cheap to clone; all clones see the same.
#[derive(Clone, Debug)]
pub struct CatalogueHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    catalogue: ArcSwap<Catalogue>,
    malformed: AtomicU64,
    progress: Mutex<Progress>,
    changed: Condvar,
}

#[derive(Clone, Copy, Debug, Default)]
struct Progress {
    loaded: bool,
    /// When the catalogue in force came into force.
    published: Option<Instant>,
    stopped: bool,
}

impl Progress {
    const fn is_settled(self) -> bool {
        self.loaded || self.stopped
    }
}

/// How long somebody who waits may fail to see that he should stop.
const STOP_SEEN_WITHIN: Duration = Duration::from_millis(100);

impl Default for CatalogueHandle {
    fn default() -> Self {
        Self::new()
    }
}

impl CatalogueHandle {
    /// A handle to a catalogue that is empty until a [`Follower`](crate::Follower) is given it.
    pub fn new() -> Self {
        Self(Arc::new(Shared {
            catalogue: ArcSwap::from_pointee(Catalogue::empty()),
            malformed: AtomicU64::new(0),
            progress: Mutex::new(Progress::default()),
            changed: Condvar::new(),
        }))
    }

    /// A handle to a catalogue that nobody follows; for tests of handlers.
    pub fn fixed(catalogue: Catalogue) -> Self {
        let handle = Self::new();
        handle.publish(catalogue);
        handle.set_loaded();
        handle
    }

    /// The catalogue as it is now; empty before the first load.
    pub fn load(&self) -> Arc<Catalogue> {
        self.0.catalogue.load_full()
    }

    /// Whether the topic was once read to its end; binding before that would reject in vain.
    pub fn is_loaded(&self) -> bool {
        self.progress().loaded
    }

    /// How long the catalogue in force has been in force; `None` before the first load.
    pub fn age(&self) -> Option<Duration> {
        self.progress().published.map(|published| published.elapsed())
    }

    /// How many records of the topic were skipped because they are no templates.
    pub fn malformed(&self) -> u64 {
        self.0.malformed.load(Ordering::Relaxed)
    }

    /// Waits until it is loaded, or nobody follows any more, or `is_stopped`; says whether it is
    /// loaded.
    pub fn wait_until_loaded(&self, is_stopped: impl Fn() -> bool) -> bool {
        loop {
            let progress = self.wait(STOP_SEEN_WITHIN, |progress| progress.is_settled());
            if progress.is_settled() || is_stopped() {
                return progress.loaded;
            }
        }
    }

    pub(crate) fn publish(&self, catalogue: Catalogue) {
        self.0.catalogue.store(Arc::new(catalogue));
        self.update(|progress| progress.published = Some(Instant::now()));
    }

    pub(crate) fn set_loaded(&self) {
        self.update(|progress| progress.loaded = true);
    }

    pub(crate) fn set_malformed(&self, malformed: u64) {
        self.0.malformed.store(malformed, Ordering::Relaxed);
    }

    pub(crate) fn request_stop(&self) {
        self.update(|progress| progress.stopped = true);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.progress().stopped
    }

    /// Waits for a stop, at most `timeout`.
    pub(crate) fn wait_for_stop(&self, timeout: Duration) {
        self.wait(timeout, |progress| progress.stopped);
    }

    fn progress(&self) -> Progress {
        *self.0.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn update(&self, change: impl FnOnce(&mut Progress)) {
        change(&mut self.0.progress.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.changed.notify_all();
    }

    fn wait(&self, timeout: Duration, until: impl Fn(&Progress) -> bool) -> Progress {
        let progress = self.0.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let (progress, _) = self
            .0
            .changed
            .wait_timeout_while(progress, timeout, |progress| !until(progress))
            .unwrap_or_else(PoisonError::into_inner);
        *progress
    }
}
