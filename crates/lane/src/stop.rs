use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Says to every thread that holds a clone of it that it is time to stop. Never taken back.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    failed: AtomicBool,
    requested: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// One that nobody has requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on [`Stop::is_requested`] is true, and every [`Stop::wait`] returns.
    pub fn request(&self) {
        *self.0.requested.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }

    /// Requests it because something failed: whoever ends the process does not end it well.
    pub fn fail(&self) {
        self.0.failed.store(true, Ordering::Release);
        self.request();
    }

    /// Whether something failed.
    pub fn has_failed(&self) -> bool {
        self.0.failed.load(Ordering::Acquire)
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        *self.0.requested.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it is requested, at most `timeout`; says whether it is.
    pub fn wait(&self, timeout: Duration) -> bool {
        let requested = self.0.requested.lock().unwrap_or_else(PoisonError::into_inner);
        let (requested, _) = self
            .0
            .changed
            .wait_timeout_while(requested, timeout, |requested| !*requested)
            .unwrap_or_else(PoisonError::into_inner);
        *requested
    }
}
