use std::cell::Cell;
use std::time::{Duration, Instant};

/// Waits for so long, and says whether it is time to stop. It returns early when it is.
pub type WaitOrStop<'a> = &'a dyn Fn(Duration) -> bool;

/// How long a transaction goes on trying after it was told to stop.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// How long one thing may go on: until a deadline, and only a little longer once told to stop.
pub struct Patience<'a> {
    deadline: Option<Instant>,
    wait_or_stop: WaitOrStop<'a>,
    stopped_at: Cell<Option<Instant>>,
    grace: Duration,
}

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// It was told to stop.
    Stopped,
    /// The deadline passed.
    TimedOut,
}

impl<'a> Patience<'a> {
    /// For what has to be through at `deadline`. Told to stop, it goes on for two seconds.
    pub fn until(deadline: Instant, wait_or_stop: WaitOrStop<'a>) -> Self {
        let stopped_at = Cell::new(None);
        Self { deadline: Some(deadline), wait_or_stop, stopped_at, grace: STOP_GRACE }
    }

    /// As long as it takes, unless told to stop.
    pub fn endless(wait_or_stop: WaitOrStop<'a>) -> Self {
        let stopped_at = Cell::new(None);
        Self { deadline: None, wait_or_stop, stopped_at, grace: Duration::ZERO }
    }

    /// Asks whether it is over.
    ///
    /// # Errors
    /// When it is.
    pub fn check(&self) -> Result<(), Over> {
        self.pause(Duration::ZERO)
    }

    /// Lets some time go by.
    ///
    /// # Errors
    /// When it is over, before or after.
    pub fn pause(&self, time: Duration) -> Result<(), Over> {
        let now = Instant::now();
        let left = self.deadline.map_or(time, |deadline| deadline.saturating_duration_since(now));
        if self.deadline.is_some() && left.is_zero() {
            return Err(Over::TimedOut);
        }
        if self.stopped_at.get().is_none() && (self.wait_or_stop)(time.min(left)) {
            self.stopped_at.set(Some(Instant::now()));
        } else if self.stopped_at.get().is_some() && !time.is_zero() {
            // Whoever was told to stop returns at once, so the pause has to be made here.
            std::thread::park_timeout(time.min(left));
        }
        match self.stopped_at.get() {
            Some(stopped_at) if stopped_at.elapsed() >= self.grace => Err(Over::Stopped),
            Some(_) | None => Ok(()),
        }
    }

    /// When one request of at most `limit` has to be answered.
    pub fn deadline_within(&self, limit: Duration) -> Instant {
        let limit = Instant::now() + limit;
        self.deadline.map_or(limit, |deadline| deadline.min(limit))
    }
}

/// Pauses that grow.
#[derive(Debug)]
pub struct Backoff {
    next: Duration,
    max: Duration,
}

impl Backoff {
    /// While the broker is busy with the last transaction: it takes a millisecond or two.
    pub const fn short() -> Self {
        Self { next: Duration::from_micros(500), max: Duration::from_millis(20) }
    }

    /// While something is in the wrong place or not there.
    pub const fn long() -> Self {
        Self { next: Duration::from_millis(5), max: Duration::from_millis(250) }
    }

    /// The next pause: half as long again as the one before.
    #[expect(
        clippy::should_implement_trait,
        reason = "it never ends, which an iterator would hide"
    )]
    pub fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 3 / 2).min(self.max);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_ends_with_the_deadline() {
        let never = |time| {
            std::thread::park_timeout(time);
            false
        };
        let patience = Patience::until(Instant::now() + Duration::from_millis(20), &never);
        assert_eq!(patience.check(), Ok(()));
        while patience.pause(Duration::from_millis(5)).is_ok() {}
        assert_eq!(patience.check(), Err(Over::TimedOut));
    }

    #[test]
    fn one_told_to_stop_finishes_a_transaction_but_begins_nothing() {
        let stopped = |_| true;
        let transaction = Patience::until(Instant::now() + Duration::from_secs(60), &stopped);
        assert_eq!(transaction.pause(Duration::from_millis(1)), Ok(()));
        assert_eq!(Patience::endless(&stopped).check(), Err(Over::Stopped));
    }

    #[test]
    fn pauses_grow_up_to_a_limit() {
        let mut backoff = Backoff::short();
        let first = backoff.next();
        assert_eq!(first, Duration::from_micros(500));
        assert_eq!(backoff.next(), Duration::from_micros(750));
        let last = (0..50).map(|_| backoff.next()).last();
        assert_eq!(last, Some(Duration::from_millis(20)));
    }
}
