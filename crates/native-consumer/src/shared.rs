//! What a lane and the threads that fetch for it share.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use native_client::Address;

use crate::partition::{Need, Partition};
use crate::{Fetched, Parked, Settings};

/// How long a thread with nothing to do sleeps at most; whoever has something for it wakes it.
const ASLEEP: Duration = Duration::from_secs(60);

/// One partition of one topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.partition)
    }
}

/// What a partition gave, in its order.
#[derive(Debug)]
pub(crate) enum Item {
    Fetched(Fetched),
    Parked(Parked),
}

#[derive(Debug)]
struct Queued {
    key: Key,
    item: Item,
    size: usize,
}

/// A partition that something is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) key: Key,
    pub(crate) need: Need,
    assignment: u64,
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) last_epoch: i32,
    turn: u64,
}

/// What the pilot has to do.
#[derive(Debug, Default)]
pub(crate) struct Errands {
    pub(crate) asked: Vec<Asked>,
    /// Nodes that partitions are to be fetched from, without a thread that does.
    pub(crate) nodes: BTreeSet<i32>,
}

#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    state: Mutex<State>,
    /// Something was queued.
    for_lane: Condvar,
    /// There may be something to ask for, or room for an answer.
    for_others: Condvar,
}

#[derive(Debug, Default)]
struct State {
    partitions: BTreeMap<Key, Partition>,
    queue: VecDeque<Queued>,
    queued_bytes: usize,
    addresses: HashMap<i32, Address>,
    /// Nodes that have a thread.
    workers: BTreeSet<i32>,
    n_assignments: u64,
    n_turns: u64,
    is_over: bool,
}

impl State {
    fn current(&mut self, asked: &Asked) -> Option<&mut Partition> {
        self.partitions
            .get_mut(&asked.key)
            .filter(|partition| partition.assignment == asked.assignment)
    }

    fn ask(&mut self, wanted: impl Fn(Need) -> bool) -> Vec<Asked> {
        let now = Instant::now();
        let mut asked = Vec::new();
        for (key, partition) in &mut self.partitions {
            let Some(need) = partition.need(now).filter(|need| wanted(*need)) else { continue };
            partition.is_asked = true;
            asked.push(Asked {
                key: key.clone(),
                need,
                assignment: partition.assignment,
                offset: partition.progress.next_offset.unwrap_or(-1),
                leader_epoch: partition.leader_epoch,
                last_epoch: partition.last_epoch,
                turn: partition.turn,
            });
        }
        asked
    }

    /// How long until a partition has rested.
    fn next_rest(&self) -> Duration {
        let now = Instant::now();
        let rests = self.partitions.values().filter_map(Partition::rests_until);
        let next = rests.filter(|until| *until > now).min();
        next.map_or(ASLEEP, |until| until - now)
    }
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Self {
        let (for_lane, for_others) = (Condvar::new(), Condvar::new());
        Self { settings, state: Mutex::default(), for_lane, for_others }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sleep<'s>(&self, state: MutexGuard<'s, State>, time: Duration) -> MutexGuard<'s, State> {
        let woken = self.for_others.wait_timeout(state, time);
        woken.unwrap_or_else(PoisonError::into_inner).0
    }

    // What the lane does.

    pub(crate) fn assign(&self, key: Key, start: Option<i64>) {
        let mut state = self.lock();
        state.n_assignments += 1;
        let assignment = state.n_assignments;
        state.drop_queued(&key);
        state.partitions.insert(key, Partition::new(assignment, start));
        drop(state);
        self.for_others.notify_all();
    }

    pub(crate) fn revoke(&self, key: &Key) {
        let mut state = self.lock();
        state.drop_queued(key);
        state.partitions.remove(key);
        drop(state);
        self.for_others.notify_all();
    }

    /// Waits up to `timeout` until there is something to take; says whether there is.
    pub(crate) fn wait(&self, timeout: Duration) -> bool {
        let state = self.lock();
        if !state.queue.is_empty() || timeout.is_zero() {
            return !state.queue.is_empty();
        }
        let is_empty = |state: &mut State| state.queue.is_empty();
        let waited = self.for_lane.wait_timeout_while(state, timeout, is_empty);
        !waited.unwrap_or_else(PoisonError::into_inner).0.queue.is_empty()
    }

    /// The next item of any partition.
    pub(crate) fn take(&self) -> Option<Item> {
        let mut state = self.lock();
        let taken = state.queue.pop_front()?;
        let was_full = state.queued_bytes >= self.settings.buffer_bytes;
        state.release(&taken);
        let has_room = state.queued_bytes < self.settings.buffer_bytes;
        drop(state);
        if was_full && has_room {
            self.for_others.notify_all();
        }
        Some(taken.item)
    }

    /// Calls `each` with every partition and how far it is.
    pub(crate) fn progress(&self, mut each: impl FnMut(&Key, crate::Progress)) {
        for (key, partition) in &self.lock().partitions {
            each(key, partition.progress);
        }
    }

    /// Every thread ends as soon as it can.
    pub(crate) fn end(&self) {
        self.lock().is_over = true;
        self.for_others.notify_all();
    }

    // What all threads do.

    /// Waits, and says whether it is over.
    pub(crate) fn wait_or_stop(&self, time: Duration) -> bool {
        let state = self.lock();
        if time.is_zero() || state.is_over {
            return state.is_over;
        }
        let goes_on = |state: &mut State| !state.is_over;
        let waited = self.for_others.wait_timeout_while(state, time, goes_on);
        waited.unwrap_or_else(PoisonError::into_inner).0.is_over
    }

    /// Changes a partition that something was asked for, unless it was taken away meanwhile.
    pub(crate) fn with(&self, asked: &Asked, change: impl FnOnce(&mut Partition)) {
        if let Some(partition) = self.lock().current(asked) {
            change(partition);
        }
    }

    /// What was asked for these is done, or is not going to be.
    pub(crate) fn done<'a>(&self, all: impl IntoIterator<Item = &'a Asked>) {
        let mut state = self.lock();
        for asked in all {
            if let Some(partition) = state.current(asked) {
                partition.is_asked = false;
            }
        }
        drop(state);
        self.for_others.notify_all();
    }

    // What the pilot does.

    /// Waits for something to do; `None` when it is over.
    pub(crate) fn next_errands(&self) -> Option<Errands> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            let asked = state.ask(|need| !matches!(need, Need::Records { .. }));
            let now = Instant::now();
            let needs = state.partitions.values().filter_map(|partition| partition.need(now));
            let nodes: BTreeSet<i32> = needs
                .filter_map(|need| match need {
                    Need::Records { node } if !state.workers.contains(&node) => Some(node),
                    Need::Records { .. }
                    | Need::Leader
                    | Need::Position { .. }
                    | Need::Validation { .. } => None,
                })
                .collect();
            if !asked.is_empty() || !nodes.is_empty() {
                state.workers.extend(&nodes);
                return Some(Errands { asked, nodes });
            }
            let time = state.next_rest();
            state = self.sleep(state, time);
        }
    }

    /// Nobody fetches from a node after all.
    pub(crate) fn forget_worker(&self, node: i32) {
        self.lock().workers.remove(&node);
    }

    pub(crate) fn know(&self, node: i32, address: Address) {
        self.lock().addresses.insert(node, address);
    }

    // What who fetches from a node does.

    pub(crate) fn address(&self, node: i32) -> Option<Address> {
        self.lock().addresses.get(&node).cloned()
    }

    /// Waits until something is to be fetched from `node` and there is room for it: what, whoever
    /// waited longest first. `None` when it is over.
    pub(crate) fn next_fetch(&self, node: i32) -> Option<Vec<Asked>> {
        let mut state = self.lock();
        loop {
            if state.is_over {
                return None;
            }
            if state.queued_bytes < self.settings.buffer_bytes {
                let mut asked = state.ask(|need| need == Need::Records { node });
                if !asked.is_empty() {
                    asked.sort_by_key(|asked| asked.turn);
                    return Some(asked);
                }
            }
            let time = state.next_rest();
            state = self.sleep(state, time);
        }
    }

    /// Waits until there is room for another batch of a partition; says whether the lane still has it.
    pub(crate) fn wait_for_room(&self, asked: &Asked) -> bool {
        let mut state = self.lock();
        loop {
            if state.is_over || state.current(asked).is_none() {
                return false;
            }
            if state.queued_bytes < self.settings.buffer_bytes {
                return true;
            }
            state = self.sleep(state, ASLEEP);
        }
    }

    /// A batch of a partition was read, up to before `next_offset`. What it gave is queued.
    pub(crate) fn queue(
        &self,
        asked: &Asked,
        next_offset: i64,
        leader_epoch: i32,
        item: Option<Item>,
    ) {
        let mut state = self.lock();
        state.n_turns += u64::from(item.is_some());
        let n_turns = state.n_turns;
        let Some(partition) = state.current(asked) else { return };
        partition.progress.next_offset = Some(next_offset);
        partition.last_epoch = leader_epoch;
        let Some(item) = item else { return };
        partition.turn = n_turns;
        let size = item.size();
        partition.progress.n_waiting += item.n_records();
        state.queued_bytes += size;
        state.queue.push_back(Queued { key: asked.key.clone(), item, size });
        drop(state);
        self.for_lane.notify_one();
    }
}

impl State {
    fn release(&mut self, queued: &Queued) {
        self.queued_bytes -= queued.size;
        if let Some(partition) = self.partitions.get_mut(&queued.key) {
            let waiting = &mut partition.progress.n_waiting;
            *waiting = waiting.saturating_sub(queued.item.n_records());
        }
    }

    fn drop_queued(&mut self, key: &Key) {
        let bytes = &mut self.queued_bytes;
        self.queue.retain(|queued| {
            let stays = queued.key != *key;
            *bytes -= if stays { 0 } else { queued.size };
            stays
        });
    }
}

impl Item {
    /// Memory it takes, and a little more, so that very small ones have an end as well.
    fn size(&self) -> usize {
        const OVERHEAD: usize = 256;
        OVERHEAD
            + match self {
                Self::Fetched(fetched) => fetched.batch.size(),
                Self::Parked(parked) => parked.bytes.len(),
            }
    }

    fn n_records(&self) -> usize {
        match self {
            Self::Fetched(fetched) => fetched.len(),
            Self::Parked(_) => 1,
        }
    }
}
