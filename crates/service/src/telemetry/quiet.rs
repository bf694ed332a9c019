use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::{Event, Metadata};
use tracing_subscriber::layer::{Context, Filter};

/// Lines of one kind let through in one [`PERIOD`].
const LINES: u32 = 10;
const PERIOD: Duration = Duration::from_secs(1);
/// Kinds remembered; beyond them the memory starts anew.
const KINDS: usize = 256;
/// What tells kinds apart when there is no facility: the beginning of the message.
const BEGINNING: usize = 32;

/// Lets through at most ten lines a second of each kind that librdkafka writes. With its brokers
/// away it writes thousands, which hide everything else.
#[derive(Default)]
pub(super) struct QuietClient {
    seen: Mutex<HashMap<String, Window>>,
}

struct Window {
    began: Instant,
    lines: u32,
}

impl QuietClient {
    fn lets_through(&self, kind: String, now: Instant) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= KINDS && !seen.contains_key(&kind) {
            seen.clear();
        }
        let window = seen.entry(kind).or_insert(Window { began: now, lines: 0 });
        if now.duration_since(window.began) >= PERIOD {
            *window = Window { began: now, lines: 0 };
        }
        window.lines += 1;
        window.lines <= LINES
    }
}

fn is_of_the_client(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "librdkafka" || metadata.target().starts_with("rdkafka")
}

impl<S> Filter<S> for QuietClient {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        if !is_of_the_client(event.metadata()) {
            return true;
        }
        let mut kind = Kind::default();
        event.record(&mut kind);
        self.lets_through(kind.text(), Instant::now())
    }
}

/// The facility of a line, else the beginning of its message.
#[derive(Default)]
struct Kind {
    facility: Option<String>,
    message: String,
}

impl Kind {
    fn text(self) -> String {
        let beginning = || self.message.chars().take(BEGINNING).collect();
        self.facility.unwrap_or_else(beginning)
    }
}

impl Visit for Kind {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "facility" {
            self.facility = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            // Writing to a string does not fail.
            let _ = write!(self.message, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn let_through(filter: &QuietClient, kind: &str, lines: u32, now: Instant) -> usize {
        (0..lines).filter(|_| filter.lets_through(kind.to_owned(), now)).count()
    }

    #[test]
    fn ten_lines_of_a_kind_pass_in_a_second() {
        let filter = QuietClient::default();
        let now = Instant::now();
        assert_eq!(let_through(&filter, "FAIL", 1000, now), 10);
        assert_eq!(let_through(&filter, "CONNECT", 7, now), 7, "each kind has its own bound");
        assert_eq!(let_through(&filter, "FAIL", 1000, now + PERIOD), 10);
    }

    #[test]
    fn the_number_of_kinds_is_bounded() {
        let filter = QuietClient::default();
        for kind in 0..10_000 {
            filter.lets_through(kind.to_string(), Instant::now());
        }
        assert!(filter.seen.lock().unwrap().len() <= KINDS);
    }
}
