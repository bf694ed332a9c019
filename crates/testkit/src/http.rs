use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Asks for `path` at `address`, without TLS: the status and the body of the answer.
///
/// # Panics
///
/// When nobody answers there, or not in HTTP.
#[track_caller]
pub fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).expect("somebody listens there");
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n")
        .expect("it takes a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers in text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("it answers with a head");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("it answers with a status"), body.to_owned())
}
