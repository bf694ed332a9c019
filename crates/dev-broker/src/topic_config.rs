//! The configuration of a topic: the keys Kafka knows, their checks, and the values acted upon.

use std::collections::BTreeMap;

/// How a configuration value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Boolean,
    Int,
    Long,
    Double,
    Text,
    List,
}

/// A key, its default and its form.
#[derive(Debug)]
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) default: &'static str,
    pub(crate) kind: Kind,
    /// Lowest value of a number.
    lowest: i64,
    /// Values of a text or list, when only some are possible.
    allowed: &'static [&'static str],
}

const fn number(name: &'static str, kind: Kind, default: &'static str, lowest: i64) -> Key {
    Key { name, default, kind, lowest, allowed: &[] }
}

const fn choice(
    name: &'static str,
    kind: Kind,
    default: &'static str,
    allowed: &'static [&'static str],
) -> Key {
    Key { name, default, kind, lowest: 0, allowed }
}

const BOOLEAN: &[&str] = &["true", "false"];

/// Every key of a topic, with Kafka's defaults except for the segment size.
pub(crate) const KEYS: &[Key] = &[
    choice("cleanup.policy", Kind::List, "delete", &["delete", "compact"]),
    // Batches are stored as they come; no other codec can be promised.
    choice("compression.type", Kind::Text, "producer", &["producer"]),
    number("delete.retention.ms", Kind::Long, "86400000", 0),
    number("file.delete.delay.ms", Kind::Long, "60000", 0),
    number("flush.messages", Kind::Long, "9223372036854775807", 1),
    number("flush.ms", Kind::Long, "9223372036854775807", 0),
    number("index.interval.bytes", Kind::Int, "4096", 0),
    number("max.compaction.lag.ms", Kind::Long, "9223372036854775807", 1),
    number("max.message.bytes", Kind::Int, "1048588", 0),
    number("message.timestamp.after.max.ms", Kind::Long, "3600000", 0),
    number("message.timestamp.before.max.ms", Kind::Long, "9223372036854775807", 0),
    choice("message.timestamp.type", Kind::Text, "CreateTime", &["CreateTime", "LogAppendTime"]),
    number("min.cleanable.dirty.ratio", Kind::Double, "0.5", 0),
    number("min.compaction.lag.ms", Kind::Long, "0", 0),
    number("min.insync.replicas", Kind::Int, "1", 1),
    choice("preallocate", Kind::Boolean, "false", BOOLEAN),
    number("retention.bytes", Kind::Long, "-1", -1),
    number("retention.ms", Kind::Long, "604800000", -1),
    number("segment.bytes", Kind::Int, "1073741824", 14),
    number("segment.index.bytes", Kind::Int, "10485760", 4),
    number("segment.jitter.ms", Kind::Long, "0", 0),
    number("segment.ms", Kind::Long, "604800000", 1),
    choice("unclean.leader.election.enable", Kind::Boolean, "false", BOOLEAN),
];

/// The key of a name.
pub(crate) fn key(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

impl Key {
    /// Says what is wrong with a value, if something is.
    fn refuse(&self, value: &str) -> Option<String> {
        let sound = match self.kind {
            Kind::Boolean | Kind::Text => self.allowed.contains(&value),
            Kind::List => {
                !value.is_empty()
                    && value.split(',').all(|part| self.allowed.contains(&part.trim()))
            }
            Kind::Int => value.parse::<i32>().is_ok_and(|number| i64::from(number) >= self.lowest),
            Kind::Long => value.parse::<i64>().is_ok_and(|number| number >= self.lowest),
            Kind::Double => value.parse::<f64>().is_ok_and(|ratio| (0.0..=1.0).contains(&ratio)),
        };
        (!sound).then(|| format!("Invalid value {value} for configuration {}", self.name))
    }
}

/// What was set on a topic, and the values the log acts upon.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TopicConfig {
    overrides: BTreeMap<String, String>,
    pub(crate) compact: bool,
    pub(crate) delete: bool,
    pub(crate) retention_ms: Option<i64>,
    pub(crate) retention_bytes: Option<u64>,
    pub(crate) segment_bytes: u64,
    pub(crate) segment_ms: i64,
    pub(crate) max_message_bytes: usize,
    pub(crate) log_append_time: bool,
    pub(crate) timestamp_after_max_ms: i64,
    pub(crate) timestamp_before_max_ms: i64,
    pub(crate) delete_retention_ms: i64,
    pub(crate) min_compaction_lag_ms: i64,
    pub(crate) min_cleanable_dirty_ratio: f64,
}

impl TopicConfig {
    /// Checks a set of overrides; an error says in Kafka's words what is wrong.
    pub(crate) fn new(overrides: BTreeMap<String, String>) -> Result<TopicConfig, String> {
        for (name, value) in &overrides {
            let key = key(name).ok_or_else(|| format!("Unknown topic config name: {name}"))?;
            if let Some(problem) = key.refuse(value) {
                return Err(problem);
            }
        }
        let text = |name: &str| effective(&overrides, name);
        let long = |name: &str| text(name).parse::<i64>().unwrap_or(i64::MAX);
        let policy = text("cleanup.policy");
        Ok(TopicConfig {
            compact: policy.contains("compact"),
            delete: policy.contains("delete"),
            retention_ms: Some(long("retention.ms")).filter(|limit| *limit >= 0),
            retention_bytes: u64::try_from(long("retention.bytes")).ok(),
            segment_bytes: u64::try_from(long("segment.bytes")).unwrap_or(u64::MAX),
            segment_ms: long("segment.ms"),
            max_message_bytes: usize::try_from(long("max.message.bytes")).unwrap_or(0),
            log_append_time: text("message.timestamp.type") == "LogAppendTime",
            timestamp_after_max_ms: long("message.timestamp.after.max.ms"),
            timestamp_before_max_ms: long("message.timestamp.before.max.ms"),
            delete_retention_ms: long("delete.retention.ms"),
            min_compaction_lag_ms: long("min.compaction.lag.ms"),
            min_cleanable_dirty_ratio: text("min.cleanable.dirty.ratio").parse().unwrap_or(0.5),
            overrides,
        })
    }

    pub(crate) fn overrides(&self) -> &BTreeMap<String, String> {
        &self.overrides
    }

    /// The value in force, and whether it was set on the topic.
    pub(crate) fn value(&self, name: &str) -> (String, bool) {
        (effective(&self.overrides, name), self.overrides.contains_key(name))
    }
}

fn effective(overrides: &BTreeMap<String, String>, name: &str) -> String {
    let default = || key(name).map_or_else(String::new, |key| key.default.to_owned());
    overrides.get(name).cloned().unwrap_or_else(default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, value: &str, accepted: bool) {
        let overrides = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        assert_eq!(TopicConfig::new(overrides).is_ok(), accepted, "{name}={value}");
    }

    #[test]
    fn values_are_checked_by_their_kind() {
        check("retention.ms", "-1", true);
        check("retention.ms", "-2", false);
        check("retention.ms", "soon", false);
        check("cleanup.policy", "compact,delete", true);
        check("cleanup.policy", "shred", false);
        check("compression.type", "zstd", false);
        check("min.cleanable.dirty.ratio", "1.5", false);
        check("no.such.key", "1", false);
    }

    #[test]
    fn no_retention_is_no_limit() {
        let overrides = BTreeMap::from([("retention.ms".to_owned(), "-1".to_owned())]);
        let config = TopicConfig::new(overrides).unwrap();
        assert_eq!((config.retention_ms, config.retention_bytes), (None, None));
    }
}
