//! The facts of one event, put in order and folded.

use domain::{EventId, EventStatus, Fact, FactKind, Folded, Status, Timestamp};
use kafka::{FoundRecord, Offset};

/// All that the journal knows of one event.
pub(super) struct Story<'a> {
    /// The partition of the journal that the facts are in.
    pub(super) partition: i32,
    /// The facts, as they happened.
    pub(super) facts: Vec<Known<'a>>,
    /// Where the journal has a record of the event that this program cannot read, and why.
    pub(super) unreadable: Vec<(Offset, String)>,
    /// How many later facts of the event were not looked at, because there are too many.
    pub(super) n_left_out: u64,
    folded: Folded,
}

/// One fact, and where it stands in the story.
pub(super) struct Known<'a> {
    /// Its offset in the journal.
    pub(super) offset: Offset,
    /// When it was written there.
    pub(super) recorded_at: Timestamp,
    /// The fact.
    pub(super) fact: Fact<'a>,
    /// The status that the facts so far come to.
    pub(super) status: Option<Status>,
    /// Whether the status is another one than before, or has another reason or time.
    pub(super) sets_status: bool,
    /// Whether an earlier one says exactly the same.
    pub(super) is_repeated: bool,
}

impl<'a> Story<'a> {
    /// Reads and folds the records of one event.
    pub(super) fn of(partition: i32, records: &'a [FoundRecord]) -> Self {
        let mut read: Vec<(&FoundRecord, Fact<'a>)> = Vec::with_capacity(records.len());
        let mut unreadable = Vec::new();
        for record in records {
            match wire::fact::decode(record.value.as_deref(), record.headers()) {
                Ok(fact) => read.push((record, fact)),
                Err(malformed) => unreadable.push((record.offset, malformed.detail().to_owned())),
            }
        }
        read.sort_by_key(|(record, fact)| order(fact, record.offset));
        let mut story = Self {
            partition,
            facts: Vec::new(),
            unreadable,
            n_left_out: 0,
            folded: Folded::default(),
        };
        for (record, fact) in read {
            story.add(record, fact);
        }
        story
    }

    fn add(&mut self, record: &FoundRecord, fact: Fact<'a>) {
        let before = self.folded.clone();
        self.folded.apply(&fact);
        self.facts.push(Known {
            offset: record.offset,
            recorded_at: Timestamp::from_millis(record.timestamp_ms),
            status: self.folded.key().map(|key| key.status()),
            sets_status: self.folded.key() != before.key(),
            is_repeated: self.facts.iter().any(|known| known.fact == fact),
            fact,
        });
    }

    /// Whether the journal knows nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.facts.is_empty() && self.unreadable.is_empty()
    }

    /// Whether the event was decided, and no fact says when it came.
    pub(super) fn came_unannounced(&self) -> bool {
        let steps = || self.facts.iter().map(|known| step(&known.fact.kind));
        steps().any(|step| (HELD..=DECIDED).contains(&step))
            && !steps().any(|step| step == RECEIVED)
    }

    /// What the facts come to; `None` where none of them says anything of the status.
    pub(super) fn status<'b>(&'b self, id: &'b EventId<'_>) -> Option<EventStatus<'b>> {
        self.folded.status(id.borrowed())
    }

    /// The place of the fact that set the status: the last one that changed it.
    pub(super) fn setter(&self) -> Option<usize> {
        self.facts.iter().rposition(|known| known.sets_status)
    }
}

/// Facts in the order they became true. The event comes before all that was made of it, even where
/// its producer's clock is ahead; of two in the same millisecond the step that leads to the other.
fn order(fact: &Fact<'_>, offset: Offset) -> (bool, Timestamp, u8, Offset) {
    let is_received = matches!(fact.kind, FactKind::Received);
    (!is_received, fact.occurred_at, step(&fact.kind), offset)
}

const RECEIVED: u8 = 0;
const HELD: u8 = 2;
const DECIDED: u8 = 4;

fn step(kind: &FactKind<'_>) -> u8 {
    match kind {
        FactKind::Received => RECEIVED,
        FactKind::CancelRequested => 1,
        FactKind::Held(_) => HELD,
        FactKind::Released => 3,
        FactKind::Bound { .. }
        | FactKind::NotSupported(_)
        | FactKind::Expired
        | FactKind::Cancelled
        | FactKind::Duplicate { .. } => DECIDED,
        FactKind::Delivery { outcome, .. } => {
            let place = domain::Outcome::ALL.iter().position(|other| other == outcome);
            place.and_then(|place| u8::try_from(place).ok()).map_or(u8::MAX, |place| 5 + place)
        }
    }
}
