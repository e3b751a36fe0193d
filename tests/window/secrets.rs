//! The key of signing secrets: in the keyring of the desktop, and where there is none, nowhere before that is chosen.

use std::io::Write;
use std::process::Stdio;

use thirtyfour::prelude::*;

use crate::harness::Window;
use crate::stage::Stage;

const ADDRESS: &str = "https://hooks.example.com/weir";

async fn ask_for_a_webhook(window: &Window) {
    window.read("h1", "Overview").await;
    window.click("nav a", "Webhooks").await;
    window.click("a", "New webhook").await;
    window.read("input:focus", "").await;
    window.type_text(ADDRESS).await;
    window.press(Key::Enter, true).await;
}

#[tokio::test]
async fn without_a_keyring_a_webhook_is_refused_until_a_file_is_chosen() {
    let window = Window::open().await;
    ask_for_a_webhook(&window).await;
    window.read("[role=alert]", "Your system's keyring does not answer.").await;
    window.read("[role=group]", "Where shall the key of signing secrets be kept?").await;
    window.keep_picture("no keyring").await;
    let data = window.data_dir();
    assert!(!data.join("secret.key").exists() && !data.join("secrets.json").exists(), "nothing takes its place");
    window.click("button", "Keep it in a file only you can read").await;
    window.read("[role=dialog]", "whsec_").await;
    assert!(data.join("secret.key").is_file());
}

#[tokio::test]
async fn with_a_keyring_the_key_is_there_and_nowhere_else() {
    let stage = Stage::new("C.UTF-8");
    // It ends with the stage's bus.
    let mut keyring = stage.command("gnome-keyring-daemon");
    keyring.args(["--unlock", "--components=secrets"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut keyring = keyring.spawn().expect("gnome-keyring-daemon starts; Debian has it in the package gnome-keyring");
    keyring.stdin.take().expect("its input").write_all(b"password").expect("it reads its password");
    assert!(keyring.wait().expect("it goes to the background").success());
    let window = Window::open_on(stage).await;
    ask_for_a_webhook(&window).await;
    window.read("[role=dialog]", "whsec_").await;
    window.click("[role=dialog] button", "Done").await;
    window.read("h1", ADDRESS).await;
    assert!(!window.data_dir().join("secret.key").exists());
    window.click("nav a", "Settings").await;
    window.read("label:has(input:checked)", "In the system's keyring").await;
    window.keep_picture("keyring").await;
}
