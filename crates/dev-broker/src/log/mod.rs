//! The log of a partition: batches in segment files, found through a sparse index.

pub(crate) mod batch;
mod compaction;
mod partition;
mod producer_state;
pub(crate) mod records;
mod recovery;
mod retention;
mod segment;

pub(crate) use partition::{Isolation, Partition, Slice, TimestampedOffset};
pub(crate) use producer_state::Admission;

#[cfg(test)]
mod tests;
