//! Lines of a file or a pipe, in bounded memory.

use std::io::{self, BufRead, BufReader, Read};

/// Lines that are not empty, numbered from 1.
pub(super) struct Lines {
    source: BufReader<Box<dyn Read + Send>>,
    bytes_max: usize,
    from: u64,
    number: u64,
    position: u64,
}

/// One line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Its number, from 1.
    pub(super) number: u64,
    /// Where the next line begins, in bytes.
    pub(super) end: u64,
    /// What is on it without the white space at its end, or why it was not kept.
    pub(super) content: Result<Vec<u8>, String>,
}

impl Lines {
    /// What is read from the source at once.
    const BUFFER_BYTES: usize = 256 << 10;

    /// The lines of `source` from number `from` on; none longer than `bytes_max` is kept.
    pub(super) fn new(source: impl Read + Send + 'static, from: u64, bytes_max: usize) -> Self {
        let source: Box<dyn Read + Send> = Box::new(source);
        let source = BufReader::with_capacity(Self::BUFFER_BYTES, source);
        Self { source, bytes_max, from, number: 0, position: 0 }
    }

    /// The next line as it is; `None` at the end.
    fn read(&mut self) -> io::Result<Option<Line>> {
        let mut content = Vec::new();
        // The line break is not part of what is bounded.
        let limit = self.bytes_max.saturating_add(2) as u64;
        let mut n = self.source.by_ref().take(limit).read_until(b'\n', &mut content)? as u64;
        if n == 0 {
            return Ok(None);
        }
        self.number += 1;
        let is_whole = content.last() == Some(&b'\n') || n < limit;
        if !is_whole {
            n += self.source.skip_until(b'\n')? as u64;
        }
        self.position += n;
        let kept = if is_whole {
            while content.last().is_some_and(u8::is_ascii_whitespace) {
                content.pop();
            }
            if self.number == 1 && content.starts_with(b"\xef\xbb\xbf") {
                content.drain(..3);
            }
            Ok(content)
        } else {
            Err(format!("{n} bytes are more than the {} that the topic takes", self.bytes_max))
        };
        Ok(Some(Line { number: self.number, end: self.position, content: kept }))
    }
}

impl Iterator for Lines {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.read().transpose()? {
                Ok(line) if line.number < self.from => {}
                Ok(line) if line.content.as_ref().is_ok_and(Vec::is_empty) => {}
                line => return Some(line),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// The lines as `number:content`, a line that was not kept as `number!`.
    #[track_caller]
    fn check(input: &str, from: u64, expected: &str) {
        let lines = Lines::new(Cursor::new(input.to_owned()), from, 8);
        let told: Vec<String> = lines
            .map(|line| {
                let line = line.unwrap();
                match line.content {
                    Ok(content) => {
                        format!("{}:{}", line.number, String::from_utf8(content).unwrap())
                    }
                    Err(_) => format!("{}!", line.number),
                }
            })
            .collect();
        assert_eq!(told.join(" "), expected, "{input:?}");
    }

    #[test]
    fn empty_lines_are_passed_over_and_counted() {
        check("a\n\n  \nb", 1, "1:a 4:b");
        check("", 1, "");
        check("\u{feff}a\r\nb \r\n", 1, "1:a 2:b");
    }

    #[test]
    fn a_line_that_is_too_long_is_not_kept_and_the_next_one_is() {
        check("12345678\n123456789x\nc", 1, "1:12345678 2! 3:c");
        check("1234567890123456789", 1, "1!");
    }

    #[test]
    fn it_begins_where_it_is_told_to() {
        check("a\nb\nc\n", 3, "3:c");
        check("a\nb\n", 3, "");
    }

    #[test]
    fn the_place_in_the_file_is_known() {
        let lines = Lines::new(Cursor::new("ab\n0123456789012\nc"), 1, 8);
        let ends: Vec<u64> = lines.map(|line| line.unwrap().end).collect();
        assert_eq!(ends, [3, 17, 18]);
    }
}
