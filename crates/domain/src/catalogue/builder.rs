use std::sync::Arc;

use super::{Catalogue, ChannelTemplates, EventType, Placed, Revision, language_of, newest_first};
use crate::{RequiredPath, Template};

/// Makes the next [`Catalogue`] from the previous one and what was published since.
///
/// Costs what changed, not what there is; only an event type that is new or gone costs a pass over
/// the names of all.
#[derive(Debug, Default)]
pub struct CatalogueBuilder {
    catalogue: Catalogue,
    /// Event types with a changed template, in the order of change, some of them repeatedly.
    changed: Vec<Arc<str>>,
}

impl CatalogueBuilder {
    /// Starts without a template.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `template`, or puts it in the place of the one that has its id.
    pub fn publish(&mut self, mut template: Template) {
        if let Some(required) = self.required_alike(&template) {
            template.required = required;
        }
        let template = Arc::new(template);
        if let Some(previous) = self.catalogue.templates.insert(Arc::clone(&template)) {
            self.withdraw(&previous);
        }
        let event_types = &mut self.catalogue.event_types;
        if event_types.get(&template.event_type).is_none() {
            let name = Arc::from(template.event_type.as_ref());
            event_types.insert(Arc::new(EventType { name, channels: Vec::new() }));
        }
        let entry = self.entry(&template.event_type).expect("it was put in above");
        match entry.channels.iter_mut().find(|other| other.channel == template.channel) {
            Some(present) => present.templates.push(Placed::new(template)),
            None => entry.channels.push(ChannelTemplates {
                channel: template.channel.clone(),
                templates: vec![Placed::new(template)],
                ids: Box::default(),
            }),
        }
    }

    /// Takes the template of that id out; `false` where there is none.
    pub fn unpublish(&mut self, id: &str) -> bool {
        let removed = self.catalogue.templates.remove(id);
        if let Some(template) = &removed {
            self.withdraw(template);
        }
        removed.is_some()
    }

    /// The catalogue as of `revision`.
    pub fn build(mut self, revision: Revision) -> Catalogue {
        self.changed.sort_unstable();
        self.changed.dedup();
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for name in std::mem::take(&mut self.changed) {
            let was = self.catalogue.names.contains(&name);
            let is = self.settle(&name);
            match (was, is) {
                (false, true) => added.push(name),
                (true, false) => removed.push(name),
                (false, false) | (true, true) => {}
            }
        }
        self.catalogue.names = self.catalogue.names.changed(&added, &removed);
        self.catalogue.revision = revision;
        self.catalogue
    }

    /// The same paths from a template of its event type, to share them. Looks at the last template of each
    /// of the first channels only, so that a publication costs little.
    fn required_alike(&self, template: &Template) -> Option<Arc<[RequiredPath]>> {
        const CHANNELS_MAX: usize = 16;
        let entry = self.catalogue.event_types.get(&template.event_type)?;
        let channels = entry.channels.iter().take(CHANNELS_MAX);
        let mut latest = channels.filter_map(|channel| channel.templates.last());
        let alike = latest.find(|placed| placed.template.required == template.required)?;
        Some(Arc::clone(&alike.template.required))
    }

    /// Takes `template` off its event type's list.
    fn withdraw(&mut self, template: &Arc<Template>) {
        let entry = self.entry(&template.event_type).expect("a template's event type has an entry");
        for channel in &mut entry.channels {
            if channel.channel == template.channel {
                channel.templates.retain(|other| !Arc::ptr_eq(&other.template, template));
            }
        }
    }

    /// The entry of an event type that is about to change.
    fn entry(&mut self, name: &str) -> Option<&mut EventType> {
        let entry = Arc::make_mut(self.catalogue.event_types.get_mut(name)?);
        self.changed.push(Arc::clone(&entry.name));
        Some(entry)
    }

    /// Puts a changed event type's templates in order; `false` where none is left.
    fn settle(&mut self, name: &str) -> bool {
        let Some(entry) = self.catalogue.event_types.get_mut(name) else {
            return false;
        };
        let entry = Arc::make_mut(entry);
        entry.channels.retain(|channel| !channel.templates.is_empty());
        if entry.channels.is_empty() {
            self.catalogue.event_types.remove(name);
            return false;
        }
        for channel in &mut entry.channels {
            channel.templates.sort_by(|left, right| {
                let (left, right) = (&left.template, &right.template);
                let order = language_of(left).cmp(&language_of(right));
                order.then_with(|| newest_first(left).cmp(&newest_first(right)))
            });
            channel.templates.shrink_to_fit();
            channel.ids = ids_of(&mut channel.templates);
        }
        entry.channels.shrink_to_fit();
        true
    }
}

impl From<&Catalogue> for CatalogueBuilder {
    fn from(catalogue: &Catalogue) -> Self {
        Self { catalogue: catalogue.clone(), changed: Vec::new() }
    }
}

/// The ids of `templates`, each of which learns where its own ends.
fn ids_of(templates: &mut [Placed]) -> Box<str> {
    let mut ids = String::with_capacity(templates.iter().map(|one| one.template.id.len()).sum());
    for placed in templates {
        ids.push_str(&placed.template.id);
        placed.id_end = u32::try_from(ids.len()).expect("no process holds 4 GiB of ids");
    }
    ids.into()
}
