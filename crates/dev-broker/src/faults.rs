//! Hooks for tests: requests that are late, lost, or answered with an error.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kafka_protocol::messages::ApiKey;

/// How often a fault strikes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// The next so many requests of the API key.
    Next(u32),
    /// Every request until [`Faults::clear`].
    Always,
}

/// What happens to one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) delay: Option<Duration>,
    pub(crate) drop_connection: bool,
    pub(crate) drop_reply: bool,
    pub(crate) error_code: Option<i16>,
}

#[derive(Debug, Default)]
struct Planned {
    delay: Option<(Duration, Times)>,
    drop_connection: Option<Times>,
    drop_reply: Option<Times>,
    error_code: Option<(i16, Times)>,
}

/// The faults planned for a broker, by API key.
///
/// Each kind of fault holds one plan per key; a new plan replaces the old one. Different kinds
/// may strike the same request.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    planned: Arc<Mutex<HashMap<i16, Planned>>>,
}

impl Faults {
    /// Handles the requests only after a pause.
    pub fn delay(&self, api: ApiKey, by: Duration, times: Times) {
        self.plan(api, |planned| planned.delay = Some((by, times)));
    }

    /// Closes the connection without handling the request.
    pub fn drop_connection(&self, api: ApiKey, times: Times) {
        self.plan(api, |planned| planned.drop_connection = Some(times));
    }

    /// Handles the request, then closes the connection instead of answering.
    pub fn drop_reply(&self, api: ApiKey, times: Times) {
        self.plan(api, |planned| planned.drop_reply = Some(times));
    }

    /// Answers with an error code, in every place the answer has for one, without handling the
    /// request.
    pub fn answer_with(&self, api: ApiKey, error_code: i16, times: Times) {
        self.plan(api, |planned| planned.error_code = Some((error_code, times)));
    }

    /// Forgets all plans.
    pub fn clear(&self) {
        self.lock().clear();
    }

    fn plan(&self, api: ApiKey, change: impl FnOnce(&mut Planned)) {
        change(self.lock().entry(api as i16).or_default());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i16, Planned>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Decides about one request, using up its plans.
    pub(crate) fn fate(&self, api: ApiKey) -> Fate {
        let mut all = self.lock();
        let Some(planned) = all.get_mut(&(api as i16)) else { return Fate::default() };
        Fate {
            delay: strike(&mut planned.delay, |plan| &mut plan.1).map(|plan| plan.0),
            drop_connection: strike(&mut planned.drop_connection, |plan| plan).is_some(),
            drop_reply: strike(&mut planned.drop_reply, |plan| plan).is_some(),
            error_code: strike(&mut planned.error_code, |plan| &mut plan.1).map(|plan| plan.0),
        }
    }
}

/// Uses a plan once; nothing when it is used up.
fn strike<P: Copy>(plan: &mut Option<P>, times: impl Fn(&mut P) -> &mut Times) -> Option<P> {
    let planned = plan.as_mut()?;
    match times(planned) {
        Times::Always => Some(*planned),
        Times::Next(0) => {
            *plan = None;
            None
        }
        Times::Next(left) => {
            *left -= 1;
            Some(*planned)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_strikes_as_often_as_it_says() {
        let faults = Faults::default();
        faults.answer_with(ApiKey::Produce, 7, Times::Next(2));
        faults.drop_reply(ApiKey::Fetch, Times::Always);
        let codes: Vec<_> = (0..3).map(|_| faults.fate(ApiKey::Produce).error_code).collect();
        assert_eq!(codes, [Some(7), Some(7), None]);
        assert!((0..3).all(|_| faults.fate(ApiKey::Fetch).drop_reply));
        faults.clear();
        assert_eq!(faults.fate(ApiKey::Fetch), Fate::default());
    }
}
