use std::fs::{self, File, OpenOptions};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

use super::jars::{jars, not_started, run};
use super::{KafkaError, properties, tail};
use crate::clients::client;
use crate::{ports, wait};

/// A busy machine of two cores takes half a minute at worst.
const READY: Duration = Duration::from_secs(120);

/// Makes a node the first of its cluster, which decides for all that join it.
const STANDALONE: &str = "--standalone";

const JAVA_PACKAGE: &str = "openjdk-17-jre-headless";

/// The defaults of `kafka-server-start.sh` and `kafka-run-class.sh`.
const AS_SHIPPED: &[&str] = &[
    "-Xms1g",
    "-Xmx1g",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:InitiatingHeapOccupancyPercent=35",
    "-XX:+ExplicitGCInvokesConcurrent",
];

/// What the Java machine is tuned for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Jvm {
    /// Steady work, as Apache Kafka's own scripts start a broker: what measurements want.
    Steady,
    /// A quick start and little memory: what a test that kills its broker wants.
    Quick,
}

/// A formatted folder of one node: data, configuration and log, on a port of its own. It outlives
/// the processes that serve it.
#[derive(Debug, Clone)]
pub struct Node {
    home: PathBuf,
    port: u16,
    jvm: Jvm,
    jars: PathBuf,
}

/// What a node has beside the usual.
pub(super) struct Secured<'a> {
    /// Name and security protocol of each listener.
    pub(super) listeners: [(&'static str, &'static str); 2],
    pub(super) properties: &'a str,
    /// As the storage tool takes them.
    pub(super) scram: &'a [String],
}

impl Node {
    /// Formats a new node in `home`, whose data is removed first. Without a port it takes two
    /// neighbouring free ones, and the next higher one otherwise as well. `features`, each `NAME=LEVEL`, are
    /// finalised at these levels instead of the usual ones.
    ///
    /// # Errors
    ///
    /// [`KafkaError`], when a program is missing, the port is taken or the tool fails.
    pub fn format(
        home: &Path,
        port: Option<u16>,
        jvm: Jvm,
        features: &[&str],
    ) -> Result<Self, KafkaError> {
        let jars = needed()?;
        let port = match port {
            None => ports::free_ports(2),
            Some(port) if ports::is_free(port) && ports::is_free(port + 1) => port,
            Some(port) => return Err(KafkaError::PortTaken(port)),
        };
        let node = Self { home: home.to_owned(), port, jvm, jars };
        node.write_files(&[], "")?;
        let features = features.iter().flat_map(|one| ["--feature", one]);
        node.prepare(&new_cluster_id(), [STANDALONE].into_iter().chain(features))
    }

    /// The same on free ports, as one node of several.
    pub(super) fn format_member(
        home: &Path,
        jvm: Jvm,
        member: &properties::Member,
        cluster_id: &str,
    ) -> Result<Self, KafkaError> {
        let jars = needed()?;
        let node = Self { home: home.to_owned(), port: ports::free_ports(2), jvm, jars };
        node.write_files(&[], &properties::member(node.port, member))?;
        let is_controller = member.controller.is_none();
        node.prepare(cluster_id, is_controller.then_some(STANDALONE))
    }

    /// The same on free ports, with more listeners at the ports behind the first two, more lines in its
    /// properties, and users whose passwords SCRAM knows.
    pub(super) fn format_secured(
        home: &Path,
        jvm: Jvm,
        secured: &Secured<'_>,
    ) -> Result<Self, KafkaError> {
        let jars = needed()?;
        let port = ports::free_ports(4);
        let listeners: Vec<_> = (port + 2..)
            .zip(secured.listeners)
            .map(|(port, (name, protocol))| properties::Listener { name, protocol, port })
            .collect();
        let node = Self { home: home.to_owned(), port, jvm, jars };
        node.write_files(&listeners, secured.properties)?;
        let users = secured.scram.iter().flat_map(|one| ["--add-scram", one.as_str()]);
        node.prepare(&new_cluster_id(), [STANDALONE].into_iter().chain(users))
    }

    /// Has the data formatted, with more `arguments` for the tool.
    fn prepare<'a>(
        self,
        cluster_id: &str,
        arguments: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, KafkaError> {
        let mut tool = self.java();
        tool.arg("kafka.tools.StorageTool").arg("format").args(arguments);
        // Written as one argument, an id may begin with a hyphen.
        tool.arg(format!("--cluster-id={cluster_id}"))
            .arg("-c")
            .arg(self.file("server.properties"));
        run(&mut tool, "java", JAVA_PACKAGE)?;
        Ok(self)
    }

    /// Where clients connect.
    pub fn bootstrap_servers(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Where the other nodes of a cluster find this one, which decides for all.
    pub(super) const fn controller_port(&self) -> u16 {
        self.port + 1
    }

    /// Where clients connect to the listener with this number, of those that came to the usual ones.
    pub(super) fn address_of(&self, listener: u16) -> String {
        format!("127.0.0.1:{}", self.port + 2 + listener)
    }

    /// The folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Starts the broker in a process group of its own and returns when it answers.
    ///
    /// # Errors
    ///
    /// [`KafkaError`], when it ends or stays silent; its process is gone then.
    pub fn start(&self) -> Result<Child, KafkaError> {
        let mut child = self.spawn()?;
        match self.wait_until_ready(&mut child) {
            Ok(()) => Ok(child),
            Err(error) => {
                // Killing fails only when it has ended already.
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Starts the broker without waiting for it.
    ///
    /// # Errors
    ///
    /// [`KafkaError`], when the process does not start.
    pub fn spawn(&self) -> Result<Child, KafkaError> {
        let log = self.file("log");
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&log)
            .map_err(KafkaError::file(&log))?;
        let errors = log.try_clone().map_err(KafkaError::file(&self.home))?;
        self.java()
            .arg("kafka.Kafka")
            .arg(self.file("server.properties"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .map_err(|error| not_started(error, "java", JAVA_PACKAGE))
    }

    /// Waits until the broker in `child` answers clients.
    ///
    /// # Errors
    ///
    /// [`KafkaError::Ended`] or [`KafkaError::Silent`].
    pub fn wait_until_ready(&self, child: &mut Child) -> Result<(), KafkaError> {
        let address = self.bootstrap_servers();
        let consumer: BaseConsumer =
            client(&address).create().expect("the settings of the test client are valid");
        let ready = wait::poll(READY, &mut || {
            if let Ok(Some(status)) = child.try_wait() {
                return Ok(Err(status));
            }
            match consumer.fetch_metadata(None, Duration::from_millis(500)) {
                Ok(metadata) if metadata.brokers().is_empty() => Err("it is fenced".to_owned()),
                Ok(_) => Ok(Ok(())),
                Err(error) => Err(error.to_string()),
            }
        });
        let log = self.file("log");
        match ready {
            Ok(Ok(())) => Ok(()),
            Ok(Err(status)) => {
                let said = tail(&fs::read_to_string(&log).unwrap_or_default());
                Err(KafkaError::Ended { status, log, said })
            }
            Err(said) => Err(KafkaError::Silent { address, said, log }),
        }
    }

    fn write_files(
        &self,
        listeners: &[properties::Listener],
        more: &str,
    ) -> Result<(), KafkaError> {
        let data = self.file("data");
        if data.exists() {
            fs::remove_dir_all(&data).map_err(KafkaError::file(&data))?;
        }
        fs::create_dir_all(&self.home).map_err(KafkaError::file(&self.home))?;
        let log = self.file("log");
        File::create(&log).map_err(KafkaError::file(&log))?;
        let server = properties::server(&data, self.port, listeners);
        for (name, content) in [
            ("server.properties", format!("{server}{more}")),
            ("log4j2.properties", properties::LOG4J.to_owned()),
        ] {
            let path = self.file(name);
            fs::write(&path, content).map_err(KafkaError::file(&path))?;
        }
        Ok(())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    fn java(&self) -> Command {
        let mut java = java();
        java.arg("-Djava.awt.headless=true").args(match self.jvm {
            Jvm::Steady => AS_SHIPPED,
            Jvm::Quick => &["-Xms256m", "-Xmx768m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
        });
        java.arg(format!(
            "-Dlog4j2.configurationFile={}",
            self.file("log4j2.properties").display()
        ));
        java.arg("-cp").arg(format!("{}/*", self.jars.display()));
        java
    }
}

/// The jars, once it is clear that they can be run: the absence of Java must not be found after a minute of
/// fetching.
fn needed() -> Result<PathBuf, KafkaError> {
    run(java().arg("-version"), "java", JAVA_PACKAGE)?;
    jars()
}

/// The id of a cluster that was not there before.
pub(super) fn new_cluster_id() -> String {
    URL_SAFE_NO_PAD.encode(uuid::Uuid::new_v4().as_bytes())
}

/// The `java` of `JAVA_HOME`, else of the path.
fn java() -> Command {
    match std::env::var_os("JAVA_HOME").map(|home| PathBuf::from(home).join("bin/java")) {
        Some(java) if java.is_file() => Command::new(java),
        Some(_) | None => Command::new("java"),
    }
}
