//! The protocol's numbers and strings of variable length.

/// Seven bits a byte, the lowest first.
pub fn put_uvarint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

/// How many bytes [`put_uvarint`] takes; zero takes one as well.
pub const fn uvarint_len(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

/// Small numbers of either sign as small numbers.
pub const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The length in front of bytes or of a string, in flexible versions of requests.
pub fn put_compact_bytes_len(out: &mut Vec<u8>, len: usize) {
    put_uvarint(out, len as u64 + 1);
}

/// A string with its length, in flexible versions of requests.
pub fn put_compact_string(out: &mut Vec<u8>, text: &str) {
    put_compact_bytes_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}
