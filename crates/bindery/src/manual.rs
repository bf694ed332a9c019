//! `bindery man`.

use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use clap_mangen::Man;
use service::{Exit, Failure};

use crate::console::Console;

/// Writes the manual pages, one for each command.
///
/// `bindery man ~/.local/share/man/man1` installs them for `man bindery-send`; without a folder the page of
/// `bindery` itself is printed: `bindery man | man -l -`.
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder to write them to; made if it is not there.
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
}

/// Writes or prints the pages of `command`.
///
/// # Errors
/// 78 where the folder cannot be written to.
pub(crate) fn run(
    arguments: &Arguments,
    command: clap::Command,
    console: &Console,
) -> Result<Exit, Failure> {
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        Man::new(command).render(&mut page).map_err(Failure::internal)?;
        // A reader who has left is no failure.
        let _ = io::stdout().write_all(&page);
        return Ok(Exit::Ok);
    };
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
    written
        .with_context(|| format!("cannot write to `{}`", folder.display()))
        .map_err(Failure::configuration)?;
    console.say(&format!("wrote the manual pages to `{}`", folder.display()));
    Ok(Exit::Ok)
}
