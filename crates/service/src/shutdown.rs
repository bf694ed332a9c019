use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lane::Stop;

use crate::exit::Exit;

/// The request to stop, shared by everything in a process, with the code the process shall end
/// with. It is made once and never withdrawn.
#[derive(Clone, Debug, Default)]
pub struct Shutdown {
    stop: Stop,
    asked: Arc<OnceLock<Exit>>,
}

impl Shutdown {
    /// One that nobody has requested.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks everything to drain and leave. The first request decides the code.
    pub fn request(&self, exit: Exit) {
        // A later request finds it set.
        let _ = self.asked.set(exit);
        self.stop.request();
    }

    /// What lanes and other threads look at and wait on.
    pub fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Whether it was requested.
    pub fn is_requested(&self) -> bool {
        self.stop.is_requested()
    }

    /// The code the first request asked for; where the stop came without one, whether a lane failed
    /// decides.
    pub fn exit(&self) -> Exit {
        let bare = if self.stop.has_failed() { Exit::Internal } else { Exit::Ok };
        self.asked.get().copied().unwrap_or(bare)
    }

    /// Waits for the request and returns the code it asks for.
    pub fn wait(&self) -> Exit {
        while !self.stop.wait(Duration::from_secs(3600)) {}
        self.exit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_decides_the_code() {
        let shutdown = Shutdown::new();
        assert!(!shutdown.is_requested());
        shutdown.request(Exit::Internal);
        shutdown.request(Exit::Ok);
        assert_eq!((shutdown.is_requested(), shutdown.wait()), (true, Exit::Internal));
    }

    #[test]
    fn a_lane_that_fails_does_not_end_well() {
        let shutdown = Shutdown::new();
        shutdown.stop().fail();
        assert_eq!(shutdown.wait(), Exit::Internal);
    }

    #[test]
    fn a_bare_stop_ends_well() {
        let shutdown = Shutdown::new();
        shutdown.stop().request();
        assert_eq!(shutdown.wait(), Exit::Ok);
    }
}
