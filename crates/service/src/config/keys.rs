use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

/// The settings that a configuration struct has, as its schema says: what the layers look keys up
/// in, and what the reference page lists.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    fields: BTreeMap<String, Field>,
}

/// One name of a section.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    /// The doc comment, as one line.
    pub(crate) meaning: String,
    pub(crate) node: Node,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// More names.
    Section(Keys),
    /// Names of somebody else's choosing, dots and all, each with a text.
    Open,
    /// A text, or one of a few words; taken as it is written, whatever it looks like.
    Text {
        /// The words, where only those will do.
        words: Vec<String>,
    },
    /// What TOML has as a number, a boolean or a list.
    Other {
        /// Its name in the schema.
        kind: String,
    },
}

/// How a key is written down, which decides what the names in an open section look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// `kafka.properties.sasl.password`
    Dots,
    /// `KAFKA__PROPERTIES__SASL_PASSWORD`
    Variable,
}

/// A key that leads nowhere: all of it, with dots.
#[derive(Debug)]
pub(super) struct Unknown(pub(super) String);

impl Keys {
    /// Those of `S`.
    pub(crate) fn of<S: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
        });
        let schema = settings.into_generator().into_root_schema_for::<S>();
        schema.as_object().and_then(properties).map(Self::of_properties).unwrap_or_default()
    }

    fn of_properties(properties: &Map<String, Value>) -> Self {
        let field = |(name, schema): (&String, &Value)| {
            let meaning = schema.get("description").and_then(Value::as_str).unwrap_or_default();
            let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ");
            (name.clone(), Field { meaning, node: Node::of(schema) })
        };
        Self { fields: properties.iter().map(field).collect() }
    }

    /// The names at the top.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Field> {
        self.fields.get(name)
    }

    /// Every setting with its path; an open section counts as one.
    pub(crate) fn all(&self) -> Vec<(Vec<&str>, &Field)> {
        let mut all = Vec::new();
        for (name, field) in &self.fields {
            match &field.node {
                Node::Section(inner) => all.extend(inner.all().into_iter().map(|(path, field)| {
                    (std::iter::once(name.as_str()).chain(path).collect(), field)
                })),
                Node::Open | Node::Text { .. } | Node::Other { .. } => {
                    all.push((vec![name.as_str()], field));
                }
            }
        }
        all
    }

    /// Follows the parts of a key to what it sets, and says under which path.
    pub(super) fn find(
        &self,
        parts: &[&str],
        notation: Notation,
    ) -> Result<(Vec<String>, &Node), Unknown> {
        let unknown = || Unknown(parts.join("."));
        let mut path = Vec::new();
        let mut keys = self;
        for (at, part) in parts.iter().enumerate() {
            let field = keys.get(part).ok_or_else(unknown)?;
            path.push((*part).to_owned());
            match &field.node {
                Node::Section(inner) => keys = inner,
                Node::Open if at + 1 < parts.len() => {
                    path.push(match notation {
                        Notation::Dots => parts[at + 1..].join("."),
                        Notation::Variable => parts[at + 1..].join("__").replace('_', "."),
                    });
                    return Ok((path, &field.node));
                }
                Node::Text { .. } | Node::Other { .. } if at + 1 == parts.len() => {
                    return Ok((path, &field.node));
                }
                Node::Open | Node::Text { .. } | Node::Other { .. } => return Err(unknown()),
            }
        }
        Err(unknown())
    }

    /// What to do about a key that leads nowhere: the known one it looks like, else the known ones
    /// of the section it gets to.
    pub(super) fn hint(&self, key: &str) -> String {
        let all = self.all();
        let prefixes = |path: &[&str]| -> Vec<String> {
            (1..=path.len()).map(|length| path[..length].join(".")).collect()
        };
        let known: BTreeSet<String> = all.iter().flat_map(|(path, _)| prefixes(path)).collect();
        let last = |key: &str| key.rsplit('.').next().unwrap_or_default().len();
        let nearest = known
            .iter()
            .map(|known| (strsim::damerau_levenshtein(key, known), known))
            .min()
            .filter(|(distance, known)| (1..=2.max(last(known) / 3)).contains(distance));
        let elsewhere = || {
            let suffix = format!(".{}", key.rsplit('.').next().unwrap_or_default());
            known.iter().find(|known| known.ends_with(&suffix))
        };
        let is_section = known.contains(key);
        match nearest.map(|(_, known)| known).or_else(elsewhere).filter(|_| !is_section) {
            Some(known) => format!("did you mean `{known}`?"),
            None => {
                let (within, names) = self.section_of(key);
                let names: Vec<_> = names.map(|name| format!("`{within}{name}`")).collect();
                format!("known are {}", names.join(", "))
            }
        }
    }

    /// The deepest section on the way to `key`, and the names in it.
    fn section_of(&self, key: &str) -> (String, impl Iterator<Item = &str>) {
        let (mut within, mut keys) = (String::new(), self);
        for part in key.split('.') {
            let Some(Field { node: Node::Section(inner), .. }) = keys.get(part) else { break };
            keys = inner;
            within.push_str(part);
            within.push('.');
        }
        (within, keys.names())
    }
}

impl Node {
    fn of(schema: &Value) -> Self {
        let Some(object) = schema.as_object() else { return Self::Other { kind: "any".into() } };
        if let Some(properties) = properties(object) {
            return Self::Section(Keys::of_properties(properties));
        }
        if object.get("additionalProperties").is_some_and(Value::is_object) {
            return Self::Open;
        }
        // An absent one is not written at all, so what counts is the other form.
        for alternatives in ["anyOf", "oneOf"] {
            if let Some(forms) = object.get(alternatives).and_then(Value::as_array) {
                let words: Vec<String> = forms.iter().flat_map(words).collect();
                if !words.is_empty() {
                    return Self::Text { words };
                }
                let present = forms.iter().find(|form| form["type"] != "null");
                return present.map_or(Self::Other { kind: "any".into() }, Self::of);
            }
        }
        let kind = match object.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().find(|kind| *kind != "null"),
            kind => kind,
        };
        match kind.and_then(Value::as_str) {
            Some("string") => Self::Text { words: words(schema) },
            Some("integer") => Self::Other { kind: "whole number".into() },
            Some(kind) => Self::Other { kind: kind.into() },
            None => Self::Other { kind: "any".into() },
        }
    }
}

fn properties(schema: &Map<String, Value>) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object)
}

/// The words a schema allows, if it allows only some.
fn words(schema: &Value) -> Vec<String> {
    let several = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    let words = several.chain(schema.get("const")).filter_map(Value::as_str);
    words.map(str::to_owned).collect()
}
