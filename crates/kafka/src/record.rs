#![expect(unsafe_code, reason = "the safe accessor panics on a header name that is not UTF-8")]

use std::cell::Cell;
use std::ffi::CStr;
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use rdkafka::Message;
use rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_headers_destroy, rd_kafka_headers_t,
    rd_kafka_message_detach_headers, rd_kafka_resp_err_t,
};
use rdkafka::message::BorrowedMessage;

use crate::Offset;

/// A record as the client read it, borrowed from the client.
pub struct ReadRecord<'a> {
    /// Nobody else sees it, and so nobody holds headers of it.
    message: BorrowedMessage<'a>,
    /// Reading headers changes the message, so threads do not share it.
    unshared: PhantomData<Cell<()>>,
}

impl<'a> From<BorrowedMessage<'a>> for ReadRecord<'a> {
    fn from(message: BorrowedMessage<'a>) -> Self {
        Self { message, unshared: PhantomData }
    }
}

impl ReadRecord<'_> {
    /// The topic it came from.
    pub fn topic(&self) -> &str {
        self.message.topic()
    }

    /// The partition it came from.
    pub fn partition(&self) -> i32 {
        self.message.partition()
    }

    /// Its offset.
    pub fn offset(&self) -> Offset {
        Offset::new(self.message.offset())
    }

    /// Its timestamp, in milliseconds since the epoch; 0 where it has none.
    pub fn timestamp_ms(&self) -> i64 {
        self.message.timestamp().to_millis().unwrap_or(0)
    }

    /// Its key.
    pub fn key(&self) -> Option<&[u8]> {
        self.message.key()
    }

    /// Its value; `None` for a tombstone.
    pub fn value(&self) -> Option<&[u8]> {
        self.message.payload()
    }

    /// Its headers; none where it has none, or has them malformed. Each call reads them anew.
    pub fn headers(&self) -> Headers<'_> {
        let mut list = ptr::null_mut();
        // SAFETY: the message is alive, this thread's alone, and has given its headers to nobody. The client
        // reads them from the bytes of the record, which stay, so that they can be read again. The list is
        // ours from here on.
        let error = unsafe { rd_kafka_message_detach_headers(self.message.ptr(), &raw mut list) };
        let is_read = error == rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
        Headers { list: NonNull::new(list).filter(|_| is_read), record: PhantomData }
    }
}

/// The headers of one [`ReadRecord`], read for this value and freed with it.
///
/// The client allocates for each header. A batch that kept them all until its end would have them written to
/// memory and back; freed at once, the next record gets the same few lines of the cache.
pub struct Headers<'a> {
    list: Option<NonNull<rd_kafka_headers_t>>,
    record: PhantomData<&'a ReadRecord<'a>>,
}

impl Headers<'_> {
    /// The headers, in order; those whose name is not UTF-8 are passed over, because a producer's odd bytes
    /// must not stop a partition.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        Iter { list: self.list, index: 0, headers: PhantomData }
    }
}

impl Drop for Headers<'_> {
    fn drop(&mut self) {
        if let Some(list) = self.list {
            // SAFETY: the list was detached from its message, and whatever was read of it borrows this.
            unsafe { rd_kafka_headers_destroy(list.as_ptr()) };
        }
    }
}

struct Iter<'h> {
    list: Option<NonNull<rd_kafka_headers_t>>,
    index: usize,
    headers: PhantomData<&'h Headers<'h>>,
}

impl<'h> Iterator for Iter<'h> {
    type Item = (&'h str, Option<&'h [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        let list = self.list?;
        loop {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            // SAFETY: the list belongs to the headers that this borrows; an index past the end is answered
            // with an error.
            let error = unsafe {
                rd_kafka_header_get_all(
                    list.as_ptr(),
                    self.index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut size,
                )
            };
            if error != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return None;
            }
            self.index += 1;
            // SAFETY: the call succeeded, so `name` is a C string and `value` is null or has `size`
            // bytes; both belong to the headers borrowed for 'h.
            let (name, value) = unsafe {
                let value = (!value.is_null())
                    .then(|| std::slice::from_raw_parts(value.cast::<u8>(), size));
                (CStr::from_ptr(name), value)
            };
            if let Ok(name) = name.to_str() {
                return Some((name, value));
            }
        }
    }
}
