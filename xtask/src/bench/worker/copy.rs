use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use event_consumer::{EventConsumerSettings, Outputs, Side};
use kafka::{NextOffset, Reader, Topics};
use lane::{
    Batch, Handler, LaneSpec, LaneStatus, OffsetReset, Outbox, Stop, Subscription, TopicId,
    run_lanes,
};

/// Writes for each record what binding writes, byte for byte the same sizes, without decoding.
#[derive(Clone)]
struct Copy {
    assignment: Arc<Sample>,
    fact: Arc<Sample>,
}

/// What one record of the real thing looks like.
struct Sample {
    value: Vec<u8>,
    headers: Vec<(&'static str, Vec<u8>)>,
}

/// Copies in one lane for each of `statuses` until `stop`.
pub(super) fn run(
    settings: &EventConsumerSettings,
    statuses: &[Arc<LaneStatus>],
    stop: &Stop,
) -> anyhow::Result<()> {
    let handler = Copy {
        assignment: Arc::new(sample(settings, &settings.topics.rt_assignment.name)?),
        fact: Arc::new(sample(settings, &settings.topics.event_journal.name)?),
    };
    let lane = |(number, status): (usize, &Arc<LaneStatus>)| LaneSpec {
        name: format!("{}-copy-{number}", settings.group),
        client: settings.kafka.clone(),
        settings: settings.lane.clone(),
        subscription: Subscription {
            group: settings.group.clone(),
            topics: vec![settings.topics.rt_event.name.clone()],
            offset_reset: OffsetReset::Earliest,
        },
        outputs: Outputs::of(Side::Rt, &settings.topics).topics(),
        handler: handler.clone(),
        status: Arc::clone(status),
    };
    Ok(run_lanes(statuses.iter().enumerate().map(lane).collect(), stop)?)
}

/// The first record of `topic`, written by an earlier run that bound.
fn sample(settings: &EventConsumerSettings, topic: &str) -> anyhow::Result<Sample> {
    let partitions = partitions_of(&settings.topics, topic);
    let positions: Vec<_> = (0..partitions).map(|one| (one, NextOffset::START)).collect();
    let reader = Reader::open(&settings.kafka, topic, &positions)?;
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(kafka::ReadEvent::Record(record)) = reader.poll(Duration::from_millis(100))? {
            let owned = |(name, value): (&str, Option<&[u8]>)| {
                (&*name.to_owned().leak(), value.unwrap_or_default().to_vec())
            };
            return Ok(Sample {
                value: record.value().context("a sample without a value")?.to_vec(),
                headers: record.headers().iter().map(owned).collect(),
            });
        }
    }
    anyhow::bail!("topic `{topic}` holds nothing to copy; run `bind` first")
}

fn partitions_of(topics: &Topics, name: &str) -> i32 {
    let of_name = topics.all().into_iter().find(|spec| spec.name == name);
    of_name.map_or(1, |spec| spec.partitions)
}

impl Handler for Copy {
    type Error = Infallible;

    fn handle(
        &mut self,
        batch: Batch<'_>,
        _now_ms: i64,
        outbox: &mut Outbox,
    ) -> Result<(), Infallible> {
        for record in batch.records() {
            let key = record.key.unwrap_or_default();
            for (topic, sample) in [(TopicId(0), &self.assignment), (TopicId(1), &self.fact)] {
                let headers = sample.headers.iter();
                outbox
                    .record(topic)
                    .key(key)
                    .headers(headers.map(|(name, value)| (*name, value.as_slice())))
                    .value(|value| value.extend_from_slice(&sample.value))
                    .expect("a sample was written once already");
            }
        }
        Ok(())
    }
}
