//! A test that starts itself again as a child, and kills it at a random moment.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// One line in one write, so that none is torn but the last.
pub fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent reads");
}

/// Runs the test `child` of this file, with a folder named in a variable, until it has said so many lines that `hear` knows, and
/// kills it.
pub fn run_and_kill(variable: &str, dir: &Path, lines: usize, mut hear: impl FnMut(&[&str]) -> bool) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(variable, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child");
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    let (mut heard, mut line) = (0, String::new());
    loop {
        line.clear();
        said.read_line(&mut line).expect("text");
        // The last line may be cut off where the child was killed.
        let Some(whole) = line.strip_suffix('\n') else { break };
        if !hear(&whole.split(' ').collect::<Vec<_>>()) {
            // What the test harness says.
            continue;
        }
        heard += 1;
        if heard == lines {
            child.kill().expect("killed");
        }
    }
    let status = child.wait().expect("its end");
    assert!(heard >= lines && status.code().is_none(), "the child ended by itself: {status}");
}

pub fn random_below(bound: u64) -> usize {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("randomness");
    (u64::from_le_bytes(bytes) % bound) as usize
}
