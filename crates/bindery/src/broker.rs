//! `bindery broker`: the embedded broker as a process of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use dev_broker::{Broker, BrokerConfig, BrokerError};
use serde_json::json;
use service::{Exit, Failure, Shutdown, Watchdog, stop_on_signals};

use crate::console::Console;

/// How long the last writes may take.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// Runs the embedded broker: one node, loopback only, for development and tests.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Where to keep topics, offsets and transactions; a temporary directory if left out.
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The port to listen on, on loopback; 0 for any that is free.
    #[arg(long, value_name = "N", default_value_t = 9092)]
    port: u16,
}

/// Runs a broker until SIGINT or SIGTERM.
///
/// # Errors
/// 78 where the port is taken or the directory is not usable, 70 where the broker dies.
pub(crate) fn run(arguments: &Arguments, console: &Console) -> Result<Exit, Failure> {
    let shutdown = Shutdown::new();
    stop_on_signals("bindery", shutdown.clone(), Exit::Ok).map_err(Failure::internal)?;
    let _watchdog =
        Watchdog::start("bindery", shutdown.clone(), STOP_LIMIT).map_err(Failure::internal)?;
    let broker = Broker::start(BrokerConfig {
        data_dir: arguments.data_dir.clone(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port)),
        ..BrokerConfig::default()
    })
    .map_err(advised)?;
    let address = broker.bootstrap_servers();
    console.say(&format!("broker accepts connections at {address}"));
    console.say(&match &arguments.data_dir {
        Some(folder) => format!("data in `{}`", folder.display()),
        None => "data in a temporary folder, gone at the end; `--data-dir` keeps it".to_owned(),
    });
    console.say(&format!(
        "Ctrl-C ends it; in another shell: export KAFKA_BOOTSTRAP_SERVERS={address}"
    ));
    console.object(&json!({ "bootstrapServers": address }));
    let exit = shutdown.wait();
    broker.stop().map_err(of_broker)?;
    Ok(exit)
}

/// A port that is taken is the one thing a person can do something about here.
fn advised(error: BrokerError) -> Failure {
    match &error {
        BrokerError::Listen { .. } => {
            let advice = "choose another port with `--port`, 0 for any that is free";
            Failure::configuration(anyhow!("{}; {advice}", kafka::Chain(&error)))
        }
        BrokerError::NotLoopback(_)
        | BrokerError::Storage { .. }
        | BrokerError::Thread(_)
        | BrokerError::Died => of_broker(error),
    }
}

/// The exit code of a broker's failure.
pub(crate) fn of_broker(error: BrokerError) -> Failure {
    match &error {
        BrokerError::NotLoopback(_) | BrokerError::Listen { .. } | BrokerError::Storage { .. } => {
            Failure::configuration(error)
        }
        BrokerError::Thread(_) | BrokerError::Died => Failure::internal(error),
    }
}
