use std::path::PathBuf;
use std::time::Duration;

use event_consumer::{EventConsumerSettings, Side};
use kafka::{ClientSettings, Topics};
use status_sync::StatusSyncSettings;
use tempfile::TempDir;
use testkit::{Process, binary};

/// How long an instance may take to start or to leave.
const DEADLINE: Duration = Duration::from_secs(60);

/// What there are instances of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Service {
    Rt,
    Batch,
    StatusSync,
}

impl Service {
    pub(super) const ALL: [Self; 3] = [Self::Rt, Self::Batch, Self::StatusSync];

    /// The binary's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Rt => Side::Rt.name(),
            Self::Batch => Side::Batch.name(),
            Self::StatusSync => "status-sync",
        }
    }
}

/// The instances of every service, each a process, with the settings they ship with.
pub(super) struct Fleet {
    client: ClientSettings,
    topics: Topics,
    /// Configuration files and the stores of status-sync, which outlive their processes.
    folder: TempDir,
    /// By service, in the order of [`Service::ALL`]; the instance's name is its place.
    instances: [Vec<Process>; Service::ALL.len()],
}

impl Fleet {
    pub(super) fn new(client: ClientSettings, topics: Topics) -> anyhow::Result<Self> {
        Ok(Self { client, topics, folder: tempfile::tempdir()?, instances: Default::default() })
    }

    /// Starts or stops instances until there are `n`, all at once; returns when the last one has
    /// started or left.
    pub(super) fn scale(&mut self, service: Service, n: usize) {
        let before = self.instances[service as usize].len();
        let started: Vec<_> = (before..n).map(|instance| self.start(service, instance)).collect();
        for process in &started {
            wait_until_started(process);
        }
        let instances = &mut self.instances[service as usize];
        instances.extend(started);
        let mut leaving = instances.split_off(n);
        for process in &mut leaving {
            process.terminate();
        }
        for mut process in leaving {
            process.wait(DEADLINE);
        }
    }

    /// What an orchestrator does when it rolls a new version out.
    pub(super) fn restart_one_by_one(&mut self, service: Service) {
        for instance in (0..self.instances[service as usize].len()).rev() {
            let leaving = &mut self.instances[service as usize][instance];
            leaving.terminate();
            leaving.wait(DEADLINE);
            self.replace(service, instance);
        }
    }

    /// Kills the first instance without a chance to leave its group, and starts its successor.
    pub(super) fn kill_and_restart(&mut self, service: Service) {
        self.instances[service as usize][0].kill9();
        self.replace(service, 0);
    }

    fn replace(&mut self, service: Service, instance: usize) {
        let process = self.start(service, instance);
        wait_until_started(&process);
        self.instances[service as usize][instance] = process;
    }

    fn start(&self, service: Service, instance: usize) -> Process {
        let settings = self.settings(service, instance);
        let file: PathBuf = self.folder.path().join(format!("{}-{instance}.toml", service.name()));
        std::fs::write(&file, settings).expect("the temporary folder is writable");
        let file = file.to_str().expect("the temporary folder's name is text");
        let servers = self.client.bootstrap_servers.as_str();
        let args = ["--config", file, "--bootstrap-servers", servers];
        Process::spawn(binary(service.name()), &args, &[])
    }

    fn settings(&self, service: Service, instance: usize) -> String {
        let servers = self.client.bootstrap_servers.as_str();
        let consumer = |side| {
            let mut settings = EventConsumerSettings::new(side, servers);
            settings.topics = self.topics.clone();
            settings.instance = instance.to_string();
            toml::to_string(&settings)
        };
        let settings = match service {
            Service::Rt => consumer(Side::Rt),
            Service::Batch => consumer(Side::Batch),
            Service::StatusSync => {
                let mut settings = StatusSyncSettings::new(servers);
                settings.topics = self.topics.clone();
                settings.instance = instance.to_string();
                settings.state_directory = self.folder.path().join("state");
                toml::to_string(&settings)
            }
        };
        settings.expect("settings are TOML")
    }
}

fn wait_until_started(process: &Process) {
    process.wait_for_line("partitions assigned", DEADLINE);
}
