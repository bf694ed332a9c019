//! `bindery status`: what became of one event.

mod follow;
mod words;

use std::borrow::Cow;

use clap::Args;
use domain::{EventStatus, Language};
use kafka::FoundRecord;
use serde_json::{Value, json};
use service::{Exit, Failure};

use crate::cli::Common;
use crate::config::{self, Config};
use crate::console::Console;
use crate::event::{self, EventArguments};

pub(crate) use words::reason;

/// Shows what became of one event: its status, and all that goes with it.
///
/// Ends with 1 where it has no status.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: EventArguments,
    /// Print each change too, until the status is final or Ctrl-C. A delivery service can still
    /// change a final one: a message that was sent can bounce.
    #[arg(long)]
    watch: bool,
}

/// Shows the status of one event; found wrong where there is none.
///
/// # Errors
/// 69 where no broker answers, 78 where a topic does not exist.
pub(crate) fn run(
    common: &Common,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let config = &config::connect(common)?;
    let id = &arguments.event.event_id;
    let language = arguments.event.language.into();
    let statuses = event::statuses_of(id, config)?;
    let last = statuses.last().map_err(event::failure)?;
    let status = last.as_ref().map(read).transpose()?.flatten();
    if let Some(status) = &status {
        show(status, language, console);
        if !arguments.watch || status.status.is_final() {
            return Ok(Exit::Ok);
        }
    }
    if arguments.watch {
        if status.is_none() {
            console.say(event::said(language, words::WAITING));
        }
        return follow::follow(id, &statuses, config, language, console);
    }
    Err(missing(arguments, last.as_ref(), config, console)?)
}

/// The status in a record; `None` for a tombstone.
fn read(record: &FoundRecord) -> Result<Option<EventStatus<'_>>, Failure> {
    let Some(value) = record.value.as_deref() else { return Ok(None) };
    let decoded = wire::status::decode(Some(value), record.headers());
    decoded.map(Some).map_err(|malformed| {
        let offset = record.offset;
        let detail = malformed.detail();
        Failure::found_wrong(anyhow::anyhow!(
            "the status at offset {offset} cannot be read ({detail}); \
             something else than status-sync wrote it, or a newer version of it"
        ))
    })
}

fn show(status: &EventStatus<'_>, language: Language, console: &Console) {
    console.say(&words::text(status, language, event::now()));
    console.object(&object(status, language));
}

/// The contract's own JSON form, with the words people see beside it.
pub(crate) fn object(status: &EventStatus<'_>, language: Language) -> Value {
    let mut bytes = Vec::new();
    wire::status::encode(status, wire::Format::Json, &mut bytes);
    let mut object: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    object["found"] = json!(true);
    object["label"] = json!(status.status.label(language));
    object["restName"] = json!(status.status.rest_name());
    object["final"] = json!(status.status.is_final());
    object
}

/// Why there is no status: nothing is known, it is not folded yet, or its time is over.
fn missing(
    arguments: &Arguments,
    last: Option<&FoundRecord>,
    config: &Config,
    console: &Console,
) -> Result<Failure, Failure> {
    let id = &arguments.event.event_id;
    let mut n_facts = 0_u64;
    event::facts_of(id, config)?.all(|_| n_facts += 1).map_err(event::failure)?;
    console.object(&json!({ "eventId": id.as_str(), "found": false, "facts": n_facts }));
    let why: Cow<'_, str> = match (last, n_facts) {
        (Some(tombstone), _) => {
            let at = event::moment(domain::Timestamp::from_millis(tombstone.timestamp_ms));
            format!(
                "the status of event `{id}` was removed at {at}: it had not changed for as long as \
                 statuses are kept"
            )
            .into()
        }
        (None, 0) => return Ok(event::unknown(id)),
        (None, n) => format!(
            "event `{id}` has no status yet, but there are facts ({n}): status-sync is behind or does not run; \
             `bindery explain` shows the facts, `bindery lag` how far it is behind"
        )
        .into(),
    };
    Ok(Failure::found_wrong(anyhow::anyhow!("{why}")))
}
