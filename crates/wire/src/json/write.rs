use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;

use crate::json::text::plain_bytes;
use crate::json::{LEVELS_MAX, Scanner};
use crate::message::{Field, Write};
use crate::rfc3339;
use crate::words::Word;

/// Writes one message as a JSON object.
pub(crate) struct Writer<'b> {
    buffer: &'b mut Vec<u8>,
    is_empty: bool,
}

impl<'b> Writer<'b> {
    /// Appends an object to `buffer`.
    pub(crate) fn object(buffer: &'b mut Vec<u8>, inside: impl FnOnce(&mut Self)) {
        buffer.push(b'{');
        let mut writer = Self { buffer, is_empty: true };
        inside(&mut writer);
        writer.buffer.push(b'}');
    }

    #[inline]
    fn key(&mut self, field: Field) {
        self.buffer.extend_from_slice(if self.is_empty { b"\"" } else { b",\"" });
        self.is_empty = false;
        self.buffer.extend_from_slice(field.name.as_bytes());
        self.buffer.extend_from_slice(b"\":");
    }

    /// The inside of a string.
    fn escaped(&mut self, text: &str) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut rest = text.as_bytes();
        loop {
            let (plain, escape) = rest.split_at(plain_bytes(rest));
            self.buffer.extend_from_slice(plain);
            let Some((byte, after)) = escape.split_first() else { return };
            match byte {
                b'"' => self.buffer.extend_from_slice(b"\\\""),
                b'\\' => self.buffer.extend_from_slice(b"\\\\"),
                b'\n' => self.buffer.extend_from_slice(b"\\n"),
                b'\r' => self.buffer.extend_from_slice(b"\\r"),
                b'\t' => self.buffer.extend_from_slice(b"\\t"),
                control => {
                    self.buffer.extend_from_slice(b"\\u00");
                    self.buffer.push(HEX[usize::from(control >> 4)]);
                    self.buffer.push(HEX[usize::from(control & 0xf)]);
                }
            }
            rest = after;
        }
    }

    fn string(&mut self, text: &str) {
        self.buffer.push(b'"');
        self.escaped(text);
        self.buffer.push(b'"');
    }

    fn number(&mut self, number: impl itoa::Integer) {
        self.buffer.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
    }

    /// An object in this one.
    fn nested(&mut self, inside: impl FnOnce(&mut Self)) {
        self.buffer.push(b'{');
        self.is_empty = true;
        inside(self);
        self.is_empty = false;
        self.buffer.push(b'}');
    }

    fn list<T>(
        &mut self,
        field: Field,
        items: impl Iterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.key(field);
        let mut before = b'[';
        for item in items {
            self.buffer.push(before);
            before = b',';
            each(self, item);
        }
        self.buffer.push(b']');
    }
}

impl Write for Writer<'_> {
    #[inline]
    fn joined(&mut self, field: Field, head: &str, tail: &str) {
        if head.is_empty() && tail.is_empty() {
            return;
        }
        self.key(field);
        self.buffer.push(b'"');
        self.escaped(head);
        self.escaped(tail);
        self.buffer.push(b'"');
    }

    #[inline]
    fn json(&mut self, field: Field, json: &[u8]) {
        if !json.is_empty() {
            self.key(field);
            self.buffer.extend_from_slice(json);
        }
    }

    fn unchecked_json(&mut self, field: Field, json: &[u8]) {
        match std::str::from_utf8(json) {
            Ok(text) if is_value(text) => self.json(field, json),
            _ => self.text(field, &String::from_utf8_lossy(json)),
        }
    }

    fn bytes(&mut self, field: Field, bytes: &[u8]) {
        self.key(field);
        self.buffer.push(b'"');
        let start = self.buffer.len();
        self.buffer.resize(start + bytes.len().div_ceil(3) * 4, b'=');
        let written = STANDARD.encode_slice(bytes, &mut self.buffer[start..]);
        debug_assert_eq!(written, Ok(self.buffer.len() - start));
        self.buffer.push(b'"');
    }

    fn uint32(&mut self, field: Field, number: u32) {
        if number != 0 {
            self.key(field);
            self.number(number);
        }
    }

    fn int32(&mut self, field: Field, number: i32) {
        if number != 0 {
            self.key(field);
            self.number(number);
        }
    }

    fn int64(&mut self, field: Field, number: i64) {
        if number != 0 {
            self.key(field);
            self.buffer.push(b'"');
            self.number(number);
            self.buffer.push(b'"');
        }
    }

    fn flag(&mut self, field: Field, flag: bool) {
        if flag {
            self.key(field);
            self.buffer.extend_from_slice(b"true");
        }
    }

    fn word<W: Word>(&mut self, field: Field, word: W) {
        self.key(field);
        self.string(word.name());
    }

    fn time(&mut self, field: Field, time: Timestamp) {
        self.key(field);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(&rfc3339::format(time));
        self.buffer.push(b'"');
    }

    fn message(&mut self, field: Field, inside: impl FnOnce(&mut Self)) {
        self.key(field);
        self.nested(inside);
    }

    fn messages<T>(
        &mut self,
        field: Field,
        items: impl Iterator<Item = T>,
        mut inside: impl FnMut(&mut Self, T),
    ) {
        self.list(field, items, |out, item| out.nested(|out| inside(out, item)));
    }

    fn texts<'t>(&mut self, field: Field, items: impl Iterator<Item = &'t str>) {
        self.list(field, items, Self::string);
    }

    fn uint32s(&mut self, field: Field, items: impl Iterator<Item = u32>) {
        self.list(field, items, |out, number| out.number(number));
    }

    fn words<W: Word>(&mut self, field: Field, items: impl Iterator<Item = W>) {
        self.list(field, items, |out, word| out.string(word.name()));
    }
}

fn is_value(text: &str) -> bool {
    let mut scanner = Scanner::new(text, LEVELS_MAX - 1);
    scanner.value().and_then(|_| scanner.end()).is_ok()
}
