//! The classic group protocol: members join, a leader assigns, everybody syncs.
//!
//! Answers go through one-shot channels, because a join waits for the other members and a sync
//! waits for the leader. Whoever is parked is alive: session timers run only between requests.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// A request to join.
#[derive(Debug, Clone)]
pub(crate) struct Join {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout: Duration,
    pub(crate) rebalance_timeout: Duration,
    pub(crate) protocol_type: String,
    /// Name and metadata, the preferred first.
    pub(crate) protocols: Vec<(String, Bytes)>,
    /// Newer clients are given a member id before they are let in.
    pub(crate) requires_known_id: bool,
}

/// A member as the leader sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinedMember {
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
    pub(crate) metadata: Bytes,
}

/// The answer to a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinReply {
    pub(crate) error: Option<ResponseError>,
    pub(crate) member_id: String,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) leader: String,
    /// All members, for the leader only.
    pub(crate) members: Vec<JoinedMember>,
}

impl JoinReply {
    pub(crate) fn refused(error: ResponseError, member_id: &str) -> JoinReply {
        JoinReply {
            error: Some(error),
            member_id: member_id.to_owned(),
            generation: -1,
            protocol_type: None,
            protocol: None,
            leader: String::new(),
            members: Vec::new(),
        }
    }
}

/// A request for the assignment; the leader's brings everybody's.
#[derive(Debug, Clone)]
pub(crate) struct Sync {
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    pub(crate) assignments: Vec<(String, Bytes)>,
}

/// Protocol type, protocol and assignment.
pub(crate) type SyncReply = Result<(Option<String>, Option<String>, Bytes), ResponseError>;

/// Who a request says it comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Membership<'a> {
    pub(crate) member_id: &'a str,
    pub(crate) instance_id: Option<&'a str>,
    pub(crate) generation: i32,
}

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
        self.join_again(join, reply, now);
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
            self.replace_static(&old_id, member_id, join, reply, now);
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
        member_id: String,
        join: Join,
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
        member.update(&join, now);
        if let Some(instance) = &join.instance_id {
            self.instances.insert(instance.clone(), member_id.clone());
        }
        self.members.insert(member_id.clone(), member);
        let was_leader = self.leader.as_deref() == Some(old_id);
        if was_leader {
            self.leader = Some(member_id.clone());
        }
        let keeps_protocol = self.select_protocol() == self.protocol;
        if self.state == State::Stable && keeps_protocol {
            let mut answer = self.current(&member_id);
            // A client that learns it is the leader would assign again, which nobody waits for.
            if was_leader {
                answer.leader = old_id.to_owned();
            }
            answer.members.clear();
            send(reply, answer);
            return;
        }
        self.park_joining(&member_id, reply);
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

    fn join_again(&mut self, join: Join, reply: oneshot::Sender<JoinReply>, now: Instant) {
        let id = join.member_id.clone();
        let Some(member) = self.members.get_mut(&id) else { return };
        let unchanged = member.protocols == join.protocols;
        member.update(&join, now);
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

    /// Begins a rebalance, or goes on with one, and completes it when everybody is here.
    fn prepare(&mut self, now: Instant) {
        if !matches!(self.state, State::Preparing { .. }) {
            for member in self.members.values_mut() {
                member.assignment = Bytes::new();
                if let Some(waiting) = member.syncing.take() {
                    member.expires = now + member.session_timeout;
                    send(waiting, Err(ResponseError::RebalanceInProgress));
                }
            }
            let longest = self.members.values().map(|member| member.rebalance_timeout).max();
            self.state = State::Preparing { until: now + longest.unwrap_or_default() };
        }
        let all_here = self.members.values().all(|member| member.joining.is_some());
        if all_here && self.promised.is_empty() {
            self.complete(now);
        }
    }

    /// Ends the joining: a new generation of those who are here.
    fn complete(&mut self, now: Instant) {
        // Static members may be away until their session ends.
        let gone: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.joining.is_none() && member.instance_id.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            self.forget(&id);
        }
        self.generation += 1;
        if self.members.is_empty() {
            self.state = State::Empty;
            self.protocol = None;
            self.leader = None;
            return;
        }
        self.protocol = self.select_protocol();
        let leader_is_here = self
            .leader
            .as_ref()
            .and_then(|id| self.members.get(id))
            .is_some_and(|member| member.joining.is_some());
        if !leader_is_here {
            let here = self.members.iter().find(|(_, member)| member.joining.is_some());
            self.leader = here.map(|(id, _)| id.clone()).or(self.leader.take());
        }
        let longest = self.members.values().map(|member| member.rebalance_timeout).max();
        self.state = State::Completing { until: now + longest.unwrap_or_default() };
        let ids: Vec<String> = self.members.keys().cloned().collect();
        for id in ids {
            let answer = self.current(&id);
            let Some(member) = self.members.get_mut(&id) else { continue };
            if let Some(waiting) = member.joining.take() {
                member.expires = now + member.session_timeout;
                send(waiting, answer);
            }
        }
    }

    /// What a member is told about the present generation.
    fn current(&self, id: &str) -> JoinReply {
        let leader = self.leader.clone().unwrap_or_default();
        let listed = self.members().map(|(member_id, member, metadata)| JoinedMember {
            member_id: member_id.clone(),
            instance_id: member.instance_id.clone(),
            metadata,
        });
        JoinReply {
            error: None,
            member_id: id.to_owned(),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            members: if leader == id { listed.collect() } else { Vec::new() },
            leader,
        }
    }

    /// The protocol most members prefer, among those that all of them support.
    fn select_protocol(&self) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let preferred = member.protocols.iter().find(|(name, _)| self.all_support(name));
            if let Some((name, _)) = preferred {
                *votes.entry(name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
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

    fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: Instant) {
        for (id, assignment) in assignments {
            if let Some(member) = self.members.get_mut(&id) {
                member.assignment = assignment;
            }
        }
        self.state = State::Stable;
        for member in self.members.values_mut() {
            if let Some(waiting) = member.syncing.take() {
                member.expires = now + member.session_timeout;
                let names = (self.protocol_type.clone(), self.protocol.clone());
                send(waiting, Ok((names.0, names.1, member.assignment.clone())));
            }
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

    fn forget(&mut self, id: &str) {
        let Some(member) = self.members.remove(id) else { return };
        if let Some(instance) = &member.instance_id {
            self.instances.remove(instance);
        }
        if let Some(waiting) = member.joining {
            send(waiting, JoinReply::refused(ResponseError::UnknownMemberId, id));
        }
        if let Some(waiting) = member.syncing {
            send(waiting, Err(ResponseError::UnknownMemberId));
        }
        if self.leader.as_deref() == Some(id) {
            let joined = self.members.iter().find(|(_, member)| member.joining.is_some());
            let next = joined.or_else(|| self.members.iter().next());
            self.leader = next.map(|(id, _)| id.clone());
        }
    }

    fn after_departure(&mut self, now: Instant) {
        match self.state {
            State::Empty => {}
            State::Preparing { .. } | State::Completing { .. } | State::Stable => {
                self.prepare(now);
            }
        }
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

    /// Lets time pass.
    pub(crate) fn tick(&mut self, now: Instant) {
        let before = (self.members.len(), self.promised.len());
        self.promised.retain(|_, until| *until > now);
        let expired: BTreeSet<String> = self
            .members
            .iter()
            .filter(|(_, member)| !member.is_parked() && member.expires <= now)
            .map(|(id, _)| id.clone())
            .collect();
        for id in &expired {
            self.forget(id);
        }
        if before != (self.members.len(), self.promised.len()) {
            self.after_departure(now);
        }
        match self.state {
            State::Preparing { until } if until <= now => {
                let anyone = self.members.values().any(|member| member.joining.is_some());
                let static_only = !self.members.is_empty()
                    && self.members.values().all(|m| m.instance_id.is_some());
                if anyone || !static_only {
                    self.complete(now);
                }
            }
            State::Completing { until } if until <= now => self.drop_unsynced(now),
            State::Empty | State::Preparing { .. } | State::Completing { .. } | State::Stable => {}
        }
    }

    /// The leader's assignment did not come in time: those who did not sync are gone.
    fn drop_unsynced(&mut self, now: Instant) {
        let silent: Vec<String> = self
            .members
            .iter()
            .filter(|(_, member)| member.syncing.is_none())
            .map(|(id, _)| id.clone())
            .collect();
        for id in silent {
            self.forget(&id);
        }
        self.prepare(now);
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
