//! Measurements against a reference in the same run, on Apache Kafka.

mod catalogue;
mod cold_start;
mod demo;
mod drain;
mod engine;
mod facts;
mod find;
mod isolation;
mod latency;
mod load;
mod measured;
mod observed;
mod open_loop;
mod plot;
mod report;
mod rest;
mod rounds;
mod scale;
mod shipped;
mod status_sync;
mod streams;
mod telemetry;
mod usage;
mod worker;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Preloaded events through rt lanes, against a lane that only copies and against Kafka Streams.
    Drain(drain::Arguments),
    /// From the intended time of an event to its assignment being visible under read_committed.
    Latency(latency::Arguments),
    /// Latency of real-time events while the batch side drains a backlog.
    Isolation(isolation::Arguments),
    /// From the start of a process to its first committed output, with many templates.
    ColdStart(cold_start::Arguments),
    /// Preloaded facts through a folding lane, against Kafka Streams.
    StatusSync(status_sync::Arguments),
    /// CPU of idle services.
    Rest(rest::Arguments),
    /// Instances that come, go and are restarted under load; then every event is looked up.
    Scale(scale::Arguments),
    /// Finding one event of many: `bindery status` and `bindery explain`.
    Find(find::Arguments),
    Catalogue(catalogue::Arguments),
    /// One process that loads the catalogue.
    #[command(hide = true)]
    CatalogueLoader(catalogue::LoaderArguments),
    /// The demo as a newcomer runs it, and the embedded broker in a process of its own.
    Demo(demo::Arguments),
    /// What telemetry costs: the drain with and without it.
    Telemetry(telemetry::Arguments),
    /// One measured process; started by the others.
    #[command(hide = true)]
    Worker(worker::Arguments),
}

pub(crate) fn run(task: &Task) -> anyhow::Result<()> {
    if cfg!(debug_assertions) {
        crate::report("built without --release, so these figures say nothing");
    }
    match task {
        Task::Drain(arguments) => drain::run(arguments),
        Task::Latency(arguments) => latency::run(arguments),
        Task::Isolation(arguments) => isolation::run(arguments),
        Task::ColdStart(arguments) => cold_start::run(arguments),
        Task::StatusSync(arguments) => status_sync::run(arguments),
        Task::Rest(arguments) => rest::run(arguments),
        Task::Scale(arguments) => scale::run(arguments),
        Task::Find(arguments) => find::run(arguments),
        Task::Catalogue(arguments) => catalogue::run(arguments),
        Task::CatalogueLoader(arguments) => catalogue::load(arguments),
        Task::Demo(arguments) => demo::run(arguments),
        Task::Telemetry(arguments) => telemetry::run(arguments),
        Task::Worker(arguments) => worker::run(arguments),
    }
}
