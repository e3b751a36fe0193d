//! Who owns a data folder: one process at a time, told by a lock that the system releases when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::error::OpenError;

const LOCK_FILE: &str = "weir.lock";

/// The lock on a data folder, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, creating the folder when it does not exist.
    pub(crate) fn take(data_dir: &Path) -> Result<Self, OpenError> {
        let io = |source| OpenError::Io { path: data_dir.to_owned(), source };
        let made: Vec<_> = data_dir.ancestors().take_while(|folder| !folder.exists()).collect();
        std::fs::create_dir_all(data_dir).map_err(io)?;
        // What is synced within a new folder is durable only once the folder itself is.
        made.into_iter().try_for_each(super::files::sync_folder).map_err(io)?;
        refuse_network_file_systems(data_dir)?;
        let path = data_dir.join(LOCK_FILE);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                // The text is for people only; unreadable, it is left out.
                let _ = file.read_to_string(&mut owner);
                return Err(OpenError::Owned { path: data_dir.to_owned(), owner: owner.trim().to_owned() });
            }
            Err(TryLockError::Error(source)) => return Err(io(source)),
        }
        file.set_len(0).map_err(io)?;
        file.rewind().map_err(io)?;
        writeln!(file, "process {}, version {}", std::process::id(), env!("CARGO_PKG_VERSION")).map_err(io)?;
        Ok(Lock { _file: file })
    }
}

/// SQLite's write-ahead log needs shared memory, which network file systems do not give.
fn refuse_network_file_systems(data_dir: &Path) -> Result<(), OpenError> {
    #[cfg(target_os = "linux")]
    {
        const NETWORK: [&str; 9] = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "fuse.sshfs"];
        let Ok(dir) = data_dir.canonicalize() else { return Ok(()) };
        // Without a readable mount table nothing is known against the folder.
        let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let covering = mounts
            .lines()
            .filter_map(|line| {
                let mut parts = line.split(' ');
                let (_, point, kind) = (parts.next()?, parts.next()?.replace("\\040", " "), parts.next()?);
                dir.starts_with(&point).then_some((point.len(), kind))
            })
            .max_by_key(|(length, _)| *length);
        if covering.is_some_and(|(_, kind)| NETWORK.contains(&kind)) {
            return Err(OpenError::NetworkFileSystem { path: data_dir.to_owned() });
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = data_dir;
    Ok(())
}
