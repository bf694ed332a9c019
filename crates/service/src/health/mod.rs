//! What the orchestrator asks: is it alive, is it ready, has it started?
//!
//! None of the answers depends on a broker being reachable now: an outage of the cluster must not
//! become a storm of restarts.

mod lane_health;
mod server;

pub use lane_health::LaneHealth;
pub use server::HealthServer;

use std::sync::{Arc, PoisonError, RwLock};

use serde::Serialize;

use crate::shutdown::Shutdown;

/// A part of the process whose state decides the answers.
pub trait HealthSource: Send + Sync {
    /// What it is called in the answers.
    fn name(&self) -> &str;

    /// Whether it still moves. A refusal gets the process killed, so it must mean that only a
    /// restart helps; the absence of a broker never does. `now_ms` is milliseconds since the epoch.
    ///
    /// # Errors
    /// What has come to a standstill.
    fn live(&self, now_ms: i64) -> Result<(), String>;

    /// Whether it does its work or would if there were any. Having no partitions is fine.
    ///
    /// # Errors
    /// What it waits for.
    fn ready(&self) -> Result<(), String>;

    /// Whether it has got through its start.
    fn started(&self) -> bool;
}

/// The health of a process: of all its parts, and of its being asked to stop.
#[derive(Clone, Default)]
pub struct Health {
    sources: Arc<RwLock<Vec<Arc<dyn HealthSource>>>>,
    shutdown: Shutdown,
}

/// The answer to one question: the parts that say no, and why.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    problems: Vec<Problem>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    part: String,
    problem: String,
}

impl Answer {
    pub(crate) fn is_yes(&self) -> bool {
        self.problems.is_empty()
    }

    fn no(part: &str, problem: &str) -> Self {
        Self { problems: vec![Problem { part: part.to_owned(), problem: problem.to_owned() }] }
    }
}

/// What the parts are called that are not a source.
const PROCESS: &str = "process";

impl Health {
    /// The health of a process without parts: alive, neither started nor ready.
    pub fn new(shutdown: Shutdown) -> Self {
        Self { sources: Arc::default(), shutdown }
    }

    /// Adds a part. To be called before the part starts, or the process may be ready too early.
    pub fn watch(&self, source: Arc<dyn HealthSource>) {
        self.sources.write().unwrap_or_else(PoisonError::into_inner).push(source);
    }

    pub(crate) fn live(&self, now_ms: i64) -> Answer {
        self.ask(|source| source.live(now_ms))
    }

    pub(crate) fn ready(&self) -> Answer {
        if self.shutdown.is_requested() {
            return Answer::no(PROCESS, "draining");
        }
        if self.is_empty() {
            return Answer::no(PROCESS, "starting");
        }
        self.ask(|source| source.ready())
    }

    pub(crate) fn started(&self) -> Answer {
        if self.is_empty() {
            return Answer::no(PROCESS, "starting");
        }
        self.ask(|source| source.started().then_some(()).ok_or_else(|| "starting".to_owned()))
    }

    fn is_empty(&self) -> bool {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn ask(&self, question: impl Fn(&dyn HealthSource) -> Result<(), String>) -> Answer {
        let sources = self.sources.read().unwrap_or_else(PoisonError::into_inner);
        let problems = sources.iter().filter_map(|source| {
            let problem = question(&**source).err()?;
            Some(Problem { part: source.name().to_owned(), problem })
        });
        Answer { problems: problems.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    struct Part {
        started: bool,
        ready: bool,
        live: bool,
    }

    impl HealthSource for Part {
        fn name(&self) -> &'static str {
            "part"
        }

        fn live(&self, _: i64) -> Result<(), String> {
            self.live.then_some(()).ok_or_else(|| "stands".to_owned())
        }

        fn ready(&self) -> Result<(), String> {
            self.ready.then_some(()).ok_or_else(|| "waits".to_owned())
        }

        fn started(&self) -> bool {
            self.started
        }
    }

    /// The parts in; whether it is live, ready and started out.
    #[track_caller]
    fn check(parts: Vec<Part>, draining: bool, expected: (bool, bool, bool)) {
        let shutdown = Shutdown::new();
        let health = Health::new(shutdown.clone());
        for part in parts {
            health.watch(Arc::new(part));
        }
        if draining {
            shutdown.request(Exit::Ok);
        }
        let answers = (health.live(0).is_yes(), health.ready().is_yes(), health.started().is_yes());
        assert_eq!(answers, expected);
    }

    #[test]
    fn the_answers_are_those_of_all_parts() {
        let well = || Part { started: true, ready: true, live: true };
        check(vec![], false, (true, false, false));
        check(vec![well(), well()], false, (true, true, true));
        check(vec![well(), Part { started: false, ..well() }], false, (true, true, false));
        check(vec![well(), Part { ready: false, ..well() }], false, (true, false, true));
        check(vec![well(), Part { live: false, ..well() }], false, (false, true, true));
        check(vec![well()], true, (true, false, true));
    }
}
