//! Security of the clients of our own, from the settings of all clients.

use kafka::{Chain, ClientSettings};
use native_client::{Security, TokenSource};

/// Encryption and authentication, or what of them the clients of our own do not do.
pub(crate) fn security(client: &ClientSettings) -> Result<Security, String> {
    let properties = client.properties.iter().map(|(name, value)| (&**name, &**value));
    let tokens = client.tokens().map(|tokens| {
        TokenSource::new(move |limit| match tokens.token(limit) {
            Ok(token) => Ok(token.reveal().to_owned()),
            Err(error) => Err(Chain(&error).to_string()),
        })
    });
    Security::from_properties(properties, tokens).map_err(|unsupported| unsupported.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(properties: &[(&str, &str)], expected: Option<&str>) {
        let mut client = ClientSettings::new("localhost:9092");
        let owned = properties.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        client.properties = owned.collect();
        assert_eq!(security(&client).err().as_deref(), expected);
    }

    #[test]
    fn security_that_is_not_known_is_left_to_the_other_client() {
        check(&[], None);
        check(&[("security.protocol", "PLAINTEXT")], None);
        check(&[("ssl.crl.location", "/crl")], Some("it does not know `ssl.crl.location`"));
        let gssapi = "it does not know `GSSAPI` for `sasl.mechanism`";
        check(&[("security.protocol", "sasl_ssl"), ("sasl.mechanism", "GSSAPI")], Some(gssapi));
    }

    #[test]
    fn a_token_comes_from_where_the_settings_say() {
        let bearer = [("security.protocol", "sasl_ssl"), ("sasl.mechanism", "OAUTHBEARER")];
        let none =
            "there is no token for OAUTHBEARER: neither a file nor a command for it is named";
        check(&bearer, Some(none));
        let mut client = ClientSettings::new("localhost:9092");
        client.properties = bearer.map(|(name, value)| (name.into(), value.into())).into();
        client.properties.insert("enable.ssl.certificate.verification".into(), "false".into());
        client.token_command = Some("echo hunter2".into());
        let said = format!("{:?}", security(&client).unwrap());
        assert!(said.contains("OauthBearer"), "{said}");
    }
}
