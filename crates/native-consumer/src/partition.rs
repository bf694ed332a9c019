//! What is known of one partition that is fetched.

use std::time::{Duration, Instant};

use native_client::Backoff;
use tracing::{info, warn};

use crate::verdict::{Request, Verdict, verdict};

/// How long a follower is read from before the leader is asked again which is the best.
const REPLICA_FOR: Duration = Duration::from_secs(300);
/// How long to leave alone what somebody has to change.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);

/// How far a partition is read, and how far it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Where the next fetch begins, also past control records; `None` before that is known.
    pub next_offset: Option<i64>,
    /// The end for who reads what is committed; -1 before the first answer.
    pub last_stable_offset: i64,
    /// The end for who reads everything; -1 before the first answer.
    pub high_watermark: i64,
    /// The oldest record there is; -1 before the first answer.
    pub log_start_offset: i64,
    /// Records fetched and not taken yet.
    pub n_waiting: usize,
}

/// What has to be done next for a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Find its leader.
    Leader,
    /// Ask the leader where it begins or ends.
    Position { leader: i32 },
    /// Ask the new leader whether it still has what was read from the last one.
    Validation { leader: i32 },
    /// Fetch from this node.
    Records { node: i32 },
}

#[derive(Debug)]
pub(crate) struct Partition {
    /// Which assignment this is: what was asked for an earlier one is of no use.
    pub(crate) assignment: u64,
    pub(crate) progress: Progress,
    leader: Option<i32>,
    pub(crate) leader_epoch: i32,
    /// The epoch under which the position is known to be right.
    validated: Option<i32>,
    /// The leader's epoch in the last batch read; -1 before the first.
    pub(crate) last_epoch: i32,
    /// A follower to read from, and until when.
    replica: Option<(i32, Instant)>,
    /// A request for it is under way, and nothing else is to be begun.
    pub(crate) is_asked: bool,
    rests_until: Option<Instant>,
    backoff: Backoff,
    /// Of the trouble it is in somebody was told.
    has_warned: bool,
    /// When it last gave records, in numbers that only grow: who waits longest is asked for first.
    pub(crate) turn: u64,
}

impl Partition {
    pub(crate) fn new(assignment: u64, start: Option<i64>) -> Self {
        Self {
            assignment,
            progress: Progress {
                next_offset: start,
                last_stable_offset: -1,
                high_watermark: -1,
                log_start_offset: -1,
                n_waiting: 0,
            },
            leader: None,
            leader_epoch: -1,
            validated: None,
            last_epoch: -1,
            replica: None,
            is_asked: false,
            rests_until: None,
            backoff: Backoff::long(),
            has_warned: false,
            turn: 0,
        }
    }

    /// What comes next; `None` while it rests or something is under way.
    pub(crate) fn need(&self, now: Instant) -> Option<Need> {
        if self.is_asked || self.rests_until.is_some_and(|until| now < until) {
            return None;
        }
        let Some(leader) = self.leader else { return Some(Need::Leader) };
        if self.progress.next_offset.is_none() {
            return Some(Need::Position { leader });
        }
        if self.last_epoch >= 0 && self.validated != Some(self.leader_epoch) {
            return Some(Need::Validation { leader });
        }
        let node = match self.replica {
            Some((replica, until)) if now < until => replica,
            Some(_) | None => leader,
        };
        Some(Need::Records { node })
    }

    /// When it stops to rest, if it does.
    pub(crate) fn rests_until(&self) -> Option<Instant> {
        self.rests_until.filter(|_| !self.is_asked)
    }

    pub(crate) fn led_by(&mut self, leader: i32, leader_epoch: i32) {
        self.leader = Some(leader);
        self.leader_epoch = leader_epoch;
        if self.last_epoch < 0 {
            // Nothing was read that this leader might not have.
            self.validated = Some(leader_epoch);
        }
        self.rests_until = None;
    }

    pub(crate) fn placed(&mut self, offset: i64) {
        self.progress.next_offset = Some(offset);
        self.last_epoch = -1;
        self.went_well();
    }

    /// The leader of now has everything up to the end of `epoch`, which is `end`.
    pub(crate) fn validated(&mut self, name: &str, epoch: i32, end: i64) {
        self.validated = Some(self.leader_epoch);
        match self.progress.next_offset {
            _ if epoch < 0 || end < 0 => {
                // The leader knows nothing of that time. Whether the position is there is found out
                // by reading from it.
                self.last_epoch = -1;
            }
            Some(position) if end < position => {
                warn!(
                    partition = name,
                    position, end, "the log was cut behind what was read; going on at its end"
                );
                self.progress.next_offset = Some(end);
                self.last_epoch = epoch;
            }
            Some(_) | None => {}
        }
        self.went_well();
    }

    pub(crate) fn read_from(&mut self, replica: i32, now: Instant) {
        self.replica = Some((replica, now + REPLICA_FOR));
    }

    pub(crate) fn went_well(&mut self) {
        self.backoff = Backoff::long();
        self.has_warned = false;
        self.rests_until = None;
    }

    /// A request for it was not answered.
    pub(crate) fn lost(&mut self, now: Instant) {
        self.leader = None;
        self.replica = None;
        self.rests_until = Some(now + self.backoff.next());
    }

    /// What was fetched makes no sense; it is fetched again.
    pub(crate) fn corrupt(&mut self, name: &str, what: &str, now: Instant) {
        if !self.has_warned {
            self.has_warned = true;
            let offset = self.progress.next_offset;
            warn!(partition = name, offset, what, "what was fetched is corrupt; fetching it again");
        }
        self.replica = None;
        self.rests_until = Some(now + self.backoff.next());
    }

    /// A request for it was answered with an error.
    pub(crate) fn answered(&mut self, name: &str, request: Request, code: i16, now: Instant) {
        match verdict(request, code) {
            Verdict::Done => {}
            Verdict::Again => self.rests_until = Some(now + self.backoff.next()),
            Verdict::Relocate => self.lost(now),
            Verdict::Reset if self.replica.take().is_some() => {
                // A follower may be behind. Only the leader knows.
            }
            Verdict::Reset => {
                let offset = self.progress.next_offset;
                info!(partition = name, offset, "there is nothing at this offset; starting anew");
                self.progress.next_offset = None;
            }
            Verdict::Refused => {
                if !self.has_warned {
                    self.has_warned = true;
                    let error = native_client::error_name(code);
                    warn!(partition = name, ?request, error, "the broker refuses; trying on");
                }
                self.leader = None;
                self.rests_until = Some(now + REFUSED_PAUSE);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka_protocol::ResponseError;

    use super::*;
    use crate::verdict::TABLE;

    /// One that is read from leader 7 in epoch 3, at offset 100, last from a batch of epoch 3.
    fn reading() -> Partition {
        let mut partition = Partition::new(1, Some(100));
        partition.led_by(7, 3);
        partition.last_epoch = 3;
        partition.validated = Some(3);
        partition
    }

    fn need(partition: &Partition) -> Option<Need> {
        partition.need(Instant::now() + Duration::from_secs(60))
    }

    #[test]
    fn a_partition_gets_a_leader_then_a_position_then_records() {
        let mut partition = Partition::new(1, None);
        assert_eq!(need(&partition), Some(Need::Leader));
        partition.led_by(7, 3);
        assert_eq!(need(&partition), Some(Need::Position { leader: 7 }));
        partition.placed(40);
        assert_eq!(need(&partition), Some(Need::Records { node: 7 }));
        partition.is_asked = true;
        assert_eq!(need(&partition), None);
    }

    #[test]
    fn a_new_leader_is_asked_what_it_has_before_it_is_read_from() {
        let mut partition = reading();
        partition.led_by(8, 4);
        assert_eq!(need(&partition), Some(Need::Validation { leader: 8 }));
        partition.validated("t/0", 3, 100);
        assert_eq!(need(&partition), Some(Need::Records { node: 8 }));
        assert_eq!(partition.progress.next_offset, Some(100));
    }

    #[test]
    fn a_log_that_was_cut_is_read_on_at_its_end() {
        let mut partition = reading();
        partition.led_by(8, 4);
        partition.validated("t/0", 2, 60);
        assert_eq!(partition.progress.next_offset, Some(60));
        assert_eq!(need(&partition), Some(Need::Records { node: 8 }));
    }

    #[test]
    fn a_leader_that_does_not_know_the_epoch_is_read_from_at_the_position() {
        let mut partition = reading();
        partition.led_by(8, 4);
        partition.validated("t/0", -1, -1);
        assert_eq!(partition.progress.next_offset, Some(100));
        assert_eq!(need(&partition), Some(Need::Records { node: 8 }));
    }

    #[test]
    fn a_follower_is_read_from_until_it_has_not_what_is_asked_for() {
        let mut partition = reading();
        partition.read_from(9, Instant::now());
        assert_eq!(need(&partition), Some(Need::Records { node: 9 }));
        let code = ResponseError::OffsetOutOfRange.code();
        partition.answered("t/0", Request::Fetch, code, Instant::now());
        assert_eq!(need(&partition), Some(Need::Records { node: 7 }));
        assert_eq!(partition.progress.next_offset, Some(100), "the leader has not been asked");
    }

    /// Each row of the table: what follows it for a partition that is being read.
    #[test]
    fn every_answer_leads_back_to_reading() {
        for (request, error, verdict) in TABLE {
            let mut partition = reading();
            let now = Instant::now();
            partition.answered("t/0", *request, error.code(), now);
            let (rests, next, position) = match verdict {
                Verdict::Done => panic!("no error is done: {error:?}"),
                Verdict::Again => (true, Need::Records { node: 7 }, Some(100)),
                Verdict::Relocate | Verdict::Refused => (true, Need::Leader, Some(100)),
                Verdict::Reset => (false, Need::Position { leader: 7 }, None),
            };
            let found = (partition.need(now).is_none(), partition.progress.next_offset);
            assert_eq!(found, (rests, position), "{request:?} {error:?}");
            assert_eq!(need(&partition), Some(next), "{request:?} {error:?}");
        }
    }

    #[test]
    fn an_answer_that_is_not_listed_moves_nothing() {
        let mut partition = reading();
        partition.answered("t/0", Request::Fetch, 32_000, Instant::now());
        assert_eq!(partition.progress.next_offset, Some(100));
        assert_eq!(need(&partition), Some(Need::Leader));
    }
}
