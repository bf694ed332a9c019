use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use domain::{FactKind, Folded, Status};
use kafka::{ClientSettings, NextOffset, ReadRecord, Reader, TopicSpec, Topics};

use super::super::load::event_id;
use super::load::{BATCH_FROM, Sent};

/// What the topics say of one event.
#[derive(Default)]
struct Found {
    decisions: u32,
    bound: u32,
    assignments: u32,
    status: Option<Folded>,
    regressed: bool,
}

impl Found {
    fn is_complete(&self) -> bool {
        let decided = self.status.as_ref().and_then(Folded::key).map(|key| key.status());
        let decided = matches!(decided, Some(Status::PendingDelivery | Status::NotSupported));
        decided && self.decisions > 0 && self.assignments >= self.bound
    }
}

/// Every event sent, looked up in the journal, the assignments and the statuses.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Audit {
    events: usize,
    assignments: u64,
    lost: usize,
    doubled: usize,
    regressed: usize,
}

impl Audit {
    /// Reads all topics again until every event is complete, or `limit` has passed.
    pub(super) fn of(
        client: &ClientSettings,
        topics: &Topics,
        sent: Sent,
        limit: Duration,
    ) -> anyhow::Result<Self> {
        let deadline = Instant::now() + limit;
        loop {
            let found = find(client, topics)?;
            let audit = Self::judge(&found, sent);
            if audit.lost == 0 || Instant::now() >= deadline {
                return Ok(audit);
            }
        }
    }

    fn judge(found: &HashMap<String, Found>, sent: Sent) -> Self {
        let numbers = (0..sent.per_side).flat_map(|number| [number, BATCH_FROM + number]);
        let mut audit = Self::default();
        for number in numbers {
            audit.events += 1;
            let Some(of_event) = found.get(&event_id(number)) else {
                audit.lost += 1;
                continue;
            };
            audit.assignments += u64::from(of_event.assignments);
            audit.lost += usize::from(!of_event.is_complete());
            let doubled = of_event.decisions > 1 || of_event.assignments > of_event.bound;
            audit.doubled += usize::from(doubled);
            audit.regressed += usize::from(of_event.regressed);
        }
        audit
    }

    /// Whether every event has one decision, one assignment if it is bound, and a status that says so.
    pub(super) fn is_exact(&self) -> bool {
        self.events > 0 && self.lost == 0 && self.doubled == 0 && self.regressed == 0
    }
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} events, {} assignments: {} lost, {} doubled, {} statuses ran backwards",
            self.events, self.assignments, self.lost, self.doubled, self.regressed
        )
    }
}

fn find(client: &ClientSettings, topics: &Topics) -> anyhow::Result<HashMap<String, Found>> {
    let mut found: HashMap<String, Found> = HashMap::new();
    each(client, &topics.event_journal, |record| {
        let headers = record.headers();
        let fact = wire::fact::decode(record.value(), headers.iter())?;
        let of_event = found.entry(fact.event_id.to_string()).or_default();
        match fact.kind {
            FactKind::Bound { .. } => {
                of_event.decisions += 1;
                of_event.bound += 1;
            }
            FactKind::NotSupported(_)
            | FactKind::Held(_)
            | FactKind::Expired
            | FactKind::Cancelled
            | FactKind::Duplicate { .. } => of_event.decisions += 1,
            FactKind::Received
            | FactKind::Released
            | FactKind::CancelRequested
            | FactKind::Delivery { .. } => {}
        }
        Ok(())
    })?;
    for topic in [&topics.rt_assignment, &topics.batch_assignment] {
        each(client, topic, |record| {
            let headers = record.headers();
            let assignment = wire::assignment::decode(record.value(), headers.iter())?;
            found.entry(assignment.event_id.to_string()).or_default().assignments += 1;
            Ok(())
        })?;
    }
    each(client, &topics.event_status, |record| {
        let headers = record.headers();
        let status = wire::status::decode(record.value(), headers.iter())?;
        let of_event = found.entry(status.event_id.to_string()).or_default();
        let before = of_event.status.as_ref().and_then(Folded::key);
        of_event.regressed |= before.is_some_and(|before| status.key() < before);
        of_event.status = Some(Folded::from(&status));
        Ok(())
    })?;
    Ok(found)
}

fn each(
    client: &ClientSettings,
    topic: &TopicSpec,
    mut take: impl FnMut(&ReadRecord<'_>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let positions: Vec<_> = (0..topic.partitions).map(|one| (one, NextOffset::START)).collect();
    let reader = Reader::open(client, &topic.name, &positions)?;
    let mut taken = Ok(());
    reader.read_to_end(Duration::from_secs(120), |record| {
        if taken.is_ok() {
            taken = take(record);
        }
    })?;
    taken
}
