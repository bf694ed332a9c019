use std::fmt;
use std::io::Write as _;

use lz4_flex::frame::FrameEncoder;

/// How what is written is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    #[default]
    None,
    /// LZ4 frames of independent blocks, which is what Kafka's own readers take.
    Lz4,
    /// Zstandard, level 3.
    Zstd,
}

/// What compresses, with the memory that it needs.
pub enum Codec {
    /// Nothing is compressed.
    None,
    /// LZ4 frames.
    Lz4,
    /// Zstandard.
    Zstd(zstd::bulk::Compressor<'static>),
}

impl Codec {
    /// What compresses as told.
    ///
    /// # Panics
    /// When there is no memory for it.
    pub fn new(compression: Compression) -> Self {
        match compression {
            Compression::None => Self::None,
            Compression::Lz4 => Self::Lz4,
            Compression::Zstd => {
                let level = zstd::DEFAULT_COMPRESSION_LEVEL;
                let compressor = zstd::bulk::Compressor::new(level);
                Self::Zstd(compressor.expect("the default level is a level"))
            }
        }
    }

    /// The bits of a batch's attributes that name it.
    pub const fn attribute(&self) -> i16 {
        match self {
            Self::None => 0,
            Self::Lz4 => 3,
            Self::Zstd(_) => 4,
        }
    }

    /// Whether it changes anything.
    pub const fn compresses(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Appends `bytes` to `out`, compressed.
    pub fn append(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        const ENOUGH: &str = "writing to memory does not fail";
        match self {
            Self::None => out.extend_from_slice(bytes),
            Self::Lz4 => {
                let mut encoder = FrameEncoder::new(out);
                encoder.write_all(bytes).expect(ENOUGH);
                encoder.finish().expect(ENOUGH);
            }
            Self::Zstd(compressor) => {
                let start = out.len();
                out.resize(start + zstd::zstd_safe::compress_bound(bytes.len()), 0);
                let written = compressor.compress_to_buffer(bytes, &mut out[start..]);
                out.truncate(start + written.expect("the buffer is as large as it may have to be"));
            }
        }
    }
}

impl fmt::Debug for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::None => "none",
            Self::Lz4 => "lz4",
            Self::Zstd(_) => "zstd",
        };
        f.write_str(name)
    }
}
