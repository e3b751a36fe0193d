//! Cases that other ledgers are known by, in our own figures: how grants burn down, how credits recur at the ends of months, how an
//! amount is held first and taken later.

mod common;

use common::purse::{Purse, code, credit, debit, plain, recurring, three, tokens, until};
use common::{Bench, actor, at, event, quantity};
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::ledger::EntryKind;
use weir_core::period::Period;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{
    Change, CreditBalance, CustomerPatch, ExtendHold, HoldState, ListHolds, Metered, NewBalance, NewCustomer, PageSize,
    RecurringCredit,
};

// How grants burn down.

#[tokio::test]
async fn usage_that_no_grant_covers_is_owed_and_the_next_grant_pays_it_first() {
    let purse = Purse::metered("2026-01-01T00:00:00Z").await;
    let recorded = purse.bench.engine.record(&actor(), event("acme", "17")).await.expect("an event");
    assert!(recorded.overdrawn);
    assert_eq!(purse.stands().await, three("-17", "0", "-17"));
    purse.credit(credit("60")).await;
    assert_eq!((purse.current().await, purse.left().await), ("43".to_owned(), vec!["43".to_owned()]));
    // The entry of the usage says now who paid.
    let entries = purse.entries().await;
    assert_eq!(entries[0].paid_by.len(), 1);
    assert_eq!((entries[0].paid_by[0].grant_id, entries[0].paid_by[0].amount), (Some(entries[1].id), quantity("17")));
    let recorded = purse.bench.engine.record(&actor(), event("acme", "13")).await.expect("an event");
    assert!(!recorded.overdrawn);
    assert_eq!(purse.left().await, ["30"]);
    purse.close().await;
}

#[tokio::test]
async fn one_grant_burns_down_and_two_of_the_same_terms_burn_oldest_first() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(until("40", "2026-02-01T00:00:00Z")).await;
    assert!(purse.debit("15").await);
    assert_eq!(purse.left().await, ["25"]);
    purse.credit(until("40", "2026-02-01T00:00:00Z")).await;
    assert!(purse.debit("26").await);
    assert_eq!(purse.left().await, ["0", "39"]);
    assert!(purse.debit("39").await);
    assert_eq!(purse.left().await, ["0", "0"]);
    assert!(!purse.debit("0.000000001").await);
    purse.close().await;
}

#[tokio::test]
async fn the_lowest_priority_goes_before_the_soonest_date_and_that_before_the_oldest() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("10")).await;
    purse.credit(until("10", "2026-03-01T00:00:00Z")).await;
    purse.credit(until("10", "2026-02-01T00:00:00Z")).await;
    purse.credit(CreditBalance { priority: 1, ..credit("10") }).await;
    let expected = [
        ("4", ["10", "10", "10", "6"]),
        ("8", ["10", "10", "8", "0"]),
        ("9", ["10", "9", "0", "0"]),
        ("12", ["7", "0", "0", "0"]),
    ];
    for (amount, left) in expected {
        assert!(purse.debit(amount).await);
        assert_eq!(purse.left().await, left, "after {amount}");
    }
    purse.close().await;
}

#[tokio::test]
async fn among_many_grants_the_one_that_expires_first_burns_alone() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    for number in 0..60 {
        let date = if number == 37 { "2026-01-30T00:00:00Z" } else { "2026-01-31T00:00:00Z" };
        purse.credit(until("5", date)).await;
    }
    assert!(purse.debit("4.5").await);
    let left = purse.left().await;
    assert_eq!((&*left[37], left.iter().filter(|left| *left == "5").count()), ("0.5", 59));
    // On its date its rest is gone; a day later all is.
    purse.go("2026-01-30T00:00:00Z").await;
    assert_eq!(purse.current().await, "295");
    purse.go("2026-03-01T00:00:00Z").await;
    assert_eq!(purse.current().await, "0");
    let expired = purse.of_kind(EntryKind::Expiry).await;
    assert_eq!(expired.len(), 60);
    assert_eq!(expired[0], ("0.5".to_owned(), at("2026-01-30T00:00:00Z")));
    assert!(expired[1..].iter().all(|one| *one == ("5".to_owned(), at("2026-01-31T00:00:00Z"))));
    purse.close().await;
}

#[tokio::test]
async fn a_grant_pays_up_to_the_instant_of_its_date_and_not_at_it() {
    let purse = Purse::metered("2026-01-01T00:00:00Z").await;
    purse.credit(until("10", "2026-01-02T00:00:00Z")).await;
    purse.bench.clock.set(at("2026-01-01T23:59:59.999999Z"));
    assert!(purse.bench.engine.track(&actor(), event("acme", "4")).await.is_ok());
    purse.bench.clock.set(at("2026-01-02T00:00:00Z"));
    assert_eq!(code(purse.bench.engine.track(&actor(), event("acme", "4")).await), Some(Code::LimitExceeded));
    assert_eq!(purse.stands().await, three("0", "0", "0"));
    // Usage of yesterday that arrives today is paid today.
    let late = EventInput { timestamp: Some(at("2026-01-01T12:00:00Z")), ..event("acme", "2") };
    assert!(purse.bench.engine.record(&actor(), late).await.expect("an event").overdrawn);
    assert_eq!(purse.current().await, "-2");
    purse.close().await;
}

#[tokio::test]
async fn a_daily_credit_pays_what_was_used_beyond_the_last_one() {
    let daily = NewBalance { recurring_credit: Some(recurring("50", Period::Day)), ..plain() };
    let bench = Bench::open_at("2026-01-01T00:00:00Z").await;
    let meter_id = tokens(&bench).await;
    let metered = Metered { meter_id, amount: quantity("1"), per: 1, enforcement: Default::default() };
    let new = NewBalance { metered: Some(metered), initial_balance: Some(quantity("50")), ..daily };
    let id = bench.engine.create_balance(&actor(), new).await.expect("a balance").id;
    let purse = Purse { bench, id };
    purse.bench.engine.record(&actor(), event("acme", "65")).await.expect("an event");
    assert_eq!(purse.current().await, "-15");
    purse.go("2026-01-02T01:00:00Z").await;
    assert_eq!((purse.current().await, purse.left().await), ("35".to_owned(), vec!["0".to_owned(), "35".to_owned()]));
    // The same whether it is asked once or twice, or by another life of the engine.
    assert_eq!(purse.entries().await, purse.entries().await);
    let before = purse.entries().await;
    let bench = purse.bench.reopen().await;
    let purse = Purse { bench, ..purse };
    assert_eq!(purse.entries().await, before);
    purse.close().await;
}

#[tokio::test]
async fn a_weekly_credit_of_a_lower_priority_burns_before_the_one_that_stands() {
    let weekly = RecurringCredit { priority: 1, expires: true, ..recurring("30", Period::Week) };
    // A Thursday: the first comes on Monday the 5th.
    let new = NewBalance { recurring_credit: Some(weekly), ..plain() };
    let purse = Purse::open_at("2026-01-01T00:00:00Z", new).await;
    purse.credit(credit("100")).await;
    assert!(purse.debit("10").await);
    purse.go("2026-01-05T00:00:00Z").await;
    assert!(purse.debit("12").await);
    assert_eq!(purse.left().await, ["90", "18"]);
    purse.go("2026-01-12T00:00:00Z").await;
    assert_eq!(purse.left().await, ["90", "0", "30"], "what is left of a week ends with it");
    assert!(purse.debit("35").await);
    assert_eq!(purse.left().await, ["85", "0", "0"]);
    purse.close().await;
}

// How credits recur at the ends of months.

async fn monthly(start: &str, anchor: &str, zone: &str, to: &str) -> Vec<Timestamp> {
    let bench = Bench::open_at(start).await;
    let customer = NewCustomer {
        external_id: "acme".to_owned(),
        timezone: Some(Zone::parse(zone).expect("a zone")),
        billing_cycle_start: Some(anchor.to_owned()),
        ..NewCustomer::default()
    };
    bench.engine.create_customer(&actor(), customer).await.expect("a customer");
    let new = NewBalance { recurring_credit: Some(recurring("1", Period::Month)), ..plain() };
    let id = bench.engine.create_balance(&actor(), new).await.expect("a balance").id;
    let purse = Purse { bench, id };
    purse.go(to).await;
    let came: Vec<_> = purse.of_kind(EntryKind::Credit).await.into_iter().map(|(_, when)| when).collect();
    let next = purse.balance().await.next_recurring_at.expect("another");
    assert!(next > at(to) && came.last().is_none_or(|last| *last <= at(to)));
    purse.close().await;
    came
}

fn days(list: &[&str]) -> Vec<Timestamp> {
    list.iter().map(|day| at(&format!("{day}T00:00:00Z"))).collect()
}

#[tokio::test]
async fn a_month_that_is_too_short_pays_on_its_last_day_and_the_next_on_the_day_again() {
    let came = monthly("2025-01-31T15:00:00Z", "2025-01-31", "UTC", "2025-06-30T00:00:00Z").await;
    assert_eq!(came, days(&["2025-02-28", "2025-03-31", "2025-04-30", "2025-05-31", "2025-06-30"]));
    let came = monthly("2025-01-30T15:00:00Z", "2025-01-30", "UTC", "2025-03-30T23:00:00Z").await;
    assert_eq!(came, days(&["2025-02-28", "2025-03-30"]));
    // A leap year, and an anchor years ahead.
    let came = monthly("2024-02-01T00:00:00Z", "2030-08-31", "UTC", "2024-03-31T00:00:00Z").await;
    assert_eq!(came, days(&["2024-02-29", "2024-03-31"]));
    // One microsecond before its instant a month has not begun; at it, it has.
    let came = monthly("2025-09-01T00:00:00Z", "2025-01-31", "UTC", "2025-09-29T23:59:59.999999Z").await;
    assert_eq!(came, []);
    let came = monthly("2025-09-30T00:00:00Z", "2025-01-31", "UTC", "2025-10-31T00:00:00Z").await;
    assert_eq!(came, days(&["2025-10-31"]), "the window of its birth is not paid");
}

#[tokio::test]
async fn months_begin_where_the_customer_lives() {
    let came = monthly("2026-02-10T00:00:00Z", "2026-01-31", "America/Los_Angeles", "2026-04-01T00:00:00Z").await;
    assert_eq!(came, [at("2026-02-28T08:00:00Z"), at("2026-03-31T07:00:00Z")]);
}

#[tokio::test]
async fn a_customer_who_moves_is_paid_for_no_window_twice() {
    let new = NewBalance { recurring_credit: Some(recurring("1", Period::Month)), ..plain() };
    let purse = Purse::open_at("2026-01-01T00:00:00Z", new).await;
    purse.go("2026-02-01T00:00:00Z").await;
    assert_eq!(purse.current().await, "1");
    let patch = CustomerPatch { billing_cycle_start: Some("2026-01-10".to_owned()), ..CustomerPatch::default() };
    purse.bench.engine.update_customer(&actor(), "acme", patch).await.expect("a change");
    assert_eq!(purse.balance().await.next_recurring_at, Some(at("2026-02-10T00:00:00Z")));
    let west = Change::Set(Zone::parse("America/Los_Angeles").expect("a zone"));
    let patch = CustomerPatch { timezone: west, ..CustomerPatch::default() };
    purse.bench.engine.update_customer(&actor(), "acme", patch).await.expect("a change");
    assert_eq!(purse.balance().await.next_recurring_at, Some(at("2026-02-10T08:00:00Z")));
    purse.go("2026-03-10T07:00:00Z").await;
    assert_eq!(purse.current().await, "3");
    purse.close().await;
}

// How an amount is held first and taken later.

#[tokio::test]
async fn what_is_held_is_taken_in_full_in_part_or_not_at_all() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("50")).await;
    let mut holds = Vec::new();
    for amount in ["9", "8", "7"] {
        holds.push(purse.hold(amount, 300).await.hold.expect("a hold").id);
    }
    assert_eq!(purse.stands().await, three("50", "24", "26"));
    assert!(purse.capture(holds[0], None).await.expect("an answer").success);
    assert!(purse.capture(holds[1], Some("5")).await.expect("an answer").success);
    purse.bench.engine.release_hold(&actor(), holds[2]).await.expect("released");
    assert_eq!(purse.stands().await, three("36", "0", "36"));
    let debits = purse.of_kind(EntryKind::Debit).await;
    assert_eq!(debits.iter().map(|(amount, _)| &**amount).collect::<Vec<_>>(), ["9", "5"]);
    // Nothing of it happens twice, and what was done stays done.
    assert!(purse.capture(holds[0], Some("9")).await.expect("a repeat").success);
    assert!(purse.capture(holds[1], Some("5")).await.expect("a repeat").success);
    assert_eq!(code(purse.capture(holds[1], Some("4")).await), Some(Code::IdempotencyConflict));
    assert_eq!(code(purse.capture(holds[1], Some("6")).await), Some(Code::IdempotencyConflict));
    assert_eq!(code(purse.capture(holds[2], None).await), Some(Code::Conflict));
    assert_eq!(code(purse.bench.engine.release_hold(&actor(), holds[1]).await), Some(Code::Conflict));
    assert!(purse.bench.engine.release_hold(&actor(), holds[2]).await.expect("a repeat").success);
    assert_eq!(purse.stands().await, three("36", "0", "36"));
    purse.close().await;
}

#[tokio::test]
async fn nothing_at_all_is_no_amount_to_take() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("5")).await;
    let hold = purse.hold("5", 300).await.hold.expect("a hold").id;
    assert_eq!(code(purse.capture(hold, Some("0")).await), Some(Code::InvalidFieldValue));
    assert_eq!(code(purse.bench.engine.debit_balance(&actor(), debit("0", None)).await), Some(Code::InvalidFieldValue));
    assert_eq!(purse.stands().await, three("5", "5", "0"));
    purse.close().await;
}

#[tokio::test]
async fn more_than_was_held_is_taken_only_where_the_rest_is_there() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("20")).await;
    let first = purse.hold("11", 300).await.hold.expect("a hold").id;
    let second = purse.hold("6", 300).await.hold.expect("a hold").id;
    let refused = purse.capture(first, Some("14.000000001")).await.expect("an answer");
    assert!(!refused.success && refused.transaction.is_none());
    assert_eq!(purse.stands().await, three("20", "17", "3"), "the hold stands");
    assert!(purse.capture(first, Some("14")).await.expect("an answer").success);
    assert_eq!(purse.stands().await, three("6", "6", "0"));
    assert!(purse.capture(second, None).await.expect("an answer").success);
    assert_eq!(purse.current().await, "0");
    purse.close().await;
}

#[tokio::test]
async fn held_amounts_count_against_what_may_be_spent() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("12")).await;
    let hold = purse.hold("7", 300).await.hold.expect("a hold").id;
    assert!(!purse.debit("6").await);
    let refused = purse.hold("5.000000001", 300).await;
    assert!(!refused.success && refused.hold.is_none());
    assert!(purse.debit("5").await);
    assert!(!purse.hold("0.000000001", 300).await.success);
    purse.bench.engine.release_hold(&actor(), hold).await.expect("released");
    assert!(purse.debit("7").await);
    assert_eq!(purse.stands().await, three("0", "0", "0"));
    purse.close().await;
}

#[tokio::test]
async fn holds_run_out_one_by_one_and_are_gone_for_good() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("100")).await;
    let mut holds = Vec::new();
    for (amount, seconds) in [("21", 3_600), ("22", 1), ("23", 2), ("24", 3)] {
        holds.push(purse.hold(amount, seconds).await.hold.expect("a hold").id);
    }
    for (second, held) in [("00", "90"), ("01", "68"), ("02", "45"), ("03", "21")] {
        purse.go(&format!("2026-01-01T00:00:{second}Z")).await;
        assert_eq!(purse.balance().await.held_balance.to_string(), held, "after {second} seconds");
    }
    for hold in &holds[1..] {
        assert_eq!(code(purse.capture(*hold, None).await), Some(Code::Conflict));
        assert_eq!(code(purse.bench.engine.release_hold(&actor(), *hold).await), Some(Code::Conflict));
        let extend = ExtendHold { ttl_seconds: 60 };
        assert_eq!(code(purse.bench.engine.extend_hold(&actor(), *hold, extend).await), Some(Code::Conflict));
    }
    assert!(purse.capture(holds[0], None).await.expect("an answer").success);
    assert_eq!(purse.stands().await, three("79", "0", "79"));
    assert_eq!(purse.entries().await.len(), 2, "what ran out left no entry");
    purse.close().await;
}

#[tokio::test]
async fn many_holds_that_run_out_at_once_are_all_freed() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("100")).await;
    for _ in 0..70 {
        assert!(purse.hold("1", 1).await.success);
    }
    assert_eq!(purse.stands().await, three("100", "70", "30"));
    purse.bench.clock.set(at("2026-01-01T00:00:01Z"));
    assert!(purse.debit("100").await);
    assert_eq!(purse.stands().await, three("0", "0", "0"));
    let list = ListHolds { state: Some(HoldState::Expired), limit: PageSize::MAX, ..ListHolds::default() };
    assert_eq!(purse.bench.engine.holds(purse.id, list).await.expect("holds").data.len(), 70);
    purse.close().await;
}

#[tokio::test]
async fn a_key_stands_for_one_debit_and_is_free_again_where_that_was_refused() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    purse.credit(credit("10")).await;
    let engine = &purse.bench.engine;
    let refused = engine.debit_balance(&actor(), debit("11", Some("once"))).await.expect("an answer");
    assert!(!refused.success);
    let first = engine.debit_balance(&actor(), debit("4", Some("once"))).await.expect("an answer");
    let again = engine.debit_balance(&actor(), debit("4", Some("once"))).await.expect("an answer");
    assert!(first.success && again.success);
    assert_eq!(first.transaction, again.transaction);
    for amount in ["3", "5", "11"] {
        let other = engine.debit_balance(&actor(), debit(amount, Some("once"))).await;
        assert_eq!(code(other), Some(Code::IdempotencyConflict), "{amount}");
    }
    let other = CreditBalance { idempotency_key: Some("once".to_owned()), ..credit("4") };
    assert_eq!(code(engine.credit_balance(&actor(), other).await), Some(Code::IdempotencyConflict));
    assert_eq!(purse.current().await, "6");
    purse.close().await;
}

#[tokio::test]
async fn a_credit_is_repeated_under_its_key_also_once_it_has_expired() {
    let purse = Purse::open_at("2026-01-01T00:00:00Z", plain()).await;
    let new = CreditBalance { idempotency_key: Some("gift".to_owned()), ..until("10", "2026-01-02T00:00:00Z") };
    let first = purse.credit(new.clone()).await;
    purse.go("2026-01-03T00:00:00Z").await;
    let again = purse.credit(new.clone()).await;
    assert_eq!(again.transaction.map(|entry| entry.id), first.transaction.map(|entry| entry.id));
    assert_eq!((purse.current().await, purse.entries().await.len()), ("0".to_owned(), 2));
    // A new one of that date is a mistake.
    let late = CreditBalance { idempotency_key: None, ..new };
    assert_eq!(code(purse.bench.engine.credit_balance(&actor(), late).await), Some(Code::InvalidFieldValue));
    purse.close().await;
}
