use std::path::PathBuf;

use clap::Args;

/// The flags that say how a program is configured.
#[derive(Args, Debug, Clone, Default)]
pub struct Flags {
    /// TOML file with the configuration, one for services and command line.
    #[arg(long, value_name = "FILE", env = "BINDERY_CONFIG", global = true)]
    pub config: Option<PathBuf>,
    /// `host:port` of one or more brokers, separated by commas; else KAFKA_BOOTSTRAP_SERVERS.
    #[arg(long, value_name = "ADDRESS", global = true)]
    pub bootstrap_servers: Option<String>,
    /// Any setting of the configuration, such as `log.level=debug`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value, global = true)]
    pub set: Vec<(String, String)>,
}

/// The flags of every service.
#[derive(Args, Debug, Clone, Default)]
pub struct ServiceFlags {
    /// Where the configuration comes from.
    #[command(flatten)]
    pub flags: Flags,
    /// Print the configuration in force and where each setting comes from, and exit: 0, or 78 if it
    /// cannot be used. Connects to nothing.
    #[arg(long)]
    pub check_config: bool,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        Some(_) | None => Err("write it as `key=value`, such as `log.level=debug`".to_owned()),
    }
}
