//! A transactional producer that lays out record batches itself and speaks transactions v2.
//!
//! It has one operation: these records and these next offsets, in one transaction, or by kind why not. It
//! knows nothing of events, lanes or consumers. All of it runs on the thread that calls; sockets block,
//! for no longer than a request may take.
//!
//! What each error code of each request means is one table, [`Request`] by error code, in `verdict`.

#![forbid(unsafe_code)]

mod accumulator;
mod cluster;
mod error;
mod initialise;
mod offsets;
mod pace;
mod produce;
mod producer;
mod settings;
mod trial;
mod verdict;

pub use accumulator::RecordAccumulator;
pub use error::{Cause, ConnectError, WriteError};
pub use native_client::{CallError, Compression, Headers, Record, Security, WaitOrStop};
pub use offsets::{NextPosition, Offsets};
pub use producer::{Producer, Times};
pub use settings::{Settings, Topic};
pub use verdict::Request;
