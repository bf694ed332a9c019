//! What a command prints: tables for people, JSON for programs.

use std::io::{self, IsTerminal as _, Write as _};

use comfy_table::{Cell, CellAlignment, LineStyle, Table, TableStyle};
use serde::Serialize;

/// Standard output, for one of its two readers.
#[derive(Debug)]
pub struct Console {
    json: bool,
}

impl Console {
    /// For a program if `json`, else for a person.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether a program reads.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard error is a terminal, so that a line on it can be written over.
    pub fn is_live(&self) -> bool {
        !self.json && io::stderr().is_terminal()
    }

    /// One line for a person; nothing for a program.
    pub fn say(&self, line: &str) {
        if !self.json {
            write_line(line);
        }
    }

    /// One object, on one line, for a program; nothing for a person.
    pub fn object(&self, value: &impl Serialize) {
        if self.json {
            write_line(&serde_json::to_string(value).unwrap_or_else(|error| error.to_string()));
        }
    }
}

/// A reader who has left, as `| head` does, is no failure.
fn write_line(line: &str) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{line}");
    let _ = out.flush();
}

/// A line under the header and nothing else.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// A table with these columns; those in `numbers` are aligned to the right.
pub(crate) fn table<const N: usize>(
    columns: [&str; N],
    numbers: &[usize],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(STYLE).set_header(columns);
    for row in rows {
        let cell = |(at, text): (usize, String)| {
            let alignment =
                if numbers.contains(&at) { CellAlignment::Right } else { CellAlignment::Left };
            Cell::new(text).set_alignment(alignment)
        };
        table.add_row(row.into_iter().enumerate().map(cell));
    }
    table.trim_fmt()
}
