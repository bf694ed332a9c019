use std::path::Path;
use std::time::Duration;

use event_consumer::{EventConsumerSettings, Side};
use kafka::Topics;
use serde::Serialize;
use status_sync::StatusSyncSettings;
use testkit::{Process, binary};

use super::worker::Client;

/// A service as it is shipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Rt,
    Batch,
    StatusSync,
}

/// Where a service is to work, and as whom.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) bootstrap_servers: &'a str,
    pub(crate) topics: &'a Topics,
    pub(crate) client: Client,
    /// Its consumer group and its instance.
    pub(crate) group: &'a str,
    /// For its configuration and its state.
    pub(crate) folder: &'a Path,
}

impl Service {
    pub(crate) const ALL: [Self; 3] = [Self::Rt, Self::Batch, Self::StatusSync];

    /// The binary's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Rt => Side::Rt.name(),
            Self::Batch => Side::Batch.name(),
            Self::StatusSync => "status-sync",
        }
    }

    /// Writes its configuration and starts its binary, which is built first if it has to be.
    pub(crate) fn start(self, place: &Place<'_>) -> anyhow::Result<Process> {
        let settings = match self {
            Self::Rt => consumer(Side::Rt, place)?,
            Self::Batch => consumer(Side::Batch, place)?,
            Self::StatusSync => status_sync(place)?,
        };
        let file = place.folder.join(format!("{}.toml", self.name()));
        std::fs::write(&file, settings)?;
        let args =
            ["--config", &file.to_string_lossy(), "--bootstrap-servers", place.bootstrap_servers];
        Ok(Process::spawn(binary(self.name()), &args, &[]))
    }

    /// Starts it and waits until it has its partitions.
    pub(crate) fn start_and_wait(self, place: &Place<'_>) -> anyhow::Result<Process> {
        let process = self.start(place)?;
        process.wait_for_line("partitions assigned", Duration::from_secs(60));
        Ok(process)
    }
}

fn consumer(side: Side, place: &Place<'_>) -> anyhow::Result<String> {
    let mut settings = EventConsumerSettings::new(side, place.bootstrap_servers);
    settings.topics = place.topics.clone();
    settings.lane.client = place.client.of_lane();
    settings.group = format!("{}-{}", place.group, side.name());
    settings.instance = place.group.to_owned();
    text(&settings)
}

fn status_sync(place: &Place<'_>) -> anyhow::Result<String> {
    let mut settings = StatusSyncSettings::new(place.bootstrap_servers);
    settings.topics = place.topics.clone();
    settings.lane.client = place.client.of_lane();
    settings.announce_lane.client = place.client.of_lane();
    settings.group = format!("{}-status-sync", place.group);
    settings.state_directory = place.folder.join("state");
    text(&settings)
}

fn text(settings: &impl Serialize) -> anyhow::Result<String> {
    Ok(toml::to_string(settings)?)
}
