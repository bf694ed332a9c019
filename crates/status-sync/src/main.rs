//! Publishes one true status per event.

use std::process::ExitCode;

use clap::Parser;

/// Publishes one true status per event: reads `event-journal` and `delivery-log`, writes `event-status`.
#[derive(Parser)]
#[command(name = "status-sync", version)]
struct Arguments {
    #[command(flatten)]
    flags: service::ServiceFlags,
}

fn main() -> ExitCode {
    status_sync::main(&Arguments::parse().flags)
}
