//! `bindery lag`: how far each kind of lane is behind.

mod measure;
mod words;

use std::time::Duration;

use clap::Args;
use service::{Exit, Failure, Shutdown, stop_on_signals};

use crate::cli::Common;
use crate::config;
use crate::console::Console;
use crate::event;

/// How often `--watch` looks.
const INTERVAL: Duration = Duration::from_secs(2);

/// Shows how far each kind of lane is behind, in records and in seconds.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// Look again every two seconds, until Ctrl-C.
    #[arg(long)]
    watch: bool,
}

/// Shows how far each kind of lane is behind, in records and in seconds.
///
/// # Errors
/// 69 where no broker answers.
pub(crate) fn run(
    common: &Common,
    arguments: &Arguments,
    console: &Console,
) -> Result<Exit, Failure> {
    let config = &config::connect(common)?;
    let shutdown = Shutdown::new();
    if arguments.watch {
        stop_on_signals("bindery", shutdown.clone(), Exit::Ok).map_err(Failure::internal)?;
    }
    loop {
        let lanes = measure::all(config, event::now())?;
        console.say(&words::text(&lanes));
        console.object(&words::object(&lanes));
        if !arguments.watch || shutdown.stop().wait(INTERVAL) {
            return Ok(shutdown.exit());
        }
    }
}
