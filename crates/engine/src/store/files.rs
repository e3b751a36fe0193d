//! Small things about files that a file of data needs.

use std::io;
use std::path::{Path, PathBuf};

/// A path with some text after its last name: `weir.db` and `-wal` give `weir.db-wal`.
pub(crate) fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Removes a file, unless it is gone already.
pub(crate) fn remove_if_there(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Makes new names in the folder of a file survive a loss of power.
pub(crate) fn sync_folder(of: &Path) -> io::Result<()> {
    // Elsewhere a folder cannot be opened as a file, and the system sees to it itself.
    #[cfg(unix)]
    {
        let folder = of.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = of;
    Ok(())
}
