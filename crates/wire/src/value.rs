//! One field's value as a scanner found it, and what a message makes of it.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use domain::Timestamp;

use crate::json::Text;
use crate::malformed::Problem;
use crate::message::{self, Fields};
use crate::protobuf::Reader;
use crate::rfc3339;
use crate::words::Word;

/// One field's value, not yet converted. The first four come from protobuf, the rest from JSON,
/// where the text of an object, array or number has been checked to be well formed.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    /// A varint.
    Varint(u64),
    /// Length-delimited bytes.
    Bytes(&'a [u8]),
    /// Length-delimited bytes that are known to be UTF-8.
    Utf8(&'a str),
    /// What no field of ours has: a fixed-width number or a group.
    Fixed,
    /// A string.
    Text(Text<'a>),
    /// A number, as written.
    Number(&'a str),
    /// `true` or `false`.
    Bool(bool),
    /// An object, from brace to brace.
    Object(&'a str),
    /// An array, from bracket to bracket.
    Array(&'a str),
    /// `null`, which proto3 JSON reads as absent.
    Null,
}

const NOT_TEXT: Problem = Problem("is not a string");
const NOT_UTF8: Problem = Problem("is not UTF-8");
const NOT_A_NUMBER: Problem = Problem("is not a number of its range");
const NOT_A_FLAG: Problem = Problem("is not true or false");
const NOT_A_WORD: Problem = Problem("is not one of its words");
const NOT_A_MESSAGE: Problem = Problem("is not an object");
const NOT_A_LIST: Problem = Problem("is not an array");
const NOT_BYTES: Problem = Problem("is not base64");
const NOT_A_TIME: Problem = Problem("is not an RFC 3339 time");
const TIME_RANGE: Problem = Problem("is not a time from year 1 to 9999");

/// Both alphabets with or without padding, as proto3 JSON asks of a reader.
const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

impl<'a> Value<'a> {
    /// A text; absent is empty.
    pub(crate) fn text(self) -> Result<Cow<'a, str>, Problem> {
        match self {
            Self::Utf8(text) => Ok(Cow::Borrowed(text)),
            Self::Text(text) => Ok(text.unescape()),
            Self::Bytes(bytes) => {
                std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|_| NOT_UTF8)
            }
            Self::Null => Ok(Cow::Borrowed("")),
            Self::Varint(_)
            | Self::Fixed
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_) => Err(NOT_TEXT),
        }
    }

    /// A text into `slot`, where empty means that there is none.
    #[inline]
    pub(crate) fn text_into(self, slot: &mut Option<Cow<'a, str>>) -> Result<(), Problem> {
        match self.borrowed_text() {
            // Written from registers: a `Cow` that goes through memory costs more than all the rest.
            Some("") => *slot = None,
            Some(text) => *slot = Some(Cow::Borrowed(text)),
            None => {
                let text = self.text()?;
                *slot = (!text.is_empty()).then_some(text);
            }
        }
        Ok(())
    }

    /// A text into `slot`; absent is empty.
    #[inline]
    pub(crate) fn text_over(self, slot: &mut Cow<'a, str>) -> Result<(), Problem> {
        *slot = match self.borrowed_text() {
            Some(text) => Cow::Borrowed(text),
            None => self.text()?,
        };
        Ok(())
    }

    /// The text, where it needs neither check nor change.
    #[inline]
    fn borrowed_text(&self) -> Option<&'a str> {
        match self {
            Self::Utf8(text) => Some(text),
            Self::Text(text) => text.unescaped(),
            Self::Varint(_)
            | Self::Bytes(_)
            | Self::Fixed
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_)
            | Self::Null => None,
        }
    }

    /// Data whose JSON form is the JSON itself. Not looked into; absent is empty.
    #[inline]
    pub(crate) fn json(self) -> Result<&'a [u8], Problem> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Utf8(text) => Ok(text.as_bytes()),
            Self::Text(text) => Ok(text.quoted().as_bytes()),
            Self::Number(text) | Self::Object(text) | Self::Array(text) => Ok(text.as_bytes()),
            Self::Bool(true) => Ok(b"true"),
            Self::Bool(false) => Ok(b"false"),
            Self::Null => Ok(b""),
            Self::Varint(_) | Self::Fixed => Err(NOT_TEXT),
        }
    }

    /// Bytes; base64 in JSON; absent is empty.
    pub(crate) fn bytes(self) -> Result<Cow<'a, [u8]>, Problem> {
        match self {
            Self::Bytes(bytes) => Ok(Cow::Borrowed(bytes)),
            Self::Utf8(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Self::Text(text) => {
                let text = text.unescape();
                BASE64
                    .decode(text.as_bytes())
                    .or_else(|_| BASE64_URL.decode(text.as_bytes()))
                    .map(Cow::Owned)
                    .map_err(|_| NOT_BYTES)
            }
            Self::Null => Ok(Cow::Borrowed(b"")),
            Self::Varint(_)
            | Self::Fixed
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_) => Err(NOT_BYTES),
        }
    }

    /// A signed number of 64 bits; in JSON as a number or a string of digits.
    pub(crate) fn signed(self) -> Result<i64, Problem> {
        match self {
            Self::Varint(number) => Ok(number.cast_signed()),
            Self::Number(text) => text.parse().map_err(|_| NOT_A_NUMBER),
            Self::Text(text) => text.unescape().parse().map_err(|_| NOT_A_NUMBER),
            Self::Null => Ok(0),
            Self::Bytes(_)
            | Self::Utf8(_)
            | Self::Fixed
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_) => Err(NOT_A_NUMBER),
        }
    }

    /// An `int32`. Protobuf cuts a longer number off, JSON refuses it.
    pub(crate) fn int32(self) -> Result<i32, Problem> {
        if let Self::Varint(number) = self {
            return Ok(low_bits(number).cast_signed());
        }
        i32::try_from(self.signed()?).map_err(|_| NOT_A_NUMBER)
    }

    /// A `uint32`. Protobuf cuts a longer number off, JSON refuses it.
    pub(crate) fn uint32(self) -> Result<u32, Problem> {
        if let Self::Varint(number) = self {
            return Ok(low_bits(number));
        }
        u32::try_from(self.signed()?).map_err(|_| NOT_A_NUMBER)
    }

    /// A `bool`; absent is false.
    pub(crate) fn flag(self) -> Result<bool, Problem> {
        match self {
            Self::Varint(number) => Ok(number != 0),
            Self::Bool(flag) => Ok(flag),
            Self::Null => Ok(false),
            Self::Bytes(_)
            | Self::Utf8(_)
            | Self::Fixed
            | Self::Text(_)
            | Self::Number(_)
            | Self::Object(_)
            | Self::Array(_) => Err(NOT_A_FLAG),
        }
    }

    /// One word of a closed set; `None` where it is absent or unspecified.
    pub(crate) fn word<W: Word>(self) -> Result<Option<W>, Problem> {
        match self {
            Self::Varint(number) => of_number(i64::from(low_bits(number).cast_signed())),
            Self::Number(text) => of_number(text.parse().map_err(|_| NOT_A_WORD)?),
            Self::Text(text) => {
                let text = text.unescape();
                W::ALL
                    .iter()
                    .find(|word| word.name() == text.as_ref())
                    .copied()
                    .map(Some)
                    .ok_or(NOT_A_WORD)
            }
            Self::Null => Ok(None),
            Self::Bytes(_)
            | Self::Utf8(_)
            | Self::Fixed
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_) => Err(NOT_A_WORD),
        }
    }

    /// A message inside a message, taken into `into` on top of what is there already. `false` where
    /// it is absent.
    pub(crate) fn message<M: Fields<'a>>(self, into: &mut M) -> Result<bool, Problem> {
        let read = match self {
            Self::Bytes(bytes) => message::read_protobuf(into, Reader::new(bytes, M::LEVEL)),
            Self::Utf8(text) => message::read_protobuf(into, Reader::of_text(text, M::LEVEL)),
            Self::Object(text) => message::read_json(into, text),
            Self::Null => return Ok(false),
            Self::Varint(_)
            | Self::Fixed
            | Self::Text(_)
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Array(_) => return Err(NOT_A_MESSAGE),
        };
        read.map(|()| true).map_err(|fault| fault.problem)
    }

    /// A repeated field: one element of it in protobuf, all of them in JSON.
    pub(crate) fn elements(
        self,
        mut element: impl FnMut(Value<'a>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        match self {
            Self::Bytes(_) | Self::Utf8(_) | Self::Varint(_) | Self::Fixed => element(self),
            Self::Array(text) => crate::json::elements(text, element),
            Self::Null => Ok(()),
            Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Object(_) => Err(NOT_A_LIST),
        }
    }

    /// A repeated field of numbers, which protobuf may also pack into one.
    pub(crate) fn packed_elements(
        self,
        mut element: impl FnMut(Value<'a>) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let bytes = match self {
            Self::Bytes(bytes) => bytes,
            Self::Utf8(text) => text.as_bytes(),
            Self::Varint(_)
            | Self::Fixed
            | Self::Text(_)
            | Self::Number(_)
            | Self::Bool(_)
            | Self::Object(_)
            | Self::Array(_)
            | Self::Null => return self.elements(element),
        };
        let mut packed = Reader::of_numbers(bytes, 0);
        while let Some(number) = packed.packed()? {
            element(Value::Varint(number))?;
        }
        Ok(())
    }
}

/// A `google.protobuf.Timestamp` while it is read. Protobuf merges a repeated one field by field, so
/// it is checked only when the message has been read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Moment {
    present: bool,
    seconds: i64,
    nanos: i32,
}

impl Moment {
    /// Takes a field's value in.
    pub(crate) fn set(&mut self, value: Value<'_>) -> Result<(), Problem> {
        match value {
            Value::Bytes(bytes) => self.merge(bytes)?,
            Value::Utf8(text) => self.merge(text.as_bytes())?,
            Value::Text(text) => *self = Self::of_text(&text.unescape())?,
            Value::Null => *self = Self::default(),
            Value::Varint(_)
            | Value::Fixed
            | Value::Number(_)
            | Value::Bool(_)
            | Value::Object(_)
            | Value::Array(_) => return Err(NOT_A_TIME),
        }
        Ok(())
    }

    fn merge(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.present = true;
        let mut reader = Reader::of_numbers(bytes, 1);
        while let Some((number, value)) = reader.field()? {
            match (number, value) {
                (1, Value::Varint(seconds)) => self.seconds = seconds.cast_signed(),
                (2, Value::Varint(nanos)) => self.nanos = low_bits(nanos).cast_signed(),
                (1 | 2, _) => return Err(NOT_A_TIME),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether no value came.
    pub(crate) const fn is_absent(self) -> bool {
        !self.present
    }

    /// The moment an RFC 3339 text says.
    pub(crate) fn of_text(text: &str) -> Result<Self, Problem> {
        let (seconds, nanos) = rfc3339::parse(text).ok_or(NOT_A_TIME)?;
        Ok(Self { present: true, seconds, nanos })
    }

    /// The time, to the millisecond below; `None` where there is none.
    pub(crate) fn timestamp(self) -> Result<Option<Timestamp>, Problem> {
        if !self.present {
            return Ok(None);
        }
        if !(0..1_000_000_000).contains(&self.nanos) || !rfc3339::SECONDS.contains(&self.seconds) {
            return Err(TIME_RANGE);
        }
        let millis = self.seconds * 1_000 + i64::from(self.nanos / 1_000_000);
        Ok(Some(Timestamp::from_millis(millis)))
    }
}

fn of_number<W: Word>(number: i64) -> Result<Option<W>, Problem> {
    if number == 0 {
        return Ok(None);
    }
    W::ALL
        .iter()
        .find(|word| i64::from(word.number()) == number)
        .copied()
        .map(Some)
        .ok_or(NOT_A_WORD)
}

/// What protobuf makes of a number too long for its field.
#[expect(clippy::cast_possible_truncation, reason = "protobuf asks for exactly that")]
const fn low_bits(number: u64) -> u32 {
    number as u32
}
