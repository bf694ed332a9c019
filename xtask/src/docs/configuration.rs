use std::collections::BTreeMap;

use anyhow::Result;
use event_consumer::{EventConsumerSettings, Side};
use service::{Row, reference};
use status_sync::StatusSyncSettings;

/// What stands above the tables.
const HEAD: &str = include_str!("configuration.md");

/// Every setting of every service: first those that are the same in all of them.
pub(super) fn page() -> Result<String> {
    let of_side = |side: Side| reference(&EventConsumerSettings::new(side, ""));
    let services = [
        (Side::Rt.name(), of_side(Side::Rt)?),
        (Side::Batch.name(), of_side(Side::Batch)?),
        ("status-sync", reference(&StatusSyncSettings::new(""))?),
    ];
    let is_common = |row: &Row| services.iter().all(|(_, rows)| rows.contains(row));
    let mut page = HEAD.to_owned();
    let common = services[0].1.iter().filter(|row| is_common(row));
    page += &chapter("Every service", common);
    for (name, rows) in &services {
        page += &chapter(&format!("`{name}`"), rows.iter().filter(|row| !is_common(row)));
    }
    Ok(page)
}

/// A heading, and a table for each section.
fn chapter<'a>(heading: &str, rows: impl Iterator<Item = &'a Row>) -> String {
    let mut sections: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        let section = row.key.split_once('.').map_or("", |(section, _)| section);
        sections.entry(section).or_default().push(row);
    }
    let mut text = format!("\n## {heading}\n");
    for (section, rows) in sections {
        if !section.is_empty() {
            text += &format!("\n### `{section}`\n");
        }
        text += "\n| key | type | default | variable | meaning |\n|---|---|---|---|---|\n";
        for row in rows {
            text += &line(row);
        }
    }
    text
}

fn line(row: &Row) -> String {
    let Row { key, kind, default, variable, meaning } = row;
    let default = default.as_ref().map_or_else(|| "none".to_owned(), |value| format!("`{value}`"));
    let cells =
        [format!("`{key}`"), kind.clone(), default, format!("`{variable}`"), meaning.clone()];
    format!("| {} |\n", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}
