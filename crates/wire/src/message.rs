//! What every message does: take its fields in, and write them out, in either format.

use domain::Timestamp;

use crate::format::Format;
use crate::json::{self, Scanner, Text};
use crate::malformed::{Malformed, Problem};
use crate::protobuf;
use crate::value::{Moment, Value};

/// One field of a message: its number in `proto/bindery/v1` and the two names JSON may use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    pub(crate) number: u32,
    /// The lowerCamelCase one, which we write.
    pub(crate) name: &'static str,
    /// The one of the .proto file.
    pub(crate) original: &'static str,
}

/// Declares a message's fields: the table, a constant for each to write it by and, in the module
/// `number`, one to match it by.
macro_rules! fields {
    ($($constant:ident = $number:literal $name:literal $original:literal;)*) => {
        $(pub(super) const $constant: $crate::message::Field = $crate::message::Field {
            number: $number,
            name: $name,
            original: $original,
        };)*
        pub(crate) const FIELDS: &[$crate::message::Field] = &[$($constant),*];
        mod number {
            $(pub(super) const $constant: u32 = $number;)*
        }
    };
}
pub(crate) use fields;

/// A message while it is read.
pub(crate) trait Fields<'a> {
    /// All it has.
    const FIELDS: &'static [Field];
    /// How many messages it lies in.
    const LEVEL: u32 = 0;

    /// Takes the value of the field `number` in; the last one counts. Others than its own it ignores.
    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem>;
}

/// A field's fault, or the whole message's where the bytes make no fields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) field: Option<&'static str>,
    pub(crate) problem: Problem,
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self { field: None, problem }
    }
}

impl From<Fault> for Malformed {
    fn from(fault: Fault) -> Self {
        Self::of_field(fault.field.unwrap_or("value"), fault.problem)
    }
}

/// Takes in the fields of a protobuf message.
#[inline]
pub(crate) fn read_protobuf<'a, M: Fields<'a>>(
    into: &mut M,
    mut reader: protobuf::Reader<'a>,
) -> Result<(), Fault> {
    while let Some((number, value)) = reader.field()? {
        into.set(number, value)
            .map_err(|problem| Fault { field: name_of::<M>(number), problem })?;
    }
    Ok(())
}

/// Takes in the fields of a JSON object.
#[inline]
pub(crate) fn read_json<'a, M: Fields<'a>>(into: &mut M, text: &'a str) -> Result<(), Fault> {
    let mut scanner = Scanner::new(text, json::LEVELS_MAX);
    scanner.enter_object()?;
    let mut first = true;
    let mut guess = 0;
    while let Some(key) = scanner.key(first)? {
        first = false;
        let value = scanner.value()?;
        if let Some((at, field)) = find(M::FIELDS, guess, key) {
            guess = at + 1;
            into.set(field.number, value)
                .map_err(|problem| Fault { field: Some(field.name), problem })?;
        }
    }
    scanner.end()?;
    Ok(())
}

/// The field called `key`. Most writers keep an order, so it starts to look at `guess`.
#[inline]
fn find(fields: &'static [Field], guess: usize, key: Text<'_>) -> Option<(usize, &'static Field)> {
    let unescaped;
    let key = match key.unescaped() {
        Some(key) => key,
        None => {
            unescaped = key.unescape();
            unescaped.as_ref()
        }
    };
    let (before, after) = fields.split_at(guess.min(fields.len()));
    let after = after.iter().enumerate().map(|(at, field)| (at + before.len(), field));
    after
        .chain(before.iter().enumerate())
        .find(|(_, field)| field.name == key || field.original == key)
}

fn name_of<'a, M: Fields<'a>>(number: u32) -> Option<&'static str> {
    M::FIELDS.iter().find(|field| field.number == number).map(|field| field.name)
}

/// Takes in a message in the format it came in.
pub(crate) fn read<'a, M: Fields<'a> + Default>(
    format: Format,
    bytes: &'a [u8],
) -> Result<M, Malformed> {
    let mut message = M::default();
    match format {
        Format::Protobuf => read_protobuf(&mut message, protobuf::Reader::new(bytes, M::LEVEL))?,
        Format::Json => read_json(&mut message, utf8(bytes).map_err(Fault::from)?)?,
    }
    Ok(message)
}

/// The text of a JSON value.
pub(crate) fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|_| Problem("is not UTF-8"))
}

/// A field's value, or what is wrong with it.
pub(crate) fn checked<T>(field: Field, value: Result<T, Problem>) -> Result<T, Malformed> {
    value.map_err(|problem| Malformed::of_field(field.name, problem))
}

/// The value of a field that has to be there and well formed; else `problem` says what it is not.
pub(crate) fn need<T>(
    field: Field,
    value: Option<T>,
    problem: &'static str,
) -> Result<T, Malformed> {
    checked(field, value.ok_or(Problem(problem)))
}

/// A field's time.
pub(crate) fn time_of(field: Field, moment: Moment) -> Result<Option<Timestamp>, Malformed> {
    checked(field, moment.timestamp())
}

/// Writes one message's fields in one format. What is empty, zero or false is not written, as
/// proto3 has it.
pub(crate) trait Write {
    /// A text.
    fn text(&mut self, field: Field, text: &str) {
        self.joined(field, text, "");
    }
    /// Two texts as one.
    fn joined(&mut self, field: Field, head: &str, tail: &str);
    /// Well-formed JSON, which stands in JSON as itself.
    fn json(&mut self, field: Field, json: &[u8]);
    /// What should be JSON and may not be; where it is not, it stands in JSON as a string.
    fn unchecked_json(&mut self, field: Field, json: &[u8]);
    /// Bytes, written also when empty; base64 in JSON.
    fn bytes(&mut self, field: Field, bytes: &[u8]);
    /// A number of 32 bits without a sign.
    fn uint32(&mut self, field: Field, number: u32);
    /// A number of 32 bits.
    fn int32(&mut self, field: Field, number: i32);
    /// A number of 64 bits, a string in JSON.
    fn int64(&mut self, field: Field, number: i64);
    /// A flag.
    fn flag(&mut self, field: Field, flag: bool);
    /// A word of a closed set.
    fn word<W: crate::words::Word>(&mut self, field: Field, word: W);
    /// A time, written also when it is the epoch.
    fn time(&mut self, field: Field, time: Timestamp);
    /// A message, written also when empty.
    fn message(&mut self, field: Field, inside: impl FnOnce(&mut Self));
    /// Messages.
    fn messages<T>(
        &mut self,
        field: Field,
        items: impl Iterator<Item = T>,
        inside: impl FnMut(&mut Self, T),
    );
    /// Texts.
    fn texts<'t>(&mut self, field: Field, items: impl Iterator<Item = &'t str>);
    /// Numbers.
    fn uint32s(&mut self, field: Field, items: impl Iterator<Item = u32>);
    /// Words.
    fn words<W: crate::words::Word>(&mut self, field: Field, items: impl Iterator<Item = W>);

    /// A text that may be absent.
    #[inline]
    fn optional(&mut self, field: Field, text: Option<&str>) {
        if let Some(text) = text {
            self.text(field, text);
        }
    }
    /// A time that may be absent.
    #[inline]
    fn optional_time(&mut self, field: Field, time: Option<Timestamp>) {
        if let Some(time) = time {
            self.time(field, time);
        }
    }
}

/// Appends a message to `buffer`, in `format`, as `fields` writes it.
pub(crate) trait Encode {
    /// Writes every field.
    fn write(&self, out: &mut impl Write);

    /// Appends it to `buffer`; allocates nothing but what the buffer needs to grow.
    fn append(&self, format: Format, buffer: &mut Vec<u8>) {
        match format {
            Format::Protobuf => self.write(&mut protobuf::Writer::new(buffer)),
            Format::Json => json::Writer::object(buffer, |out| self.write(out)),
        }
    }
}
