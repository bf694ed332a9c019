//! What a publication changes, and how it is written: one transaction over both topics.

use std::borrow::Cow;
use std::collections::HashSet;
use std::time::Duration;

use domain::{Template, TemplateState, TemplateVersion, Timestamp};
use kafka::{ClientSettings, TopicSpec, Topics};
use lane::{Outbox, OutputTopic, PublishError, Publisher, TooLarge, TopicId};
use wire::Format;
use wire::headers::{Outgoing, Trace, kind, outgoing};
use wire::template_content::TemplateContent;

use super::file::{Content, TemplateSource};
use super::published::{Contents, Published};

/// How many versions of a template's content are kept for rollback and for messages on their way.
const VERSIONS_RETAINED_MAX: usize = 50;
/// How long the broker may take to answer at all.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// Who writes the records.
const SOURCE: &str = "/bindery/template";
const MESSAGE_TEMPLATE: TopicId = TopicId(0);
const TEMPLATE_CONTENT: TopicId = TopicId(1);

/// What is to become of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is published in this version.
    Published(Box<Publication>),
    /// It is in force as it is; nothing is written.
    Unchanged {
        /// Its name.
        id: String,
        /// The version in force.
        version: TemplateVersion,
    },
}

/// One new version of one template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// What binding will know of it.
    pub template: Template,
    /// What will be rendered.
    pub content: Content,
    /// Versions too old to be kept; their contents are removed.
    pub dropped: Vec<TemplateVersion>,
}

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteFailure {
    /// A template is larger than its topic takes.
    #[error("template `{id}` is too large for topic `{topic}`")]
    TooLarge {
        /// Which.
        id: String,
        /// Where to.
        topic: String,
        /// By how much.
        #[source]
        source: TooLarge,
    },
    /// The transaction did not come about.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Compares `sources` with what is published and says what has to be written at `now`.
pub fn plan(sources: &[TemplateSource], published: &Published, now: Timestamp) -> Vec<Outcome> {
    sources
        .iter()
        .map(|source| match published.template(&source.id) {
            Some(current) if is_same(source, current, published) => {
                Outcome::Unchanged { id: source.id.clone(), version: current.stable }
            }
            current => Outcome::Published(Box::new(next(source, current, published, now))),
        })
        .collect()
}

fn is_same(source: &TemplateSource, current: &Template, published: &Published) -> bool {
    *source.event_type == *current.event_type
        && source.channel == current.channel
        && *source.language == *current.language
        && source.lanes == current.lanes
        && *source.required == *current.required
        && published.content(&source.id, current.stable) == Some(&source.content)
}

/// A paused template stays paused: publishing is not resuming. A trial ends.
fn next(
    source: &TemplateSource,
    current: Option<&Template>,
    published: &Published,
    now: Timestamp,
) -> Publication {
    let version = published.next_version(&source.id);
    let mut retained: Vec<TemplateVersion> =
        current.map(|current| current.retained.to_vec()).unwrap_or_default();
    retained.push(version);
    let n_dropped = retained.len().saturating_sub(VERSIONS_RETAINED_MAX);
    let dropped: Vec<TemplateVersion> = retained.drain(..n_dropped).collect();
    Publication {
        template: Template {
            id: source.id.as_str().into(),
            event_type: source.event_type.as_str().into(),
            channel: source.channel.clone(),
            language: source.language.as_str().into(),
            lanes: source.lanes,
            state: current.map_or(TemplateState::Live, |current| current.state),
            stable: version,
            canary: None,
            published_at: now,
            required: source.required.clone().into(),
            retained: retained.into(),
        },
        content: source.content.clone(),
        dropped,
    }
}

/// Connects as the one publisher of this installation, reads what is published, and writes what
/// differs in one transaction; answers what became of each of `sources`, in their order.
///
/// # Errors
/// Nothing is published, unless the error says that this is not known.
pub fn publish(
    client: &ClientSettings,
    topics: &Topics,
    sources: &[TemplateSource],
) -> Result<Vec<Outcome>, service::Failure> {
    let (mut publisher, mut outbox) = connect(client, topics)?;
    let ids: HashSet<&str> = sources.iter().map(|source| source.id.as_str()).collect();
    let published = Published::load(client, topics, Contents::Of(&ids))?;
    let outcomes = plan(sources, &published, Timestamp::from_millis(Publisher::now_ms()));
    for outcome in &outcomes {
        if let Outcome::Published(publication) = outcome {
            write(publication, &mut outbox).map_err(service::Failure::configuration)?;
        }
    }
    if !outbox.is_empty() {
        publisher.publish(&outbox)?;
    }
    Ok(outcomes)
}

/// Takes these templates out of force in one transaction. Their contents stay: messages bound to them
/// may still be on their way.
///
/// # Errors
/// Nothing is changed, unless the error says that this is not known.
pub(super) fn unpublish(
    client: &ClientSettings,
    topics: &Topics,
    ids: &[&str],
) -> Result<(), service::Failure> {
    let (mut publisher, mut outbox) = connect(client, topics)?;
    for id in ids {
        outbox
            .record(MESSAGE_TEMPLATE)
            .key(id.as_bytes())
            .tombstone()
            .map_err(service::Failure::configuration)?;
    }
    publisher.publish(&outbox)?;
    Ok(())
}

/// Connects as the one publisher of this installation, with an outbox for its two topics. This ends
/// whatever an earlier publisher left open, so what is read afterwards is all there is.
fn connect(
    client: &ClientSettings,
    topics: &Topics,
) -> Result<(Publisher, Outbox), service::Failure> {
    let outputs = [output(&topics.message_template), output(&topics.template_content)];
    let id = format!("{}-publisher", topics.message_template.name);
    let publisher = Publisher::connect(client, &id, &outputs, CONNECT_LIMIT)?;
    Ok((publisher, Outbox::new(outputs)))
}

fn output(spec: &TopicSpec) -> OutputTopic {
    OutputTopic {
        name: spec.name.as_str().into(),
        partitions: spec.partitions,
        record_bytes_max: spec.value_bytes_max(),
    }
}

fn write(publication: &Publication, outbox: &mut Outbox) -> Result<(), WriteFailure> {
    let template = &publication.template;
    let too_large = |topic: TopicId, outbox: &Outbox, source| WriteFailure::TooLarge {
        id: template.id.to_string(),
        topic: outbox.topics()[topic.0].name.to_string(),
        source,
    };
    // The content first: a reader of both topics never knows a template without its content.
    let content = wire_content(publication);
    let key = content_key(&template.id, template.stable);
    outbox
        .record(TEMPLATE_CONTENT)
        .key(key.as_bytes())
        .headers(headers(kind::TEMPLATE_CONTENT, &key))
        .value(|buffer| wire::template_content::encode(&content, Format::Protobuf, buffer))
        .map_err(|source| too_large(TEMPLATE_CONTENT, outbox, source))?;
    for version in &publication.dropped {
        outbox
            .record(TEMPLATE_CONTENT)
            .key(content_key(&template.id, *version).as_bytes())
            .tombstone()
            .map_err(|source| too_large(TEMPLATE_CONTENT, outbox, source))?;
    }
    outbox
        .record(MESSAGE_TEMPLATE)
        .key(template.id.as_bytes())
        .headers(headers(kind::MESSAGE_TEMPLATE, &template.id))
        .value(|buffer| wire::template::encode(template, Format::Protobuf, buffer))
        .map_err(|source| too_large(MESSAGE_TEMPLATE, outbox, source))
}

fn headers<'a>(kind: &'static str, id: &'a str) -> impl Iterator<Item = (&'static str, &'a [u8])> {
    let record =
        Outgoing { kind, id, source: SOURCE, format: Format::Protobuf, trace: Trace::NONE };
    outgoing(record)
}

fn content_key(id: &str, version: TemplateVersion) -> String {
    format!("{id}/{}", version.0)
}

fn wire_content(publication: &Publication) -> TemplateContent<'_> {
    fn text(text: &Option<String>) -> Option<Cow<'_, str>> {
        text.as_deref().map(Cow::Borrowed)
    }
    let content = &publication.content;
    TemplateContent {
        template_id: Cow::Borrowed(&publication.template.id),
        version: publication.template.stable,
        subject: text(&content.subject),
        text: text(&content.text),
        html: text(&content.html),
        title: text(&content.title),
        schema: Cow::Borrowed(&[]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> TemplateSource {
        let file = format!("id = \"a\"\ntype = \"t\"\nchannel = \"sms\"\ntext = \"{text}\"");
        crate::template::read("a.toml", &file).unwrap()
    }

    /// Publishes these texts one after the other; the last outcome.
    fn publish_all(texts: &[&str]) -> (Outcome, Published) {
        let mut published = Published::default();
        let mut last = None;
        for (at, text) in texts.iter().enumerate() {
            let now = Timestamp::from_millis(i64::try_from(at).unwrap());
            let outcome = plan(&[source(text)], &published, now).remove(0);
            if let Outcome::Published(publication) = &outcome {
                published.insert(publication.template.clone(), publication.content.clone());
            }
            last = Some(outcome);
        }
        (last.unwrap(), published)
    }

    #[track_caller]
    fn check(texts: &[&str], expected: &str) {
        let described = match publish_all(texts).0 {
            Outcome::Published(publication) => {
                format!("published {}", publication.template.stable.0)
            }
            Outcome::Unchanged { version, .. } => format!("unchanged {}", version.0),
        };
        assert_eq!(described, expected, "{texts:?}");
    }

    #[test]
    fn a_version_follows_the_one_before_and_nothing_new_is_no_version() {
        check(&["one"], "published 1");
        check(&["one", "two"], "published 2");
        check(&["one", "one"], "unchanged 1");
        check(&["one", "two", "one"], "published 3");
    }

    #[test]
    fn a_paused_template_stays_paused() {
        let (_, mut published) = publish_all(&["one"]);
        let mut template = published.template("a").unwrap().clone();
        template.state = TemplateState::Paused;
        published.insert(template, source("one").content);
        let outcome = plan(&[source("two")], &published, Timestamp::default()).remove(0);
        let Outcome::Published(publication) = outcome else { panic!("{outcome:?}") };
        assert_eq!(publication.template.state, TemplateState::Paused);
    }

    #[test]
    fn old_versions_are_dropped_with_their_contents() {
        let texts: Vec<String> = (0..=VERSIONS_RETAINED_MAX).map(|n| n.to_string()).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (Outcome::Published(last), _) = publish_all(&texts) else { panic!("unchanged") };
        assert_eq!(last.dropped, [TemplateVersion(1)]);
        assert_eq!(last.template.retained.len(), VERSIONS_RETAINED_MAX);
        let mut outbox = Outbox::new([
            output(&Topics::default().message_template),
            output(&Topics::default().template_content),
        ]);
        write(&last, &mut outbox).unwrap();
        let written: Vec<(String, bool)> = outbox
            .records()
            .map(|record| {
                let key = String::from_utf8(record.key.unwrap().to_vec()).unwrap();
                (key, record.value.is_some())
            })
            .collect();
        let expected = [("a/51", true), ("a/1", false), ("a", true)];
        assert_eq!(written, expected.map(|(key, value)| (key.to_owned(), value)));
    }
}
