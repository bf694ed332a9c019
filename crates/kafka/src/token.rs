//! Tokens for OAUTHBEARER, from a file or a command.

use std::fmt;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rdkafka::client::OAuthToken;
use serde::Deserialize;

/// A token is a few kilobytes; brokers take no message of more than half a megabyte.
const BYTES_MAX: u64 = 256 << 10;
/// How long a command may run.
const COMMAND_MAX: Duration = Duration::from_secs(10);
/// How often a command that has said everything is looked at until it ends.
const PAUSE: Duration = Duration::from_millis(5);
/// After how long a token that does not say when it expires is asked for anew.
const LIFETIME_ASSUMED: Duration = Duration::from_secs(300);
/// What a client is called whose token does not say it. Brokers read the token themselves.
const NOBODY: &str = "bindery";

/// Where the tokens for OAUTHBEARER come from. Asked again whenever one is needed, so that what renews
/// them need not know of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// A file that something else keeps up to date.
    File(PathBuf),
    /// What `sh -c` of it writes to its standard output.
    Command(String),
}

/// A token. `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    text: String,
    claims: Claims,
}

/// What a JWT says of itself.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Claims {
    sub: Option<String>,
    /// Seconds since the epoch; some issuers write fractions.
    exp: Option<f64>,
}

impl Eq for Claims {}

/// Why there is no token. None of them repeats what was read.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read.
    #[error("the file with the token, `{path}`, cannot be read")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The command cannot be run.
    #[error("the command for the token cannot be run")]
    Command(#[source] io::Error),
    /// The command says that it failed. What it wrote to standard error is in the log of the process.
    #[error("the command for the token failed ({0})")]
    Failed(ExitStatus),
    /// The command was ended.
    #[error("the command for the token did not end within {0:?}")]
    Late(Duration),
    /// Nothing gives one.
    #[error("no token for OAUTHBEARER: set `kafka.token_file` or `kafka.token_command`")]
    NoSource,
    /// There is nothing.
    #[error("there is no token in what was read")]
    Empty,
    /// It has characters that no token has.
    #[error("what was read is not a token: it has blanks or signs that no token has")]
    Malformed,
}

impl TokenSource {
    /// The token of now. A command may run for `limit`, and for ten seconds at most.
    ///
    /// # Errors
    /// Any [`TokenError`].
    pub fn token(&self, limit: Duration) -> Result<Token, TokenError> {
        let text = match self {
            Self::File(path) => read(path)?,
            Self::Command(command) => run(command, limit.min(COMMAND_MAX))?,
        };
        Token::parse(&text)
    }

    /// The same, as librdkafka takes it.
    pub(crate) fn for_librdkafka(&self) -> Result<OAuthToken, TokenError> {
        let token = self.token(COMMAND_MAX)?;
        Ok(OAuthToken {
            lifetime_ms: token.expires_at_ms(),
            principal_name: token.principal(),
            token: token.text,
        })
    }
}

impl Token {
    fn parse(text: &[u8]) -> Result<Self, TokenError> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(TokenError::Empty);
        }
        // RFC 6750: anything else could end the message it is put into.
        let is_token = text.iter().all(u8::is_ascii_graphic);
        let text = std::str::from_utf8(text).ok().filter(|_| is_token);
        let text = text.ok_or(TokenError::Malformed)?;
        let claims = text.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims = claims.and_then(|claims| serde_json::from_slice(&claims).ok());
        Ok(Self { text: text.to_owned(), claims: claims.unwrap_or_default() })
    }

    /// The token itself.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    fn principal(&self) -> String {
        // It goes through C.
        let named =
            self.claims.sub.as_ref().filter(|name| !name.contains('\0') && !name.is_empty());
        named.map_or(NOBODY, String::as_str).to_owned()
    }

    #[expect(clippy::cast_possible_truncation, reason = "a time too far away is the largest one")]
    fn expires_at_ms(&self) -> i64 {
        self.claims.exp.map_or_else(in_a_while_ms, |seconds| (seconds * 1000.0) as i64)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "librdkafka wants a time, and asks from its own thread"
)]
fn in_a_while_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from((now + LIFETIME_ASSUMED).as_millis()).unwrap_or(i64::MAX)
}

fn read(path: &Path) -> Result<Vec<u8>, TokenError> {
    let failed = |source| TokenError::File { path: path.to_owned(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut text = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut text).map_err(failed)?;
    Ok(text)
}

fn run(command: &str, limit: Duration) -> Result<Vec<u8>, TokenError> {
    let deadline = Instant::now() + limit;
    let mut child = Command::new("sh")
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(TokenError::Command)?;
    let said = listen(&mut child, deadline);
    // Until then it may still say that it failed.
    let ended = said.is_ok() && wait(&mut child, deadline);
    if !ended {
        // It fails only when it has ended meanwhile.
        let _ = child.kill();
    }
    let status = child.wait().map_err(TokenError::Command)?;
    match said {
        Ok(_) if ended && !status.success() => Err(TokenError::Failed(status)),
        Ok(said) if ended => said.map_err(TokenError::Command),
        Ok(_) | Err(_) => Err(TokenError::Late(limit)),
    }
}

/// What it writes. The thread lives until its output is closed.
fn listen(child: &mut Child, deadline: Instant) -> Result<io::Result<Vec<u8>>, RecvTimeoutError> {
    let (said, heard) = mpsc::channel();
    let stdout = child.stdout.take();
    let listener = std::thread::Builder::new().name("token".to_owned());
    let listening = listener.spawn(move || {
        let mut text = Vec::new();
        let read = stdout.map_or(Ok(0), |out| out.take(BYTES_MAX).read_to_end(&mut text));
        // Nobody hears it who has given up.
        let _ = said.send(read.map(|_| text));
    });
    match listening {
        Ok(_) => heard.recv_timeout(deadline.saturating_duration_since(Instant::now())),
        Err(error) => Ok(Err(error)),
    }
}

fn wait(child: &mut Child, deadline: Instant) -> bool {
    loop {
        match child.try_wait() {
            Ok(None) if Instant::now() < deadline => std::thread::park_timeout(PAUSE),
            Ok(None) | Err(_) => return false,
            Ok(Some(_)) => return true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `{"sub":"ada","exp":2000000000}` between two parts that nobody reads here.
    const JWT: &str = "e30.eyJzdWIiOiJhZGEiLCJleHAiOjIwMDAwMDAwMDB9.c2ln";

    /// A command in, the token or what is wrong out.
    #[track_caller]
    fn check(command: &str, expected: &str) {
        let source = TokenSource::Command(command.to_owned());
        let said = source.token(Duration::from_secs(2)).map(|token| token.text);
        assert_eq!(said.unwrap_or_else(|error| error.to_string()), expected, "{command}");
    }

    #[test]
    fn a_command_gives_a_token_or_says_why_not() {
        check(&format!("echo {JWT}"), JWT);
        check("printf opaque", "opaque");
        check("true", "there is no token in what was read");
        check(
            "echo two words",
            "what was read is not a token: it has blanks or signs that no token has",
        );
        check("echo token; exit 3", "the command for the token failed (exit status: 3)");
        check(
            "printf '\\377'",
            "what was read is not a token: it has blanks or signs that no token has",
        );
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        for command in ["exec tail -f /dev/null", "exec >/dev/null; exec tail -f /dev/null"] {
            let source = TokenSource::Command(command.to_owned());
            let said = source.token(Duration::from_millis(200)).unwrap_err().to_string();
            assert_eq!(said, "the command for the token did not end within 200ms");
        }
    }

    #[test]
    fn a_file_is_read_anew_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let source = TokenSource::File(path.clone());
        let missing = source.token(Duration::ZERO).unwrap_err().to_string();
        assert_eq!(
            missing,
            format!("the file with the token, `{}`, cannot be read", path.display())
        );
        for token in ["one", "two"] {
            std::fs::write(&path, format!("{token}\n")).unwrap();
            assert_eq!(source.token(Duration::ZERO).unwrap().reveal(), token);
        }
    }

    #[test]
    fn a_token_says_whose_it_is_and_until_when() {
        let token = Token::parse(JWT.as_bytes()).unwrap();
        assert_eq!(token.principal(), "ada");
        assert_eq!(token.expires_at_ms(), 2_000_000_000_000);
        assert_eq!(format!("{token:?}"), "<redacted>");
        let opaque = Token::parse(b"opaque").unwrap();
        assert_eq!(opaque.principal(), NOBODY);
        assert!(opaque.expires_at_ms() > 1_700_000_000_000);
    }
}
