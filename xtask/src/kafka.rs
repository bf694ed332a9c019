use anyhow::Result;
use clap::Subcommand;
use testkit::kafka;

use crate::report;

#[derive(Subcommand)]
pub(crate) enum Task {
    /// Start one node with empty data, leave it running and print its address.
    Up {
        /// Its port, and the next one for itself; 0 for any.
        #[arg(long, default_value_t = 19092)]
        port: u16,
    },
    /// Kill the node that `up` left running and remove its data.
    Down,
}

pub(crate) fn run(task: &Task) -> Result<()> {
    match task {
        Task::Up { port } => up(*port),
        Task::Down => down(),
    }
}

#[expect(clippy::print_stdout, reason = "the address is the result of the command")]
fn up(port: u16) -> Result<()> {
    let up = kafka::up((port != 0).then_some(port))?;
    if up.already_running {
        report("it was running already, and was left as it was");
    }
    println!("{}", up.bootstrap_servers);
    Ok(())
}

fn down() -> Result<()> {
    match kafka::down()? {
        Some(address) => report(&format!("stopped Apache Kafka at {address}")),
        None => report("no Apache Kafka was running"),
    }
    Ok(())
}

/// An Apache Kafka of its own with empty data, killed when it is dropped.
pub(crate) struct OwnKafka {
    node: kafka::RunningNode,
    bootstrap_servers: String,
    _home: tempfile::TempDir,
}

impl OwnKafka {
    pub(crate) fn bootstrap_servers(&self) -> &str {
        &self.bootstrap_servers
    }

    /// The broker's process id.
    pub(crate) fn process_id(&self) -> u32 {
        self.node.id().expect("a benchmark never kills its broker")
    }
}

/// Starts an Apache Kafka for one benchmark.
pub(crate) fn start_own() -> Result<OwnKafka> {
    let home = tempfile::tempdir()?;
    let node = kafka::RunningNode::start(kafka::Node::format(
        home.path(),
        None,
        kafka::Jvm::Steady,
        &[],
    )?)?;
    let bootstrap_servers = node.bootstrap_servers();
    Ok(OwnKafka { node, bootstrap_servers, _home: home })
}
