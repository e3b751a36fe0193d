//! Backups.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_engine::model::Scope;

use super::Success;
use crate::context::Context;
use crate::error::ApiError;
use crate::operation::{Kind, Method, Operation, Reach};

/// Where to put a backup.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// An absolute path to a file that does not exist yet.
    pub path: PathBuf,
}

/// Writes a backup to a file on the machine that holds the data.
pub struct Create;

impl Operation for Create {
    const NAME: &'static str = "backup.create";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/backup";
    const SCOPE: Scope = Scope::Manage;
    const KIND: Kind = Kind::Change;
    const REACH: Reach = Reach::Local;
    const SUMMARY: &'static str = "Writes a backup to a file on the machine that holds the data.";
    type Req = NewBackup;
    type Res = Success;

    async fn run(ctx: &Context, req: NewBackup) -> Result<Success, ApiError> {
        check(&req.path)?;
        ctx.engine().backup(&ctx.actor, &req.path).await?;
        Ok(Success::DONE)
    }
}

fn check(path: &Path) -> Result<(), ApiError> {
    if !path.is_absolute() {
        return Err(ApiError::invalid("path", "must be absolute"));
    }
    if path.exists() {
        return Err(ApiError::invalid("path", "must not exist yet"));
    }
    Ok(())
}
