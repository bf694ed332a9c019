mod handler;
mod merging;
mod past;
mod restoration;

pub(crate) use handler::{FoldError, FoldHandler};
pub(crate) use past::KafkaPast;
pub(crate) use restoration::RestoreTopics;
