//! Opening a partition: the index and the producers' state are rebuilt from the files.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::batch::{self, BatchHeader, HEADER_LEN};
use super::partition::Partition;
use super::segment::{self, Segment};

impl Partition {
    /// Opens the log in a directory, cutting off a batch that a crash left unfinished.
    pub(crate) fn open(directory: PathBuf, log_start: i64) -> io::Result<Partition> {
        let mut base_offsets = segment_offsets(&directory)?;
        base_offsets.sort_unstable();
        let mut partition = Partition::empty(directory, log_start);
        let last = base_offsets.last().copied();
        for base_offset in base_offsets {
            let is_last = Some(base_offset) == last;
            partition.load_segment(base_offset, is_last)?;
        }
        partition.finish_opening();
        Ok(partition)
    }

    fn load_segment(&mut self, base_offset: i64, is_last: bool) -> io::Result<()> {
        let mut segment = Segment::new(self.directory(), base_offset);
        let file = File::open(segment.path())?;
        let length = file.metadata()?.len();
        let mut reader = HeaderReader::new(&file, length);
        while let Some((header, bytes)) = reader.next(is_last)? {
            segment.note(&header);
            segment.started_ms.get_or_insert(header.max_timestamp);
            self.restore(&header, &bytes);
        }
        let sound = segment.size;
        if sound < length {
            if !is_last {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("segment `{}` is damaged at byte {sound}", segment.path().display()),
                ));
            }
            tracing::warn!(
                segment = %segment.path().display(), from = length, to = sound,
                "cutting an unfinished batch off the log"
            );
            segment.cut(sound)?;
        }
        if !is_last {
            segment.close();
        }
        self.adopt(segment);
        Ok(())
    }
}

fn segment_offsets(directory: &Path) -> io::Result<Vec<i64>> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut offsets = Vec::new();
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let offset = name.strip_suffix(".log").and_then(|stem| stem.parse::<i64>().ok());
        match offset {
            Some(offset) if segment::file_name(offset) == name => offsets.push(offset),
            // A compacted segment that did not get to replace its original.
            _ if name.ends_with(".cleaned") => std::fs::remove_file(&path)?,
            _ => {}
        }
    }
    Ok(offsets)
}

/// Reads batch headers in order, and whole batches where their checksum must be proved.
struct HeaderReader<'a> {
    file: &'a File,
    length: u64,
    position: u64,
    window: Vec<u8>,
    window_at: u64,
}

const WINDOW: usize = 256 * 1024;

impl<'a> HeaderReader<'a> {
    fn new(file: &'a File, length: u64) -> HeaderReader<'a> {
        HeaderReader { file, length, position: 0, window: Vec::new(), window_at: 0 }
    }

    /// The next batch, or nothing at the end or at the first unsound byte.
    fn next(&mut self, prove: bool) -> io::Result<Option<(BatchHeader, Vec<u8>)>> {
        let Some(header) = BatchHeader::parse(self.bytes(HEADER_LEN)?) else { return Ok(None) };
        if self.position + header.size as u64 > self.length || header.magic != 2 {
            return Ok(None);
        }
        if prove && !batch::crc_holds(self.bytes(header.size)?, &header) {
            return Ok(None);
        }
        let head = self.bytes(batch::MARKER_LEN.min(header.size))?.to_vec();
        self.position += header.size as u64;
        Ok(Some((header, head)))
    }

    /// Up to `count` bytes at the position, fewer at the end of the file.
    fn bytes(&mut self, count: usize) -> io::Result<&[u8]> {
        let left = usize::try_from(self.length - self.position).unwrap_or(usize::MAX);
        let count = count.min(left);
        let mut skip = usize::try_from(self.position - self.window_at).unwrap_or(usize::MAX);
        if skip > self.window.len() || self.window.len() - skip < count {
            self.window.resize(count.max(WINDOW).min(left), 0);
            self.file.read_exact_at(&mut self.window, self.position)?;
            self.window_at = self.position;
            skip = 0;
        }
        Ok(&self.window[skip..skip + count])
    }
}
