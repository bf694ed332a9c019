use std::sync::Arc;
use std::thread;
use std::time::Duration;

use kafka_protocol::messages::ApiKey;
use native_client::{Backoff, Brokers, CallError, Patience, WaitOrStop, unspoken};
use tracing::{debug, warn};

use crate::pilot::{LIST_OFFSETS, METADATA, OFFSET_FOR_LEADER_EPOCH, Pilot};
use crate::shared::{Item, Key, Shared};
use crate::worker::FETCH;
use crate::{Fetched, Parked, Progress, Settings};

/// Fetches the partitions it is told to, in threads of its own: one for each broker that leads one,
/// and one that finds out which that is.
///
/// Records come by partition in the order of their offsets, each once, and only of what is
/// committed. Those of a partition that was revoked never come after that.
#[derive(Debug)]
pub struct Fetcher {
    shared: Arc<Shared>,
    /// The rest of what was taken only in part.
    rest: Option<Fetched>,
}

/// What a partition gave.
#[derive(Debug)]
pub enum Given {
    /// Records.
    Records(Fetched),
    /// A batch that was passed over.
    Parked(Parked),
}

/// How much is taken at once.
#[derive(Clone, Copy, Debug)]
pub struct Appetite {
    /// Most records.
    pub records_max: usize,
    /// Most bytes of keys and values; the first record may have more.
    pub bytes_max: usize,
}

/// Why there is no fetcher, and waiting would not help.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The brokers lack something. Another client may do without.
    #[error("fetching is not to be had: {0}")]
    Unsupported(String),
    /// The broker does not accept who the client says it is, or is not who it should be.
    #[error("there is no trust between broker and client")]
    Security(#[source] CallError),
}

/// The requests it makes, and their versions.
const NEEDED: [(ApiKey, i16); 4] = [
    (ApiKey::Metadata, METADATA),
    (ApiKey::ListOffsets, LIST_OFFSETS),
    (ApiKey::OffsetForLeaderEpoch, OFFSET_FOR_LEADER_EPOCH),
    (ApiKey::Fetch, FETCH),
];

impl Fetcher {
    /// A fetcher of no partitions. Waits for a broker as long as it takes; `None` when it was told to
    /// stop first.
    ///
    /// # Errors
    /// When waiting does not help.
    ///
    /// # Panics
    /// When the system starts no more threads.
    pub fn connect(
        settings: Settings,
        wait_or_stop: WaitOrStop<'_>,
    ) -> Result<Option<Self>, ConnectError> {
        let patience = Patience::endless(wait_or_stop);
        let mut brokers = Brokers::new(settings.client.clone());
        let mut backoff = Backoff::long();
        let mut has_warned = false;
        loop {
            match brokers.versions(&patience) {
                Ok(answer) => match unspoken(&answer, &NEEDED) {
                    Some(what) => return Err(ConnectError::Unsupported(what)),
                    None => break,
                },
                Err(CallError::Over(_)) => return Ok(None),
                Err(error @ CallError::Security { passing: false, .. }) => {
                    return Err(ConnectError::Security(error));
                }
                Err(error) => {
                    let error = native_client::chain(&error);
                    if has_warned {
                        debug!(error, "no broker to fetch from yet");
                    } else {
                        has_warned = true;
                        warn!(error, "no broker to fetch from yet; trying on");
                    }
                }
            }
            if patience.pause(backoff.next()).is_err() {
                return Ok(None);
            }
        }
        let shared = Arc::new(Shared::new(settings));
        let mut pilot = Pilot { shared: Arc::clone(&shared), brokers };
        let lane = tracing::Span::current();
        thread::Builder::new()
            .name("fetch".to_owned())
            .spawn(move || lane.in_scope(|| pilot.run()))
            .expect("a process that cannot start a thread cannot do its work");
        Ok(Some(Self { shared, rest: None }))
    }

    /// Begins to fetch a partition at `start`, or where the settings say if there is none. What was
    /// fetched of it before and not taken is forgotten.
    pub fn assign(&mut self, topic: Arc<str>, partition: i32, start: Option<i64>) {
        let key = Key { topic, partition };
        self.forget_rest(&key);
        self.shared.assign(key, start);
    }

    /// Stops fetching a partition. Nothing of it is given any more.
    pub fn revoke(&mut self, topic: Arc<str>, partition: i32) {
        let key = Key { topic, partition };
        self.forget_rest(&key);
        self.shared.revoke(&key);
    }

    /// Waits up to `timeout` until there is something to take; says whether there is.
    pub fn wait(&self, timeout: Duration) -> bool {
        self.rest.is_some() || self.shared.wait(timeout)
    }

    /// What comes next of any partition, if it is there.
    pub fn take(&mut self, appetite: Appetite) -> Option<Given> {
        let fetched = match self.rest.take() {
            Some(rest) => rest,
            None => match self.shared.take()? {
                Item::Fetched(fetched) => fetched,
                Item::Parked(parked) => return Some(Given::Parked(parked)),
            },
        };
        let (taken, rest) = cut(fetched, appetite);
        self.rest = rest;
        Some(Given::Records(taken))
    }

    /// Calls `each` with every partition and how far it is.
    pub fn progress(&self, mut each: impl FnMut(&Arc<str>, i32, Progress)) {
        self.shared.progress(|key, mut progress| {
            if let Some(rest) = self.rest.as_ref().filter(|rest| is_of(rest, key)) {
                progress.n_waiting += rest.len();
            }
            each(&key.topic, key.partition, progress);
        });
    }

    fn forget_rest(&mut self, key: &Key) {
        self.rest.take_if(|rest| is_of(rest, key));
    }
}

impl Drop for Fetcher {
    /// The threads are not waited for: one may be dialling a broker that is gone, and ends after that.
    fn drop(&mut self) {
        self.shared.end();
    }
}

fn is_of(fetched: &Fetched, key: &Key) -> bool {
    fetched.partition == key.partition && fetched.topic == key.topic
}

/// As much from the front as there is appetite for, one record at least; and the rest.
fn cut(fetched: Fetched, appetite: Appetite) -> (Fetched, Option<Fetched>) {
    let (start, end) = (fetched.range.start, fetched.range.end);
    let mut bytes = 0;
    let most = start.saturating_add(appetite.records_max.max(1));
    let middle = (start..end.min(most)).find(|index| {
        let is_full = bytes >= appetite.bytes_max && *index > start;
        bytes += fetched.batch.payload(*index);
        is_full
    });
    let middle = middle.unwrap_or(end.min(most));
    let rest = (middle < end).then(|| Fetched { range: middle..end, ..fetched.clone() });
    (Fetched { range: start..middle, ..fetched }, rest)
}

#[cfg(test)]
mod tests;
