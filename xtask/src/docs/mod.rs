//! Pages that are written from the code.

mod configuration;

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::report;

/// Writes the pages under `docs` that say what the code says; a test fails while one is out of date.
#[derive(Args)]
pub(crate) struct Task {}

pub(crate) fn run(_: &Task) -> Result<()> {
    for (path, text) in pages()? {
        let path = testkit::workspace_root().join(path);
        if fs::read_to_string(&path).is_ok_and(|found| found == text) {
            continue;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        report(&format!("wrote {}", shown(&path)));
    }
    Ok(())
}

/// Each page's path in the workspace, and what it has to say.
fn pages() -> Result<Vec<(&'static str, String)>> {
    Ok(vec![("docs/configuration.md", configuration::page()?)])
}

fn shown(path: &Path) -> String {
    path.strip_prefix(testkit::workspace_root()).unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_says_what_the_code_says() {
        for (path, text) in pages().unwrap() {
            let found = fs::read_to_string(testkit::workspace_root().join(path)).unwrap();
            assert!(found == text, "`{path}` is out of date; run `cargo xtask docs`");
        }
    }
}
