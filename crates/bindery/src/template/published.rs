//! What is published already.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use domain::{Template, TemplateVersion};
use kafka::{ClientSettings, NextOffset, ReadError, ReadRecord, Reader, TopicSpec, Topics};
use tracing::warn;

use super::file::Content;

/// How long reading one topic to its end may take.
const READ_LIMIT: Duration = Duration::from_secs(60);

/// Whose contents are wanted. All of them may be more than fits into memory.
#[derive(Clone, Copy, Debug)]
pub enum Contents<'a> {
    /// Nobody's.
    Unread,
    /// Those of these templates, in all versions there are.
    Of(&'a HashSet<&'a str>),
}

/// Every template in force, and the contents asked for.
#[derive(Debug, Default)]
pub struct Published {
    templates: HashMap<String, Template>,
    contents: HashMap<(String, u32), Content>,
}

impl Published {
    /// Reads the topics to the end they have now; that of the contents only if some are wanted.
    ///
    /// # Errors
    /// Where a topic is missing or no broker answers.
    pub fn load(
        client: &ClientSettings,
        topics: &Topics,
        contents: Contents<'_>,
    ) -> Result<Self, ReadError> {
        let mut published = Self::default();
        each_record(client, &topics.message_template, |record| published.take_template(record))?;
        if let Contents::Of(ids) = contents {
            each_record(client, &topics.template_content, |record| {
                published.take_content(record, ids);
            })?;
        }
        Ok(published)
    }

    /// Every template in force, by id.
    pub fn templates(&self) -> Vec<&Template> {
        let mut templates: Vec<&Template> = self.templates.values().collect();
        templates.sort_by(|one, other| one.id.cmp(&other.id));
        templates
    }

    /// The template in force under this id.
    pub fn template(&self, id: &str) -> Option<&Template> {
        self.templates.get(id)
    }

    /// The content of one version.
    pub fn content(&self, id: &str, version: TemplateVersion) -> Option<&Content> {
        self.contents.get(&(id.to_owned(), version.0))
    }

    /// The version that the next publication of `id` gets.
    ///
    /// Contents count too: of a template that was unpublished only they are left, and messages bound
    /// to them may still be on their way.
    pub fn next_version(&self, id: &str) -> TemplateVersion {
        let of_template = self.templates.get(id).into_iter().flat_map(|template| {
            let canary = template.canary.map(|canary| canary.version);
            template.retained.iter().copied().chain(canary).chain([template.stable])
        });
        let of_contents =
            self.contents.keys().filter(|(of, _)| of == id).map(|(_, version)| *version);
        let last = of_template.map(|version| version.0).chain(of_contents).max().unwrap_or(0);
        TemplateVersion(last + 1)
    }

    /// Adds a template as if it had been read.
    #[cfg(test)]
    pub(super) fn insert(&mut self, template: Template, content: Content) {
        let id = template.id.to_string();
        self.contents.insert((id.clone(), template.stable.0), content);
        self.templates.insert(id, template);
    }

    fn take_template(&mut self, record: &ReadRecord<'_>) {
        let Some(id) = text_key(record) else { return };
        if record.value().is_none() {
            self.templates.remove(id);
            return;
        }
        let headers = record.headers();
        match wire::template::decode(record.value(), headers.iter()) {
            Ok(template) => {
                self.templates.insert(id.to_owned(), template);
            }
            // The services skip it too: the last good one stays in force.
            Err(error) => warn!(id, %error, "a template record cannot be read and is skipped"),
        }
    }

    fn take_content(&mut self, record: &ReadRecord<'_>, wanted: &HashSet<&str>) {
        let Some((id, version)) = text_key(record).and_then(|key| key.rsplit_once('/')) else {
            return;
        };
        if !wanted.contains(id) {
            return;
        }
        let Ok(version) = version.parse() else { return };
        let key = (id.to_owned(), version);
        if record.value().is_none() {
            self.contents.remove(&key);
            return;
        }
        let headers = record.headers();
        match wire::template_content::decode(record.value(), headers.iter()) {
            Ok(read) => {
                let text = |text: Option<std::borrow::Cow<'_, str>>| text.map(String::from);
                let content = Content {
                    subject: text(read.subject),
                    title: text(read.title),
                    text: text(read.text),
                    html: text(read.html),
                };
                self.contents.insert(key, content);
            }
            Err(error) => warn!(id, version, %error, "a template content cannot be read"),
        }
    }
}

fn text_key<'a>(record: &'a ReadRecord<'_>) -> Option<&'a str> {
    record.key().and_then(|key| std::str::from_utf8(key).ok())
}

fn each_record(
    client: &ClientSettings,
    topic: &TopicSpec,
    each: impl FnMut(&ReadRecord<'_>),
) -> Result<(), ReadError> {
    let starts: Vec<(i32, NextOffset)> =
        (0..topic.partitions).map(|partition| (partition, NextOffset::START)).collect();
    Reader::open(client, &topic.name, &starts)?.read_to_end(READ_LIMIT, each)
}
