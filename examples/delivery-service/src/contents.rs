//! All of `template-content`, in memory: what the assignments refer to.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use tracing::warn;

use crate::contract::{Content, Form};
use crate::settings::Settings;

/// How long a content is waited for: an assignment may be read before the content it refers to,
/// though it was written after it.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// A reader of `template-content` and what it has read.
pub(crate) struct Contents {
    consumer: BaseConsumer,
    known: HashMap<String, Content>,
}

impl Contents {
    /// Begins to read the topic from its start.
    ///
    /// # Errors
    /// Where no broker answers.
    pub(crate) fn open(settings: &Settings) -> anyhow::Result<Self> {
        // A member of no group: every instance needs all of it.
        let consumer: BaseConsumer = settings
            .client()
            .set("group.id", format!("{}-contents", settings.group))
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .create()?;
        let topic = &settings.template_content;
        let metadata = consumer
            .fetch_metadata(Some(topic), Duration::from_secs(30))
            .with_context(|| format!("no broker answers at `{}`", settings.bootstrap_servers))?;
        let mut assignment = TopicPartitionList::new();
        for partition in metadata.topics().iter().flat_map(|topic| topic.partitions()) {
            assignment.add_partition_offset(topic, partition.id(), Offset::Beginning)?;
        }
        consumer.assign(&assignment)?;
        Ok(Self { consumer, known: HashMap::new() })
    }

    /// The content of `template_id` in `version`; `None` if it does not come in time.
    pub(crate) fn get(&mut self, template_id: &str, version: u32) -> Option<&Content> {
        let key = format!("{template_id}/{version}");
        let started = Instant::now();
        while !self.known.contains_key(&key) && started.elapsed() < WAIT_MAX {
            self.follow(Duration::from_millis(100));
        }
        self.known.get(&key)
    }

    /// Takes in one more record, if one comes within `timeout`.
    fn follow(&mut self, timeout: Duration) {
        let record = match self.consumer.poll(timeout) {
            None | Some(Err(KafkaError::PartitionEOF(_))) => return,
            Some(Err(error)) => return warn!(%error, "template contents cannot be read now"),
            Some(Ok(record)) => record,
        };
        let Some(Ok(key)) = record.key().map(std::str::from_utf8) else {
            return;
        };
        let Some(value) = record.payload() else {
            self.known.remove(key);
            return;
        };
        let form = Form::of(crate::header(&record, "content-type"));
        match form.and_then(|form| Content::decode(form, value)) {
            Ok(content) => {
                self.known.insert(key.to_owned(), content);
            }
            Err(error) => warn!(key, %error, "a template content cannot be read and is skipped"),
        }
    }
}
