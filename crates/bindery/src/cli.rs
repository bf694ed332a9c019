//! The commands: one variant here and one module each.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, ColorChoice, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use service::{Exit, Failure};

use crate::console::Console;
use crate::{broker, completions, demo, explain, lag, manual, send, status, template, topics};

const AFTER_HELP: &str = "\
Start with `bindery demo`: the whole line at work on a broker of its own. On a cluster: `bindery topics \
apply`, `bindery template publish`, `bindery send`.

Exit codes: 0 done, 1 looked and found something wrong, 2 usage, 69 no broker answers, 70 internal, \
78 configuration, 130 stopped by Ctrl-C.";

/// Binds business events to message templates, exactly once, on Apache Kafka.
#[derive(Parser, Debug)]
#[command(name = "bindery", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// The flags of every command.
#[derive(Args, Debug, Clone, Default)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct Common {
    #[command(flatten)]
    pub(crate) flags: service::Flags,
    /// What the names of all topics and consumer groups begin with, where several installations
    /// share a cluster.
    #[arg(long, value_name = "PREFIX", env = "BINDERY_PREFIX", global = true)]
    pub(crate) prefix: Option<String>,
    /// Print JSON for programs instead of tables for people.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// When to use colours; `auto`: on a terminal. Never where NO_COLOR is set.
    #[arg(long, value_name = "WHEN", default_value_t, global = true)]
    color: ColorChoice,
}

#[derive(Subcommand, Debug)]
enum Command {
    #[command(subcommand)]
    Topics(topics::Command),
    #[command(subcommand)]
    Template(template::Command),
    Send(send::Arguments),
    Status(status::Arguments),
    Explain(explain::Arguments),
    Lag(lag::Arguments),
    Demo(demo::Arguments),
    Broker(broker::Arguments),
    Completions(completions::Arguments),
    Man(manual::Arguments),
}

/// All of the program but its `main`: reads the arguments, does the command, says in one line why it
/// failed.
pub fn main() -> ExitCode {
    // clap itself exits with 2 and says how the command is used.
    let color = color_of(std::env::args_os(), std::env::var_os("NO_COLOR"));
    let matches = command().color(color).get_matches();
    let arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let console = Console::new(arguments.common.json, color);
    match run(&arguments, &console) {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report("bindery").into(),
    }
}

/// The whole command line: what help, completions, manual pages and the reference are made of.
pub(crate) fn command() -> clap::Command {
    Arguments::command()
}

fn run(arguments: &Arguments, console: &Console) -> Result<Exit, Failure> {
    start_logging();
    let common = &arguments.common;
    match &arguments.command {
        Command::Topics(command) => topics::run(common, command, console),
        Command::Template(command) => template::run(common, command, console),
        Command::Send(arguments) => send::run(common, arguments, console),
        Command::Status(arguments) => status::run(common, arguments, console),
        Command::Explain(arguments) => explain::run(common, arguments, console),
        Command::Lag(arguments) => lag::run(common, arguments, console),
        Command::Demo(arguments) => demo::run(common, arguments, console),
        Command::Broker(arguments) => broker::run(arguments, console),
        Command::Completions(arguments) => Ok(completions::run(arguments, command())),
        Command::Man(arguments) => manual::run(arguments, command(), console),
    }
}

/// What `--color` says, before the arguments are read: help and usage errors are printed by then. The
/// environment's NO_COLOR goes before it.
fn color_of(arguments: impl Iterator<Item = OsString>, no_color: Option<OsString>) -> ColorChoice {
    if no_color.is_some_and(|value| !value.is_empty()) {
        return ColorChoice::Never;
    }
    let words: Vec<String> = arguments.filter_map(|word| word.into_string().ok()).collect();
    let wanted = words.iter().enumerate().rev().find_map(|(at, word)| match word.as_str() {
        "--color" => words.get(at + 1).map(String::as_str),
        word => word.strip_prefix("--color="),
    });
    wanted.and_then(|word| word.parse().ok()).unwrap_or_default()
}

/// Logs go to standard error, and only when something needs a person; `RUST_LOG` asks for more.
fn start_logging() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("error"));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_well_formed() {
        command().debug_assert();
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

    #[test]
    fn the_choice_of_colours_is_known_before_the_arguments_are_read() {
        let check = |line: &str, expected: ColorChoice| {
            let words = line.split(' ').map(OsString::from);
            assert_eq!(color_of(words, None), expected, "{line}");
        };
        check("bindery topics check", ColorChoice::Auto);
        check("bindery --color never nonsense", ColorChoice::Never);
        check("bindery nonsense --color=always", ColorChoice::Always);
        check("bindery --color never --color always", ColorChoice::Always);
        check("bindery --color", ColorChoice::Auto);
        check("bindery --color sometimes", ColorChoice::Auto);
        let words = || ["bindery", "--color=always"].map(OsString::from).into_iter();
        assert_eq!(color_of(words(), Some("1".into())), ColorChoice::Never);
        assert_eq!(color_of(words(), Some("".into())), ColorChoice::Always);
    }
}
