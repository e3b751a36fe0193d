//! Killed at random moments while calls are tracked: what was admitted stays, a repeat is not admitted twice, and neither limits
//! nor rate limits ever let more through than they allow, over all lives of the process together.
//!
//! The test starts itself again as a child, as the test of recording does.

mod common;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use common::kill::{random_below, run_and_kill, say};
use common::{Bench, actor, at, event, limit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_core::rate::RateSpan;
use weir_engine::model::{CheckRates, NewLimit, NewRateLimit};
use weir_engine::{DATA_FILE, Engine, Error, ManualClock, OpenOptions, doctor};

const DIR: &str = "WEIR_TEST_KILL_TRACK_DIR";
const NOW: &str = "2026-03-10T12:00:00Z";
const ROUNDS: usize = 6;
const CALLERS: usize = 8;
/// Calls of one caller; all together far more than any limit lets through.
const CALLS: usize = 60;
const CUSTOMERS: [&str; 2] = ["acme", "beta"];
/// What the limit on all calls, that on small ones, and beta's rate limit let through.
const ALL: i64 = 90;
const SMALL: i64 = 25;
const RATE: u64 = 40;

fn call(caller: usize, n: usize) -> EventInput {
    EventInput {
        idempotency_key: Some(format!("{caller}-{n}")),
        model: Some(if n.is_multiple_of(2) { "small" } else { "large" }.to_owned()),
        ..event(CUSTOMERS[caller % CUSTOMERS.len()], "1")
    }
}

/// What the child does until it is killed: every call from the first on, as a caller that lost its answers repeats them. As a
/// test of its own, nothing.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(at(NOW)));
        let engine = Engine::open(OpenOptions::new(dir), clock).await.expect("the engine");
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for n in (0..CALLS).cycle() {
                        match engine.track(&actor(), call(caller, n)).await {
                            Ok(tracked) => say(&format!("admitted {caller}-{n} {}", tracked.id)),
                            Err(Error::Refused(_)) => say(&format!("refused {caller}-{n}")),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("a caller calls until it is killed");
        }
    });
}

/// Runs a child until it has said so many lines, and kills it. What was admitted is remembered by its key.
fn live(dir: &Path, lines: usize, admitted: &mut BTreeMap<String, String>) {
    run_and_kill(DIR, dir, lines, |words| {
        match *words {
            ["admitted", key, id] => {
                let first = admitted.entry(key.to_owned()).or_insert_with(|| id.to_owned());
                assert_eq!(first, id, "a repeat of {key} answers as the first did");
            }
            ["refused", key] => assert!(!admitted.contains_key(key), "{key} was admitted before"),
            _ => return false,
        }
        true
    });
}

/// Holds what is in the file against what was answered and what is allowed.
async fn examine(bench: &Bench, admitted: &BTreeMap<String, String>) {
    let path = bench.dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let ids: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM event").fetch_all(&mut file).await.unwrap();
    let ids: Vec<String> = ids.into_iter().map(|id| weir_core::id::EventId::new(id).to_string()).collect();
    assert!(admitted.values().all(|id| ids.contains(id)), "admitted events are missing");
    for customer in CUSTOMERS {
        let count = |small: bool| {
            let sql = "SELECT count(*) FROM event e JOIN customer c ON c.id = e.customer WHERE c.external_id = ?1 \
                       AND (NOT ?2 OR e.dimensions ->> 'model' = 'small')";
            sqlx::query_scalar::<_, i64>(sql).bind(customer).bind(small)
        };
        let (all, small) =
            (count(false).fetch_one(&mut file).await.unwrap(), count(true).fetch_one(&mut file).await.unwrap());
        assert!(all <= ALL && small <= SMALL, "{customer}: {all} calls, {small} small");
        let rates = bench.engine.check_rates(&CheckRates { customer_id: customer.to_owned(), ..CheckRates::default() });
        for rate in rates.unwrap().rate_limits {
            assert_eq!(RATE - rate.remaining, all as u64, "{customer}: the rate limit counts what was admitted");
        }
    }
    file.close().await.unwrap();
}

#[test]
fn killed_while_tracking_nothing_is_admitted_twice_and_nothing_beyond_the_limits() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut bench = runtime.block_on(async {
        let bench = Bench::open_at(NOW).await;
        let meter = bench.meter("calls", Aggregation::Count, "*").await;
        bench.engine.create_limit(&actor(), limit("all", meter, &ALL.to_string(), Period::Month)).await.unwrap();
        let small = NewLimit {
            dimension_filters: [("model".to_owned(), "small".to_owned())].into(),
            ..limit("small", meter, &SMALL.to_string(), Period::Day)
        };
        bench.engine.create_limit(&actor(), small).await.unwrap();
        let rate = NewRateLimit {
            name: "rate".to_owned(),
            window: RateSpan::Hour,
            limit_value: RATE,
            dimension_filters: BTreeMap::new(),
            customer_id: Some("beta".to_owned()),
            enabled: true,
        };
        bench.engine.create_rate_limit(&actor(), rate).await.unwrap();
        bench.engine.close().await;
        bench
    });
    let mut admitted = BTreeMap::new();
    for round in 0..ROUNDS {
        // The last life is long enough to use everything up.
        let lines = if round + 1 == ROUNDS { 2 * CALLERS * CALLS } else { 10 + random_below(200) };
        live(bench.dir.path(), lines, &mut admitted);
        bench = runtime.block_on(async {
            let bench = bench.reopen().await;
            examine(&bench, &admitted).await;
            bench.engine.close().await;
            let report = doctor::examine(bench.dir.path()).await.unwrap();
            assert!(report.is_clean(), "after {lines} lines in round {round}: {:?}", report.differences);
            bench
        });
    }
    let of = |odd: usize| admitted.keys().filter(|key| key.as_bytes()[0] as usize % 2 == odd).count();
    assert_eq!((of(0), of(1)), (ALL as usize, RATE as usize), "in the end each limit is used up exactly");
}
