//! A status in words.

use domain::{AssignmentId, EventStatus, Language, Timestamp, meaning_of_reason};

use crate::event::{ago, clock, moment, said};

/// Said when nothing is known yet of an event that is watched.
pub(super) const WAITING: [&str; 2] = [
    "nothing is known of it yet; waiting for its first status",
    "on n'en sait encore rien ; en attente de son premier statut",
];

/// A status on several lines, the first with its id and label.
pub(super) fn text(status: &EventStatus<'_>, language: Language, now: Timestamp) -> String {
    let lines = fields(status, language, now);
    let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let mut text = format!("{}: {}", status.event_id, status.status.label(language));
    for (name, value) in lines {
        let gap = " ".repeat(width - name.chars().count());
        text.push_str(&format!("\n  {name}{gap}  {value}"));
    }
    text
}

/// A status on one line, for one of many changes.
pub(super) fn line(status: &EventStatus<'_>, language: Language) -> String {
    let label = status.status.label(language);
    let reason = reason(&status.reason, language).map_or(String::new(), |why| format!(": {why}"));
    format!("{}  {}  {label}{reason}", clock(status.occurred_at), status.status.as_str())
}

/// The word and what it means; `None` where there is nothing to explain.
pub(crate) fn reason(word: &str, language: Language) -> Option<String> {
    if word.is_empty() {
        return None;
    }
    Some(match meaning_of_reason(word, language) {
        Some(meaning) => format!("{word} ({meaning})"),
        None => word.to_owned(),
    })
}

/// What there is to say, each with its name.
fn fields(
    status: &EventStatus<'_>,
    language: Language,
    now: Timestamp,
) -> Vec<(&'static str, String)> {
    let since = match (ago(status.occurred_at, now), language) {
        (Some(ago), Language::En) => format!("{}, {ago} ago", moment(status.occurred_at)),
        (Some(ago), Language::Fr) => format!("{}, il y a {ago}", moment(status.occurred_at)),
        (None, _) => moment(status.occurred_at),
    };
    let template = status.template_id.as_deref().map(|id| match status.version {
        Some(version) => format!("{id}, version {}", version.0),
        None => id.to_owned(),
    });
    let assignment = status.assigned.then(|| {
        let event_id = status.event_id.borrowed();
        AssignmentId { event_id, attempt: status.attempt }.to_string()
    });
    let orphan = status.orphan.then(|| {
        let why = [
            "yes: a delivery service reported on it, and nothing else is known of it",
            "oui : un service de diffusion en a rendu compte, et on n'en sait rien d'autre",
        ];
        said(language, why).to_owned()
    });
    let text = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().map(str::to_owned);
    let all = [
        (["status", "statut"], Some(status.status.as_str().to_owned())),
        (["in REST", "en REST"], Some(status.status.rest_name().to_owned())),
        (["reason", "raison"], reason(&status.reason, language)),
        (["since", "depuis"], Some(since)),
        (["event type", "type"], text(&status.event_type)),
        (["lane", "voie"], status.lane.map(|lane| lane.as_str().to_owned())),
        (["external id", "id externe"], text(&status.external_id)),
        (["tenant", "locataire"], text(&status.tenant)),
        (["template", "modèle"], template),
        (["channel", "canal"], status.channel.as_ref().map(|channel| channel.as_str().to_owned())),
        (["assignment", "affectation"], assignment),
        (["attempt", "tentative"], Some(status.attempt.get().to_string())),
        (["orphan", "orphelin"], orphan),
    ];
    all.into_iter()
        .filter_map(|(name, value)| value.map(|value| (said(language, name), value)))
        .collect()
}

#[cfg(test)]
mod tests {
    use domain::{Attempt, Channel, EventId, LaneKind, Status, TemplateVersion};

    use super::*;

    /// An event that bounced, a second and a half before it is looked at.
    fn bounced() -> EventStatus<'static> {
        EventStatus {
            event_id: EventId::new("order-7").unwrap(),
            status: Status::DeliveryError,
            attempt: Attempt::FIRST,
            reason: "mailbox_full".into(),
            template_id: Some("order.shipped-email-en".into()),
            version: Some(TemplateVersion(3)),
            channel: Some(Channel::EMAIL),
            assigned: true,
            lane: Some(LaneKind::Rt),
            tenant: None,
            external_id: Some("C-7".into()),
            event_type: Some("order.shipped".into()),
            occurred_at: Timestamp::from_millis(1_700_000_000_000),
            orphan: false,
        }
    }

    #[track_caller]
    fn check(status: &EventStatus<'_>, language: Language, expected: &str) {
        let now = Timestamp::from_millis(1_700_000_001_500);
        assert_eq!(text(status, language, now), expected.trim());
    }

    #[test]
    fn everything_known_is_told_and_nothing_else() {
        let expected = "
order-7: Delivery error
  status       DELIVERY_ERROR
  in REST      deliveryFailed
  reason       mailbox_full (the recipient's mailbox is full)
  since        2023-11-14 22:13:20.000 UTC, 1.5 s ago
  event type   order.shipped
  lane         rt
  external id  C-7
  template     order.shipped-email-en, version 3
  channel      email
  assignment   order-7:1
  attempt      1";
        check(&bounced(), Language::En, expected);
    }

    #[test]
    fn an_orphan_is_told_of_in_french_too() {
        let orphan = EventStatus {
            status: Status::Sent,
            reason: "".into(),
            template_id: None,
            version: None,
            channel: None,
            assigned: false,
            lane: None,
            external_id: None,
            event_type: None,
            orphan: true,
            ..bounced()
        };
        let expected = "
order-7: Envoyé
  statut     SENT
  en REST    processed
  depuis     2023-11-14 22:13:20.000 UTC, il y a 1.5 s
  tentative  1
  orphelin   oui : un service de diffusion en a rendu compte, et on n'en sait rien d'autre";
        check(&orphan, Language::Fr, expected);
    }

    #[test]
    fn a_change_is_one_line() {
        let expected = "22:13:20.000  DELIVERY_ERROR  Erreur de diffusion: mailbox_full (la boîte du destinataire est pleine)";
        assert_eq!(line(&bounced(), Language::Fr), expected);
    }
}
