//! Files that the console hands out (charts, tables): they land in the user's downloads, and the console hears where.

use std::fs;
use std::path::{Path, PathBuf};

use tauri::webview::DownloadEvent;
use tauri::{Emitter, Manager, Webview};

/// The event that says how a file was saved: its path, or null when it could not be.
const SAVED: &str = "weir://saved";

/// Decides where a file goes, and tells the console how it ended.
pub fn handle(webview: &Webview, event: DownloadEvent<'_>) -> bool {
    match event {
        DownloadEvent::Requested { destination, .. } => match folder(webview) {
            Ok(folder) => {
                *destination = free_name(&folder, destination);
                true
            }
            Err(error) => {
                tracing::error!(%error, "there is no folder to save a file in");
                tell(webview, None);
                false
            }
        },
        DownloadEvent::Finished { path, success, .. } => {
            tell(webview, path.filter(|_| success));
            true
        }
        _ => true,
    }
}

fn folder(webview: &Webview) -> tauri::Result<PathBuf> {
    let paths = webview.path();
    // A desktop that names no downloads folder still has a home.
    let folder = match paths.download_dir() {
        Ok(folder) => folder,
        Err(_) => paths.home_dir()?.join("Downloads"),
    };
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The suggested name, with a number before its ending where that file exists.
fn free_name(folder: &Path, suggested: &Path) -> PathBuf {
    let stem = suggested.file_stem().unwrap_or_default().to_string_lossy();
    let ending = suggested.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
    let mut path = folder.join(format!("{stem}{ending}"));
    let mut number = 1;
    while path.exists() {
        number += 1;
        path = folder.join(format!("{stem} ({number}){ending}"));
    }
    path
}

fn tell(webview: &Webview, path: Option<PathBuf>) {
    if let Err(error) = webview.emit(SAVED, path) {
        tracing::warn!(%error, "the console was not told about a saved file");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_never_replaces_another() {
        let folder = tempfile::tempdir().unwrap();
        let suggested = Path::new("/elsewhere/usage.csv");
        let first = free_name(folder.path(), suggested);
        assert_eq!(first, folder.path().join("usage.csv"));
        fs::write(&first, "").unwrap();
        let second = free_name(folder.path(), suggested);
        assert_eq!(second, folder.path().join("usage (2).csv"));
        fs::write(&second, "").unwrap();
        assert_eq!(free_name(folder.path(), suggested), folder.path().join("usage (3).csv"));
    }
}
