//! The server's assignor: balanced, and as much as possible as it was.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// Partitions by topic id.
pub(crate) type Assignment = BTreeMap<Uuid, BTreeSet<i32>>;

/// One partition of a topic.
pub(crate) type Slot = (Uuid, i32);

/// Partitions of an assignment, one by one.
pub(crate) fn slots(assignment: &Assignment) -> impl Iterator<Item = Slot> {
    assignment
        .iter()
        .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)))
}

/// An assignment of single partitions.
pub(crate) fn collect(slots: impl IntoIterator<Item = Slot>) -> Assignment {
    let mut assignment = Assignment::new();
    for (topic, partition) in slots {
        assignment.entry(topic).or_default().insert(partition);
    }
    assignment
}

/// What a member had, and which topics it may get.
#[derive(Debug, Clone, Default)]
pub(crate) struct Candidate {
    pub(crate) topics: BTreeSet<Uuid>,
    pub(crate) had: Assignment,
}

/// Assigns every partition of the topics to one candidate that may have it.
///
/// Nobody holds two more than somebody else who could take one of them, and no partition moves
/// that this does not require.
pub(crate) fn assign(
    candidates: &BTreeMap<String, Candidate>,
    partitions: &BTreeMap<Uuid, i32>,
) -> BTreeMap<String, Assignment> {
    let mut held: BTreeMap<&str, BTreeSet<Slot>> = BTreeMap::new();
    let mut taken: BTreeSet<Slot> = BTreeSet::new();
    for (member, candidate) in candidates {
        let keeps = slots(&candidate.had).filter(|(topic, partition)| {
            candidate.topics.contains(topic)
                && partitions.get(topic).is_some_and(|count| partition < count)
        });
        let kept: BTreeSet<Slot> = keeps.filter(|slot| taken.insert(*slot)).collect();
        held.insert(member, kept);
    }
    for (topic, count) in partitions {
        for partition in 0..*count {
            if taken.contains(&(*topic, partition)) {
                continue;
            }
            let least = candidates
                .iter()
                .filter(|(_, candidate)| candidate.topics.contains(topic))
                .min_by_key(|(member, _)| held.get(member.as_str()).map_or(0, BTreeSet::len));
            if let Some((member, _)) = least {
                held.entry(member).or_default().insert((*topic, partition));
            }
        }
    }
    while let Some((from, to, slot)) = improvement(candidates, &held) {
        held.entry(from).or_default().remove(&slot);
        held.entry(to).or_default().insert(slot);
    }
    held.into_iter().map(|(member, slots)| (member.to_owned(), collect(slots))).collect()
}

/// A partition whose move brings two members closer together.
fn improvement<'a>(
    candidates: &'a BTreeMap<String, Candidate>,
    held: &BTreeMap<&'a str, BTreeSet<Slot>>,
) -> Option<(&'a str, &'a str, Slot)> {
    let mut by_load: Vec<(&'a str, &BTreeSet<Slot>)> =
        held.iter().map(|(member, slots)| (*member, slots)).collect();
    by_load.sort_by_key(|(_, slots)| slots.len());
    for (heavy, heavy_slots) in by_load.iter().rev() {
        for (light, light_slots) in &by_load {
            if heavy_slots.len() < light_slots.len() + 2 {
                break;
            }
            let topics = &candidates.get(*light)?.topics;
            let movable = heavy_slots.iter().rev().find(|(topic, _)| topics.contains(topic));
            if let Some(slot) = movable {
                return Some((heavy, light, *slot));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(number: u128) -> Uuid {
        Uuid::from_u128(number)
    }

    /// Members with (name, topics, what they had of topic 1); returns how many each holds.
    fn assigned(members: &[(&str, &[u128], &[i32])], counts: &[(u128, i32)]) -> Vec<Assignment> {
        let candidates = members
            .iter()
            .map(|(name, topics, had)| {
                let candidate = Candidate {
                    topics: topics.iter().map(|number| topic(*number)).collect(),
                    had: collect(had.iter().map(|partition| (topic(1), *partition))),
                };
                ((*name).to_owned(), candidate)
            })
            .collect();
        let partitions = counts.iter().map(|(number, count)| (topic(*number), *count)).collect();
        assign(&candidates, &partitions).into_values().collect()
    }

    #[track_caller]
    fn check(members: &[(&str, &[u128], &[i32])], counts: &[(u128, i32)], expected: &[usize]) {
        let sizes: Vec<usize> =
            assigned(members, counts).iter().map(|given| slots(given).count()).collect();
        assert_eq!(sizes, expected);
    }

    #[test]
    fn partitions_are_spread_evenly() {
        check(&[("a", &[1], &[]), ("b", &[1], &[])], &[(1, 6)], &[3, 3]);
        check(&[("a", &[1], &[]), ("b", &[1], &[])], &[(1, 3)], &[2, 1]);
        check(&[("a", &[1, 2], &[]), ("b", &[1], &[])], &[(1, 4), (2, 4)], &[4, 4]);
    }

    #[test]
    fn a_member_gets_only_what_it_subscribed_to() {
        check(&[("a", &[1], &[]), ("b", &[2], &[])], &[(1, 6), (2, 1)], &[6, 1]);
    }

    #[test]
    fn a_newcomer_takes_as_little_as_possible() {
        let given = assigned(
            &[("a", &[1], &[0, 1, 2]), ("b", &[1], &[3, 4, 5]), ("c", &[1], &[])],
            &[(1, 6)],
        );
        let had = [BTreeSet::from([0, 1, 2]), BTreeSet::from([3, 4, 5])];
        for (given, had) in given.iter().zip(&had) {
            assert_eq!(given[&topic(1)].len(), 2);
            assert!(given[&topic(1)].is_subset(had));
        }
    }
}
