//! The story in words that somebody understands who did not build it.

use domain::{
    AssignmentId, CANDIDATES_MAX, Candidate, DeliveryReason, EventId, Fact, FactKind, Hold,
    Language, NotSupported, Outcome, OutcomeKind,
};

use super::story::{Known, Story};
use crate::console::table;
use crate::event::{elapsed, moment, said};
use crate::status;

/// From how much on it is told that a fact became known later than it became true.
const LATE_MS: i64 = 1_000;

/// The whole story: what is known of the event, its facts, the status and why.
pub(super) fn text(id: &EventId<'_>, story: &Story<'_>, language: Language) -> String {
    let columns = match language {
        Language::En => ["", "when", "after", "status", "what"],
        Language::Fr => ["", "quand", "après", "statut", "quoi"],
    };
    let rows = story.facts.iter().enumerate().map(|(at, known)| {
        let before = at.checked_sub(1).and_then(|before| story.facts.get(before));
        row(at, known, before, language)
    });
    let mut text = format!(
        "{}\n\n{}\n\n{}",
        title(id, story, language),
        table(columns, &[0, 2], rows),
        conclusion(id, story, language)
    );
    for (offset, detail) in &story.unreadable {
        text.push_str(&match language {
            Language::En => format!("\nThe fact at offset {offset} cannot be read: {detail}."),
            Language::Fr => format!("\nLe fait à l'offset {offset} est illisible : {detail}."),
        });
    }
    if story.came_unannounced() {
        text.push_str(said(language, UNANNOUNCED));
    }
    if story.n_left_out > 0 {
        text.push_str(&left_out(story.n_left_out, language));
    }
    text
}

/// Why nothing says when the event came.
const UNANNOUNCED: [&str; 2] = [
    "\nWhen it came is not known: no fact announces it. It was not announced yet, or is not to be \
     (`announce_lanes=0`).",
    "\nOn ignore quand il est arrivé : aucun fait ne l'annonce. Il n'est pas encore annoncé, ou n'a pas à \
     l'être (`announce_lanes=0`).",
];

/// That the story is not told to its end.
fn left_out(n: u64, language: Language) -> String {
    match language {
        Language::En => format!(
            "\nFacts written later, left out because there are so many: {n}. `--since` begins later; \
             `bindery status` has the status that all of them come to."
        ),
        Language::Fr => format!(
            "\nFaits écrits plus tard, laissés de côté parce qu'il y en a trop : {n}. `--since` commence \
             plus tard ; `bindery status` donne le statut auquel tous aboutissent."
        ),
    }
}

fn title(id: &EventId<'_>, story: &Story<'_>, language: Language) -> String {
    let first = |field: &dyn Fn(&Fact<'_>) -> Option<String>| {
        story.facts.iter().find_map(|known| field(&known.fact))
    };
    let parts = [
        (["", ""], first(&|fact| fact.event_type.as_deref().map(str::to_owned))),
        (["lane", "voie"], first(&|fact| fact.lane.map(|lane| lane.as_str().to_owned()))),
        (
            ["external id", "id externe"],
            first(&|fact| fact.external_id.as_deref().map(str::to_owned)),
        ),
        (["tenant", "locataire"], first(&|fact| fact.tenant.as_deref().map(str::to_owned))),
    ];
    let told = parts.into_iter().filter_map(|(name, value)| {
        value.map(|value| format!("{} {value}", said(language, name)).trim_start().to_owned())
    });
    let told: Vec<String> = told.collect();
    let event = said(language, ["event", "événement"]);
    if told.is_empty() {
        format!("{event} {id}")
    } else {
        format!("{event} {id}: {}", told.join(", "))
    }
}

fn row(
    at: usize,
    known: &Known<'_>,
    before: Option<&Known<'_>>,
    language: Language,
) -> [String; 5] {
    let occurred = known.fact.occurred_at;
    let after = before.map(|before| {
        elapsed(occurred.as_millis().saturating_sub(before.fact.occurred_at.as_millis()))
    });
    let unchanged = said(language, ["(as before)", "(inchangé)"]).to_owned();
    let status = match known.status {
        Some(status) if known.sets_status => status.as_str().to_owned(),
        Some(_) => unchanged,
        None => String::new(),
    };
    let what = lines(known, language).join("\n");
    [(at + 1).to_string(), moment(occurred), after.unwrap_or_default(), status, what]
}

/// What a fact says, and under it what there is to add.
fn lines(known: &Known<'_>, language: Language) -> Vec<String> {
    let fact = &known.fact;
    let mut lines = vec![headline(fact, language)];
    match &fact.kind {
        FactKind::Bound { losers, .. } => {
            lines.extend(losers.iter().map(|loser| lost(&loser, language)));
            if losers.iter().count() >= CANDIDATES_MAX {
                lines.push(unnamed_losers(language));
            }
            let event_id = fact.event_id.borrowed();
            let assignment = AssignmentId { event_id, attempt: fact.attempt };
            lines.push(format!(
                "  {} {assignment}",
                said(language, ["handed on as assignment", "transmis comme affectation"])
            ));
        }
        FactKind::NotSupported(rejection) => lines.extend(rejected(rejection, language)),
        FactKind::Delivery { reason, kind, provider, provider_message_id, .. } => {
            lines.extend(reason.as_ref().map(|reason| reported(reason, *kind, language)));
            lines.extend(carried(provider.as_deref(), provider_message_id.as_deref(), language));
        }
        FactKind::Received
        | FactKind::Held(_)
        | FactKind::Released
        | FactKind::Expired
        | FactKind::Cancelled
        | FactKind::CancelRequested
        | FactKind::Duplicate { .. } => {}
    }
    if known.is_repeated {
        lines.push(said(language, ["  (told before)", "  (déjà dit)"]).into());
    }
    let late = known.recorded_at.as_millis().saturating_sub(fact.occurred_at.as_millis());
    if late >= LATE_MS {
        lines.push(match language {
            Language::En => format!("  (known here {} later)", elapsed(late)),
            Language::Fr => format!("  (connu ici {} plus tard)", elapsed(late)),
        });
    }
    lines
}

fn headline(fact: &Fact<'_>, language: Language) -> String {
    let text = match (&fact.kind, language) {
        (FactKind::Received, Language::En) => "received: the event is in its topic".into(),
        (FactKind::Received, Language::Fr) => "reçu : l'événement est dans son topic".into(),
        (FactKind::Bound { template_id, version, channel, .. }, Language::En) => {
            format!("bound to template {template_id}, version {}, by {channel}", version.0)
        }
        (FactKind::Bound { template_id, version, channel, .. }, Language::Fr) => {
            format!("lié au modèle {template_id}, version {}, par {channel}", version.0)
        }
        (FactKind::NotSupported(_), Language::En) => "not supported: no message can be made".into(),
        (FactKind::NotSupported(_), Language::Fr) => {
            "non pris en charge : aucun message ne peut être fait".into()
        }
        (FactKind::Held(Hold::Scheduled { until }), Language::En) => {
            format!("held until its scheduled time, {}", moment(*until))
        }
        (FactKind::Held(Hold::Scheduled { until }), Language::Fr) => {
            format!("retenu jusqu'à l'heure prévue, {}", moment(*until))
        }
        (FactKind::Held(Hold::Paused { template_id }), Language::En) => {
            format!("held until template {template_id} is resumed")
        }
        (FactKind::Held(Hold::Paused { template_id }), Language::Fr) => {
            format!("retenu jusqu'à la reprise du modèle {template_id}")
        }
        (FactKind::Released, Language::En) => "released: it is decided again".into(),
        (FactKind::Released, Language::Fr) => "libéré : il est décidé de nouveau".into(),
        (FactKind::Expired, Language::En) => "expired: it came after its expiration".into(),
        (FactKind::Expired, Language::Fr) => "expiré : il est arrivé après son expiration".into(),
        (FactKind::Cancelled, Language::En) => "cancelled before it was bound".into(),
        (FactKind::Cancelled, Language::Fr) => "annulé avant d'être lié".into(),
        (FactKind::CancelRequested, Language::En) => "somebody asked to cancel it".into(),
        (FactKind::CancelRequested, Language::Fr) => "quelqu'un a demandé de l'annuler".into(),
        (FactKind::Duplicate { of }, Language::En) => format!(
            "another event came with the same id; attempt {} stands, no second message",
            of.get()
        ),
        (FactKind::Duplicate { of }, Language::Fr) => format!(
            "un autre événement portait le même id ; la tentative {} reste, pas de second message",
            of.get()
        ),
        (FactKind::Delivery { outcome, .. }, _) => said(language, delivered(*outcome)).into(),
    };
    match fact.attempt.get() {
        1 => text,
        attempt => format!("{text} ({} {attempt})", said(language, ["attempt", "tentative"])),
    }
}

const fn delivered(outcome: Outcome) -> [&'static str; 2] {
    match outcome {
        Outcome::Prepared => [
            "the delivery service has made the message (prepared)",
            "le service de diffusion a composé le message (prepared)",
        ],
        Outcome::Accepted => [
            "the provider has taken the message (accepted)",
            "le fournisseur a pris le message (accepted)",
        ],
        Outcome::Sent => ["the message was sent (sent)", "le message a été envoyé (sent)"],
        Outcome::Received => ["the message arrived (received)", "le message est arrivé (received)"],
        Outcome::Ignored => [
            "the delivery service did not send it, on purpose (ignored)",
            "le service de diffusion ne l'a pas envoyé, à dessein (ignored)",
        ],
        Outcome::Failed => [
            "the message could not be delivered (failed)",
            "le message n'a pas pu être remis (failed)",
        ],
        Outcome::Cancelled => [
            "the delivery service called it off (cancelled)",
            "le service de diffusion l'a annulé (cancelled)",
        ],
    }
}

fn lost(loser: &Candidate<'_>, language: Language) -> String {
    let why = loser.lost.meaning(language);
    match language {
        Language::En => format!("  not template {}: {why}", loser.template_id),
        Language::Fr => format!("  pas le modèle {} : {why}", loser.template_id),
    }
}

/// That the list of losers was full, so that there may be others.
fn unnamed_losers(language: Language) -> String {
    match language {
        Language::En => {
            format!("  perhaps other templates lost too: only {CANDIDATES_MAX} are listed")
        }
        Language::Fr => {
            format!(
                "  peut-être d'autres modèles encore : {CANDIDATES_MAX} seulement sont énumérés"
            )
        }
    }
}

fn rejected(rejection: &NotSupported<'_>, language: Language) -> Vec<String> {
    let reason = rejection.reason;
    let mut lines = vec![format!("  {}: {}", reason.as_str(), reason.meaning(language))];
    if !rejection.detail.is_empty() {
        lines.push(format!("  {}", rejection.detail));
    }
    lines.extend(rejection.nearest.as_deref().map(|nearest| match language {
        Language::En => format!("  the nearest type that has a template is {nearest}"),
        Language::Fr => format!("  le type le plus proche qui a un modèle est {nearest}"),
    }));
    lines
}

fn reported(reason: &DeliveryReason<'_>, kind: Option<OutcomeKind>, language: Language) -> String {
    let mut text = format!("  {}", reason.as_str());
    if let Some(meaning) = reason.meaning(language) {
        text.push_str(&format!(": {meaning}"));
    }
    if let Some(kind) = kind {
        text.push_str(&format!("; {} ({})", kind.meaning(language), kind.as_str()));
    }
    text
}

fn carried(provider: Option<&str>, message_id: Option<&str>, language: Language) -> Option<String> {
    let provider = provider.map(|provider| match language {
        Language::En => format!("by provider {provider}"),
        Language::Fr => format!("par le fournisseur {provider}"),
    });
    let message_id = message_id.map(|id| match language {
        Language::En => format!("its message id {id}"),
        Language::Fr => format!("son id de message {id}"),
    });
    let parts: Vec<String> = [provider, message_id].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("  {}", parts.join(", ")))
}

/// The status and the fact that set it.
fn conclusion(id: &EventId<'_>, story: &Story<'_>, language: Language) -> String {
    let (Some(status), Some(setter)) = (story.status(id), story.setter()) else {
        return said(
            language,
            [
                "It has no status: no fact says what became of it.",
                "Il n'a pas de statut : aucun fait ne dit ce qu'il est devenu.",
            ],
        )
        .into();
    };
    let reason = status::reason(&status.reason, language);
    let reason = reason.map_or(String::new(), |reason| format!(", {reason}"));
    let label = status.status.label(language);
    let word = status.status.as_str();
    let mut text = match language {
        Language::En => format!("Status: {label}, {word}{reason}. Fact {} set it.", setter + 1),
        Language::Fr => {
            format!("Statut : {label}, {word}{reason}. Le fait {} l'a fixé.", setter + 1)
        }
    };
    if setter + 1 < story.facts.len() {
        text.push_str(said(language, [
            " What came after does not change it: of one attempt the weightiest fact counts, not the last.",
            " La suite n'y change rien : d'une tentative compte le fait de plus de poids, non le dernier.",
        ]));
    }
    if status.orphan {
        text.push_str(said(
            language,
            [
                " Nothing is known of the event itself, only what a delivery service reported.",
                " On ne sait rien de l'événement même, seulement ce qu'un service de diffusion a rapporté.",
            ],
        ));
    }
    text
}

#[cfg(test)]
mod tests;
