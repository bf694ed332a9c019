use std::path::PathBuf;

use clap::Args;

/// The flags every binary has.
#[derive(Args, Debug, Clone, Default)]
pub struct Flags {
    /// TOML file with the configuration.
    #[arg(long, value_name = "FILE", env = "BINDERY_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// `host:port` of one or more brokers, separated by commas.
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub bootstrap_servers: Option<String>,
    /// Any setting of the configuration, such as `log.level=debug`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, global = true)]
    pub set: Vec<(String, String)>,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write it as `key=value`, such as `log.level=debug`".to_owned()),
    }
}
