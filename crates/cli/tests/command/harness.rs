//! Runs the binary, and serves with it.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use reqwest::Client;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What signing secrets derive from.
const SECRET_KEY: &str = "3b1f6d2a9c4e8f7051627384a5b6c7d8e9fa0b1c2d3e4f5061728394a5b6c7d8";

/// Nothing that a test waits for takes longer.
pub const DEADLINE: Duration = Duration::from_secs(60);

/// A client that gives up in the end: where a server is killed, a call may be left without an answer, a connection, or an error.
pub fn client() -> Client {
    Client::builder().timeout(DEADLINE).build().unwrap()
}

/// A folder with data in it, or about to be.
pub struct Place {
    pub dir: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Place { dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A command on this place's data.
    pub fn weir(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_weir"));
        command.args(args).env("WEIR_DATA", self.path("data")).env_remove("WEIR_LOG").current_dir(self.dir.path());
        command.env("WEIR_SECRET_KEY", SECRET_KEY);
        command.stdin(Stdio::null());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.weir(args).output().unwrap()
    }

    /// Runs a command that succeeds: what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    pub fn key(&self, scope: &str) -> String {
        let printed = self.ok(&["keys", "create", "--name", "test", "--scope", scope]);
        assert_eq!(printed.lines().count(), 1, "the key alone: {printed}");
        printed.trim().to_owned()
    }

    /// Imports, with the columns of these tests: exit status and the summary.
    pub fn import(&self, file: &str, more: &[&str]) -> (i32, String) {
        let output = self.run(&[&import_args(file)[..], more].concat());
        (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
    }

    pub fn serve(&self) -> Serving {
        Serving::of(self.weir(&["serve", "--listen", "127.0.0.1:0"]).stderr(Stdio::null()))
    }

    /// Serves, with more said on the command line and log lines in a file.
    pub fn serve_logging(&self, more: &[&str], filter: &str, log: &str) -> Serving {
        let log = std::fs::File::create(self.path(log)).unwrap();
        let listen: &[&str] = if more.contains(&"--listen") { &[] } else { &["--listen", "127.0.0.1:0"] };
        let mut command = self.weir(&[&["serve"], listen, more].concat());
        Serving::of(command.env("WEIR_LOG", filter).stderr(log))
    }

    pub fn doctor(&self) {
        let output = self.run(&["doctor"]);
        assert!(output.status.success(), "{}", text(&output.stdout));
    }
}

pub fn import_args(file: &str) -> [&str; 10] {
    ["import", file, "--customer-column", "who", "--type", "call", "--timestamp", "at", "--value", "n=n"]
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// `weir serve`, killed when it is let go.
pub struct Serving {
    child: Option<Child>,
    pub address: String,
}

impl Serving {
    /// Runs `weir serve` until it listens.
    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        stdout.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on ").unwrap_or_else(|| panic!("{line:?}")).trim_end().to_owned();
        let (scheme, place) = address.split_once("://").unwrap();
        assert!(["http", "https"].contains(&scheme) && place.contains(":"), "{address}");
        Serving { child: Some(child), address }
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(self.child.as_ref().unwrap()), signal).unwrap();
    }

    /// Which process it is.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Where it listens.
    pub fn place(&self) -> &str {
        self.address.split_once("://").unwrap().1
    }

    /// Tells it to stop: its exit status.
    pub fn stop(mut self, signal: Signal) -> i32 {
        let mut child = self.child.take().unwrap();
        kill_process(Pid::from_child(&child), signal).unwrap();
        child.wait().unwrap().code().expect("it ended by itself")
    }

    /// One request to it, on a connection of its own.
    pub fn get(&self, path: &str, key: &str) -> Value {
        let host = self.address.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\nconnection: close\r\n\r\n"
        )
        .unwrap();
        let answer = std::io::read_to_string(stream).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}"))
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// A file of usage with so many different rows.
pub fn rows(count: usize) -> String {
    let lines: String = (0..count).map(|n| format!("2024-01-01T00:00:{:02}Z,c{},{n}\n", n % 60, n % 5)).collect();
    format!("at,who,n\n{lines}")
}

/// A random number below a bound.
pub fn random_below(bound: usize) -> usize {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).unwrap();
    u64::from_le_bytes(bytes) as usize % bound
}

/// Creates something by the API of a server.
pub async fn create(client: &Client, serving: &Serving, key: &str, path: &str, body: Value) -> Value {
    let url = format!("{}{path}", serving.address);
    let request = client.post(url).bearer_auth(key).header("content-type", "application/json");
    let reply = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 201);
    serde_json::from_str(&reply.text().await.unwrap()).unwrap()
}
