//! One event's status as it changes.

use std::time::Duration;

use domain::{EventId, Language};
use kafka::{KeyLookup, ReadEvent, Reader};
use service::{Exit, Failure, Shutdown, stop_on_signals};

use crate::config::Config;
use crate::console::Console;

use super::words;

/// How long one look for changes takes at most; so late may Ctrl-C be heard.
const LOOK: Duration = Duration::from_millis(100);

/// Prints every status of the event that comes after `statuses` was opened, until a final one or
/// until somebody asks to stop.
pub(super) fn follow(
    id: &EventId<'_>,
    statuses: &KeyLookup,
    config: &Config,
    language: Language,
    console: &Console,
) -> Result<Exit, Failure> {
    let shutdown = Shutdown::new();
    stop_on_signals("bindery", shutdown.clone(), Exit::Ok).map_err(Failure::internal)?;
    let topic = &config.topics.event_status.name;
    let reader = Reader::open(&config.kafka, topic, &[(statuses.partition(), statuses.end())])?;
    while !shutdown.is_requested() {
        let Some(ReadEvent::Record(record)) = reader.poll(LOOK)? else { continue };
        if record.key() != Some(id.as_str().as_bytes()) {
            continue;
        }
        let Some(value) = record.value() else { continue };
        let headers = record.headers();
        let Ok(status) = wire::status::decode(Some(value), headers.iter()) else { continue };
        console.say(&words::line(&status, language));
        console.object(&super::object(&status, language));
        if status.status.is_final() {
            return Ok(Exit::Ok);
        }
    }
    Ok(shutdown.exit())
}
