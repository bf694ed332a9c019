//! What the commands about one event share: how it is named, in which language it is told of, and
//! where its records are.

mod moment;

use clap::{Args, ValueEnum};
use domain::{AssignmentId, EventId, Language};
use kafka::{KeyLookup, LookupError};
use service::Failure;

use crate::config::Config;

pub(crate) use moment::{Since, ago, clock, elapsed, moment, now};

/// Which event, and in which language to tell of it.
#[derive(Args, Debug)]
pub(crate) struct EventArguments {
    /// The event's id as its producer gave it; `<source>#<id>` for a CloudEvent.
    #[arg(value_name = "EVENT ID", value_parser = event_id)]
    pub(crate) event_id: EventId<'static>,
    /// The language of what a person reads.
    #[arg(long = "lang", value_enum, value_name = "LANGUAGE", default_value_t)]
    pub(crate) language: LanguageFlag,
}

/// The languages that can be asked for.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum LanguageFlag {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

impl From<LanguageFlag> for Language {
    fn from(flag: LanguageFlag) -> Self {
        match flag {
            LanguageFlag::En => Self::En,
            LanguageFlag::Fr => Self::Fr,
        }
    }
}

/// The id that an event goes by whose producer calls it `text`.
fn event_id(text: &str) -> Result<EventId<'static>, String> {
    let id = wire::event_id_of_text(text).ok_or("an event id has at least one character")?;
    Ok(id.into_owned())
}

/// The one of `[English, French]` that was asked for.
pub(crate) const fn said(language: Language, [en, fr]: [&'static str; 2]) -> &'static str {
    match language {
        Language::En => en,
        Language::Fr => fr,
    }
}

/// Where the facts of an event are.
///
/// # Errors
/// 69 where no broker answers, 78 where the journal does not exist.
pub(crate) fn facts_of(id: &EventId<'_>, config: &Config) -> Result<KeyLookup, Failure> {
    lookup(id, &config.topics.event_journal.name, config)
}

/// Where the statuses of an event are.
///
/// # Errors
/// 69 where no broker answers, 78 where the topic does not exist.
pub(crate) fn statuses_of(id: &EventId<'_>, config: &Config) -> Result<KeyLookup, Failure> {
    lookup(id, &config.topics.event_status.name, config)
}

fn lookup(id: &EventId<'_>, topic: &str, config: &Config) -> Result<KeyLookup, Failure> {
    KeyLookup::open(&config.kafka, topic, id.as_str().as_bytes()).map_err(failure)
}

/// The exit code of a lookup that failed.
pub(crate) fn failure(error: LookupError) -> Failure {
    match error {
        LookupError::Admin(error) => error.into(),
        LookupError::Read(error) => error.into(),
    }
}

/// That nothing is known of an event, and what to do about it.
pub(crate) fn unknown(id: &EventId<'_>) -> Failure {
    let advice = match AssignmentId::parse(id.as_str()) {
        Some(assignment) => {
            format!("if that is the id of an assignment, its event is `{}`", assignment.event_id)
        }
        None => {
            "check the id; if it was sent just now, `bindery lag` shows what still waits".into()
        }
    };
    Failure::found_wrong(anyhow::anyhow!("nothing is known of event `{id}`; {advice}"))
}
