use std::borrow::Cow;

use domain::{Channel, Event, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use prost::Message;

use super::{POSITION, content_type, strategies};
use crate::{Format, event, event_id_of_position, event_id_of_text, proto};

/// An event as prost reads it, judged by the rules; `None` where it is undecodable.
fn reference(bytes: &[u8]) -> Option<Event<'static>> {
    let read = proto::Event::decode(bytes).ok()?;
    let text = |text: String| (!text.is_empty()).then_some(Cow::<str>::Owned(text));
    let channel = match text(read.channel) {
        Some(name) => Some(Channel::new(name).ok()?),
        None => None,
    };
    let time = |time: Option<prost_types::Timestamp>| match time {
        None => Some(None),
        Some(prost_types::Timestamp { seconds, nanos }) => {
            let in_range = (-62_135_596_800..=253_402_300_799).contains(&seconds)
                && (0..1_000_000_000).contains(&nanos);
            in_range.then(|| {
                Some(Timestamp::from_millis(seconds * 1_000 + i64::from(nanos) / 1_000_000))
            })
        }
    };
    let id = text(read.id).and_then(event_id_of_text);
    Some(Event {
        id: id.unwrap_or_else(|| event_id_of_position(&POSITION)),
        event_type: text(read.r#type)?,
        channel,
        email: text(read.email),
        mobile_phone: text(read.mobile_phone),
        registration_token: text(read.registration_token),
        mobile_app: text(read.mobile_app),
        external_id: text(read.external_id),
        origin: text(read.origin),
        tenant: text(read.tenant),
        language: text(read.language),
        country: text(read.country),
        email_format: text(read.email_format),
        occurred_at: time(read.occurred_at)?,
        scheduled: time(read.scheduled)?,
        expiration: time(read.expiration)?,
        ctx: read.ctx.into(),
    })
}

fn check(bytes: &[u8]) {
    let ours = event::decode(Some(bytes), content_type("application/protobuf"), &POSITION);
    assert_eq!(ours.ok(), reference(bytes), "bytes: {bytes:?}");
}

/// One field of the wire format, well formed or nearly so: any number, type and length, repeated, with
/// times inside times and groups inside groups.
fn field() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![1..=18_u64, 1..=18_u64, any::<u32>().prop_map(u64::from)];
    let varint = prop_oneof![0..300_u64, any::<u64>()];
    let short = vec(any::<u8>(), 0..6);
    let time =
        (any::<bool>(), -5_i64..5, -2_i64..1_000_000_001).prop_map(|(far, seconds, nanos)| {
            let mut time = vec![8];
            let seconds = if far { seconds * 130_000_000_000 } else { seconds };
            prost::encoding::encode_varint(seconds.cast_unsigned(), &mut time);
            time.push(16);
            prost::encoding::encode_varint(nanos.cast_unsigned(), &mut time);
            time
        });
    let text = "[a-z0-9]{0,5}|é|\\PC".prop_map(String::into_bytes);
    let payload = prop_oneof![text.clone(), text, short.clone(), time];
    let field = (number, 0..8_u64, varint, payload).prop_map(|(number, kind, varint, payload)| {
        let mut bytes = Vec::new();
        // Mostly texts, for that is what most fields are.
        let wire_type = if kind > 5 { 2 } else { kind };
        prost::encoding::encode_varint(number << 3 | wire_type, &mut bytes);
        match wire_type {
            0 => prost::encoding::encode_varint(varint, &mut bytes),
            1 => bytes.extend([7; 8]),
            2 => {
                prost::encoding::encode_varint(payload.len() as u64, &mut bytes);
                bytes.extend(payload);
            }
            5 => bytes.extend([9; 4]),
            _ => {}
        }
        bytes
    });
    prop_oneof![9 => field, 1 => short]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn fields_read_as_prost_reads_them(fields in vec(field(), 0..12)) {
        check(&fields.concat());
        // And with a type, so that more of them are events.
        let typed = [vec![18, 1, b't'], fields.concat()].concat();
        check(&typed);
    }

    #[test]
    fn a_damaged_event_reads_as_prost_reads_it(
        event in strategies::event(),
        edits in vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = Vec::new();
        event::encode(&event, Format::Protobuf, &mut bytes);
        for (index, byte) in &edits {
            let at = index.index(bytes.len());
            bytes[at] = *byte;
        }
        bytes.truncate(cut.index(bytes.len() * 3).max(1));
        check(&bytes);
    }
}

#[test]
fn the_last_of_a_repeated_channel_counts_whatever_the_first_was() {
    check(&[18, 1, b't', 26, 1, 0, 26, 0]);
    check(&[18, 1, b't', 26, 1, 0, 26, 1, b'x']);
    check(&[18, 1, b't', 26, 1, b'x', 26, 1, 0]);
}

#[test]
fn groups_nest_as_deep_as_prost_lets_them() {
    for depth in [1, 99, 100, 101, 10_000] {
        for inside in [&[][..], &[8, 1], &[255]] {
            let open = [0xa3, 0x06].repeat(depth);
            let close = [0xa4, 0x06].repeat(depth);
            check(&[&[18, 1, b't'][..], &open, inside, &close].concat());
            check(&[&[18, 1, b't'][..], &open].concat());
        }
    }
}

#[test]
fn long_numbers_read_as_prost_reads_them() {
    for last in [0, 1, 2, 0x7f, 0x80] {
        for length in 1..12 {
            let mut varint = vec![0xff; length];
            varint.push(last);
            check(&[&[18, 1, b't', 0xa0, 0x06][..], &varint].concat());
        }
    }
}

#[test]
fn a_repeated_time_is_merged_field_by_field() {
    let bytes = [18, 1, b't', 0x72, 2, 8, 5, 0x72, 5, 16, 0x80, 0x84, 0xaf, 0x5f];
    check(&bytes);
    let event =
        event::decode(Some(&bytes), content_type("application/protobuf"), &POSITION).unwrap();
    assert_eq!(event.occurred_at, Some(Timestamp::from_millis(5_200)));
}
