//! A segment: one file of batches and a sparse index over it, kept in memory.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::batch::{BatchHeader, HEADER_LEN};

/// One index entry for about as many bytes of log.
const INDEX_INTERVAL: u64 = 4096;

/// Where a batch begins, and how late the records before it are.
#[derive(Debug, Clone, Copy)]
struct IndexEntry {
    offset: i64,
    position: u64,
    /// Highest timestamp of all batches before this one, within the segment.
    timestamp_before: i64,
}

/// A file of batches, named by the first offset it may hold.
///
/// The last segment of a partition is written to and keeps its file open; an older one opens it
/// for each read, so that many partitions need few file handles.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) base_offset: i64,
    path: PathBuf,
    file: Option<File>,
    pub(crate) size: u64,
    index: Vec<IndexEntry>,
    indexed_to: u64,
    /// Highest timestamp of all batches, -1 while there are none.
    pub(crate) max_timestamp: i64,
    /// When the first batch was appended, for rolling by time.
    pub(crate) started_ms: Option<i64>,
}

/// The name of the segment file that starts at an offset.
pub(crate) fn file_name(base_offset: i64) -> String {
    format!("{base_offset:020}.log")
}

impl Segment {
    /// A segment without a file yet; the first append creates it.
    pub(crate) fn new(directory: &Path, base_offset: i64) -> Segment {
        Segment {
            base_offset,
            path: directory.join(file_name(base_offset)),
            file: None,
            size: 0,
            index: Vec::new(),
            indexed_to: 0,
            max_timestamp: -1,
            started_ms: None,
        }
    }

    /// The same closed segment, to be read elsewhere. It has no index.
    pub(crate) fn closed_copy(&self) -> Segment {
        Segment {
            base_offset: self.base_offset,
            path: self.path.clone(),
            file: None,
            size: self.size,
            index: Vec::new(),
            indexed_to: 0,
            max_timestamp: self.max_timestamp,
            started_ms: self.started_ms,
        }
    }

    /// Opens a closed segment that is known to be sound.
    pub(crate) fn reopen(directory: &Path, base_offset: i64) -> io::Result<Segment> {
        let mut segment = Segment::new(directory, base_offset);
        let mut sized = segment.closed_copy();
        sized.size = std::fs::metadata(&segment.path)?.len();
        sized.walk(0, |_, header, _| {
            segment.note(header);
            segment.started_ms.get_or_insert(header.max_timestamp);
            Ok(true)
        })?;
        Ok(segment)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates the file, so that its name keeps the offset even while it is empty.
    pub(crate) fn create(&mut self) -> io::Result<()> {
        self.writable().map(|_| ())
    }

    fn writable(&mut self) -> io::Result<&File> {
        if self.file.is_none() {
            if let Some(directory) = self.path.parent() {
                std::fs::create_dir_all(directory)?;
            }
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&self.path)?;
            self.file = Some(file);
        }
        self.file.as_ref().ok_or_else(|| io::Error::other("segment file just opened is gone"))
    }

    /// Writes a batch at the end and takes it into the index.
    pub(crate) fn append(&mut self, batch: &[u8], header: &BatchHeader) -> io::Result<()> {
        let position = self.size;
        self.writable()?.write_all_at(batch, position)?;
        self.note(header);
        Ok(())
    }

    /// Takes the next batch of the file into the index.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        if self.index.is_empty() || self.size - self.indexed_to >= INDEX_INTERVAL {
            self.index.push(IndexEntry {
                offset: header.base_offset,
                position: self.size,
                timestamp_before: self.max_timestamp,
            });
            self.indexed_to = self.size;
        }
        self.size += header.size as u64;
        self.max_timestamp = self.max_timestamp.max(header.max_timestamp);
    }

    /// No more writes: the file handle goes.
    pub(crate) fn close(&mut self) {
        self.file = None;
    }

    /// Where to start looking for the batch that holds an offset.
    pub(crate) fn position_before(&self, offset: i64) -> u64 {
        let after = self.index.partition_point(|entry| entry.offset <= offset);
        after.checked_sub(1).and_then(|at| self.index.get(at)).map_or(0, |entry| entry.position)
    }

    /// Where to start looking for the first batch that is not older than a timestamp.
    pub(crate) fn position_before_time(&self, timestamp: i64) -> u64 {
        let after = self.index.partition_point(|entry| entry.timestamp_before < timestamp);
        after.checked_sub(1).and_then(|at| self.index.get(at)).map_or(0, |entry| entry.position)
    }

    /// Reads up to `length` bytes from a position, less at the end of the segment.
    pub(crate) fn read(&self, position: u64, length: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.size.saturating_sub(position)).unwrap_or(usize::MAX);
        let mut buffer = vec![0; length.min(left)];
        if buffer.is_empty() {
            return Ok(Bytes::new());
        }
        match &self.file {
            Some(file) => file.read_exact_at(&mut buffer, position)?,
            None => File::open(&self.path)?.read_exact_at(&mut buffer, position)?,
        }
        Ok(Bytes::from(buffer))
    }

    /// Walks the headers of all batches from a position, until `visit` returns false.
    ///
    /// `visit` gets the batch's position, its header and the first bytes of the batch, at least
    /// as many as a control batch has.
    pub(crate) fn walk(
        &self,
        from: u64,
        mut visit: impl FnMut(u64, &BatchHeader, &[u8]) -> io::Result<bool>,
    ) -> io::Result<()> {
        let mut position = from;
        let mut window = Bytes::new();
        let mut window_at = position;
        while position < self.size {
            let skip = usize::try_from(position - window_at).unwrap_or(usize::MAX);
            let left = usize::try_from(self.size - position).unwrap_or(usize::MAX);
            if skip > window.len() || window.len() - skip < left.min(WALK_NEEDS) {
                window = self.read(position, WALK_WINDOW)?;
                window_at = position;
                continue;
            }
            let bytes = &window[skip..];
            let header = BatchHeader::parse(bytes)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no batch header"))?;
            if !visit(position, &header, bytes)? {
                return Ok(());
            }
            position += header.size as u64;
        }
        Ok(())
    }

    /// Forgets everything after a position and cuts the file there.
    pub(crate) fn cut(&mut self, position: u64) -> io::Result<()> {
        self.writable()?.set_len(position)?;
        self.size = position;
        Ok(())
    }

    /// Hands everything to the disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.file.as_ref().map_or(Ok(()), File::sync_data)
    }

    /// Removes the file, if there is one.
    pub(crate) fn delete(&mut self) -> io::Result<()> {
        self.file = None;
        match std::fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Enough for a header and the type of a control record.
const WALK_NEEDS: usize = HEADER_LEN + 32;
const WALK_WINDOW: usize = 64 * 1024;
