//! The commands and their flags.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use service::{Exit, Failure};

use crate::console::Console;
use crate::{broker, config, demo, send, template, topics};

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 found something wrong, 2 usage, 69 no broker answers, 70 internal, \
78 configuration.";

/// Binds business events to message templates, exactly once, on Apache Kafka.
#[derive(Parser, Debug)]
#[command(name = "bindery", version, after_help = EXIT_CODES, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// The flags of every command.
#[derive(Args, Debug, Clone, Default)]
pub(crate) struct Common {
    /// TOML file with the sections `kafka` (how to reach the brokers) and `topics` (their names and
    /// shapes), as the services have it.
    #[arg(long, value_name = "FILE", env = "BINDERY_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// `host:port` of one or more brokers, separated by commas.
    #[arg(long, value_name = "ADDRESS", env = "KAFKA_BOOTSTRAP_SERVERS", global = true)]
    pub(crate) bootstrap_servers: Option<String>,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Shows the whole line at work: broker, topics, templates, services, events, and a check.
    ///
    /// Without `--bootstrap-servers` it starts the embedded broker. On a cluster it uses topics and
    /// groups under a name of its own, and deletes the topics at the end.
    Demo(demo::Arguments),
    /// Creates and checks the topics.
    #[command(subcommand)]
    Topics(Topics),
    /// Publishes templates.
    #[command(subcommand)]
    Template(Template),
    /// Sends events, one JSON object a line.
    ///
    /// Every line is checked as the services would read it, and nothing is sent if one is bad. The
    /// record's key is the event's `externalId`, else its `id`.
    Send(send::Arguments),
    /// Runs the embedded broker: one node, loopback only, for development and tests.
    Broker(broker::Arguments),
}

#[derive(Subcommand, Debug)]
enum Topics {
    /// Creates the topics that are missing and reports those that differ; changes none that exists.
    Apply,
    /// Reports the topics that are missing or differ.
    Check,
}

#[derive(Subcommand, Debug)]
enum Template {
    /// Publishes templates from files, all of them in one transaction or none.
    ///
    /// A template whose content has not changed is not published again. All problems of all files
    /// are told at once, each with file and line.
    Publish(template::Arguments),
}

/// The two sides an event can be sent to.
#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// `rt-event`: bound as soon as it arrives.
    Rt,
    /// `batch-event`: bound in large transactions.
    Batch,
}

/// All of the program but its `main`: reads the arguments, does the command, says in one line why it
/// failed.
pub fn main() -> ExitCode {
    // clap itself exits with 2 and says how the command is used.
    let arguments = Arguments::parse();
    let console = Console::new(arguments.common.json);
    match run(arguments, &console) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report("bindery").into(),
    }
}

fn run(arguments: Arguments, console: &Console) -> Result<Exit, Failure> {
    start_logging();
    let common = arguments.common;
    match arguments.command {
        Command::Demo(arguments) => demo::run(&common, &arguments, console),
        Command::Broker(arguments) => broker::run(&arguments, console),
        Command::Topics(action) => {
            let config = config::load(&common)?;
            match action {
                Topics::Apply => topics::apply(&config, console),
                Topics::Check => topics::check(&config, console),
            }
        }
        Command::Template(Template::Publish(arguments)) => {
            template::run(&config::load(&common)?, &arguments, console)
        }
        Command::Send(arguments) => send::run(&config::load(&common)?, &arguments, console),
    }
}

/// Logs go to standard error, and only when something needs a person; `RUST_LOG` asks for more.
fn start_logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_common_flags_go_before_and_after_a_command() {
        for line in [
            ["bindery", "--json", "topics", "check"],
            ["bindery", "topics", "--json", "check"],
            ["bindery", "topics", "check", "--json"],
        ] {
            assert!(Arguments::try_parse_from(line).unwrap().common.json, "{line:?}");
        }
    }
}
