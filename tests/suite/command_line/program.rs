use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kafka::{ClientSettings, Topics};
use serde_json::Value;
use tempfile::TempDir;
use testkit::{Isolation, OwnedRecord, Process, binary, cluster, read_all, wait_until};

/// How long one command may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// What a command printed, and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// The objects it printed, one a line.
    #[track_caller]
    pub(crate) fn objects(&self) -> Vec<Value> {
        let read = |line: &str| {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("`{line}`: {error}"))
        };
        self.out.lines().map(read).collect()
    }

    /// The last object it printed.
    #[track_caller]
    pub(crate) fn object(&self) -> Value {
        self.objects().pop().unwrap_or_else(|| panic!("no object: {self:?}"))
    }
}

/// Runs `bindery` in an environment that names no broker, with `input` on its standard input.
#[track_caller]
pub(crate) fn bindery(args: &[&str], input: &str) -> Ran {
    let child = Command::new(binary("bindery"))
        .args(args)
        .env_remove("KAFKA_BOOTSTRAP_SERVERS")
        .env_remove("BINDERY_CONFIG")
        .env_remove("RUST_LOG")
        .env_remove("NO_COLOR")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary was built");
    let mut running = Running(child);
    let child = &mut running.0;
    let mut stdin = child.stdin.take().expect("piped above");
    let input = input.to_owned();
    // A command that does not read its input leaves a broken pipe.
    std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let out = follow(child.stdout.take().expect("piped above"));
    let err = follow(child.stderr.take().expect("piped above"));
    let status = wait_until(&format!("the end of `bindery {}`", args.join(" ")), DEADLINE, || {
        child.try_wait().expect("it is our child").ok_or_else(|| "still running".to_owned())
    });
    let text = |thread: std::thread::JoinHandle<String>| thread.join().expect("it does not panic");
    Ran { code: status.code(), out: text(out), err: text(err) }
}

/// A child that is killed when a test gives up on it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It fails only where it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn follow(mut stream: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// One installation's topics on a cluster, and the configuration that names them.
pub(crate) struct Site {
    pub(crate) client: ClientSettings,
    pub(crate) topics: Topics,
    pub(crate) folder: TempDir,
    properties: Vec<(String, String)>,
}

impl Site {
    /// Without topics, on the suite's cluster.
    pub(crate) fn bare() -> Self {
        Self::at(cluster().bootstrap_servers(), Topics::with_prefix(&cluster().prefix()))
    }

    /// With all topics, on the suite's cluster.
    pub(crate) fn new() -> Self {
        let site = Self::bare();
        site.create_topics();
        site
    }

    /// Without topics, on the cluster at that address.
    pub(crate) fn at(bootstrap_servers: &str, topics: Topics) -> Self {
        let folder = tempfile::tempdir().expect("the temporary folder is writable");
        Self {
            client: ClientSettings::new(bootstrap_servers),
            topics,
            folder,
            properties: Vec::new(),
        }
    }

    /// Sets a property of the Kafka client in the configuration.
    pub(crate) fn property(&mut self, name: &str, value: &str) {
        self.properties.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn create_topics(&self) {
        kafka::apply(&self.client, &self.topics.specs()).expect("the topics can be created");
    }

    /// Writes a file into this site's folder and returns its path.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("the temporary folder is writable");
        text_of(&path)
    }

    /// The arguments that make a command use this site.
    fn args(&self, args: &[&str]) -> Vec<String> {
        let topics = toml::Table::try_from(&self.topics).expect("it is TOML");
        let mut kafka = toml::Table::new();
        let servers = self.client.bootstrap_servers.as_str();
        kafka.insert("bootstrap_servers".into(), servers.into());
        let properties: toml::Table = self
            .properties
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().into()))
            .collect();
        kafka.insert("properties".into(), properties.into());
        let mut config = toml::Table::new();
        config.insert("topics".into(), topics.into());
        config.insert("kafka".into(), kafka.into());
        let config = self.file("bindery.toml", &config.to_string());
        ["--config", &config].into_iter().chain(args.iter().copied()).map(str::to_owned).collect()
    }

    /// Runs a command on this site.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str], input: &str) -> Ran {
        let args = self.args(args);
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        bindery(&args, input)
    }

    /// Starts a command on this site, to be watched and stopped.
    #[track_caller]
    pub(crate) fn start(&self, args: &[&str]) -> Process {
        let mut args = self.args(args);
        // A flag, because the environment that names the suite's cluster goes before a file.
        args.push("--bootstrap-servers".to_owned());
        args.push(self.client.bootstrap_servers.clone());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        Process::spawn(binary("bindery"), &args, &[])
    }

    /// Every committed record of `topic`.
    pub(crate) fn read(&self, topic: &str) -> Vec<OwnedRecord> {
        read_all(&self.client.bootstrap_servers, topic, Isolation::ReadCommitted)
    }
}

/// A path as an argument.
pub(crate) fn text_of(path: &Path) -> String {
    path.to_str().expect("the temporary folder's name is text").to_owned()
}

/// The templates that come with the program.
pub(crate) fn example_templates() -> PathBuf {
    testkit::workspace_root().join("examples/templates")
}
