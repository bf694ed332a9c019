//! What becomes of the events that templates serve, once these are gone.

use std::borrow::Cow;

use domain::{
    CatalogueBuilder, Context, ContextFault, Decision, Event, EventId, History, Hold, LaneKind,
    RequiredPath, Revision, Situation, Template, bind,
};

use super::published::Published;

/// What becomes of one template's events on one lane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// The template does not serve this lane.
    NotServed,
    /// They are bound to this template.
    Bound(String),
    /// They are held until this template is resumed.
    Held(String),
    /// Nothing is left for them.
    Unbound,
}

/// What the removal of one template comes to.
#[derive(Debug)]
pub(super) struct Effect<'a> {
    /// The template that goes.
    pub(super) template: &'a Template,
    /// For its real-time events.
    pub(super) rt: After,
    /// For its batch events.
    pub(super) batch: After,
}

/// What the removal of all of `gone` together comes to, in their order.
///
/// It asks the rules of binding themselves, with an event of the template's type, channel and language.
pub(super) fn effects<'a>(published: &'a Published, gone: &[&'a Template]) -> Vec<Effect<'a>> {
    let mut builder = CatalogueBuilder::new();
    for template in published.templates() {
        if !gone.iter().any(|other| other.id == template.id) {
            builder.publish(template.clone());
        }
    }
    let left = builder.build(Revision(0));
    let after = |template: &Template, lane: LaneKind| {
        if !template.lanes.serve(lane) {
            return After::NotServed;
        }
        let event = event_of(template);
        let situation = Situation {
            lane,
            history: History::New,
            catalogue: &left,
            context: &Anything,
            now: template.published_at,
        };
        match bind(&event, &situation) {
            Decision::Bound(binding) => After::Bound(binding.template.id.to_string()),
            Decision::Held(Hold::Paused { template_id }) => After::Held(template_id.into_owned()),
            Decision::Held(Hold::Scheduled { .. })
            | Decision::NotSupported(_)
            | Decision::Expired { .. }
            | Decision::Cancelled
            | Decision::Duplicate { .. } => After::Unbound,
        }
    };
    gone.iter()
        .map(|template| Effect {
            template,
            rt: after(template, LaneKind::Rt),
            batch: after(template, LaneKind::Batch),
        })
        .collect()
}

/// An event that asks for the template, with an address for every channel there may be.
fn event_of(template: &Template) -> Event<'_> {
    let text = |text: &'static str| Some(Cow::Borrowed(text));
    Event {
        id: EventId::new("probe").expect("it is printable"),
        event_type: Cow::Borrowed(&template.event_type),
        channel: Some(template.channel.clone()),
        email: text("probe@example.com"),
        mobile_phone: text("+33600000000"),
        registration_token: text("probe"),
        mobile_app: None,
        external_id: text("probe"),
        origin: None,
        tenant: None,
        language: Some(Cow::Borrowed(&template.language)),
        country: None,
        email_format: None,
        occurred_at: None,
        scheduled: None,
        expiration: None,
        ctx: Cow::Borrowed(b"{}"),
    }
}

/// Data that has whatever a template asks for.
struct Anything;

impl Context for Anything {
    fn check(&self, _: &[u8], _: &[RequiredPath]) -> Result<(), ContextFault> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use domain::{Channel, Lanes, TemplateState, TemplateVersion, Timestamp};

    use super::*;
    use crate::template::Content;

    /// `id language lanes state`, lanes being `rt`, `batch` or `both`.
    fn template(line: &str) -> Template {
        let words: Vec<&str> = line.split(' ').collect();
        Template {
            id: words[0].into(),
            event_type: "order.shipped".into(),
            channel: Channel::new("voice").unwrap(),
            language: words[1].trim_matches('-').into(),
            lanes: Lanes { rt: words[2] != "batch", batch: words[2] != "rt" },
            state: if words[3] == "live" { TemplateState::Live } else { TemplateState::Paused },
            stable: TemplateVersion(1),
            canary: None,
            published_at: Timestamp::from_millis(0),
            required: RequiredPath::new("order.number").into_iter().collect(),
            retained: Box::new([TemplateVersion(1)]),
        }
    }

    /// What the removal of `gone` comes to, as `rt/batch` of each.
    #[track_caller]
    fn check(templates: &[&str], gone: &[&str], expected: &str) {
        let mut published = Published::default();
        for line in templates {
            published.insert(template(line), Content::default());
        }
        let gone: Vec<&Template> = gone.iter().map(|id| published.template(id).unwrap()).collect();
        let told: Vec<String> = effects(&published, &gone)
            .iter()
            .map(|effect| format!("{:?}/{:?}", effect.rt, effect.batch))
            .collect();
        assert_eq!(told.join(" "), expected, "{templates:?}");
    }

    #[test]
    fn the_last_template_leaves_its_events_unbound() {
        check(&["a en both live"], &["a"], "Unbound/Unbound");
        check(&["a en rt live"], &["a"], "Unbound/NotServed");
    }

    #[test]
    fn another_language_takes_the_events_over() {
        check(&["a en both live", "b fr rt live"], &["a"], "Bound(\"b\")/Unbound");
        check(
            &["a en both live", "b - both live", "c fr both live"],
            &["a"],
            "Bound(\"b\")/Bound(\"b\")",
        );
    }

    #[test]
    fn a_paused_one_holds_them() {
        check(&["a en both live", "b en both paused"], &["a"], "Held(\"b\")/Held(\"b\")");
    }

    #[test]
    fn those_that_go_together_do_not_help_each_other() {
        check(
            &["a en both live", "b fr both live"],
            &["a", "b"],
            "Unbound/Unbound Unbound/Unbound",
        );
    }
}
