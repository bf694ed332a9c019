use std::borrow::Cow;

use crate::{
    Attempt, Channel, DeliveryReason, EventId, EventStatus, Fact, FactKind, Hold, LaneKind,
    Outcome, Status, StatusKey, TemplateVersion, Timestamp,
};

/// What a set of facts of one event comes to.
///
/// Merging is taking the greater of each part, so it is associative, commutative and idempotent: any
/// order and any repetition of facts comes to the same. A status published can be taken back in
/// ([`Folded::from`]), so that what is published is all that has to be kept.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Folded {
    standing: Option<Standing>,
    /// Whether an assignment was made, or reported on, for the attempt of the standing.
    assigned: bool,
    bound: Option<Bound>,
    event_type: Option<Box<str>>,
    external_id: Option<Box<str>>,
    tenant: Option<Box<str>>,
    lane: Option<LaneKind>,
    /// Whether anything but delivery logs and requests to cancel is known.
    seen: bool,
}

/// The fact that sets the status.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    attempt: Attempt,
    status: Status,
    occurred_at: Timestamp,
    reason: Box<str>,
}

/// The template of the last attempt that was bound; the order of the fields is that of the merge.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Bound {
    attempt: Attempt,
    template_id: Box<str>,
    version: TemplateVersion,
    channel: Channel<'static>,
}

impl Folded {
    /// What one fact comes to.
    pub fn of(fact: &Fact<'_>) -> Self {
        let mut folded = Self::default();
        folded.apply(fact);
        folded
    }

    /// Adds one fact; `true` where that changed anything.
    pub fn apply(&mut self, fact: &Fact<'_>) -> bool {
        let mut changed = false;
        if let Some((status, reason)) = status_of(&fact.kind) {
            let key = StatusKey::new(fact.attempt, status, fact.occurred_at, reason);
            changed |= self.raise_standing(key);
        }
        changed |= self.raise_assigned(fact.attempt, implies_assignment(&fact.kind));
        changed |= self.raise_bound(fact);
        // Another event had the same id: what it says of itself does not describe this one.
        if !matches!(fact.kind, FactKind::Duplicate { .. }) {
            changed |= raise_text(&mut self.event_type, fact.event_type.as_deref());
            changed |= raise_text(&mut self.external_id, fact.external_id.as_deref());
            changed |= raise_text(&mut self.tenant, fact.tenant.as_deref());
            changed |= raise(&mut self.lane, fact.lane);
        }
        changed | raise(&mut self.seen, tells_of_the_event(&fact.kind))
    }

    /// Adds all that `other` knows; `true` where that changed anything.
    pub fn merge(&mut self, other: &Self) -> bool {
        let mut changed = false;
        if let Some(standing) = &other.standing {
            changed |= self.raise_standing(standing.key());
            changed |= self.raise_assigned(standing.attempt, other.assigned);
        }
        if self.bound < other.bound {
            self.bound.clone_from(&other.bound);
            changed = true;
        }
        changed |= raise_text(&mut self.event_type, other.event_type.as_deref());
        changed |= raise_text(&mut self.external_id, other.external_id.as_deref());
        changed |= raise_text(&mut self.tenant, other.tenant.as_deref());
        changed |= raise(&mut self.lane, other.lane);
        changed | raise(&mut self.seen, other.seen)
    }

    /// The status to publish for `event_id`; `None` while no fact says anything of it, as when all
    /// that is known is somebody's wish to cancel.
    pub fn status<'a>(&'a self, event_id: EventId<'a>) -> Option<EventStatus<'a>> {
        let standing = self.standing.as_ref()?;
        let bound = self.bound.as_ref();
        Some(EventStatus {
            event_id,
            status: standing.status,
            attempt: standing.attempt,
            reason: Cow::Borrowed(&standing.reason),
            template_id: bound.map(|bound| Cow::Borrowed(bound.template_id.as_ref())),
            version: bound.map(|bound| bound.version),
            channel: bound.map(|bound| bound.channel.borrowed()),
            assigned: self.assigned,
            lane: self.lane,
            tenant: self.tenant.as_deref().map(Cow::Borrowed),
            external_id: self.external_id.as_deref().map(Cow::Borrowed),
            event_type: self.event_type.as_deref().map(Cow::Borrowed),
            occurred_at: standing.occurred_at,
            orphan: !self.seen,
        })
    }

    /// The moment of the fact that sets the status.
    pub fn occurred_at(&self) -> Option<Timestamp> {
        self.standing.as_ref().map(|standing| standing.occurred_at)
    }

    /// Its place in the order of statuses, where it has one.
    pub fn key(&self) -> Option<StatusKey<'_>> {
        self.standing.as_ref().map(Standing::key)
    }

    fn raise_standing(&mut self, key: StatusKey<'_>) -> bool {
        if self.key() >= Some(key) {
            return false;
        }
        if self.attempt() != Some(key.attempt()) {
            self.assigned = false;
        }
        self.standing = Some(key.into());
        true
    }

    fn raise_assigned(&mut self, attempt: Attempt, assigned: bool) -> bool {
        self.attempt() == Some(attempt) && raise(&mut self.assigned, assigned)
    }

    fn attempt(&self) -> Option<Attempt> {
        self.standing.as_ref().map(|standing| standing.attempt)
    }

    fn raise_bound(&mut self, fact: &Fact<'_>) -> bool {
        let FactKind::Bound { template_id, version, channel, .. } = &fact.kind else {
            return false;
        };
        let bound = Bound {
            attempt: fact.attempt,
            template_id: template_id.as_ref().into(),
            version: *version,
            channel: channel.clone().into_owned(),
        };
        raise(&mut self.bound, Some(bound))
    }
}

/// Takes a published status back in.
///
/// It says of a template only whether the last attempt was bound to it; one of an earlier attempt is
/// taken for that of the attempt before.
impl From<&EventStatus<'_>> for Folded {
    fn from(status: &EventStatus<'_>) -> Self {
        let earlier = Attempt::new(status.attempt.get() - 1).unwrap_or(Attempt::FIRST);
        let attempt = if status.assigned { status.attempt } else { earlier };
        let bound = match (&status.template_id, status.version, &status.channel) {
            (Some(template_id), Some(version), Some(channel)) => Some(Bound {
                attempt,
                template_id: template_id.as_ref().into(),
                version,
                channel: channel.clone().into_owned(),
            }),
            _ => None,
        };
        Self {
            standing: Some(Standing::from(status.key())),
            assigned: status.assigned,
            bound,
            event_type: status.event_type.as_deref().map(Box::from),
            external_id: status.external_id.as_deref().map(Box::from),
            tenant: status.tenant.as_deref().map(Box::from),
            lane: status.lane,
            seen: !status.orphan,
        }
    }
}

impl Standing {
    fn key(&self) -> StatusKey<'_> {
        StatusKey::new(self.attempt, self.status, self.occurred_at, &self.reason)
    }
}

impl From<StatusKey<'_>> for Standing {
    fn from(key: StatusKey<'_>) -> Self {
        Self {
            attempt: key.attempt(),
            status: key.status(),
            occurred_at: key.occurred_at(),
            reason: key.reason().into(),
        }
    }
}

/// The status a fact stands for and the reason that goes with it; `None` for those that leave the
/// status as it is.
fn status_of<'a>(kind: &'a FactKind<'_>) -> Option<(Status, &'a str)> {
    let standing = match kind {
        FactKind::Received => (Status::Pending, ""),
        // Decided again with the same attempt: it waits, as it did when it was received. What it is
        // then decided to ranks higher, and a pause that lasts was never taken back.
        FactKind::Released => (Status::Pending, "released"),
        FactKind::Held(Hold::Scheduled { .. }) => (Status::Pending, "scheduled"),
        FactKind::Held(Hold::Paused { .. }) => (Status::Paused, "template_paused"),
        FactKind::Bound { .. } => (Status::PendingDelivery, ""),
        FactKind::NotSupported(rejection) => (Status::NotSupported, rejection.reason.as_str()),
        FactKind::Expired => (Status::Expired, ""),
        FactKind::Cancelled => (Status::Cancelled, ""),
        FactKind::Delivery { outcome, reason, .. } => delivered(*outcome, reason.as_ref()),
        FactKind::CancelRequested | FactKind::Duplicate { .. } => return None,
    };
    Some(standing)
}

fn delivered<'a>(outcome: Outcome, reason: Option<&'a DeliveryReason<'_>>) -> (Status, &'a str) {
    let (status, unexplained) = match outcome {
        Outcome::Prepared | Outcome::Accepted => (Status::PendingDelivery, ""),
        Outcome::Sent | Outcome::Received => (Status::Sent, ""),
        Outcome::Ignored => (Status::Ignored, "undefined"),
        Outcome::Failed => (Status::DeliveryError, "undefined"),
        Outcome::Cancelled => (Status::DeliveryError, "cancelled"),
    };
    (status, reason.map_or(unexplained, DeliveryReason::as_str))
}

/// Whether there was an assignment, if a fact of this kind is true.
const fn implies_assignment(kind: &FactKind<'_>) -> bool {
    match kind {
        FactKind::Bound { .. } | FactKind::Delivery { .. } => true,
        FactKind::Received
        | FactKind::NotSupported(_)
        | FactKind::Held(_)
        | FactKind::Released
        | FactKind::Expired
        | FactKind::Cancelled
        | FactKind::CancelRequested
        | FactKind::Duplicate { .. } => false,
    }
}

/// Whether a fact comes from the event itself, not from a word about it.
const fn tells_of_the_event(kind: &FactKind<'_>) -> bool {
    match kind {
        FactKind::Delivery { .. } | FactKind::CancelRequested => false,
        FactKind::Received
        | FactKind::Bound { .. }
        | FactKind::NotSupported(_)
        | FactKind::Held(_)
        | FactKind::Released
        | FactKind::Expired
        | FactKind::Cancelled
        | FactKind::Duplicate { .. } => true,
    }
}

fn raise<T: PartialOrd>(present: &mut T, other: T) -> bool {
    let higher = *present < other;
    if higher {
        *present = other;
    }
    higher
}

fn raise_text(present: &mut Option<Box<str>>, other: Option<&str>) -> bool {
    let higher = present.as_deref() < other;
    if higher {
        *present = other.map(Box::from);
    }
    higher
}

#[cfg(test)]
mod tests;
