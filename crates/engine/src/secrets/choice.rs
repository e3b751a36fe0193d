//! Where somebody chose to keep the key, remembered beside the data.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::key_file::write_private;
use crate::error::{Error, Result};
use crate::model::SecretsChoice;

/// The file's name.
const FILE: &str = "secrets.json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    store: SecretsChoice,
}

/// The choice of a data folder.
#[derive(Debug)]
pub(super) struct Choice(PathBuf);

impl Choice {
    pub(super) fn beside(data_dir: &Path) -> Self {
        Choice(data_dir.join(FILE))
    }

    /// What was chosen, if anything was. A choice that cannot be read is not one for something else.
    pub(super) fn read(&self) -> Result<Option<SecretsChoice>> {
        match std::fs::read(&self.0) {
            Ok(text) => {
                let said: Said = serde_json::from_slice(&text).map_err(|error| self.unusable(error))?;
                Ok(Some(said.store))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unusable(error)),
        }
    }

    pub(super) fn write(&self, store: SecretsChoice) -> Result<()> {
        let text = serde_json::to_vec(&Said { store }).map_err(|error| self.unusable(error))?;
        write_private(&self.0, &text).map_err(|error| self.unusable(error))
    }

    fn unusable(&self, reason: impl std::fmt::Display) -> Error {
        let path = self.0.display();
        Error::Storage(format!("{path}: {reason}; choose again where the key of signing secrets is kept"))
    }
}
