//! The statuses of each journal partition, kept on disk: a cache, rebuilt from topics.

mod layout;
mod partition;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use fjall::{Database, KeyspaceCreateOptions};
use kafka::TopicSpec;
use tracing::warn;

pub(crate) use partition::{Changes, PartitionStore, StatusAge};

/// One embedded database per process, one keyspace in it per partition. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Store {
    database: Database,
    journal: Arc<str>,
    memtable_bytes: u64,
    age: StatusAge,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// Another process has it open.
    #[error(
        "the state in `{}` belongs to another process; give each a `state_directory` or an \
         `instance` of its own",
        .0.display()
    )]
    InUse(PathBuf),
    /// The directory cannot be written to.
    #[error("the state directory `{}` cannot be used", .directory.display())]
    Directory {
        /// Which.
        directory: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// The database failed.
    #[error("the store of statuses failed")]
    Database(#[from] fjall::Error),
    /// What it holds is not what was put in.
    #[error("the store of statuses holds something else: {0}")]
    Foreign(String),
}

/// Memory for what is being filled, for all partitions together and at least for each. Up to four times as
/// much waits to be written to files; then the database holds back who writes.
const MEMTABLES_BYTES: u64 = 24 << 20;
const MEMTABLE_BYTES_MIN: u64 = 512 << 10;
const CACHE_BYTES: u64 = 16 << 20;
const JOURNALS_BYTES: u64 = 64 << 20;

impl Store {
    /// Opens the store in `directory`, or makes one there. One that cannot be read is thrown away:
    /// everything in it can be had from the topics again.
    ///
    /// `journal` is the topic whose partitions it follows.
    pub(crate) fn open(
        directory: &Path,
        journal: &TopicSpec,
        age: StatusAge,
    ) -> Result<Self, StoreError> {
        let unusable =
            |source| StoreError::Directory { directory: directory.to_path_buf(), source };
        fs::create_dir_all(directory).map_err(unusable)?;
        let path = directory.join("statuses");
        let database = match open(&path) {
            Err(fjall::Error::Locked) => return Err(StoreError::InUse(directory.to_path_buf())),
            Err(error) if path.exists() => {
                warn!(%error, path = %path.display(), "stored statuses are unreadable, starting anew");
                fs::remove_dir_all(&path).map_err(unusable)?;
                open(&path)?
            }
            opened => opened?,
        };
        let partitions = u64::try_from(journal.partitions.max(1)).unwrap_or(1);
        let memtable_bytes = (MEMTABLES_BYTES / partitions).max(MEMTABLE_BYTES_MIN);
        Ok(Self { database, journal: journal.name.as_str().into(), memtable_bytes, age })
    }

    /// The statuses of one partition of the journal.
    pub(crate) fn partition(&self, partition: i32) -> Result<PartitionStore, StoreError> {
        let options = || KeyspaceCreateOptions::default().max_memtable_size(self.memtable_bytes);
        let keyspace = self.database.keyspace(&format!("{partition}-{}", self.journal), options)?;
        Ok(PartitionStore::new(keyspace, self.age))
    }

    /// Changes to any number of partitions, all or none of which will be there.
    pub(crate) fn changes(&self) -> Changes {
        Changes::new(self.database.batch())
    }
}

fn open(path: &Path) -> Result<Database, fjall::Error> {
    Database::builder(path)
        .cache_size(CACHE_BYTES)
        .max_journaling_size(JOURNALS_BYTES)
        .worker_threads(1)
        .open()
}

#[cfg(test)]
mod tests;
