use std::collections::BTreeMap;

use figment::value::{Dict, Value as Set};
use figment::{Metadata, Profile, Provider as _};
use serde::Serialize;
use serde_json::Value;

use super::Configuration;
use super::keys::{Keys, Node};

impl<S: Serialize> Configuration<S> {
    /// The whole configuration as a TOML file that would come to the same, one setting a line; behind
    /// each that is not a default, where it was set. Shows no more than `Serialize` does: no secrets.
    ///
    /// # Errors
    /// What `Serialize` says.
    pub fn effective(&self) -> Result<String, serde_json::Error> {
        let settings = serde_json::to_value(&self.settings)?;
        let origins = self.origins();
        let mut lines = String::new();
        for (path, value) in leaves(&self.keys, &settings) {
            let key = path.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(".");
            lines += &match (value, origins.get(&path)) {
                (Value::Null, _) => format!("# {key} is not set\n"),
                (value, None) => format!("{key} = {value}\n"),
                (value, Some(origin)) => format!("{key} = {value}  # {origin}\n"),
            };
        }
        Ok(lines)
    }

    /// Where each setting was set that is not a default.
    fn origins(&self) -> BTreeMap<Vec<String>, String> {
        let mut origins = BTreeMap::new();
        let data = self.figment.data().unwrap_or_default();
        let all = data.get(&Profile::Default).cloned().unwrap_or_default();
        self.collect(&all, &[], &mut origins);
        origins
    }

    fn collect(&self, table: &Dict, above: &[String], into: &mut BTreeMap<Vec<String>, String>) {
        for (name, value) in table {
            let path: Vec<String> = above.iter().chain([name]).cloned().collect();
            if let Set::Dict(_, table) = value {
                self.collect(table, &path, into);
            } else if let Some(metadata) = self.figment.get_metadata(value.tag())
                && !is_default(metadata)
            {
                into.insert(path, metadata.name.replace('`', ""));
            }
        }
    }
}

/// What `Serialized::defaults` calls itself; the layers of ours are all quoted.
fn is_default(metadata: &Metadata) -> bool {
    !metadata.name.starts_with('`')
}

/// Every setting with its path, those of open sections one by one.
pub(super) fn leaves(keys: &Keys, settings: &Value) -> Vec<(Vec<String>, Value)> {
    let mut all = Vec::new();
    for (path, field) in keys.all() {
        let value = path.iter().fold(settings, |value, name| &value[*name]);
        let path: Vec<String> = path.into_iter().map(str::to_owned).collect();
        match (&field.node, value) {
            (Node::Open, Value::Object(entries)) => {
                all.extend(entries.iter().map(|(name, value)| {
                    (path.iter().chain([name]).cloned().collect(), value.clone())
                }));
            }
            (_, value) => all.push((path, value.clone())),
        }
    }
    all
}

/// A name as TOML writes it in a key.
fn quoted(name: &str) -> String {
    let is_bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(is_bare) {
        name.to_owned()
    } else {
        Value::from(name).to_string()
    }
}
