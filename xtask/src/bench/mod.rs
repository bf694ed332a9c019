//! Measurements against a reference in the same run, on Apache Kafka.

mod catalogue;
mod drain;
mod find;
mod latency;
mod load;
mod report;
mod scale;
mod telemetry;
mod usage;
mod worker;

use clap::Subcommand;

/// What to measure.
#[derive(Subcommand)]
pub(crate) enum Task {
    /// Preloaded events through one rt lane, against a lane that only copies.
    Drain(drain::Arguments),
    /// From the intended time of an event to its assignment being visible under read_committed.
    Latency(latency::Arguments),
    /// Instances that come, go and are restarted under load; then every event is looked up.
    Scale(scale::Arguments),
    /// Finding one event of many: `bindery status` and `bindery explain`.
    Find(find::Arguments),
    Catalogue(catalogue::Arguments),
    /// One process that loads the catalogue.
    #[command(hide = true)]
    CatalogueLoader(catalogue::LoaderArguments),
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
        Task::Scale(arguments) => scale::run(arguments),
        Task::Find(arguments) => find::run(arguments),
        Task::Catalogue(arguments) => catalogue::run(arguments),
        Task::CatalogueLoader(arguments) => catalogue::load(arguments),
        Task::Telemetry(arguments) => telemetry::run(arguments),
        Task::Worker(arguments) => worker::run(arguments),
    }
}
