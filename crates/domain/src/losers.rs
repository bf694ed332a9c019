use std::borrow::Cow;
use std::fmt;

use crate::catalogue::{Group, Placed};
use crate::{LaneKind, TemplateState};

/// How many losers a binding lists. Those beyond, in order of language and age, lost unnamed.
pub const CANDIDATES_MAX: usize = 16;

/// A template that was considered and lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<'a> {
    /// Its id.
    pub template_id: Cow<'a, str>,
    /// Why.
    pub lost: Lost,
}

/// Why a candidate lost; a stable word each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lost {
    /// It is paused.
    Paused,
    /// It does not serve this lane.
    Lane,
    /// Another language suits the event better.
    Language,
    /// Another of the same language was published later.
    Older,
}

impl Candidate<'_> {
    /// The same candidate, borrowing from this one.
    pub fn borrowed(&self) -> Candidate<'_> {
        Candidate { template_id: Cow::Borrowed(&self.template_id), lost: self.lost }
    }
}

impl Lost {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Paused, Self::Lane, Self::Language, Self::Older];

    /// The stable word: `paused`, `lane`, `language`, `older`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Lane => "lane",
            Self::Language => "language",
            Self::Older => "older",
        }
    }
}

/// The other templates of a bound event's type and channel, as far as they are listed, and why each lost.
///
/// Those of a binding are at most [`CANDIDATES_MAX`], by language and within one the newest first, and are
/// judged when they are asked for: they cost no list of their own. Those of a fact that was read are as
/// they were written.
#[derive(Clone)]
pub struct Losers<'a>(Source<'a>);

#[derive(Clone)]
enum Source<'a> {
    Judged { group: Group<'a>, winner: &'a Placed, lane: LaneKind },
    Listed(Vec<Candidate<'a>>),
}

impl<'a> Losers<'a> {
    pub(crate) const fn to(winner: &'a Placed, group: Group<'a>, lane: LaneKind) -> Self {
        Self(Source::Judged { group, winner, lane })
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Candidate<'_>> {
        let (judged, listed) = match &self.0 {
            Source::Judged { group, winner, lane } => (Some((*group, *winner, *lane)), &[][..]),
            Source::Listed(list) => (None, &**list),
        };
        let judged = judged.into_iter().flat_map(|(group, winner, lane)| {
            let others = group.named().filter(|(placed, _)| !std::ptr::eq(*placed, winner));
            others.take(CANDIDATES_MAX).map(move |(placed, id)| Candidate {
                template_id: Cow::Borrowed(id),
                lost: why_lost(placed, winner, lane),
            })
        });
        judged.chain(listed.iter().map(Candidate::borrowed))
    }
}

impl Default for Losers<'_> {
    /// None.
    fn default() -> Self {
        Self(Source::Listed(Vec::new()))
    }
}

impl<'a> From<Vec<Candidate<'a>>> for Losers<'a> {
    fn from(list: Vec<Candidate<'a>>) -> Self {
        Self(Source::Listed(list))
    }
}

impl PartialEq for Losers<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Losers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

fn why_lost(placed: &Placed, winner: &Placed, lane: LaneKind) -> Lost {
    if placed.state() == TemplateState::Paused {
        Lost::Paused
    } else if !placed.serves(lane) {
        Lost::Lane
    } else if !placed.has_language_of(winner) {
        Lost::Language
    } else {
        Lost::Older
    }
}
