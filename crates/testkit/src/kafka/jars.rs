use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{KafkaError, home, tail};

/// The release the suite is held against.
pub const KAFKA_VERSION: &str = "4.1.1";

const LOG4J_VERSION: &str = "2.25.1";

/// The folder with the jars of Apache Kafka, fetched by Maven if they are not there yet. Any
/// number of processes may call this at the same time: one fetches, the others wait for it.
///
/// # Errors
///
/// [`KafkaError::Missing`] without `mvn`, [`KafkaError::Failed`] when Maven fails.
pub fn jars() -> Result<PathBuf, KafkaError> {
    let home = home();
    let jars = home.join(format!("libs-{KAFKA_VERSION}"));
    if jars.is_dir() {
        return Ok(jars);
    }
    fs::create_dir_all(&home).map_err(KafkaError::file(&home))?;
    let lock = home.join("fetch.lock");
    let file = File::create(&lock).map_err(KafkaError::file(&lock))?;
    file.lock().map_err(KafkaError::file(&lock))?;
    if !jars.is_dir() {
        fetch(&home, &jars)?;
    }
    Ok(jars)
}

/// Fetches beside the place and renames, so that the folder is there whole or not at all.
fn fetch(home: &Path, jars: &Path) -> Result<(), KafkaError> {
    let unfinished = tempfile::Builder::new()
        .prefix("fetch-")
        .tempdir_in(home)
        .map_err(KafkaError::file(home))?;
    let pom = unfinished.path().join("pom.xml");
    fs::write(&pom, project()).map_err(KafkaError::file(&pom))?;
    let fetched = unfinished.path().join("libs");
    let mut maven = Command::new("mvn");
    maven
        .current_dir(unfinished.path())
        .args(["-q", "-B", "dependency:copy-dependencies", "-DincludeScope=runtime"])
        .arg(format!("-DoutputDirectory={}", fetched.display()))
        .stdin(Stdio::null());
    run(&mut maven, "mvn", "maven")?;
    fs::rename(&fetched, jars).map_err(KafkaError::file(jars))
}

/// Runs a program to its end and returns what it wrote.
pub(super) fn run(
    command: &mut Command,
    program: &'static str,
    package: &'static str,
) -> Result<String, KafkaError> {
    let output = command.output().map_err(|error| not_started(error, program, package))?;
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(said);
    }
    let what = format!("{program} {}", command.get_args().next().unwrap_or_default().display());
    Err(KafkaError::Failed { what, status: output.status, said: tail(&said) })
}

pub(super) fn not_started(
    error: io::Error,
    program: &'static str,
    package: &'static str,
) -> KafkaError {
    if error.kind() == io::ErrorKind::NotFound {
        KafkaError::Missing { program, package }
    } else {
        KafkaError::File { path: program.into(), source: error }
    }
}

fn project() -> String {
    let dependencies: String = [
        ("org.apache.kafka", "kafka_2.13", KAFKA_VERSION),
        // The storage tool refers to classes of this one.
        ("org.apache.kafka", "kafka-tools", KAFKA_VERSION),
        ("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J_VERSION),
        ("org.apache.logging.log4j", "log4j-core", LOG4J_VERSION),
        ("org.apache.logging.log4j", "log4j-1.2-api", LOG4J_VERSION),
    ]
    .into_iter()
    .map(|(group, artifact, version)| {
        format!(
            "<dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>"
        )
    })
    .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>\
         <groupId>bindery</groupId><artifactId>kafka</artifactId><version>1</version>\
         <packaging>pom</packaging><dependencies>{dependencies}</dependencies></project>"
    )
}
