//! A keyring that is waited for, but not for ever: it may ask its user for a password, and nobody may be there to be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::Duration;

use super::{Keyring, KeyringError};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A keyring, asked one thing at a time.
#[derive(Debug)]
pub(super) struct Patient {
    keyring: Arc<dyn Keyring>,
    patience: Duration,
    /// Whether it still owes an answer, also to somebody who no longer waits: whatever comes of that must not mix with what is asked
    /// later.
    is_asked: Arc<AtomicBool>,
}

/// Lets others ask, however the asking ends.
struct Asked(Arc<AtomicBool>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Patient {
    pub(super) fn new(keyring: Arc<dyn Keyring>) -> Self {
        Patient { keyring, patience: PATIENCE, is_asked: Arc::default() }
    }

    /// Asks on a thread of its own, which no end of the program waits for.
    pub(super) fn ask<T: Send + 'static>(
        &self,
        account: &str,
        ask: impl FnOnce(&dyn Keyring, &str) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, KeyringError> {
        if self.is_asked.swap(true, Ordering::AcqRel) {
            return Err(KeyringError::Silent(
                "it still owes an earlier answer, and may be waiting for its password".to_owned(),
            ));
        }
        let asked = Asked(self.is_asked.clone());
        let (keyring, account, (tell, told)) = (self.keyring.clone(), account.to_owned(), channel());
        let asking = std::thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            let answer = ask(keyring.as_ref(), &account);
            drop(asked);
            // Nobody may be waiting any more.
            let _ = tell.send(answer);
        });
        asking.map_err(|error| KeyringError::Silent(error.to_string()))?;
        told.recv_timeout(self.patience).unwrap_or_else(|_| {
            let seconds = self.patience.as_secs();
            Err(KeyringError::Silent(format!("no answer within {seconds} s; it may be waiting for its password")))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, MutexGuard};

    use super::super::SecretKey;
    use super::*;

    /// Answers once it may.
    #[derive(Debug, Default)]
    struct Slow(Mutex<()>);

    impl Slow {
        fn answers(&self) -> MutexGuard<'_, ()> {
            self.0.lock().unwrap()
        }
    }

    impl Keyring for Slow {
        fn load(&self, _: &str) -> Result<Option<SecretKey>, KeyringError> {
            drop(self.answers());
            Ok(Some(SecretKey::new([7; 32])))
        }

        fn save(&self, _: &str, _: &SecretKey) -> Result<(), KeyringError> {
            panic!("it breaks off")
        }

        fn remove(&self, _: &str) -> Result<(), KeyringError> {
            Ok(())
        }
    }

    fn said<T>(answer: Result<T, KeyringError>) -> String {
        let Err(KeyringError::Silent(reason)) = answer else { panic!("it answered") };
        reason
    }

    #[test]
    fn who_asks_is_not_kept_for_ever_and_nothing_is_asked_before_the_last_answer() {
        let slow = Arc::new(Slow::default());
        let patient = Patient { patience: Duration::from_millis(50), ..Patient::new(slow.clone()) };
        let load = |patient: &Patient| patient.ask("prj_1", |keyring, account| keyring.load(account));
        let held = slow.answers();
        assert!(said(load(&patient)).contains("no answer within"));
        assert!(said(load(&patient)).contains("an earlier answer"));
        drop(held);
        while patient.is_asked.load(Ordering::Acquire) {
            std::thread::yield_now();
        }
        let patient = Patient { patience: PATIENCE, ..patient };
        assert_eq!(load(&patient), Ok(Some(SecretKey::new([7; 32]))));
        // One that breaks off owes nothing any more.
        let key = SecretKey::new([7; 32]);
        assert!(said(patient.ask("prj_1", move |keyring, account| keyring.save(account, &key))).contains("no answer"));
        assert!(load(&patient).is_ok());
    }
}
