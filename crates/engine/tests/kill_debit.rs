//! Killed at random moments while a balance is credited, debited and held: what was answered is booked, once, and what is repeated
//! under its key after the next start is answered as it was, over all lives of the process together.

mod common;

use std::collections::BTreeMap;
use std::sync::Arc;

use common::kill::{random_below, run_and_kill, say};
use common::purse::{Purse, credit, debit, plain};
use common::{Bench, actor, at, quantity};
use tempfile::TempDir;
use weir_core::ledger::EntryKind;
use weir_core::quantity::Quantity;
use weir_engine::model::{CreditBalance, HoldBalance, ListBalances, Transaction};
use weir_engine::{Engine, ManualClock, OpenOptions};

const DIR: &str = "WEIR_TEST_KILL_DEBIT_DIR";
const NOW: &str = "2026-03-10T12:00:00Z";
const ROUNDS: usize = 6;
const CALLERS: usize = 6;

/// Asks for what this key stands for, and says what it came to.
async fn ask(engine: &Engine, key: &str, turn: usize) -> String {
    let key = Some(key.to_owned());
    let moved = match turn % 4 {
        0 => engine.credit_balance(&actor(), CreditBalance { idempotency_key: key, ..credit("2.5") }).await,
        3 => {
            let new = HoldBalance {
                customer_id: "acme".to_owned(),
                name: "credits".to_owned(),
                amount: quantity("0.5"),
                ttl_seconds: 60,
                description: String::new(),
                reference: None,
                idempotency_key: key,
            };
            let held = engine.hold_balance(&actor(), new).await.expect("an answer");
            return held.hold.map_or("refused".to_owned(), |hold| hold.id.to_string());
        }
        _ => engine.debit_balance(&actor(), debit("1", key.as_deref())).await,
    };
    let transaction = moved.expect("an answer").transaction;
    transaction.map_or("refused".to_owned(), |transaction| transaction.id.to_string())
}

/// What the child does until it is killed. As a test of its own, nothing.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(at(NOW)));
        let engine = Engine::open(OpenOptions::new(dir), clock).await.expect("the engine");
        let life = random_below(u64::MAX);
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for turn in 0.. {
                        let key = format!("{life}-{caller}-{turn}");
                        let came_to = ask(&engine, &key, turn).await;
                        say(&format!("asked {key} {turn} {came_to}"));
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("for ever");
        }
    });
}

async fn open(dir: TempDir, now: &str) -> Purse {
    let clock = Arc::new(ManualClock::at(at(now)));
    let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.expect("the engine");
    let known = engine.balances(ListBalances::default()).await.expect("balances").data;
    let id = match known.first() {
        Some(balance) => balance.id,
        None => engine.create_balance(&actor(), plain()).await.expect("a balance").id,
    };
    Purse { bench: Bench { engine, clock, dir }, id }
}

#[test]
fn what_was_answered_is_booked_once_over_many_lives() {
    let mut dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    dir = runtime.block_on(async {
        let purse = open(dir, NOW).await;
        purse.bench.engine.close().await;
        purse.bench.dir
    });
    // Everything that was answered, by key.
    let mut answered: BTreeMap<String, (usize, String)> = BTreeMap::new();
    for round in 0..ROUNDS {
        run_and_kill(DIR, dir.path(), 60 + random_below(300), |words| match words {
            ["asked", key, turn, came_to] => {
                let turn = turn.parse().expect("a number");
                assert!(answered.insert((*key).to_owned(), (turn, (*came_to).to_owned())).is_none());
                true
            }
            _ => false,
        });
        dir = runtime.block_on(async {
            let purse = open(dir, NOW).await;
            let before = purse.entries().await;
            for (key, (turn, came_to)) in answered.iter().filter(|(_, (_, came_to))| came_to != "refused") {
                assert_eq!(ask(&purse.bench.engine, key, *turn).await, *came_to, "round {round}, {key}");
            }
            let after = purse.entries().await;
            assert_eq!(before, after, "round {round}: a repeat books nothing");
            let credited: i128 = after.iter().map(signed).sum();
            let balance = purse.balance().await;
            assert_eq!(balance.current_balance, Quantity::from_steps(credited));
            assert!(!balance.available_balance.is_negative());
            purse.bench.engine.close().await;
            purse.bench.dir
        });
    }
    runtime.block_on(async {
        let purse = open(dir, "2026-03-10T12:01:00Z").await;
        purse.go("2026-03-10T12:01:00Z").await;
        assert_eq!(purse.balance().await.held_balance, quantity("0"), "no hold outlives its time");
        purse.close().await;
    });
}

/// What an entry adds.
fn signed(entry: &Transaction) -> i128 {
    match entry.kind {
        EntryKind::Credit | EntryKind::Adjustment => entry.amount.steps(),
        EntryKind::Debit | EntryKind::Expiry => -entry.amount.steps(),
    }
}
