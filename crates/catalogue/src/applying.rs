use domain::{Catalogue, CatalogueBuilder, Revision};
use tracing::warn;

/// The records of `message-template` since the last snapshot, applied one after the other.
///
/// Shows nothing before [`Applying::settle`]: a transaction that publishes several templates is
/// visible as a whole or not at all.
#[derive(Debug, Default)]
pub struct Applying {
    builder: CatalogueBuilder,
    next: Revision,
    malformed: u64,
    changed: bool,
}

/// Why a record of `message-template` is skipped.
#[derive(Debug, thiserror::Error)]
enum SkippedRecord {
    #[error("it has no key")]
    NoKey,
    #[error("its key is not UTF-8")]
    KeyNotText,
    #[error("its key is not the id of the template in it")]
    OtherKey,
    #[error(transparent)]
    Malformed(#[from] wire::Malformed),
}

impl Applying {
    /// Applies the record at `offset`. One that is no template is reported, counted and skipped; a
    /// null value unpublishes.
    pub fn apply<'a>(
        &mut self,
        offset: i64,
        key: Option<&[u8]>,
        value: Option<&'a [u8]>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) {
        if offset < self.next.0 {
            warn!(offset, next = self.next.0, "topic of templates was made anew, starting over");
            self.builder = CatalogueBuilder::new();
        }
        self.next = Revision(offset + 1);
        self.changed = true;
        if let Err(error) = self.change(key, value, headers) {
            self.malformed += 1;
            let key = String::from_utf8_lossy(key.unwrap_or_default());
            warn!(offset, %key, %error, "template record skipped");
        }
    }

    fn change<'a>(
        &mut self,
        key: Option<&[u8]>,
        value: Option<&'a [u8]>,
        headers: impl Iterator<Item = (&'a str, Option<&'a [u8]>)>,
    ) -> Result<(), SkippedRecord> {
        let key = key.ok_or(SkippedRecord::NoKey)?;
        let id = std::str::from_utf8(key).map_err(|_| SkippedRecord::KeyNotText)?;
        if value.is_none() {
            self.builder.unpublish(id);
            return Ok(());
        }
        let template = wire::template::decode(value, headers)?;
        // Compaction goes by the key: under another one it could never be unpublished.
        if template.id.as_ref() != id {
            return Err(SkippedRecord::OtherKey);
        }
        self.builder.publish(template);
        Ok(())
    }

    /// The catalogue as of the last record; `None` where none came since the last time. To be called
    /// where no transaction is half read.
    pub fn settle(&mut self) -> Option<Catalogue> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let catalogue = std::mem::take(&mut self.builder).build(self.next);
        self.builder = CatalogueBuilder::from(&catalogue);
        Some(catalogue)
    }

    /// The next offset after the last record.
    pub const fn next(&self) -> Revision {
        self.next
    }

    /// How many records were skipped so far.
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }
}

#[cfg(test)]
mod tests;
