use domain::LaneKind;
use kafka::{ClientSettings, Topics};
use lane::LaneSettings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::{
    HealthSettings, LogSettings, ProcessSettings, Settings, ShutdownSettings, TelemetrySettings,
};

/// Which of the two event consumers this is; everything that differs between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `rt-event-consumer`.
    Rt,
    /// `batch-event-consumer`.
    Batch,
}

impl Side {
    /// The binary's name; also the default of its consumer group.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rt => "rt-event-consumer",
            Self::Batch => "batch-event-consumer",
        }
    }

    /// The lane as binding knows it.
    pub const fn lane_kind(self) -> LaneKind {
        match self {
            Self::Rt => LaneKind::Rt,
            Self::Batch => LaneKind::Batch,
        }
    }

    fn lane_settings(self) -> LaneSettings {
        match self {
            Self::Rt => LaneSettings::real_time(),
            Self::Batch => LaneSettings::batch(),
        }
    }
}

/// The formats of what is written: `protobuf` (the default) or `json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Formats {
    /// Of assignments. Delivery services must understand it.
    pub assignment: wire::Format,
    /// Of facts.
    pub fact: wire::Format,
    /// Of held events.
    pub held_event: wire::Format,
}

/// The whole configuration of one event consumer.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventConsumerSettings {
    /// How to reach the brokers.
    pub kafka: ClientSettings,
    /// The topics' names and shapes. Wrong ones: the service does not start.
    pub topics: Topics,
    /// How each lane paces itself.
    pub lane: LaneSettings,
    /// How many lanes run in this process, 1 to 64. More than there are partitions: some idle.
    pub lanes: u32,
    /// This instance's name, unique among living ones and stable over restarts, such as a
    /// StatefulSet's pod name: a restarted instance ends its predecessor's open transaction at once.
    /// Two living instances of one name fence each other.
    pub instance: String,
    /// The consumer group. Another one reads everything again.
    pub group: String,
    /// In which formats to write.
    pub formats: Formats,
    /// What is logged and how.
    pub log: LogSettings,
    /// The port for the orchestrator and for metrics.
    pub health: HealthSettings,
    /// How long draining may take.
    pub shutdown: ShutdownSettings,
    /// Where spans go.
    pub telemetry: TelemetrySettings,
}

impl EventConsumerSettings {
    /// The defaults of `side`, for the brokers at `bootstrap_servers`.
    pub fn new(side: Side, bootstrap_servers: impl Into<String>) -> Self {
        Self {
            kafka: ClientSettings::new(bootstrap_servers),
            topics: Topics::default(),
            lane: side.lane_settings(),
            lanes: 1,
            instance: "0".into(),
            group: side.name().into(),
            formats: Formats::default(),
            log: LogSettings::default(),
            health: HealthSettings::default(),
            shutdown: ShutdownSettings::default(),
            telemetry: TelemetrySettings::default(),
        }
    }
}

impl Settings for EventConsumerSettings {
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
        self.lane.validate().map_err(|sentence| anyhow::anyhow!("in `lane`: {sentence}"))?;
        anyhow::ensure!((1..=64).contains(&self.lanes), "`lanes` has to be 1 to 64");
        anyhow::ensure!(!self.group.is_empty(), "`group` is empty; name the consumer group");
        anyhow::ensure!(!self.instance.is_empty(), "`instance` is empty; name this instance");
        Ok(())
    }
}
