//! Consumer groups: the classic protocol, the one of KIP-848, and the offsets they commit.

mod assignor;
mod classic;
mod consumer;
mod offsets;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tokio::time::Instant;

pub(crate) use assignor::Assignment;
pub(crate) use classic::{ClassicGroup, Join, JoinReply, Membership, Sync, SyncReply};
pub(crate) use consumer::{ConsumerGroup, Heartbeat, Reconciled, Subscribable};
pub(crate) use offsets::{GroupOffsets, PendingOffsets};

/// An offset a group committed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommittedOffset {
    #[serde(rename = "at")]
    pub(crate) offset: i64,
    #[serde(rename = "epoch")]
    pub(crate) leader_epoch: i32,
    #[serde(rename = "note")]
    pub(crate) metadata: String,
}

/// The members of a group, by the protocol they speak.
#[derive(Debug)]
pub(crate) enum Members {
    /// Offsets only; whoever comes first chooses the protocol.
    None,
    Classic(ClassicGroup),
    Consumer(ConsumerGroup),
}

/// One group.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) members: Members,
    pub(crate) offsets: GroupOffsets,
}

impl Group {
    fn new() -> Group {
        Group { members: Members::None, offsets: GroupOffsets::default() }
    }

    /// Whether nobody is in it.
    pub(crate) fn is_empty(&self) -> bool {
        match &self.members {
            Members::None => true,
            Members::Classic(group) => group.is_empty(),
            Members::Consumer(group) => group.is_empty(),
        }
    }

    /// Kafka's name of the state it is in.
    pub(crate) fn state_name(&self) -> &'static str {
        match &self.members {
            Members::None => "Empty",
            Members::Classic(group) => group.state_name(),
            Members::Consumer(group) => group.state_name(),
        }
    }

    /// Kafka's name of its protocol.
    pub(crate) fn type_name(&self) -> &'static str {
        match &self.members {
            Members::None | Members::Classic(_) => "classic",
            Members::Consumer(_) => "consumer",
        }
    }
}

/// All groups.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    by_id: BTreeMap<String, Group>,
    /// Offsets that open transactions will commit.
    pub(crate) pending: PendingOffsets,
}

impl Groups {
    pub(crate) fn get(&self, id: &str) -> Option<&Group> {
        self.by_id.get(id)
    }

    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut Group> {
        self.by_id.get_mut(id)
    }

    pub(crate) fn get_or_create(&mut self, id: &str) -> &mut Group {
        self.by_id.entry(id.to_owned()).or_insert_with(Group::new)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&String, &Group)> {
        self.by_id.iter()
    }

    pub(crate) fn remove(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// The group as one of the classic protocol, unless members speak the other one.
    pub(crate) fn classic(&mut self, id: &str) -> Option<&mut ClassicGroup> {
        let group = self.get_or_create(id);
        if group.is_empty() && !matches!(group.members, Members::Classic(_)) {
            group.members = Members::Classic(ClassicGroup::default());
        }
        match &mut group.members {
            Members::Classic(classic) => Some(classic),
            Members::None | Members::Consumer(_) => None,
        }
    }

    /// The group as one of KIP-848, unless members speak the classic protocol.
    pub(crate) fn consumer(&mut self, id: &str) -> Option<&mut ConsumerGroup> {
        let group = self.get_or_create(id);
        if group.is_empty() && !matches!(group.members, Members::Consumer(_)) {
            group.members = Members::Consumer(ConsumerGroup::default());
        }
        match &mut group.members {
            Members::Consumer(consumer) => Some(consumer),
            Members::None | Members::Classic(_) => None,
        }
    }

    /// Lets time pass: sessions end, rebalances close.
    pub(crate) fn tick(&mut self, now: Instant) {
        for group in self.by_id.values_mut() {
            match &mut group.members {
                Members::None => {}
                Members::Classic(classic) => classic.tick(now),
                Members::Consumer(consumer) => consumer.tick(now),
            }
        }
    }

    /// Forgets a deleted topic's offsets.
    pub(crate) fn forget_topic(&mut self, topic: &str) {
        for group in self.by_id.values_mut() {
            group.offsets.forget_topic(topic);
        }
        self.pending.forget_topic(topic);
    }
}
