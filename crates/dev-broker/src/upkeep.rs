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

/// How often logs are looked at.
const TRIM_INTERVAL: Duration = Duration::from_secs(1);

/// Trims and compacts logs until the broker ends.
pub(crate) async fn trim(shared: Shared) {
    let mut ticks = tokio::time::interval(TRIM_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let partitions = shared.borrow().partitions();
        for (topic, number) in partitions {
            if let Err(error) = trim_one(&shared, &topic, number).await {
                tracing::error!(%error, %topic, partition = number, "cannot trim the log");
            }
        }
    }
}

/// Trims one partition; the long part of a compaction runs on a thread of its own.
async fn trim_one(shared: &Shared, topic: &str, number: i32) -> std::io::Result<()> {
    let planned = match shared.borrow_mut().partition_mut(topic, number) {
        Ok((partition, config)) => {
            partition.retain(config, now_ms())?;
            if config.compact { partition.plan_compaction(config, now_ms()) } else { None }
        }
        Err(_) => return Ok(()),
    };
    let Some(plan) = planned else { return Ok(()) };
    let compacted = tokio::task::spawn_blocking(|| plan.carry_out()).await;
    let compacted = compacted.map_err(std::io::Error::other)??;
    match shared.borrow_mut().partition_mut(topic, number) {
        Ok((partition, _)) => partition.take_over(compacted, now_ms()),
        // The topic went, and its files with it.
        Err(_) => Ok(()),
    }
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
