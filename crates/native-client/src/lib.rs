//! What every Kafka client of ours stands on: connections, security, waiting, and the format of record
//! batches.
//!
//! It knows no producer and no consumer, and no group. Sockets block, for no longer than a request
//! may take; only names of hosts are looked up on a thread of their own, because the system bounds that
//! by nothing.

#![forbid(unsafe_code)]

mod batch;
mod brokers;
mod buffers;
mod compression;
mod connection;
mod error;
mod patience;
pub mod put;
mod resolve;
mod security;

pub use batch::{HEADER_BYTES, Headers, Identity, PartitionBatches, Record};
pub use brokers::{Brokers, ClientSettings, unspoken};
pub use buffers::Buffers;
pub use compression::{Codec, Compression};
pub use connection::{Address, Connection};
pub use error::{CallError, Ended, chain, error_name, listed};
pub use patience::{Backoff, Over, Patience, WaitOrStop};
pub use security::{Security, TokenSource, Unsupported};
