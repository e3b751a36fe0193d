//! The real app on a display of its own, driven through WebKit's WebDriver.
//!
//! A journey waits in the page for what it looks for, never by the clock.

use std::fs::{self, File};
use std::future::Future;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::prelude::*;
use thirtyfour::session::scriptret::ScriptRet;
use thirtyfour::{Capabilities, TimeoutConfiguration};

use crate::stage::{APP, Group, Stage};

/// No step of a journey may take longer; generous, because CI compiles beside it.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often the driver may be started for one window.
const STARTS: u32 = 3;

/// Answers with the first element that matches a selector and has some words, or with its text, as soon as it is shown.
const WHEN_SHOWN: &str = "
    const [css, words, wanted, done] = arguments;
    const look = () => {
        for (const element of document.querySelectorAll(css)) {
            const text = element.innerText + ' ' + (element.getAttribute('aria-label') ?? '');
            if (element.checkVisibility({ visibilityProperty: true }) && text.includes(words)) {
                answer(wanted === 'text' ? text.trim() : element);
                return;
            }
        }
    };
    const answer = (found) => {
        observer.disconnect();
        document.removeEventListener('focusin', look);
        done(found);
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
    document.addEventListener('focusin', look);
    look();
";

/// What the element that has the focus is called.
const FOCUSED: &str = "
    const e = document.activeElement;
    // A dialog holds the focus for all that is in it, but is not called by it.
    const own = e.matches('a, button, input, select, textarea, [role=button], [role=tab], [role=combobox]') ? e.innerText : '';
    return [e.getAttribute('aria-label'), ...[...(e.labels ?? [])].map((l) => l.innerText), own].filter(Boolean).join(' ');
";

/// A running app; dropping it ends everything it started.
pub struct Window {
    pub driver: WebDriver,
    // Dropped in this order: the app before what it is shown on.
    _app: Group,
    stage: Stage,
}

impl Window {
    /// Starts the app on a stage of its own.
    pub async fn open() -> Self {
        Self::open_on(Stage::new("C.UTF-8")).await
    }

    /// Starts the app on a stage and waits until the driver holds its web view.
    pub async fn open_on(stage: Stage) -> Self {
        let mut starts = 1;
        loop {
            let (mut app, port) = start_driver(&stage);
            let error = match tokio::time::timeout(PATIENCE, connect(port)).await {
                Ok(Ok(driver)) => return Self { driver, _app: app, stage },
                Ok(Err(error)) => error,
                Err(elapsed) => panic!("the app opens: {elapsed}\n{}", read_printed(&stage)),
            };
            // What is wrong with the app, the driver tells; one that does not answer at all has failed itself.
            let unanswered = matches!(error.as_inner(), WebDriverErrorInner::HttpError(_));
            let driver = app.child.try_wait().expect("the driver's state");
            let story = format!("{error}\nthe driver on port {port}: {driver:?}\n{}", read_printed(&stage));
            assert!(unanswered && starts < STARTS, "the app opens: {story}");
            eprintln!("the driver is started anew after start {starts}: {story}");
            starts += 1;
        }
    }

    /// The text of the first element that matches and has these words in it or in its label, once it is shown.
    pub async fn read(&self, css: &str, words: &str) -> String {
        self.step(css, words, async || self.look(css, words, "text").await?.convert()).await
    }

    /// Clicks the first element that matches and has these words in it or in its label, once it is shown.
    pub async fn click(&self, css: &str, words: &str) {
        self.step(css, words, async || self.look(css, words, "element").await?.element()?.click().await).await;
    }

    /// Presses a key, with Control held when asked.
    pub async fn press(&self, key: impl Into<char>, control: bool) {
        let key = key.into();
        let chain = self.driver.action_chain();
        let chain = if control {
            chain.key_down(Key::Control).key_down(key).key_up(key).key_up(Key::Control)
        } else {
            chain.key_down(key).key_up(key)
        };
        within("the key", chain.perform()).await;
    }

    /// Types into whatever has the focus.
    pub async fn type_text(&self, text: &str) {
        within("the typing", self.driver.action_chain().send_keys(text).perform()).await;
    }

    /// Walks with Tab, as one without a mouse does, until the focus is on what has these words in its label or text.
    pub async fn tab_to(&self, words: &str) {
        let mut passed = Vec::new();
        while passed.len() < 60 {
            let focused = within("the focus", self.driver.execute(FOCUSED, Vec::new())).await;
            let focused = focused.json().as_str().unwrap_or_default().to_owned();
            if focused.contains(words) {
                return;
            }
            passed.push(focused);
            self.press(Key::Tab, false).await;
        }
        self.give_up(&format!("Tab does not come to {words:?}, only to {passed:?}")).await;
    }

    async fn look(&self, css: &str, words: &str, wanted: &str) -> WebDriverResult<ScriptRet> {
        self.driver.execute_async(WHEN_SHOWN, vec![css.into(), words.into(), wanted.into()]).await
    }

    /// Runs a step that looks for an element, again where the act came too early.
    async fn step<T>(&self, css: &str, words: &str, step: impl AsyncFn() -> WebDriverResult<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout(PATIENCE, step()).await {
                Ok(Ok(done)) => return done,
                Ok(Err(error)) if is_passing(&error) && Instant::now() < deadline => {}
                Ok(Err(error)) => self.give_up(&format!("{css} with {words:?}: {error}")).await,
                Err(_) => self.give_up(&format!("{css} with {words:?} is not shown within {PATIENCE:?}")).await,
            }
        }
    }

    async fn give_up(&self, why: &str) -> ! {
        self.keep_picture("failed").await;
        panic!("{why}\n{}", self.story().await)
    }

    /// Where the app keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.stage.data_dir()
    }

    /// Where the app saves what it hands to the user.
    pub fn downloads(&self) -> PathBuf {
        self.stage.home().join("Downloads")
    }

    /// Saves what the window shows where `WEIR_SCREENSHOTS` says, for eyes; without it, nothing.
    pub async fn keep_picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("WEIR_SCREENSHOTS") else { return };
        fs::create_dir_all(&folder).expect("the folder of screenshots");
        // What was just put in the page may not have been painted yet.
        let painted = "requestAnimationFrame(() => requestAnimationFrame(() => arguments[0]()))";
        within("a painted frame", self.driver.execute_async(painted, Vec::new())).await;
        let picture = within("a screenshot", self.driver.screenshot_as_png()).await;
        fs::write(Path::new(&folder).join(format!("{name}.png")), picture).expect("the screenshot is written");
    }

    /// What there is to read when a journey fails: the page and what the app printed.
    async fn story(&self) -> String {
        let page = tokio::time::timeout(PATIENCE, self.driver.execute("return document.body.innerText", Vec::new()));
        let page = match page.await {
            Ok(Ok(text)) => text.json().as_str().unwrap_or_default().to_owned(),
            Ok(Err(error)) => format!("no page: {error}"),
            Err(_) => "the page does not answer".to_owned(),
        };
        format!("--- page\n{page}\n{}", read_printed(&self.stage))
    }
}

impl Drop for Window {
    /// The groups are killed next; a polite farewell to the driver would only wait for its time limit.
    fn drop(&mut self) {
        if let Err(error) = self.driver.clone().leak() {
            eprintln!("the session was over already: {error}");
        }
    }
}

/// Runs one step under the hard limit on time.
pub async fn within<T>(what: &str, step: impl Future<Output = WebDriverResult<T>>) -> T {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => panic!("{what}: {error}"),
        Err(_) => panic!("{what}: no answer within {PATIENCE:?}"),
    }
}

/// Whether the console drew anew between the look and the act, or something on its way out still lay over the element.
fn is_passing(error: &WebDriverError) -> bool {
    use WebDriverErrorInner::{ElementClickIntercepted, ElementNotInteractable, NoSuchElement, StaleElementReference};
    matches!(
        error.as_inner(),
        StaleElementReference(_) | NoSuchElement(_) | ElementNotInteractable(_) | ElementClickIntercepted(_)
    )
}

async fn connect(port: u16) -> WebDriverResult<WebDriver> {
    let mut capabilities = Capabilities::new();
    let options = serde_json::json!({ "binary": APP, "args": [] });
    capabilities.set("webkitgtk:browserOptions", options)?;
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
    driver.update_timeouts(TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), Some(Duration::ZERO))).await?;
    Ok(driver)
}

fn printed(stage: &Stage) -> PathBuf {
    stage.home().join("printed.log")
}

/// What the driver and the app printed.
fn read_printed(stage: &Stage) -> String {
    let text = fs::read_to_string(printed(stage)).unwrap_or_else(|error| error.to_string());
    format!("--- printed\n{text}")
}

/// Starts the driver in a group with the app that it will start, and waits until it listens or has ended.
fn start_driver(stage: &Stage) -> (Group, u16) {
    let port = free_port();
    let log = File::create(printed(stage)).expect("the driver's log");
    let mut command = stage.command("WebKitWebDriver");
    command
        .args(["--host=127.0.0.1", &format!("--port={port}")])
        .env("TAURI_WEBVIEW_AUTOMATION", "true")
        .stdout(log.try_clone().expect("the driver's log"))
        .stderr(log);
    let mut app = Group::spawn(command, "WebKitWebDriver", "webkit2gtk-driver");
    let deadline = Instant::now() + PATIENCE;
    while !is_listening(port) && app.child.try_wait().expect("the driver's state").is_none() {
        assert!(Instant::now() < deadline, "WebKitWebDriver does not listen on {port}");
        std::thread::yield_now();
    }
    (app, port)
}

/// A port that nobody listens on, and that this process gives out once. It lies below the ports that the system gives out
/// by itself, so that nobody is given it before it is used.
pub fn free_port() -> u16 {
    const PORTS: std::ops::Range<u16> = 12_000..32_000;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    loop {
        let step = std::process::id().wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(step % u32::from(PORTS.end - PORTS.start)).expect("less than the ports");
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// Whether somebody listens on a port of the loopback address, by the system's own list (proc_pid_net(5)): a connection made
/// to find out would be the first that the driver is given.
fn is_listening(port: u16) -> bool {
    const LISTENING: &str = "0A";
    let sockets = fs::read_to_string("/proc/self/net/tcp").expect("the system's sockets");
    let address = format!("0100007F:{port:04X}");
    sockets.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next() == Some(&address) && fields.nth(1) == Some(LISTENING)
    })
}
