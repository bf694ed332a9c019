use std::io;

use anyhow::{Result, anyhow, bail, ensure};
use clap::Args;
use serde_json::Value;

/// Check the JSON object that `bindery demo --json` ends with, read from standard input.
#[derive(Args)]
pub(crate) struct Task {
    /// The broker it must name: `embedded`, or an address.
    #[arg(long)]
    broker: String,
}

pub(crate) fn run(task: &Task) -> Result<()> {
    check(&io::read_to_string(io::stdin())?, &task.broker)
}

/// The statuses of the product; the default run has events in each.
const STATUSES: [&str; 6] =
    ["PENDING", "PENDING_DELIVERY", "NOT_SUPPORTED", "IGNORED", "SENT", "DELIVERY_ERROR"];

fn check(text: &str, broker: &str) -> Result<()> {
    let result: Value = serde_json::from_str(text)?;
    for name in ["lost", "duplicated", "regressed"] {
        let count = number(&result, &format!("/{name}"))?;
        ensure!(count == 0.0, "{count} events were {name}");
    }
    for name in ["events", "assignments", "deadLetters", "eventsPerSecond"] {
        ensure!(number(&result, &format!("/{name}"))? > 0.0, "`{name}` is 0");
    }
    for status in STATUSES {
        let count = number(&result, &format!("/statuses/{status}"))?;
        ensure!(count > 0.0, "no event is {status}");
    }
    for side in ["rt", "batch"] {
        let (p50, p99) = (format!("/latencyMs/{side}/p50"), format!("/latencyMs/{side}/p99"));
        let (p50, p99) = (number(&result, &p50)?, number(&result, &p99)?);
        ensure!(0.0 < p50 && p50 <= p99, "the {side} latency is {p50} ms at p50, {p99} ms at p99");
    }
    match result["broker"].as_str() {
        Some(named) if named == broker => Ok(()),
        Some(named) => bail!("it ran on `{named}` instead of `{broker}`"),
        None => bail!("it does not name its broker"),
    }
}

fn number(result: &Value, path: &str) -> Result<f64> {
    let value = result.pointer(path).and_then(Value::as_f64);
    value.ok_or_else(|| anyhow!("there is no number at `{path}`"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn good() -> Value {
        json!({
            "events": 20000,
            "statuses": {"PENDING": 1, "PENDING_DELIVERY": 2, "NOT_SUPPORTED": 3, "IGNORED": 4,
                "SENT": 5, "DELIVERY_ERROR": 6},
            "assignments": 19000, "deadLetters": 10, "lost": 0, "duplicated": 0, "regressed": 0,
            "latencyMs": {"rt": {"p50": 1.5, "p99": 9}, "batch": {"p50": 60, "p99": 60}},
            "eventsPerSecond": 4000.5, "broker": "embedded"
        })
    }

    /// A place and the value put there in, the refusal out.
    #[track_caller]
    fn check_refused(path: &str, value: Value, expected: &str) {
        let mut result = good();
        *result.pointer_mut(path).unwrap() = value;
        let refusal = check(&result.to_string(), "embedded").unwrap_err();
        assert_eq!(refusal.to_string(), expected);
    }

    #[test]
    fn a_good_result_passes_and_every_flaw_is_named() {
        check(&good().to_string(), "embedded").unwrap();
        check_refused("/lost", json!(1), "1 events were lost");
        check_refused("/statuses/SENT", json!(0), "no event is SENT");
        check_refused("/statuses/SENT", Value::Null, "there is no number at `/statuses/SENT`");
        check_refused("/assignments", json!(0), "`assignments` is 0");
        check_refused(
            "/latencyMs/rt/p50",
            json!(10),
            "the rt latency is 10 ms at p50, 9 ms at p99",
        );
        check_refused("/broker", json!("b:1"), "it ran on `b:1` instead of `embedded`");
    }
}
