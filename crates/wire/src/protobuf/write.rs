use domain::Timestamp;

use crate::message::{Field, Write};
use crate::rfc3339;
use crate::words::Word;

const VARINT: u32 = 0;
const BYTES: u32 = 2;

/// Writes one message as protobuf.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
}

impl<'b> Writer<'b> {
    /// Appends to `buffer`.
    pub(crate) const fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer }
    }

    #[inline]
    fn key(&mut self, field: Field, wire_type: u32) {
        self.varint(u64::from(field.number << 3 | wire_type));
    }

    #[inline]
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.buffer.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.buffer.push((number & 0x7f) as u8);
    }

    #[inline]
    fn slice(&mut self, field: Field, bytes: &[u8]) {
        self.key(field, BYTES);
        self.varint(bytes.len() as u64);
        self.buffer.extend_from_slice(bytes);
    }

    /// Something whose length is known only when it has been written.
    fn delimited(&mut self, field: Field, inside: impl FnOnce(&mut Self)) {
        self.key(field, BYTES);
        let start = self.buffer.len();
        // Room for a length of one byte, which is nearly all of them.
        self.buffer.push(0);
        inside(self);
        let mut length = (self.buffer.len() - start - 1) as u64;
        let mut at = start;
        while length >= 0x80 {
            self.buffer[at] = (length & 0x7f) as u8 | 0x80;
            length >>= 7;
            at += 1;
            self.buffer.insert(at, 0);
        }
        self.buffer[at] = (length & 0x7f) as u8;
    }
}

impl Write for Writer<'_> {
    #[inline]
    fn text(&mut self, field: Field, text: &str) {
        if !text.is_empty() {
            self.slice(field, text.as_bytes());
        }
    }

    #[inline]
    fn joined(&mut self, field: Field, head: &str, tail: &str) {
        let length = head.len() + tail.len();
        if length > 0 {
            self.key(field, BYTES);
            self.varint(length as u64);
            self.buffer.extend_from_slice(head.as_bytes());
            self.buffer.extend_from_slice(tail.as_bytes());
        }
    }

    #[inline]
    fn json(&mut self, field: Field, json: &[u8]) {
        if !json.is_empty() {
            self.slice(field, json);
        }
    }

    fn unchecked_json(&mut self, field: Field, json: &[u8]) {
        self.json(field, json);
    }

    fn bytes(&mut self, field: Field, bytes: &[u8]) {
        self.slice(field, bytes);
    }

    #[inline]
    fn uint32(&mut self, field: Field, number: u32) {
        if number != 0 {
            self.key(field, VARINT);
            self.varint(u64::from(number));
        }
    }

    #[inline]
    fn int32(&mut self, field: Field, number: i32) {
        self.int64(field, i64::from(number));
    }

    #[inline]
    fn int64(&mut self, field: Field, number: i64) {
        if number != 0 {
            self.key(field, VARINT);
            self.varint(number.cast_unsigned());
        }
    }

    fn flag(&mut self, field: Field, flag: bool) {
        self.uint32(field, u32::from(flag));
    }

    fn word<W: Word>(&mut self, field: Field, word: W) {
        self.int32(field, word.number());
    }

    #[inline]
    fn time(&mut self, field: Field, time: Timestamp) {
        const SECONDS: Field = Field { number: 1, name: "", original: "" };
        const NANOS: Field = Field { number: 2, name: "", original: "" };
        let (seconds, millis) = rfc3339::split(time);
        self.delimited(field, |out| {
            out.int64(SECONDS, seconds);
            out.int64(NANOS, millis * 1_000_000);
        });
    }

    fn message(&mut self, field: Field, inside: impl FnOnce(&mut Self)) {
        self.delimited(field, inside);
    }

    fn messages<T>(
        &mut self,
        field: Field,
        items: impl Iterator<Item = T>,
        mut inside: impl FnMut(&mut Self, T),
    ) {
        for item in items {
            self.delimited(field, |out| inside(out, item));
        }
    }

    fn texts<'t>(&mut self, field: Field, items: impl Iterator<Item = &'t str>) {
        for item in items {
            self.slice(field, item.as_bytes());
        }
    }

    fn uint32s(&mut self, field: Field, items: impl Iterator<Item = u32>) {
        let mut items = items.peekable();
        if items.peek().is_some() {
            self.delimited(field, |out| items.for_each(|number| out.varint(u64::from(number))));
        }
    }

    fn words<W: Word>(&mut self, field: Field, items: impl Iterator<Item = W>) {
        self.uint32s(field, items.map(|word| word.number().cast_unsigned()));
    }
}
