//! `bindery completions`.

use std::io::{self, Write as _};

use clap::Args;
use clap_complete::{Shell, generate};
use service::Exit;

/// Prints a completion script for a shell.
///
/// bash: `bindery completions bash > ~/.local/share/bash-completion/completions/bindery`.
/// zsh: `bindery completions zsh > "${fpath[1]}/_bindery"`.
/// fish: `bindery completions fish > ~/.config/fish/completions/bindery.fish`.
/// PowerShell: `bindery completions powershell >> $PROFILE`.
#[derive(Args, Debug)]
#[command(verbatim_doc_comment)]
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
