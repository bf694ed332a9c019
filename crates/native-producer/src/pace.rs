use std::time::{Duration, Instant};

/// How fast transactions may follow each other: not faster than the broker ends them.
///
/// The broker answers that a transaction is committed before it has written the markers. How long
/// that takes is learnt from transactions that began too early, and slowly forgotten by those that
/// did not: a broker that is free again is found out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    ended_at: Option<Instant>,
    /// From the answer to the end of a transaction until the next one could begin.
    marker_time: Duration,
}

impl Pace {
    /// The broker is left alone for as long again as it was busy, so that it keeps up with others.
    const REST: u32 = 2;
    /// However slow the broker is, transactions follow each other at least this soon.
    const LONGEST: Duration = Duration::from_millis(50);

    /// A transaction was answered to have ended.
    pub(crate) fn ended(&mut self, now: Instant) {
        self.ended_at = Some(now);
    }

    /// The next transaction has begun, and had to wait or not.
    pub(crate) fn began(&mut self, has_waited: bool, now: Instant) {
        let Some(ended_at) = self.ended_at.take() else { return };
        if has_waited {
            let observed = now.saturating_duration_since(ended_at);
            self.marker_time = (self.marker_time * 3 + observed) / 4;
        } else {
            self.marker_time = self.marker_time * 15 / 16;
        }
    }

    /// When the next transaction should begin at the earliest.
    pub(crate) fn ready_at(&self) -> Option<Instant> {
        Some(self.ended_at? + (self.marker_time * Self::REST).min(Self::LONGEST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLISECOND: Duration = Duration::from_millis(1);

    /// Ends transactions that can be followed only `busy` later, each begun when the pace says so or
    /// when the broker is free, and returns how long after its end the last of them was followed.
    fn settle(pace: &mut Pace, busy: Duration, times: usize) -> Duration {
        let mut now = Instant::now();
        let mut last = Duration::ZERO;
        for _ in 0..times {
            let ended_at = now;
            pace.ended(ended_at);
            let ready_at = pace.ready_at().unwrap();
            let free_at = ended_at + busy;
            now = ready_at.max(free_at);
            pace.began(ready_at < free_at, now);
            last = now - ended_at;
        }
        last
    }

    #[test]
    fn a_transaction_after_a_pause_begins_at_once() {
        let mut pace = Pace::default();
        assert_eq!(pace.ready_at(), None);
        settle(&mut pace, MILLISECOND, 100);
        assert_eq!(pace.ready_at(), None, "the last one was followed");
        let long_ago = Instant::now() - Duration::from_secs(1);
        pace.ended(long_ago);
        assert!(pace.ready_at().unwrap() < Instant::now());
    }

    #[test]
    fn the_pace_follows_the_broker_both_ways() {
        let mut pace = Pace::default();
        let quick = settle(&mut pace, MILLISECOND, 200);
        assert!((MILLISECOND..3 * MILLISECOND).contains(&quick), "{quick:?}");
        let slow = settle(&mut pace, 10 * MILLISECOND, 200);
        assert!((10 * MILLISECOND..30 * MILLISECOND).contains(&slow), "{slow:?}");
        let quick = settle(&mut pace, MILLISECOND, 200);
        assert!((MILLISECOND..3 * MILLISECOND).contains(&quick), "{quick:?}");
        let stuck = settle(&mut pace, Duration::ZERO, 1_000);
        assert!(stuck < MILLISECOND, "{stuck:?}");
    }

    #[test]
    fn a_very_slow_broker_is_asked_all_the_same() {
        let mut pace = Pace::default();
        settle(&mut pace, Duration::from_secs(5), 20);
        let now = Instant::now();
        pace.ended(now);
        assert_eq!(pace.ready_at(), Some(now + Pace::LONGEST));
    }
}
