//! What a command prints: tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ColorChoice;
use comfy_table::{Cell, CellAlignment, Color, LineStyle, Table, TableStyle};
use domain::Timestamp;
use serde::Serialize;

/// Standard output, for one of its two readers.
#[derive(Debug)]
pub(crate) struct Console {
    json: bool,
    is_colored: bool,
}

impl Console {
    /// For a program if `json`, else for a person, in colours or not.
    pub(crate) fn new(json: bool, color: ColorChoice) -> Self {
        let is_colored = match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
            }
        };
        Self { json, is_colored }
    }

    /// Whether a program reads.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard error is a terminal, so that a line on it can be written over.
    pub(crate) fn is_live(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// One line for a person; nothing for a program.
    pub(crate) fn say(&self, line: &str) {
        if !self.json {
            write_line(line);
        }
    }

    /// One line for a person, beside the result: on standard error, whoever reads standard output.
    pub(crate) fn note(&self, line: &str) {
        if !self.json {
            let _ = writeln!(io::stderr().lock(), "{line}");
        }
    }

    /// One object, on one line, for a program; nothing for a person.
    pub(crate) fn object(&self, value: &impl Serialize) {
        if self.json {
            write_line(&serde_json::to_string(value).unwrap_or_else(|error| error.to_string()));
        }
    }

    /// A table with these columns for a person; nothing for a program. Columns in `numbers` are
    /// aligned to the right.
    pub(crate) fn table<const N: usize>(
        &self,
        columns: [&str; N],
        numbers: &[usize],
        rows: impl IntoIterator<Item = [Text; N]>,
    ) {
        if !self.json {
            write_line(&format_table(columns, numbers, rows, self.is_colored));
        }
    }

    /// Names and values, a line each, for a person; nothing for a program.
    pub(crate) fn pairs(&self, rows: impl IntoIterator<Item = [Text; 2]>) {
        if !self.json {
            let mut table = rows_of(rows, &[], self.is_colored);
            table.load_style(TableStyle::new());
            write_line(&table.trim_fmt());
        }
    }
}

/// `1 template`, `2 templates`.
pub(crate) fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A time as people and programs read it: RFC 3339 in UTC, to the millisecond where it has any.
pub(crate) fn moment(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.as_millis()) {
        Ok(time) => time.to_string(),
        Err(_) => format!("{} ms after 1970-01-01", time.as_millis()),
    }
}

/// What a table's cell says, and how it is to be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    words: String,
    color: Option<Color>,
}

impl Text {
    /// As it has to be.
    pub(crate) fn good(words: impl Into<String>) -> Self {
        Self { words: words.into(), color: Some(Color::Green) }
    }

    /// Somebody may want to look at it.
    pub(crate) fn notable(words: impl Into<String>) -> Self {
        Self { words: words.into(), color: Some(Color::Yellow) }
    }

    /// Somebody has to do something.
    pub(crate) fn bad(words: impl Into<String>) -> Self {
        Self { words: words.into(), color: Some(Color::Red) }
    }
}

impl<T: Into<String>> From<T> for Text {
    fn from(words: T) -> Self {
        Self { words: words.into(), color: None }
    }
}

/// A reader who has left, as `| head` does, is no failure.
pub(crate) fn write_line(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// A line under the header and nothing else.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table without colours; those columns in `numbers` are aligned to the right.
pub(crate) fn table<const N: usize>(
    columns: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    format_table(columns, numbers, rows.into_iter().map(|row| row.map(Text::from)), false)
}

fn format_table<const N: usize>(
    columns: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [Text; N]>,
    is_colored: bool,
) -> String {
    let mut table = rows_of(rows, numbers, is_colored);
    table.load_style(STYLE).set_header(columns);
    table.trim_fmt()
}

fn rows_of<const N: usize>(
    rows: impl IntoIterator<Item = [Text; N]>,
    numbers: &[usize],
    is_colored: bool,
) -> Table {
    let mut table = Table::new();
    if is_colored {
        table.enforce_styling().style_text_only();
    } else {
        table.force_no_tty();
    }
    for row in rows {
        let cell = |(at, text): (usize, Text)| {
            let alignment =
                if numbers.contains(&at) { CellAlignment::Right } else { CellAlignment::Left };
            let cell = Cell::new(text.words).set_alignment(alignment);
            text.color.into_iter().fold(cell, Cell::fg)
        };
        table.add_row(row.into_iter().enumerate().map(cell));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_colored: bool) {
        let rows = [[Text::from("rt-event"), Text::good("ok")]];
        let table = format_table(["topic", "state"], &[], rows, is_colored);
        assert_eq!(table.contains('\u{1b}'), is_colored, "{table:?}");
        assert!(table.contains("rt-event") && table.contains("ok"), "{table:?}");
    }

    #[test]
    fn a_table_has_colours_only_where_they_are_asked_for() {
        check(false);
        // Where NO_COLOR is set there are none at all.
        if std::env::var_os("NO_COLOR").is_none() {
            check(true);
        }
    }

    #[test]
    fn a_number_of_things_is_told_in_words() {
        assert_eq!(counted(1, "template"), "1 template");
        assert_eq!(counted(0, "template"), "0 templates");
    }
}
