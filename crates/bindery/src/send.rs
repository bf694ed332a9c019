//! `bindery send`: events from a file, checked before the first is sent.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use clap::Args;
use domain::SourcePosition;
use serde_json::json;
use service::{Exit, Failure};

use crate::cli::Side;
use crate::config::Config;
use crate::console::Console;

/// How long the broker may take for the last events.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(60);

/// The flags of `bindery send`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The side to send to.
    #[arg(value_enum)]
    side: Side,
    /// The file, one JSON object a line; `-` or nothing: standard input.
    #[arg(value_name = "FILE", default_value = "-")]
    file: String,
}

/// One event to send.
struct Line {
    key: Option<String>,
    value: Vec<u8>,
}

/// A line that is no event.
#[derive(Debug, PartialEq, Eq)]
struct BadLine {
    /// Its number, from 1.
    number: usize,
    /// What is wrong with it.
    detail: String,
}

/// Sends the events of a file; found wrong, and nothing sent, if one line is no event.
///
/// # Errors
/// 78 where the file cannot be read, 69 where the broker does not take the events.
pub(crate) fn run(
    config: &Config,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let spec = match arguments.side {
        Side::Rt => &config.topics.rt_event,
        Side::Batch => &config.topics.batch_event,
    };
    let (lines, bad) = match arguments.file.as_str() {
        "-" => read(io::stdin().lock(), &spec.name).context("cannot read standard input"),
        file => File::open(file)
            .and_then(|opened| read(BufReader::new(opened), &spec.name))
            .with_context(|| format!("cannot read `{file}`")),
    }
    .map_err(Failure::configuration)?;
    if !bad.is_empty() {
        for line in &bad {
            console.say(&format!("{}:{}: {}", arguments.file, line.number, line.detail));
        }
        let told = |line: &BadLine| json!({ "line": line.number, "detail": line.detail });
        console.object(&json!({ "sent": 0, "bad": bad.iter().map(told).collect::<Vec<_>>() }));
        return Err(Failure::found_wrong(anyhow!(
            "nothing was sent: {} of {} lines in `{}` are no events; mend them and send again",
            bad.len(),
            bad.len() + lines.len(),
            arguments.file,
        )));
    }
    kafka::require(&config.kafka, std::slice::from_ref(spec))?;
    let sender = kafka::Sender::new(&config.kafka, &[]).map_err(Failure::from)?;
    for line in &lines {
        let key = line.key.as_deref().map(str::as_bytes);
        let content_type: [(&str, &[u8]); 1] = [("content-type", b"application/json")];
        sender
            .send(&spec.name, None, key, Some(&line.value), &content_type)
            .map_err(Failure::from)?;
    }
    sender.flush(FLUSH_TIMEOUT).map_err(Failure::from)?;
    console.say(&format!("sent {} events to `{}`", lines.len(), spec.name));
    console.object(&json!({ "sent": lines.len(), "bad": [] }));
    Ok(Exit::Ok)
}

/// The events and the lines that are none; empty lines are passed over.
fn read(source: impl BufRead, topic: &str) -> io::Result<(Vec<Line>, Vec<BadLine>)> {
    let (mut lines, mut bad) = (Vec::new(), Vec::new());
    for (index, line) in source.split(b'\n').enumerate() {
        let mut value = line?;
        while value.last().is_some_and(u8::is_ascii_whitespace) {
            value.pop();
        }
        if value.is_empty() {
            continue;
        }
        match key_of(&value, topic, index) {
            Ok(key) => lines.push(Line { key, value }),
            Err(detail) => bad.push(BadLine { number: index + 1, detail }),
        }
    }
    Ok((lines, bad))
}

/// The key of the event on one line, or why it is no event.
fn key_of(value: &[u8], topic: &str, index: usize) -> Result<Option<String>, String> {
    let position = SourcePosition {
        topic,
        partition: 0,
        offset: i64::try_from(index).unwrap_or(i64::MAX),
        timestamp: domain::Timestamp::default(),
    };
    let json_header = [("content-type", Some(&b"application/json"[..]))];
    let event = wire::event::decode(Some(value), json_header.into_iter(), &position)
        .map_err(|undecodable| undecodable.detail.into_owned())?;
    // Without an id of its own an event is named after where it is read, which is not known yet.
    let own_id =
        || (event.id != wire::event_id_of_position(&position)).then(|| event.id.to_string());
    Ok(event.external_id.as_deref().map(str::to_owned).or_else(own_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, keys: &[Option<&str>], bad: &[usize]) {
        let (lines, found) = read(input.as_bytes(), "rt-event").unwrap();
        let found_keys: Vec<Option<&str>> = lines.iter().map(|line| line.key.as_deref()).collect();
        assert_eq!(found_keys, keys);
        let found_bad: Vec<usize> = found.iter().map(|line| line.number).collect();
        assert_eq!(found_bad, bad, "{found:?}");
    }

    #[test]
    fn the_key_is_the_external_id_or_else_the_id() {
        check(
            "{\"type\":\"a\",\"id\":\"1\",\"externalId\":\"x\"}\n\n{\"type\":\"a\",\"id\":\"2\"}\r\n{\"type\":\"a\"}",
            &[Some("x"), Some("2"), None],
            &[],
        );
    }

    #[test]
    fn bad_lines_are_told_by_their_number() {
        check("{\"type\":\"a\"}\nnonsense\n\n{\"id\":\"1\"}\n[]", &[None], &[2, 4, 5]);
    }
}
