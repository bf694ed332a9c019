//! Follows the topic of templates and publishes immutable snapshots of the catalogue.
//!
//! A [`Follower`] is one thread of a process. Lanes hold a [`CatalogueHandle`] and load the snapshot
//! once per batch, so that a publication never changes a batch half way and never stops a lane.

mod applying;
mod follower;
mod handle;

pub use applying::Applying;
pub use follower::{FollowError, Follower};
pub use handle::CatalogueHandle;
