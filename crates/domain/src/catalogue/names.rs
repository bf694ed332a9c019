use std::cmp::Ordering;
use std::sync::Arc;

/// The event types that have a template, sorted by their beginnings and by their ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    forward: Arc<[Arc<str>]>,
    backward: Arc<[Arc<str>]>,
}

/// How many names are compared on either side of the mistyped one, in each of the two lists.
const NEIGHBOURS: usize = 8;
/// Longer names get no hint: comparing costs the product of the lengths.
const NAME_BYTES_MAX: usize = 128;
/// The longest part compared once common beginnings and ends are off.
const DIFFERENCE_BYTES_MAX: usize = 24;

impl Names {
    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.forward.iter().map(Arc::as_ref)
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.forward.binary_search_by(|other| other.as_ref().cmp(name)).is_ok()
    }

    /// With `added`, none of which is in it, and without `removed`, which is sorted.
    pub(super) fn changed(&self, added: &[Arc<str>], removed: &[Arc<str>]) -> Self {
        if added.is_empty() && removed.is_empty() {
            return self.clone();
        }
        let merged = |old: &[Arc<str>], order: fn(&str, &str) -> Ordering| -> Arc<[Arc<str>]> {
            let stays = |name: &&Arc<str>| removed.binary_search(name).is_err();
            let mut new: Vec<Arc<str>> = added.to_vec();
            new.sort_by(|left, right| order(left, right));
            let mut names: Vec<Arc<str>> = old.iter().filter(stays).cloned().collect();
            names.append(&mut new);
            // The stable sort finds the two sorted runs and only merges them.
            names.sort_by(|left, right| order(left, right));
            names.into()
        };
        Self { forward: merged(&self.forward, forward), backward: merged(&self.backward, backward) }
    }

    pub(super) fn nearest(&self, name: &str) -> Option<&str> {
        if name.len() > NAME_BYTES_MAX {
            return None;
        }
        let around = neighbours(&self.forward, name, forward);
        let candidates = around.chain(neighbours(&self.backward, name, backward));
        let mut best = None;
        let mut limit = distance_max(name);
        for candidate in candidates {
            let Some(distance) = distance_within(name, candidate, limit) else {
                continue;
            };
            best = Some(candidate);
            // Only a nearer one is better from now on.
            match distance.checked_sub(1) {
                Some(nearer) => limit = nearer,
                None => break,
            }
        }
        best
    }
}

/// A third of the name, at most four: beyond that it is another word, not a mistyped one.
fn distance_max(name: &str) -> usize {
    (name.len() / 3).clamp(1, 4)
}

/// Case last, so that a name of other case is a neighbour.
fn forward(left: &str, right: &str) -> Ordering {
    folded(left).cmp(folded(right)).then_with(|| left.cmp(right))
}

fn backward(left: &str, right: &str) -> Ordering {
    folded(left).rev().cmp(folded(right).rev()).then_with(|| left.cmp(right))
}

fn folded(name: &str) -> impl DoubleEndedIterator<Item = u8> {
    name.bytes().map(|byte| byte.to_ascii_lowercase())
}

fn neighbours<'a>(
    names: &'a [Arc<str>],
    name: &str,
    order: fn(&str, &str) -> Ordering,
) -> impl Iterator<Item = &'a str> {
    let at = names.partition_point(|other| order(other, name).is_lt());
    let range = at.saturating_sub(NEIGHBOURS)..(at + NEIGHBOURS).min(names.len());
    names[range].iter().map(Arc::as_ref)
}

/// The edit distance of two names in bytes without regard to case, where it is at most `limit`.
fn distance_within(left: &str, right: &str, limit: usize) -> Option<usize> {
    if left.len().abs_diff(right.len()) > limit {
        return None;
    }
    let (mut left, mut right) = (left.as_bytes(), right.as_bytes());
    while let ([first, left_rest @ ..], [other, right_rest @ ..]) = (left, right)
        && first.eq_ignore_ascii_case(other)
    {
        (left, right) = (left_rest, right_rest);
    }
    while let ([left_rest @ .., last], [right_rest @ .., other]) = (left, right)
        && last.eq_ignore_ascii_case(other)
    {
        (left, right) = (left_rest, right_rest);
    }
    if left.len().max(right.len()) > DIFFERENCE_BYTES_MAX {
        return None;
    }
    let distance =
        strsim::generic_levenshtein(&left.to_ascii_lowercase(), &right.to_ascii_lowercase());
    Some(distance).filter(|distance| *distance <= limit)
}

#[cfg(test)]
impl Names {
    pub(super) fn backward_is_sorted(&self) -> bool {
        self.backward.is_sorted_by(|left, right| backward(left, right).is_lt())
            && self.backward.len() == self.forward.len()
    }
}
