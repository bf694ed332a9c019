//! What happens with time: sessions end, transactions time out, logs are trimmed.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};

use crate::server::Shared;

/// How late a session's end or a transaction's timeout may be noticed.
const TICK: Duration = Duration::from_millis(50);

/// Milliseconds since 1970, as record timestamps count them.
#[expect(clippy::disallowed_methods, reason = "a broker stamps what it appends")]
pub(crate) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |elapsed| i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// Keeps the broker's time until the broker ends.
pub(crate) async fn run(shared: Shared) {
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let mut node = shared.borrow_mut();
        node.groups.tick(Instant::now());
        let outcome = node.abort_expired(now_ms()).and_then(|()| node.tidy_journal());
        if let Err(error) = outcome {
            tracing::error!(%error, "upkeep failed and will be tried again");
        }
    }
}
