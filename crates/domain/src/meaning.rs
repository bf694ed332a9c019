//! What the stable words mean, for a person who meets one of them in a status or a fact.

use crate::{DeliveryReason, Language, Lost, OutcomeKind, RejectionReason};

impl RejectionReason {
    /// Why an event is not supported, as a clause: `the event's type has no published template`.
    pub const fn meaning(self, language: Language) -> &'static str {
        let [en, fr] = match self {
            Self::Undecodable => [
                "the record is no event: its bytes cannot be read",
                "l'enregistrement n'est pas un événement : ses octets sont illisibles",
            ],
            Self::AddressMissing => [
                "the event has no address for its channel",
                "l'événement n'a pas d'adresse pour son canal",
            ],
            Self::AddressInvalid => [
                "the address of the event is not well formed",
                "l'adresse de l'événement est mal formée",
            ],
            Self::NoTemplate => [
                "no template is published for its type, channel and lane",
                "aucun modèle n'est publié pour son type, son canal et sa voie",
            ],
            Self::VariableMissing => [
                "the event lacks data that the template needs",
                "il manque à l'événement des données que le modèle demande",
            ],
            Self::CtxInvalid => [
                "the event's data (`ctx`) is no JSON object",
                "les données de l'événement (`ctx`) ne sont pas un objet JSON",
            ],
            Self::TooLarge => [
                "the message would be larger than the broker takes",
                "le message dépasserait la taille que le broker accepte",
            ],
        };
        language.of([en, fr])
    }
}

impl Lost {
    /// Why a template that was considered was not taken, as a clause.
    pub const fn meaning(self, language: Language) -> &'static str {
        let [en, fr] = match self {
            Self::Paused => ["it is paused", "il est en pause"],
            Self::Lane => ["it does not serve this lane", "il ne sert pas cette voie"],
            Self::Language => [
                "the language of another suits the event better",
                "la langue d'un autre convient mieux à l'événement",
            ],
            Self::Older => [
                "another in the same language was published later",
                "un autre dans la même langue a été publié plus récemment",
            ],
        };
        language.of([en, fr])
    }
}

impl OutcomeKind {
    /// What it says of trying again, as a clause.
    pub const fn meaning(self, language: Language) -> &'static str {
        let [en, fr] = match self {
            Self::Hard => ["trying again is of no use", "un nouvel essai serait inutile"],
            Self::Soft => ["trying again may succeed", "un nouvel essai peut réussir"],
            Self::Ignored => {
                ["it does not count against the address", "cela ne compte pas contre l'adresse"]
            }
        };
        language.of([en, fr])
    }
}

/// Delivery reasons that are known by name, each with its meaning in English and in French.
const DELIVERY_REASONS: [(&str, [&str; 2]); 18] = [
    ("user_unknown", ["nobody has that address", "personne n'a cette adresse"]),
    (
        "invalid_domain",
        ["the domain of the address does not exist", "le domaine de l'adresse n'existe pas"],
    ),
    (
        "unreachable",
        [
            "the recipient's server or device did not answer",
            "le serveur ou l'appareil du destinataire n'a pas répondu",
        ],
    ),
    (
        "account_disabled",
        ["the recipient's account is closed", "le compte du destinataire est fermé"],
    ),
    ("mailbox_full", ["the recipient's mailbox is full", "la boîte du destinataire est pleine"]),
    (
        "not_connected",
        [
            "the recipient's device was not connected",
            "l'appareil du destinataire n'était pas connecté",
        ],
    ),
    (
        "address_not_specified",
        ["the delivery service got no address", "le service de diffusion n'a pas reçu d'adresse"],
    ),
    (
        "denylisted",
        [
            "the address is on a list of those not to be written to",
            "l'adresse figure sur une liste d'exclusion",
        ],
    ),
    (
        "quarantined",
        [
            "the address failed too often and rests",
            "l'adresse a trop souvent échoué et reste en quarantaine",
        ],
    ),
    (
        "double",
        [
            "the recipient had the same message already",
            "le destinataire avait déjà reçu le même message",
        ],
    ),
    (
        "excluded",
        [
            "a rule of the delivery service excluded it",
            "une règle du service de diffusion l'a exclu",
        ],
    ),
    (
        "refused",
        [
            "the recipient's provider refused the message",
            "le fournisseur du destinataire a refusé le message",
        ],
    ),
    (
        "error_ignored",
        [
            "an error that the delivery service does not count",
            "une erreur que le service de diffusion ne compte pas",
        ],
    ),
    (
        "control_address",
        [
            "it went to a control address, which is not counted",
            "c'est une adresse de contrôle, qui n'est pas comptée",
        ],
    ),
    (
        "content_error",
        [
            "the message could not be made from its template and data",
            "le message n'a pas pu être composé à partir du modèle et des données",
        ],
    ),
    (
        "no_receipt",
        [
            "no delivery service has reported in the time given",
            "aucun service de diffusion n'a répondu dans le temps imparti",
        ],
    ),
    (
        "cancelled",
        ["it was called off at the delivery service", "il a été annulé au service de diffusion"],
    ),
    (
        "undefined",
        ["the delivery service gave no reason", "le service de diffusion n'a pas donné de raison"],
    ),
];

impl DeliveryReason<'_> {
    /// The words that are known by name; delivery services may have others.
    pub fn known() -> impl Iterator<Item = &'static str> {
        DELIVERY_REASONS.iter().map(|(word, _)| *word)
    }

    /// What the word means, as a clause; `None` for a delivery service's own word.
    pub fn meaning(&self, language: Language) -> Option<&'static str> {
        let known = DELIVERY_REASONS.iter().find(|(word, _)| *word == self.as_str());
        known.map(|(_, both)| language.of(*both))
    }
}

/// Reasons of the statuses of an event that is or was held, each with its meaning in English and in French.
const HOLD_REASONS: [(&str, [&str; 2]); 3] = [
    ("scheduled", ["its time has not come", "son heure n'est pas venue"]),
    ("template_paused", ["its template is paused", "son modèle est en pause"]),
    ("released", ["it is decided again", "il est décidé de nouveau"]),
];

/// The words for why an event waits, or waited.
pub fn hold_reasons() -> impl Iterator<Item = &'static str> {
    HOLD_REASONS.iter().map(|(word, _)| *word)
}

/// What the reason of a status means, whoever gave it: binding, the hold, or a delivery service.
pub fn meaning_of_reason(word: &str, language: Language) -> Option<&'static str> {
    if let Some((_, both)) = HOLD_REASONS.iter().find(|(held, _)| *held == word) {
        return Some(language.of(*both));
    }
    let mut rejections = RejectionReason::ALL.into_iter();
    match rejections.find(|reason| reason.as_str() == word) {
        Some(rejection) => Some(rejection.meaning(language)),
        None => DeliveryReason::new(word)?.meaning(language),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(word: &str, en: Option<&str>) {
        assert_eq!(meaning_of_reason(word, Language::En), en, "{word}");
        assert_eq!(meaning_of_reason(word, Language::Fr).is_some(), en.is_some(), "{word}");
    }

    #[test]
    fn a_reason_is_explained_whoever_gave_it() {
        check("no_template", Some("no template is published for its type, channel and lane"));
        check("scheduled", Some("its time has not come"));
        check("mailbox_full", Some("the recipient's mailbox is full"));
        check("no_receipt", Some("no delivery service has reported in the time given"));
    }

    #[test]
    fn a_word_of_a_delivery_services_own_has_no_meaning_here() {
        check("solar_flare", None);
        check("Not A Word", None);
        check("", None);
    }

    #[test]
    fn every_known_delivery_reason_is_well_formed_and_listed_once() {
        for (at, (word, _)) in DELIVERY_REASONS.iter().enumerate() {
            assert!(DeliveryReason::new(*word).is_some(), "{word}");
            let first = DELIVERY_REASONS.iter().position(|(other, _)| other == word);
            assert_eq!(first, Some(at), "{word}");
        }
    }
}
