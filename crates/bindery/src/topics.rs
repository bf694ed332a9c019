//! `bindery topics apply` and `bindery topics check`.

use std::collections::BTreeMap;

use clap::Subcommand;
use kafka::{Change, Difference, TopicSpec};
use serde_json::{Value, json};
use service::{Exit, Failure};
use toml::Table;

use crate::cli::Common;
use crate::config::{self, Config};
use crate::console::{Console, Text, counted};

/// Creates and checks the topics.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Creates the topics that are missing and reports those that differ; changes none that exists.
    Apply,
    /// Reports the topics that are missing or differ, and how to mend that.
    Check,
}

/// Does what `command` says; found wrong if a topic is missing or differs at the end of it.
///
/// # Errors
/// 69 where no broker answers, 78 where the configuration is wrong or the broker will not create a topic.
pub(crate) fn run(common: &Common, command: &Command, console: &Console) -> Result<Exit, Failure> {
    let config = config::connect(common)?;
    let specs = config.topics.specs();
    let topics: Vec<Topic<'_>> = match command {
        Command::Apply => {
            let applied = kafka::apply(&config.kafka, &specs)?;
            specs
                .iter()
                .zip(applied)
                .map(|(spec, applied)| Topic::applied(spec, applied.change))
                .collect()
        }
        Command::Check => {
            let differences = kafka::check(&config.kafka, &specs)?;
            specs.iter().map(|spec| Topic::checked(spec, &differences)).collect()
        }
    };
    let fixes = Fixes::new(&config);
    tell(&topics, &fixes, console);
    let objects: Vec<Value> = topics.iter().map(|topic| topic.json(&fixes)).collect();
    console.object(&json!({ "topics": objects }));
    let is_good = topics.iter().all(|topic| topic.differences.is_empty());
    Ok(if is_good { Exit::Ok } else { Exit::FoundWrong })
}

/// A topic as it has to be, and how it is found.
#[derive(Debug)]
struct Topic<'a> {
    spec: &'a TopicSpec,
    is_new: bool,
    differences: Vec<Difference>,
}

impl<'a> Topic<'a> {
    fn applied(spec: &'a TopicSpec, change: Change) -> Self {
        match change {
            Change::Created => Self { spec, is_new: true, differences: Vec::new() },
            Change::Unchanged => Self { spec, is_new: false, differences: Vec::new() },
            Change::Differs(differences) => Self { spec, is_new: false, differences },
        }
    }

    fn checked(spec: &'a TopicSpec, differences: &[Difference]) -> Self {
        let own = differences.iter().filter(|difference| difference.topic() == spec.name);
        Self { spec, is_new: false, differences: own.cloned().collect() }
    }

    /// The word for how it is: `ok`, `created`, `missing`, `differs`.
    fn state(&self) -> &'static str {
        match self.differences.as_slice() {
            [] if self.is_new => "created",
            [] => "ok",
            [Difference::Missing { .. }, ..] => "missing",
            _ => "differs",
        }
    }

    fn row(&self) -> [Text; 5] {
        let differs: Vec<String> = self.differences.iter().filter_map(what_differs).collect();
        let state = self.state();
        let state = match self.differences.iter().any(Difference::forbids_start) {
            true => Text::bad(state),
            false if differs.is_empty() => Text::good(state),
            false => Text::notable(state),
        };
        [
            self.spec.name.as_str().into(),
            self.spec.partitions.to_string().into(),
            policy(&self.spec.config).into(),
            state,
            differs.join("\n").into(),
        ]
    }

    fn json(&self, fixes: &Fixes<'_>) -> Value {
        let difference = |difference: &Difference| {
            let mut object = match difference {
                Difference::Missing { .. } => json!({ "kind": "missing" }),
                Difference::Partitions { expected, found, .. } => {
                    json!({ "kind": "partitions", "expected": expected, "found": found })
                }
                Difference::Config { key, expected, found, .. } => {
                    json!({ "kind": "config", "key": key, "expected": expected, "found": found })
                }
            };
            object["forbidsStart"] = difference.forbids_start().into();
            object["fix"] = fixes.of(difference).into();
            object
        };
        json!({
            "topic": self.spec.name,
            "partitions": self.spec.partitions,
            "config": self.spec.config,
            "state": self.state(),
            "differences": self.differences.iter().map(difference).collect::<Vec<_>>(),
        })
    }
}

fn tell(topics: &[Topic<'_>], fixes: &Fixes<'_>, console: &Console) {
    let columns = ["topic", "partitions", "policy", "state", "what differs"];
    console.table(columns, &[1], topics.iter().map(Topic::row));
    let differences: Vec<&Difference> =
        topics.iter().flat_map(|topic| &topic.differences).collect();
    if differences.is_empty() {
        let n_new = topics.iter().filter(|topic| topic.is_new).count();
        let created = if n_new == 0 { String::new() } else { format!(", {n_new} of them new") };
        console.say(&format!(
            "\nall {} are as they have to be{created}",
            counted(topics.len(), "topic")
        ));
        return;
    }
    console.say("\nTo mend it:");
    let mut fixes: Vec<String> =
        differences.iter().map(|difference| fixes.of(difference)).collect();
    fixes.dedup();
    for fix in fixes {
        console.say(&format!("  {fix}"));
    }
    if differences.iter().any(|difference| difference.forbids_start()) {
        console.say("Until then the services that use these topics do not start.");
    }
}

/// What a cell says of a difference; a missing topic is said by its state.
fn what_differs(difference: &Difference) -> Option<String> {
    match difference {
        Difference::Missing { .. } => None,
        Difference::Partitions { found, .. } => Some(format!("has {found} partitions")),
        Difference::Config { key, expected, found, .. } => {
            Some(format!("has {key}={found} instead of {expected}"))
        }
    }
}

/// How long a topic keeps what, in few words.
fn policy(config: &BTreeMap<String, String>) -> String {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    let policy = config.get("cleanup.policy").map_or("delete", String::as_str).replace(',', ", ");
    let kept: Option<i64> = config.get("retention.ms").and_then(|ms| ms.parse().ok());
    match kept {
        None => policy,
        Some(-1) => format!("{policy}, kept for ever"),
        Some(ms) if ms % (24 * HOUR_MS) == 0 => format!("{policy}, {} d", ms / (24 * HOUR_MS)),
        Some(ms) if ms % HOUR_MS == 0 => format!("{policy}, {} h", ms / HOUR_MS),
        Some(ms) => format!("{policy}, {ms} ms"),
    }
}

/// Says how differences are mended.
struct Fixes<'a> {
    bootstrap_servers: &'a str,
    /// The section of the configuration for each topic.
    sections: BTreeMap<String, String>,
}

impl<'a> Fixes<'a> {
    fn new(config: &'a Config) -> Self {
        let table = Table::try_from(&config.topics).unwrap_or_default();
        let section = |(section, topic): (String, toml::Value)| {
            Some((topic.get("name")?.as_str()?.to_owned(), section))
        };
        Self {
            bootstrap_servers: &config.kafka.bootstrap_servers,
            sections: table.into_iter().filter_map(section).collect(),
        }
    }

    fn of(&self, difference: &Difference) -> String {
        let servers = self.bootstrap_servers;
        match difference {
            Difference::Missing { .. } => "bindery topics apply".to_owned(),
            Difference::Partitions { topic, found, expected } => {
                let section = self.sections.get(topic).map_or("…", String::as_str);
                let configured = format!(
                    "set `partitions = {found}` in `[topics.{section}]` of the configuration"
                );
                if found > expected {
                    // Kafka takes no partition away.
                    return configured;
                }
                format!(
                    "{configured}, or, which moves keys to other partitions: \
                     kafka-topics.sh --bootstrap-server {servers} --alter --topic {topic} --partitions {expected}"
                )
            }
            Difference::Config { topic, key, expected, .. } => {
                let value =
                    if expected.contains(',') { format!("[{expected}]") } else { expected.clone() };
                format!(
                    "kafka-configs.sh --bootstrap-server {servers} --alter --entity-type topics \
                     --entity-name {topic} --add-config {key}={value}"
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kafka::{ClientSettings, Topics};

    use super::*;
    use crate::config::Groups;

    #[track_caller]
    fn check_policy(config: &[(&str, &str)], expected: &str) {
        let config = config.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        assert_eq!(policy(&config), expected);
    }

    #[test]
    fn a_policy_is_told_in_few_words() {
        check_policy(&[("cleanup.policy", "compact")], "compact");
        check_policy(&[("cleanup.policy", "delete"), ("retention.ms", "604800000")], "delete, 7 d");
        check_policy(&[("retention.ms", "7200000")], "delete, 2 h");
        check_policy(&[("retention.ms", "1500")], "delete, 1500 ms");
        check_policy(&[("retention.ms", "-1")], "delete, kept for ever");
        let both = [("cleanup.policy", "compact,delete"), ("retention.ms", "604800000")];
        check_policy(&both, "compact, delete, 7 d");
    }

    /// How the difference of a default topic is mended.
    #[track_caller]
    fn check_fix(difference: &Difference, expected: &str) {
        let config = Config {
            kafka: ClientSettings::new("b:9092"),
            topics: Topics::default(),
            groups: Groups::default(),
        };
        let fix = Fixes::new(&config).of(difference);
        assert!(fix.contains(expected), "{fix}");
    }

    #[test]
    fn every_difference_has_its_remedy() {
        let topic = || "event-journal".to_owned();
        check_fix(&Difference::Missing { topic: topic() }, "bindery topics apply");
        check_fix(
            &Difference::Partitions { topic: topic(), expected: 6, found: 3 },
            "kafka-topics.sh --bootstrap-server b:9092 --alter --topic event-journal --partitions 6",
        );
        check_fix(
            &Difference::Partitions { topic: topic(), expected: 6, found: 12 },
            "set `partitions = 12` in `[topics.event_journal]` of the configuration",
        );
        let (key, expected) = ("cleanup.policy".to_owned(), "compact,delete".to_owned());
        check_fix(
            &Difference::Config { topic: topic(), key, expected, found: "delete".into() },
            "--entity-name event-journal --add-config cleanup.policy=[compact,delete]",
        );
    }

    #[test]
    fn a_topic_in_json_has_these_members() {
        let config = Config {
            kafka: ClientSettings::new("b:9092"),
            topics: Topics::default(),
            groups: Groups::default(),
        };
        let spec = &config.topics.event_status;
        let topic = Topic::checked(spec, &[Difference::Missing { topic: spec.name.clone() }]);
        let expected = json!({
            "topic": "event-status", "partitions": 6, "config": { "cleanup.policy": "compact" },
            "state": "missing",
            "differences": [
                { "kind": "missing", "forbidsStart": true, "fix": "bindery topics apply" }
            ],
        });
        assert_eq!(topic.json(&Fixes::new(&config)), expected);
    }
}
