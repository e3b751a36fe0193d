//! Where the key of signing secrets is kept: chosen, never by itself, and moved without being lost.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use common::actor;
use common::hooks::hook;
use tempfile::TempDir;
use weir_core::error::Code;
use weir_core::id::WebhookId;
use weir_engine::model::{
    KeepSecrets, ListAudit, RotateWebhook, SecretsChoice, SecretsPlace, SecretsState, WebhookWithSecret,
};
use weir_engine::secrets::{Keyring, KeyringError, SecretKey, Secrets};
use weir_engine::{Engine, Error, OpenOptions, Result, SystemClock};

const FILE: &str = "secret.key";
const CHOICE: &str = "secrets.json";

/// A keyring in memory.
#[derive(Debug, Default)]
struct Ring {
    keys: Mutex<BTreeMap<String, SecretKey>>,
    mood: Mutex<Mood>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Good,
    Silent,
    Damaged,
    /// Says that it keeps what it forgets.
    Forgetful,
}

impl Ring {
    fn is(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn answer(&self) -> Result<Mood, KeyringError> {
        match *self.mood.lock().unwrap() {
            Mood::Silent => Err(KeyringError::Silent("nobody is there".to_owned())),
            Mood::Damaged => Err(KeyringError::Damaged),
            mood => Ok(mood),
        }
    }

    fn projects(&self) -> Vec<String> {
        self.keys.lock().unwrap().keys().cloned().collect()
    }
}

impl Keyring for Ring {
    fn load(&self, project: &str) -> Result<Option<SecretKey>, KeyringError> {
        self.answer().map(|_| self.keys.lock().unwrap().get(project).cloned())
    }

    fn save(&self, project: &str, key: &SecretKey) -> Result<(), KeyringError> {
        if self.answer()? == Mood::Good {
            self.keys.lock().unwrap().insert(project.to_owned(), key.clone());
        }
        Ok(())
    }

    fn remove(&self, project: &str) -> Result<(), KeyringError> {
        self.answer().map(|_| self.keys.lock().unwrap().remove(project)).map(|_| ())
    }
}

/// A data folder on a machine with a keyring.
struct Place {
    dir: TempDir,
    ring: Arc<Ring>,
    engine: Engine,
}

impl Place {
    async fn open(unless_chosen: Option<SecretsPlace>) -> Self {
        let (dir, ring) = (tempfile::tempdir().unwrap(), Arc::new(Ring::default()));
        let engine = open(dir.path(), Secrets { unless_chosen, ..on(&ring) }).await;
        Place { dir, ring, engine }
    }

    async fn reopen(self, secrets: Secrets) -> Self {
        self.engine.close().await;
        let engine = open(self.dir.path(), secrets).await;
        Place { engine, ..self }
    }

    /// As `weir serve` opens it: nothing is chosen for the folder.
    async fn serve(self) -> Self {
        let secrets = on(&self.ring);
        self.reopen(secrets).await
    }

    fn has(&self, file: &str) -> bool {
        self.dir.path().join(file).exists()
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.path().join(file), text).unwrap();
    }

    async fn make(&self) -> Result<WebhookWithSecret> {
        self.engine.create_webhook(&actor(), hook(None)).await
    }

    async fn secret(&self, id: WebhookId) -> Result<String> {
        self.engine.webhook(id).await.map(|known| known.secret)
    }

    async fn state(&self) -> SecretsState {
        self.engine.secrets().await.unwrap()
    }

    async fn keep(&self, store: SecretsChoice) -> Result<SecretsState> {
        self.engine.keep_secrets(&actor(), KeepSecrets { store, new_key: false }).await
    }

    async fn begin_anew(&self, store: SecretsChoice) -> Result<SecretsState> {
        self.engine.keep_secrets(&actor(), KeepSecrets { store, new_key: true }).await
    }
}

fn on(ring: &Arc<Ring>) -> Secrets {
    Secrets { keyring: Some(ring.clone()), ..Secrets::default() }
}

async fn open(dir: &Path, secrets: Secrets) -> Engine {
    Engine::open(OpenOptions { secrets, ..OpenOptions::new(dir) }, SystemClock).await.unwrap()
}

/// The message of a refusal by a code.
fn refused<T>(code: Code, answer: Result<T>) -> String {
    match answer {
        Err(Error::Fault(fault)) if fault.code == code => fault.message,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it is not refused"),
    }
}

fn conflict<T>(answer: Result<T>) -> String {
    refused(Code::Conflict, answer)
}

fn silent<T>(answer: Result<T>) -> String {
    refused(Code::KeyringUnavailable, answer)
}

#[tokio::test]
async fn nothing_is_kept_anywhere_before_somebody_chose() {
    let place = Place::open(None).await;
    let none =
        SecretsState { store: None, has_key: false, can_change: true, file_left: false, error: None, error_code: None };
    assert_eq!(place.state().await, none);
    let said = conflict(place.make().await);
    let dir = place.dir.path().display();
    for way in ["WEIR_SECRET_KEY".to_owned(), format!("weir secrets use file --data {dir}"), "use keyring".to_owned()] {
        assert!(said.contains(&way), "{said}");
    }
    assert!(!place.has(FILE) && !place.has(CHOICE) && place.ring.projects().is_empty());
    // Chosen, it holds, also after a restart.
    assert_eq!(place.keep(SecretsChoice::File).await.unwrap().store, Some(SecretsPlace::File));
    let made = place.make().await.unwrap();
    let place = place.serve().await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    assert_eq!(place.state().await, SecretsState { store: Some(SecretsPlace::File), has_key: true, ..none });
}

#[tokio::test]
async fn a_folder_with_a_key_file_goes_on_with_it() {
    let place = Place::open(None).await;
    place.write(FILE, &"ab".repeat(32));
    let made = place.make().await.unwrap();
    assert!(!place.has(CHOICE));
    let secrets = Secrets { unless_chosen: Some(SecretsPlace::Keyring), ..on(&place.ring) };
    let place = place.reopen(secrets).await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret, "in the window, too");
    assert_eq!(place.state().await.store, Some(SecretsPlace::File));
    assert!(place.ring.projects().is_empty());
}

#[tokio::test]
async fn the_keyring_has_the_key_by_the_project_wherever_the_folder_lies() {
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    let made = place.make().await.unwrap();
    let project = place.engine.project().await.unwrap().id.to_string();
    assert_eq!(place.ring.projects(), [project]);
    assert!(!place.has(FILE) && place.has(CHOICE));
    let Place { dir, ring, engine } = place.serve().await;
    engine.close().await;
    let moved = tempfile::tempdir().unwrap();
    for file in ["weir.db", CHOICE] {
        std::fs::copy(dir.path().join(file), moved.path().join(file)).unwrap();
    }
    let place = Place { engine: open(moved.path(), on(&ring)).await, dir: moved, ring };
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    // On another machine there is no key: that is said, and rotating mends it.
    let ring = Arc::new(Ring::default());
    let place = Place { ring: ring.clone(), ..place };
    let place = place.reopen(on(&ring)).await;
    assert_eq!((place.state().await.store, place.state().await.has_key), (Some(SecretsPlace::Keyring), false));
    assert!(conflict(place.secret(made.webhook.id).await).contains("rotate it"));
    let rotate = RotateWebhook { overlap_seconds: 0 };
    let mended = place.engine.rotate_webhook(&actor(), made.webhook.id, rotate).await.unwrap();
    assert_eq!(place.serve().await.secret(made.webhook.id).await.unwrap(), mended.secret);
}

#[tokio::test]
async fn a_silent_keyring_is_told_and_no_other_place_taken_until_somebody_says_so() {
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    place.ring.is(Mood::Silent);
    let said = silent(place.make().await);
    assert!(said.contains("nobody is there") && said.contains("weir secrets use file --data"), "{said}");
    let state = place.state().await;
    assert!(state.store == Some(SecretsPlace::Keyring) && !state.has_key, "{state:?}");
    assert!(state.error.unwrap().contains("nobody is there"));
    assert_eq!(state.error_code, Some("keyring_unavailable"));
    assert!(!place.has(FILE) && !place.has(CHOICE));
    // A keyring that wakes up is found without a restart.
    place.ring.is(Mood::Good);
    assert_eq!(place.state().await.error, None);
    place.ring.is(Mood::Silent);
    assert_eq!(place.keep(SecretsChoice::File).await.unwrap().store, Some(SecretsPlace::File));
    let made = place.make().await.unwrap();
    assert!(place.has(FILE));
    assert!(silent(place.keep(SecretsChoice::Keyring).await).contains("nobody is there"));
    let place = place.serve().await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
}

#[tokio::test]
async fn a_key_is_moved_there_and_back_and_every_secret_stays() {
    let place = Place::open(Some(SecretsPlace::File)).await;
    let made = place.make().await.unwrap();
    let text = std::fs::read_to_string(place.dir.path().join(FILE)).unwrap();
    let state = place.keep(SecretsChoice::Keyring).await.unwrap();
    assert_eq!((state.store, state.has_key, state.file_left), (Some(SecretsPlace::Keyring), true, false));
    assert!(!place.has(FILE) && place.ring.projects().len() == 1);
    let place = place.serve().await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    place.keep(SecretsChoice::File).await.unwrap();
    assert!(place.ring.projects().is_empty());
    assert_eq!(std::fs::read_to_string(place.dir.path().join(FILE)).unwrap(), text);
    let place = place.serve().await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    place.keep(SecretsChoice::File).await.unwrap();
    let facts = place.engine.audit(ListAudit::default()).await.unwrap().data;
    let moves: Vec<_> = facts.iter().filter(|fact| fact.operation == "secrets.update").collect();
    assert_eq!(moves.len(), 2, "what changes nothing is no fact");
    assert!(!format!("{facts:?}").contains(&text));
}

#[tokio::test]
async fn a_key_that_does_not_come_back_stays_where_it_was() {
    let place = Place::open(Some(SecretsPlace::File)).await;
    let made = place.make().await.unwrap();
    for mood in [Mood::Forgetful, Mood::Silent, Mood::Damaged] {
        place.ring.is(mood);
        assert!(place.keep(SecretsChoice::Keyring).await.is_err(), "{mood:?}");
        assert!(place.has(FILE));
        assert_eq!(place.state().await.store, Some(SecretsPlace::File));
    }
    let place = place.serve().await;
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    // Nor is it chosen before there is a key, or an endpoint made with one that would be lost.
    let place = Place::open(None).await;
    place.ring.is(Mood::Forgetful);
    assert!(place.keep(SecretsChoice::Keyring).await.unwrap_err().to_string().contains("did not come back"));
    assert_eq!(place.state().await.store, None);
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    place.ring.is(Mood::Forgetful);
    assert!(place.make().await.unwrap_err().to_string().contains("did not come back"));
    assert!(!place.has(CHOICE));
}

#[tokio::test]
async fn two_keys_are_not_decided_between() {
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    let made = place.make().await.unwrap();
    place.write(FILE, &"cd".repeat(32));
    assert!(place.state().await.file_left);
    let said = conflict(place.keep(SecretsChoice::File).await);
    assert!(said.contains(FILE) && said.contains("another key"), "{said}");
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
    assert!(place.has(FILE) && place.ring.projects().len() == 1, "neither is gone");
    // Said expressly, the other one is taken; the one until now stays where it is.
    let state = place.begin_anew(SecretsChoice::File).await.unwrap();
    assert_eq!((state.store, state.has_key), (Some(SecretsPlace::File), true));
    assert_eq!(place.ring.projects().len(), 1);
    assert!(conflict(place.secret(made.webhook.id).await).contains("rotate it"));
}

#[tokio::test]
async fn a_key_out_of_reach_is_not_left_behind_unless_somebody_says_so() {
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    let made = place.make().await.unwrap();
    let place = place.serve().await;
    place.ring.is(Mood::Silent);
    let said = silent(place.secret(made.webhook.id).await);
    assert!(said.contains("does not answer"), "not that it is lost: {said}");
    let said = conflict(place.keep(SecretsChoice::File).await);
    assert!(said.contains("nobody is there") && said.contains("--new-key"), "{said}");
    assert!(!place.has(FILE));
    place.engine.test_webhook(&actor(), made.webhook.id).await.unwrap();
    let due = place.engine.outbox(&[]).await.unwrap().due.remove(0);
    assert!(due.secrets.is_empty() && due.unsigned.unwrap().contains("does not answer"));
    let state = place.begin_anew(SecretsChoice::File).await.unwrap();
    assert_eq!((state.store, state.has_key), (Some(SecretsPlace::File), true));
    assert!(place.has(FILE));
    assert!(conflict(place.secret(made.webhook.id).await).contains("rotate it"));
    place.ring.is(Mood::Good);
    assert_eq!(place.ring.projects().len(), 1, "it was left, not taken away");
}

#[tokio::test]
async fn what_the_environment_holds_is_used_and_written_nowhere() {
    let key: SecretKey = "ab".repeat(32).parse().unwrap();
    let place = Place::open(None).await;
    let secrets = Secrets { environment: Some(key.clone()), ..on(&place.ring) };
    let place = place.reopen(secrets.clone()).await;
    let made = place.make().await.unwrap();
    let state = place.state().await;
    assert_eq!((state.store, state.has_key, state.can_change), (Some(SecretsPlace::Environment), true, false));
    for store in [SecretsChoice::File, SecretsChoice::Keyring] {
        assert!(conflict(place.keep(store).await).contains("WEIR_SECRET_KEY"));
    }
    assert!(!place.has(FILE) && !place.has(CHOICE) && place.ring.projects().is_empty());
    for file in std::fs::read_dir(place.dir.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let holds = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
            assert!(!holds(key.bytes()) && !holds("ab".repeat(32).as_bytes()), "{}", path.display());
        }
    }
    assert!(format!("{secrets:?}").contains("<redacted>"), "{secrets:?}");
    // Without it, the same folder has no key, and says so.
    let place = place.serve().await;
    assert_eq!(place.state().await.store, None);
    assert!(conflict(place.secret(made.webhook.id).await).contains("rotate it"));
    // It goes before what was chosen, and a file that is left is seen.
    place.keep(SecretsChoice::File).await.unwrap();
    place.make().await.unwrap();
    let place = place.reopen(secrets).await;
    let state = place.state().await;
    assert_eq!((state.store, state.file_left), (Some(SecretsPlace::Environment), true));
    assert_eq!(place.secret(made.webhook.id).await.unwrap(), made.secret);
}

#[tokio::test]
async fn what_is_damaged_is_told_and_nothing_taken_in_its_place() {
    let place = Place::open(Some(SecretsPlace::Keyring)).await;
    place.ring.is(Mood::Damaged);
    assert!(place.make().await.unwrap_err().to_string().contains("not a key of 32 bytes"));
    place.ring.is(Mood::Good);
    for text in ["", "{", r#"{"store":"environment"}"#, r#"{"store":"file","more":1}"#] {
        place.write(CHOICE, text);
        assert!(place.make().await.unwrap_err().to_string().contains(CHOICE), "{text}");
        assert!(place.state().await.error.unwrap().contains("choose again"), "{text}");
        assert!(!place.has(FILE) && place.ring.projects().is_empty());
    }
    assert_eq!(place.keep(SecretsChoice::File).await.unwrap().error, None);
    place.make().await.unwrap();
    assert!(place.has(FILE));
    for text in ["", "00", &"0".repeat(63), &"g".repeat(64)] {
        let place = Place::open(None).await;
        place.write(FILE, text);
        for error in [place.make().await.unwrap_err(), place.keep(SecretsChoice::Keyring).await.unwrap_err()] {
            let error = error.to_string();
            assert!(error.contains(FILE) && error.contains("64 hex digits"), "{error}");
        }
        assert_eq!(std::fs::read_to_string(place.dir.path().join(FILE)).unwrap(), text);
    }
}
