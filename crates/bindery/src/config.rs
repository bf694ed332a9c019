//! Which brokers, which topics.

use std::path::Path;

use anyhow::{Context as _, anyhow};
use event_consumer::Side;
use kafka::{ClientSettings, Topics};
use serde::{Deserialize, Serialize};
use service::Failure;
use toml::{Table, Value};

use crate::cli::Common;

/// What a command needs to know of the installation.
#[derive(Debug)]
pub(crate) struct Config {
    /// How to reach the brokers.
    pub(crate) kafka: ClientSettings,
    /// The topics' names and shapes.
    pub(crate) topics: Topics,
    /// The services' consumer groups.
    pub(crate) groups: Groups,
}

/// What the services' consumer groups are called: the setting `group` of each service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// Reads the file if there is one; the address on the command line goes before the one in it.
///
/// # Errors
/// What is wrong with the file, or that no broker is named at all.
pub(crate) fn load(common: &Common) -> Result<Config, Failure> {
    load_optional(common)?.ok_or_else(|| {
        Failure::configuration(anyhow!(
            "no broker is named; give `--bootstrap-servers host:port` or set KAFKA_BOOTSTRAP_SERVERS"
        ))
    })
}

/// The same; `None` where no broker is named.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn load_optional(common: &Common) -> Result<Option<Config>, Failure> {
    Ok(sections(common)?.config())
}

/// The topics, for what asks no broker.
///
/// # Errors
/// What is wrong with the file.
pub(crate) fn topics(common: &Common) -> Result<Topics, Failure> {
    sections(common).map(|sections| sections.topics)
}

/// What there is to know without a broker, and the broker if one is named.
struct Sections {
    topics: Topics,
    groups: Groups,
    kafka: Option<ClientSettings>,
}

impl Sections {
    fn config(self) -> Option<Config> {
        let Self { topics, groups, kafka } = self;
        kafka.map(|kafka| Config { kafka, topics, groups })
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

fn sections(common: &Common) -> Result<Sections, Failure> {
    let file = match &common.config {
        Some(path) => read(path).map_err(Failure::configuration)?,
        None => Table::new(),
    };
    let sections = combine(file, common.bootstrap_servers.as_deref());
    let sections = sections.map_err(|error| match &common.config {
        Some(path) => error.context(format!("in `{}`", path.display())),
        None => error,
    });
    let mut sections = sections.map_err(Failure::configuration)?;
    if let Some(prefix) = &common.prefix {
        sections.put_behind(prefix);
    }
    Ok(sections)
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    text.parse().with_context(|| format!("`{}` is not TOML", path.display()))
}

/// Only the sections that concern the command line are looked at, so that a service's own file
/// will do.
fn combine(mut file: Table, bootstrap_servers: Option<&str>) -> anyhow::Result<Sections> {
    let mut section = |name: &str| match file.remove(name) {
        None => Ok(Table::new()),
        Some(Value::Table(table)) => Ok(table),
        Some(_) => Err(anyhow!("`{name}` has to be a section")),
    };
    let mut kafka = section("kafka")?;
    let mut topics = Table::try_from(Topics::default())?;
    merge(&mut topics, section("topics")?);
    let topics: Topics = topics.try_into().context("section `topics`")?;
    let groups: Groups = section("groups")?.try_into().context("section `groups`")?;
    if let Some(address) = bootstrap_servers {
        kafka.insert("bootstrap_servers".into(), address.into());
    }
    if !kafka.contains_key("bootstrap_servers") {
        return Ok(Sections { topics, groups, kafka: None });
    }
    let kafka: ClientSettings = kafka.try_into().context("section `kafka`")?;
    kafka.validate()?;
    Ok(Sections { topics, groups, kafka: Some(kafka) })
}

/// Lays `over` on `base`, table by table.
fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(file: &str, address: Option<&str>) -> anyhow::Result<Option<Config>> {
        Ok(combine(file.parse().unwrap(), address)?.config())
    }

    #[test]
    fn the_command_line_goes_before_the_file() {
        let file = "[kafka]\nbootstrap_servers = \"file:1\"";
        let address = |flag| config(file, flag).unwrap().unwrap().kafka.bootstrap_servers;
        assert_eq!(address(None), "file:1");
        assert_eq!(address(Some("flag:2")), "flag:2");
        assert!(config("", None).unwrap().is_none());
    }

    #[test]
    fn a_topic_keeps_the_defaults_of_what_the_file_does_not_say() {
        let file = "[topics.rt_event]\npartitions = 12\n[lane]\nlinger_ms = 1";
        let topics = config(file, Some("a:1")).unwrap().unwrap().topics;
        assert_eq!(topics.rt_event.partitions, 12);
        assert_eq!(topics.rt_event.name, "rt-event");
        assert_eq!(topics.batch_event, Topics::default().batch_event);
    }

    #[test]
    fn a_prefix_goes_before_every_topic_and_group() {
        let file = "[groups]\nrt = \"fast\"\n[topics.event_status]\nname = \"s\"";
        let mut sections = combine(file.parse().unwrap(), None).unwrap();
        sections.put_behind("x-");
        assert_eq!(sections.groups.rt, "x-fast");
        assert_eq!(sections.groups.status_sync, "x-status-sync");
        assert_eq!(sections.topics.event_status.name, "x-s");
        assert_eq!(sections.topics.rt_event.name, "x-rt-event");
    }

    #[test]
    fn a_slip_in_the_file_is_told() {
        let error = config("[topics.rt_evnt]\npartitions = 1", Some("a:1")).unwrap_err();
        assert!(format!("{error:#}").contains("rt_evnt"), "{error:#}");
        let error = config("[kafka]\nbootstrap_server = \"a:1\"", Some("a:1")).unwrap_err();
        assert!(format!("{error:#}").contains("bootstrap_server"), "{error:#}");
    }
}
