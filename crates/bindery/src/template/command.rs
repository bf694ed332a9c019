//! `bindery template …`.

use clap::Subcommand;
use service::{Exit, Failure};

use super::{check, list, publish, show, unpublish};
use crate::cli::Common;
use crate::config;
use crate::console::Console;

/// Publishes templates, and shows what is published.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Publish(publish::Arguments),
    Check(check::Arguments),
    List(list::Arguments),
    Show(show::Arguments),
    Unpublish(unpublish::Arguments),
}

/// Does what `command` says.
///
/// # Errors
/// What the command says, and 78 where the configuration is wrong.
pub(crate) fn run(common: &Common, command: &Command, console: &Console) -> Result<Exit, Failure> {
    match command {
        Command::Publish(arguments) => publish::run(&config::connect(common)?, arguments, console),
        Command::Check(arguments) => check::run(arguments, console),
        Command::List(arguments) => list::run(&config::connect(common)?, arguments, console),
        Command::Show(arguments) => show::run(&config::connect(common)?, arguments, console),
        Command::Unpublish(arguments) => {
            unpublish::run(&config::connect(common)?, arguments, console)
        }
    }
}
