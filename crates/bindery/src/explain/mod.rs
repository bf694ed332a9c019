//! `bindery explain`: the facts of one event, in order and in words.

mod object;
mod story;
mod words;

use clap::Args;
use domain::Language;
use kafka::FoundRecord;
use service::{Exit, Failure};

use self::story::Story;
use crate::cli::Common;
use crate::config;
use crate::console::Console;
use crate::event::{self, EventArguments, Since};

/// How many facts of one event are looked at. More come only of a producer or a delivery service
/// that repeats itself without end.
const FACTS_MAX: usize = 10_000;

/// Tells the story of one event: every fact of the journal, in order and in words.
///
/// Ends with 1 where nothing is known.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    event: EventArguments,
    /// Leave out facts written before a time (`2026-11-26T14:00:00Z`) or longer ago than an age
    /// (`2h`, `3d`): faster where the journal is long.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,
}

/// Tells what is known of one event; found wrong where nothing is.
///
/// # Errors
/// 69 where no broker answers, 78 where the journal does not exist.
pub(crate) fn run(
    common: &Common,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let config = &config::connect(common)?;
    let id = &arguments.event.event_id;
    let mut facts = event::facts_of(id, config)?;
    if let Some(since) = arguments.since {
        let since = since.before(event::now());
        facts = facts.since(since.as_millis()).map_err(event::failure)?;
    }
    let mut records: Vec<FoundRecord> = Vec::new();
    let mut n_left_out = 0;
    let keep = |record| {
        if records.len() < FACTS_MAX {
            records.push(record);
        } else {
            n_left_out += 1;
        }
    };
    facts.all(keep).map_err(event::failure)?;
    let mut story = Story::of(facts.partition(), &records);
    story.n_left_out = n_left_out;
    console.object(&object::of(id, &story));
    if story.is_empty() {
        return Err(event::unknown(id));
    }
    let language: Language = arguments.event.language.into();
    console.say(&words::text(id, &story, language));
    Ok(Exit::Ok)
}
