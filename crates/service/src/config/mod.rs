//! Layers of configuration, the later winning: defaults, file, environment, flags.

mod effective;
mod error;
mod keys;
mod layers;
mod reference;

pub use error::ConfigError;
pub use reference::{Row, reference, section_names};

use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::Serialized;
use figment::value::Dict;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flags::Flags;
use keys::Keys;
use layers::{Layer, own_variable};

/// Where settings come from. Only `main` reads them from the process.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file, which must exist.
    pub file: Option<PathBuf>,
    /// The variables of the environment; those that are not ours are passed over.
    pub environment: Vec<(String, String)>,
    /// What the flag of its own for the brokers says.
    pub bootstrap_servers: Option<String>,
    /// Keys with dots, and their values.
    pub set: Vec<(String, String)>,
}

impl Sources {
    /// The environment of this process, and what stands on its command line.
    pub fn of_process(flags: &Flags) -> Self {
        Self {
            file: flags.config.clone(),
            // A variable that is not text is not ours.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            bootstrap_servers: flags.bootstrap_servers.clone(),
            set: flags.set.clone(),
        }
    }
}

const BOOTSTRAP_SERVERS: &str = "kafka.bootstrap_servers";
/// Variables that others know too, and what they set where ours is absent.
const COMMON_VARIABLES: [(&str, &str); 2] =
    [("KAFKA_BOOTSTRAP_SERVERS", BOOTSTRAP_SERVERS), ("RUST_LOG", "log.level")];
/// What a variable ends with that names a file with the value in it.
const FILE: &str = "__FILE";

/// A configuration, and where each of its settings was set.
#[derive(Debug)]
pub struct Configuration<S> {
    /// What the sources came to.
    pub settings: S,
    keys: Keys,
    figment: Figment,
}

/// Reads a configuration: `defaults`, which may be an empty map, and over them what the sources say.
///
/// A variable `BINDERY_KAFKA__BOOTSTRAP_SERVERS` sets `kafka.bootstrap_servers`; so does
/// `KAFKA_BOOTSTRAP_SERVERS`, which any program knows, if the first is absent. Below `properties`
/// underscores stand for dots: `BINDERY_KAFKA__PROPERTIES__SASL_PASSWORD` sets `sasl.password`. With
/// `__FILE` behind it, a variable names a file that holds the value.
///
/// # Errors
/// [`ConfigError`], each one line that names the setting and where it came from.
pub fn load<S: DeserializeOwned + JsonSchema>(
    defaults: &impl Serialize,
    sources: &Sources,
) -> Result<Configuration<S>, ConfigError> {
    load_part(defaults, sources, &[])
}

/// Reads a part of a configuration that others have more of: whatever the file and the environment
/// set below one of the names in `passed_over` is for those.
///
/// # Errors
/// As [`load`].
pub fn load_part<S: DeserializeOwned + JsonSchema>(
    defaults: &impl Serialize,
    sources: &Sources,
    passed_over: &[&str],
) -> Result<Configuration<S>, ConfigError> {
    let keys = Keys::of::<S>();
    let mut figment = Figment::from(Serialized::defaults(defaults));
    if let Some(path) = &sources.file {
        let layer =
            Layer::of_file(&keys, format!("`{}`", path.display()), read(path)?, passed_over);
        figment = figment.merge(layer?);
    }
    for layer in environment(&keys, &sources.environment, passed_over)? {
        figment = figment.merge(layer);
    }
    let servers = sources.bootstrap_servers.iter();
    let servers = servers.map(|value| ("--bootstrap-servers".to_owned(), BOOTSTRAP_SERVERS, value));
    let set = sources.set.iter().map(|(key, value)| (format!("--set {key}"), &**key, value));
    for (origin, key, value) in servers.chain(set) {
        figment = figment.merge(Layer::of_flag(&keys, format!("`{origin}`"), key, value)?);
    }
    let settings = figment.extract().map_err(|error| ConfigError::of(&error, &figment))?;
    Ok(Configuration { settings, keys, figment })
}

fn read(path: &Path) -> Result<Dict, ConfigError> {
    // Figment takes a file that is not there for an empty one.
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    toml::from_str(&text).map_err(|error| ConfigError::Syntax {
        origin: format!("`{}`", path.display()),
        line: 1 + text[..error.span().map_or(0, |span| span.start)].matches('\n').count(),
        said: error.message().to_owned(),
    })
}

/// The variables that set something, those that others know too first.
fn environment(
    keys: &Keys,
    environment: &[(String, String)],
    passed_over: &[&str],
) -> Result<Vec<Layer>, ConfigError> {
    let mut layers = Vec::new();
    for (name, key) in COMMON_VARIABLES {
        let set = environment.iter().find(|(set, value)| set == name && !value.is_empty());
        let is_known = keys.all().iter().any(|(path, _)| path.join(".") == key);
        if let Some((_, value)) = set.filter(|_| is_known) {
            layers.push(Layer::of_flag(keys, format!("`{name}`"), key, value)?);
        }
    }
    for (variable, value) in environment {
        let Some(name) = own_variable(variable) else { continue };
        let first = name.split("__").next().unwrap_or_default().to_ascii_lowercase();
        if passed_over.contains(&first.as_str()) {
            continue;
        }
        let origin = format!("`{variable}`");
        layers.push(match name.strip_suffix(FILE) {
            Some(name) => Layer::of_variable(keys, origin, name, &value_in(Path::new(value))?)?,
            None => Layer::of_variable(keys, origin, name, value)?,
        });
    }
    Ok(layers)
}

/// The value that a file holds, without the end of the line that editors put there.
fn value_in(path: &Path) -> Result<String, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    Ok(text.trim_end_matches(['\n', '\r']).to_owned())
}

#[cfg(test)]
mod tests;
