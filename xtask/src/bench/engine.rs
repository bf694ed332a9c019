use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use kafka::ClientSettings;
use tempfile::TempDir;
use testkit::Process;

use super::measured::Measured;
use super::observed::{Progress, observe};
use super::streams::{self, Mode};
use super::worker::{Client, Kind, Telemetry};
use crate::kafka::OwnKafka;

/// What is measured: each in a process of its own, at the same job on the same topics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// Bindery.
    Bindery(Client),
    /// A lane that writes what Bindery writes, without looking at its input.
    Copy(Client),
    /// The reference in Kafka Streams.
    Streams(Mode),
}

impl Engine {
    /// All of `clients`, then all of `streams`.
    pub(crate) fn all(clients: &[Client], streams: &[Mode]) -> Vec<Self> {
        let clients = clients.iter().copied().map(Self::Bindery);
        clients.chain(streams.iter().copied().map(Self::Streams)).collect()
    }

    /// Its name in tables and group ids.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Bindery(client) => format!("bindery-{}", client.name()),
            Self::Copy(client) => format!("copy-{}", client.name()),
            Self::Streams(mode) => format!("streams-{}", mode.name()),
        }
    }
}

/// The job of an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Job {
    /// Real-time events to assignments and facts.
    Bind,
    /// The same of the batch side; Kafka Streams has no such thing.
    BindBatch,
    /// Facts to statuses.
    Fold,
}

/// How an engine is to run.
#[derive(Clone, Copy)]
pub(crate) struct Run<'a> {
    pub(crate) kafka: &'a OwnKafka,
    pub(crate) prefix: &'a str,
    pub(crate) partitions: i32,
    pub(crate) job: Job,
    /// A consumer group nobody used before: everything is read again.
    pub(crate) group: &'a str,
    /// Milliseconds between commits; `None`: Bindery as it is shipped.
    pub(crate) commit_ms: Option<u64>,
    pub(crate) lanes: u32,
    pub(crate) telemetry: Telemetry,
    /// Where spans go, if they do.
    pub(crate) otlp_endpoint: Option<&'a str>,
}

/// What one engine came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    /// In its first `events`, where what comes after is measured apart.
    pub(crate) first: Option<Measured>,
    /// Once it is warm: a Java machine has compiled by then what it runs most.
    pub(crate) warm: Measured,
}

impl Outcome {
    /// What runs of the engine called `name` came to, each part under a name of its own.
    pub(crate) fn parts(name: &str, outcomes: &[Self]) -> Vec<(String, Vec<Measured>)> {
        let first: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.first).collect();
        let warm = outcomes.iter().map(|outcome| outcome.warm).collect();
        if first.is_empty() {
            vec![(name.to_owned(), warm)]
        } else {
            vec![(format!("{name}, first load"), first), (format!("{name}, warm"), warm)]
        }
    }
}

impl<'a> Run<'a> {
    /// One lane of the shipped settings.
    pub(crate) fn new(kafka: &'a OwnKafka, prefix: &'a str, partitions: i32, job: Job) -> Self {
        Self {
            kafka,
            prefix,
            partitions,
            job,
            group: prefix,
            commit_ms: None,
            lanes: 1,
            telemetry: Telemetry::Metrics,
            otlp_endpoint: None,
        }
    }

    /// How many loads of `events` have to be there, so that `engine` can be measured.
    pub(crate) fn loads(engines: &[Engine]) -> usize {
        let is_streams = |engine: &Engine| matches!(engine, Engine::Streams(_));
        if engines.iter().any(is_streams) { 3 } else { 1 }
    }

    /// Measures `engine` over `events` from its first commit on; Kafka Streams then over twice as many
    /// more in the same process.
    pub(crate) fn measure(&self, engine: Engine, events: usize) -> anyhow::Result<Outcome> {
        let (client, kind) = match engine {
            Engine::Bindery(client) => (client, self.kind()),
            Engine::Copy(client) => (client, Kind::Copy),
            Engine::Streams(_) => return self.measure_streams(engine, events),
        };
        let output = Command::new(std::env::current_exe()?)
            .args(self.worker(client, kind, events))
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()?;
        anyhow::ensure!(output.status.success(), "a measured process ended with {}", output.status);
        let stdout = String::from_utf8(output.stdout)?;
        let last = stdout.lines().last().context("a measured process printed nothing")?;
        Ok(Outcome { first: None, warm: serde_json::from_str(last)? })
    }

    /// Builds what `engine` needs that is not built yet.
    pub(crate) fn prepare(&self, engine: Engine) -> anyhow::Result<()> {
        match engine {
            Engine::Bindery(_) | Engine::Copy(_) => Ok(()),
            Engine::Streams(_) => streams::build().map(drop),
        }
    }

    /// Starts `engine`, which then runs until it is dropped.
    pub(crate) fn start(&self, engine: Engine) -> anyhow::Result<Running> {
        let arguments = match engine {
            Engine::Bindery(client) => self.worker(client, self.kind(), 0),
            Engine::Copy(client) => self.worker(client, Kind::Copy, 0),
            Engine::Streams(mode) => return streams::start(self, mode),
        };
        Ok(Running::start(&std::env::current_exe()?, &arguments, None))
    }

    fn measure_streams(&self, engine: Engine, events: usize) -> anyhow::Result<Outcome> {
        let running = self.start(engine)?;
        let client = ClientSettings::new(self.kafka.bootstrap_servers());
        let progress = Progress::of(&client, self.group, &self.input(), self.partitions)?;
        let loads = [events, events * 3];
        let observed = observe(&progress, running.id(), self.kafka.process_id(), loads);
        let [first, warm] = observed.with_context(|| running.last_words())?;
        Ok(Outcome { first: Some(first), warm })
    }

    fn kind(&self) -> Kind {
        match self.job {
            Job::Bind => Kind::Bind,
            Job::BindBatch => Kind::BindBatch,
            Job::Fold => Kind::Fold,
        }
    }

    /// The topic whose records are counted.
    fn input(&self) -> String {
        let name = match self.job {
            Job::Bind => "rt-event",
            Job::BindBatch => "batch-event",
            Job::Fold => "event-journal",
        };
        format!("{}{name}", self.prefix)
    }

    /// The arguments for this program again, so that nothing else is in its figures.
    fn worker(&self, client: Client, kind: Kind, events: usize) -> Vec<String> {
        let mut arguments: Vec<String> = vec!["bench".into(), "worker".into()];
        let mut add = |name: &str, value: &str| arguments.extend([name.into(), value.into()]);
        add("--kind", kind.name());
        add("--client", client.name());
        add("--telemetry", self.telemetry.name());
        add("--bootstrap-servers", self.kafka.bootstrap_servers());
        add("--broker", &self.kafka.process_id().to_string());
        add("--prefix", self.prefix);
        add("--partitions", &self.partitions.to_string());
        add("--group", self.group);
        add("--lanes", &self.lanes.to_string());
        add("--events", &events.to_string());
        if let Some(endpoint) = self.otlp_endpoint {
            add("--otlp-endpoint", endpoint);
        }
        if let Some(commit_ms) = self.commit_ms {
            add("--commit-ms", &commit_ms.to_string());
        }
        arguments
    }
}

/// An engine at work; dropping it kills it, and so does the death of this process.
pub(crate) struct Running {
    process: Process,
    /// Where it keeps its state, removed with it.
    _folder: Option<TempDir>,
}

impl Running {
    /// Starts `program`, which keeps its state in `folder`.
    pub(super) fn start(program: &Path, arguments: &[String], folder: Option<TempDir>) -> Self {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        Self { process: Process::spawn(program, &arguments, &[]), _folder: folder }
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// The last lines of what it said.
    fn last_words(&self) -> String {
        let lines = self.process.lines();
        format!("it said last: {}", lines[lines.len().saturating_sub(3)..].join(" | "))
    }
}
