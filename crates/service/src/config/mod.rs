//! Layers of configuration, the later winning: defaults, file, environment, flags.

mod error;
mod layers;

pub use error::ConfigError;

use std::path::PathBuf;

use figment::Figment;
use figment::providers::{Format as _, Serialized, Toml};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::flags::Flags;
use layers::{Strings, environment_key};

/// Where settings come from. Only `main` reads them from the process.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A TOML file, which must exist.
    pub file: Option<PathBuf>,
    /// The variables of the environment; those that are not ours are passed over.
    pub environment: Vec<(String, String)>,
    /// Keys with dots, and their values.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// The environment of this process, and what stands on its command line.
    pub fn of_process(flags: &Flags) -> Self {
        let servers = flags.bootstrap_servers.iter();
        let servers = servers.map(|servers| (BOOTSTRAP_SERVERS.to_owned(), servers.clone()));
        Self {
            file: flags.config.clone(),
            // A variable that is not text is not ours.
            environment: std::env::vars_os()
                .filter_map(|(name, value)| {
                    Some((name.into_string().ok()?, value.into_string().ok()?))
                })
                .collect(),
            flags: servers.chain(flags.set.iter().cloned()).collect(),
        }
    }
}

const BOOTSTRAP_SERVERS: &str = "kafka.bootstrap_servers";

/// Reads a configuration: `defaults`, which may be an empty map, and over them what the sources say.
///
/// A variable `BINDERY_KAFKA__BOOTSTRAP_SERVERS` sets `kafka.bootstrap_servers`; so does
/// `KAFKA_BOOTSTRAP_SERVERS`, which any program knows, if the first is absent. Below `properties`
/// underscores stand for dots: `BINDERY_KAFKA__PROPERTIES__SASL_PASSWORD` sets `sasl.password`.
///
/// # Errors
/// [`ConfigError`], each one line that names the setting and where it came from.
pub fn load<S: DeserializeOwned>(
    defaults: &impl Serialize,
    sources: &Sources,
) -> Result<S, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(defaults));
    if let Some(path) = &sources.file {
        // Figment takes a file that is not there for an empty one.
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.clone(), source })?;
        figment = figment.merge(Named { name: path.display().to_string(), toml: text });
    }
    let known = sources.environment.iter().find(|(name, _)| name == "KAFKA_BOOTSTRAP_SERVERS");
    let known = known.filter(|(_, value)| !value.is_empty());
    figment = figment.merge(Strings::new(
        "KAFKA_BOOTSTRAP_SERVERS",
        known.map(|(_, value)| (BOOTSTRAP_SERVERS.to_owned(), value.clone())),
    ));
    let ours = sources.environment.iter();
    let ours = ours.filter_map(|(name, value)| Some((environment_key(name)?, value.clone())));
    figment = figment.merge(Strings::new("the environment", ours));
    figment = figment.merge(Strings::new("the command line", sources.flags.iter().cloned()));
    figment.extract().map_err(|error| ConfigError::of(&error, &figment))
}

/// A TOML file under its path, which errors name.
struct Named {
    name: String,
    toml: String,
}

impl figment::Provider for Named {
    fn metadata(&self) -> figment::Metadata {
        figment::Metadata::named(format!("`{}`", self.name))
    }

    fn data(
        &self,
    ) -> Result<figment::value::Map<figment::Profile, figment::value::Dict>, figment::Error> {
        Toml::string(&self.toml).data()
    }
}

#[cfg(test)]
mod tests;
