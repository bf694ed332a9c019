//! `bindery topics apply` and `bindery topics check`.

use kafka::{Applied, Change, Difference};
use serde_json::{Value, json};
use service::{Exit, Failure};

use crate::config::Config;
use crate::console::{Console, table};

/// Creates what is missing and reports what differs; found wrong if anything does.
///
/// # Errors
/// Where no broker answers or it will not create a topic.
pub(crate) fn apply(config: &Config, console: &Console) -> Result<Exit, Failure> {
    let applied = kafka::apply(&config.kafka, &config.topics.specs()).map_err(Failure::from)?;
    let rows = applied.iter().map(|topic| [topic.topic.clone(), told(&topic.change)]);
    console.say(&table(["topic", ""], &[], rows));
    console.object(&json!({ "topics": applied.iter().map(applied_json).collect::<Vec<_>>() }));
    let differs = applied.iter().any(|topic| matches!(topic.change, Change::Differs(_)));
    Ok(if differs { Exit::FoundWrong } else { Exit::Ok })
}

/// Reports what is missing or differs; found wrong if anything does.
///
/// # Errors
/// Where no broker answers.
pub(crate) fn check(config: &Config, console: &Console) -> Result<Exit, Failure> {
    let specs = config.topics.specs();
    let differences = kafka::check(&config.kafka, &specs).map_err(Failure::from)?;
    if differences.is_empty() {
        console.say(&format!("all {} topics are as they have to be", specs.len()));
    } else {
        let rows = differences
            .iter()
            .map(|difference| [difference.topic().to_owned(), difference.to_string()]);
        console.say(&table(["topic", "difference"], &[], rows));
        console.say("`bindery topics apply` creates those that are missing");
    }
    console.object(&json!({ "differences": differences.iter().map(json_of).collect::<Vec<_>>() }));
    Ok(if differences.is_empty() { Exit::Ok } else { Exit::FoundWrong })
}

fn told(change: &Change) -> String {
    match change {
        Change::Created => "created".into(),
        Change::Unchanged => "as it has to be".into(),
        Change::Differs(differences) => {
            differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        }
    }
}

fn applied_json(applied: &Applied) -> Value {
    match &applied.change {
        Change::Created => json!({ "topic": applied.topic, "change": "created" }),
        Change::Unchanged => json!({ "topic": applied.topic, "change": "unchanged" }),
        Change::Differs(differences) => json!({
            "topic": applied.topic,
            "change": "differs",
            "differences": differences.iter().map(json_of).collect::<Vec<_>>(),
        }),
    }
}

fn json_of(difference: &Difference) -> Value {
    match difference {
        Difference::Missing { topic } => json!({ "topic": topic, "difference": "missing" }),
        Difference::Partitions { topic, expected, found } => json!({
            "topic": topic, "difference": "partitions", "expected": expected, "found": found,
        }),
        Difference::Config { topic, key, expected, found } => json!({
            "topic": topic, "difference": "config", "key": key, "expected": expected, "found": found,
        }),
    }
}
