use std::sync::Arc;
use std::time::Duration;

use lane::{LaneStatus, Phase};

use super::HealthSource;

const STARTING: &str = "starting: waits for a broker, or for what it has to load first";

/// The health of one lane.
pub struct LaneHealth {
    name: String,
    status: Arc<LaneStatus>,
    stalled_after: Duration,
}

impl LaneHealth {
    /// The lane `name`, which stands still when its loop has not come round for `stalled_after`:
    /// half of `max.poll.interval.ms`, after all of which its partitions are taken away.
    pub fn new(name: impl Into<String>, status: Arc<LaneStatus>, stalled_after: Duration) -> Self {
        Self { name: name.into(), status, stalled_after }
    }
}

impl HealthSource for LaneHealth {
    fn name(&self) -> &str {
        &self.name
    }

    fn live(&self, now_ms: i64) -> Result<(), String> {
        match self.status.phase() {
            Phase::Failed => Err("ended with an error".to_owned()),
            // Both wait for a broker, for as long as it takes.
            Phase::Starting | Phase::Recovering => Ok(()),
            // The watchdog sees to it that this ends.
            Phase::Draining | Phase::Ended => Ok(()),
            Phase::Running => {
                let since = now_ms.saturating_sub(self.status.last_turn_ms());
                let since = Duration::from_millis(u64::try_from(since).unwrap_or(0));
                if since > self.stalled_after {
                    return Err(format!("has not come round for {} s", since.as_secs()));
                }
                Ok(())
            }
        }
    }

    fn ready(&self) -> Result<(), String> {
        match self.status.phase() {
            Phase::Running | Phase::Recovering => Ok(()),
            Phase::Starting => Err(STARTING.to_owned()),
            Phase::Draining => Err("draining".to_owned()),
            Phase::Ended => Err("ended".to_owned()),
            Phase::Failed => Err("ended with an error".to_owned()),
        }
    }

    fn started(&self) -> bool {
        self.status.phase() != Phase::Starting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_without_a_broker_is_alive_but_not_ready() {
        let lane = LaneHealth::new("rt", LaneStatus::new(), Duration::from_secs(60));
        assert_eq!(lane.live(i64::MAX), Ok(()));
        assert_eq!(lane.ready(), Err(STARTING.to_owned()));
        assert!(!lane.started());
    }
}
