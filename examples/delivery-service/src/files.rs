//! The folder this example "sends" to: one file per message, for a person to open.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::render::Message;

/// The longest file name this example makes, without its extension.
const NAME_BYTES_MAX: usize = 180;

/// Writes messages as files, up to a number of them.
pub(crate) struct Folder {
    root: PathBuf,
    left: usize,
}

impl Folder {
    /// The folder at `root`, made when the first message comes; takes `files_max` messages and
    /// drops those after.
    pub(crate) fn new(root: PathBuf, files_max: usize) -> Self {
        Self { root, left: files_max }
    }

    /// Writes `message` to `<channel>/<assignment id>.html` and `.txt`. The same assignment written
    /// twice is one file.
    ///
    /// # Errors
    /// What the file system said.
    pub(crate) fn write(
        &mut self,
        assignment_id: &str,
        channel: &str,
        message: &Message,
    ) -> io::Result<()> {
        if self.left == 0 {
            return Ok(());
        }
        self.left -= 1;
        let folder = self.root.join(file_name(channel));
        fs::create_dir_all(&folder)?;
        let name = file_name(assignment_id);
        if let Some(html) = &message.html {
            fs::write(with_extension(&folder, &name, "html"), html)?;
        }
        if message.text.is_some() || message.html.is_none() {
            fs::write(with_extension(&folder, &name, "txt"), message.as_text())?;
        }
        Ok(())
    }
}

// `Path::with_extension` would cut off what follows the last dot of an id.
fn with_extension(folder: &Path, name: &str, extension: &str) -> PathBuf {
    folder.join(format!("{name}.{extension}"))
}

/// `id` as a file name that stays in its folder on every system: what is not a letter, digit, dash,
/// underscore or inner dot becomes `%` and its hexadecimal value; a long one is cut and keeps a hash.
fn file_name(id: &str) -> String {
    let mut name = String::with_capacity(id.len());
    for (at, byte) in id.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    if name.len() > NAME_BYTES_MAX {
        let hash = id
            .bytes()
            .fold(0_u64, |hash, byte| hash.wrapping_mul(0x0000_0100_0000_01b3) ^ u64::from(byte));
        name.truncate(NAME_BYTES_MAX - 17);
        name.push_str(&format!("~{hash:016x}"));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, expected: &str) {
        assert_eq!(file_name(id), expected);
    }

    #[test]
    fn an_id_cannot_leave_its_folder() {
        check("order-1.2:1", "order-1.2%3A1");
        check("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd");
        check("https://shop/events#a b", "https%3A%2F%2Fshop%2Fevents%23a%20b");
        check("é", "%C3%A9");
    }

    #[test]
    fn long_ids_stay_apart() {
        let (one, two) = (format!("{}1", "x".repeat(255)), format!("{}2", "x".repeat(255)));
        assert!(file_name(&one).len() <= NAME_BYTES_MAX);
        assert_ne!(file_name(&one), file_name(&two));
    }

    #[test]
    fn no_more_files_are_written_than_allowed() {
        let root = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(root.path().join("out"), 2);
        let message = Message { text: Some("hello".into()), ..Message::default() };
        for n in 0..5 {
            folder.write(&format!("e{n}:1"), "sms", &message).unwrap();
        }
        assert_eq!(fs::read_dir(root.path().join("out/sms")).unwrap().count(), 2);
        assert_eq!(fs::read_to_string(root.path().join("out/sms/e0%3A1.txt")).unwrap(), "hello");
    }
}
