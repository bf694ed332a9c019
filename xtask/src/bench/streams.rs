use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context as _, bail, ensure};
use clap::ValueEnum;

use super::engine::{Job, Run, Running};

/// How the reference in Kafka Streams is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// What was found to be fastest.
    Tuned,
    /// The defaults, less what exactly once needs.
    Defaults,
}

impl Mode {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tuned => "tuned",
            Self::Defaults => "defaults",
        }
    }
}

/// As much memory as it is measured with, and the collector that costs least on few cores.
const JVM: [&str; 3] = ["-Xms512m", "-Xmx512m", "-XX:+UseSerialGC"];
/// What Kafka Streams commits by when it is exactly once and nobody says otherwise.
const COMMIT_MS: u64 = 100;

/// Starts the reference in `bench/streams`, built first if this process has not done so yet.
pub(super) fn start(run: &Run<'_>, mode: Mode) -> anyhow::Result<Running> {
    let job = match run.job {
        Job::Bind => "bind",
        Job::Fold => "fold",
        Job::BindBatch => bail!("the reference has no batch side"),
    };
    let folder = tempfile::tempdir()?;
    let state = folder.path().display().to_string();
    let commit_ms = run.commit_ms.unwrap_or(COMMIT_MS).to_string();
    let mut arguments: Vec<String> = JVM.map(str::to_owned).into();
    arguments.push("-Dorg.slf4j.simpleLogger.defaultLogLevel=error".into());
    arguments.extend(["-cp".into(), build()?.into(), "io.bindery.bench.Main".into()]);
    for (name, value) in [
        ("job", job),
        ("mode", mode.name()),
        ("bootstrap", run.kafka.bootstrap_servers()),
        ("prefix", run.prefix),
        ("application", run.group),
        ("state", &state),
        ("commit-ms", &commit_ms),
        ("threads", &run.lanes.to_string()),
    ] {
        arguments.push(format!("{name}={value}"));
    }
    Ok(Running::start(Path::new("java"), &arguments, Some(folder)))
}

/// Builds the reference with Maven, once in the life of this process; returns its class path.
pub(super) fn build() -> anyhow::Result<&'static str> {
    static BUILT: OnceLock<String> = OnceLock::new();
    if let Some(built) = BUILT.get() {
        return Ok(built);
    }
    let root = testkit::workspace_root().canonicalize()?;
    let maven = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(root.join("bench/streams/pom.xml"))
        .arg("package")
        .stdin(Stdio::null())
        .stdout(Stdio::inherit())
        .status()
        .context("`mvn` does not start; the reference needs Maven and a JDK of 17 or newer")?;
    ensure!(maven.success(), "the reference in `bench/streams` does not build: `mvn` {maven}");
    let target: PathBuf = root.join("target/streams");
    let jar = target.join("streams-reference-1.jar");
    Ok(BUILT.get_or_init(|| format!("{}:{}/*", jar.display(), target.join("libs").display())))
}
