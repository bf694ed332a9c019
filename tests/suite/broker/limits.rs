//! Requests that are not what they should be.

use bytes::Buf;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest};

use super::client::{Client, versions_request};

/// A frame with its length in front.
fn frame(body: &[u8]) -> Vec<u8> {
    let mut frame = i32::try_from(body.len()).unwrap().to_be_bytes().to_vec();
    frame.extend_from_slice(body);
    frame
}

/// Sends bytes that make no sense; their connection ends, another one goes on.
#[track_caller]
fn check_closes(bytes: &[u8]) {
    let mut bystander = Client::connect();
    let mut sender = Client::connect();
    sender.send_bytes(bytes);
    assert!(sender.receive_frame().is_none(), "an answer to {bytes:?}");
    let answer = bystander.call(3, &versions_request());
    assert_eq!(answer.error_code, 0);
}

#[test]
fn a_malformed_request_ends_its_own_connection_only() {
    check_closes(&(-1_i32).to_be_bytes());
    check_closes(&i32::MAX.to_be_bytes());
    check_closes(&frame(&[0, 3]));
    // Metadata, version 1, an array of two billion topics.
    check_closes(&frame(&[0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]));
    // No such API key; no such version.
    check_closes(&frame(&[0x70, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff]));
    check_closes(&frame(&[0, 1, 0x70, 0, 0, 0, 0, 1, 0xff, 0xff]));
}

#[test]
fn asking_for_versions_in_too_new_a_version_is_answered_in_the_oldest() {
    let mut client = Client::connect();
    client.send_bytes(&frame(&[0, 18, 0x70, 0, 0, 0, 0, 7, 0xff, 0xff, 0, 1, 1, 0]));
    let mut answer = client.receive_frame().unwrap();
    assert_eq!((answer.get_i32(), answer.get_i16()), (7, 35));
    assert!(answer.get_i32() >= 1);
    let answer = client.call(3, &versions_request());
    for api in [ApiKey::Produce, ApiKey::Fetch, ApiKey::ConsumerGroupHeartbeat] {
        assert!(answer.api_keys.iter().any(|key| key.api_key == api as i16), "{api:?}");
    }
}

#[test]
fn a_client_that_does_not_say_what_it_is_is_refused() {
    let answer = Client::connect().call(3, &ApiVersionsRequest::default());
    assert_eq!(answer.error_code, 42);
}
