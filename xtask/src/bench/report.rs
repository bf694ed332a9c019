use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use crate::{print, report};

/// Where figures go besides standard output.
#[derive(Args, Clone, Debug)]
pub(crate) struct Output {
    /// The folder for tables as CSV and for plots.
    #[arg(long, default_value = "target/bench")]
    out: PathBuf,
}

impl Output {
    /// Writes a file into the folder, made where it is missing.
    pub(crate) fn write(&self, name: &str, content: &str) -> anyhow::Result<()> {
        let path = self.out.join(name);
        let written =
            std::fs::create_dir_all(&self.out).and_then(|()| std::fs::write(&path, content));
        written.with_context(|| format!("`{}` cannot be written", path.display()))?;
        report(&format!("wrote {}", path.display()));
        Ok(())
    }
}

/// Minimum, median and maximum of repeated figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) median: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// `None` where there are no figures.
    pub(crate) fn of(mut figures: Vec<f64>) -> Option<Self> {
        figures.sort_by(f64::total_cmp);
        let (min, max) = (*figures.first()?, *figures.last()?);
        Some(Self { min, median: figures[figures.len() / 2], max })
    }
}

/// The value below which `hundredth` hundredths of `sorted` lie; 0 where there are none.
pub(crate) fn percentile(sorted: &[f64], hundredth: usize) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * hundredth / 100).copied().unwrap_or_default()
}

/// What a column of a table holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Words.
    Text(&'static str),
    /// Repeated figures, with so many digits after the point.
    Figures(&'static str, usize),
}

/// One cell, as its column wants it.
pub(crate) enum Cell {
    Text(String),
    /// None: the cell stays empty.
    Figures(Vec<f64>),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<f64>> for Cell {
    fn from(figures: Vec<f64>) -> Self {
        Self::Figures(figures)
    }
}

/// A table that is printed as Markdown, row by row, and kept as CSV: there each column of figures is
/// three, minimum, median and maximum.
pub(crate) struct Table {
    columns: Vec<Column>,
    csv: String,
}

impl Table {
    /// Prints its head.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        let name = |column: &Column| match column {
            Column::Text(name) => (*name).to_owned(),
            Column::Figures(name, _) => format!("{name} (min, **median**, max)"),
        };
        let names: Vec<_> = columns.iter().map(name).collect();
        print(&format!("| {} |", names.join(" | ")));
        print(&format!("|{}", "---|".repeat(columns.len())));
        let csv_names = columns.iter().flat_map(|column| match column {
            Column::Text(name) => vec![(*name).to_owned()],
            Column::Figures(name, _) => {
                ["min", "median", "max"].map(|which| format!("{name}: {which}")).to_vec()
            }
        });
        let csv = line(csv_names);
        Self { columns, csv }
    }

    /// Prints and keeps one row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        let mut printed = String::from("|");
        let mut kept = Vec::new();
        for (column, cell) in self.columns.iter().zip(cells) {
            match (cell, column) {
                (Cell::Text(text), _) => {
                    let _ = write!(printed, " {text} |");
                    kept.push(text);
                }
                (Cell::Figures(figures), Column::Figures(_, digits)) => {
                    let (shown, three) = figures_of(figures, *digits);
                    let _ = write!(printed, " {shown} |");
                    kept.extend(three);
                }
                (Cell::Figures(_), Column::Text(name)) => {
                    unreachable!("column `{name}` holds words")
                }
            }
        }
        print(&printed);
        self.csv.push_str(&line(kept.into_iter()));
    }

    /// Writes it as `<name>.csv`.
    pub(crate) fn save(&self, output: &Output, name: &str) -> anyhow::Result<()> {
        output.write(&format!("{name}.csv"), &self.csv)
    }
}

fn figures_of(figures: Vec<f64>, digits: usize) -> (String, [String; 3]) {
    let Some(Spread { min, median, max }) = Spread::of(figures) else {
        return (String::new(), Default::default());
    };
    let shown = format!("{min:.digits$}, **{median:.digits$}**, {max:.digits$}");
    (shown, [min, median, max].map(|figure| format!("{figure:.digits$}")))
}

/// One line of CSV (RFC 4180).
fn line(cells: impl Iterator<Item = String>) -> String {
    let quoted = cells.map(|cell| {
        if cell.contains([',', '"', '\n']) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell
        }
    });
    let mut line = quoted.collect::<Vec<_>>().join(",");
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(figures: &[f64], shown: &str) {
        assert_eq!(figures_of(figures.to_vec(), 1).0, shown);
    }

    #[test]
    fn figures_are_shown_by_their_median_and_spread() {
        check(&[3.0, 1.0, 2.0], "1.0, **2.0**, 3.0");
        check(&[0.25], "0.2, **0.2**, 0.2");
        check(&[], "");
    }

    #[test]
    fn commas_and_quotes_are_quoted_in_csv() {
        let cells = ["a", "b, c", "say \"d\""].map(str::to_owned);
        assert_eq!(line(cells.into_iter()), "a,\"b, c\",\"say \"\"d\"\"\"\n");
    }
}
