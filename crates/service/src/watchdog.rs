use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::exit::say;
use crate::shutdown::Shutdown;

/// Leaves the process when draining takes too long: closing a Kafka client without a broker may
/// never end. Leaving is safe at any moment, since what is not committed is read again.
///
/// Dropping it calls the dog off.
#[must_use = "dropping it calls the watchdog off"]
pub struct Watchdog {
    _drained: Sender<()>,
}

impl Watchdog {
    /// From the moment of the request the process has `limit` to end, then it is ended with the code
    /// the request asked for.
    ///
    /// # Errors
    /// When the system refuses to start a thread.
    pub fn start(program: &'static str, shutdown: Shutdown, limit: Duration) -> io::Result<Self> {
        let (drained, over) = mpsc::channel();
        thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
            let exit = shutdown.wait();
            // Nothing is ever sent: the channel closes when the watchdog is dropped.
            if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                say(&format!("{program}: not drained after {limit:?}, leaving all the same"));
                std::process::exit(exit.code().into());
            }
        })?;
        Ok(Self { _drained: drained })
    }
}
