//! Unpacking what a producer compressed, never beyond a limit.

use std::io::Read;

use bytes::Bytes;

/// Why a batch's records cannot be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// They would be larger than the limit when unpacked.
    TooLarge {
        /// The limit, in bytes.
        bytes_max: usize,
    },
    /// They cannot be unpacked, or what comes out are no records.
    Malformed(String),
    /// The format is from before Kafka 0.11.
    OldFormat,
}

impl Reason {
    /// The stable word for it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "batch_too_large",
            Self::Malformed(_) => "batch_malformed",
            Self::OldFormat => "batch_format_old",
        }
    }
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge { bytes_max } => {
                write!(f, "the batch unpacks to more than {bytes_max} bytes")
            }
            Self::Malformed(what) => write!(f, "the batch is malformed: {what}"),
            Self::OldFormat => f.write_str("the batch has a format from before Kafka 0.11"),
        }
    }
}

/// What a batch's `body` holds, compressed with `codec`. At most `bytes_max` bytes are ever unpacked,
/// whatever the compressed data say of their size.
pub(crate) fn unpack(codec: i16, body: &Bytes, bytes_max: usize) -> Result<Bytes, Reason> {
    match codec {
        // What was fetched is bounded already, and unpacks to itself.
        0 => Ok(body.clone()),
        1 => drain(flate2::read::MultiGzDecoder::new(&**body), body.len(), bytes_max),
        2 => unpack_snappy(body, bytes_max),
        3 => drain(lz4_flex::frame::FrameDecoder::new(&**body), body.len(), bytes_max),
        4 => {
            // Its window is at most 128 MiB by the library's default, and only what is used of it
            // takes memory.
            let decoder = zstd::stream::read::Decoder::with_buffer(&**body).map_err(malformed)?;
            drain(decoder, body.len(), bytes_max)
        }
        other => Err(Reason::Malformed(format!("there is no codec {other}"))),
    }
}

/// Reads until the end, or one byte beyond the limit.
fn drain(reader: impl Read, packed: usize, bytes_max: usize) -> Result<Bytes, Reason> {
    const USUAL_RATIO: usize = 4;
    let mut unpacked = Vec::with_capacity((packed * USUAL_RATIO).min(bytes_max));
    let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    reader.take(limit).read_to_end(&mut unpacked).map_err(malformed)?;
    if unpacked.len() > bytes_max {
        return Err(Reason::TooLarge { bytes_max });
    }
    Ok(Bytes::from(unpacked))
}

/// What snappy-java writes in front of its blocks, up to the versions that follow it.
const XERIAL: &[u8] = b"\x82SNAPPY\x00";
/// With the two versions.
const XERIAL_BYTES: usize = 16;

/// Blocks with their lengths in front, as the Java client writes them, or one block, as others do.
fn unpack_snappy(body: &[u8], bytes_max: usize) -> Result<Bytes, Reason> {
    let mut unpacked = Vec::new();
    if !body.starts_with(XERIAL) {
        unpack_snappy_block(body, &mut unpacked, bytes_max)?;
        return Ok(Bytes::from(unpacked));
    }
    let mut rest = body.get(XERIAL_BYTES..).ok_or_else(cut_short)?;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk().ok_or_else(cut_short)?;
        let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
        let (block, after) = after.split_at_checked(length).ok_or_else(cut_short)?;
        unpack_snappy_block(block, &mut unpacked, bytes_max)?;
        rest = after;
    }
    Ok(Bytes::from(unpacked))
}

fn unpack_snappy_block(block: &[u8], out: &mut Vec<u8>, bytes_max: usize) -> Result<(), Reason> {
    /// Three bytes of snappy make at most 64.
    const LARGEST_RATIO: usize = 22;
    let claimed = snap::raw::decompress_len(block).map_err(malformed)?;
    // A claim that these bytes cannot keep is no reason to make room for it.
    if claimed > block.len().saturating_mul(LARGEST_RATIO) {
        return Err(Reason::Malformed(format!("{} bytes claim to be {claimed}", block.len())));
    }
    if out.len().saturating_add(claimed) > bytes_max {
        return Err(Reason::TooLarge { bytes_max });
    }
    let start = out.len();
    out.resize(start + claimed, 0);
    let written = snap::raw::Decoder::new().decompress(block, &mut out[start..]);
    out.truncate(start + written.map_err(malformed)?);
    Ok(())
}

fn cut_short() -> Reason {
    Reason::Malformed("the compressed data are cut short".to_owned())
}

fn malformed(error: impl std::error::Error) -> Reason {
    Reason::Malformed(error.to_string())
}

#[cfg(test)]
mod tests;
