//! `docs/asyncapi.yaml`: topics, operations and messages, made from the code and the contract.

mod messages;
mod schemas;
mod topics;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use serde_yaml_ng::{Mapping, Value};
use testkit::workspace_root;

use messages::Payload;

/// Write `docs/asyncapi.yaml` anew from the topics, the protobuf files and the words of the code.
#[derive(Args)]
pub(crate) struct Task {
    /// Write nothing; fail where the file is not what would be written.
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(task: &Task) -> Result<()> {
    let path = path();
    let document = document()?;
    if task.check {
        let there = fs::read_to_string(&path).context("cannot read `docs/asyncapi.yaml`")?;
        ensure!(
            there == document,
            "`docs/asyncapi.yaml` is not what the code says; run  cargo xtask asyncapi"
        );
        return Ok(());
    }
    fs::write(&path, document).context("cannot write `docs/asyncapi.yaml`")
}

fn path() -> PathBuf {
    workspace_root().join("docs/asyncapi.yaml")
}

const ABOUT: &str = "\
Bindery binds business events to message templates and tells what became of each event. This document \
shows its topics under their default names and shapes, and the JSON form of what is in them; \
`proto/bindery/v1` has the protobuf form. Read everything Bindery writes under \
`isolation.level=read_committed`.";

/// The whole document.
fn document() -> Result<String> {
    let contract = schemas::Contract::read()?;
    let document = map([
        ("asyncapi", "3.0.0".into()),
        (
            "info",
            map([
                ("title", "Bindery".into()),
                ("version", "1.0.0".into()),
                ("description", ABOUT.into()),
                ("license", map([("name", "Apache-2.0".into())])),
            ]),
        ),
        ("defaultContentType", "application/json".into()),
        ("channels", topics::channels()),
        ("operations", topics::operations()),
        (
            "components",
            map([
                (
                    "messages",
                    map(Payload::ALL.map(|message| (message.name(), message.describe(&contract)))),
                ),
                ("schemas", contract.schemas()?),
            ]),
        ),
    ]);
    let head =
        "# Made by `cargo xtask asyncapi` from the code; a test holds it against the code.\n";
    Ok(format!("{head}{}", serde_yaml_ng::to_string(&document)?))
}

/// A mapping in this order.
fn map<K: Into<Value>>(entries: impl IntoIterator<Item = (K, Value)>) -> Value {
    let entries = entries.into_iter().map(|(key, value)| (key.into(), value));
    Value::Mapping(entries.collect::<Mapping>())
}

fn reference(to: &str) -> Value {
    map([("$ref", format!("#/{to}").into())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_what_the_code_says() {
        let there = fs::read_to_string(path()).unwrap();
        assert!(there == document().unwrap(), "docs/asyncapi.yaml is old: cargo xtask asyncapi");
    }
}
