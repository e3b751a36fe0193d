//! What a window needs around it: a display, a message bus and homes of its own, and an end to all of it.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

/// The app's program.
pub const APP: &str = env!("CARGO_BIN_EXE_weir-desktop");

/// A display, a message bus and homes. Everything ends when it is dropped, also when the test panics.
pub struct Stage {
    display: Group,
    bus: Group,
    lang: &'static str,
    // Dropped last: the processes before their files.
    home: TempDir,
}

impl Stage {
    /// Sets the stage for a locale.
    pub fn new(lang: &'static str) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        Self { display: Group::display(), bus: Group::bus(home.path()), lang, home }
    }

    /// The app's user's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the app keeps its data.
    pub fn data_dir(&self) -> PathBuf {
        self.home().join("weir")
    }

    /// Where the message bus is found.
    pub fn bus_address(&self) -> &str {
        &self.bus.address
    }

    /// A program that finds this stage and nothing else in its environment.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(kept_environment())
            .env("DISPLAY", &self.display.address)
            .env("DBUS_SESSION_BUS_ADDRESS", &self.bus.address)
            .env("GDK_BACKEND", "x11")
            .env("GTK_A11Y", "none")
            .env("NO_AT_BRIDGE", "1")
            .env("HOME", self.home())
            .env("XDG_DATA_HOME", self.home().join("share"))
            .env("XDG_CONFIG_HOME", self.home().join("config"))
            .env("XDG_CACHE_HOME", self.home().join("cache"))
            .env("XDG_RUNTIME_DIR", runtime_dir(self.home()))
            .env("WEIR_DATA_DIR", self.data_dir())
            .env("LANG", self.lang)
            .stdin(Stdio::null());
        command
    }
}

/// A process group that ends with this value, and the address it is found at.
pub struct Group {
    pub child: Child,
    address: String,
}

impl Group {
    /// Starts a program in a group of its own.
    pub fn spawn(mut command: Command, program: &str, package: &str) -> Self {
        let child = command.process_group(0).spawn().unwrap_or_else(|error| {
            panic!("{program} does not start ({error}); Debian has it in the package {package}")
        });
        Self { child, address: String::new() }
    }

    /// A display that picks its own number.
    fn display() -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"])
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

fn runtime_dir(home: &Path) -> PathBuf {
    let folder = home.join("run");
    fs::create_dir_all(&folder).expect("the runtime directory");
    fs::set_permissions(&folder, PermissionsExt::from_mode(0o700)).expect("a private directory");
    folder
}
