#![expect(unsafe_code, reason = "the safe accessor panics on a header name that is not UTF-8")]

use std::ffi::CStr;
use std::ptr;

use rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_headers_t, rd_kafka_message_headers, rd_kafka_resp_err_t,
};
use rdkafka::message::BorrowedMessage;

/// The headers of a message, in order; those whose name is not UTF-8 are passed over, because a
/// producer's odd bytes must not stop a partition.
#[derive(Clone)]
pub struct MessageHeaders<'a> {
    message: &'a BorrowedMessage<'a>,
    headers: *mut rd_kafka_headers_t,
    index: usize,
}

impl<'a> MessageHeaders<'a> {
    /// The headers of `message`; parses them on first use.
    pub fn of(message: &'a BorrowedMessage<'_>) -> Self {
        let mut headers = ptr::null_mut();
        // SAFETY: `message` is alive for 'a and owns the native message; the headers it hands out
        // belong to it and live as long. They are parsed lazily inside this call, and a message is
        // not shared between threads while it is read here.
        let error = unsafe { rd_kafka_message_headers(message.ptr(), &raw mut headers) };
        if error != rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            headers = ptr::null_mut();
        }
        Self { message, headers, index: 0 }
    }
}

impl<'a> Iterator for MessageHeaders<'a> {
    type Item = (&'a str, Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.headers.is_null() {
            return None;
        }
        loop {
            let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
            // SAFETY: `headers` is not null and belongs to `message`, which this borrows; an index
            // past the end is answered with an error.
            let error = unsafe {
                rd_kafka_header_get_all(
                    self.headers,
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
            let _owner: &'a BorrowedMessage<'a> = self.message;
            // SAFETY: the call succeeded, so `name` is a C string and `value` is null or has `size`
            // bytes; both belong to the message borrowed for 'a.
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
