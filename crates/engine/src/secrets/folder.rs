//! A data folder's places for its key: which of them is the one, making the key, and moving it.

use std::path::{Path, PathBuf};

use weir_core::error::{Code, Fault};
use weir_core::id::ProjectId;

use super::choice::Choice;
use super::key_file::{self, KeyFile};
use super::patient::Patient;
use super::{Keyring, KeyringError, SecretKey, Secrets, VARIABLE};
use crate::error::{Error, Result};
use crate::model::{KeepSecrets, SecretsChoice, SecretsPlace, SecretsState};

/// What is known of a folder's places. `kept` is the key once it was read; the caller holds its lock.
#[derive(Debug)]
pub(crate) struct Folder {
    data_dir: PathBuf,
    /// Under which name the keyring has the key: a folder that is moved finds it again.
    account: String,
    file: KeyFile,
    choice: Choice,
    keyring: Option<Patient>,
    environment: Option<SecretKey>,
    unless_chosen: Option<SecretsPlace>,
}

impl Folder {
    pub(crate) fn new(data_dir: &Path, project: ProjectId, given: Secrets) -> Self {
        Folder {
            data_dir: data_dir.to_owned(),
            account: project.to_string(),
            file: KeyFile::beside(data_dir),
            choice: Choice::beside(data_dir),
            keyring: given.keyring.map(Patient::new),
            environment: given.environment,
            unless_chosen: given.unless_chosen,
        }
    }

    /// The key, if the folder has one.
    pub(crate) fn key(&self, kept: &mut Option<SecretKey>) -> Result<Option<SecretKey>> {
        if kept.is_none()
            && let Some(place) = self.place()?
        {
            *kept = self.load(place)?;
        }
        Ok(kept.clone())
    }

    /// The key, made where the folder has none.
    pub(crate) fn prepare(&self, kept: &mut Option<SecretKey>) -> Result<SecretKey> {
        if let Some(key) = self.key(kept)? {
            return Ok(key);
        }
        let place = self.place()?.and_then(SecretsPlace::choice).ok_or_else(|| self.nowhere())?;
        let key = SecretKey::random()?;
        self.save(place, &key)?;
        // Where it was the host's choice until now, it is the folder's from here on: the key is there.
        if self.choice.read()?.is_none() {
            self.choice.write(place)?;
        }
        *kept = Some(key.clone());
        Ok(key)
    }

    /// How it stands.
    pub(crate) fn state(&self, kept: &mut Option<SecretKey>) -> SecretsState {
        let (store, error) = match (self.place(), self.key(kept)) {
            (Ok(place), Ok(_)) => (place, None),
            (Ok(place), Err(error)) => (place, Some(error)),
            (Err(error), _) => (None, Some(error)),
        };
        SecretsState {
            store,
            has_key: kept.is_some(),
            can_change: self.environment.is_none(),
            file_left: !matches!(store, None | Some(SecretsPlace::File)) && self.file.is_there(),
            error_code: error.as_ref().map(|error| error.code().as_str()),
            error: error.map(|error| error.to_string()),
        }
    }

    /// Keeps the key in a place from now on: how it stood, and how it stands.
    pub(crate) fn keep(&self, kept: &mut Option<SecretKey>, keep: KeepSecrets) -> Result<(SecretsState, SecretsState)> {
        if self.environment.is_some() {
            let message = format!("the key is in {VARIABLE}, and is changed where Weir is started");
            return Err(Fault::new(Code::Conflict, message).into());
        }
        let before = self.state(kept);
        let (from, to) = (self.place_to_leave(), keep.store);
        let key = match from {
            Some(from) if from != to && !keep.new_key => self.key_to_move(from)?,
            Some(from) if from == to => self.load(to.into())?,
            _ => None,
        };
        // Read before anything is written: a place that does not answer is none.
        let there = self.load(to.into())?;
        let is_moved = key.is_some();
        let key = match (key, there) {
            (Some(key), Some(there)) if key != there => return Err(taken(to)),
            (_, Some(there)) => there,
            (key, None) => {
                // One is made if need be: that a place can be read does not say that it can be written.
                let key = key.map_or_else(SecretKey::random, Ok)?;
                self.save(to, &key)?;
                key
            }
        };
        self.choice.write(to)?;
        if is_moved {
            self.clear(&key, from, to);
        }
        *kept = Some(key);
        Ok((before, self.state(kept)))
    }

    /// Where the key is kept, if that is known. What the environment holds goes before, being said anew at every start.
    fn place(&self) -> Result<Option<SecretsPlace>> {
        if self.environment.is_some() {
            return Ok(Some(SecretsPlace::Environment));
        }
        Ok(match self.choice.read()? {
            Some(chosen) => Some(chosen.into()),
            None if self.file.is_there() => Some(SecretsPlace::File),
            None => self.unless_chosen,
        })
    }

    /// The place that a key is to be moved from, if there may be one.
    fn place_to_leave(&self) -> Option<SecretsChoice> {
        match self.place() {
            Ok(place) => place.and_then(SecretsPlace::choice),
            // Whatever it said: a file speaks for itself.
            Err(_) => self.file.is_there().then_some(SecretsChoice::File),
        }
    }

    fn key_to_move(&self, from: SecretsChoice) -> Result<Option<SecretKey>> {
        match self.load(from.into()) {
            // Nobody ever had a key kept there.
            Err(_) if !self.file.is_there() && matches!(self.choice.read(), Ok(None)) => Ok(None),
            Err(error) => {
                let message = format!(
                    "the key cannot be moved: {error}. To leave it where it is and begin with another one, after which each \
                     endpoint has to be given a new secret, say `newKey` (`weir secrets use --new-key`)"
                );
                Err(Fault::new(Code::Conflict, message).into())
            }
            key => key,
        }
    }

    fn load(&self, place: SecretsPlace) -> Result<Option<SecretKey>> {
        match place {
            SecretsPlace::Environment => Ok(self.environment.clone()),
            SecretsPlace::File => self.file.load(),
            SecretsPlace::Keyring => self.ask_keyring(|keyring, account| keyring.load(account)),
        }
    }

    /// Keeps a key, and sees that it comes back: a secret that was handed out must not be lost.
    fn save(&self, place: SecretsChoice, key: &SecretKey) -> Result<()> {
        match place {
            SecretsChoice::File => self.file.save(key)?,
            SecretsChoice::Keyring => {
                let key = key.clone();
                self.ask_keyring(move |keyring, account| keyring.save(account, &key))?;
            }
        }
        if self.load(place.into())?.as_ref() == Some(key) {
            return Ok(());
        }
        Err(Error::Storage(format!("the key did not come back from {}", named(place))))
    }

    /// Takes a key that was moved away from where else it is. What cannot be taken away is told, and seen in the state.
    fn clear(&self, key: &SecretKey, from: Option<SecretsChoice>, to: SecretsChoice) {
        let is_there = |place: SecretsChoice| matches!(self.load(place.into()), Ok(Some(there)) if there == *key);
        let cleared = match to {
            SecretsChoice::Keyring if is_there(SecretsChoice::File) => self.file.remove(),
            SecretsChoice::File if from == Some(SecretsChoice::Keyring) => {
                self.ask_keyring(|keyring, account| keyring.remove(account))
            }
            _ => Ok(()),
        };
        if let Err(error) = cleared {
            tracing::warn!(%error, "the key of signing secrets was moved, but also stays where it was");
        }
    }

    fn ask_keyring<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&dyn Keyring, &str) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T> {
        let answer = match &self.keyring {
            Some(keyring) => keyring.ask(&self.account, ask),
            None => Err(KeyringError::Silent("this program knows none".to_owned())),
        };
        answer.map_err(|error| match error {
            KeyringError::Silent(reason) => self.silent(&reason),
            KeyringError::Damaged => Error::Storage(format!("the keyring of the system: {error}")),
        })
    }

    fn silent(&self, reason: &str) -> Error {
        let message = format!(
            "the keyring of the system does not answer ({reason}): start or unlock it, or keep the key of signing secrets in a file \
             that only you can read, with `weir secrets use file --data {}`",
            self.data_dir.display()
        );
        Fault::new(Code::KeyringUnavailable, message).into()
    }

    fn nowhere(&self) -> Error {
        let message = format!(
            "nobody has chosen yet where the key of signing secrets is kept: set {VARIABLE} where Weir is started, or choose with \
             `weir secrets use file --data {dir}` or `weir secrets use keyring --data {dir}`",
            dir = self.data_dir.display()
        );
        Fault::new(Code::Conflict, message).into()
    }
}

fn taken(place: SecretsChoice) -> Error {
    let message = format!(
        "{} already holds another key, and which one is right only you can know: take the other one away first",
        named(place)
    );
    Fault::new(Code::Conflict, message).into()
}

fn named(place: SecretsChoice) -> &'static str {
    match place {
        SecretsChoice::Keyring => "the keyring of the system",
        SecretsChoice::File => key_file::FILE,
    }
}
