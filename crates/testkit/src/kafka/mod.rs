//! Apache Kafka itself, from Maven's jars: one KRaft node per folder, no Docker.
//!
//! Needs `java` (17 or newer) and, the first time, `mvn`. The jars are fetched once into
//! `target/kafka` of the workspace.

mod detached;
mod jars;
mod node;
mod properties;
mod replicated;
mod running;
mod secured;

pub use detached::{Up, down, up};
pub use jars::{KAFKA_VERSION, jars};
pub use node::{Jvm, Node};
pub use replicated::ReplicatedNodes;
pub use running::RunningNode;
pub use secured::{PASSWORD, SecuredNode, USER};

use std::io;
use std::path::{Path, PathBuf};

use crate::binary::workspace_root;

/// Why there is no Apache Kafka. Each is one line that says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KafkaError {
    /// A program it needs is not installed.
    #[error(
        "`{program}` is not installed: Apache Kafka needs it (Debian: apt-get install {package})"
    )]
    Missing {
        /// The program that is not in the path.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A program ran and failed.
    #[error("`{what}` failed ({status}): {said}")]
    Failed {
        /// What was run.
        what: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last of its output, in one line.
        said: String,
    },
    /// The file system refused something.
    #[error("cannot use `{path}`")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Something else listens where the broker should.
    #[error("port {0} or {next} is taken: give another with --port, or 0 for any", next = .0 + 1)]
    PortTaken(u16),
    /// The broker's process ended instead of serving.
    #[error("apache kafka ended ({status}), see `{log}`: {said}")]
    Ended {
        /// How it ended.
        status: std::process::ExitStatus,
        /// Its log.
        log: PathBuf,
        /// The last of its log, in one line.
        said: String,
    },
    /// The broker runs but did not answer in time.
    #[error("apache kafka at {address} does not answer ({said}), see `{log}`")]
    Silent {
        /// Where it should listen.
        address: String,
        /// What a client saw last.
        said: String,
        /// Its log.
        log: PathBuf,
    },
}

impl KafkaError {
    fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }
}

/// Where everything of Apache Kafka is kept: `target/kafka`.
fn home() -> PathBuf {
    // A path without `..` reads better in messages and logs.
    let root = workspace_root();
    root.canonicalize().unwrap_or_else(|_| root.to_owned()).join("target/kafka")
}

/// The last lines of what a program said, as one line.
fn tail(said: &str) -> String {
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines[lines.len().saturating_sub(3)..].join(" | ")
}
