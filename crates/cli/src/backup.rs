//! `weir backup` and `weir restore`.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::args::{BackupArgs, RestoreArgs};
use crate::data;
use crate::doctor::must_hold_data;
use crate::failure::Failure;

#[derive(Serialize)]
struct NewBackup {
    path: PathBuf,
}

#[derive(Deserialize)]
struct Done {}

/// Writes a copy of the data.
pub async fn backup(args: BackupArgs) -> Result<ExitCode, Failure> {
    must_hold_data(&args.data.dir)?;
    // Whoever owns the data may stand in another folder.
    let path =
        std::path::absolute(&args.file).map_err(|error| Failure::new(format!("{}: {error}", args.file.display())))?;
    let door = data::door(&args.data.dir).await?;
    let done = door.ask::<Done>("backup.create", &NewBackup { path }).await;
    door.close().await;
    done?;
    eprintln!("wrote {}", args.file.display());
    Ok(ExitCode::SUCCESS)
}

/// Puts a backup in the place of the data.
pub async fn restore(args: RestoreArgs) -> Result<ExitCode, Failure> {
    let kept = weir_engine::restore::restore(&args.file, &args.data.dir).await?;
    eprintln!("restored {}", args.file.display());
    if let Some(kept) = kept {
        eprintln!("what was there before is kept as {}", kept.display());
    }
    Ok(ExitCode::SUCCESS)
}
