use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use kafka::{ClientSettings, Sender, Topics};
use lane::Stop;
use wire::Format;

use super::super::load;

/// The numbers of the events of the batch side begin here, so that ids tell the sides apart.
pub(super) const BATCH_FROM: usize = 500_000_000;

/// How many events were sent to each side.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) per_side: usize,
}

/// An open loop that sends the same number of events to both sides until it is stopped.
pub(super) struct Load {
    stop: Stop,
    thread: JoinHandle<anyhow::Result<Sent>>,
}

impl Load {
    pub(super) fn start(client: &ClientSettings, topics: &Topics, rate: u32) -> Self {
        let stop = Stop::new();
        let (asked, client) = (stop.clone(), client.clone());
        let topics = [topics.rt_event.name.clone(), topics.batch_event.name.clone()];
        let thread = std::thread::spawn(move || send(&client, &topics, rate, &asked));
        Self { stop, thread }
    }

    /// Stops, and returns once every event sent is acknowledged.
    pub(super) fn stop(self) -> anyhow::Result<Sent> {
        self.stop.request();
        self.thread.join().expect("the sender does not panic")
    }
}

fn send(
    client: &ClientSettings,
    topics: &[String; 2],
    rate: u32,
    stop: &Stop,
) -> anyhow::Result<Sent> {
    let sender = Sender::new(client, &[("linger.ms", "2")])?;
    let headers = [("content-type", load::content_type(Format::Protobuf).as_bytes())];
    let (interval, started) = (Duration::from_secs(1) / rate, Instant::now());
    let mut number = 0;
    while !stop.is_requested() {
        let due = started + interval * u32::try_from(number)?;
        stop.wait(due.saturating_duration_since(Instant::now()));
        let key = format!("customer-{}", number % 1000);
        for (topic, from) in topics.iter().zip([0, BATCH_FROM]) {
            let value = load::event(from + number, Format::Protobuf);
            sender.send(topic, None, Some(key.as_bytes()), Some(&value), &headers)?;
        }
        number += 1;
    }
    sender.flush(Duration::from_secs(60))?;
    Ok(Sent { per_side: number })
}
