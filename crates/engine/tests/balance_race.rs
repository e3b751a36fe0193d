//! Many callers of one balance at once: what is there is spent once, to the last of it, and never more.

mod common;

use common::purse::{Purse, credit, debit, plain, tokens};
use common::{Bench, actor, event, quantity};
use weir_core::ledger::EntryKind;
use weir_engine::model::{CaptureHold, HoldBalance, HoldState, ListHolds, Metered, NewBalance, PageSize};
use weir_engine::{Engine, Error};

const CALLERS: usize = 8;

fn hold(amount: &str, key: Option<String>) -> HoldBalance {
    HoldBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        amount: quantity(amount),
        ttl_seconds: 300,
        description: String::new(),
        reference: None,
        idempotency_key: key,
    }
}

/// One way to spend 1, and how many of it were spent.
async fn spend(engine: &Engine, turn: usize) -> i64 {
    match turn % 3 {
        0 => i64::from(engine.debit_balance(&actor(), debit("1", None)).await.expect("an answer").success),
        1 => match engine.track(&actor(), event("acme", "1")).await {
            Ok(tracked) => {
                assert!(!tracked.overdrawn);
                1
            }
            Err(Error::Refused(refused)) => {
                assert_eq!(refused.balances.len(), 1);
                0
            }
            Err(error) => panic!("{error}"),
        },
        _ => {
            let held = engine.hold_balance(&actor(), hold("2", None)).await.expect("an answer");
            let Some(hold) = held.hold else { return 0 };
            let asked = CaptureHold { amount: Some(quantity("1")), description: None };
            let captured = engine.capture_hold(&actor(), hold.id, asked).await.expect("an answer");
            i64::from(captured.success)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn what_is_there_is_spent_to_the_last_and_no_further() {
    let bench = Bench::open().await;
    let metered =
        Metered { meter_id: tokens(&bench).await, amount: quantity("1"), per: 1, enforcement: Default::default() };
    let new = NewBalance { metered: Some(metered), initial_balance: Some(quantity("100")), ..plain() };
    let id = bench.engine.create_balance(&actor(), new).await.expect("a balance").id;
    let callers: Vec<_> = (0..CALLERS)
        .map(|caller| {
            let engine = bench.engine.clone();
            tokio::spawn(async move {
                let mut spent = 0;
                for turn in 0..40 {
                    spent += spend(&engine, caller + turn).await;
                }
                spent
            })
        })
        .collect();
    let mut spent = 0;
    for caller in callers {
        spent += caller.await.expect("a caller");
    }
    let purse = Purse { bench, id };
    let balance = purse.balance().await;
    assert_eq!(balance.current_balance, quantity(&(100 - spent).to_string()));
    assert_eq!(balance.held_balance, quantity("0"));
    assert_eq!(spent, 100);
    let entries = purse.entries().await;
    assert!(entries.iter().all(|entry| !entry.balance_after.is_negative()));
    assert_eq!(entries.len() as i64, 1 + spent);
    purse.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn one_key_and_one_hold_are_booked_once_whoever_asks() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("1000")).await;
    for round in 0..20 {
        let held = purse.bench.engine.hold_balance(&actor(), hold("5", None)).await.expect("an answer");
        let id = held.hold.expect("a hold").id;
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let engine = purse.bench.engine.clone();
                tokio::spawn(async move {
                    let key = format!("debit {round}");
                    let debited = engine.debit_balance(&actor(), debit("3", Some(&key))).await.expect("an answer");
                    let captured = engine.capture_hold(&actor(), id, CaptureHold::default()).await.expect("an answer");
                    let key = Some(format!("hold {round}"));
                    let held = engine.hold_balance(&actor(), hold("2", key)).await.expect("an answer");
                    let id = |transaction: Option<weir_engine::model::Transaction>| transaction.expect("an entry").id;
                    (id(debited.transaction), id(captured.transaction), held.hold.expect("a hold").id)
                })
            })
            .collect();
        let mut answers = Vec::new();
        for caller in callers {
            answers.push(caller.await.expect("a caller"));
        }
        answers.dedup();
        assert_eq!(answers.len(), 1, "all were answered as the first was");
    }
    assert_eq!(purse.of_kind(EntryKind::Debit).await.len(), 40);
    let balance = purse.balance().await;
    assert_eq!((balance.current_balance, balance.held_balance), (quantity("840"), quantity("40")));
    let list = ListHolds { state: Some(HoldState::Live), limit: PageSize::MAX, ..ListHolds::default() };
    assert_eq!(purse.bench.engine.holds(purse.id, list).await.expect("holds").data.len(), 20);
    purse.close().await;
}
