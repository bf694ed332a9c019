use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::Secret;

/// Where the tokens of OAUTHBEARER come from: asked at each authentication, with the time it may take.
/// What it says when it has none must not repeat one.
#[derive(Clone)]
pub struct TokenSource(Arc<Ask>);

type Ask = dyn Fn(Duration) -> Result<String, String> + Send + Sync;

impl TokenSource {
    /// Tokens that `ask` gives.
    pub fn new(ask: impl Fn(Duration) -> Result<String, String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    pub(super) fn token(&self, time: Duration) -> Result<Secret, String> {
        (self.0)(time).map(Secret::new)
    }
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSource")
    }
}
