//! Against a broker that knows nothing but how to be told who somebody is.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey, ApiVersionsResponse, RequestHeader, ResponseHeader, SaslAuthenticateRequest,
    SaslAuthenticateResponse, SaslHandshakeRequest, SaslHandshakeResponse,
};
use kafka_protocol::protocol::{Decodable, Encodable, HeaderVersion, StrBytes};

use super::{Connection, TokenSource, outcome, patience, security};
use crate::{Address, ClientSettings};

const PLAIN: [(&str, &str); 4] = [
    ("security.protocol", "SASL_PLAINTEXT"),
    ("sasl.mechanism", "PLAIN"),
    ("sasl.username", "ada"),
    ("sasl.password", "hunter2"),
];
const BEARER: [(&str, &str); 2] =
    [("security.protocol", "SASL_PLAINTEXT"), ("sasl.mechanism", "OAUTHBEARER")];

/// How a broker answers.
#[derive(Clone, Default)]
struct Script {
    handshake: SaslHandshakeResponse,
    /// The answers to SaslAuthenticate, the last one again and again.
    authenticate: Vec<SaslAuthenticateResponse>,
}

/// A broker, and every SASL message it was sent.
struct Broker {
    address: String,
    messages: Arc<Mutex<Vec<String>>>,
}

impl Broker {
    fn start(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let messages = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&messages);
        // It ends with the process: nobody connects any more.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(stream.unwrap(), &script, &heard);
            }
        });
        Self { address, messages }
    }

    fn messages(&self) -> Vec<String> {
        self.messages.lock().unwrap().clone()
    }
}

/// Answers until the client leaves.
fn serve(mut stream: TcpStream, script: &Script, heard: &Mutex<Vec<String>>) {
    let mut answers = script.authenticate.iter();
    let mut answer = SaslAuthenticateResponse::default();
    loop {
        let mut size = [0; 4];
        if stream.read_exact(&mut size).is_err() {
            return;
        }
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(size)).unwrap()];
        stream.read_exact(&mut frame).unwrap();
        let mut frame = Bytes::from(frame);
        let (key, version) =
            (i16::from_be_bytes([frame[0], frame[1]]), i16::from_be_bytes([frame[2], frame[3]]));
        let key = ApiKey::try_from(key).unwrap();
        let header =
            RequestHeader::decode(&mut frame, key.request_header_version(version)).unwrap();
        let mut out = BytesMut::new();
        let mut put = |header_version, body: &dyn Fn(&mut BytesMut)| {
            ResponseHeader::default()
                .with_correlation_id(header.correlation_id)
                .encode(&mut out, header_version)
                .unwrap();
            body(&mut out);
        };
        #[expect(clippy::wildcard_enum_match_arm, reason = "it is sent nothing else")]
        match key {
            ApiKey::SaslHandshake => {
                let asked = SaslHandshakeRequest::decode(&mut frame, version).unwrap();
                heard.lock().unwrap().push(asked.mechanism.to_string());
                let answer = &script.handshake;
                put(SaslHandshakeResponse::header_version(version), &|out| {
                    answer.encode(out, version).unwrap();
                });
            }
            ApiKey::SaslAuthenticate => {
                let asked = SaslAuthenticateRequest::decode(&mut frame, version).unwrap();
                let said = String::from_utf8(asked.auth_bytes.to_vec()).unwrap();
                heard.lock().unwrap().push(said);
                answer = answers.next().cloned().unwrap_or(answer);
                put(SaslAuthenticateResponse::header_version(version), &|out| {
                    answer.encode(out, version).unwrap();
                });
            }
            other => {
                assert_eq!(other, ApiKey::ApiVersions);
                put(ApiVersionsResponse::header_version(version), &|out| {
                    ApiVersionsResponse::default().encode(out, version).unwrap();
                });
            }
        }
        let size = u32::try_from(out.len()).unwrap().to_be_bytes();
        stream.write_all(&[&size[..], &out].concat()).unwrap();
    }
}

fn taking(answers: &[SaslAuthenticateResponse]) -> Script {
    Script { authenticate: answers.to_vec(), ..Script::default() }
}

fn refusal(message: &'static str) -> SaslAuthenticateResponse {
    SaslAuthenticateResponse::default()
        .with_error_code(58)
        .with_error_message(Some(StrBytes::from_static_str(message)))
}

fn tokens() -> Option<TokenSource> {
    Some(TokenSource::new(|_| Ok("t0ken".to_owned())))
}

#[test]
fn plain_says_user_and_password() {
    let broker = Broker::start(taking(&[SaslAuthenticateResponse::default()]));
    assert_eq!(outcome(&broker.address, security(&PLAIN, None)), "fine");
    assert_eq!(broker.messages(), ["PLAIN", "\0ada\0hunter2"]);
}

#[test]
fn oauthbearer_shows_the_token_of_the_moment() {
    let broker = Broker::start(taking(&[SaslAuthenticateResponse::default()]));
    assert_eq!(outcome(&broker.address, security(&BEARER, tokens())), "fine");
    assert_eq!(broker.messages(), ["OAUTHBEARER", "n,,\x01auth=Bearer t0ken\x01\x01"]);
}

#[test]
fn a_token_that_is_refused_is_told_why_and_may_be_replaced() {
    let why = Bytes::from_static(br#"{"status":"invalid_token"}"#);
    let first = SaslAuthenticateResponse::default().with_auth_bytes(why);
    let broker = Broker::start(taking(&[first, refusal("invalid_token")]));
    let said = outcome(&broker.address, security(&BEARER, tokens()));
    let expected = "passing: it refuses the token; check that it has not expired, and its issuer and \
                    audience (it says: invalid_token)";
    assert_eq!(said, expected);
    assert_eq!(broker.messages().last().unwrap(), "\x01");
}

#[test]
fn without_a_token_nobody_is_asked() {
    let broker = Broker::start(Script::default());
    let none = TokenSource::new(|_| Err("the command for the token failed".to_owned()));
    let said = outcome(&broker.address, security(&BEARER, Some(none)));
    assert_eq!(said, "passing: the command for the token failed");
    assert_eq!(broker.messages(), ["OAUTHBEARER"]);
}

#[test]
fn a_wrong_password_is_said_to_be_one_and_not_repeated() {
    let broker = Broker::start(taking(&[refusal("Authentication failed")]));
    let said = outcome(&broker.address, security(&PLAIN, None));
    let expected = "for good: it refuses user `ada` by PLAIN; check `sasl.username`, `sasl.password` \
                    and that the broker has this user (it says: Authentication failed)";
    assert_eq!(said, expected);
}

#[test]
fn a_mechanism_that_the_broker_does_not_take_is_told_with_those_it_does() {
    let mechanisms = ["GSSAPI", "SCRAM-SHA-512"].map(StrBytes::from_static_str).to_vec();
    let handshake =
        SaslHandshakeResponse::default().with_error_code(33).with_mechanisms(mechanisms);
    let broker = Broker::start(Script { handshake, ..Script::default() });
    let said = outcome(&broker.address, security(&PLAIN, None));
    let expected =
        "for good: it takes GSSAPI, SCRAM-SHA-512, but not PLAIN; change `sasl.mechanism`";
    assert_eq!(said, expected);
}

#[test]
fn a_broker_that_asks_nobody_who_they_are_is_said_to() {
    let handshake = SaslHandshakeResponse::default().with_error_code(34);
    let broker = Broker::start(Script { handshake, ..Script::default() });
    let said = outcome(&broker.address, security(&PLAIN, None));
    assert!(said.starts_with("for good: it asks nobody who they are at this port"), "{said}");
}

#[test]
fn who_somebody_is_is_said_again_before_the_session_ends() {
    let lifetime_ms = 200;
    let session = SaslAuthenticateResponse::default().with_session_lifetime_ms(lifetime_ms);
    let broker = Broker::start(taking(&[session]));
    let (host, port) = broker.address.split_once(':').unwrap();
    let address = Address { host: host.to_owned(), port: port.parse().unwrap() };
    let (limit, patience) = (Duration::from_secs(10), patience());
    let settings = ClientSettings {
        bootstrap_servers: broker.address.clone(),
        client_id: "test".to_owned(),
        request_timeout: limit,
        security: security(&PLAIN, None),
    };
    let mut connection = Connection::open(&address, &settings, &patience).unwrap();
    let mut ask = || {
        let request = kafka_protocol::messages::ApiVersionsRequest::default();
        connection.call(3, &request, limit, &patience).unwrap();
    };
    ask();
    assert_eq!(broker.messages().len(), 2, "once at first");
    // Nothing can be waited for but the time itself.
    std::thread::park_timeout(Duration::from_millis(u64::try_from(lifetime_ms).unwrap()));
    while broker.messages().len() < 4 {
        ask();
    }
    assert_eq!(broker.messages()[2..], ["PLAIN", "\0ada\0hunter2"]);
}
