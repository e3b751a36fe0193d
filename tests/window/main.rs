//! The built app, opened on a display and driven as an operator would.

mod harness;

use harness::{Setup, within};

#[tokio::test]
async fn the_app_opens_and_shows_the_console() {
    let window = Setup::default().open().await;
    let root = window.see("#app > *").await;
    assert!(!within("the console's text", root.text()).await.is_empty());
    assert_eq!(within("the title", window.driver.title()).await, "Weir");
    window.keep_picture("opens").await;
}

/// The web view then reports the language "C", with which `Intl` throws.
#[tokio::test]
async fn the_app_opens_under_the_c_locale() {
    let window = Setup::default().lang("C").open().await;
    let root = window.see("#app > *").await;
    assert!(!within("the console's text", root.text()).await.is_empty());
}
