use std::io::Write as _;

use proptest::prelude::*;

use super::*;

const GZIP: i16 = 1;
const SNAPPY: i16 = 2;
const LZ4: i16 = 3;
const ZSTD: i16 = 4;
const LIMIT: usize = 1 << 20;

fn pack(codec: i16, bytes: &[u8]) -> Bytes {
    let packed = match codec {
        GZIP => {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        SNAPPY => {
            let mut packed = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01".to_vec();
            for block in bytes.chunks(32 << 10) {
                let block = snap::raw::Encoder::new().compress_vec(block).unwrap();
                packed.extend_from_slice(&u32::try_from(block.len()).unwrap().to_be_bytes());
                packed.extend_from_slice(&block);
            }
            packed
        }
        LZ4 => {
            let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        }
        ZSTD => zstd::bulk::compress(bytes, 3).unwrap(),
        _ => bytes.to_vec(),
    };
    Bytes::from(packed)
}

#[track_caller]
fn check(codec: i16, size: usize, expected: Result<usize, &str>) {
    let bytes: Vec<u8> = (0..size).map(|index| u8::try_from(index / 100 % 7).unwrap()).collect();
    let packed = pack(codec, &bytes);
    let found = unpack(codec, &packed, LIMIT);
    let outcome = found.as_ref().map(Bytes::len).map_err(Reason::as_str);
    assert_eq!(outcome, expected, "codec {codec}, {size} bytes in {}", packed.len());
    if let Ok(unpacked) = found {
        assert_eq!(unpacked, bytes);
    }
}

#[test]
fn what_was_packed_is_unpacked() {
    for codec in [0, GZIP, SNAPPY, LZ4, ZSTD] {
        for size in [0, 1, 100, 70_000, LIMIT] {
            // A frame of nothing is not what the encoders make of snappy.
            check(codec, size, Ok(size));
        }
    }
}

#[test]
fn what_unpacks_beyond_the_limit_is_not_unpacked() {
    for codec in [GZIP, SNAPPY, LZ4, ZSTD] {
        check(codec, LIMIT + 1, Err("batch_too_large"));
        check(codec, 10 << 20, Err("batch_too_large"));
    }
}

#[test]
fn a_claim_of_a_size_makes_no_room_for_it() {
    // One byte of snappy that says it is 64 MiB, as one block and in a frame.
    let claim = [0x80, 0x80, 0x80, 0x20, 0];
    let mut frame = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x05".to_vec();
    frame.extend_from_slice(&claim);
    for bytes in [claim.to_vec(), frame] {
        let reason = unpack(SNAPPY, &Bytes::from(bytes), usize::MAX).unwrap_err();
        assert_eq!(reason.as_str(), "batch_malformed");
    }
}

#[test]
fn a_codec_that_is_none_is_malformed() {
    for codec in 5..8 {
        let reason = unpack(codec, &Bytes::from_static(b"?"), LIMIT).unwrap_err();
        assert_eq!(reason.as_str(), "batch_malformed");
    }
}

proptest! {
    #[test]
    fn nonsense_never_panics_and_never_passes_the_limit(
        codec in 0_i16..8,
        mut bytes in prop::collection::vec(any::<u8>(), 0..300),
        text in prop::collection::vec(0_u8..3, 0..4_000),
        is_real in any::<bool>(),
        at in any::<prop::sample::Index>(),
    ) {
        const SMALL: usize = 1_000;
        if is_real {
            // Something that was packed well, with one byte changed.
            let mut packed = pack(codec, &text).to_vec();
            if !packed.is_empty() && !bytes.is_empty() {
                let index = at.index(packed.len());
                packed[index] ^= bytes[0];
            }
            bytes = packed;
        }
        let n_bytes = bytes.len();
        if let Ok(unpacked) = unpack(codec, &Bytes::from(bytes), SMALL) {
            prop_assert!(unpacked.len() <= SMALL.max(n_bytes));
        }
    }
}
