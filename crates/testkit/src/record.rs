/// For `produce` and records that carry no headers.
pub const NO_HEADERS: [(&str, &str); 0] = [];

/// A record as it was read from a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// The partition it is in.
    pub partition: i32,
    /// Where in the partition.
    pub offset: i64,
    /// Milliseconds since 1970, by the producer or the broker as the topic is configured.
    pub timestamp_ms: i64,
    /// The key; `None` when null.
    pub key: Option<Vec<u8>>,
    /// The value; `None` for a tombstone.
    pub value: Option<Vec<u8>>,
    /// The headers in their order; a null value reads as empty.
    pub headers: Vec<(String, Vec<u8>)>,
}

impl OwnedRecord {
    /// The value of the last header named `name`.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.as_slice())
    }

    /// [`OwnedRecord::header`] as text; `None` also when it is not UTF-8.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    /// The key as text.
    ///
    /// # Panics
    ///
    /// When it is null or not UTF-8.
    #[track_caller]
    pub fn key_text(&self) -> &str {
        let key = self.key.as_deref().expect("the record has a key");
        std::str::from_utf8(key).expect("the key is UTF-8")
    }

    /// The value as text.
    ///
    /// # Panics
    ///
    /// When it is null or not UTF-8.
    #[track_caller]
    pub fn value_text(&self) -> &str {
        let value = self.value.as_deref().expect("the record has a value");
        std::str::from_utf8(value).expect("the value is UTF-8")
    }
}

/// What can stand for a key, a value or a header's value; `None` and `()` are null.
pub trait IntoBytes {
    /// The bytes, or null.
    fn into_bytes(self) -> Option<Vec<u8>>;
}

impl IntoBytes for () {
    fn into_bytes(self) -> Option<Vec<u8>> {
        None
    }
}

impl<B: IntoBytes> IntoBytes for Option<B> {
    fn into_bytes(self) -> Option<Vec<u8>> {
        self.and_then(IntoBytes::into_bytes)
    }
}

impl IntoBytes for Vec<u8> {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self)
    }
}

impl IntoBytes for String {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.into())
    }
}

impl IntoBytes for &str {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.into())
    }
}

impl IntoBytes for &String {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.as_str().into())
    }
}

impl IntoBytes for &[u8] {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.into())
    }
}

impl IntoBytes for &Vec<u8> {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.clone())
    }
}

impl<const N: usize> IntoBytes for &[u8; N] {
    fn into_bytes(self) -> Option<Vec<u8>> {
        Some(self.to_vec())
    }
}
