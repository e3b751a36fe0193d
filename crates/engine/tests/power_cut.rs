//! What a power cut leaves: every answer comes after its data was synced, and a log cut anywhere past that keeps the event.

mod common;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use common::{Bench, actor, at, check, event, limit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::{DATA_FILE, Engine, ManualClock, OpenOptions, doctor};

const DIR: &str = "WEIR_TEST_POWER_DIR";
const NOW: &str = "2026-03-10T12:00:00Z";
const RECORDS: usize = 40;

/// An event that can be found again in the pages that are written.
fn marked(number: usize) -> EventInput {
    let marker = ("marker".to_owned(), format!("<event-{number:04}>"));
    EventInput { dimensions: [marker].into(), ..event("acme", "1") }
}

/// Records one event after the other, and says so after each answer. As a test of its own, nothing.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let engine = Engine::open(OpenOptions::new(dir), Arc::new(ManualClock::at(at(NOW)))).await.unwrap();
        for number in 0..RECORDS {
            let events = if number % 4 == 3 { vec![marked(number), event("beta", "1")] } else { vec![marked(number)] };
            engine.record_batch(&actor(), events).await.unwrap();
            std::io::stdout().write_all(format!("<answer-{number:04}>\n").as_bytes()).unwrap();
        }
        engine.close().await;
    });
}

/// A system call as strace tells it: where it began, and where it was done.
struct Call {
    name: String,
    text: String,
    begun: usize,
    done: usize,
}

/// Puts the calls of a trace together; another thread's may stand between a call's beginning and its end.
fn calls(trace: &str) -> Vec<Call> {
    let (mut calls, mut open) = (Vec::<Call>::new(), BTreeMap::<&str, usize>::new());
    for (line_number, line) in trace.lines().enumerate() {
        let Some((thread, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if call.starts_with("<...") {
            if let Some(index) = open.remove(thread) {
                calls[index].done = line_number;
                calls[index].text.push_str(call);
            }
            continue;
        }
        let Some((name, _)) = call.split_once('(') else { continue };
        if call.ends_with("<unfinished ...>") {
            open.insert(thread, calls.len());
        }
        calls.push(Call { name: name.to_owned(), text: call.to_owned(), begun: line_number, done: line_number });
    }
    calls
}

#[test]
fn every_answer_comes_after_its_sync() {
    let dir = tempfile::tempdir().unwrap();
    let trace = dir.path().join("trace");
    let traced = Command::new("strace")
        .args(["-f", "-y", "-s", "5000", "-e", "trace=fdatasync,fsync,write,pwrite64", "-o"])
        .arg(&trace)
        .arg(std::env::current_exe().unwrap())
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir.path().join("data"))
        .output();
    let output =
        traced.expect("strace, which this test sees the order of system calls by: run script/test to install it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

    let calls = calls(&String::from_utf8_lossy(&std::fs::read(&trace).unwrap()));
    let log = format!("{DATA_FILE}-wal>");
    let written = |number: usize| {
        let marker = format!("<event-{number:04}>");
        let mut writes = calls.iter().filter(|call| call.name == "pwrite64" && call.text.contains(&log));
        writes.find(|call| call.text.contains(&marker)).map(|call| call.done)
    };
    let answered = |number: usize| {
        let answer = format!("<answer-{number:04}>");
        calls.iter().find(|call| call.name == "write" && call.text.contains(&answer)).map(|call| call.begun)
    };
    for number in 0..RECORDS {
        let (written, answered) = (written(number).expect("in the log"), answered(number).expect("an answer"));
        let synced = calls.iter().any(|call| {
            matches!(call.name.as_str(), "fdatasync" | "fsync")
                && call.text.contains(&log)
                && call.text.ends_with("= 0")
                && written < call.begun
                && call.done < answered
        });
        assert!(synced, "answer {number} came before its sync");
    }
}

/// The files of an engine, in memory.
struct Image {
    file: Vec<u8>,
    log: Vec<u8>,
}

impl Image {
    fn of(dir: &Path) -> Self {
        let read = |ending: &str| std::fs::read(dir.join(format!("{DATA_FILE}{ending}"))).unwrap();
        Image { file: read(""), log: read("-wal") }
    }
}

/// Opens what a cut left, and holds it against the number of events that were answered and that were ever sent.
async fn examine(file: &[u8], log: &[u8], answered: u64, sent: u64, cut: &str) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(DATA_FILE), file).unwrap();
    std::fs::write(dir.path().join(format!("{DATA_FILE}-wal")), log).unwrap();
    let clock = Arc::new(ManualClock::at(at(NOW)));
    let engine = Engine::open(OpenOptions { cache_mib: 2, ..OpenOptions::new(dir.path()) }, clock).await.expect(cut);
    let events = engine.status().await.unwrap().events;
    assert!((answered..=sent).contains(&events), "{events} of {answered} to {sent} events, {cut}");
    let answer = engine.check(check("acme")).await.unwrap();
    assert_eq!(answer.limits[0].used, Quantity::from_int(events as i64), "{cut}");
    // It goes on as if nothing had happened.
    engine.record(&actor(), event("acme", "1")).await.unwrap();
    engine.close().await;
    let report = doctor::examine(dir.path()).await.unwrap();
    assert!(report.is_clean(), "{:?}, {cut}", report.differences);
    let path = dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let markers: Vec<String> =
        sqlx::query_scalar("SELECT dimensions ->> 'marker' FROM event WHERE dimensions <> '{}' ORDER BY seq")
            .fetch_all(&mut file)
            .await
            .unwrap();
    let expected: Vec<_> = (0..events).map(|number| format!("<event-{number:04}>")).collect();
    assert_eq!(markers, expected, "{cut}");
    file.close().await.unwrap();
}

#[tokio::test]
async fn a_log_cut_anywhere_past_the_last_sync_keeps_every_answered_event() {
    let bench = Bench::open_at(NOW).await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, "1000", Period::Day)).await.unwrap();
    let mut sent = 0;
    for _ in 0..5 {
        bench.engine.record(&actor(), marked(sent)).await.unwrap();
        sent += 1;
    }
    // What stands here was answered, and nothing else is on its way: the projections, too, have been written.
    bench.engine.status().await.unwrap();
    let (answered, before) = (sent as u64, Image::of(bench.dir.path()));
    for size in [1, 3] {
        let batch = (sent..sent + size).map(marked).collect();
        bench.engine.record_batch(&actor(), batch).await.unwrap();
        sent += size;
        bench.engine.status().await.unwrap();
    }
    let after = Image::of(bench.dir.path());
    assert_eq!(before.file, after.file, "nothing was moved from the log into the file meanwhile");
    let (from, to) = (before.log.len(), after.log.len());
    assert!(from < to && after.log[..from] == before.log[..], "the log only grew");

    // At each frame's edges and in the middle of it, and wherever a stride that fits nothing leads.
    let frame = 24 + 4096;
    let mut cuts: Vec<_> = (from..=to)
        .step_by(frame)
        .flat_map(|edge| [edge, edge + 24, edge + frame / 2, edge + frame - 1])
        .chain((from..to).step_by(29_989))
        .chain([to])
        .filter(|cut| *cut <= to)
        .collect();
    cuts.sort_unstable();
    cuts.dedup();
    for (index, cut) in cuts.into_iter().enumerate() {
        let mut log = after.log[..cut].to_vec();
        let what = match index % 3 {
            0 => "cut",
            1 => {
                // A file system may have made room and not have filled it.
                log.resize(to + frame, 0);
                "zeros follow"
            }
            _ => {
                let garbage = after.log[..cut].iter().rev().map(|byte| byte ^ 0x5a).take(2 * frame);
                log.extend(garbage.collect::<Vec<_>>());
                "garbage follows"
            }
        };
        examine(&after.file, &log, answered, sent as u64, &format!("{what} at byte {cut} of {from} to {to}")).await;
    }
    bench.engine.close().await;
}
