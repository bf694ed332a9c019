//! Automation: `cargo xtask kafka up|down`, `cargo xtask bench`, `cargo xtask deploy write|check`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod asyncapi;
mod bench;
mod clients;
mod demo_result;
mod deploy;
mod docs;
mod guides;
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
    Clients(clients::Task),
    Asyncapi(asyncapi::Task),
    Guides(guides::Task),
    /// The files of the chart that are made: Grafana's dashboard and the topics.
    #[command(subcommand)]
    Deploy(deploy::Task),
    Docs(docs::Task),
    /// Measurements against a reference in the same run; build with `--release`.
    #[command(subcommand)]
    Bench(bench::Task),
}

fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Kafka(task) => kafka::run(&task),
        Task::DemoResult(task) => demo_result::run(&task),
        Task::Clients(task) => clients::run(&task),
        Task::Asyncapi(task) => asyncapi::run(&task),
        Task::Guides(task) => guides::run(&task),
        Task::Deploy(task) => deploy::run(&task),
        Task::Docs(task) => docs::run(&task),
        Task::Bench(task) => bench::run(&task),
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

/// Writes a line of a result to standard output.
#[expect(clippy::print_stdout, reason = "results are what the command is for")]
fn print(line: &str) {
    println!("{line}");
}
