//! What is tried until it is answered, and what becomes of a transaction where it is not.

use native_client::{Backoff, CallError, Ended, Over, Patience};
use tracing::debug;

use crate::cluster::{Cluster, Coordinator};
use crate::error::Cause;
use crate::verdict::{Request, Verdict, verdict};

/// Why a transaction cannot be committed.
pub(crate) enum Failure {
    /// It has to be ended, and begun again; while initialising: it has to be tried again.
    Abort(Cause),
    /// Only a new producer helps, or there is no more time.
    Renew(Cause),
}

/// What is tried until it is answered: how often to wait, for how long, and why the last time.
pub(crate) struct Trial<'p> {
    pub(crate) request: Request,
    pub(crate) patience: &'p Patience<'p>,
    short: Backoff,
    long: Backoff,
    pub(crate) last: Option<Cause>,
}

impl<'p> Trial<'p> {
    pub(crate) fn of(request: Request, patience: &'p Patience<'p>) -> Self {
        let (short, long) = (Backoff::short(), Backoff::long());
        Self { request, patience, short, long, last: None }
    }

    /// Waits before the next try.
    fn pause(&mut self, verdict: Verdict, cause: Cause) -> Result<(), Failure> {
        let pause = match verdict {
            Verdict::Wait => self.short.next(),
            Verdict::Done
            | Verdict::Again
            | Verdict::Relocate
            | Verdict::Abort
            | Verdict::Split
            | Verdict::Renew
            | Verdict::Refuse => {
                debug!(request = ?self.request, error = %cause, "trying again");
                self.long.next()
            }
        };
        self.last = Some(cause);
        self.patience.pause(pause).map_err(|over| self.over(over))
    }

    fn over(&mut self, over: Over) -> Failure {
        Failure::Renew(match over {
            Over::Stopped => Cause::Stopped(self.request),
            Over::TimedOut => {
                Cause::TimedOut { request: self.request, last: self.last.take().map(Box::new) }
            }
        })
    }

    /// A request without an answer is made again, after a pause, unless there is no more time.
    pub(crate) fn lost(&mut self, source: CallError) -> Result<(), Failure> {
        if let CallError::Over(Ended(over)) = source {
            return Err(self.over(over));
        }
        self.pause(Verdict::Again, Cause::Connection { request: self.request, source })
    }

    /// Goes on after an error code, or says why not. The caller looks the place up if it has to.
    pub(crate) fn answered(&mut self, request: Request, code: i16) -> Result<Verdict, Failure> {
        let cause = Cause::Answered { request, code };
        match verdict(request, code) {
            Verdict::Done => Ok(Verdict::Done),
            again @ (Verdict::Wait | Verdict::Again | Verdict::Relocate) => {
                self.pause(again, cause)?;
                Ok(again)
            }
            Verdict::Abort | Verdict::Split => Err(Failure::Abort(cause)),
            Verdict::Renew | Verdict::Refuse => Err(Failure::Renew(cause)),
        }
    }
}

/// Finds a coordinator, waiting for one.
pub(crate) fn coordinator(
    cluster: &mut Cluster,
    kind: Coordinator,
    key: &str,
    trial: &mut Trial<'_>,
) -> Result<i32, Failure> {
    loop {
        match cluster.coordinator(kind, key, trial.patience) {
            Ok(Ok(node)) => return Ok(node),
            Ok(Err(code)) => {
                trial.answered(Request::FindCoordinator, code)?;
            }
            Err(lost) => trial.lost(lost)?,
        }
    }
}
