//! A transactional producer that lays out record batches itself and speaks transactions v2.
//!
//! It has one operation: everything appended and these next offsets, in one transaction, or by kind
//! why not. It knows nothing of events, lanes or consumers. All of it runs on the thread that calls;
//! sockets block, for no longer than a request may take.
//!
//! What each error code of each request means is one table, [`Request`] by error code, in `verdict`.

#![forbid(unsafe_code)]

mod batch;
mod cluster;
mod compression;
mod connection;
mod error;
mod offsets;
mod pace;
mod patience;
mod produce;
mod producer;
mod put;
mod security;
mod settings;
mod verdict;

pub use batch::Record;
pub use compression::Compression;
pub use error::{CallError, Cause, ConnectError, WriteError};
pub use offsets::{NextPosition, Offsets};
pub use patience::WaitOrStop;
pub use producer::Producer;
pub use security::Security;
pub use settings::{Settings, Topic};
pub use verdict::Request;
