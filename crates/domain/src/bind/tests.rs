use std::borrow::Cow;

use super::*;
use crate::{
    Attempt, CANDIDATES_MAX, Canary, CatalogueBuilder, EventId, Lanes, RequiredPath, Revision,
    TemplateVersion,
};

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

/// Reads `{a.b c}` as an object that has the paths `a.b` and `c`.
struct Listed;

impl Context for Listed {
    fn check(&self, ctx: &[u8], required: &[RequiredPath]) -> Result<(), ContextFault> {
        let text = std::str::from_utf8(ctx).unwrap();
        let invalid = || ContextFault::Invalid(Cow::Borrowed("no object"));
        let inner = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
        let present: Vec<&str> = inner.ok_or_else(invalid)?.split(' ').collect();
        let lacking = required.iter().position(|path| !present.contains(&path.as_str()));
        lacking.map_or(Ok(()), |index| Err(ContextFault::Missing(index)))
    }
}

fn template(id: &str, language: &str, published_at: i64) -> Template {
    Template {
        id: id.into(),
        event_type: "order.shipped".into(),
        channel: Channel::EMAIL,
        language: language.into(),
        lanes: Lanes::BOTH,
        state: TemplateState::Live,
        stable: TemplateVersion(1),
        canary: None,
        published_at: Timestamp::from_millis(published_at),
        required: [].into(),
        retained: [TemplateVersion(1)].into(),
    }
}

fn event() -> Event<'static> {
    Event {
        id: EventId::new("event-1").unwrap(),
        event_type: Cow::Borrowed("order.shipped"),
        channel: None,
        email: Some(Cow::Borrowed("ada@example.com")),
        mobile_phone: None,
        registration_token: None,
        mobile_app: None,
        external_id: None,
        origin: None,
        tenant: None,
        language: None,
        country: None,
        email_format: None,
        occurred_at: None,
        scheduled: None,
        expiration: None,
        ctx: b"{}".into(),
    }
}

fn in_language(language: &'static str) -> Event<'static> {
    Event { language: Some(Cow::Borrowed(language)), ..event() }
}

fn describe(decision: &Decision<'_>) -> String {
    match decision {
        Decision::Bound(binding) => {
            let mut text = format!(
                "bound {}/{} {} {}",
                binding.template.id,
                binding.version.0,
                binding.channel,
                binding.address.as_str()
            );
            for loser in binding.losers.iter() {
                text += &format!(" -{}:{}", loser.template_id, loser.lost.as_str());
            }
            text
        }
        Decision::Held(Hold::Scheduled { until }) => format!("held until {}", until.as_millis()),
        Decision::Held(Hold::Paused { template_id }) => format!("held for {template_id}"),
        Decision::NotSupported(rejection) => {
            let nearest = rejection.nearest.as_deref().unwrap_or("-");
            format!("{}: {} ({nearest})", rejection.reason.as_str(), rejection.detail)
        }
        Decision::Expired { expiration } => format!("expired {}", expiration.as_millis()),
        Decision::Cancelled => "cancelled".into(),
        Decision::Duplicate { of } => format!("duplicate of {}", of.get()),
    }
}

/// The only place that calls `bind`.
#[track_caller]
fn check_in(
    history: History,
    lane: LaneKind,
    templates: &[Template],
    event: &Event<'_>,
    expected: &str,
) {
    let mut builder = CatalogueBuilder::new();
    templates.iter().for_each(|template| builder.publish(template.clone()));
    let catalogue = builder.build(Revision(7));
    let situation = Situation { lane, history, catalogue: &catalogue, context: &Listed, now: NOW };
    assert_eq!(describe(&bind(event, &situation)), expected, "event: {event:?}");
}

#[track_caller]
fn check(templates: &[Template], event: &Event<'_>, expected: &str) {
    check_in(History::New, LaneKind::Rt, templates, event, expected);
}

fn at(millis: i64) -> Option<Timestamp> {
    Some(NOW.plus_millis(millis))
}

#[test]
fn an_event_with_a_template_is_bound() {
    check(&[template("a", "", 1)], &event(), "bound a/1 email ada@example.com");
}

#[test]
fn a_cancelled_event_is_cancelled_whatever_else_holds() {
    let late = Event { expiration: at(-1), email: None, ..event() };
    let cancelled = History::Cancelled(NOW);
    check_in(cancelled, LaneKind::Rt, &[template("a", "", 1)], &late, "cancelled");
}

#[test]
fn an_event_seen_before_is_a_duplicate_whatever_else_holds() {
    let late = Event { expiration: at(-1), email: None, ..event() };
    let seen = History::Seen(Attempt::new(2).unwrap());
    check_in(seen, LaneKind::Rt, &[template("a", "", 1)], &late, "duplicate of 2");
}

#[test]
fn an_event_expires_the_millisecond_after_its_expiration() {
    let templates = [template("a", "", 1)];
    let expiring = |millis| Event { expiration: at(millis), ..event() };
    check(&templates, &expiring(0), "bound a/1 email ada@example.com");
    check(&templates, &expiring(-1), "expired 999999");
    let both = Event { scheduled: at(5000), ..expiring(-1) };
    check(&templates, &both, "expired 999999");
    check(&[], &Event { email: None, ..expiring(-1) }, "expired 999999");
}

#[test]
fn an_event_scheduled_for_later_than_a_second_is_held() {
    let templates = [template("a", "", 1)];
    let scheduled = |millis| Event { scheduled: at(millis), ..event() };
    check(&templates, &scheduled(1000), "bound a/1 email ada@example.com");
    check(&templates, &scheduled(1001), "held until 1001001");
    check(&templates, &scheduled(-5000), "bound a/1 email ada@example.com");
    check(&[], &Event { email: None, ..scheduled(1001) }, "held until 1001001");
    let farthest = Event { scheduled: Some(Timestamp::from_millis(i64::MAX)), ..event() };
    check(&templates, &farthest, &format!("held until {}", i64::MAX));
}

#[test]
fn without_an_address_an_event_is_not_supported() {
    let templates = [template("a", "", 1)];
    let nowhere = Event { email: None, ..event() };
    let none = "no channel, `email`, `mobilePhone` or `registrationToken` is given";
    check(&templates, &nowhere, &format!("address_missing: {none} (-)"));
    let sms = Event { channel: Some(Channel::SMS), ..event() };
    check(&templates, &sms, "address_missing: `mobilePhone` is not given (-)");
    let broken = Event { email: Some("ada@example.com\r\nBcc: bob@example.com".into()), ..event() };
    check(&templates, &broken, "address_invalid: `email` is no e-mail address (-)");
    let unknown = Event { event_type: "nothing".into(), email: Some("ada".into()), ..event() };
    check(&templates, &unknown, "address_invalid: `email` is no e-mail address (-)");
}

#[test]
fn without_a_template_an_event_is_not_supported() {
    let mut rt_only = template("a", "", 1);
    rt_only.lanes = Lanes { rt: true, batch: false };
    let templates = [rt_only];
    let unlike = Event { event_type: "password.reset".into(), ..event() };
    let no_type = "no_template: no template is published for this event type";
    check(&templates, &unlike, &format!("{no_type} (-)"));
    let mistyped = Event { event_type: "order.shiped".into(), ..event() };
    check(&templates, &mistyped, &format!("{no_type} (order.shipped)"));
    let sms =
        Event { channel: Some(Channel::SMS), mobile_phone: Some("+33612345678".into()), ..event() };
    let no_channel = "no_template: no template of this event type is for this channel (-)";
    check(&templates, &sms, no_channel);
    let no_lane = "no_template: no template of this event type and channel serves this lane (-)";
    check_in(History::New, LaneKind::Batch, &templates, &event(), no_lane);
    check(&[], &event(), &format!("{no_type} (-)"));
}

fn paused(mut template: Template) -> Template {
    template.state = TemplateState::Paused;
    template
}

#[test]
fn with_only_paused_templates_an_event_is_held_for_the_one_that_would_win() {
    let templates = [paused(template("en", "", 9)), paused(template("fr", "fr", 1))];
    check(&templates, &in_language("fr-CA"), "held for fr");
    check(&templates, &in_language("de"), "held for en");
    let mut other_lane = paused(template("batch", "", 1));
    other_lane.lanes = Lanes { rt: false, batch: true };
    let expected = "no_template: no template of this event type and channel serves this lane (-)";
    check(&[other_lane], &event(), expected);
}

#[test]
fn a_live_template_wins_over_a_paused_one_of_a_better_language() {
    let templates = [template("en", "", 1), paused(template("fr", "fr", 2))];
    check(&templates, &in_language("fr"), "bound en/1 email ada@example.com -fr:paused");
}

#[test]
fn the_language_is_looked_up_then_the_default_taken_then_the_newest() {
    let templates =
        [template("default", "", 1), template("fr", "fr", 2), template("fr-CA", "fr-CA", 3)];
    let to = "email ada@example.com";
    let bound_fr = format!("bound fr/1 {to} -default:language -fr-CA:language");
    let bound_default = format!("bound default/1 {to} -fr:language -fr-CA:language");
    check(&templates, &in_language("fr-CH"), &bound_fr);
    check(&templates, &in_language("FR"), &bound_fr);
    check(&templates, &in_language("de"), &bound_default);
    check(&templates, &in_language(""), &bound_default);
    check(&templates, &event(), &bound_default);
    let canadian = format!("bound fr-CA/1 {to} -default:language -fr:language");
    check(&templates, &in_language("fr_ca"), &canadian);
    check(&templates[1..], &in_language("de"), &format!("bound fr-CA/1 {to} -fr:language"));
}

#[test]
fn within_a_language_the_last_published_wins_and_the_others_are_listed() {
    let templates = [template("old", "fr", 1), template("new", "FR", 9), template("mid", "fr", 5)];
    let expected = "bound new/1 email ada@example.com -mid:older -old:older";
    check(&templates, &in_language("fr"), expected);
}

#[test]
fn of_templates_published_together_the_lesser_id_wins() {
    let templates = [template("b", "", 5), template("a", "", 5)];
    check(&templates, &event(), "bound a/1 email ada@example.com -b:older");
    let others = [template("b", "de", 5), template("a", "fr", 5)];
    check(&others, &event(), "bound a/1 email ada@example.com -b:language");
}

#[test]
fn every_loser_is_told_why_it_lost() {
    let mut batch_only = template("batch", "", 9);
    batch_only.lanes = Lanes { rt: false, batch: true };
    let templates = [
        template("best", "", 5),
        template("old", "", 1),
        template("fr", "fr", 9),
        paused(template("paused", "", 9)),
        batch_only,
    ];
    let expected = "bound best/1 email ada@example.com \
                    -batch:lane -paused:paused -old:older -fr:language";
    check(&templates, &event(), expected);
}

#[test]
fn no_more_losers_are_listed_than_there_is_room_for() {
    let templates: Vec<Template> =
        (0..40).map(|number| template(&format!("t{number:02}"), "", 100 - number)).collect();
    let losers = (1..=CANDIDATES_MAX).map(|number| format!(" -t{number:02}:older"));
    let expected = format!("bound t00/1 email ada@example.com{}", losers.collect::<String>());
    check(&templates, &event(), &expected);
}

#[test]
fn a_canary_takes_its_percentage_of_the_events() {
    let with = |percentage| {
        let mut template = template("a", "", 1);
        template.canary = Some(Canary { version: TemplateVersion(2), percentage });
        [template]
    };
    let named = |id: &'static str| Event { id: EventId::new(id).unwrap(), ..event() };
    check(&with(0), &named("event-1"), "bound a/1 email ada@example.com");
    check(&with(100), &named("event-1"), "bound a/2 email ada@example.com");
    // `order-0` stands at 92 and `order-2` at 43.
    check(&with(50), &named("order-2"), "bound a/2 email ada@example.com");
    check(&with(50), &named("order-0"), "bound a/1 email ada@example.com");
    check(&with(43), &named("order-2"), "bound a/1 email ada@example.com");
    check(&with(44), &named("order-2"), "bound a/2 email ada@example.com");
}

#[test]
fn every_required_path_has_to_be_there() {
    let mut demanding = template("a", "", 1);
    demanding.required =
        ["order.number", "name"].map(|path| RequiredPath::new(path).unwrap()).into();
    let templates = [demanding];
    let with = |ctx: &'static [u8]| Event { ctx: ctx.into(), ..event() };
    check(&templates, &with(b"{name order.number}"), "bound a/1 email ada@example.com");
    check(&templates, &with(b"{order.number}"), "variable_missing: name (-)");
    check(&templates, &with(b"{}"), "variable_missing: order.number (-)");
    check(&templates, &with(b""), "variable_missing: order.number (-)");
    check(&templates, &with(b"[]"), "ctx_invalid: no object (-)");
}

#[test]
fn ctx_has_to_be_an_object_even_where_nothing_is_required() {
    let templates = [template("a", "", 1)];
    check(&templates, &Event { ctx: b"1".into(), ..event() }, "ctx_invalid: no object (-)");
    check(&templates, &Event { ctx: b"".into(), ..event() }, "bound a/1 email ada@example.com");
}
