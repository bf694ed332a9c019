use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// One topic as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicSpec {
    /// Its name.
    pub name: String,
    /// How many partitions it has, from 1. Services refuse to start on another number, because keys
    /// would land elsewhere.
    pub partitions: i32,
    /// Its replication factor; -1: the broker's default.
    pub replication: i16,
    /// Kafka's own topic settings: `cleanup.policy`, `retention.ms`, …
    pub config: BTreeMap<String, String>,
}

impl TopicSpec {
    fn new(name: &str, partitions: i32, config: &[(&str, String)]) -> Self {
        let config = config.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
        Self { name: name.into(), partitions, replication: -1, config }
    }

    fn kept(name: &str, partitions: i32, days: i64) -> Self {
        let retention = ("retention.ms", (days * DAY_MS).to_string());
        Self::new(name, partitions, &[("cleanup.policy", "delete".into()), retention])
    }

    fn compacted(name: &str, partitions: i32) -> Self {
        Self::new(name, partitions, &[("cleanup.policy", "compact".into())])
    }

    /// The largest batch of records it takes, in bytes: its `max.message.bytes`, or the broker's default
    /// of 1 MiB plus overhead.
    pub fn batch_bytes_max(&self) -> usize {
        const BROKER_DEFAULT: usize = 1_048_588;
        let configured = self.config.get("max.message.bytes").and_then(|text| text.parse().ok());
        configured.unwrap_or(BROKER_DEFAULT)
    }

    /// The largest record value it takes, in bytes: what a batch may be, less what a batch of one record
    /// adds.
    pub fn value_bytes_max(&self) -> usize {
        const BATCH_OVERHEAD: usize = 512;
        self.batch_bytes_max().saturating_sub(BATCH_OVERHEAD)
    }
}

/// Every topic of one installation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is the topic of its name")]
pub struct Topics {
    pub rt_event: TopicSpec,
    pub batch_event: TopicSpec,
    pub message_template: TopicSpec,
    pub template_content: TopicSpec,
    pub rt_assignment: TopicSpec,
    pub batch_assignment: TopicSpec,
    pub event_journal: TopicSpec,
    pub event_status: TopicSpec,
    pub delivery_log: TopicSpec,
    pub dead_letter: TopicSpec,
    pub held_event: TopicSpec,
    pub event_cancellation: TopicSpec,
}

impl Default for Topics {
    fn default() -> Self {
        let mut cancellation = TopicSpec::kept("event-cancellation", 6, 7);
        cancellation.config.insert("cleanup.policy".into(), "compact,delete".into());
        Self {
            rt_event: TopicSpec::kept("rt-event", 6, 7),
            batch_event: TopicSpec::kept("batch-event", 6, 7),
            message_template: TopicSpec::compacted("message-template", 1),
            template_content: TopicSpec::compacted("template-content", 1),
            rt_assignment: TopicSpec::kept("rt-assignment", 6, 7),
            batch_assignment: TopicSpec::kept("batch-assignment", 6, 7),
            event_journal: TopicSpec::kept("event-journal", 6, 30),
            event_status: TopicSpec::compacted("event-status", 6),
            delivery_log: TopicSpec::kept("delivery-log", 6, 7),
            dead_letter: TopicSpec::kept("dead-letter", 1, 30),
            held_event: TopicSpec::compacted("held-event", 6),
            event_cancellation: cancellation,
        }
    }
}

impl Topics {
    /// The defaults, every name behind `prefix`: several installations on one cluster.
    pub fn with_prefix(prefix: &str) -> Self {
        let mut topics = Self::default();
        for spec in topics.all_mut() {
            spec.name.insert_str(0, prefix);
        }
        topics
    }

    /// All of them.
    pub fn all(&self) -> [&TopicSpec; 12] {
        [
            &self.rt_event,
            &self.batch_event,
            &self.message_template,
            &self.template_content,
            &self.rt_assignment,
            &self.batch_assignment,
            &self.event_journal,
            &self.event_status,
            &self.delivery_log,
            &self.dead_letter,
            &self.held_event,
            &self.event_cancellation,
        ]
    }

    /// All of them, to be changed.
    pub fn all_mut(&mut self) -> [&mut TopicSpec; 12] {
        [
            &mut self.rt_event,
            &mut self.batch_event,
            &mut self.message_template,
            &mut self.template_content,
            &mut self.rt_assignment,
            &mut self.batch_assignment,
            &mut self.event_journal,
            &mut self.event_status,
            &mut self.delivery_log,
            &mut self.dead_letter,
            &mut self.held_event,
            &mut self.event_cancellation,
        ]
    }

    /// A copy of every topic's specification.
    pub fn specs(&self) -> Vec<TopicSpec> {
        self.all().into_iter().cloned().collect()
    }
}
