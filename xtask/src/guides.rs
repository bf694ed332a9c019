//! The examples in the guides are the files that the clients' run executes.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail, ensure};
use clap::Args;
use testkit::workspace_root;

use crate::report;

/// Copy the files that the guides show into them.
///
/// A comment `<!-- show: PATH -->` on the line before a block of code says which file it is.
#[derive(Args)]
pub(crate) struct Task {}

const GUIDES: [&str; 3] = ["docs/producers.md", "docs/delivery-services.md", "docs/operators.md"];

pub(crate) fn run(_: &Task) -> Result<()> {
    for guide in GUIDES {
        let path = workspace_root().join(guide);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{guide}`"))?;
        let shown = with_files(&text, read).with_context(|| format!("in `{guide}`"))?;
        if shown != text {
            fs::write(&path, shown)?;
            report(&format!("wrote {guide}"));
        }
    }
    Ok(())
}

/// What is shown of a file: all of it but the first line of a script.
fn read(file: &str) -> Result<String> {
    let path: PathBuf = workspace_root().join(file);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{file}`"))?;
    Ok(text.strip_prefix("#!/bin/sh\n").unwrap_or(&text).to_owned())
}

/// `text` with the content of every file it shows.
fn with_files(text: &str, read: impl Fn(&str) -> Result<String>) -> Result<String> {
    let mut out = String::with_capacity(text.len());
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        out.push_str(line);
        let shown =
            line.trim_end().strip_prefix("<!-- show: ").and_then(|it| it.strip_suffix(" -->"));
        let Some(file) = shown else { continue };
        match lines.next() {
            Some(fence) if fence.starts_with("```") => out.push_str(fence),
            Some(_) | None => bail!("no block of code follows the comment that shows `{file}`"),
        }
        let end = lines.find(|line| line.starts_with("```"));
        let content = read(file)?;
        ensure!(content.ends_with('\n'), "`{file}` does not end with a line break");
        out.push_str(&content);
        out.push_str(end.with_context(|| format!("the block that shows `{file}` has no end"))?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use domain::{DeliveryReason, Language, Lost, Outcome, RejectionReason, Status};
    use lane::RenewalReason;

    use super::*;

    #[test]
    fn every_example_in_a_guide_is_the_file_it_names() {
        for guide in GUIDES {
            let text = fs::read_to_string(workspace_root().join(guide)).unwrap();
            assert!(text.contains("<!-- show: "), "{guide} shows nothing");
            let shown = with_files(&text, read).unwrap();
            assert!(shown == text, "{guide} is not what the files say: cargo xtask guides");
        }
    }

    fn guide(name: &str) -> String {
        fs::read_to_string(workspace_root().join("docs").join(name)).unwrap()
    }

    #[test]
    fn every_status_and_rejection_is_explained_to_producers() {
        let text = guide("producers.md");
        for status in Status::ALL.map(Status::as_str) {
            assert!(text.contains(&format!("\n| {status} |")), "{status}");
        }
        for reason in RejectionReason::ALL.map(RejectionReason::as_str) {
            let row = format!("\n| [`{reason}`](runbooks/{reason}.md) |");
            assert!(text.contains(&row), "{reason}");
        }
    }

    #[test]
    fn every_outcome_and_reason_is_explained_to_delivery_services_as_the_code_does() {
        let text = guide("delivery-services.md");
        for outcome in Outcome::ALL.map(Outcome::as_str) {
            assert!(text.contains(&format!("\n| `{outcome}` |")), "{outcome}");
        }
        let known: BTreeSet<&str> = DeliveryReason::known().collect();
        for word in &known {
            let meaning = domain::meaning_of_reason(word, Language::En).unwrap();
            assert!(text.contains(&format!("\n| `{word}` | {meaning} |\n")), "{word}");
        }
        let (_, table) = text.split_once("\n## Reasons\n").unwrap();
        let (table, _) = table.split_once("\n## ").unwrap();
        let rows = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        assert_eq!(rows.collect::<BTreeSet<&str>>(), known, "the guide's table of reasons");
        let contract = include_str!("../../proto/bindery/v1/delivery_log.proto");
        let (_, listed) = contract.split_once("// Why: ").unwrap();
        let (listed, _) = listed.split_once("or a word of your own").unwrap();
        let listed: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
        assert_eq!(listed, known, "the contract's list of reasons");
    }

    #[test]
    fn every_reason_why_an_event_waits_is_explained_to_producers_and_operators() {
        for page in ["producers.md", "runbooks/held.md"] {
            let text = guide(page);
            for word in domain::hold_reasons() {
                assert!(text.contains(&format!("`{word}`")), "{page}: {word}");
            }
        }
    }

    #[test]
    fn every_reason_why_a_template_lost_is_explained_where_the_command_is() {
        let text = guide("command-line.md");
        for lost in Lost::ALL {
            let row = format!("\n| `{}` | {} |\n", lost.as_str(), lost.meaning(Language::En));
            assert!(text.contains(&row), "{lost:?}");
        }
    }

    #[test]
    fn every_reason_why_a_producer_was_given_up_is_explained_to_operators() {
        let text = guide("runbooks/producers-renewed.md");
        for reason in RenewalReason::ALL.map(RenewalReason::as_str) {
            assert!(text.contains(&format!("\n| `{reason}` | ")), "{reason}");
        }
    }

    #[test]
    fn a_block_is_replaced_and_nothing_else() {
        let text = "a\n<!-- show: f -->\n```sh\nold\n```\nb\n```sh\nkept\n```\n";
        let shown = with_files(text, |file| Ok(format!("content of {file}\n"))).unwrap();
        assert_eq!(shown, "a\n<!-- show: f -->\n```sh\ncontent of f\n```\nb\n```sh\nkept\n```\n");
        assert!(with_files("<!-- show: f -->\ntext\n", |_| Ok(String::new())).is_err());
    }
}
