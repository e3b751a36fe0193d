//! The note that the owner of a data folder leaves for other programs of the same user: where its private channel listens,
//! and the secret that opens it. Readable by the user alone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// The owner's note.
#[derive(Clone, Serialize, Deserialize)]
pub struct OwnerFile {
    /// Where the private channel listens, as `127.0.0.1:port`.
    pub address: String,
    /// The bearer secret of the private channel.
    pub secret: String,
    /// The owner's process.
    pub pid: u32,
}

impl std::fmt::Debug for OwnerFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OwnerFile")
            .field("address", &self.address)
            .field("secret", &"<redacted>")
            .field("pid", &self.pid)
            .finish()
    }
}

fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("owner.json")
}

/// Leaves the note, whole or not at all.
pub fn write(data_dir: &Path, owner: &OwnerFile) -> io::Result<()> {
    let draft = data_dir.join("owner.json.new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(&serde_json::to_vec(owner)?)?;
    file.sync_all()?;
    fs::rename(draft, path(data_dir))
}

/// Reads the note, if there is one. It may be stale: only the lock says whether the folder is owned.
pub fn read(data_dir: &Path) -> io::Result<Option<OwnerFile>> {
    match fs::read(path(data_dir)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Takes the note away.
pub fn remove(data_dir: &Path) -> io::Result<()> {
    match fs::remove_file(path(data_dir)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_note_is_private_and_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(read(dir.path()).unwrap().is_none());
        let owner = OwnerFile { address: "127.0.0.1:1".into(), secret: "s3cret".into(), pid: 7 };
        write(dir.path(), &owner).unwrap();
        assert_eq!(read(dir.path()).unwrap().unwrap().secret, "s3cret");
        assert!(!format!("{owner:?}").contains("s3cret"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(path(dir.path())).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        remove(dir.path()).unwrap();
        remove(dir.path()).unwrap();
        assert!(read(dir.path()).unwrap().is_none());
    }
}
