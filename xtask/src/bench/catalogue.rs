use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use catalogue::{CatalogueHandle, Follower};
use clap::Args;
use dev_broker::{Broker, BrokerConfig};
use kafka::{ClientSettings, Topics};
use serde::{Deserialize, Serialize};

use super::load::TemplatePublisher;
use super::report::{Spread, percentile};
use super::usage;
use crate::print;

/// How long one load or one publication may take before it counts as failed.
const LIMIT: Duration = Duration::from_secs(60);
/// How often somebody looks whether a publication is in force.
const LOOK: Duration = Duration::from_micros(200);
/// Publications that are not counted: connections are made during them.
const WARM_UP: usize = 5;

/// How long a consumer takes to load many templates and what they cost, and how soon a publication is
/// in force everywhere; on Apache Kafka and on the embedded broker.
#[derive(Args)]
pub(crate) struct Arguments {
    /// Templates: 32 for each event type, rounded down.
    #[arg(long, default_value_t = 100_000)]
    templates: usize,
    /// Loads, each by a process of its own.
    #[arg(long, default_value_t = 5)]
    repeats: usize,
    /// Publications of one template each, while all the others are loaded.
    #[arg(long, default_value_t = 200)]
    publications: usize,
}

/// One process that loads the catalogue and ends; started by `catalogue`.
#[derive(Args, Clone, Debug)]
pub(crate) struct LoaderArguments {
    #[arg(long)]
    bootstrap_servers: String,
    #[arg(long)]
    topic: String,
}

/// What one load came to.
#[derive(Debug, Serialize, Deserialize)]
struct Loaded {
    n_templates: usize,
    /// From the start of the follower to a catalogue as of the end offset seen then.
    load_ms: f64,
    /// Of the process before it had a client.
    bare_mb: f64,
    /// Of the whole process, all of its time.
    peak_mb: f64,
}

pub(crate) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    {
        let kafka = crate::kafka::start_own()?;
        measure(arguments, "Apache Kafka", kafka.bootstrap_servers())?;
    }
    let broker = Broker::start(BrokerConfig::default())?;
    measure(arguments, "embedded broker", &broker.bootstrap_servers())?;
    Ok(broker.stop()?)
}

/// Loads the catalogue as a consumer does when it starts, and prints what that came to.
pub(crate) fn load(arguments: &LoaderArguments) -> anyhow::Result<()> {
    let client = ClientSettings::new(&*arguments.bootstrap_servers);
    let bare_mb = peak_mb()?;
    let started = Instant::now();
    let follower = Follower::start(&client, &arguments.topic)?;
    ensure!(follower.wait_until_loaded(|| started.elapsed() > LIMIT), "not loaded in {LIMIT:?}");
    let loaded = Loaded {
        load_ms: started.elapsed().as_secs_f64() * 1e3,
        n_templates: follower.snapshot().len(),
        bare_mb,
        peak_mb: peak_mb()?,
    };
    print(&serde_json::to_string(&loaded)?);
    Ok(())
}

fn peak_mb() -> anyhow::Result<f64> {
    Ok(usage::Usage::own().peak_mib()? * f64::from(1 << 20) / 1e6)
}

fn measure(arguments: &Arguments, name: &str, bootstrap_servers: &str) -> anyhow::Result<()> {
    let client = ClientSettings::new(bootstrap_servers);
    let topics = Topics::with_prefix("catalogue-");
    kafka::apply(&client, std::slice::from_ref(&topics.message_template))?;
    let mut publisher = TemplatePublisher::connect(&client, &topics)?;
    let (n_templates, bytes) = publisher.publish_all(arguments.templates)?;
    print(&format!("{name}: {n_templates} templates of {:.1} MB\n", megabytes(bytes)));
    report_loads(arguments, &client, &topics, n_templates, bytes)?;
    report_publications(arguments, &client, &topics, &mut publisher, n_templates)
}

fn report_loads(
    arguments: &Arguments,
    client: &ClientSettings,
    topics: &Topics,
    n_templates: usize,
    bytes: usize,
) -> anyhow::Result<()> {
    let (mut load_ms, mut cost_mb, mut peak_mb) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.repeats {
        let loaded = load_in_a_process(client, topics)?;
        ensure!(loaded.n_templates == n_templates, "only {} are loaded", loaded.n_templates);
        load_ms.push(loaded.load_ms);
        cost_mb.push(loaded.peak_mb - loaded.bare_mb);
        peak_mb.push(loaded.peak_mb);
    }
    print("| what | min | median | max | limit |");
    print("|---|---|---|---|---|");
    row("start to loaded, ms", load_ms, 2_000.0);
    let memory_max = 64.0 + 2.0 * megabytes(bytes);
    row("memory for client and catalogue at its peak, MB", cost_mb, memory_max);
    row("memory of the whole process at its peak, MB", peak_mb, memory_max);
    print("");
    Ok(())
}

fn load_in_a_process(client: &ClientSettings, topics: &Topics) -> anyhow::Result<Loaded> {
    let output = Command::new(std::env::current_exe()?)
        .args(["bench", "catalogue-loader", "--bootstrap-servers", &client.bootstrap_servers])
        .args(["--topic", &topics.message_template.name])
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "a measured process ended with {}", output.status);
    let stdout = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(stdout.lines().last().context("it printed nothing")?)?)
}

/// Two followers, as two services have them: in force everywhere is in force in both.
fn report_publications(
    arguments: &Arguments,
    client: &ClientSettings,
    topics: &Topics,
    publisher: &mut TemplatePublisher,
    n_templates: usize,
) -> anyhow::Result<()> {
    let start = || Follower::start(client, &topics.message_template.name);
    let followers = [start()?, start()?];
    let handles = followers.each_ref().map(Follower::handle);
    for follower in &followers {
        let started = Instant::now();
        ensure!(follower.wait_until_loaded(|| started.elapsed() > LIMIT), "not loaded");
    }
    let (mut from_call, mut from_commit) = (Vec::new(), Vec::new());
    for number in 0..WARM_UP + arguments.publications {
        // At another moment of the followers' fetches each time.
        std::thread::park_timeout(Duration::from_millis(number as u64 * 37 % 101));
        let before = handles.each_ref().map(|handle| handle.load().revision());
        let called = Instant::now();
        publisher.publish_one(number % n_templates)?;
        let committed = Instant::now();
        wait_until_in_force(&handles, &before)?;
        if number >= WARM_UP {
            from_call.push(called.elapsed().as_secs_f64() * 1e3);
            from_commit.push(committed.elapsed().as_secs_f64() * 1e3);
        }
    }
    print(&format!(
        "{} publications, in force in two catalogues of {n_templates} templates; ms\n",
        arguments.publications
    ));
    print("| from | p50 | p99 | max | limit of max |");
    print("|---|---|---|---|---|");
    for (name, mut figures) in [("the call", from_call), ("its commit", from_commit)] {
        figures.sort_by(f64::total_cmp);
        let at = |hundredth| percentile(&figures, hundredth);
        print(&format!("| {name} | {:.1} | {:.1} | {:.1} | 200 |", at(50), at(99), at(100)));
    }
    print("");
    Ok(())
}

fn wait_until_in_force(
    handles: &[CatalogueHandle],
    before: &[domain::Revision],
) -> anyhow::Result<()> {
    let started = Instant::now();
    let is_in_force = |(handle, before): (&CatalogueHandle, &_)| handle.load().revision() > *before;
    while !handles.iter().zip(before).all(is_in_force) {
        ensure!(started.elapsed() < LIMIT, "a publication is not in force after {LIMIT:?}");
        std::thread::park_timeout(LOOK);
    }
    Ok(())
}

fn row(what: &str, figures: Vec<f64>, limit: f64) {
    if let Some(Spread { min, median, max }) = Spread::of(figures) {
        print(&format!("| {what} | {min:.0} | **{median:.0}** | {max:.0} | {limit:.0} |"));
    }
}

#[expect(clippy::cast_precision_loss, reason = "a count of bytes is far below 2^52")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
