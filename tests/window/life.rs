//! How the program begins and ends, seen from outside.

use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::time::timeout;

use crate::harness::PATIENCE;
use crate::stage::{APP, Stage};

/// The program without a driver, and what it says.
struct Program {
    child: Child,
    said: Lines<BufReader<ChildStderr>>,
}

impl Program {
    fn start(stage: &Stage) -> Self {
        let mut command = stage.command(APP);
        command.env("RUST_LOG", "info").stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = Command::from(command).kill_on_drop(true).spawn().expect("the app starts");
        let said = BufReader::new(child.stderr.take().expect("a piped output")).lines();
        Self { child, said }
    }

    async fn says(&mut self, words: &str) {
        let heard = async {
            while let Some(line) = self.said.next_line().await.expect("a readable output") {
                if line.contains(words) {
                    return true;
                }
            }
            false
        };
        assert!(timeout(PATIENCE, heard).await.expect("it says something"), "the app ended before it said {words:?}");
    }

    async fn ends(mut self) -> ExitStatus {
        timeout(PATIENCE, self.child.wait()).await.expect("the app ends").expect("the app can be waited for")
    }
}

#[tokio::test]
async fn a_second_start_hands_over_to_the_first() {
    let stage = Stage::new("C.UTF-8");
    let mut first = Program::start(&stage);
    first.says("the data is open").await;
    assert!(Program::start(&stage).ends().await.success());
    first.says("started again").await;
}

#[tokio::test]
async fn told_to_stop_it_gives_the_data_back() {
    let stage = Stage::new("C.UTF-8");
    let mut program = Program::start(&stage);
    program.says("the data is open").await;
    assert!(stage.data_dir().join("owner.json").exists(), "the command line finds the owner");
    let pid = program.child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)).expect("a running process");
    kill_process(pid, Signal::TERM).expect("the signal is sent");
    assert!(program.ends().await.success());
    assert!(!stage.data_dir().join("owner.json").exists(), "nobody is told of an owner that is gone");
    let engine = weir_engine::Engine::open(weir_engine::OpenOptions::new(stage.data_dir()), weir_engine::SystemClock);
    engine.await.expect("the data is free").close().await;
}
