//! Kafka's own words and the plain clients around the lane.
//!
//! What an event is, is not known here. The transactional producer is not here either: it belongs to
//! `lane`, which alone may write in transactions.

mod admin;
mod chain;
mod context;
mod group;
mod lookup;
mod membership;
mod offset;
mod partitioner;
mod reader;
mod record;
mod sender;
mod settings;
mod token;
mod topics;

pub use admin::{
    AdminError, Applied, Change, Difference, adopt_limit, adopt_limits, apply, check, cluster_id,
    delete, partition_count, partition_counts, reach, require, wait_for_broker,
};
pub use chain::Chain;
pub use context::QuietContext;
pub use group::{GroupOnlooker, GroupProgress, PartitionProgress, group_progress};
pub use lookup::{FoundRecord, KeyLookup, LookupError};
pub use membership::GroupMembership;
pub use offset::{NextOffset, Offset, TopicPartition};
pub use partitioner::partition_of;
pub use reader::{ReadError, ReadEvent, Reader};
pub use record::{Headers, ReadRecord};
pub use sender::{SendError, Sender};
pub use settings::{ClientSettings, SettingsError};
pub use token::{Token, TokenError, TokenSource};
pub use topics::{TopicSpec, Topics};
