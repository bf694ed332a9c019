//! Clusters, processes and plain clients for tests. Dev-dependency only.
//!
//! One suite runs on two brokers, chosen by the environment and never by `cfg`:
//!
//! - [`cluster`] is the cluster of this test process. `KAFKA_BOOTSTRAP_SERVERS` names it; without
//!   it the process starts the embedded broker and keeps it until it ends. Tests share it and
//!   keep apart by [`Cluster::topic`].
//! - [`OwnCluster`] belongs to one test, which may kill it. `BINDERY_TEST_BROKER=kafka` makes it
//!   an Apache Kafka; without it, the embedded broker as a process.
//!
//! Everything here panics instead of returning errors, and says in the panic what was seen last.

mod binary;
mod certificates;
mod clients;
mod cluster;
mod guard;
mod http;
pub mod kafka;
mod own_cluster;
mod ports;
mod process;
mod record;
mod spans;
mod tls_proxy;
mod wait;

pub use binary::{binary, example, workspace_root};
pub use certificates::{Authority, Issued, Validity};
pub use clients::{
    Isolation, NewTopicSpec, OpenTransaction, committed, create_topics, end_offsets, produce,
    produce_compressed, read_all,
};
pub use cluster::{Cluster, cluster};
pub use http::get;
pub use own_cluster::{OwnCluster, runs_on_kafka};
pub use ports::free_port;
pub use process::Process;
pub use record::{IntoBytes, NO_HEADERS, OwnedRecord};
pub use spans::{ReceivedSpan, SpanReceiver};
pub use tls_proxy::TlsProxy;
pub use wait::wait_until;
