//! Killed at random moments under load: every acknowledged event is there afterwards, none twice, batches whole.
//!
//! A real process on a real file: the test starts itself again as a child, which records from many tasks and prints what was
//! answered; the parent kills it once it has read a random number of bytes, and looks at what is left. Several times on one file.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use common::{Bench, actor, at, check, limit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::id::EventId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{LimitPatch, ListLimits, ListMeters, MeterPatch};
use weir_engine::{DATA_FILE, Engine, ManualClock, OpenOptions, doctor};

const DIR: &str = "WEIR_TEST_KILL_DIR";
const ROUND: &str = "WEIR_TEST_KILL_ROUND";
const NOW: &str = "2026-03-10T12:00:00Z";
const ROUNDS: u32 = 5;
const CUSTOMERS: [&str; 3] = ["acme", "beta", "corp"];

fn event(customer: usize, tokens: usize, named: &[(&str, &str)]) -> EventInput {
    EventInput {
        customer_id: CUSTOMERS[customer % CUSTOMERS.len()].to_owned(),
        event_type: "call".to_owned(),
        values: [("tokens".to_owned(), Quantity::from_int(1 + tokens as i64 % 9))].into(),
        dimensions: named.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..EventInput::default()
    }
}

fn keyed(key: &str, event: EventInput) -> EventInput {
    EventInput { idempotency_key: Some(key.to_owned()), ..event }
}

/// One line in one write, so that none is torn but the last.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent reads");
}

/// What the child does until it is killed. As a test of its own, nothing.
#[test]
fn child() {
    let (Ok(dir), Ok(round)) = (std::env::var(DIR), std::env::var(ROUND)) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(at(NOW)));
        let engine = Engine::open(OpenOptions::new(dir), clock).await.expect("the engine");
        let tasks: Vec<_> = (0..9)
            .map(|task| {
                let (engine, round) = (engine.clone(), round.clone());
                tokio::spawn(async move {
                    match task {
                        0..3 => record_singles(engine, round, task).await,
                        3..6 => record_batches(engine, round, task).await,
                        6..8 => repeat_keys(engine, task).await,
                        _ => keep_changing(engine).await,
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a task records until it is killed");
        }
    });
}

async fn record_singles(engine: Engine, round: String, task: usize) {
    for turn in 0.. {
        let key = format!("r{round}-t{task}-{turn}");
        let single = event(task + turn, turn, &[("key", &key)]);
        let single = if turn % 2 == 0 { keyed(&key, single) } else { single };
        let id = engine.record(&actor(), single).await.expect("an answer").id;
        say(&format!("single {id}"));
    }
}

async fn record_batches(engine: Engine, round: String, task: usize) {
    for turn in 0..usize::MAX {
        let (name, size) = (format!("r{round}-t{task}-{turn}"), 1 + turn * 7 % 40);
        let sized = size.to_string();
        let batch = (0..size)
            .map(|index| {
                let key = format!("{name}-{index}");
                let one = event(index, turn, &[("batch", &name), ("size", &sized), ("key", &key)]);
                if task == 4 { keyed(&key, one) } else { one }
            })
            .collect();
        let answer = engine.record_batch(&actor(), batch).await.expect("an answer");
        assert_eq!((answer.count, answer.duplicates), (size as u64, 0));
        say(&format!("batch {name}"));
    }
}

/// The same keys in every round: an event once recorded stays the one.
async fn repeat_keys(engine: Engine, task: usize) {
    for turn in 0.. {
        let key = format!("again-{task}-{turn}");
        let id = engine.record(&actor(), keyed(&key, event(task, turn, &[("key", &key)]))).await.expect("an answer").id;
        say(&format!("again {key} {id}"));
    }
}

/// Changes what is counted and by whom it is limited, so that some kill comes in the middle of that.
async fn keep_changing(engine: Engine) {
    let meters = engine.meters(ListMeters::default()).await.expect("meters").data;
    let meter = meters.iter().find(|meter| meter.name == "tokens").expect("a meter").id;
    let limits = engine.limits(ListLimits::default()).await.expect("limits").data;
    let limit = limits.iter().find(|limit| limit.name == "tokens").expect("a limit").id;
    for turn in 0.. {
        let group_by =
            Some(["batch", "customer_id"][turn as usize % 2..].iter().map(|name| (*name).to_owned()).collect());
        engine.update_meter(&actor(), meter, MeterPatch { group_by, ..MeterPatch::default() }).await.expect("a change");
        let limit_value = Some(Quantity::from_int(1_000 + turn));
        engine
            .update_limit(&actor(), limit, LimitPatch { limit_value, ..LimitPatch::default() })
            .await
            .expect("a change");
    }
}

/// What the child said before it was killed.
#[derive(Default)]
struct Acknowledged {
    events: BTreeSet<Uuid>,
    batches: BTreeSet<String>,
    repeated: BTreeMap<String, Uuid>,
}

impl Acknowledged {
    fn hear(&mut self, line: &str) {
        let id = |text: &str| text.parse::<EventId>().expect("an event id").uuid();
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["single", event] => assert!(self.events.insert(id(event)), "an id was given twice"),
            ["batch", name] => assert!(self.batches.insert(name.to_owned())),
            ["again", key, event] => {
                let event = id(event);
                let first = *self.repeated.entry(key.to_owned()).or_insert(event);
                assert_eq!(first, event, "a repeat of {key} answers as the first did");
                self.events.insert(event);
            }
            // What the test harness says.
            _ => {}
        }
    }
}

/// Runs a child until it has said so many bytes, and kills it.
fn run_and_kill(dir: &Path, round: u32, bytes: usize, acknowledged: &mut Acknowledged) {
    let mut child = Command::new(std::env::current_exe().expect("this test"))
        .args(["child", "--exact", "--nocapture", "--test-threads=1"])
        .env(DIR, dir)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("a child");
    let mut said = BufReader::new(child.stdout.take().expect("its output"));
    let (mut heard, mut line) = (0, String::new());
    loop {
        line.clear();
        let length = said.read_line(&mut line).expect("text");
        // The last line may be cut off where the child was killed.
        let Some(whole) = line.strip_suffix('\n') else { break };
        acknowledged.hear(whole);
        let killed = heard >= bytes;
        heard += length;
        if !killed && heard >= bytes {
            child.kill().expect("killed");
        }
    }
    let status = child.wait().expect("its end");
    assert!(heard >= bytes && status.code().is_none(), "the child ended by itself: {status}");
}

/// Holds what is in the file against what was acknowledged.
async fn examine(bench: &Bench, acknowledged: &Acknowledged) {
    let path = bench.dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let ids: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM event").fetch_all(&mut file).await.unwrap();
    let present: BTreeSet<_> = ids.iter().copied().collect();
    assert_eq!(present.len(), ids.len(), "no id comes twice");
    assert_eq!(acknowledged.events.difference(&present).count(), 0, "acknowledged events are missing");

    let (first, last): (i64, i64) =
        sqlx::query_as("SELECT min(seq), max(seq) FROM event").fetch_one(&mut file).await.unwrap();
    assert_eq!((first & 0xff_ffff_ffff, last - first + 1), (1, ids.len() as i64), "numbers have gaps");

    let batches: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT dimensions ->> 'batch' AS name, CAST(min(dimensions ->> 'size') AS INTEGER), count(*) FROM event \
         WHERE name IS NOT NULL GROUP BY name",
    )
    .fetch_all(&mut file)
    .await
    .unwrap();
    for (name, size, count) in &batches {
        assert_eq!(size, count, "batch {name} is not whole");
    }
    let whole: BTreeSet<_> = batches.into_iter().map(|(name, _, _)| name).collect();
    assert_eq!(acknowledged.batches.difference(&whole).count(), 0, "acknowledged batches are missing");

    let twice: Vec<String> =
        sqlx::query_scalar("SELECT dimensions ->> 'key' AS key FROM event GROUP BY key HAVING count(*) > 1")
            .fetch_all(&mut file)
            .await
            .unwrap();
    assert_eq!(twice, Vec::<String>::new(), "events are there twice");

    for customer in CUSTOMERS {
        let (tokens, events): (i64, i64) = sqlx::query_as(
            r#"SELECT coalesce(sum("values" ->> 'tokens'), 0), count(*) FROM event e JOIN customer c ON c.id = e.customer
               WHERE c.external_id = ?1"#,
        )
        .bind(customer)
        .fetch_one(&mut file)
        .await
        .unwrap();
        let answer = bench.engine.check(check(customer)).await.unwrap();
        let used: BTreeMap<_, _> = answer.limits.iter().map(|limit| (limit.name.as_str(), limit.used)).collect();
        let expected = [("tokens", tokens), ("events", events)].map(|(name, used)| (name, Quantity::from_int(used)));
        assert_eq!(used, expected.into(), "{customer}");
    }
    file.close().await.unwrap();
}

fn random_below(bound: u64) -> usize {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("randomness");
    (u64::from_le_bytes(bytes) % bound) as usize
}

#[test]
fn killed_at_any_moment_nothing_acknowledged_is_lost_and_nothing_is_there_twice() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut bench = runtime.block_on(async {
        let bench = Bench::open_at(NOW).await;
        let tokens = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
        let events = bench.meter_by("events", Aggregation::Count, "*", &["batch"]).await;
        for (name, meter, period) in [("tokens", tokens, Period::Day), ("events", events, Period::AllTime)] {
            bench.engine.create_limit(&actor(), limit(name, meter, "1000", period)).await.unwrap();
        }
        bench.engine.close().await;
        bench
    });
    let mut acknowledged = Acknowledged::default();
    for round in 0..ROUNDS {
        let bytes = 200 + random_below(9_000);
        run_and_kill(bench.dir.path(), round, bytes, &mut acknowledged);
        bench = runtime.block_on(async {
            let bench = bench.reopen().await;
            examine(&bench, &acknowledged).await;
            bench.engine.close().await;
            let report = doctor::examine(bench.dir.path()).await.unwrap();
            assert!(report.is_clean(), "after {bytes} bytes in round {round}: {:?}", report.differences);
            bench
        });
    }
    assert!(!acknowledged.events.is_empty() && !acknowledged.batches.is_empty());
}
