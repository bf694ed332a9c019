//! Authentication: SaslHandshake and SaslAuthenticate (KIP-152), and again before a session ends
//! (KIP-368).

use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{
    SaslAuthenticateRequest, SaslAuthenticateResponse, SaslHandshakeRequest,
};
use kafka_protocol::protocol::StrBytes;

use super::scram::{self, Hash};
use super::{Secret, TokenSource};
use crate::connection::Connection;
use crate::error::{CallError, error_name};
use crate::patience::Patience;

const SASL_HANDSHAKE: i16 = 1;
const SASL_AUTHENTICATE: i16 = 2;
/// What a client answers when its token is refused, before the broker says so for good (RFC 7628).
const REFUSAL_SEEN: &str = "\x01";

/// Who the client says it is, and how.
#[derive(Debug)]
pub(super) enum Sasl {
    Plain(Login),
    Scram(Hash, Login),
    OauthBearer(TokenSource),
}

/// A user and a password.
#[derive(Debug)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: Secret,
}

/// The mechanism's name, as brokers know it.
impl fmt::Display for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "PLAIN",
            #[cfg(test)]
            Self::Scram(Hash::Sha1, _) => "SCRAM-SHA-1",
            Self::Scram(Hash::Sha256, _) => "SCRAM-SHA-256",
            Self::Scram(Hash::Sha512, _) => "SCRAM-SHA-512",
            Self::OauthBearer(_) => "OAUTHBEARER",
        })
    }
}

impl Sasl {
    /// Says who the client is. Returns for how long the broker believes it, if it does not for ever.
    pub(super) fn authenticate(
        &self,
        connection: &mut Connection,
        limit: Duration,
        patience: &Patience<'_>,
    ) -> Result<Option<Duration>, CallError> {
        let handshake =
            SaslHandshakeRequest::default().with_mechanism(StrBytes::from_string(self.to_string()));
        let answer = connection.call(SASL_HANDSHAKE, &handshake, limit, patience)?;
        if answer.error_code == ResponseError::UnsupportedSaslMechanism.code() {
            let taken: Vec<&str> = answer.mechanisms.iter().map(|one| &**one).collect();
            let taken = taken.join(", ");
            let what = format!("it takes {taken}, but not {self}; change `sasl.mechanism`");
            return Err(connection.distrust(what, false));
        }
        if answer.error_code == ResponseError::IllegalSaslState.code() {
            let what = "it asks nobody who they are at this port; change `security.protocol` or the \
                        port";
            return Err(connection.distrust(what.to_owned(), false));
        }
        if answer.error_code != 0 {
            let what = format!("it answers SaslHandshake with {}", error_name(answer.error_code));
            return Err(connection.distrust(what, true));
        }
        let mut exchange = Exchange { sasl: self, connection, limit, patience };
        let last = match self {
            Self::Plain(login) => {
                exchange.send(&format!("\0{}\0{}", login.user, login.password.reveal()))?
            }
            Self::Scram(hash, login) => exchange.scram(*hash, login)?,
            Self::OauthBearer(tokens) => exchange.bearer(tokens)?,
        };
        let lifetime = u64::try_from(last.session_lifetime_ms).unwrap_or(0);
        Ok((lifetime > 0).then(|| Duration::from_millis(lifetime)))
    }
}

/// One authentication under way.
struct Exchange<'a> {
    sasl: &'a Sasl,
    connection: &'a mut Connection,
    limit: Duration,
    patience: &'a Patience<'a>,
}

impl Exchange<'_> {
    fn scram(&mut self, hash: Hash, login: &Login) -> Result<SaslAuthenticateResponse, CallError> {
        let nonce = scram::nonce().map_err(|what| self.connection.distrust(what, true))?;
        let (first, begun) = scram::begin(hash, &login.user, &login.password, nonce);
        let challenge = self.send(&first)?;
        let (last, proven) = begun
            .prove(&challenge.auth_bytes)
            .map_err(|what| self.connection.distrust(what, false))?;
        let verdict = self.send(&last)?;
        proven.verify(&verdict.auth_bytes).map_err(|what| self.connection.distrust(what, false))?;
        Ok(verdict)
    }

    fn bearer(&mut self, tokens: &TokenSource) -> Result<SaslAuthenticateResponse, CallError> {
        let deadline = self.patience.deadline_within(self.limit);
        let time = deadline.saturating_duration_since(Instant::now());
        let token = tokens.token(time).map_err(|what| self.connection.distrust(what, true))?;
        let answer = self.send(&format!("n,,\x01auth=Bearer {}\x01\x01", token.reveal()))?;
        if answer.auth_bytes.is_empty() {
            return Ok(answer);
        }
        // What is wrong comes as JSON first; the error code follows once that is acknowledged.
        let said = String::from_utf8_lossy(&answer.auth_bytes).into_owned();
        self.send(REFUSAL_SEEN)?;
        Err(self.refusal(&said))
    }

    fn send(&mut self, message: &str) -> Result<SaslAuthenticateResponse, CallError> {
        let message = Bytes::copy_from_slice(message.as_bytes());
        let request = SaslAuthenticateRequest::default().with_auth_bytes(message);
        let answer =
            self.connection.call(SASL_AUTHENTICATE, &request, self.limit, self.patience)?;
        if answer.error_code == 0 {
            return Ok(answer);
        }
        let said = answer.error_message.as_deref().unwrap_or_default();
        if answer.error_code == ResponseError::SaslAuthenticationFailed.code() {
            return Err(self.refusal(said));
        }
        let code = error_name(answer.error_code);
        let what = format!("it answers SaslAuthenticate with {code}: {said}");
        Err(self.connection.distrust(what, true))
    }

    /// The broker does not believe it. A token is read anew each time, so another may do.
    fn refusal(&self, said: &str) -> CallError {
        let (what, passing) = match self.sasl {
            Sasl::Plain(login) | Sasl::Scram(_, login) => {
                let user = &login.user;
                let what = format!(
                    "it refuses user `{user}` by {}; check `sasl.username`, `sasl.password` and \
                     that the broker has this user",
                    self.sasl
                );
                (what, false)
            }
            Sasl::OauthBearer(_) => {
                let what = "it refuses the token; check that it has not expired, and its issuer \
                            and audience";
                (what.to_owned(), true)
            }
        };
        let what = if said.is_empty() { what } else { format!("{what} (it says: {said})") };
        self.connection.distrust(what, passing)
    }
}
