use std::borrow::Cow;

use domain::{Context, ContextFault, RequiredPath};

use crate::json::Scanner;
use crate::malformed::Problem;
use crate::message;
use crate::value::Value;

/// How deep an event's data may nest. Below what readers of JSON commonly allow (serde_json: 127), so
/// that they can still read the assignment around it.
const LEVELS_MAX: u32 = 120;

/// Looks into an event's `ctx` as JSON, in one pass.
///
/// Checks that it is one JSON object with nothing after it, at most 120 levels deep, and that the
/// required paths exist. Of a key that is repeated the last one counts, as for those who will render it.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonContext;

impl Context for JsonContext {
    fn check(&self, ctx: &[u8], required: &[RequiredPath]) -> Result<(), ContextFault> {
        // A set of paths is one machine word; more paths than it has bits take another pass.
        let mut passes = required.chunks(Paths::MAX);
        look_for(ctx, passes.next().unwrap_or_default(), 0)?;
        for (pass, paths) in passes.enumerate() {
            look_for(ctx, paths, (pass + 1) * Paths::MAX)?;
        }
        Ok(())
    }
}

fn look_for(ctx: &[u8], paths: &[RequiredPath], before: usize) -> Result<(), ContextFault> {
    let invalid = |problem: Problem| ContextFault::Invalid(Cow::Borrowed(problem.0));
    let text = message::utf8(ctx).map_err(invalid)?;
    let mut search =
        Search { scanner: Scanner::new(text, LEVELS_MAX), paths, missing: Paths::all(paths) };
    search.object(search.missing, 0).map_err(invalid)?;
    search.scanner.end().map_err(invalid)?;
    match search.missing.first() {
        Some(first) => Err(ContextFault::Missing(before + first)),
        None => Ok(()),
    }
}

/// A set of the paths looked for, by their index.
#[derive(Clone, Copy)]
struct Paths(u64);

impl Paths {
    const MAX: usize = 64;
    const NONE: Self = Self(0);

    const fn all(paths: &[RequiredPath]) -> Self {
        match paths.len() {
            0 => Self::NONE,
            n_paths => Self(u64::MAX >> (Self::MAX - n_paths)),
        }
    }

    const fn first(self) -> Option<usize> {
        if self.0 == 0 { None } else { Some(self.0.trailing_zeros() as usize) }
    }

    const fn remove(&mut self, index: usize) {
        self.0 &= !(1 << index);
    }

    const fn add(&mut self, index: usize) {
        self.0 |= 1 << index;
    }
}

impl Iterator for Paths {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        let first = self.first()?;
        self.0 &= self.0 - 1;
        Some(first)
    }
}

struct Search<'a> {
    scanner: Scanner<'a>,
    paths: &'a [RequiredPath],
    missing: Paths,
}

impl Search<'_> {
    /// Passes the object that comes next. `open` are the paths that lead here: they have the same
    /// first `done` bytes, which are segments and their dots.
    fn object(&mut self, open: Paths, done: usize) -> Result<(), Problem> {
        self.scanner.enter_object()?;
        let mut first = true;
        while let Some(key) = self.scanner.key(first)? {
            first = false;
            match key.unescaped() {
                Some(key) => self.step(open, done, key)?,
                None => self.step(open, done, &key.unescape())?,
            }
        }
        Ok(())
    }

    /// Passes the array that comes next: its elements are keyed by their index.
    fn array(&mut self, open: Paths, done: usize) -> Result<(), Problem> {
        self.scanner.enter_array()?;
        let mut index = 0_usize;
        while self.scanner.element(index == 0)? {
            self.step(open, done, itoa::Buffer::new().format(index))?;
            index += 1;
        }
        Ok(())
    }

    /// Passes the value under `key`.
    fn step(&mut self, open: Paths, done: usize, key: &str) -> Result<(), Problem> {
        let mut onward = Paths::NONE;
        for index in open {
            let path = &self.paths[index].as_str()[done..];
            // Where the segment would end tells most apart, without a look at the rest.
            let ends = path.len() == key.len() || path.as_bytes().get(key.len()) == Some(&b'.');
            // A key with a dot in it is no segment, though it may look like two.
            if !ends || !path.starts_with(key) || key.contains('.') {
                continue;
            }
            if path.len() == key.len() {
                self.missing.remove(index);
            } else {
                onward.add(index);
            }
        }
        if onward.first().is_some() {
            // A repeated key replaces all that was found below the one before it.
            self.missing.0 |= onward.0;
            match self.scanner.peek()? {
                b'{' => return self.object(onward, done + key.len() + 1),
                b'[' => return self.array(onward, done + key.len() + 1),
                _ => {}
            }
        }
        self.scanner.value().map(|_: Value<'_>| ())
    }
}
