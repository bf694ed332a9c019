use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use clap::Args;
use kafka::{ClientSettings, NextOffset, Reader};
use testkit::{Process, binary, free_port};

use super::load;
use super::report::{Column, Output, Table};
use super::usage::Usage;
use crate::print;

/// How often somebody looks whether the broker accepts connections.
const LOOK: Duration = Duration::from_micros(200);
/// How long the broker may take to start.
const LIMIT: Duration = Duration::from_secs(10);
/// What making readers leaves to be done is done by then.
const SETTLED: Duration = Duration::from_secs(3);
/// How long the broker is watched while nothing is written.
const AT_REST: Duration = Duration::from_secs(10);

/// The demo as a newcomer runs it, and the embedded broker in a process of its own.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Events of a demo.
    #[arg(long, default_value_t = 20_000)]
    events: usize,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    repeats: usize,
    /// Readers that wait at the broker while nothing is written, each for all partitions.
    #[arg(long, default_value_t = 20)]
    readers: usize,
    /// Partitions they wait for.
    #[arg(long, default_value_t = 500)]
    partitions: i32,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let bindery = binary("bindery");
    let (mut seconds, mut start_ms, mut rest, mut peak) = (vec![], vec![], vec![], vec![]);
    for _ in 0..arguments.repeats {
        seconds.push(demo(&bindery, arguments.events, &[])?);
        let folder = tempfile::tempdir()?;
        let (broker, address, started) = start_broker(&bindery, folder.path())?;
        start_ms.push(started.as_secs_f64() * 1e3);
        demo(&bindery, arguments.events, &["--bootstrap-servers", &address])?;
        peak.push(Usage::of(broker.id()).peak_mib()? * f64::from(1 << 20) / 1e6);
        rest.push(at_rest(arguments, &broker, &address)?);
    }
    let Arguments { events, readers, partitions, .. } = arguments;
    print(&format!("demo of {events} events\n"));
    let mut table =
        Table::new(vec![Column::Text("what"), Column::Figures("figure", 1), Column::Text("limit")]);
    let rest_of = format!("its CPU with {readers} readers of {partitions} partitions, % of a core");
    let rows = [
        ("the whole demo with the broker in it, s", seconds, "20"),
        ("broker: from its start to its first connection, ms", start_ms, "50"),
        ("its memory at the peak of a demo, MB", peak, "50"),
        (&rest_of, rest, ""),
    ];
    for (what, figures, limit) in rows {
        table.row(vec![what.into(), figures.into(), limit.into()]);
    }
    table.save(&arguments.output, "demo")
}

/// Runs a demo, which checks itself, and says how many seconds it took.
fn demo(bindery: &Path, events: usize, more: &[&str]) -> anyhow::Result<f64> {
    let began = Instant::now();
    let output = Command::new(bindery)
        .args(["demo", "--json", "--events", &events.to_string()])
        .args(more)
        .stdin(Stdio::null())
        .output()?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the demo ended with {}: {stderr}", output.status);
    Ok(began.elapsed().as_secs_f64())
}

fn start_broker(bindery: &Path, folder: &Path) -> anyhow::Result<(Process, String, Duration)> {
    let port = free_port().to_string();
    let data = folder.to_str().context("the temporary folder has no readable name")?;
    let began = Instant::now();
    let broker = Process::spawn(bindery, &["broker", "--data-dir", data, "--port", &port], &[]);
    let address = format!("127.0.0.1:{port}");
    while TcpStream::connect(&address).is_err() {
        ensure!(began.elapsed() < LIMIT, "the embedded broker is not there after {LIMIT:?}");
        std::thread::park_timeout(LOOK);
    }
    Ok((broker, address, began.elapsed()))
}

/// The CPU of a broker at which readers wait for records that do not come, in per cent of a core.
fn at_rest(arguments: &Arguments, broker: &Process, address: &str) -> anyhow::Result<f64> {
    let client = ClientSettings::new(address);
    let topic = load::topics("rest-", arguments.partitions).rt_event;
    kafka::apply(&client, std::slice::from_ref(&topic))?;
    let positions: Vec<_> =
        (0..arguments.partitions).map(|partition| (partition, NextOffset::START)).collect();
    let readers: Result<Vec<_>, _> =
        (0..arguments.readers).map(|_| Reader::open(&client, &topic.name, &positions)).collect();
    let readers = readers?;
    let settled = Instant::now() + SETTLED;
    while Instant::now() < settled {
        // Their ends are told once, and wait in a queue until then.
        for reader in &readers {
            reader.poll(Duration::from_millis(1))?;
        }
    }
    let usage = Usage::of(broker.id());
    let before = usage.cpu_seconds()?;
    std::thread::park_timeout(AT_REST);
    Ok((usage.cpu_seconds()? - before) / AT_REST.as_secs_f64() * 100.0)
}
