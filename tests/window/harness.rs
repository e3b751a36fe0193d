//! The real app on a display of its own, driven through WebKit's WebDriver.
//!
//! Each window gets its own Xvfb, message bus, home directories and data directory, and every process it starts
//! belongs to a group that is killed when the window is dropped, also when the test panics.

use std::ffi::OsString;
use std::fs::{self, File};
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::prelude::*;
use thirtyfour::session::scriptret::ScriptRet;
use thirtyfour::{Capabilities, TimeoutConfiguration};

/// No step of a journey may take longer; generous, because CI compiles beside it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers with the first element that matches a selector and has some words, or with its text, as soon as it is shown.
const WHEN_SHOWN: &str = "
    const [css, words, wanted, done] = arguments;
    const look = () => {
        for (const element of document.querySelectorAll(css)) {
            const text = element.innerText + ' ' + (element.getAttribute('aria-label') ?? '');
            if (element.checkVisibility({ visibilityProperty: true }) && text.includes(words) && text.trim()) {
                return wanted === 'text' ? text.trim() : element;
            }
        }
        return null;
    };
    const seen = look();
    if (seen) return done(seen);
    const observer = new MutationObserver(() => {
        const seen = look();
        if (!seen) return;
        observer.disconnect();
        done(seen);
    });
    observer.observe(document, { attributes: true, characterData: true, childList: true, subtree: true });
";

/// What a window is opened with.
pub struct Setup {
    home: TempDir,
    lang: &'static str,
    size: (u32, u32),
}

impl Default for Setup {
    fn default() -> Self {
        Self { home: TempDir::new().expect("a temporary directory"), lang: "C.UTF-8", size: (1280, 800) }
    }
}

impl Setup {
    /// The locale the app is started under.
    pub fn lang(mut self, lang: &'static str) -> Self {
        self.lang = lang;
        self
    }

    /// Where the app will keep its data.
    pub fn data_dir(&self) -> PathBuf {
        data_dir(self.home.path())
    }

    /// Starts the app and waits until the driver holds its web view.
    pub async fn open(self) -> Window {
        let home = self.home;
        let display = Group::display(self.size);
        let bus = Group::bus(home.path());
        let port = free_port();
        let logs = home.path().join("driver.log");
        let log = File::create(&logs).expect("the driver's log");
        let mut command = Command::new("WebKitWebDriver");
        command
            .args(["--host=127.0.0.1", &format!("--port={port}")])
            .env_clear()
            .envs(kept_environment())
            .env("DISPLAY", &display.address)
            .env("DBUS_SESSION_BUS_ADDRESS", &bus.address)
            .env("GDK_BACKEND", "x11")
            .env("GTK_A11Y", "none")
            .env("NO_AT_BRIDGE", "1")
            .env("HOME", home.path())
            .env("XDG_DATA_HOME", home.path().join("share"))
            .env("XDG_CONFIG_HOME", home.path().join("config"))
            .env("XDG_CACHE_HOME", home.path().join("cache"))
            .env("XDG_RUNTIME_DIR", runtime_dir(home.path()))
            .env("WEIR_DATA_DIR", data_dir(home.path()))
            .env("LANG", self.lang)
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("the driver's log"))
            .stderr(log);
        let driver_process = Group::spawn(command, "WebKitWebDriver", "webkit2gtk-driver");
        wait_for_port(port);
        let driver = within("the app opens", connect(port)).await;
        Window { driver, logs, _processes: [driver_process, bus, display], home }
    }
}

/// A running app; dropping it ends everything it started.
pub struct Window {
    pub driver: WebDriver,
    logs: PathBuf,
    // Dropped in this order: the app before what it is shown on, its files last.
    _processes: [Group; 3],
    home: TempDir,
}

impl Window {
    /// The text of the first element that matches and has these words in it or in its label, once it is shown.
    pub async fn read(&self, css: &str, words: &str) -> String {
        self.step(css, words, async || self.look(css, words, "text").await?.convert()).await
    }

    /// Clicks the first element that matches and has these words in it or in its label, once it is shown.
    pub async fn click(&self, css: &str, words: &str) {
        self.step(css, words, async || self.look(css, words, "element").await?.element()?.click().await).await;
    }

    async fn look(&self, css: &str, words: &str, wanted: &str) -> WebDriverResult<ScriptRet> {
        self.driver.execute_async(WHEN_SHOWN, vec![css.into(), words.into(), wanted.into()]).await
    }

    /// Runs a step that looks for an element, again when the console drew anew between the look and the act.
    async fn step<T>(&self, css: &str, words: &str, step: impl AsyncFn() -> WebDriverResult<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match tokio::time::timeout(PATIENCE, step()).await {
                Ok(Ok(done)) => return done,
                Ok(Err(error)) if is_stale(&error) && Instant::now() < deadline => {}
                Ok(Err(error)) => self.give_up(&format!("{css} with {words:?}: {error}")).await,
                Err(_) => self.give_up(&format!("{css} with {words:?} is not shown within {PATIENCE:?}")).await,
            }
        }
    }

    async fn give_up(&self, why: &str) -> ! {
        self.keep_picture("failed").await;
        panic!("{why}\n{}", self.story().await)
    }

    /// Where the app saves what it hands to the user.
    pub fn downloads(&self) -> PathBuf {
        self.home.path().join("Downloads")
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
        let page = tokio::time::timeout(PATIENCE, self.driver.source()).await;
        let page = match page {
            Ok(Ok(source)) => source,
            Ok(Err(error)) => format!("no page: {error}"),
            Err(_) => "the page does not answer".to_owned(),
        };
        let printed = fs::read_to_string(&self.logs).unwrap_or_else(|error| error.to_string());
        format!("--- page\n{page}\n--- printed\n{printed}")
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

fn is_stale(error: &WebDriverError) -> bool {
    matches!(error.as_inner(), WebDriverErrorInner::StaleElementReference(_) | WebDriverErrorInner::NoSuchElement(_))
}

async fn connect(port: u16) -> WebDriverResult<WebDriver> {
    let mut capabilities = Capabilities::new();
    let options = serde_json::json!({ "binary": env!("CARGO_BIN_EXE_weir-desktop"), "args": [] });
    capabilities.set("webkitgtk:browserOptions", options)?;
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), capabilities).await?;
    driver.update_timeouts(TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), Some(Duration::ZERO))).await?;
    Ok(driver)
}

/// A process group that ends with this value, and the address it is found at.
struct Group {
    child: Child,
    address: String,
}

impl Group {
    fn spawn(mut command: Command, program: &str, package: &str) -> Self {
        let child = command.process_group(0).spawn().unwrap_or_else(|error| {
            panic!("{program} does not start ({error}); Debian has it in the package {package}")
        });
        Self { child, address: String::new() }
    }

    /// A display that picks its own number.
    fn display((width, height): (u32, u32)) -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", &format!("{width}x{height}x24"), "-nolisten", "tcp", "-noreset"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut group = Self::spawn(command, "Xvfb", "xvfb");
        group.address = format!(":{}", group.first_line());
        group
    }

    /// A message bus that can start no service, so that nothing outlives the test.
    fn bus(home: &Path) -> Self {
        let config = home.join("bus.conf");
        let text = format!(
            "<busconfig><type>session</type><listen>unix:dir={}</listen><policy context=\"default\">\
             <allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/><allow own=\"*\"/>\
             </policy></busconfig>",
            home.display()
        );
        fs::write(&config, text).expect("the bus's configuration");
        let mut command = Command::new("dbus-daemon");
        command
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address=1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut group = Self::spawn(command, "dbus-daemon", "dbus-daemon");
        group.address = group.first_line();
        group
    }

    fn first_line(&mut self) -> String {
        let output = self.child.stdout.take().expect("a piped output");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("a readable output");
        assert!(!line.trim().is_empty(), "a process ended before it said where it is");
        line.trim().to_owned()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        // A group that is already gone is what is wanted.
        if let Some(pid) = pid
            && let Err(error) = kill_process_group(pid, Signal::KILL)
            && error != rustix::io::Errno::SRCH
        {
            eprintln!("process group {pid:?} was not ended: {error}");
        }
        if let Err(error) = self.child.wait() {
            eprintln!("process {pid:?} was not reaped: {error}");
        }
    }
}

/// Only what programs need to be found and to report; the caller's desktop must not leak in.
fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    ["PATH", "RUST_BACKTRACE", "RUST_LOG", "LD_LIBRARY_PATH", "TMPDIR"]
        .into_iter()
        .filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
}

fn data_dir(home: &Path) -> PathBuf {
    home.join("weir")
}

fn runtime_dir(home: &Path) -> PathBuf {
    let folder = home.join("run");
    fs::create_dir_all(&folder).expect("the runtime directory");
    fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a private directory");
    folder
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("the port").port()
}

/// The driver has no way to say that it listens, so connections are tried until one is taken.
fn wait_for_port(port: u16) {
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "WebKitWebDriver does not listen on {port}");
        std::thread::yield_now();
    }
}
