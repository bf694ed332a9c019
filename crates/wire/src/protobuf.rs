//! The protobuf wire format, scanned in place and written in place.

mod read;
mod write;

pub(crate) use read::Reader;
pub(crate) use write::Writer;
