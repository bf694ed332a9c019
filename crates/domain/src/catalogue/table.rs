use std::hash::BuildHasher;
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// What a [`Table`] is looked up by.
pub(super) trait Keyed {
    fn key(&self) -> &str;
}

/// A hash table of shared values that is cheap to copy: a copy shares every shard until one of the
/// two changes it.
#[derive(Debug)]
pub(super) struct Table<T> {
    shards: Box<[Arc<HashTable<Arc<T>>>]>,
    len: usize,
}

/// Few enough that copying a table is a matter of microseconds, many enough that changing one shard
/// of 100,000 values is too.
const SHARDS: usize = 256;

impl<T> Default for Table<T> {
    fn default() -> Self {
        let empty = Arc::new(HashTable::new());
        Self { shards: vec![empty; SHARDS].into(), len: 0 }
    }
}

impl<T> Clone for Table<T> {
    fn clone(&self) -> Self {
        Self { shards: self.shards.clone(), len: self.len }
    }
}

fn hash(key: &str) -> u64 {
    FixedState::default().hash_one(key)
}

/// The hash table itself uses the low bits for the bucket and the highest seven for the tag.
fn shard_of(hash: u64) -> usize {
    usize::from((hash >> 40).to_le_bytes()[0])
}

impl<T: Keyed> Table<T> {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.shards.iter().flat_map(|shard| shard.iter())
    }

    pub(super) fn get(&self, key: &str) -> Option<&Arc<T>> {
        let hash = hash(key);
        self.shards[shard_of(hash)].find(hash, |value| value.key() == key)
    }

    /// The value of that key, to be changed in place; its key must stay.
    pub(super) fn get_mut(&mut self, key: &str) -> Option<&mut Arc<T>> {
        let hash = hash(key);
        Arc::make_mut(&mut self.shards[shard_of(hash)]).find_mut(hash, |value| value.key() == key)
    }

    /// Puts `value` in; gives back what had its key.
    pub(super) fn insert(&mut self, value: Arc<T>) -> Option<Arc<T>> {
        let hash_of_value = hash(value.key());
        let shard = Arc::make_mut(&mut self.shards[shard_of(hash_of_value)]);
        match shard.find_mut(hash_of_value, |other| other.key() == value.key()) {
            Some(present) => Some(std::mem::replace(present, value)),
            None => {
                shard.insert_unique(hash_of_value, value, |other| hash(other.key()));
                self.len += 1;
                None
            }
        }
    }

    /// Takes the value of that key out.
    pub(super) fn remove(&mut self, key: &str) -> Option<Arc<T>> {
        let hash = hash(key);
        let shard = Arc::make_mut(&mut self.shards[shard_of(hash)]);
        let entry = shard.find_entry(hash, |value| value.key() == key).ok()?;
        self.len -= 1;
        Some(entry.remove().0)
    }
}
