use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use super::error::ConfigError;
use super::keys::{Keys, Node, Notation, Unknown};

/// Settings from one place, under the name that errors and the effective configuration give it.
pub(super) struct Layer {
    origin: String,
    settings: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Profile::Default.collect(self.settings.clone()))
    }
}

impl Layer {
    /// One setting written as text, such as `log.level` and `info`.
    pub(super) fn of_flag(
        keys: &Keys,
        origin: String,
        key: &str,
        text: &str,
    ) -> Result<Self, ConfigError> {
        Self::of_text(keys, origin, &key.split('.').collect::<Vec<_>>(), Notation::Dots, text)
    }

    /// One setting written as text under the name of a variable, without the `BINDERY_`.
    pub(super) fn of_variable(
        keys: &Keys,
        origin: String,
        name: &str,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let name = name.to_ascii_lowercase();
        Self::of_text(keys, origin, &name.split("__").collect::<Vec<_>>(), Notation::Variable, text)
    }

    fn of_text(
        keys: &Keys,
        origin: String,
        parts: &[&str],
        notation: Notation,
        text: &str,
    ) -> Result<Self, ConfigError> {
        let found = keys.find(parts, notation);
        let (path, node) = found.map_err(|unknown| refusal(keys, unknown, origin.clone()))?;
        let value = match node {
            Node::Text { .. } | Node::Open => Value::from(text),
            Node::Other { .. } | Node::Section(_) => as_toml(text),
        };
        let nested = path
            .into_iter()
            .rev()
            .fold(value, |value, name| Value::from(Dict::from([(name, value)])));
        let settings = nested.into_dict().unwrap_or_default();
        Ok(Self { origin, settings })
    }

    /// The settings of a file; those whose first name stands in `passed_over` belong to others.
    pub(super) fn of_file(
        keys: &Keys,
        origin: String,
        settings: Dict,
        passed_over: &[&str],
    ) -> Result<Self, ConfigError> {
        let ours = settings.into_iter().filter(|(name, _)| !passed_over.contains(&name.as_str()));
        let settings = fitted(keys, ours.collect(), "");
        let settings = settings.map_err(|unknown| refusal(keys, unknown, origin.clone()))?;
        Ok(Self { origin, settings })
    }
}

fn refusal(keys: &Keys, Unknown(key): Unknown, origin: String) -> ConfigError {
    ConfigError::Unknown { hint: keys.hint(&key), key, origin }
}

/// Checks every name of a file's table, and makes text of what has to be text.
fn fitted(keys: &Keys, table: Dict, above: &str) -> Result<Dict, Unknown> {
    let mut fit = Dict::new();
    for (name, value) in table {
        let key = format!("{above}{name}");
        let Some(field) = keys.get(&name) else { return Err(Unknown(key)) };
        let value = match (&field.node, value) {
            (Node::Section(inner), Value::Dict(_, table)) => {
                Value::from(fitted(inner, table, &format!("{key}."))?)
            }
            (Node::Open, Value::Dict(_, table)) => Value::from(flat(table, "")),
            (Node::Text { .. }, value) => as_text(value),
            (Node::Section(_) | Node::Open | Node::Other { .. }, value) => value,
        };
        fit.insert(name, value);
    }
    Ok(fit)
}

/// Names with dots that somebody did not quote are tables within tables to TOML.
fn flat(table: Dict, above: &str) -> Dict {
    let mut all = Dict::new();
    for (name, value) in table {
        let name = format!("{above}{name}");
        match value {
            Value::Dict(_, table) => all.extend(flat(table, &format!("{name}."))),
            value @ (Value::String(..)
            | Value::Char(..)
            | Value::Bool(..)
            | Value::Num(..)
            | Value::Empty(..)
            | Value::Array(..)) => {
                all.insert(name, as_text(value));
            }
        }
    }
    all
}

/// The value that TOML has for `text`, which stays a text where it has none.
fn as_toml(text: &str) -> Value {
    let parsed = toml::from_str::<Dict>(&format!("value = {text}"));
    parsed.ok().and_then(|mut table| table.remove("value")).unwrap_or_else(|| Value::from(text))
}

fn as_text(value: Value) -> Value {
    let number = |number: figment::value::Num| {
        let whole = number.to_i128().map(|whole| whole.to_string());
        whole
            .or_else(|| number.to_u128().map(|whole| whole.to_string()))
            .or_else(|| number.to_f64().map(|float| float.to_string()))
    };
    match &value {
        Value::Bool(_, truth) => Value::from(truth.to_string()),
        Value::Num(_, found) => number(*found).map_or(value, Value::from),
        Value::String(..)
        | Value::Char(..)
        | Value::Empty(..)
        | Value::Dict(..)
        | Value::Array(..) => value,
    }
}

/// What a variable of ours sets: the rest of its name, or `None` where it is no setting.
pub(super) fn own_variable(name: &str) -> Option<&str> {
    let name = name.strip_prefix("BINDERY_")?;
    let is_other = name == "CONFIG" || name.starts_with("TEST_") || is_service_link(name);
    (!is_other).then_some(name)
}

/// Kubernetes tells every pod the address of every Service in variables named after the Service:
/// one called `bindery-…` must not stop a start.
fn is_service_link(name: &str) -> bool {
    let of_port = || {
        let (_, port) = name.rsplit_once("PORT_")?;
        let (number, protocol) = port.split_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let protocols = ["TCP", "UDP", "SCTP"];
        let known = protocols.iter().any(|known| {
            protocol.strip_prefix(known).is_some_and(|end| end.is_empty() || end.starts_with('_'))
        });
        (is_number && known).then_some(())
    };
    !name.contains("__")
        && (name == "PORT"
            || name.ends_with("_PORT")
            || name.ends_with("SERVICE_HOST")
            || name.contains("SERVICE_PORT")
            || of_port().is_some())
}
