use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::keys::{Keys, Node};

/// One setting, as the reference page has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key with dots; `<name>` stands for what is free.
    pub key: String,
    /// What it takes.
    pub kind: String,
    /// What it is where nobody sets it; `None` where it has to be set, or is absent.
    pub default: Option<String>,
    /// The variable that sets it.
    pub variable: String,
    /// Its doc comment.
    pub meaning: String,
}

/// Every setting of `S`, in the order of their keys.
///
/// # Errors
/// What `Serialize` says of the defaults.
pub fn reference<S: JsonSchema + Serialize>(defaults: &S) -> Result<Vec<Row>, serde_json::Error> {
    let defaults = serde_json::to_value(defaults)?;
    let row = |(path, field): (Vec<&str>, &super::keys::Field)| {
        let default = path.iter().fold(&defaults, |value, name| &value[*name]);
        let is_open = matches!(field.node, Node::Open);
        let variable = format!("BINDERY_{}", path.join("__").to_ascii_uppercase());
        Row {
            key: path.join(".") + if is_open { ".<name>" } else { "" },
            kind: kind(&field.node),
            default: shown(default),
            variable: variable + if is_open { "__<NAME>" } else { "" },
            meaning: field.meaning.clone(),
        }
    };
    Ok(Keys::of::<S>().all().into_iter().map(row).collect())
}

/// The names at the top of `S`: its sections and its own settings.
pub fn section_names<S: JsonSchema>() -> Vec<String> {
    Keys::of::<S>().names().map(str::to_owned).collect()
}

fn kind(node: &Node) -> String {
    match node {
        Node::Text { words } if !words.is_empty() => {
            words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ")
        }
        Node::Text { .. } | Node::Open => "text".to_owned(),
        Node::Other { kind } => kind.clone(),
        Node::Section(_) => "section".to_owned(),
    }
}

fn shown(default: &Value) -> Option<String> {
    if let Some(entries) = default.as_object() {
        let entry = |(name, value)| Some(format!("{name}={}", shown(value)?));
        let entries: Vec<String> = entries.iter().filter_map(entry).collect();
        return (!entries.is_empty()).then(|| entries.join(", "));
    }
    match default.as_str() {
        Some(text) => (!text.is_empty()).then(|| text.to_owned()),
        None => (!default.is_null()).then(|| default.to_string()),
    }
}
