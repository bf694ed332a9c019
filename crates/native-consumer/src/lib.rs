//! Fetches partitions that somebody else assigns: what is committed, in order, within bounds.
//!
//! It has no group and commits nothing. Its threads keep one Fetch per broker under way while
//! whoever takes the records is busy with others, until as many bytes wait as the settings allow.
//! Records are borrowed from what was fetched; a batch is unpacked as one, never beyond a limit.
//!
//! What each error code of each request means is one table, [`Request`] by error code, in `verdict`.

#![forbid(unsafe_code)]

mod aborted;
mod fetcher;
mod header;
mod parked;
mod partition;
mod pilot;
mod records;
mod settings;
mod shared;
mod unpack;
mod verdict;
mod worker;

pub use fetcher::{Appetite, ConnectError, Fetcher, Given};
pub use native_client::{CallError, ClientSettings, Security, WaitOrStop};
pub use parked::Parked;
pub use partition::Progress;
pub use records::{Fetched, Headers, Record};
pub use settings::{Reset, Settings};
pub use unpack::Reason;
pub use verdict::Request;
