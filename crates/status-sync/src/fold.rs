mod handler;
mod merging;
mod past;
mod restoration;

pub(crate) use handler::{FoldError, FoldHandler};
pub(crate) use past::KafkaPast;
#[cfg(test)]
pub(crate) use past::{Bounds, Past, PastEvent, PastReader};
pub(crate) use restoration::RestoreTopics;
