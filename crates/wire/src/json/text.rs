use std::borrow::Cow;

use crate::malformed::Problem;

const CONTROL: Problem = Problem("has a control character in a string");
const UNCLOSED: Problem = Problem("has a string that is not closed");
const BAD_ESCAPE: Problem = Problem("has an impossible escape in a string");

/// A string of well-formed JSON, as written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text<'a> {
    /// With its quotes.
    quoted: &'a str,
    // A whole word, though a flag would do: the gap after a flag makes a copy slow.
    n_escapes: usize,
}

impl<'a> Text<'a> {
    /// Checks the string whose opening quote is at `at`; with it comes the place after the closing one.
    #[inline]
    pub(crate) fn scan(text: &'a str, at: usize) -> Result<(Self, usize), Problem> {
        let bytes = text.as_bytes();
        let mut here = at + 1;
        let mut n_escapes = 0;
        loop {
            here += plain_bytes(&bytes[here..]);
            match bytes.get(here) {
                Some(b'"') => {
                    let quoted = &text[at..=here];
                    return Ok((Self { quoted, n_escapes }, here + 1));
                }
                Some(b'\\') => {
                    n_escapes += 1;
                    here = after_escape(bytes, here)?;
                }
                Some(_) => return Err(CONTROL),
                None => return Err(UNCLOSED),
            }
        }
    }

    /// The text between the quotes, where it can be compared as it stands.
    #[inline]
    pub(crate) fn unescaped(&self) -> Option<&'a str> {
        if self.n_escapes > 0 { None } else { Some(self.inner()) }
    }

    /// The text that is meant.
    #[inline]
    pub(crate) fn unescape(self) -> Cow<'a, str> {
        if self.n_escapes > 0 {
            Cow::Owned(unescape(self.inner()))
        } else {
            Cow::Borrowed(self.inner())
        }
    }

    /// The string as written, with its quotes.
    pub(crate) const fn quoted(self) -> &'a str {
        self.quoted
    }

    #[inline]
    fn inner(&self) -> &'a str {
        &self.quoted[1..self.quoted.len() - 1]
    }
}

/// How many bytes from the start stand for themselves in a JSON string: neither quote nor backslash nor
/// control character. Eight at a time.
#[inline]
pub(super) fn plain_bytes(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    let mut at = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // A borrow can mark a byte wrongly, but only above one that is marked rightly: the lowest
        // mark is always true.
        let marks = (quote.wrapping_sub(ONES) & !quote)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (word.wrapping_sub(ONES * 0x20) & !word);
        let marks = marks & HIGHS;
        if marks != 0 {
            return at + (marks.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    at + rest.iter().take_while(|byte| !matches!(**byte, b'"' | b'\\' | 0..0x20)).count()
}

/// The place after the escape whose backslash is at `at`.
fn after_escape(bytes: &[u8], at: usize) -> Result<usize, Problem> {
    match bytes.get(at + 1).ok_or(UNCLOSED)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(at + 2),
        b'u' => match code_unit(bytes, at)? {
            0xd800..0xdc00 => match code_unit(bytes, at + 6)? {
                0xdc00..0xe000 => Ok(at + 12),
                _ => Err(BAD_ESCAPE),
            },
            0xdc00..0xe000 => Err(BAD_ESCAPE),
            _ => Ok(at + 6),
        },
        _ => Err(BAD_ESCAPE),
    }
}

/// The code unit of the `\uXXXX` at `at`.
fn code_unit(bytes: &[u8], at: usize) -> Result<u32, Problem> {
    let escape = bytes.get(at..at + 6).ok_or(BAD_ESCAPE)?;
    if !escape.starts_with(b"\\u") {
        return Err(BAD_ESCAPE);
    }
    escape[2..].iter().try_fold(0, |unit, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(BAD_ESCAPE)?;
        Ok(unit << 4 | digit)
    })
}

/// What a checked string means.
fn unescape(mut text: &str) -> String {
    let mut meant = String::with_capacity(text.len());
    while let Some((before, escape)) = text.split_once('\\') {
        meant.push_str(before);
        let (character, length) = escaped_character(escape.as_bytes());
        meant.push(character);
        text = &escape[length..];
    }
    meant.push_str(text);
    meant
}

/// The character of a checked escape without its backslash, and the escape's length.
fn escaped_character(escape: &[u8]) -> (char, usize) {
    match escape.first() {
        Some(b'b') => ('\u{8}', 1),
        Some(b'f') => ('\u{c}', 1),
        Some(b'n') => ('\n', 1),
        Some(b'r') => ('\r', 1),
        Some(b't') => ('\t', 1),
        Some(b'u') => {
            let unit = |at| {
                escape.get(at..at + 4).map_or(0, |digits| {
                    digits.iter().fold(0, |unit, digit| {
                        unit << 4 | char::from(*digit).to_digit(16).unwrap_or_default()
                    })
                })
            };
            match unit(1) {
                high @ 0xd800..0xdc00 => {
                    let code = 0x1_0000 + ((high - 0xd800) << 10) + (unit(7) & 0x3ff);
                    (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 11)
                }
                code => (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 5),
            }
        }
        // A quote, a backslash or a slash stands for itself.
        Some(other) => (char::from(*other), 1),
        None => (char::REPLACEMENT_CHARACTER, 0),
    }
}
