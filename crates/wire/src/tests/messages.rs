use proptest::prelude::*;
use prost::Message;

use super::strategies;
use super::{POSITION, content_type};
use crate::{
    Format, assignment, cancellation, delivery_log, event, fact, held_event, proto, status,
    template, template_content,
};

/// What we write we read again, in both formats; what we write as protobuf prost reads, and writes
/// again to the same bytes; what we write as JSON serde_json reads.
macro_rules! both_formats {
    ($name:ident, $strategy:path, $module:ident, $proto:ident) => {
        proptest! {
            #[test]
            fn $name(value in $strategy()) {
                let mut protobuf = Vec::new();
                $module::encode(&value, Format::Protobuf, &mut protobuf);
                // For ever, because some messages' lifetimes are invariant.
                let protobuf: &'static [u8] = Vec::leak(protobuf);
                let ours = $module::decode(Some(protobuf), content_type("application/protobuf"));
                prop_assert_eq!(ours.as_ref(), Ok(&value));
                let theirs = proto::$proto::decode(protobuf).unwrap();
                prop_assert_eq!(theirs.encode_to_vec(), protobuf.to_vec());

                let mut json = b"before".to_vec();
                $module::encode(&value, Format::Json, &mut json);
                let json = Vec::leak(json).strip_prefix(b"before").unwrap();
                let ours = $module::decode(Some(json), content_type("application/json"));
                prop_assert_eq!(ours.as_ref(), Ok(&value));
                let theirs: serde_json::Value = serde_json::from_slice(json).unwrap();
                prop_assert!(theirs.is_object());
            }
        }
    };
}

both_formats!(an_assignment_comes_back, strategies::assignment, assignment, Assignment);
both_formats!(a_fact_comes_back, strategies::fact, fact, Fact);
both_formats!(a_status_comes_back, strategies::status, status, EventStatus);
both_formats!(a_delivery_log_comes_back, strategies::delivery_log, delivery_log, DeliveryLog);
both_formats!(a_template_comes_back, strategies::template, template, MessageTemplate);
both_formats!(
    a_content_comes_back,
    strategies::template_content,
    template_content,
    TemplateContent
);
both_formats!(a_held_event_comes_back, strategies::held_event, held_event, HeldEvent);
both_formats!(a_cancellation_comes_back, strategies::cancellation, cancellation, Cancellation);

proptest! {
    #[test]
    fn an_event_comes_back(value in strategies::event()) {
        for (format, name) in [
            (Format::Protobuf, "application/protobuf"),
            (Format::Json, "application/json"),
        ] {
            let mut bytes = Vec::new();
            event::encode(&value, format, &mut bytes);
            let ours = event::decode(Some(&bytes), content_type(name), &POSITION);
            prop_assert_eq!(ours.as_ref(), Ok(&value));
            if format == Format::Protobuf {
                let theirs = proto::Event::decode(bytes.as_slice()).unwrap();
                prop_assert_eq!(theirs.encode_to_vec(), bytes);
            }
        }
    }

    /// One decoder after another over bytes that were a record once: none may panic, and what reads
    /// as protobuf must also read for prost.
    #[test]
    fn no_bytes_make_a_decoder_panic(
        fact in strategies::fact(),
        held in strategies::held_event(),
        template in strategies::template(),
        as_json in any::<bool>(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let (format, name) = if as_json {
            (Format::Json, "application/json")
        } else {
            (Format::Protobuf, "application/protobuf")
        };
        let mut records = [Vec::new(), Vec::new(), Vec::new()];
        fact::encode(&fact, format, &mut records[0]);
        held_event::encode(&held, format, &mut records[1]);
        template::encode(&template, format, &mut records[2]);
        for bytes in &mut records {
            for (index, byte) in &edits {
                let at = index.index(bytes.len());
                bytes[at] = *byte;
            }
            bytes.truncate(cut.index(bytes.len() * 3).max(1));
            decode_as_everything(bytes, name, as_json);
        }
    }

    #[test]
    fn arbitrary_bytes_make_no_decoder_panic(
        bytes in proptest::collection::vec(any::<u8>(), 1..64),
        as_json in any::<bool>(),
    ) {
        let name = if as_json { "application/json" } else { "application/protobuf" };
        decode_as_everything(&bytes, name, as_json);
    }
}

#[test]
fn a_message_in_a_message_may_have_any_length() {
    // Lengths of one, two, three and four bytes, and both sides of each border.
    for length in [0, 1, 100, 120, 127, 128, 129, 16_370, 16_383, 16_384, 2_097_130, 2_097_152] {
        let fact = domain::Fact {
            event_id: domain::EventId::new("e").unwrap(),
            attempt: domain::Attempt::FIRST,
            occurred_at: domain::Timestamp::from_millis(1),
            event_type: None,
            external_id: None,
            tenant: None,
            lane: None,
            kind: domain::FactKind::NotSupported(domain::NotSupported {
                reason: domain::RejectionReason::Undecodable,
                detail: "x".repeat(length).into(),
                nearest: None,
            }),
        };
        let mut ours = Vec::new();
        fact::encode(&fact, Format::Protobuf, &mut ours);
        let theirs = proto::Fact::decode(ours.as_slice()).unwrap().encode_to_vec();
        assert!(ours == theirs, "{length}");
        let read = fact::decode(Some(&ours), content_type("application/protobuf"));
        assert!(read.is_ok_and(|read| read == fact), "{length}");
    }
}

fn decode_as_everything(bytes: &[u8], name: &str, as_json: bool) {
    fn check<M: Message + Default>(we_took_it: bool, bytes: &[u8], json: bool) {
        if we_took_it && !json {
            assert!(M::decode(bytes).is_ok(), "prost refuses what we took");
        }
    }
    let value = Some(bytes);
    let headers = || content_type(name);
    check::<proto::Event>(event::decode(value, headers(), &POSITION).is_ok(), bytes, as_json);
    check::<proto::Assignment>(assignment::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::Fact>(fact::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::EventStatus>(status::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::DeliveryLog>(delivery_log::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::MessageTemplate>(template::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::TemplateContent>(
        template_content::decode(value, headers()).is_ok(),
        bytes,
        as_json,
    );
    check::<proto::HeldEvent>(held_event::decode(value, headers()).is_ok(), bytes, as_json);
    check::<proto::Cancellation>(cancellation::decode(value, headers()).is_ok(), bytes, as_json);
}
