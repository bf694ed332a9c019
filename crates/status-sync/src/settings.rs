use std::path::PathBuf;

use kafka::{ClientSettings, Topics};
use lane::LaneSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::{
    HealthSettings, LogSettings, ProcessSettings, Settings, ShutdownSettings, TelemetrySettings,
};

use crate::store::StatusAge;

/// The formats of what is written: `protobuf` (the default) or `json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// Of facts.
    pub fact: wire::Format,
    /// Of statuses. Whoever reads statuses must understand it.
    pub status: wire::Format,
}

/// The whole configuration of status-sync.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StatusSyncSettings {
    /// How to reach the brokers.
    pub kafka: ClientSettings,
    /// The topics' names and shapes. Wrong ones: the service does not start. `event_journal` and
    /// `event_status` have the same number of partitions.
    pub topics: Topics,
    /// How the collecting and folding lanes pace themselves.
    pub lane: LaneSettings,
    /// How the announcing lanes pace themselves.
    pub announce_lane: LaneSettings,
    /// How many lanes turn delivery logs into facts, 1 to 64.
    pub collect_lanes: u32,
    /// How many lanes fold facts into statuses, 1 to 64. More than the journal has partitions: some
    /// idle.
    pub fold_lanes: u32,
    /// How many lanes announce events as received, 0 to 64. 0 switches announcing off: an event shows
    /// only once it is decided, and the journal is a third smaller.
    pub announce_lanes: u32,
    /// This instance's name, unique among living ones and stable over restarts. Two living instances
    /// of one name fence each other.
    pub instance: String,
    /// What the consumer groups' names begin with. Another one reads everything again.
    pub group: String,
    /// In which formats to write.
    pub formats: Formats,
    /// Where folded statuses are kept, in a folder per instance and cluster. A cache: when it is lost,
    /// statuses are read back from `event-status`, and starting takes longer.
    pub state_directory: PathBuf,
    /// How long a status is kept after its last change, in ms; then it is buried. Shorter than the
    /// journal's own retention: late delivery logs come to an event that seems never to have been.
    pub status_retention_ms: u64,
    /// What is logged and how.
    pub log: LogSettings,
    /// The port for the orchestrator and for metrics.
    pub health: HealthSettings,
    /// How long draining may take.
    pub shutdown: ShutdownSettings,
    /// Where spans go.
    pub telemetry: TelemetrySettings,
}

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

impl StatusSyncSettings {
    /// The defaults, for the brokers at `bootstrap_servers`.
    pub fn new(bootstrap_servers: impl Into<String>) -> Self {
        Self {
            kafka: ClientSettings::new(bootstrap_servers),
            topics: Topics::default(),
            lane: LaneSettings::real_time(),
            announce_lane: LaneSettings::batch(),
            collect_lanes: 1,
            fold_lanes: 1,
            announce_lanes: 1,
            instance: "0".into(),
            group: "status-sync".into(),
            formats: Formats::default(),
            state_directory: "state/status-sync".into(),
            status_retention_ms: 30 * DAY_MS,
            log: LogSettings {
                level: "info,fjall=warn,lsm_tree=warn".into(),
                ..LogSettings::default()
            },
            health: HealthSettings::default(),
            shutdown: ShutdownSettings::default(),
            telemetry: TelemetrySettings::default(),
        }
    }

    pub(crate) const fn age(&self) -> StatusAge {
        StatusAge::new(self.status_retention_ms)
    }
}

impl Settings for StatusSyncSettings {
    fn process(&self) -> ProcessSettings<'_> {
        ProcessSettings {
            log: &self.log,
            health: &self.health,
            shutdown: &self.shutdown,
            telemetry: &self.telemetry,
        }
    }

    fn validate(&self) -> anyhow::Result<()> {
        self.kafka.validate()?;
        for (name, lane) in [("lane", &self.lane), ("announce_lane", &self.announce_lane)] {
            lane.validate().map_err(|sentence| anyhow::anyhow!("in `{name}`: {sentence}"))?;
        }
        let (journal, status) = (&self.topics.event_journal, &self.topics.event_status);
        anyhow::ensure!(
            journal.partitions == status.partitions,
            "`{}` has {} partitions and `{}` has {}; a status is folded into the partition of its \
             facts, give both the same number",
            journal.name,
            journal.partitions,
            status.name,
            status.partitions
        );
        let counted = |lanes: u32, least: u32| (least..=64).contains(&lanes);
        anyhow::ensure!(counted(self.collect_lanes, 1), "`collect_lanes` has to be 1 to 64");
        anyhow::ensure!(counted(self.fold_lanes, 1), "`fold_lanes` has to be 1 to 64");
        anyhow::ensure!(counted(self.announce_lanes, 0), "`announce_lanes` has to be 0 to 64");
        anyhow::ensure!(!self.group.is_empty(), "`group` is empty; name the consumer groups");
        let is_folder =
            |name: &str| !matches!(name, "" | "." | "..") && !name.contains(['/', '\\']);
        anyhow::ensure!(
            is_folder(&self.instance),
            "`instance` has to be a name that a folder can have"
        );
        anyhow::ensure!(
            (1..=10 * 365 * DAY_MS).contains(&self.status_retention_ms),
            "`status_retention_ms` has to be at least 1 and at most ten years"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(change: impl FnOnce(&mut StatusSyncSettings), expected: &str) {
        let mut settings = StatusSyncSettings::new("localhost:9092");
        change(&mut settings);
        let problem =
            settings.validate().map_or_else(|error| error.to_string(), |()| "fine".into());
        assert!(problem.contains(expected), "{problem}");
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        check(|_| {}, "fine");
        check(|settings| settings.topics.event_status.partitions = 5, "give both the same number");
        check(|settings| settings.collect_lanes = 0, "`collect_lanes`");
        check(|settings| settings.fold_lanes = 65, "`fold_lanes`");
        check(|settings| settings.announce_lanes = 0, "fine");
        check(|settings| settings.instance = "../x".into(), "`instance`");
        check(|settings| settings.status_retention_ms = 0, "`status_retention_ms`");
        check(|settings| settings.announce_lane.records_max = 0, "in `announce_lane`");
    }
}
