use std::borrow::Cow;

use crate::address::channel_of;
use crate::catalogue::{Candidates, Group, Placed, newest_first};
use crate::{
    Address, AddressFault, Binding, Catalogue, Channel, Context, ContextFault, Decision, Event,
    History, Hold, LaneKind, LanguageTag, Losers, NotSupported, RejectionReason, Template,
    TemplateState, Timestamp, lookup,
};

/// What an event is bound in: everything a decision depends on beside the event itself.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a, C: Context> {
    /// The side the event came in by.
    pub lane: LaneKind,
    /// What is known of its id.
    pub history: History,
    /// The templates to choose from.
    pub catalogue: &'a Catalogue,
    /// Looks into `ctx`.
    pub context: &'a C,
    /// The present.
    pub now: Timestamp,
}

/// An event scheduled for no later than this is not worth holding, in milliseconds.
const SCHEDULE_SLACK_MS: i64 = 1000;

/// Chooses the template version, channel and address for an event, or says why there is none.
///
/// The rules apply in the order of the calls below; the first that applies is the decision. Pure:
/// the same arguments always come to the same decision.
pub fn bind<'a, C: Context>(event: &'a Event<'_>, situation: &Situation<'a, C>) -> Decision<'a> {
    if let Some(decision) = known(situation.history).or_else(|| untimely(event, situation.now)) {
        return decision;
    }
    let (channel, address) = match recipient(event) {
        Ok(recipient) => recipient,
        Err(fault) => return unaddressed(fault),
    };
    let candidates = situation.catalogue.candidates(&event.event_type, channel.as_str());
    let Candidates::Some(group) = candidates else {
        return no_template(event, situation, &candidates);
    };
    let serving = |state| move |placed: &Placed| is_serving(placed, situation.lane, state);
    let Some(winner) = choose(event, group, serving(TemplateState::Live)) else {
        return match choose(event, group, serving(TemplateState::Paused)) {
            Some(paused) => paused_hold(paused.template()),
            None => no_template(event, situation, &candidates),
        };
    };
    let template = winner.template();
    if let Err(fault) = situation.context.check(context_of(event), &template.required) {
        return unusable_context(template, fault);
    }
    Decision::Bound(Binding {
        template,
        version: template.version_for(&event.id),
        channel,
        address,
        revision: situation.catalogue.revision(),
        losers: Losers::to(winner, group, situation.lane),
    })
}

fn known(history: History) -> Option<Decision<'static>> {
    match history {
        History::New => None,
        History::Cancelled(_) => Some(Decision::Cancelled),
        History::Seen(of) => Some(Decision::Duplicate { of }),
    }
}

fn untimely(event: &Event<'_>, now: Timestamp) -> Option<Decision<'static>> {
    if let Some(expiration) = event.expiration.filter(|expiration| *expiration < now) {
        return Some(Decision::Expired { expiration });
    }
    let until = event.scheduled.filter(|until| *until > now.plus_millis(SCHEDULE_SLACK_MS))?;
    Some(Decision::Held(Hold::Scheduled { until }))
}

fn recipient<'a>(event: &'a Event<'_>) -> Result<(Channel<'a>, Address<'a>), AddressFault> {
    let channel = channel_of(event)?;
    let address = Address::of(event, &channel)?;
    Ok((channel, address))
}

fn is_serving(placed: &Placed, lane: LaneKind, state: TemplateState) -> bool {
    placed.state() == state && placed.serves(lane)
}

/// The template that suits the event's language best, among those that `serves` lets through.
fn choose<'a>(
    event: &Event<'_>,
    group: Group<'a>,
    serves: impl Fn(&Placed) -> bool,
) -> Option<&'a Placed> {
    let newest_of = |language: LanguageTag<'_>| -> Option<&'a Placed> {
        let mut alike = group.of_language(language);
        alike.find(|placed| serves(placed))
    };
    let language = LanguageTag::new(event.language.as_deref().unwrap_or_default());
    let newest = || {
        let serving = group.all().filter(|placed| serves(placed));
        serving.min_by_key(|placed| newest_first(placed.template()))
    };
    lookup(language, newest_of).or_else(|| newest_of(LanguageTag::DEFAULT)).or_else(newest)
}

/// `ctx` as the rules see it: an event without one has an empty object.
fn context_of<'e>(event: &'e Event<'_>) -> &'e [u8] {
    if event.ctx.is_empty() { b"{}" } else { &event.ctx }
}

fn rejected<'a>(reason: RejectionReason, detail: impl Into<Cow<'a, str>>) -> Decision<'a> {
    Decision::NotSupported(NotSupported { reason, detail: detail.into(), nearest: None })
}

fn unaddressed(fault: AddressFault) -> Decision<'static> {
    let reason = match fault {
        AddressFault::Missing(_) | AddressFault::NoChannel => RejectionReason::AddressMissing,
        AddressFault::Malformed(_) => RejectionReason::AddressInvalid,
    };
    rejected(reason, fault.detail())
}

fn no_template<'a, C: Context>(
    event: &Event<'_>,
    situation: &Situation<'a, C>,
    candidates: &Candidates<'_>,
) -> Decision<'a> {
    let (detail, nearest) = match candidates {
        Candidates::NoEventType => {
            let nearest = situation.catalogue.nearest(&event.event_type);
            ("no template is published for this event type", nearest.map(Cow::Borrowed))
        }
        Candidates::NoChannel => ("no template of this event type is for this channel", None),
        Candidates::Some(_) => {
            ("no template of this event type and channel serves this lane", None)
        }
    };
    let reason = RejectionReason::NoTemplate;
    Decision::NotSupported(NotSupported { reason, detail: Cow::Borrowed(detail), nearest })
}

fn paused_hold(template: &Template) -> Decision<'_> {
    Decision::Held(Hold::Paused { template_id: Cow::Borrowed(&template.id) })
}

fn unusable_context(template: &Template, fault: ContextFault) -> Decision<'_> {
    match fault {
        ContextFault::Invalid(detail) => rejected(RejectionReason::CtxInvalid, detail),
        ContextFault::Missing(index) => {
            rejected(RejectionReason::VariableMissing, template.required[index].as_str())
        }
    }
}

#[cfg(test)]
mod tests;
