//! The classic group protocol: members join, a leader assigns, everybody syncs.
//!
//! Answers go through one-shot channels, because a join waits for the other members and a sync
//! waits for the leader. Whoever is parked is alive: session timers run only between requests.

mod messages;
mod rebalance;

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use tokio::time::Instant;

pub(crate) use messages::{Join, JoinReply, JoinedMember, Membership, Sync, SyncReply};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Empty,
    /// Waiting until every member has joined again, or until then.
    Preparing {
        until: Instant,
    },
    /// Waiting for the leader's assignment, or until then.
    Completing {
        until: Instant,
    },
    Stable,
}

/// A member of a group.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    session_timeout: Duration,
    rebalance_timeout: Duration,
    protocols: Vec<(String, Bytes)>,
    pub(crate) assignment: Bytes,
    joining: Option<oneshot::Sender<JoinReply>>,
    syncing: Option<oneshot::Sender<SyncReply>>,
    expires: Instant,
}

impl Member {
    fn metadata(&self, protocol: &str) -> Bytes {
        let found = self.protocols.iter().find(|(name, _)| name == protocol);
        found.map(|(_, metadata)| metadata.clone()).unwrap_or_default()
    }

    fn is_parked(&self) -> bool {
        self.joining.is_some() || self.syncing.is_some()
    }
}

/// A group of the classic protocol.
#[derive(Debug)]
pub(crate) struct ClassicGroup {
    state: State,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    leader: Option<String>,
    members: BTreeMap<String, Member>,
    instances: BTreeMap<String, String>,
    /// Ids given to members that have yet to use them, and until when they may.
    promised: BTreeMap<String, Instant>,
}

impl Default for ClassicGroup {
    fn default() -> ClassicGroup {
        ClassicGroup {
            state: State::Empty,
            generation: 0,
            protocol_type: None,
            protocol: None,
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            promised: BTreeMap::new(),
        }
    }
}

impl ClassicGroup {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty() && self.promised.is_empty()
    }

    pub(crate) fn state_name(&self) -> &'static str {
        match self.state {
            State::Empty => "Empty",
            State::Preparing { .. } => "PreparingRebalance",
            State::Completing { .. } => "CompletingRebalance",
            State::Stable => "Stable",
        }
    }

    /// The members with the metadata of the chosen protocol.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&String, &Member, Bytes)> {
        let protocol = self.protocol.clone().unwrap_or_default();
        self.members.iter().map(move |(id, member)| (id, member, member.metadata(&protocol)))
    }

    /// Whether a member is subscribed to a topic, as far as its metadata can be read.
    pub(crate) fn is_subscribed(&self, topic: &str) -> bool {
        self.protocol_type.as_deref() == Some("consumer")
            && self.members().any(|(_, _, metadata)| {
                metadata.windows(topic.len() + 2).any(|window| {
                    usize::from(u16::from_be_bytes([window[0], window[1]])) == topic.len()
                        && &window[2..] == topic.as_bytes()
                })
            })
    }

    /// Handles a join; the answer comes through `reply`, perhaps later.
    pub(crate) fn join(&mut self, join: Join, reply: oneshot::Sender<JoinReply>, now: Instant) {
        if let Err(error) = self.check_join(&join) {
            send(reply, JoinReply::refused(error, &join.member_id));
            return;
        }
        if join.member_id.is_empty() {
            self.join_unknown(join, reply, now);
            return;
        }
        if self.promised.remove(&join.member_id).is_some() {
            let member_id = join.member_id.clone();
            self.add(member_id, join, reply, now);
            return;
        }
        self.join_again(&join, reply, now);
    }

    fn check_join(&self, join: &Join) -> Result<(), ResponseError> {
        let protocols_missing = join.protocols.is_empty() || join.protocol_type.is_empty();
        let inconsistent = !self.members.is_empty()
            && (self.protocol_type.as_deref() != Some(join.protocol_type.as_str())
                || !join.protocols.iter().any(|(name, _)| self.all_support(name)));
        if protocols_missing || inconsistent {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        if join.member_id.is_empty() || self.promised.contains_key(&join.member_id) {
            return Ok(());
        }
        self.check_member(&join.member_id, join.instance_id.as_deref())
    }

    fn check_member(&self, id: &str, instance: Option<&str>) -> Result<(), ResponseError> {
        if let Some(instance) = instance {
            let owner = self.instances.get(instance).ok_or(ResponseError::UnknownMemberId)?;
            if owner != id {
                return Err(ResponseError::FencedInstanceId);
            }
        }
        if self.members.contains_key(id) { Ok(()) } else { Err(ResponseError::UnknownMemberId) }
    }

    fn all_support(&self, protocol: &str) -> bool {
        self.members
            .values()
            .all(|member| member.protocols.iter().any(|(name, _)| name == protocol))
    }

    fn join_unknown(&mut self, join: Join, reply: oneshot::Sender<JoinReply>, now: Instant) {
        let prefix = join.instance_id.as_ref().unwrap_or(&join.client_id);
        let member_id = format!("{prefix}-{}", uuid::Uuid::new_v4());
        let known = join.instance_id.as_ref().and_then(|id| self.instances.get(id)).cloned();
        if let Some(old_id) = known {
            self.replace_static(&old_id, &member_id, &join, reply, now);
        } else if join.instance_id.is_none() && join.requires_known_id {
            self.promised.insert(member_id.clone(), now + join.session_timeout);
            send(reply, JoinReply::refused(ResponseError::MemberIdRequired, &member_id));
        } else {
            self.add(member_id, join, reply, now);
        }
    }

    /// A static member came back: it takes its predecessor's place and fences it.
    fn replace_static(
        &mut self,
        old_id: &str,
        member_id: &str,
        join: &Join,
        reply: oneshot::Sender<JoinReply>,
        now: Instant,
    ) {
        let Some(mut member) = self.members.remove(old_id) else { return };
        if let Some(waiting) = member.joining.take() {
            send(waiting, JoinReply::refused(ResponseError::FencedInstanceId, old_id));
        }
        if let Some(waiting) = member.syncing.take() {
            send(waiting, Err(ResponseError::FencedInstanceId));
        }
        member.update(join, now);
        if let Some(instance) = &join.instance_id {
            self.instances.insert(instance.clone(), member_id.to_owned());
        }
        self.members.insert(member_id.to_owned(), member);
        let was_leader = self.leader.as_deref() == Some(old_id);
        if was_leader {
            self.leader = Some(member_id.to_owned());
        }
        let keeps_protocol = self.select_protocol() == self.protocol;
        if self.state == State::Stable && keeps_protocol {
            let mut answer = self.current(member_id);
            // A client that learns it is the leader would assign again, which nobody waits for.
            if was_leader {
                answer.leader = old_id.to_owned();
            }
            answer.members.clear();
            send(reply, answer);
            return;
        }
        self.park_joining(member_id, reply);
        self.prepare(now);
    }

    fn add(
        &mut self,
        member_id: String,
        join: Join,
        reply: oneshot::Sender<JoinReply>,
        now: Instant,
    ) {
        if let Some(instance) = &join.instance_id {
            self.instances.insert(instance.clone(), member_id.clone());
        }
        self.protocol_type = Some(join.protocol_type.clone());
        self.leader.get_or_insert_with(|| member_id.clone());
        let expires = now + join.session_timeout;
        let member = Member {
            instance_id: join.instance_id,
            client_id: join.client_id,
            client_host: join.client_host,
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            protocols: join.protocols,
            assignment: Bytes::new(),
            joining: Some(reply),
            syncing: None,
            expires,
        };
        self.members.insert(member_id, member);
        self.prepare(now);
    }

    fn join_again(&mut self, join: &Join, reply: oneshot::Sender<JoinReply>, now: Instant) {
        let id = join.member_id.clone();
        let Some(member) = self.members.get_mut(&id) else { return };
        let unchanged = member.protocols == join.protocols;
        member.update(join, now);
        let is_leader = self.leader.as_deref() == Some(id.as_str());
        let answered = match self.state {
            State::Completing { .. } => unchanged,
            State::Stable => unchanged && !is_leader,
            State::Empty | State::Preparing { .. } => false,
        };
        if answered {
            let answer = self.current(&id);
            send(reply, answer);
            return;
        }
        self.park_joining(&id, reply);
        self.prepare(now);
    }

    fn park_joining(&mut self, id: &str, reply: oneshot::Sender<JoinReply>) {
        if let Some(member) = self.members.get_mut(id) {
            let replaced = member.joining.replace(reply);
            if let Some(waiting) = replaced {
                send(waiting, JoinReply::refused(ResponseError::UnknownMemberId, id));
            }
        }
    }

    /// Handles a sync; the answer comes through `reply`, perhaps later.
    pub(crate) fn sync(
        &mut self,
        who: Membership<'_>,
        sync: Sync,
        reply: oneshot::Sender<SyncReply>,
        now: Instant,
    ) {
        if let Err(error) = self.check_sync(who, &sync) {
            send(reply, Err(error));
            return;
        }
        let names = (self.protocol_type.clone(), self.protocol.clone());
        let is_leader = self.leader.as_deref() == Some(who.member_id);
        let is_completing = matches!(self.state, State::Completing { .. });
        let Some(member) = self.members.get_mut(who.member_id) else { return };
        member.expires = now + member.session_timeout;
        if !is_completing {
            send(reply, Ok((names.0, names.1, member.assignment.clone())));
            return;
        }
        member.syncing = Some(reply);
        if is_leader {
            self.assign(sync.assignments, now);
        }
    }

    fn check_sync(&self, who: Membership<'_>, sync: &Sync) -> Result<(), ResponseError> {
        self.check_member(who.member_id, who.instance_id)?;
        if who.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        let differs =
            |ours: &Option<String>, theirs: &Option<String>| theirs.is_some() && ours != theirs;
        if differs(&self.protocol_type, &sync.protocol_type)
            || differs(&self.protocol, &sync.protocol)
        {
            return Err(ResponseError::InconsistentGroupProtocol);
        }
        match self.state {
            State::Empty => Err(ResponseError::UnknownMemberId),
            State::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            State::Completing { .. } | State::Stable => Ok(()),
        }
    }

    /// Handles a sign of life.
    pub(crate) fn heartbeat(
        &mut self,
        who: Membership<'_>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        self.check_member(who.member_id, who.instance_id)?;
        if who.generation != self.generation {
            return Err(ResponseError::IllegalGeneration);
        }
        if let Some(member) = self.members.get_mut(who.member_id) {
            member.expires = now + member.session_timeout;
        }
        match self.state {
            State::Empty => Err(ResponseError::UnknownMemberId),
            State::Preparing { .. } => Err(ResponseError::RebalanceInProgress),
            State::Completing { .. } | State::Stable => Ok(()),
        }
    }

    /// Lets a member go. A static one is named by its instance.
    pub(crate) fn leave(
        &mut self,
        member_id: &str,
        instance: Option<&str>,
        now: Instant,
    ) -> Result<(), ResponseError> {
        if self.promised.remove(member_id).is_some() {
            self.after_departure(now);
            return Ok(());
        }
        let id = match instance {
            Some(instance) => {
                let owner = self.instances.get(instance).ok_or(ResponseError::UnknownMemberId)?;
                if !member_id.is_empty() && owner != member_id {
                    return Err(ResponseError::FencedInstanceId);
                }
                owner.clone()
            }
            None => member_id.to_owned(),
        };
        if !self.members.contains_key(&id) {
            return Err(ResponseError::UnknownMemberId);
        }
        self.forget(&id);
        self.after_departure(now);
        Ok(())
    }

    /// Checks a commit of offsets, as Kafka's `ClassicGroup.validateOffsetCommit` does.
    pub(crate) fn check_commit(
        &self,
        who: Membership<'_>,
        transactional: bool,
    ) -> Result<(), ResponseError> {
        if who.generation < 0 && self.state == State::Empty {
            return Ok(());
        }
        if who.generation >= 0 || !who.member_id.is_empty() || who.instance_id.is_some() {
            self.check_member(who.member_id, who.instance_id)?;
            if who.generation != self.generation {
                return Err(ResponseError::IllegalGeneration);
            }
        } else if !transactional && self.state != State::Empty {
            return Err(ResponseError::UnknownMemberId);
        }
        if !transactional && matches!(self.state, State::Completing { .. }) {
            return Err(ResponseError::RebalanceInProgress);
        }
        Ok(())
    }

    /// A commit is a sign of life too.
    pub(crate) fn committed(&mut self, member_id: &str, now: Instant) {
        if let Some(member) = self.members.get_mut(member_id) {
            member.expires = now + member.session_timeout;
        }
    }
}

impl Member {
    fn update(&mut self, join: &Join, now: Instant) {
        self.protocols.clone_from(&join.protocols);
        self.session_timeout = join.session_timeout;
        self.rebalance_timeout = join.rebalance_timeout;
        self.client_id.clone_from(&join.client_id);
        self.client_host.clone_from(&join.client_host);
        self.expires = now + join.session_timeout;
    }
}

/// Answers; a client that is gone does not mind.
fn send<T>(reply: oneshot::Sender<T>, answer: T) {
    drop(reply.send(answer));
}
