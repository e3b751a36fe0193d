//! Balances through the engine: money in and out, what expires by itself, usage paid for, and what voids give back.

mod common;

use std::sync::Arc;

use common::{actor, at, quantity};
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::ledger::{EntryKind, GrantSource};
use weir_core::quantity::Quantity;
use weir_engine::model::{
    AlertKind, AlertState, CaptureHold, CauseKind, CreditBalance, DebitBalance, Enforcement, HoldBalance, ListAlerts,
    ListGrants, ListMeters, ListTransactions, Metered, NewBalance, Transaction,
};
use weir_engine::{Engine, ManualClock, OpenOptions, doctor};

const START: &str = "2026-03-01T00:00:00Z";

struct Till {
    engine: Engine,
    clock: Arc<ManualClock>,
    dir: tempfile::TempDir,
}

impl Till {
    async fn open() -> Till {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::at(at(START)));
        let engine = Engine::open(OpenOptions::new(dir.path()), clock.clone()).await.unwrap();
        Till { engine, clock, dir }
    }

    async fn create(&self, change: impl FnOnce(&mut NewBalance)) -> weir_engine::model::Balance {
        let mut new: NewBalance =
            serde_json::from_str(r#"{"customerId": "acme", "name": "credits", "unit": "credits"}"#).unwrap();
        change(&mut new);
        self.engine.create_balance(&actor(), new).await.unwrap()
    }

    async fn credit(&self, amount: &str, expires: Option<&str>, key: Option<&str>) -> weir_engine::model::Moved {
        let credit = CreditBalance {
            customer_id: "acme".into(),
            name: "credits".into(),
            amount: quantity(amount),
            description: String::new(),
            reference: None,
            idempotency_key: key.map(str::to_owned),
            expires_at: expires.map(at),
            priority: 100,
            source: GrantSource::Paid,
        };
        self.engine.credit_balance(&actor(), credit).await.unwrap()
    }

    async fn debit(&self, amount: &str, key: Option<&str>) -> Result<weir_engine::model::Moved, weir_engine::Error> {
        let debit = DebitBalance {
            customer_id: "acme".into(),
            name: "credits".into(),
            amount: quantity(amount),
            description: "work".into(),
            reference: None,
            idempotency_key: key.map(str::to_owned),
        };
        self.engine.debit_balance(&actor(), debit).await
    }

    async fn ledger(&self) -> Vec<Transaction> {
        let balance = &self.engine.customer_balances("acme").await.unwrap().balances[0];
        let mut entries = self.engine.transactions(balance.id, ListTransactions::default()).await.unwrap().data;
        entries.reverse();
        entries
    }

    async fn current(&self) -> Quantity {
        self.engine.customer_balances("acme").await.unwrap().balances[0].current_balance
    }

    async fn close(self) {
        self.engine.close().await;
        let report = doctor::examine(self.dir.path()).await.unwrap();
        assert_eq!(report.differences, Vec::<String>::new());
    }

    async fn metered(&self, amount: &str, per: u32) -> Metered {
        let meters = self.engine.meters(ListMeters::default()).await.unwrap().data;
        let tokens = meters.iter().find(|meter| meter.name == "total_tokens").unwrap();
        Metered { meter_id: tokens.id, amount: quantity(amount), per, enforcement: Enforcement::Hard }
    }
}

fn tokens(amount: &str, key: Option<&str>) -> EventInput {
    EventInput {
        customer_id: "acme".into(),
        event_type: "call".into(),
        total_tokens: Some(quantity(amount)),
        idempotency_key: key.map(str::to_owned),
        ..EventInput::default()
    }
}

#[tokio::test]
async fn money_comes_and_goes_and_a_key_is_used_once() {
    let till = Till::open().await;
    till.create(|new| new.initial_balance = Some(quantity("10"))).await;
    let first = till.debit("4", Some("a")).await.unwrap();
    assert!(first.success);
    assert_eq!(first.balance.current_balance, quantity("6"));
    let again = till.debit("4", Some("a")).await.unwrap();
    assert_eq!(again, first, "a repeat answers as the first did");
    let other = till.debit("5", Some("a")).await.unwrap_err();
    assert_eq!(other.code(), Code::IdempotencyConflict);
    let refused = till.debit("7", Some("b")).await.unwrap();
    assert!(!refused.success && refused.transaction.is_none());
    till.credit("1", None, None).await;
    assert!(till.debit("7", Some("b")).await.unwrap().success, "a refused debit leaves its key free");
    let kinds: Vec<_> = till.ledger().await.iter().map(|entry| (entry.kind, entry.balance_after)).collect();
    assert_eq!(
        kinds,
        [
            (EntryKind::Credit, quantity("10")),
            (EntryKind::Debit, quantity("6")),
            (EntryKind::Credit, quantity("7")),
            (EntryKind::Debit, quantity("0"))
        ]
    );
    assert_eq!(till.ledger().await[1], first.transaction.unwrap(), "it is listed as it was answered");
    till.close().await;
}

#[tokio::test]
async fn a_grant_expires_at_its_date_also_where_weir_was_closed_for_weeks() {
    let till = Till::open().await;
    till.create(|_| {}).await;
    till.credit("10", Some("2026-03-08T00:00:00Z"), None).await;
    till.debit("3", None).await.unwrap();
    till.engine.close().await;
    till.clock.set(at("2026-04-20T12:00:00Z"));
    let engine = Engine::open(OpenOptions::new(till.dir.path()), till.clock.clone()).await.unwrap();
    let till = Till { engine, ..till };
    assert_eq!(till.current().await, quantity("0"));
    till.credit("1", None, None).await;
    let ledger = till.ledger().await;
    assert_eq!((ledger[2].kind, ledger[2].amount), (EntryKind::Expiry, quantity("7")));
    assert_eq!((ledger[2].created_at, ledger[2].cause.kind), (at("2026-03-08T00:00:00Z"), CauseKind::Expiry));
    let balance = till.engine.customer_balances("acme").await.unwrap().balances[0].id;
    let grants = till.engine.grants(balance, ListGrants::default()).await.unwrap().data;
    assert_eq!(grants.iter().map(|grant| grant.remaining).collect::<Vec<_>>(), [quantity("1"), quantity("0")]);
    till.close().await;
}

#[tokio::test]
async fn a_hold_is_captured_once_for_less_or_for_more() {
    let till = Till::open().await;
    till.create(|new| new.initial_balance = Some(quantity("10"))).await;
    let hold = |amount: &str| HoldBalance {
        customer_id: "acme".into(),
        name: "credits".into(),
        amount: quantity(amount),
        ttl_seconds: 60,
        description: "a job".into(),
        reference: None,
        idempotency_key: None,
    };
    let held = till.engine.hold_balance(&actor(), hold("8")).await.unwrap();
    assert_eq!(held.balance.available_balance, quantity("2"));
    assert!(!till.engine.hold_balance(&actor(), hold("3")).await.unwrap().success);
    let id = held.hold.unwrap().id;
    let more = |amount: &str| CaptureHold { amount: Some(quantity(amount)), description: None };
    let refused = till.engine.capture_hold(&actor(), id, more("11")).await.unwrap();
    assert!(!refused.success, "the hold stands");
    let captured = till.engine.capture_hold(&actor(), id, more("9.5")).await.unwrap();
    assert_eq!(captured.balance.current_balance, quantity("0.5"));
    let again = till.engine.capture_hold(&actor(), id, more("9.5")).await.unwrap();
    assert_eq!(again, captured);
    assert_eq!(till.engine.release_hold(&actor(), id).await.unwrap_err().code(), Code::Conflict);
    let held = till.engine.hold_balance(&actor(), hold("0.5")).await.unwrap();
    till.clock.set(at("2026-03-01T00:01:00Z"));
    let late = till.engine.capture_hold(&actor(), held.hold.unwrap().id, CaptureHold::default()).await.unwrap_err();
    assert_eq!(late.code(), Code::Conflict);
    assert!(till.debit("0.5", None).await.unwrap().success, "what had been held is free again");
    till.close().await;
}

#[tokio::test]
async fn usage_is_paid_for_with_the_event_and_given_back_with_its_void() {
    let till = Till::open().await;
    let metered = till.metered("3", 1000).await;
    till.create(|new| {
        new.initial_balance = Some(quantity("10"));
        new.metered = Some(metered);
    })
    .await;
    let tracked = till.engine.track(&actor(), tokens("1000", Some("one"))).await.unwrap();
    assert_eq!((tracked.balances[0].amount, tracked.balances[0].current_balance), (quantity("3"), quantity("7")));
    let again = till.engine.track(&actor(), tokens("1000", Some("one"))).await.unwrap();
    assert_eq!(again.balances, tracked.balances, "a repeat pays nothing");
    let refused = till.engine.track(&actor(), tokens("2500", None)).await.unwrap_err();
    assert_eq!(refused.code(), Code::LimitExceeded);
    let recorded = till.engine.record(&actor(), tokens("2500", None)).await.unwrap();
    assert!(recorded.overdrawn);
    assert_eq!(till.current().await, quantity("-0.5"));
    till.engine.void_event(&actor(), tracked.id, None).await.unwrap();
    assert_eq!(till.current().await, quantity("2.5"));
    till.engine.void_event(&actor(), recorded.id, None).await.unwrap();
    assert_eq!(till.current().await, quantity("10"));
    let ledger = till.ledger().await;
    assert_eq!(ledger.iter().map(|entry| entry.cause.kind).collect::<Vec<_>>()[3..], [CauseKind::Void; 2]);
    till.close().await;
}

#[tokio::test]
async fn a_low_balance_is_told_once_for_each_fall() {
    let till = Till::open().await;
    till.create(|new| {
        new.low_balance_threshold = Some(quantity("5"));
        new.initial_balance = Some(quantity("10"));
    })
    .await;
    for _ in 0..4 {
        till.debit("2", None).await.unwrap();
    }
    till.credit("10", None, None).await;
    till.debit("8", None).await.unwrap();
    let alerts = till.engine.alerts(ListAlerts::default()).await.unwrap().data;
    let told: Vec<_> =
        alerts.iter().map(|alert| (alert.kind, alert.state, alert.balance.as_ref().unwrap().current_balance)).collect();
    assert_eq!(
        told,
        [
            (AlertKind::BalanceLow, AlertState::Open, quantity("4")),
            (AlertKind::BalanceLow, AlertState::Resolved, quantity("4"))
        ]
    );
    till.close().await;
}

#[tokio::test]
async fn what_costs_less_than_can_be_booked_is_counted_once_it_is_recorded() {
    let till = Till::open().await;
    let metered = till.metered("0.000000001", 2).await;
    till.create(|new| new.metered = Some(metered)).await;
    let reservation = weir_engine::model::NewReservation {
        customer_id: "acme".into(),
        event_type: "call".into(),
        values: std::collections::BTreeMap::from([("tokens".to_owned(), quantity("1"))]),
        dimensions: Default::default(),
        ttl_seconds: 60,
    };
    let reserved = till.engine.reserve(&actor(), reservation).await.unwrap();
    till.engine.release_reservation(&actor(), reserved.id).await.unwrap();
    till.engine.track(&actor(), tokens("1", None)).await.unwrap();
    let refused = till.engine.track(&actor(), tokens("1", None)).await.unwrap_err();
    assert_eq!(refused.code(), Code::LimitExceeded, "two cost the least there is");
    till.close().await;
}

#[tokio::test]
async fn no_window_is_paid_twice_where_zones_and_billing_dates_change() {
    let till = Till::open().await;
    till.clock.set(at("2026-03-10T12:00:00Z"));
    let recurring = r#"{"amount": 10, "period": "month"}"#;
    till.create(|new| new.recurring_credit = Some(serde_json::from_str(recurring).unwrap())).await;
    let update = |patch: &str| {
        let (engine, patch) = (till.engine.clone(), serde_json::from_str(patch).unwrap());
        async move { engine.update_customer(&actor(), "acme", patch).await.unwrap() }
    };
    update(r#"{"billingCycleStart": "2026-03-01"}"#).await;
    till.clock.set(at("2026-04-01T00:00:00Z"));
    assert_eq!(till.current().await, quantity("10"), "at the very instant");
    // West of UTC it is still March: April's window begins once more, and is not paid once more.
    update(r#"{"timezone": "America/New_York"}"#).await;
    till.clock.set(at("2026-04-30T23:00:00Z"));
    assert_eq!(till.current().await, quantity("20"), "the window that began at 04:00 UTC as it is cut now");
    let patch = serde_json::from_str(r#"{"timezone": "Pacific/Auckland"}"#).unwrap();
    till.engine.update_project(&actor(), patch).await.unwrap();
    update(r#"{"timezone": null}"#).await;
    till.clock.set(at("2026-05-01T00:00:00Z"));
    assert_eq!(till.current().await, quantity("20"), "in Auckland May began before the zone was changed");
    till.clock.set(at("2026-05-31T12:00:00Z"));
    let next = till.engine.customer_balances("acme").await.unwrap().balances[0].next_recurring_at;
    assert_eq!((till.current().await, next), (quantity("30"), Some(at("2026-06-30T12:00:00Z"))));
    let patch = serde_json::from_str(r#"{"timezone": "UTC"}"#).unwrap();
    till.engine.update_project(&actor(), patch).await.unwrap();
    till.clock.set(at("2026-06-01T00:00:00Z"));
    assert_eq!(till.current().await, quantity("40"));
    till.close().await;
}

#[tokio::test]
async fn balances_are_found_low_ones_first_and_whose_they_are() {
    let till = Till::open().await;
    for (customer, amount) in [("acme", "50"), ("beta", "7"), ("gamma", "3"), ("delta", "100")] {
        till.create(|new| {
            new.customer_id = customer.to_owned();
            new.initial_balance = Some(quantity(amount));
            new.low_balance_threshold = (customer == "acme" || customer == "gamma").then(|| quantity("60"));
        })
        .await;
    }
    let mut list: weir_engine::model::ListBalances = serde_json::from_str(r#"{"sort": "lowest", "limit": 1}"#).unwrap();
    let mut seen = Vec::new();
    loop {
        let page = till.engine.balances(list.clone()).await.unwrap();
        seen.extend(page.data.into_iter().map(|balance| balance.customer_id));
        list.cursor = page.next_cursor;
        if list.cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["gamma", "acme", "beta", "delta"], "one by one, as in one page");
    let found = async |list: &str| {
        let page = till.engine.balances(serde_json::from_str(list).unwrap()).await.unwrap();
        page.data.into_iter().map(|balance| balance.customer_id).collect::<Vec<_>>()
    };
    assert_eq!(found(r#"{"low": true}"#).await, ["gamma", "acme"]);
    assert_eq!(found(r#"{"query": "ET"}"#).await, ["beta"]);
    assert_eq!(found(r#"{"query": "%"}"#).await, [] as [&str; 0]);
    assert_eq!(found(r#"{"customerId": "delta"}"#).await, ["delta"]);
    let low = serde_json::from_str(r#"{"lowBalance": true}"#).unwrap();
    assert_eq!(till.engine.customers(low).await.unwrap().1, 2);
    till.close().await;
}

#[tokio::test]
async fn a_statement_opens_where_the_one_before_closed() {
    let till = Till::open().await;
    let id = till.create(|new| new.initial_balance = Some(quantity("10"))).await.id;
    till.clock.set(at("2026-03-15T00:00:00Z"));
    till.credit("0.000000001", Some("2026-03-20T00:00:00Z"), None).await;
    till.debit("4", None).await.unwrap();
    till.clock.set(at("2026-04-02T00:00:00Z"));
    till.debit("1", None).await.unwrap();
    let statement = async |from: Option<&str>, to: Option<&str>| {
        let ask = weir_engine::model::AskStatement { from: from.map(at), to: to.map(at) };
        till.engine.statement(id, ask).await.unwrap()
    };
    let (march, april) = (Some("2026-03-10T00:00:00Z"), Some("2026-04-01T00:00:00Z"));
    let one = statement(march, april).await;
    assert_eq!(
        (one.opening_balance, one.credited, one.debited),
        (quantity("10"), quantity("0.000000001"), quantity("4"))
    );
    // The grant that expires was spent first.
    assert_eq!((one.expired, one.closing_balance, one.entries), (quantity("0"), quantity("6.000000001"), 2));
    let two = statement(april, None).await;
    assert_eq!((two.opening_balance, two.closing_balance), (one.closing_balance, quantity("5.000000001")));
    till.close().await;
}

#[tokio::test]
async fn a_repeat_says_overdrawn_as_the_first_did_and_large_totals_survive_a_restart() {
    let till = Till::open().await;
    let metered = till.metered("0.000000001", 1_000_000_000).await;
    till.create(|new| new.metered = Some(metered)).await;
    let large = |key: &'static str| tokens("900000000000000000", Some(key));
    for key in ["a", "b"] {
        assert!(till.engine.record(&actor(), large(key)).await.unwrap().overdrawn);
    }
    assert!(till.engine.record(&actor(), large("b")).await.unwrap().overdrawn, "in the same life");
    till.engine.close().await;
    let engine = Engine::open(OpenOptions::new(till.dir.path()), till.clock.clone()).await.unwrap();
    let till = Till { engine, ..till };
    assert!(till.engine.record(&actor(), large("a")).await.unwrap().overdrawn, "and in the next");
    assert_eq!(till.current().await, quantity("-1.8"));
    till.close().await;
}

#[tokio::test]
async fn an_archived_balance_stands_still_until_it_is_restored() {
    let till = Till::open().await;
    let metered = till.metered("1", 1).await;
    let id = till.create(|new| new.metered = Some(metered)).await.id;
    till.credit("10", Some("2026-03-02T00:00:00Z"), None).await;
    let event = till.engine.track(&actor(), tokens("4", None)).await.unwrap().id;
    let patch = serde_json::from_str(r#"{"lowBalanceThreshold": 6}"#).unwrap();
    till.engine.update_balance(&actor(), id, patch).await.unwrap();
    till.engine.archive_balance(&actor(), id).await.unwrap();
    let changed = till.engine.update_balance(&actor(), id, Default::default()).await.unwrap_err();
    assert_eq!(changed.code(), Code::Conflict);
    till.clock.set(at("2026-03-05T00:00:00Z"));
    till.engine.void_event(&actor(), event, None).await.unwrap();
    assert!(till.engine.track(&actor(), tokens("400", None)).await.unwrap().balances.is_empty());
    assert_eq!(till.engine.balance(id).await.unwrap().current_balance, quantity("6"));
    let restored = till.engine.restore_balance(&actor(), id).await.unwrap();
    assert_eq!(restored.current_balance, quantity("0"), "what expired meanwhile is booked, with the time of its date");
    assert_eq!(till.ledger().await.last().unwrap().created_at, at("2026-03-02T00:00:00Z"));
    let alerts = till.engine.alerts(ListAlerts::default()).await.unwrap().data;
    let states: Vec<_> = alerts.iter().map(|alert| alert.state).collect();
    assert_eq!(states, [AlertState::Open, AlertState::Resolved], "over with the archive, and told anew after it");
    till.close().await;
}
