//! JSON, scanned in place and written in place.
//!
//! What the scanner accepts is exactly what serde_json reads into a `Value`: RFC 8259 without lone
//! surrogates, without numbers out of a double's range, and with at most 127 levels. It never
//! recurses, so hostile nesting costs no stack.

mod number;
mod scan;
mod text;
mod write;

pub(crate) use scan::{LEVELS_MAX, Scanner, elements};
pub(crate) use text::Text;
pub(crate) use write::Writer;
