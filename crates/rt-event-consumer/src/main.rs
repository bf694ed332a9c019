//! Binds real-time events to templates, exactly once.

use std::process::ExitCode;

use clap::Parser;
use event_consumer::Side;

/// Binds real-time events to templates, exactly once: reads `rt-event`, writes `rt-assignment` and `event-journal`.
#[derive(Parser)]
#[command(name = "rt-event-consumer", version)]
struct Arguments {
    #[command(flatten)]
    flags: service::ServiceFlags,
}

fn main() -> ExitCode {
    event_consumer::main(Side::Rt, &Arguments::parse().flags)
}
