use std::fmt;
use std::sync::Arc;

use crate::{Channel, LaneKind, Timestamp};

/// The number of one publication of a template, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TemplateVersion(pub u32);

/// What binding needs to know of one template; never its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its name, the key of `message-template`; not empty.
    pub id: Box<str>,
    /// The event type it answers; not empty.
    pub event_type: Box<str>,
    /// The channel it is written for.
    pub channel: Channel<'static>,
    /// BCP 47 tag; empty: the default language.
    pub language: Box<str>,
    /// The lanes it serves.
    pub lanes: Lanes,
    /// Live or paused.
    pub state: TemplateState,
    /// The version that events get.
    pub stable: TemplateVersion,
    /// A version that some of the events get instead.
    pub canary: Option<Canary>,
    /// When it was last published.
    pub published_at: Timestamp,
    /// Paths into `ctx` that the content cannot do without.
    ///
    /// Mostly shared by those that ask for the same, as the languages of one message do.
    pub required: Arc<[RequiredPath]>,
    /// Versions whose content is kept, for rollback.
    pub retained: Box<[TemplateVersion]>,
}

/// Which lanes a template serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Serves real-time events.
    pub rt: bool,
    /// Serves batch events.
    pub batch: bool,
}

impl Lanes {
    /// Both, the default.
    pub const BOTH: Self = Self { rt: true, batch: true };

    /// Whether `lane` is among them.
    pub const fn serve(self, lane: LaneKind) -> bool {
        match lane {
            LaneKind::Rt => self.rt,
            LaneKind::Batch => self.batch,
        }
    }
}

/// Whether events are bound to a template now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateState {
    /// Events are bound to it.
    Live,
    /// Events that only it could serve are held until it is resumed.
    Paused,
}

/// A version on trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The version.
    pub version: TemplateVersion,
    /// How many of a hundred events get it, 0 to 100.
    pub percentage: u8,
}

/// A path into `ctx` that has to exist: `order.number`; a number selects an element of an array.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequiredPath(Box<str>);

impl RequiredPath {
    /// A path of the segments between the dots of `dotted`; `None` where one of them is empty.
    pub fn new(dotted: &str) -> Option<Self> {
        dotted.split('.').all(|segment| !segment.is_empty()).then(|| Self(dotted.into()))
    }

    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Its segments, outermost first; at least one, none of them empty.
    ///
    /// Split anew at each call: kept apart they would cost more memory than all else of a template.
    pub fn segments(&self) -> impl Iterator<Item = &str> + Clone {
        self.0.split('.')
    }
}

impl fmt::Display for RequiredPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
