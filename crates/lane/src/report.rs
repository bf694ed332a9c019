use std::time::{Duration, SystemTime};

/// A part of the way of one batch, in the order they come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// From its first record until it was due or full.
    Collect,
    /// The handler.
    Handle,
    /// The transaction is begun.
    Begin,
    /// Its records are given to the client.
    Send,
    /// Its offsets are sent.
    Offsets,
    /// Every record is waited for.
    Drain,
    /// It is committed.
    Commit,
}

impl Step {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Collect,
        Self::Handle,
        Self::Begin,
        Self::Send,
        Self::Offsets,
        Self::Drain,
        Self::Commit,
    ];

    /// The stable word: `collect`, `handle`, ….
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Collect => "collect",
            Self::Handle => "handle",
            Self::Begin => "begin",
            Self::Send => "send",
            Self::Offsets => "offsets",
            Self::Drain => "drain",
            Self::Commit => "commit",
        }
    }
}

/// What each step took; zero for one that was not reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepTimes([Duration; Step::ALL.len()]);

impl StepTimes {
    /// What `step` took.
    pub const fn of(&self, step: Step) -> Duration {
        self.0[step as usize]
    }

    /// What all steps before `step` took.
    pub fn before(&self, step: Step) -> Duration {
        self.0[..step as usize].iter().sum()
    }

    /// What all steps took.
    pub fn total(&self) -> Duration {
        self.0.iter().sum()
    }

    pub(crate) fn set(&mut self, step: Step, took: Duration) {
        self.0[step as usize] = took;
    }

    /// Takes over those steps that a producer goes through.
    pub(crate) fn take_written(&mut self, written: &Self) {
        for step in [Step::Begin, Step::Send, Step::Offsets, Step::Drain, Step::Commit] {
            self.set(step, written.of(step));
        }
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransactionOutcome {
    /// All of it is visible.
    Committed,
    /// Nothing of it is, for a reason with a stable word; the batch is taken again.
    Aborted(&'static str),
}

/// One transaction that has ended, for whoever follows what a lane does.
#[derive(Clone, Copy, Debug)]
pub struct TransactionReport<'a> {
    /// The lane's name, which is also its client id.
    pub lane: &'a str,
    /// The consumer group.
    pub group: &'a str,
    /// The topic of its records, where they all are of one.
    pub topic: Option<&'a str>,
    /// How many records it answers.
    pub n_records: usize,
    /// How many it writes.
    pub n_written: usize,
    /// When its first step began.
    pub started: SystemTime,
    /// What each step took.
    pub times: StepTimes,
    /// How it ended.
    pub outcome: TransactionOutcome,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_follow_each_other() {
        let mut times = StepTimes::default();
        for (step, ms) in Step::ALL.into_iter().zip(1..) {
            times.set(step, Duration::from_millis(ms));
        }
        assert_eq!(times.before(Step::Collect), Duration::ZERO);
        assert_eq!(times.before(Step::Begin), Duration::from_millis(1 + 2));
        assert_eq!(times.total(), Duration::from_millis(1 + 2 + 3 + 4 + 5 + 6 + 7));
    }
}
