//! An example delivery service: reads assignments, renders, reports to delivery-log.
//!
//! It shows what a team that sends messages has to do, and depends on nothing of Bindery but its
//! topics and records: a plain consumer under `read_committed`, idempotent by assignment id, that
//! fetches each template's content from `template-content`, renders it with the assignment's data
//! and says what became of the message. Instead of sending, it writes files that one can open.

mod contents;
mod contract;
mod files;
mod mix;
mod render;
mod report;
mod service;
mod settings;

pub use mix::{Fate, Mix};
pub use service::{Progress, run};
pub use settings::Settings;

use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, Headers};

/// The value of a record's header.
fn header<'a>(record: &'a BorrowedMessage<'_>, name: &str) -> Option<&'a [u8]> {
    record.headers()?.iter().find(|header| header.key == name)?.value
}
