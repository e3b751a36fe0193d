//! Notifications of the desktop: the console says what, and choosing one leads back to where it is about.

use std::sync::atomic::{AtomicUsize, Ordering};

use notify_rust::{Notification, NotificationResponse};
use serde::Deserialize;
use tauri::{AppHandle, Emitter};

use crate::shell;

/// The event that asks the console to go to an address.
const OPEN: &str = "weir://open";

/// A desktop may keep notifications for hours, and each takes a thread to hear of it. Those beyond are shown and lead nowhere.
const MOST_HEARD: usize = 32;

static HEARD: AtomicUsize = AtomicUsize::new(0);

const MOST_TITLE: usize = 200;
const MOST_BODY: usize = 1_000;
const MOST_ADDRESS: usize = 2_000;

/// What to show, and the console's address that it is about.
#[derive(Deserialize)]
pub struct Notice {
    title: String,
    body: String,
    address: String,
}

impl Notice {
    fn check(&self) -> Result<(), &'static str> {
        let fits = |text: &str, most: usize| text.chars().count() <= most;
        if self.title.is_empty() || !fits(&self.title, MOST_TITLE) {
            return Err("`title` must have 1 to 200 characters");
        }
        if !fits(&self.body, MOST_BODY) {
            return Err("`body` must have at most 1000 characters");
        }
        if !self.address.starts_with("#/") || !fits(&self.address, MOST_ADDRESS) {
            return Err("`address` must start with #/ and have at most 2000 characters");
        }
        Ok(())
    }
}

/// Shows a notification. A desktop without them is no reason to stop: it is logged, and told to the console.
pub async fn show(app: AppHandle, notice: Notice) -> Result<(), String> {
    let shown = tauri::async_runtime::spawn_blocking(move || show_here(app, notice)).await;
    let shown = shown.unwrap_or_else(|broken| Err(broken.to_string()));
    shown.inspect_err(|error| tracing::warn!(%error, "a notification was not shown"))
}

fn show_here(app: AppHandle, notice: Notice) -> Result<(), String> {
    notice.check()?;
    let mut notification = Notification::new();
    notification.appname("Weir").summary(&notice.title).body(&as_text(&notice.body)).icon("weir-desktop");
    // The name that the desktop gives to choosing the notification itself.
    notification.action("default", "Open");
    let handle = notification.show().map_err(|error| error.to_string())?;
    if HEARD.fetch_add(1, Ordering::Relaxed) >= MOST_HEARD {
        HEARD.fetch_sub(1, Ordering::Relaxed);
        return Ok(());
    }
    std::thread::spawn(move || {
        let heard = handle.wait_for_response(|response: &NotificationResponse| {
            if matches!(response, NotificationResponse::Default) {
                open(&app, &notice.address);
            }
        });
        if let Err(error) = heard {
            tracing::warn!(%error, "a notification leads nowhere");
        }
        HEARD.fetch_sub(1, Ordering::Relaxed);
    });
    Ok(())
}

fn open(app: &AppHandle, address: &str) {
    shell::raise(app);
    if let Err(error) = app.emit(OPEN, address) {
        tracing::warn!(%error, "the console was not told where to go");
    }
}

/// A body that means its letters: some desktops read it as markup.
#[cfg(all(unix, not(target_os = "macos")))]
fn as_text(body: &str) -> String {
    let marked_up = notify_rust::get_capabilities().is_ok_and(|can| can.iter().any(|each| each == "body-markup"));
    if marked_up { escape(body) } else { body.to_owned() }
}

#[cfg(not(all(unix, not(target_os = "macos"))))]
fn as_text(body: &str) -> String {
    body.to_owned()
}

#[cfg(all(unix, not(target_os = "macos")))]
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(title: &str, body: &str, address: &str) -> Notice {
        Notice { title: title.to_owned(), body: body.to_owned(), address: address.to_owned() }
    }

    #[test]
    fn what_does_not_fit_is_refused_by_its_name() {
        assert_eq!(notice("acme is at 80 %", "", "#/customers/acme").check(), Ok(()));
        assert_eq!(notice(&"é".repeat(200), &"é".repeat(1_000), "#/").check(), Ok(()));
        assert!(notice("", "", "#/").check().is_err_and(|said| said.contains("title")));
        assert!(notice(&"x".repeat(201), "", "#/").check().is_err_and(|said| said.contains("title")));
        assert!(notice("x", &"x".repeat(1_001), "#/").check().is_err_and(|said| said.contains("body")));
        assert!(notice("x", "", "https://elsewhere.example/").check().is_err_and(|said| said.contains("address")));
        assert!(
            notice("x", "", &format!("#/{}", "x".repeat(2_000))).check().is_err_and(|said| said.contains("address"))
        );
    }

    #[cfg(all(unix, not(target_os = "macos")))]
    #[test]
    fn a_name_stays_a_name_where_bodies_are_markup() {
        assert_eq!(escape("<a href='x'>R&D</a>"), "&lt;a href='x'&gt;R&amp;D&lt;/a&gt;");
    }
}
