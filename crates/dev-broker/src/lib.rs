//! A small single-node broker speaking the Kafka protocol, for the demo and tests. Loopback only.
//!
//! It does what clients of Apache Kafka rely on: batches in all codecs, consumer groups of both
//! protocols, idempotent and transactional producers, compaction and retention, and it survives
//! being killed. It has one node and one replica, and neither encryption nor authentication.
//!
//! ```
//! let broker = dev_broker::Broker::start(dev_broker::BrokerConfig::default())?;
//! println!("{}", broker.bootstrap_servers());
//! broker.stop()?;
//! # Ok::<(), dev_broker::BrokerError>(())
//! ```

mod config;
mod connection;
mod dispatch;
mod faults;
mod group;
mod guard;
mod handlers;
mod journal;
mod log;
mod node;
mod refusal;
mod server;
mod topic_config;
mod transactions;
mod upkeep;
mod versions;

use std::io;
use std::net::SocketAddr;

pub use config::BrokerConfig;
pub use faults::{Faults, Times};
pub use kafka_protocol::messages::ApiKey;

/// Why a broker did not start or stop.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// The address is not a loopback address. Choose one that is.
    #[error("refusing to listen on `{0}`, which is not a loopback address")]
    NotLoopback(SocketAddr),
    /// The address is taken or not there.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The data directory cannot be read or written, or is damaged.
    #[error("the data directory `{directory}` is not usable")]
    Storage {
        /// The directory.
        directory: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The broker's thread could not be started.
    #[error("cannot start the broker's thread")]
    Thread(#[source] io::Error),
    /// The broker's thread ended before it was told to. The log says why.
    #[error("the broker's thread has died")]
    Died,
}

/// A running broker. Dropping it stops it.
#[derive(Debug)]
pub struct Broker {
    address: SocketAddr,
    faults: Faults,
    server: server::Server,
}

impl Broker {
    /// Starts a broker on a thread of its own and returns when it accepts connections.
    ///
    /// # Errors
    /// When the address is not a loopback address or is taken, or the data directory is unusable.
    pub fn start(config: BrokerConfig) -> Result<Broker, BrokerError> {
        for address in [Some(config.listen), config.advertise].into_iter().flatten() {
            if !address.ip().is_loopback() {
                return Err(BrokerError::NotLoopback(address));
            }
        }
        let faults = Faults::default();
        let server = server::Server::start(config, faults.clone())?;
        Ok(Broker { address: server.address(), faults, server })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address in the form of a client's `bootstrap.servers`.
    pub fn bootstrap_servers(&self) -> String {
        self.address.to_string()
    }

    /// Hooks to make requests fail.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// Stops: connections are closed, everything written is handed to the disk.
    ///
    /// # Errors
    /// When the last writes failed or the broker had died before.
    pub fn stop(mut self) -> Result<(), BrokerError> {
        self.server.stop()
    }
}
