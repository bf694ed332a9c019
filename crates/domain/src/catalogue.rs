mod builder;
mod names;
mod table;

use std::cmp::Reverse;
use std::sync::Arc;

pub use builder::CatalogueBuilder;

use crate::language::LanguageStart;
use crate::{Channel, LaneKind, Lanes, LanguageTag, Template, TemplateState};
use names::Names;
use table::{Keyed, Table};

/// The catalogue's place in `message-template`: the next offset after the last record applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

/// All published templates as of one revision. Never changes: a publication makes a new one.
///
/// Made by [`CatalogueBuilder`], which shares with the previous catalogue all that stayed the same,
/// and lives for as long as somebody holds an assignment's template.
#[derive(Clone, Debug)]
pub struct Catalogue {
    revision: Revision,
    templates: Table<Template>,
    event_types: Table<EventType>,
    names: Names,
}

/// The templates of one event type.
#[derive(Clone, Debug)]
struct EventType {
    name: Arc<str>,
    channels: Vec<ChannelTemplates>,
}

/// The templates of one event type and channel; by language, and within one the newest first.
#[derive(Clone, Debug)]
struct ChannelTemplates {
    channel: Channel<'static>,
    templates: Vec<Placed>,
    /// The ids of those, one after the other: they go into every fact, and one by one they would have
    /// to be fetched from as many places in memory.
    ids: Box<str>,
}

/// A template in its place, with what it is searched and judged by beside it: to look into every template
/// on the way would cost more than the rest of binding.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    language: LanguageStart,
    template: Arc<Template>,
    /// Where its id ends in those of its group.
    id_end: u32,
    language_bytes: u8,
    lanes: Lanes,
    state: TemplateState,
}

impl Keyed for Template {
    fn key(&self) -> &str {
        &self.id
    }
}

impl Keyed for EventType {
    fn key(&self) -> &str {
        &self.name
    }
}

/// What there is for an event type and a channel.
pub(crate) enum Candidates<'a> {
    /// No template of that event type.
    NoEventType,
    /// None for that channel.
    NoChannel,
    /// These; at least one.
    Some(Group<'a>),
}

/// The templates of one event type and channel; at least one.
#[derive(Clone, Copy)]
pub(crate) struct Group<'a>(&'a ChannelTemplates);

impl Catalogue {
    /// Without a template, as of the beginning of `message-template`.
    pub fn empty() -> Self {
        Self {
            revision: Revision(0),
            templates: Table::default(),
            event_types: Table::default(),
            names: Names::default(),
        }
    }

    /// The next offset of `message-template` after the last record in it.
    pub const fn revision(&self) -> Revision {
        self.revision
    }

    /// How many templates there are.
    pub const fn len(&self) -> usize {
        self.templates.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The template of that id.
    pub fn get(&self, id: &str) -> Option<&Template> {
        self.templates.get(id).map(Arc::as_ref)
    }

    /// Every template, in no order.
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.templates.iter().map(Arc::as_ref)
    }

    /// The event types that have a template, in order.
    pub fn event_types(&self) -> impl ExactSizeIterator<Item = &str> {
        self.names.iter()
    }

    /// The event type most like one that has no template, where one is like it at all.
    ///
    /// A hint for a person who mistyped. Looks at a few dozen names however many there are: a single
    /// mistake leaves the greater part of a name intact before or behind it, so that the name meant
    /// is a neighbour of the mistyped one in one of two sorted lists.
    pub fn nearest(&self, event_type: &str) -> Option<&str> {
        self.names.nearest(event_type)
    }

    pub(crate) fn candidates(&self, event_type: &str, channel: &str) -> Candidates<'_> {
        let Some(entry) = self.event_types.get(event_type) else {
            return Candidates::NoEventType;
        };
        entry
            .channels
            .iter()
            .find(|entry| entry.channel.as_str() == channel)
            .map_or(Candidates::NoChannel, |entry| Candidates::Some(Group(entry)))
    }
}

impl Default for Catalogue {
    fn default() -> Self {
        Self::empty()
    }
}

impl<'a> Group<'a> {
    /// All of them, by language and within one the newest first.
    pub(crate) fn all(self) -> std::slice::Iter<'a, Placed> {
        self.0.templates.iter()
    }

    /// The same with their ids.
    pub(crate) fn named(self) -> impl Iterator<Item = (&'a Placed, &'a str)> {
        let mut start = 0;
        self.all().map(move |placed| {
            let end = placed.id_end as usize;
            let id = &self.0.ids[start..end];
            start = end;
            (placed, id)
        })
    }

    /// Those of exactly `language`, the newest first.
    pub(crate) fn of_language<'t>(
        self,
        language: LanguageTag<'t>,
    ) -> impl Iterator<Item = &'a Placed> + use<'a, 't> {
        let wanted = language.start();
        let all = &self.0.templates;
        let start = all.partition_point(|placed| placed.language < wanted);
        let length = all[start..].partition_point(|placed| placed.language == wanted);
        let alike = all[start..start + length].iter();
        alike.filter(move |placed| placed.is_rest(language))
    }
}

impl Placed {
    fn new(template: Arc<Template>) -> Self {
        let language = language_of(&template);
        Self {
            language: language.start(),
            id_end: 0,
            language_bytes: length_of(language),
            lanes: template.lanes,
            state: template.state,
            template,
        }
    }

    pub(crate) fn template(&self) -> &Template {
        &self.template
    }

    pub(crate) const fn state(&self) -> TemplateState {
        self.state
    }

    pub(crate) const fn serves(&self, lane: LaneKind) -> bool {
        self.lanes.serve(lane)
    }

    /// Whether both are for one language.
    pub(crate) fn has_language_of(&self, other: &Self) -> bool {
        self.language == other.language && self.is_rest(language_of(&other.template))
    }

    /// Whether it is for `language`, which has the same start.
    fn is_rest(&self, language: LanguageTag<'_>) -> bool {
        self.language_bytes == length_of(language)
            && (language.as_str().len() <= LanguageStart::BYTES
                || language_of(&self.template) == language)
    }
}

/// In bytes, 255 at most: of two tags with 255 the length alone tells nothing.
fn length_of(language: LanguageTag<'_>) -> u8 {
    u8::try_from(language.as_str().len()).unwrap_or(u8::MAX)
}

fn language_of(template: &Template) -> LanguageTag<'_> {
    LanguageTag::new(&template.language)
}

/// Orders templates by age, the newest first; of equals the lesser id.
pub(crate) fn newest_first(template: &Template) -> (Reverse<crate::Timestamp>, &str) {
    (Reverse(template.published_at), &template.id)
}

#[cfg(test)]
mod tests;
