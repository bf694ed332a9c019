use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use domain::{Attempt, Channel, EventId, EventStatus, LaneKind, Status, TemplateVersion};
use kafka::{ClientSettings, Sender, Topics};
use wire::Format;
use wire::headers::kind;

use super::facts::{TEMPLATE, facts, moment, send};
use super::load;
use super::report::Spread;
use crate::{print, report};

const PREFIX: &str = "find-";

/// How long `bindery status` and `bindery explain` take for one event of many.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events; each has three facts and three statuses, of which compaction has removed none.
    #[arg(long, default_value_t = 10_000_000)]
    events: usize,
    /// Partitions of the journal and of the statuses.
    #[arg(long, default_value_t = 6)]
    partitions: i32,
    /// Runs of each command.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// How the records are compressed: `none`, `lz4`, `zstd`.
    #[arg(long, default_value = "none")]
    compression: String,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bindery = testkit::binary("bindery");
    let kafka = crate::kafka::start_own()?;
    let client = ClientSettings::new(kafka.bootstrap_servers());
    let topics = load::topics(PREFIX, arguments.partitions);
    kafka::apply(&client, &topics.specs())?;
    let started = Instant::now();
    fill(&client, &topics, arguments)?;
    report(&format!("loaded in {:.0} s", started.elapsed().as_secs_f64()));
    print(&format!(
        "{} events, each with 3 facts and 3 statuses; {} partitions each, {}; seconds (min, median, max)\n",
        arguments.events, arguments.partitions, arguments.compression
    ));
    print("| event | status | explain | explain --since 1m |");
    print("|---|---|---|---|");
    let last = arguments.events.saturating_sub(1);
    let events = [
        ("newest", load::event_id(last)),
        ("middle", load::event_id(last / 2)),
        ("oldest", load::event_id(0)),
        ("unknown", "nobody-knows-it".to_owned()),
    ];
    for (name, id) in events {
        let cells =
            [vec!["status", &id], vec!["explain", &id], vec!["explain", &id, "--since", "1m"]];
        let mut row = format!("| {name} |");
        for command in cells {
            let mut seconds = Vec::with_capacity(arguments.repeats);
            for _ in 0..arguments.repeats {
                seconds.push(time(&bindery, kafka.bootstrap_servers(), &command)?);
            }
            let Spread { min, median, max } = Spread::of(seconds).context("no repeats")?;
            row.push_str(&format!(" {min:.2}, **{median:.2}**, {max:.2} |"));
        }
        print(&row);
    }
    Ok(())
}

/// The seconds that one command takes, its start included.
fn time(bindery: &std::path::Path, servers: &str, command: &[&str]) -> anyhow::Result<f64> {
    let started = Instant::now();
    let status = std::process::Command::new(bindery)
        .args(command)
        .args(["--bootstrap-servers", servers, "--prefix", PREFIX])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    let seconds = started.elapsed().as_secs_f64();
    // 1: nothing is known of the event.
    anyhow::ensure!(matches!(status.code(), Some(0 | 1)), "bindery ended with {status}");
    Ok(seconds)
}

/// Writes the facts and statuses of all events, as the services write them.
fn fill(client: &ClientSettings, topics: &Topics, arguments: &Arguments) -> anyhow::Result<()> {
    let compression = arguments.compression.as_str();
    let properties =
        [("linger.ms", "20"), ("batch.size", "500000"), ("compression.type", compression)];
    let sender = Sender::new(client, &properties)?;
    let mut value = Vec::new();
    for number in 0..arguments.events {
        let id = load::event_id(number);
        let event_id = EventId::new(id.as_str())?;
        for fact in facts(&event_id, number) {
            value.clear();
            wire::fact::encode(&fact, Format::Protobuf, &mut value);
            send(&sender, &topics.event_journal.name, &id, kind::FACT, &value)?;
        }
        for status in statuses(&event_id, number) {
            value.clear();
            wire::status::encode(&status, Format::Protobuf, &mut value);
            send(&sender, &topics.event_status.name, &id, kind::EVENT_STATUS, &value)?;
        }
        if number > 0 && number % 1_000_000 == 0 {
            report(&format!("{number} events loaded"));
        }
    }
    sender.flush(Duration::from_secs(120)).context("the events could not all be loaded")
}

fn statuses<'a>(event_id: &EventId<'a>, number: usize) -> [EventStatus<'a>; 3] {
    let status = |status, after_ms, assigned: bool| EventStatus {
        event_id: event_id.clone(),
        status,
        attempt: Attempt::FIRST,
        reason: "".into(),
        template_id: assigned.then(|| TEMPLATE.into()),
        version: assigned.then_some(TemplateVersion(3)),
        channel: assigned.then_some(Channel::EMAIL),
        assigned,
        lane: Some(LaneKind::Rt),
        tenant: None,
        external_id: Some(format!("order-{number}").into()),
        event_type: Some("shop.order.shipped".into()),
        occurred_at: moment(number, after_ms),
        orphan: false,
    };
    [
        status(Status::Pending, 0, false),
        status(Status::PendingDelivery, 20, true),
        status(Status::Sent, 300, true),
    ]
}
