use std::io;
use std::path::PathBuf;

use figment::Figment;
use figment::error::Kind;

/// A configuration that cannot be used. Each is one line: what, where, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read the configuration file `{path}`")]
    Unreadable {
        /// The file that was asked for.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Nobody knows this setting; most likely it is misspelt.
    #[error("no setting is called `{key}` ({origin}); {hint}")]
    Unknown {
        /// The key with dots.
        key: String,
        /// Where it was set.
        origin: String,
        /// The nearest known one, or all of them.
        hint: String,
    },
    /// A setting without a default is absent.
    #[error(
        "the setting `{key}` is missing; set it in the file, as `{variable}` or with `--set {key}=…`"
    )]
    Missing {
        /// The key with dots.
        key: String,
        /// The variable that sets it.
        variable: String,
    },
    /// A value of the wrong kind or out of range.
    #[error("the setting `{key}` ({origin}) cannot be used: {said}")]
    Invalid {
        /// The key with dots.
        key: String,
        /// Where it was set.
        origin: String,
        /// What is wrong with it.
        said: String,
    },
    /// The file is not TOML.
    #[error("{origin} is not valid TOML: line {line}: {said}")]
    Syntax {
        /// The file.
        origin: String,
        /// The line, from 1.
        line: usize,
        /// What the parser said.
        said: String,
    },
}

impl ConfigError {
    /// Takes the first of figment's errors: the next start shows the next one.
    pub(super) fn of(error: &figment::Error, figment: &Figment) -> Self {
        let path = error.path.join(".");
        let origin = |key: &str| {
            let metadata = figment.find_metadata(key).or(error.metadata.as_ref());
            metadata.map_or_else(|| "a default".to_owned(), |found| found.name.to_string())
        };
        match &error.kind {
            Kind::MissingField(name) => {
                let key = if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
                let variable = format!("BINDERY_{}", key.replace('.', "__").to_ascii_uppercase());
                Self::Missing { key, variable }
            }
            Kind::UnknownVariant(name, known) => {
                let said = format!("`{name}` is none of `{}`", known.join("`, `"));
                Self::Invalid { origin: origin(&path), said, key: path }
            }
            kind @ (Kind::Message(_)
            | Kind::InvalidType(..)
            | Kind::InvalidValue(..)
            | Kind::InvalidLength(..)
            | Kind::UnknownField(..)
            | Kind::DuplicateField(_)
            | Kind::ISizeOutOfRange(_)
            | Kind::USizeOutOfRange(_)
            | Kind::Unsupported(_)
            | Kind::UnsupportedKey(..)) => {
                Self::Invalid { origin: origin(&path), said: kind.to_string(), key: path }
            }
        }
    }
}
