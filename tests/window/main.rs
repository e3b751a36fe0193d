//! The built app, opened on a display and driven as an operator would.

mod access;
mod harness;
mod journeys;
mod life;
mod notices;
mod secrets;
mod stage;

use harness::{Window, within};
use stage::Stage;

#[tokio::test]
async fn the_app_opens_and_shows_the_console() {
    let window = Window::open().await;
    window.read("#app h1", "Overview").await;
    assert_eq!(within("the title", window.driver.title()).await, "Overview · Weir");
    window.keep_picture("opens").await;
}

/// The web view then reports the language "C", with which `Intl` throws.
#[tokio::test]
async fn the_app_opens_under_the_c_locale() {
    let window = Window::open_on(Stage::new("C")).await;
    window.read("#app h1", "").await;
}

/// Files leave by the same link as in a browser, and land in the user's downloads under a name that was free.
#[tokio::test]
async fn a_file_lands_in_the_downloads() {
    let window = Window::open().await;
    window.read("#app h1", "").await;
    let save = r#"
        const done = arguments[0];
        const tauri = window.__TAURI_INTERNALS__;
        const handler = tauri.transformCallback((event) => done(event.payload));
        const target = { kind: "Any" };
        tauri.invoke("plugin:event|listen", { event: "weir://saved", target, handler }).then(() => {
            const link = document.createElement("a");
            link.href = URL.createObjectURL(new Blob(["a,b\n1,2\n"], { type: "text/csv" }));
            link.download = "usage.csv";
            link.click();
        });
    "#;
    let saved = within("the file is saved", window.driver.execute_async(save, Vec::new())).await;
    let path = window.downloads().join("usage.csv");
    assert_eq!(saved.json().as_str(), path.to_str());
    assert_eq!(std::fs::read_to_string(&path).expect("the saved file"), "a,b\n1,2\n");
    window.read("#app", &format!("Saved as {}", path.display())).await;
}

/// A page that could open another page could hand it the shell's commands.
#[tokio::test]
async fn the_window_stays_on_the_console() {
    let window = Window::open().await;
    window.read("#app h1", "").await;
    let leave = "window.location.href = 'http://127.0.0.1:9/'; return window.location.protocol";
    let place = within("the link is followed", window.driver.execute(leave, Vec::new())).await;
    assert_eq!(place.json().as_str(), Some("tauri:"));
    window.read("#app h1", "").await;
}

/// The data may be in use: the window says so, and works once it is free.
#[tokio::test]
async fn data_in_use_is_said_and_tried_again() {
    let stage = Stage::new("C.UTF-8");
    let other = weir_engine::Engine::open(weir_engine::OpenOptions::new(stage.data_dir()), weir_engine::SystemClock);
    let other = other.await.expect("the data opens");
    let window = Window::open_on(stage).await;
    let said = window.read("[role=alert]", "in use").await;
    assert!(said.contains("Try again"), "{said}");
    window.keep_picture("in use").await;
    other.close().await;
    window.click("button", "Try again").await;
    window.read("h1", "Overview").await;
}
