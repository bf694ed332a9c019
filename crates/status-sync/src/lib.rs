//! From facts to statuses: collects delivery logs, folds facts, announces what was received.
//!
//! Three kinds of lane run side by side, each a handler of the same loop:
//!
//! - *collect* turns delivery logs, however they are partitioned and written, into facts;
//! - *fold* merges the facts of `event-journal` into the statuses of `event-status`, the one writer of
//!   that topic;
//! - *announce* writes a Received fact for each event in an intake topic, so that what is queued
//!   shows as pending even while the consumers are down.

mod announce;
mod collect;
mod counts;
mod each_record;
mod fold;
mod handler;
mod observed;
mod outputs;
mod process;
mod run;
mod settings;
mod store;
#[cfg(test)]
mod testing;

pub use counts::{RestoreWay, StatusCounts, StatusTotals};
pub use process::main;
pub use run::StatusSync;
pub use settings::{Formats, StatusSyncSettings};
