//! Rebalances: how a group comes to its next generation.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use tokio::time::Instant;

use super::{ClassicGroup, JoinReply, JoinedMember, State, send};

impl ClassicGroup {
    /// Begins a rebalance, or goes on with one, and completes it when everybody is here.
    pub(super) fn prepare(&mut self, now: Instant) {
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
    pub(super) fn current(&self, id: &str) -> JoinReply {
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
    pub(super) fn select_protocol(&self) -> Option<String> {
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for member in self.members.values() {
            let preferred = member.protocols.iter().find(|(name, _)| self.all_support(name));
            if let Some((name, _)) = preferred {
                *votes.entry(name).or_default() += 1;
            }
        }
        votes.into_iter().max_by_key(|(_, count)| *count).map(|(name, _)| name.to_owned())
    }

    pub(super) fn assign(&mut self, assignments: Vec<(String, Bytes)>, now: Instant) {
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

    pub(super) fn forget(&mut self, id: &str) {
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

    pub(super) fn after_departure(&mut self, now: Instant) {
        match self.state {
            State::Empty => {}
            State::Preparing { .. } | State::Completing { .. } | State::Stable => {
                self.prepare(now);
            }
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
