//! The group protocol of KIP-848: the broker assigns, members report what they hold.
//!
//! A partition is given to its next owner only after the previous one said it let go, and every
//! member moves to the new epoch on its own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use kafka_protocol::ResponseError;
use tokio::time::Instant;
use uuid::Uuid;

use super::assignor::{self, Assignment, Candidate, Slot};

/// The epoch of a member that leaves for good.
const LEAVING: i32 = -1;
/// The epoch of a static member that will be back.
const AWAY: i32 = -2;

/// A member's heartbeat.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heartbeat {
    pub(crate) member_id: String,
    pub(crate) epoch: i32,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) rebalance_timeout: Option<Duration>,
    pub(crate) topics: Option<BTreeSet<String>>,
    /// What the member still holds; nothing when that did not change.
    pub(crate) held: Option<Assignment>,
}

/// The answer to a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reconciled {
    pub(crate) member_id: String,
    pub(crate) epoch: i32,
    /// Told only when it changed or the member asked from the start.
    pub(crate) assignment: Option<Assignment>,
}

/// The topics there are: name to id and partition count.
pub(crate) type Subscribable = BTreeMap<String, (Uuid, i32)>;

/// A member of the group.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) epoch: i32,
    previous_epoch: i32,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) topics: BTreeSet<String>,
    pub(crate) assigned: Assignment,
    /// To be let go before anything new is given.
    revoking: Assignment,
    revoke_until: Option<Instant>,
    /// Waits for partitions that others still hold.
    waits_for_others: bool,
    rebalance_timeout: Duration,
    expires: Instant,
}

/// A group of this protocol.
#[derive(Debug, Default)]
pub(crate) struct ConsumerGroup {
    pub(crate) epoch: i32,
    pub(crate) target_epoch: i32,
    pub(crate) target: BTreeMap<String, Assignment>,
    pub(crate) members: BTreeMap<String, Member>,
    /// Id and partition count of every topic somebody subscribed to.
    topics: BTreeMap<String, (Uuid, i32)>,
}

impl ConsumerGroup {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn state_name(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else if self.epoch > self.target_epoch {
            "Assigning"
        } else if self.members.values().any(|member| !self.is_settled(member)) {
            "Reconciling"
        } else {
            "Stable"
        }
    }

    fn is_settled(&self, member: &Member) -> bool {
        member.epoch == self.target_epoch && member.revoking.is_empty() && !member.waits_for_others
    }

    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        self.members.values().any(|member| member.topics.contains(topic))
    }

    /// Handles one heartbeat.
    pub(crate) fn heartbeat(
        &mut self,
        beat: &Heartbeat,
        subscribable: &Subscribable,
        session_timeout: Duration,
        now: Instant,
    ) -> Result<Reconciled, ResponseError> {
        if beat.epoch == LEAVING || beat.epoch == AWAY {
            return self.leave(beat, now, session_timeout);
        }
        let told_everything = beat.epoch == 0;
        let member_id = self.admit(beat, now, session_timeout)?;
        let before = self.members.get(&member_id).map(|member| member.assigned.clone());
        self.update(&member_id, beat);
        self.refresh(subscribable);
        self.reconcile(&member_id, beat.held.as_ref(), now);
        let member = self.members.get_mut(&member_id).ok_or(ResponseError::UnknownMemberId)?;
        member.expires = now + session_timeout;
        let changed = before.as_ref() != Some(&member.assigned);
        let tell = told_everything || changed || beat.held.is_some();
        Ok(Reconciled {
            member_id,
            epoch: member.epoch,
            assignment: tell.then(|| member.assigned.clone()),
        })
    }

    /// Finds the member of a heartbeat, or lets a new one in.
    fn admit(
        &mut self,
        beat: &Heartbeat,
        now: Instant,
        session_timeout: Duration,
    ) -> Result<String, ResponseError> {
        if let Some(member) = self.members.get(&beat.member_id) {
            if beat.instance_id.is_some() && member.instance_id != beat.instance_id {
                return Err(ResponseError::UnknownMemberId);
            }
            check_epoch(member, beat)?;
            return Ok(beat.member_id.clone());
        }
        if beat.epoch > 0 {
            let known = self.instance(beat.instance_id.as_deref());
            return Err(match known {
                Some(_) => ResponseError::FencedInstanceId,
                None => ResponseError::UnknownMemberId,
            });
        }
        let Some(topics) = beat.topics.clone() else { return Err(ResponseError::InvalidRequest) };
        let id = match beat.member_id.as_str() {
            "" => Uuid::new_v4().to_string(),
            given => given.to_owned(),
        };
        let mut member = Member {
            epoch: 0,
            previous_epoch: -1,
            instance_id: beat.instance_id.clone(),
            client_id: beat.client_id.clone(),
            client_host: beat.client_host.clone(),
            topics,
            assigned: Assignment::new(),
            revoking: Assignment::new(),
            revoke_until: None,
            waits_for_others: false,
            rebalance_timeout: beat.rebalance_timeout.unwrap_or(session_timeout),
            expires: now + session_timeout,
        };
        let predecessor = self.instance(beat.instance_id.as_deref());
        if let Some(old_id) = predecessor {
            let away = self.members.get(&old_id).is_some_and(|old| old.epoch == AWAY);
            if !away {
                return Err(ResponseError::UnreleasedInstanceId);
            }
            if let Some(old) = self.members.remove(&old_id) {
                member.assigned = old.assigned;
                if member.topics != old.topics {
                    self.epoch += 1;
                }
            }
            if let Some(target) = self.target.remove(&old_id) {
                self.target.insert(id.clone(), target);
            }
        } else {
            self.epoch += 1;
        }
        self.members.insert(id.clone(), member);
        Ok(id)
    }

    fn instance(&self, instance: Option<&str>) -> Option<String> {
        let instance = instance?;
        let found =
            self.members.iter().find(|(_, member)| member.instance_id.as_deref() == Some(instance));
        found.map(|(id, _)| id.clone())
    }

    fn leave(
        &mut self,
        beat: &Heartbeat,
        now: Instant,
        session_timeout: Duration,
    ) -> Result<Reconciled, ResponseError> {
        let member = self.members.get_mut(&beat.member_id).ok_or(ResponseError::UnknownMemberId)?;
        if member.instance_id != beat.instance_id && beat.instance_id.is_some() {
            return Err(ResponseError::UnknownMemberId);
        }
        if beat.epoch == AWAY && member.instance_id.is_some() {
            // It keeps its partitions until it is back or its session ends.
            member.epoch = AWAY;
            member.revoking.clear();
            member.expires = now + session_timeout;
        } else {
            self.remove(&beat.member_id);
        }
        Ok(Reconciled { member_id: beat.member_id.clone(), epoch: beat.epoch, assignment: None })
    }

    fn remove(&mut self, member_id: &str) {
        if self.members.remove(member_id).is_some() {
            self.target.remove(member_id);
            self.epoch += 1;
        }
    }

    fn update(&mut self, member_id: &str, beat: &Heartbeat) {
        let Some(member) = self.members.get_mut(member_id) else { return };
        if let Some(timeout) = beat.rebalance_timeout {
            member.rebalance_timeout = timeout;
        }
        if let Some(topics) = &beat.topics
            && *topics != member.topics
        {
            member.topics.clone_from(topics);
            self.epoch += 1;
        }
    }

    /// Looks at the topics again and computes a new target when something changed.
    fn refresh(&mut self, subscribable: &Subscribable) {
        let wanted: BTreeSet<&String> =
            self.members.values().flat_map(|member| &member.topics).collect();
        let topics: BTreeMap<String, (Uuid, i32)> = wanted
            .into_iter()
            .filter_map(|name| Some((name.clone(), *subscribable.get(name)?)))
            .collect();
        if topics != self.topics {
            self.topics = topics;
            if self.epoch == self.target_epoch {
                self.epoch += 1;
            }
        }
        if self.epoch > self.target_epoch {
            self.retarget();
        }
    }

    fn retarget(&mut self) {
        let candidates = self
            .members
            .iter()
            .map(|(id, member)| {
                let topics = member.topics.iter().filter_map(|name| Some(self.topics.get(name)?.0));
                let had = self.target.get(id).unwrap_or(&member.assigned).clone();
                (id.clone(), Candidate { topics: topics.collect(), had })
            })
            .collect();
        let partitions = self.topics.values().copied().collect();
        self.target = assignor::assign(&candidates, &partitions);
        self.target_epoch = self.epoch;
    }

    /// Brings a member one step closer to its target.
    fn reconcile(&mut self, member_id: &str, held: Option<&Assignment>, now: Instant) {
        let Some(member) = self.members.get(member_id) else { return };
        if !member.revoking.is_empty() {
            let still_holds = held
                .is_none_or(|held| assignor::slots(held).any(|slot| holds(&member.revoking, slot)));
            if still_holds {
                return;
            }
        }
        let others: BTreeSet<Slot> = self
            .members
            .iter()
            .filter(|(id, _)| *id != member_id)
            .flat_map(|(_, other)| {
                assignor::slots(&other.assigned).chain(assignor::slots(&other.revoking))
            })
            .collect();
        let target = self.target.get(member_id).cloned().unwrap_or_default();
        let target_epoch = self.target_epoch;
        let Some(member) = self.members.get_mut(member_id) else { return };
        member.revoking.clear();
        member.revoke_until = None;
        let (kept, lost): (Vec<Slot>, Vec<Slot>) =
            assignor::slots(&member.assigned).partition(|slot| holds(&target, *slot));
        let joins = member.epoch == 0;
        if !lost.is_empty() && !joins {
            member.assigned = assignor::collect(kept);
            member.revoking = assignor::collect(lost);
            member.revoke_until = Some(now + member.rebalance_timeout);
            return;
        }
        let wanted = assignor::slots(&target).filter(|slot| !holds(&member.assigned, *slot));
        let (blocked, free): (Vec<Slot>, Vec<Slot>) =
            wanted.partition(|slot| others.contains(slot));
        member.waits_for_others = !blocked.is_empty();
        member.assigned = assignor::collect(kept.into_iter().chain(free));
        if member.epoch != target_epoch {
            member.previous_epoch = member.epoch;
            member.epoch = target_epoch;
        }
    }

    /// Checks a commit of offsets; `checks_nothing` is a transaction that names no member.
    pub(crate) fn check_commit(
        &self,
        member_id: &str,
        epoch: i32,
        checks_nothing: bool,
    ) -> Result<(), ResponseError> {
        if checks_nothing || (epoch < 0 && self.members.is_empty()) {
            return Ok(());
        }
        let member = self.members.get(member_id).ok_or(ResponseError::UnknownMemberId)?;
        if member.epoch == epoch { Ok(()) } else { Err(ResponseError::StaleMemberEpoch) }
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Instant) {
        let gone: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| {
                member.expires <= now || member.revoke_until.is_some_and(|until| until <= now)
            })
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.remove(&id);
        }
    }
}

fn holds(assignment: &Assignment, (topic, partition): Slot) -> bool {
    assignment.get(&topic).is_some_and(|partitions| partitions.contains(&partition))
}

/// A member may repeat its previous epoch when it never saw the answer that gave it the new one.
fn check_epoch(member: &Member, beat: &Heartbeat) -> Result<(), ResponseError> {
    if beat.epoch == 0 || beat.epoch == member.epoch {
        return Ok(());
    }
    let missed_the_answer = beat.epoch == member.previous_epoch
        && beat
            .held
            .as_ref()
            .is_some_and(|held| assignor::slots(held).all(|slot| holds(&member.assigned, slot)));
    if missed_the_answer { Ok(()) } else { Err(ResponseError::FencedMemberEpoch) }
}
