//! Binds batch events to templates, exactly once.

use std::process::ExitCode;

use clap::Parser;
use event_consumer::Side;

/// Binds batch events to templates, exactly once: reads `batch-event`, writes `batch-assignment` and `event-journal`.
#[derive(Parser)]
#[command(name = "batch-event-consumer", version)]
struct Arguments {
    #[command(flatten)]
    flags: service::ServiceFlags,
}

fn main() -> ExitCode {
    event_consumer::main(Side::Batch, &Arguments::parse().flags)
}
