//! The journal: everything the broker must remember beside the records themselves.
//!
//! One JSON object a line, written before the effect it announces is answered. A line that a
//! crash left unfinished is cut off. When the journal has grown well beyond what it describes,
//! it is replaced by a fresh one that says the same.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::group::CommittedOffset;
use crate::transactions::Transaction;

/// One thing that happened.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub(crate) enum Entry {
    /// The identity of the cluster, once.
    Cluster { id: String },
    /// A topic was created.
    Topic { name: String, id: Uuid, partitions: i32, config: BTreeMap<String, String> },
    /// A topic's configuration was replaced.
    Config { name: String, config: BTreeMap<String, String> },
    /// A topic has this many partitions now.
    Partitions { name: String, count: i32 },
    /// A topic was deleted.
    Deleted { name: String },
    /// Records below an offset are gone.
    LogStart { topic: String, partition: i32, offset: i64 },
    /// Producer ids below this may have been handed out.
    ProducerIds { next: i64 },
    /// A transactional id is in this state.
    Transaction { id: String, now: Transaction },
    /// A group committed an offset.
    Offset { group: String, topic: String, partition: i32, offset: CommittedOffset },
    /// A producer will commit this offset with its transaction.
    PendingOffset {
        producer_id: i64,
        group: String,
        topic: String,
        partition: i32,
        offset: CommittedOffset,
    },
    /// A group's offset was deleted or has expired.
    OffsetDeleted { group: String, topic: String, partition: i32 },
    /// A group was deleted.
    GroupDeleted { group: String },
}

/// The file the entries go to.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    size: u64,
    /// Size right after the last rewrite.
    base_size: u64,
}

/// A journal smaller than this is never rewritten.
const REWRITE_FROM: u64 = 4 * 1024 * 1024;

impl Journal {
    /// Opens the journal in a directory and reads what it says.
    pub(crate) fn open(directory: &Path) -> io::Result<(Journal, Vec<Entry>)> {
        let path = directory.join("journal.ndjson");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let sound = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let entries = text[..sound]
            .split(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
            .collect::<io::Result<Vec<Entry>>>()?;
        let file = OpenOptions::new().append(true).create(true).open(&path)?;
        let size = sound as u64;
        if sound < text.len() {
            file.set_len(size)?;
        }
        Ok((Journal { path, file, size, base_size: 0 }, entries))
    }

    /// Writes entries in one piece.
    pub(crate) fn append(&mut self, entries: &[Entry]) -> io::Result<()> {
        let lines = lines(entries)?;
        self.file.write_all(&lines)?;
        self.size += lines.len() as u64;
        Ok(())
    }

    /// Whether most of the journal is likely to be outdated.
    pub(crate) fn wants_rewrite(&self) -> bool {
        self.size > REWRITE_FROM.max(4 * self.base_size)
    }

    /// Replaces the journal by one with these entries.
    pub(crate) fn rewrite(&mut self, entries: &[Entry]) -> io::Result<()> {
        let lines = lines(entries)?;
        let fresh = self.path.with_extension("fresh");
        std::fs::write(&fresh, &lines)?;
        let file = OpenOptions::new().append(true).open(&fresh)?;
        std::fs::rename(&fresh, &self.path)?;
        self.file = file;
        self.size = lines.len() as u64;
        self.base_size = self.size;
        Ok(())
    }

    /// Hands everything to the disk.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn lines(entries: &[Entry]) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    for entry in entries {
        serde_json::to_writer(&mut out, entry)?;
        out.push(b'\n');
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unfinished_line_is_cut_off() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        journal.append(&[Entry::ProducerIds { next: 5 }]).unwrap();
        let path = directory.path().join("journal.ndjson");
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(b"{\"is\":\"delet");
        std::fs::write(&path, &text).unwrap();

        let (mut journal, entries) = Journal::open(directory.path()).unwrap();
        assert!(matches!(entries[..], [Entry::ProducerIds { next: 5 }]));
        journal.append(&[Entry::ProducerIds { next: 6 }]).unwrap();
        let (_, entries) = Journal::open(directory.path()).unwrap();
        assert_eq!(entries.len(), 2);
    }

    #[test]
    fn a_rewritten_journal_says_what_it_was_given_and_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(directory.path()).unwrap();
        for next in 0..10 {
            journal.append(&[Entry::ProducerIds { next }]).unwrap();
        }
        journal.rewrite(&[Entry::ProducerIds { next: 9 }]).unwrap();
        journal.append(&[Entry::ProducerIds { next: 10 }]).unwrap();
        let (_, entries) = Journal::open(directory.path()).unwrap();
        assert_eq!(entries.len(), 2);
    }
}
