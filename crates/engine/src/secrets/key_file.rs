//! The key as a file beside the data that only its user can read.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::SecretKey;
use crate::error::{Error, Result};
use crate::store::{remove_if_there, sync_folder, with_ending};

/// The file's name.
pub(super) const FILE: &str = "secret.key";

/// The file of a data folder.
#[derive(Debug)]
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    pub(super) fn beside(data_dir: &Path) -> Self {
        KeyFile(data_dir.join(FILE))
    }

    pub(super) fn is_there(&self) -> bool {
        // What cannot be looked at is taken for there, so that it is read, and what is wrong with it said.
        self.0.try_exists().unwrap_or(true)
    }

    pub(super) fn load(&self) -> Result<Option<SecretKey>> {
        match fs::read_to_string(&self.0) {
            Ok(text) => text.trim().parse().map(Some).map_err(|bad| self.unusable(bad)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(error)),
        }
    }

    pub(super) fn save(&self, key: &SecretKey) -> Result<()> {
        write_private(&self.0, key.hex().as_bytes()).map_err(|error| self.unusable(error))
    }

    pub(super) fn remove(&self) -> Result<()> {
        let removed = remove_if_there(&self.0).and_then(|()| sync_folder(&self.0));
        removed.map_err(|error| self.unusable(error))
    }

    fn unusable(&self, reason: impl std::fmt::Display) -> Error {
        Error::Storage(format!("{}: {reason}", self.0.display()))
    }
}

/// Writes a file that only its user can read: whole or not at all, and for good.
pub(super) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let draft = with_ending(path, ".new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(draft, path)?;
    sync_folder(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_comes_back_is_private_and_goes() {
        let dir = tempfile::tempdir().unwrap();
        let (file, key) = (KeyFile::beside(dir.path()), SecretKey::new([7; 32]));
        assert!(file.load().unwrap().is_none() && !file.is_there());
        file.save(&key).unwrap();
        assert_eq!(file.load().unwrap(), Some(key));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(dir.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
        }
        file.remove().unwrap();
        file.remove().unwrap();
        assert!(file.load().unwrap().is_none());
    }
}
