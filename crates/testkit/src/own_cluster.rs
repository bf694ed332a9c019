use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use tempfile::TempDir;

use crate::clients::client;
use crate::kafka::{Jvm, Node, RunningNode};
use crate::{Process, binary, free_port, wait};

/// How long a broker may take to answer after it was started.
const READY: Duration = Duration::from_secs(30);

/// A cluster of one broker process that only one test uses and may hurt. Dropping it kills the
/// broker and removes its data.
///
/// `BINDERY_TEST_BROKER=kafka` makes it an Apache Kafka, otherwise it is `bindery broker`.
pub struct OwnCluster {
    bootstrap_servers: String,
    broker: Mutex<Broker>,
    // After the broker: fields are dropped in order.
    _data: TempDir,
}

/// Whether brokers of single tests are an Apache Kafka in this run: what `BINDERY_TEST_BROKER` says.
///
/// # Panics
///
/// When it says something else than `kafka` or `embedded`.
#[track_caller]
pub fn runs_on_kafka() -> bool {
    match std::env::var("BINDERY_TEST_BROKER").as_deref() {
        Ok("kafka") => true,
        Ok("embedded") | Err(_) => false,
        Ok(other) => panic!("BINDERY_TEST_BROKER is `kafka` or `embedded`, not `{other}`"),
    }
}

enum Broker {
    Kafka(RunningNode),
    Embedded { process: Option<Process>, args: Vec<String>, address: String },
}

impl OwnCluster {
    /// Starts the broker on a free port with empty data, and returns when it answers.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn start() -> Self {
        Self::of(if runs_on_kafka() { |data| Broker::kafka(data, &[]) } else { Broker::embedded })
    }

    /// The same as an Apache Kafka, whatever this run has, that has not finalised transactions v2:
    /// `transaction.version` is 1, as after an upgrade whose features were not raised.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn start_before_transactions_v2() -> Self {
        Self::of(|data| Broker::kafka(data, &["transaction.version=1"]))
    }

    #[track_caller]
    fn of(start: fn(&Path) -> Broker) -> Self {
        let data = tempfile::Builder::new()
            .prefix("bindery-cluster-")
            .tempdir()
            .expect("the temporary folder is writable");
        let broker = start(data.path());
        let bootstrap_servers = broker.bootstrap_servers();
        Self { bootstrap_servers, broker: Mutex::new(broker), _data: data }
    }

    /// Where clients connect, the same before and after a restart.
    pub fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// Kills the broker process with SIGKILL and returns when it is gone.
    pub fn kill(&self) {
        match &mut *self.broker() {
            Broker::Kafka(node) => node.kill9(),
            Broker::Embedded { process, .. } => *process = None,
        }
    }

    /// Starts the broker again on the same data and port, killing it first if it runs, and returns
    /// when it answers.
    ///
    /// # Panics
    ///
    /// When it does not come up.
    #[track_caller]
    pub fn restart(&self) {
        self.broker().restart();
    }

    fn broker(&self) -> MutexGuard<'_, Broker> {
        self.broker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Broker {
    #[track_caller]
    fn kafka(data: &Path, features: &[&str]) -> Self {
        let node = Node::format(data, None, Jvm::Quick, features).and_then(RunningNode::start);
        Self::Kafka(node.unwrap_or_else(|error| panic!("no Apache Kafka: {error}")))
    }

    #[track_caller]
    fn embedded(data: &Path) -> Self {
        let port = free_port();
        let data = data.to_str().expect("the temporary folder has a readable name");
        let args = ["broker", "--data-dir", data, "--port", &port.to_string()];
        let mut broker = Self::Embedded {
            process: None,
            args: args.map(str::to_owned).into(),
            address: format!("127.0.0.1:{port}"),
        };
        broker.restart();
        broker
    }

    fn bootstrap_servers(&self) -> String {
        match self {
            Self::Kafka(node) => node.bootstrap_servers(),
            Self::Embedded { address, .. } => address.clone(),
        }
    }

    #[track_caller]
    fn restart(&mut self) {
        match self {
            Self::Kafka(node) => {
                node.restart().unwrap_or_else(|error| panic!("no Apache Kafka: {error}"));
            }
            Self::Embedded { process, args, address } => {
                // The old one first: it holds the port and the data.
                *process = None;
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let started = process.insert(Process::spawn(binary("bindery"), &args, &[]));
                wait_until_it_answers(started, address);
            }
        }
    }
}

#[track_caller]
fn wait_until_it_answers(process: &mut Process, address: &str) {
    let consumer: BaseConsumer =
        client(address).create().expect("the settings of the test client are valid");
    let answered = wait::poll(READY, &mut || {
        if let Some(status) = process.try_wait() {
            return Ok(Err(format!("it ended ({status})")));
        }
        match consumer.fetch_metadata(None, Duration::from_millis(500)) {
            Ok(_) => Ok(Ok(())),
            Err(error) => Err(error.to_string()),
        }
    });
    if let Err(status) = answered.flatten() {
        panic!("`bindery broker` at {address} does not answer: {status}; {:?}", process.lines());
    }
}
