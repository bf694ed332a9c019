use crate::json::{Text, number};
use crate::malformed::Problem;
use crate::value::Value;

/// How many objects and arrays may lie within one another; what serde_json allows.
pub(crate) const LEVELS_MAX: u32 = 127;

const ENDS: Problem = Problem("ends too early");
const TRAILING: Problem = Problem("goes on after its end");
const NOT_A_VALUE: Problem = Problem("is not JSON");
const NOT_AN_OBJECT: Problem = Problem("is not a JSON object");
const NO_KEY: Problem = Problem("has an object with something else than a key");
const NO_COLON: Problem = Problem("has a key without a colon");
const NO_COMMA: Problem = Problem("has something else than a comma between two values");
const TOO_DEEP: Problem = Problem("is nested too deeply");

/// Goes through JSON from front to back and checks all it passes.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    levels_left: u32,
}

impl<'a> Scanner<'a> {
    /// At the start of `text`, of which `levels` may lie within one another.
    pub(crate) const fn new(text: &'a str, levels: u32) -> Self {
        Self { text, at: 0, levels_left: levels }
    }

    /// Goes into the object that comes next. Follow with [`Scanner::key`] until it says `None`.
    pub(crate) fn enter_object(&mut self) -> Result<(), Problem> {
        if self.peek()? != b'{' {
            return Err(NOT_AN_OBJECT);
        }
        self.enter()
    }

    /// Goes into the array that comes next. Follow with [`Scanner::element`] until it says `false`.
    pub(crate) fn enter_array(&mut self) -> Result<(), Problem> {
        if self.peek()? != b'[' {
            return Err(NOT_A_VALUE);
        }
        self.enter()
    }

    /// The next key of the object; `None` after its closing brace. `first` right after entering it.
    #[inline(always)]
    pub(crate) fn key(&mut self, first: bool) -> Result<Option<Text<'a>>, Problem> {
        let mut next = self.peek()?;
        if next == b'}' {
            self.leave();
            return Ok(None);
        }
        if !first {
            if next != b',' {
                return Err(NO_COMMA);
            }
            self.at += 1;
            next = self.peek()?;
        }
        if next != b'"' {
            return Err(NO_KEY);
        }
        let key = self.string()?;
        if self.peek()? != b':' {
            return Err(NO_COLON);
        }
        self.at += 1;
        Ok(Some(key))
    }

    /// Whether the array has a next element; `false` after its closing bracket. `first` right after
    /// entering it.
    pub(crate) fn element(&mut self, first: bool) -> Result<bool, Problem> {
        let next = self.peek()?;
        if next == b']' {
            self.leave();
            return Ok(false);
        }
        if !first {
            if next != b',' {
                return Err(NO_COMMA);
            }
            self.at += 1;
        }
        Ok(true)
    }

    /// The value that comes next, all of it.
    #[inline(always)]
    pub(crate) fn value(&mut self) -> Result<Value<'a>, Problem> {
        let first = self.peek()?;
        let start = self.at;
        Ok(match first {
            b'"' => Value::Text(self.string()?),
            b'{' => {
                self.skip_container()?;
                Value::Object(&self.text[start..self.at])
            }
            b'[' => {
                self.skip_container()?;
                Value::Array(&self.text[start..self.at])
            }
            b'-' | b'0'..=b'9' => {
                self.at = number::skip(self.text, self.at)?;
                Value::Number(&self.text[start..self.at])
            }
            b't' => self.literal("true", Value::Bool(true))?,
            b'f' => self.literal("false", Value::Bool(false))?,
            b'n' => self.literal("null", Value::Null)?,
            _ => return Err(NOT_A_VALUE),
        })
    }

    /// Nothing but white space follows.
    pub(crate) fn end(mut self) -> Result<(), Problem> {
        self.skip_space();
        if self.at == self.text.len() { Ok(()) } else { Err(TRAILING) }
    }

    /// The next byte that is not white space, which stays the next.
    #[inline]
    pub(crate) fn peek(&mut self) -> Result<u8, Problem> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Ok(*byte),
            _ => {
                self.skip_space();
                self.text.as_bytes().get(self.at).copied().ok_or(ENDS)
            }
        }
    }

    fn skip_space(&mut self) {
        let rest = &self.text.as_bytes()[self.at..];
        let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\t' | b'\r'));
        self.at += space.count();
    }

    fn enter(&mut self) -> Result<(), Problem> {
        self.levels_left = self.levels_left.checked_sub(1).ok_or(TOO_DEEP)?;
        self.at += 1;
        Ok(())
    }

    const fn leave(&mut self) {
        self.levels_left += 1;
        self.at += 1;
    }

    #[inline(always)]
    fn string(&mut self) -> Result<Text<'a>, Problem> {
        let (text, after) = Text::scan(self.text, self.at)?;
        self.at = after;
        Ok(text)
    }

    fn literal(&mut self, word: &str, value: Value<'a>) -> Result<Value<'a>, Problem> {
        if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(value)
        } else {
            Err(NOT_A_VALUE)
        }
    }

    /// Passes the object or array that comes next and all within it.
    fn skip_container(&mut self) -> Result<(), Problem> {
        // One bit a level, the innermost lowest: whether it is an object. Levels are at most 127.
        let mut objects = 0_u128;
        let outside = self.levels_left;
        loop {
            // Here a value starts.
            match self.peek()? {
                open @ (b'{' | b'[') => {
                    let is_object = open == b'{';
                    self.enter()?;
                    objects = objects << 1 | u128::from(is_object);
                    let next = self.peek()?;
                    if is_object && next != b'}' {
                        self.key(true)?;
                        continue;
                    }
                    if !is_object && next != b']' {
                        continue;
                    }
                }
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => self.at = number::skip(self.text, self.at)?,
                _ => {
                    self.value()?;
                }
            }
            // Here a value, or the inside of an object or array, has ended.
            loop {
                let is_object = objects & 1 == 1;
                match self.peek()? {
                    b',' if is_object => {
                        self.key(false)?;
                        break;
                    }
                    b',' => {
                        self.at += 1;
                        break;
                    }
                    b'}' if is_object => self.leave(),
                    b']' if !is_object => self.leave(),
                    _ => return Err(NO_COMMA),
                }
                objects >>= 1;
                if self.levels_left == outside {
                    return Ok(());
                }
            }
        }
    }
}

/// Every element of an array that has been checked.
pub(crate) fn elements<'a>(
    array: &'a str,
    mut element: impl FnMut(Value<'a>) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut scanner = Scanner::new(array, LEVELS_MAX);
    scanner.enter_array()?;
    let mut first = true;
    while scanner.element(first)? {
        first = false;
        element(scanner.value()?)?;
    }
    Ok(())
}
