//! The log of a partition: batches in segment files, found through a sparse index.

pub(crate) mod batch;
mod partition;
mod producer_state;
mod recovery;
mod segment;

pub(crate) use partition::{Isolation, Partition, Slice, TimestampedOffset};
pub(crate) use producer_state::Admission;
