//! Automation: `cargo xtask kafka up|down`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod demo_result;
mod kafka;

/// What is too long for a script.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Apache Kafka on this machine, from Maven's jars.
    #[command(subcommand)]
    Kafka(kafka::Task),
    DemoResult(demo_result::Task),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Kafka(task) => kafka::run(&task),
        Task::DemoResult(task) => demo_result::run(&task),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Writes a line for the person at the terminal; standard output is for results.
#[expect(clippy::print_stderr, reason = "this is a command line")]
fn report(line: &str) {
    eprintln!("{line}");
}
