mod sasl;
mod tls;

use std::time::{Duration, Instant};

use crate::{Brokers, CallError, ClientSettings, Connection, Patience, Security, TokenSource};

/// A patience that ends with the test's own.
fn patience() -> Patience<'static> {
    Patience::until(Instant::now() + Duration::from_secs(30), &|time| {
        std::thread::park_timeout(time);
        false
    })
}

fn security(properties: &[(&str, &str)], tokens: Option<TokenSource>) -> Security {
    Security::from_properties(properties.iter().copied(), tokens).unwrap()
}

fn brokers(address: &str, security: Security) -> Brokers {
    Brokers::new(ClientSettings {
        bootstrap_servers: address.to_owned(),
        client_id: "test".to_owned(),
        request_timeout: Duration::from_secs(10),
        security,
    })
}

/// What asking a broker at `address` what it speaks came to: `fine`, or the error in one line, and
/// whether it may pass.
fn outcome(address: &str, security: Security) -> String {
    match brokers(address, security).versions(&patience()) {
        Ok(_) => "fine".to_owned(),
        Err(CallError::Security { address: at, what, passing }) => {
            assert_eq!(at, address);
            format!("{} {what}", if passing { "passing:" } else { "for good:" })
        }
        Err(other) => format!("other: {other:?}"),
    }
}
