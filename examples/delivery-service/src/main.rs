//! An example delivery service: reads assignments, renders, reports to delivery-log.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Parser;
use delivery_service::{Mix, Progress, Settings, run};

/// Reads delivery assignments, writes the messages to a folder and reports what became of them.
#[derive(Parser)]
struct Arguments {
    /// `host:port` of one or more brokers, separated by commas.
    #[arg(long, env = "KAFKA_BOOTSTRAP_SERVERS")]
    bootstrap_servers: String,
    /// Any other property of librdkafka, such as `security.protocol=SSL`. May be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
    property: Vec<(String, String)>,
    /// The consumer group; instances of the same group share the work.
    #[arg(long, default_value = "example-delivery")]
    group: String,
    /// A prefix of all topic names.
    #[arg(long, default_value = "")]
    topic_prefix: String,
    /// The folder to write messages to.
    #[arg(long, default_value = "out")]
    out: PathBuf,
    /// How many messages to write; those after are rendered and dropped.
    #[arg(long, default_value_t = 1000)]
    files_max: usize,
    /// How long after the sending a late bounce is reported, in milliseconds.
    #[arg(long, default_value_t = 2000)]
    bounce_after_ms: u64,
}

fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let arguments = Arguments::parse();
    let topic = |name: &str| format!("{}{name}", arguments.topic_prefix);
    let settings = Settings {
        bootstrap_servers: arguments.bootstrap_servers.clone(),
        properties: arguments.property.iter().cloned().collect(),
        group: arguments.group.clone(),
        assignments: vec![topic("rt-assignment"), topic("batch-assignment")],
        template_content: topic("template-content"),
        delivery_log: topic("delivery-log"),
        out: arguments.out.clone(),
        files_max: arguments.files_max,
        mix: Mix::default(),
        bounce_after: Duration::from_millis(arguments.bounce_after_ms),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let signalled = Arc::clone(&stop);
    ctrlc::set_handler(move || signalled.store(true, Ordering::Release))?;
    run(&settings, &Progress::default(), &stop)
}

fn property(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as `name=value`")?;
    Ok((name.to_owned(), value.to_owned()))
}
