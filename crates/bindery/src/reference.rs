//! The commands and their flags as Markdown, for `docs/command-line.md`.

use std::fmt::Write as _;

use clap::{Arg, Command};

/// The flags of every command, then a section for each command that does something, in the order of the
/// help.
pub(crate) fn markdown(command: Command) -> String {
    let mut command = command;
    command.build();
    let mut text = String::from("## Flags of every command\n");
    table(command.get_arguments().filter(|argument| argument.is_global_set()), &mut text);
    text.push('\n');
    section(&command, &mut text);
    text
}

fn section(command: &Command, text: &mut String) {
    let mut has_commands = false;
    for subcommand in command.get_subcommands().filter(|one| one.get_name() != "help") {
        has_commands = true;
        section(subcommand, text);
    }
    if has_commands {
        return;
    }
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let about = command.get_long_about().or_else(|| command.get_about()).map(ToString::to_string);
    let mut shown = command.clone();
    let usage = shown.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    // Writing to a String does not fail.
    let _ = write!(text, "## `{name}`\n\n{}\n\n    {usage}\n", about.unwrap_or_default());
    let own = |argument: &&Arg| !argument.is_global_set() && argument.get_id() != "help";
    table(command.get_arguments().filter(own), text);
    text.push('\n');
}

/// A row for each argument; nothing where there is none.
fn table<'a>(arguments: impl Iterator<Item = &'a Arg>, text: &mut String) {
    let mut arguments = arguments.peekable();
    if arguments.peek().is_some() {
        text.push_str("\n| | |\n|---|---|\n");
    }
    for argument in arguments {
        let _ = writeln!(text, "| `{}` | {} |", spelled(argument), told(argument));
    }
}

/// How it is written on a command line.
fn spelled(argument: &Arg) -> String {
    // A bar would end the cell.
    argument.to_string().replace('|', "\\|")
}

/// What it does, its values, its default and the variable that stands in for it.
fn told(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let mut told = help.map(ToString::to_string).unwrap_or_default().replace('\n', " ");
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| match value.get_help() {
            Some(help) => {
                format!("`{}`: {}", value.get_name(), help.to_string().trim_end_matches('.'))
            }
            None => format!("`{}`", value.get_name()),
        })
        .collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        add(&mut told, &values.join("; "));
    }
    let defaults: Vec<&str> =
        argument.get_default_values().iter().filter_map(|value| value.to_str()).collect();
    if argument.get_action().takes_values() && !defaults.is_empty() {
        add(&mut told, &format!("Default: `{}`", defaults.join(" ")));
    }
    if let Some(variable) = argument.get_env().and_then(|name| name.to_str()) {
        add(&mut told, &format!("Else the variable `{variable}`"));
    }
    told
}

/// One more sentence. Help that ends the row has no final stop.
fn add(told: &mut String, sentence: &str) {
    if !told.ends_with('.') {
        told.push('.');
    }
    let _ = write!(told, " {sentence}.");
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const BEGIN: &str = "<!-- What follows is made from the definitions in the code. -->\n";
    const UPDATE: &str = "BINDERY_UPDATE_DOCS";

    #[test]
    fn the_page_of_the_commands_is_up_to_date() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/command-line.md");
        let page = std::fs::read_to_string(&path).unwrap();
        let (written, _) =
            page.split_once(BEGIN).expect("the page says where its made part begins");
        let expected = format!("{written}{BEGIN}\n{}", markdown(crate::cli::command()));
        let expected = expected.trim_end().to_owned() + "\n";
        if std::env::var_os(UPDATE).is_some() {
            std::fs::write(&path, &expected).unwrap();
        }
        assert!(
            page == expected || std::env::var_os(UPDATE).is_some(),
            "docs/command-line.md is not what the code says; `{UPDATE}=1 cargo test -p bindery` writes it"
        );
    }
}
