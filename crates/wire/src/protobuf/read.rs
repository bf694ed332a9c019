use crate::malformed::Problem;
use crate::value::Value;

/// How deep messages and groups may nest; what prost allows.
const LEVELS_MAX: u32 = 100;

const TRUNCATED: Problem = Problem("ends in the middle of a field");
const BAD_VARINT: Problem = Problem("has a number of more than 64 bits");
const BAD_KEY: Problem = Problem("has an impossible field number or wire type");
const BAD_GROUP: Problem = Problem("has a group that is not closed");
const TOO_DEEP: Problem = Problem("has groups nested too deeply");

/// Goes through the fields of one message. Accepts what prost accepts.
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    /// As much from the start of `bytes` as is UTF-8. Writers put texts first, so that this is most of
    /// them at least: checked in one go, they need not be checked one by one.
    text: &'a str,
    levels_left: u32,
}

impl<'a> Reader<'a> {
    /// A reader of a message that lies `level` messages deep.
    pub(crate) fn new(bytes: &'a [u8], level: u32) -> Self {
        Self { text: utf8_start(bytes), ..Self::of_numbers(bytes, level) }
    }

    /// A reader of a message all of which is UTF-8.
    pub(crate) const fn of_text(text: &'a str, level: u32) -> Self {
        Self { text, ..Self::of_numbers(text.as_bytes(), level) }
    }

    /// A reader of a message in which no text is looked for.
    pub(crate) const fn of_numbers(bytes: &'a [u8], level: u32) -> Self {
        Self { bytes, at: 0, text: "", levels_left: LEVELS_MAX - level }
    }

    /// The next field, `None` at the end.
    #[inline(always)]
    pub(crate) fn field(&mut self) -> Result<Option<(u32, Value<'a>)>, Problem> {
        if self.is_at_end() {
            return Ok(None);
        }
        let (number, wire_type) = self.key()?;
        let value = match wire_type {
            0 => Value::Varint(self.varint()?),
            1 => {
                self.take(8)?;
                Value::Fixed
            }
            2 => self.delimited()?,
            3 => {
                self.skip_group(number, self.levels_left)?;
                Value::Fixed
            }
            5 => {
                self.take(4)?;
                Value::Fixed
            }
            4 => return Err(BAD_GROUP),
            _ => return Err(BAD_KEY),
        };
        Ok(Some((number, value)))
    }

    /// A packed list is nothing but varints up to the end.
    pub(crate) fn packed(&mut self) -> Result<Option<u64>, Problem> {
        if self.is_at_end() { Ok(None) } else { self.varint().map(Some) }
    }

    #[inline]
    const fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    #[inline(always)]
    fn key(&mut self) -> Result<(u32, u32), Problem> {
        let key = u32::try_from(self.varint()?).map_err(|_| BAD_KEY)?;
        let (number, wire_type) = (key >> 3, key & 7);
        if number == 0 { Err(BAD_KEY) } else { Ok((number, wire_type)) }
    }

    #[inline(always)]
    fn delimited(&mut self) -> Result<Value<'a>, Problem> {
        let length = usize::try_from(self.varint()?).map_err(|_| TRUNCATED)?;
        let start = self.at;
        let bytes = self.take(length)?;
        Ok(match self.text.get(start..self.at) {
            Some(text) => Value::Utf8(text),
            None => Value::Bytes(bytes),
        })
    }

    #[inline(always)]
    fn take(&mut self, length: usize) -> Result<&'a [u8], Problem> {
        let end = self.at.checked_add(length).ok_or(TRUNCATED)?;
        let taken = self.bytes.get(self.at..end).ok_or(TRUNCATED)?;
        self.at = end;
        Ok(taken)
    }

    #[inline(always)]
    fn varint(&mut self) -> Result<u64, Problem> {
        match self.bytes[self.at..] {
            [first, ..] if first < 0x80 => {
                self.at += 1;
                Ok(u64::from(first))
            }
            [first, second, ..] if second < 0x80 => {
                self.at += 2;
                Ok(u64::from(first & 0x7f) | u64::from(second) << 7)
            }
            _ => self.long_varint(),
        }
    }

    fn long_varint(&mut self) -> Result<u64, Problem> {
        let rest = &self.bytes[self.at..];
        let mut number = 0;
        for (at, byte) in rest.iter().take(10).enumerate() {
            // The tenth byte has room for one bit.
            if at == 9 && *byte > 1 {
                return Err(BAD_VARINT);
            }
            number |= u64::from(byte & 0x7f) << (7 * at);
            if *byte < 0x80 {
                self.at += at + 1;
                return Ok(number);
            }
        }
        Err(if rest.len() < 10 { TRUNCATED } else { BAD_VARINT })
    }

    fn skip_group(&mut self, number: u32, levels_left: u32) -> Result<(), Problem> {
        // The bound keeps hostile input from using up the stack.
        let levels_left = levels_left.checked_sub(1).ok_or(TOO_DEEP)?;
        loop {
            if self.is_at_end() {
                return Err(BAD_GROUP);
            }
            let (inner, wire_type) = self.key()?;
            if wire_type == 4 {
                return if inner == number { Ok(()) } else { Err(BAD_GROUP) };
            }
            if levels_left == 0 {
                return Err(TOO_DEEP);
            }
            match wire_type {
                0 => {
                    self.varint()?;
                }
                1 => {
                    self.take(8)?;
                }
                2 => {
                    let length = self.varint()?;
                    self.take(usize::try_from(length).map_err(|_| TRUNCATED)?)?;
                }
                3 => self.skip_group(inner, levels_left)?,
                5 => {
                    self.take(4)?;
                }
                _ => return Err(BAD_KEY),
            }
        }
    }
}

fn utf8_start(bytes: &[u8]) -> &str {
    match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(fault) => {
            let (start, _) = bytes.split_at(fault.valid_up_to());
            std::str::from_utf8(start).unwrap_or_default()
        }
    }
}
