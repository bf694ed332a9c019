//! `bindery completions`.

use std::io::{self, Write as _};

use clap::Args;
use clap_complete::{Shell, generate};
use service::Exit;

const INSTALLATION: &str = "\
To install it:
  bindery completions bash > ~/.local/share/bash-completion/completions/bindery
  bindery completions zsh > \"${fpath[1]}/_bindery\"
  bindery completions fish > ~/.config/fish/completions/bindery.fish
  bindery completions powershell >> $PROFILE";

/// Prints a completion script for a shell.
#[derive(Args, Debug)]
#[command(after_help = INSTALLATION)]
pub(crate) struct Arguments {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script for `command`.
pub(crate) fn run(arguments: &Arguments, mut command: clap::Command) -> Exit {
    let mut script = Vec::new();
    generate(arguments.shell, &mut command, "bindery", &mut script);
    // A reader who has left is no failure.
    let _ = io::stdout().write_all(&script);
    Exit::Ok
}
