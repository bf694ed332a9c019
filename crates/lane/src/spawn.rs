use std::sync::Arc;
use std::thread;

use kafka::ClientSettings;
use tracing::{error, info_span};

use crate::engine::{self, LaneError};
use crate::{Handler, LaneSettings, LaneStatus, OutputTopic, Phase, Stop, Subscription};

/// One lane to run.
pub struct LaneSpec<H> {
    /// Its name, stable over restarts and unique in the installation: `<app>-<instance>-<number>`.
    /// It is its transactional id and its client id.
    pub name: String,
    /// How to reach the brokers.
    pub client: ClientSettings,
    /// How it paces itself.
    pub settings: LaneSettings,
    /// What it reads.
    pub subscription: Subscription,
    /// What it may write to.
    pub outputs: Arc<[OutputTopic]>,
    /// What it does with a record.
    pub handler: H,
    /// Where it tells what it is doing.
    pub status: Arc<LaneStatus>,
}

/// Runs each lane on a thread of its own until `stop` is requested or one fails; then all stop.
///
/// # Errors
/// The first lane's failure. The process should leave: its successor replays from the offsets.
pub fn run_lanes<H: Handler>(lanes: Vec<LaneSpec<H>>, stop: &Stop) -> Result<(), LaneError> {
    thread::scope(|scope| {
        let threads: Vec<_> = lanes
            .into_iter()
            .map(|lane| {
                let name = lane.name.clone();
                let run = move || run_lane(lane, stop);
                thread::Builder::new()
                    .name(name)
                    .spawn_scoped(scope, run)
                    .expect("a process that cannot start a thread cannot do its work")
            })
            .collect();
        let mut first_failure = Ok(());
        for thread in threads {
            let ended = thread.join().unwrap_or(Err(LaneError::Panicked));
            if first_failure.is_ok() {
                first_failure = ended;
            }
        }
        first_failure
    })
}

fn run_lane<H: Handler>(lane: LaneSpec<H>, stop: &Stop) -> Result<(), LaneError> {
    // A panic, too, has to stop the other lanes, or a process would go on with half of its work.
    let unfinished = FailOnDrop(stop);
    let status = Arc::clone(&lane.status);
    // Every line of this thread says whose it is, those of the callbacks too.
    let _lane = info_span!("lane", id = %lane.name).entered();
    let ended = engine::run(lane, stop);
    match &ended {
        Ok(()) => {
            std::mem::forget(unfinished);
            stop.request();
            status.set_phase(Phase::Ended);
        }
        Err(failure) => {
            status.set_phase(Phase::Failed);
            error!(error = %kafka::Chain(failure), "a lane failed");
        }
    }
    ended
}

struct FailOnDrop<'a>(&'a Stop);

impl Drop for FailOnDrop<'_> {
    fn drop(&mut self) {
        self.0.fail();
    }
}
