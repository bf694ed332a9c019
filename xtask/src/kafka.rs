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
