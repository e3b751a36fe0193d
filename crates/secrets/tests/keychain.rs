//! The keyring of a real desktop: GNOME's, on a bus of its own. And a machine that has none.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use weir_engine::model::{KeepSecrets, NewWebhook, SecretsChoice, SecretsPlace};
use weir_engine::secrets::{Keyring, KeyringError, SecretKey, Secrets};
use weir_engine::{Actor, Engine, OpenOptions, SystemClock};
use weir_secrets::SystemKeyring;

/// Set in the test's own process once it stands where it is to run.
const INSIDE: &str = "WEIR_TEST_INSIDE";
/// Starts the keyring, unlocked, and then the test.
const DESKTOP: &str = r#"printf password | gnome-keyring-daemon --unlock --components=secrets >/dev/null && exec "$@""#;

/// Runs a test again in a process of its own, as `forbid(unsafe_code)` bars changing the environment of this one.
fn inside(test: &str, home: &Path, mut command: Command) {
    let program = std::env::current_exe().unwrap();
    command.arg(program).args(["--exact", test, "--nocapture"]);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env(INSIDE, "1").env("HOME", home);
    command.env("XDG_DATA_HOME", home).env("XDG_RUNTIME_DIR", home).stdin(Stdio::null());
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", home.join("nobody").display()));
    let output = command.output().unwrap_or_else(|error| {
        panic!("{command:?} does not start ({error}); Debian has what it needs in dbus-daemon and gnome-keyring")
    });
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

async fn open(dir: &Path) -> Engine {
    let keyring: Arc<dyn Keyring> = Arc::new(SystemKeyring);
    let secrets = Secrets { keyring: Some(keyring), environment: None, unless_chosen: Some(SecretsPlace::Keyring) };
    Engine::open(OpenOptions { secrets, ..OpenOptions::new(dir) }, SystemClock).await.unwrap()
}

fn hook() -> NewWebhook {
    let url = "https://hooks.example.com/".to_owned();
    NewWebhook { url, description: None, event_types: None, allow_private: false, enabled: true }
}

#[test]
fn a_real_keyring_keeps_gives_back_and_forgets() {
    if !is_inside() {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", DESKTOP, "sh"]);
        return inside("a_real_keyring_keeps_gives_back_and_forgets", home.path(), command);
    }
    let (key, other) = (SecretKey::new([7; 32]), SecretKey::new([8; 32]));
    assert_eq!(SystemKeyring.load("prj_1").unwrap(), None);
    SystemKeyring.save("prj_1", &key).unwrap();
    SystemKeyring.save("prj_2", &other).unwrap();
    assert_eq!(SystemKeyring.load("prj_1").unwrap(), Some(key));
    SystemKeyring.save("prj_1", &other).unwrap();
    assert_eq!(SystemKeyring.load("prj_1").unwrap(), Some(other.clone()));
    SystemKeyring.remove("prj_1").unwrap();
    SystemKeyring.remove("prj_1").unwrap();
    assert_eq!(SystemKeyring.load("prj_1").unwrap(), None);
    assert_eq!(SystemKeyring.load("prj_2").unwrap(), Some(other));
}

#[test]
fn an_engine_keeps_its_key_in_a_real_keyring_and_moves_it() {
    if !is_inside() {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new("dbus-run-session");
        command.args(["--", "sh", "-c", DESKTOP, "sh"]);
        return inside("an_engine_keeps_its_key_in_a_real_keyring_and_moves_it", home.path(), command);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let dir = tempfile::tempdir().unwrap();
        let (engine, actor) = (open(dir.path()).await, Actor::operator());
        let made = engine.create_webhook(&actor, hook()).await.unwrap();
        let project = engine.project().await.unwrap().id.to_string();
        assert!(SystemKeyring.load(&project).unwrap().is_some() && !dir.path().join("secret.key").exists());
        engine.close().await;
        for store in [SecretsChoice::File, SecretsChoice::Keyring] {
            let engine = open(dir.path()).await;
            assert_eq!(engine.webhook(made.webhook.id).await.unwrap().secret, made.secret);
            engine.keep_secrets(&actor, KeepSecrets { store, new_key: false }).await.unwrap();
            let in_file = store == SecretsChoice::File;
            assert_eq!(dir.path().join("secret.key").exists(), in_file);
            assert_eq!(SystemKeyring.load(&project).unwrap().is_none(), in_file);
            engine.close().await;
        }
        let engine = open(dir.path()).await;
        assert_eq!(engine.webhook(made.webhook.id).await.unwrap().secret, made.secret);
        engine.close().await;
    });
}

#[test]
fn where_there_is_no_keyring_that_is_said() {
    if !is_inside() {
        let home = tempfile::tempdir().unwrap();
        return inside("where_there_is_no_keyring_that_is_said", home.path(), Command::new("env"));
    }
    let key = SecretKey::new([7; 32]);
    assert!(matches!(SystemKeyring.load("prj_1"), Err(KeyringError::Silent(reason)) if !reason.is_empty()));
    assert!(matches!(SystemKeyring.save("prj_1", &key), Err(KeyringError::Silent(_))));
    assert!(matches!(SystemKeyring.remove("prj_1"), Err(KeyringError::Silent(_))));
}
