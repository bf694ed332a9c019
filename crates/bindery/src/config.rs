//! Which brokers, which topics.

use std::time::Duration;

use event_consumer::{EventConsumerSettings, Side};
use kafka::{ClientSettings, SettingsError, Topics};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use service::{Failure, Sources, load_part, section_names};
use status_sync::StatusSyncSettings;

use crate::cli::Common;

/// How long a broker may take to answer at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a command needs to know of the installation.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// How to reach the brokers.
    pub(crate) kafka: ClientSettings,
    /// The topics' names and shapes.
    pub(crate) topics: Topics,
    /// The services' consumer groups.
    pub(crate) groups: Groups,
}

/// What the services' consumer groups are called: the setting `group` of each service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Groups {
    /// Of rt-event-consumer.
    pub(crate) rt: String,
    /// Of batch-event-consumer.
    pub(crate) batch: String,
    /// What the groups of status-sync begin with.
    pub(crate) status_sync: String,
}

impl Default for Groups {
    fn default() -> Self {
        Self {
            rt: Side::Rt.name().into(),
            batch: Side::Batch.name().into(),
            status_sync: "status-sync".into(),
        }
    }
}

impl Config {
    /// Waits a moment for a broker to answer; `false` when `stop` said to give up.
    ///
    /// # Errors
    /// 69 where none answers.
    pub(crate) fn reach(&self, stop: impl Fn() -> bool) -> Result<bool, Failure> {
        Ok(kafka::reach(&self.kafka, PATIENCE, stop)?)
    }

    /// Puts `prefix` before the name of every topic and group.
    fn put_behind(&mut self, prefix: &str) {
        for spec in self.topics.all_mut() {
            spec.name.insert_str(0, prefix);
        }
        let Groups { rt, batch, status_sync } = &mut self.groups;
        for group in [rt, batch, status_sync] {
            group.insert_str(0, prefix);
        }
    }
}

/// Reads what the file, the environment and the flags say.
///
/// # Errors
/// What is wrong with them, or that no broker is named at all.
pub(crate) fn load(common: &Common) -> Result<Config, Failure> {
    load_optional(common)?.ok_or_else(|| Failure::configuration(SettingsError::NoBroker))
}

/// The same, once a broker has answered: a person is told soon, and what is wrong with the address.
///
/// # Errors
/// As [`load`], and 69 where no broker answers.
pub(crate) fn connect(common: &Common) -> Result<Config, Failure> {
    let config = load(common)?;
    config.reach(|| false)?;
    Ok(config)
}

/// As [`load`]; `None` where no broker is named.
///
/// # Errors
/// What is wrong with the settings.
pub(crate) fn load_optional(common: &Common) -> Result<Option<Config>, Failure> {
    optional(&Sources::of_process(&common.flags), common.prefix.as_deref())
}

/// The topics, for what asks no broker.
///
/// # Errors
/// What is wrong with the settings.
pub(crate) fn topics(common: &Common) -> Result<Topics, Failure> {
    let config = read(&Sources::of_process(&common.flags), common.prefix.as_deref())?;
    Ok(config.topics)
}

fn optional(sources: &Sources, prefix: Option<&str>) -> Result<Option<Config>, Failure> {
    let config = read(sources, prefix)?;
    if config.kafka.bootstrap_servers.is_empty() {
        return Ok(None);
    }
    config.kafka.validate()?;
    Ok(Some(config))
}

/// With an empty address where no broker is named.
fn read(sources: &Sources, prefix: Option<&str>) -> Result<Config, Failure> {
    let defaults = Config {
        kafka: ClientSettings::new(""),
        topics: Topics::default(),
        groups: Groups::default(),
    };
    let passed_over = passed_over();
    let passed_over: Vec<&str> = passed_over.iter().map(String::as_str).collect();
    let config = load_part(&defaults, sources, &passed_over).map_err(Failure::configuration)?;
    let mut config: Config = config.settings;
    config.put_behind(prefix.unwrap_or_default());
    Ok(config)
}

/// What a service's own file has beyond our sections, so that it will do for us, and the one variable
/// that is a flag's.
fn passed_over() -> Vec<String> {
    let own = section_names::<Config>();
    let theirs =
        [section_names::<EventConsumerSettings>(), section_names::<StatusSyncSettings>()].concat();
    let theirs = theirs.into_iter().filter(|name| !own.contains(name));
    theirs.chain(["prefix".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this text and these variables.
    fn sources(folder: &tempfile::TempDir, file: &str, environment: &[(&str, &str)]) -> Sources {
        let path = folder.path().join("b.toml");
        std::fs::write(&path, file).unwrap();
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sources {
            file: Some(path),
            environment: environment.iter().map(owned).collect(),
            ..Sources::default()
        }
    }

    fn config(file: &str, environment: &[(&str, &str)]) -> Result<Option<Config>, String> {
        let folder = tempfile::tempdir().unwrap();
        optional(&sources(&folder, file, environment), None)
            .map_err(|failure| failure.to_string().replace(&*folder.path().to_string_lossy(), ""))
    }

    #[test]
    fn a_service_s_own_file_and_variables_will_do() {
        let file = "
            lanes = 2
            [kafka]
            bootstrap_servers = 'file:1'
            [topics.rt_event]
            partitions = 12
            [lane]
            linger_ms = 1
        ";
        let environment = [
            ("BINDERY_COLLECT_LANES", "2"),
            ("BINDERY_PREFIX", "x-"),
            ("BINDERY_TOPICS__DEAD_LETTER__NAME", "parked"),
        ];
        let config = config(file, &environment).unwrap().unwrap();
        assert_eq!(config.kafka.bootstrap_servers, "file:1");
        assert_eq!(config.topics.rt_event.partitions, 12);
        assert_eq!(config.topics.rt_event.name, "rt-event");
        assert_eq!(config.topics.dead_letter.name, "parked");
        assert_eq!(config.topics.batch_event, Topics::default().batch_event);
    }

    #[test]
    fn without_a_broker_there_is_nothing_to_reach() {
        assert!(config("", &[]).unwrap().is_none());
    }

    #[test]
    fn a_prefix_goes_before_every_topic_and_group() {
        let folder = tempfile::tempdir().unwrap();
        let file = "[groups]\nrt = \"fast\"\n[topics.event_status]\nname = \"s\"";
        let config = read(&sources(&folder, file, &[]), Some("x-")).unwrap();
        assert_eq!(config.groups.rt, "x-fast");
        assert_eq!(config.groups.status_sync, "x-status-sync");
        assert_eq!(config.topics.event_status.name, "x-s");
        assert_eq!(config.topics.rt_event.name, "x-rt-event");
    }

    /// A file and variables in, the line of the refusal out.
    #[track_caller]
    fn check_refused(file: &str, environment: &[(&str, &str)], expected: &str) {
        assert_eq!(config(file, environment).unwrap_err(), expected);
    }

    #[test]
    fn a_slip_is_told_with_the_nearest_name() {
        check_refused(
            "[topics.rt_evnt]\npartitions = 1",
            &[],
            "no setting is called `topics.rt_evnt` (`/b.toml`); did you mean `topics.rt_event`?",
        );
        check_refused(
            "[kafak]\nbootstrap_servers = \"a:1\"",
            &[],
            "no setting is called `kafak` (`/b.toml`); did you mean `kafka`?",
        );
        check_refused(
            "",
            &[("BINDERY_KAFKA__BOOTSTRAP_SERVER", "a:1")],
            "no setting is called `kafka.bootstrap_server` (`BINDERY_KAFKA__BOOTSTRAP_SERVER`); did \
             you mean `kafka.bootstrap_servers`?",
        );
    }
}
