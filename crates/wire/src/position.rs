use std::borrow::Cow;

use domain::SourcePosition;

use crate::malformed::Problem;
use crate::message::{self, Fields, Write, fields};
use crate::value::{Moment, Value};

fields! {
    TOPIC = 1 "topic" "topic";
    PARTITION = 2 "partition" "partition";
    OFFSET = 3 "offset" "offset";
    TIMESTAMP = 4 "timestamp" "timestamp";
}

/// A `SourcePosition` while it is read.
#[derive(Default)]
pub(crate) struct Draft<'a> {
    topic: &'a str,
    partition: i32,
    offset: i64,
    timestamp: Moment,
}

impl<'a> Fields<'a> for Draft<'a> {
    const FIELDS: &'static [message::Field] = FIELDS;
    const LEVEL: u32 = 1;

    fn set(&mut self, number: u32, value: Value<'a>) -> Result<(), Problem> {
        match number {
            number::TOPIC => {
                self.topic = match value.text()? {
                    Cow::Borrowed(topic) => topic,
                    // No topic's name has a character that needs an escape.
                    Cow::Owned(_) => return Err(Problem("has a topic with escapes")),
                }
            }
            number::PARTITION => self.partition = value.int32()?,
            number::OFFSET => self.offset = value.signed()?,
            number::TIMESTAMP => self.timestamp.set(value)?,
            _ => {}
        }
        Ok(())
    }
}

impl<'a> Draft<'a> {
    pub(crate) fn finish(self) -> Result<SourcePosition<'a>, Problem> {
        Ok(SourcePosition {
            topic: self.topic,
            partition: self.partition,
            offset: self.offset,
            timestamp: self.timestamp.timestamp()?.unwrap_or_default(),
        })
    }
}

/// Writes a position's fields.
pub(crate) fn write(position: &SourcePosition<'_>, out: &mut impl Write) {
    out.text(TOPIC, position.topic);
    out.int32(PARTITION, position.partition);
    out.int64(OFFSET, position.offset);
    out.time(TIMESTAMP, position.timestamp);
}
