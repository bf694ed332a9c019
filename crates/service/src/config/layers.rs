use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

/// Settings written as text: keys with dots, values that look like numbers, booleans or lists are
/// taken as such.
pub(super) struct Strings {
    name: &'static str,
    settings: Vec<(String, String)>,
}

impl Strings {
    pub(super) fn new(
        name: &'static str,
        settings: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self { name, settings: settings.into_iter().collect() }
    }
}

impl Provider for Strings {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let mut dict = Dict::new();
        for (key, text) in &self.settings {
            let path = path(key);
            let value = if path.len() > 1 && path[path.len() - 2] == PROPERTIES {
                // A property of the Kafka client is text, even one that looks like a number.
                Value::from(text.as_str())
            } else {
                text.parse().unwrap_or_else(|never: std::convert::Infallible| match never {})
            };
            insert(&mut dict, &path, value);
        }
        Ok(Profile::Default.collect(dict))
    }
}

const PROPERTIES: &str = "properties";

/// The parts of a key. What comes after `properties` is one part: those names have dots themselves.
fn path(key: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = key;
    while let Some((part, after)) = rest.split_once('.') {
        parts.push(part);
        rest = after;
        if part == PROPERTIES {
            break;
        }
    }
    parts.push(rest);
    parts
}

fn insert(dict: &mut Dict, path: &[&str], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        return;
    };
    if rest.is_empty() {
        dict.insert((*first).to_owned(), value);
        return;
    }
    let mut inner = match dict.remove(*first) {
        Some(Value::Dict(_, inner)) => inner,
        Some(_) | None => Dict::new(),
    };
    insert(&mut inner, rest, value);
    dict.insert((*first).to_owned(), Value::from(inner));
}

/// The key with dots that a variable of the environment sets, if it is ours.
pub(super) fn environment_key(name: &str) -> Option<String> {
    let name = name.strip_prefix("BINDERY_")?.to_ascii_lowercase();
    if name == "config" || name.starts_with("test_") || is_service_link(&name) {
        return None;
    }
    let key = name.replace("__", ".");
    match key.split_once(".properties.") {
        Some((before, property)) => {
            Some(format!("{before}.{PROPERTIES}.{}", property.replace('_', ".")))
        }
        None => Some(key),
    }
}

/// Kubernetes tells every pod the address of every Service in variables named after the Service:
/// one called `bindery-…` must not stop a start.
fn is_service_link(name: &str) -> bool {
    let of_port = || {
        let (_, port) = name.rsplit_once("port_")?;
        let (number, protocol) = port.split_once('_')?;
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        let protocols = ["tcp", "udp", "sctp"];
        let known = protocols.iter().any(|known| {
            protocol.strip_prefix(known).is_some_and(|end| end.is_empty() || end.starts_with('_'))
        });
        (is_number && known).then_some(())
    };
    !name.contains("__")
        && (name == "port"
            || name.ends_with("_port")
            || name.ends_with("service_host")
            || name.contains("service_port")
            || of_port().is_some())
}
