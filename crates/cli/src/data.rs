//! The data folder that a command works on.

use std::path::Path;

use weir_engine::OpenOptions;
use weir_http::Door;

use crate::failure::Failure;

/// How it is opened: with every place for secrets that this machine has, and none of them chosen.
pub fn options(dir: &Path) -> Result<OpenOptions, Failure> {
    Ok(OpenOptions { secrets: weir_secrets::of_this_machine(None)?, ..OpenOptions::new(dir) })
}

/// A way to it, whether or not another program owns it.
pub async fn door(dir: &Path) -> Result<Door, Failure> {
    Ok(Door::open(options(dir)?).await?)
}
