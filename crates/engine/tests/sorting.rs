//! Lists in every order that they can be asked for: each row once, however small the pages.

mod common;

use common::{Bench, actor, at, event, limit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::id::{LimitId, MeterId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_engine::model::{
    AlertState, Cursor, LimitPatch, LimitSort, ListAlerts, ListAudit, ListLimits, ListMeters, ListRateLimits,
    ListRefusals, ListStandings, LogSort, NamedSort, NewCustomer, NewLimit, NewRateLimit, Page, PageSize,
};
use weir_engine::{DATA_FILE, Engine, Error, Result};

fn size(rows: usize) -> PageSize {
    serde_json::from_value(rows.into()).expect("a page size")
}

/// What every walk with pages of 1, 2, 3 and 100 rows meets, which has to be the same.
async fn walks<T, K>(ask: impl AsyncFn(PageSize, Option<Cursor>) -> Result<Page<T>>, key: impl Fn(T) -> K) -> Vec<K>
where
    K: PartialEq + std::fmt::Debug,
{
    let mut walks = Vec::new();
    for rows in [1, 2, 3, 100] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let page = ask(size(rows), cursor).await.unwrap();
            assert!(page.data.len() <= rows);
            assert_eq!(page.has_more, page.next_cursor.is_some());
            seen.extend(page.data.into_iter().map(&key));
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
            assert!(seen.len() < 1_000, "a walk without end");
        }
        walks.push(seen);
    }
    let walk = walks.pop().expect("a walk");
    assert!(walks.iter().all(|other| *other == walk), "{walks:?} {walk:?}");
    walk
}

fn reversed<K>(mut keys: Vec<K>) -> Vec<K> {
    keys.reverse();
    keys
}

fn is_foreign<T: std::fmt::Debug>(answer: Result<T>) -> bool {
    matches!(answer.unwrap_err(), Error::Fault(fault)
        if fault.code == Code::InvalidFieldValue && fault.field.as_deref() == Some("cursor"))
}

/// Two default limits, of which one refuses, and what comes of six calls by three customers.
async fn with_logs() -> (Bench, LimitId) {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let told = NewLimit { alert_thresholds: vec![50, 80], ..limit("daily", meter, "10", Period::Day) };
    let daily = bench.engine.create_limit(&actor(), told).await.unwrap().id;
    bench.engine.create_limit(&actor(), limit("monthly", meter, "11", Period::Month)).await.unwrap();
    for customer in ["acme", "beta", "coda"] {
        bench.engine.track(&actor(), event(customer, "9")).await.unwrap();
        bench.clock.set(bench.engine.now().saturating_add_micros(60_000_000));
        for tokens in ["2", "3"] {
            let refused = bench.engine.track(&actor(), event(customer, tokens)).await;
            assert!(matches!(refused, Err(Error::Refused(_))));
        }
    }
    (bench, daily)
}

#[tokio::test]
async fn logs_are_walked_from_either_end() {
    let (bench, daily) = with_logs().await;
    let engine = &bench.engine;
    let first = engine.alerts(ListAlerts { limit: PageSize::MAX, ..ListAlerts::default() }).await.unwrap().data;
    engine.acknowledge(&actor(), first[0].id).await.unwrap();
    let acme = || Some("acme".to_owned());

    for list in [
        ListAlerts::default(),
        ListAlerts { customer_id: acme(), ..ListAlerts::default() },
        ListAlerts { limit_id: Some(daily), state: Some(AlertState::Open), ..ListAlerts::default() },
        ListAlerts { from: Some(at("2026-03-10T12:01:00Z")), ..ListAlerts::default() },
    ] {
        let walk = async |sort| {
            let ask = async |limit, cursor| engine.alerts(ListAlerts { sort, limit, cursor, ..list.clone() }).await;
            walks(ask, |alert| (alert.created_at, alert.id)).await
        };
        let oldest = walk(LogSort::Oldest).await;
        assert!(oldest.len() > 1 && oldest.iter().map(|(at, _)| at).is_sorted());
        assert_eq!(oldest, reversed(walk(LogSort::Newest).await));
    }
    for list in [
        ListRefusals::default(),
        ListRefusals { customer_id: acme(), ..ListRefusals::default() },
        ListRefusals { limit_id: Some(daily), to: Some(at("2026-03-10T12:03:00Z")), ..ListRefusals::default() },
    ] {
        let walk = async |sort| {
            let ask = async |limit, cursor| engine.refusals(ListRefusals { sort, limit, cursor, ..list.clone() }).await;
            walks(ask, |refusal| refusal.id).await
        };
        let oldest = walk(LogSort::Oldest).await;
        assert!(oldest.len() > 1 && oldest.is_sorted());
        assert_eq!(oldest, reversed(walk(LogSort::Newest).await));
    }
    for list in [
        ListAudit::default(),
        ListAudit { operation: Some("limits".to_owned()), ..ListAudit::default() },
        ListAudit { query: Some("LY".to_owned()), ..ListAudit::default() },
    ] {
        let walk = async |sort| {
            let ask = async |limit, cursor| engine.audit(ListAudit { sort, limit, cursor, ..list.clone() }).await;
            walks(ask, |fact| fact.id).await
        };
        let oldest = walk(LogSort::Oldest).await;
        assert!(oldest.len() > 1 && oldest.is_sorted());
        assert_eq!(oldest, reversed(walk(LogSort::Newest).await));
    }
}

#[tokio::test]
async fn a_cursor_is_good_in_its_own_order_alone() {
    let (bench, _) = with_logs().await;
    let engine = &bench.engine;
    let both = [LogSort::Newest, LogSort::Oldest];
    for (sort, other) in both.into_iter().zip(both.into_iter().rev()) {
        let limit = size(1);
        let cursor = engine.alerts(ListAlerts { sort, limit, ..ListAlerts::default() }).await.unwrap().next_cursor;
        assert!(cursor.is_some());
        assert!(is_foreign(engine.alerts(ListAlerts { sort: other, cursor, ..ListAlerts::default() }).await));
        let cursor =
            engine.refusals(ListRefusals { sort, limit, ..ListRefusals::default() }).await.unwrap().next_cursor;
        assert!(cursor.is_some());
        assert!(is_foreign(engine.refusals(ListRefusals { sort: other, cursor, ..ListRefusals::default() }).await));
        let cursor = engine.audit(ListAudit { sort, limit, ..ListAudit::default() }).await.unwrap().next_cursor;
        assert!(cursor.is_some());
        assert!(is_foreign(engine.audit(ListAudit { sort: other, cursor, ..ListAudit::default() }).await));
    }
    let sorts = [LimitSort::Newest, LimitSort::Name, LimitSort::Utilisation];
    for sort in sorts {
        let asked = ListLimits { sort, limit: size(1), ..ListLimits::default() };
        let cursor = engine.limits(asked).await.unwrap().next_cursor;
        for other in sorts.into_iter().filter(|other| *other != sort) {
            let asked = ListLimits { sort: other, cursor: cursor.clone(), ..ListLimits::default() };
            assert!(is_foreign(engine.limits(asked).await), "{sort:?} {other:?}");
        }
    }
}

#[tokio::test]
async fn a_search_of_the_audit_gives_short_pages_from_either_end() {
    let bench = Bench::open().await;
    bench.engine.close().await;
    let path = bench.dir.path().join(DATA_FILE);
    let mut conn = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::query(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 40500) \
         INSERT INTO audit (seq, at, actor, operation, target) \
         SELECT 1000 + i, i, 1, 'project.update', CASE WHEN i IN (1, 20250, 40499) THEN 'needle' ELSE 'hay' END FROM n",
    )
    .execute(&mut conn)
    .await
    .unwrap();
    conn.close().await.unwrap();
    let bench = bench.reopen().await;
    for (sort, expected) in [
        (LogSort::Newest, ["aud_41499", "aud_21250", "aud_1001"]),
        (LogSort::Oldest, ["aud_1001", "aud_21250", "aud_41499"]),
    ] {
        let query = Some("NEEDLE".to_owned());
        let list = ListAudit { query, sort, limit: size(10), ..ListAudit::default() };
        let first = bench.engine.audit(list.clone()).await.unwrap();
        assert_eq!((first.data.len(), first.has_more), (1, true), "{sort:?}: a short page with more to come");
        let ask = async |limit, cursor| bench.engine.audit(ListAudit { limit, cursor, ..list.clone() }).await;
        assert_eq!(walks(ask, |fact| fact.id).await, expected);
    }
}

async fn put(engine: &Engine, new: NewLimit) -> LimitId {
    engine.create_limit(&actor(), new).await.unwrap().id
}

/// The names of limits in an order.
async fn names(engine: &Engine, sort: LimitSort, list: ListLimits) -> Vec<String> {
    let ask = async |limit, cursor| engine.limits(ListLimits { sort, limit, cursor, ..list.clone() }).await;
    walks(ask, |limit| limit.name).await
}

#[tokio::test]
async fn limits_are_sorted_by_name_in_any_case() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let other = bench.meter("calls", Aggregation::Count, "*").await;
    let all = |name: &str, meter: MeterId| limit(name, meter, "10", Period::Day);
    for name in ["beta", "Alpha", "%", "alpha", "Gamma"] {
        put(&bench.engine, all(name, meter)).await;
    }
    let own = NewLimit { customer_id: Some("acme".to_owned()), ..all("beta", other) };
    put(&bench.engine, own).await;
    let archived = put(&bench.engine, all("ALPHA", other)).await;
    bench.engine.archive_limit(&actor(), archived).await.unwrap();
    let engine = &bench.engine;

    let by_name = async |list| names(engine, LimitSort::Name, list).await;
    // Equal ones in the order in which they were made.
    assert_eq!(by_name(ListLimits::default()).await, ["%", "Alpha", "alpha", "beta", "beta", "Gamma"]);
    let every = ListLimits { include_archived: true, ..ListLimits::default() };
    assert_eq!(by_name(every).await, ["%", "Alpha", "alpha", "ALPHA", "beta", "beta", "Gamma"]);
    let metered = ListLimits { meter_id: Some(meter), ..ListLimits::default() };
    assert_eq!(by_name(metered).await, ["%", "Alpha", "alpha", "beta", "Gamma"]);
    let acme = ListLimits { customer_id: Some("acme".to_owned()), effective: true, ..ListLimits::default() };
    let applying = by_name(acme.clone()).await;
    assert!(applying.contains(&"beta".to_owned()) && applying.iter().map(|name| name.to_lowercase()).is_sorted());
    assert_eq!(by_name(ListLimits { effective: false, ..acme }).await, ["beta"]);
    let newest = names(engine, LimitSort::Newest, ListLimits::default()).await;
    assert_eq!(newest, ["beta", "Gamma", "alpha", "%", "Alpha", "beta"]);
}

/// The largest share that a customer has used of each limit, in the order of its list, as the standings say.
async fn closest(engine: &Engine) -> Vec<(String, Option<Quantity>)> {
    let list = ListLimits { sort: LimitSort::Utilisation, limit: PageSize::MAX, ..ListLimits::default() };
    let mut closest = Vec::new();
    for limit in engine.limits(list).await.unwrap().data {
        let asked = ListStandings { limit_id: Some(limit.id), limit: size(1), ..ListStandings::default() };
        let first = engine.standings(asked).await.unwrap().data.into_iter().next();
        closest.push((limit.name, first.map(|row| row.standing.utilisation)));
    }
    closest
}

#[tokio::test]
async fn limits_are_sorted_by_whoever_is_closest_to_them() {
    let bench = Bench::open().await;
    let engine = &bench.engine;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let calls = bench.meter("calls", Aggregation::Count, "*").await;
    let own = |customer: &str, name: &str, value: &str, period| NewLimit {
        customer_id: Some(customer.to_owned()),
        ..limit(name, meter, value, period)
    };
    for customer in ["acme", "beta", "gone"] {
        engine
            .create_customer(&actor(), NewCustomer { external_id: customer.into(), ..Default::default() })
            .await
            .unwrap();
    }
    put(engine, limit("every call", calls, "1000", Period::AllTime)).await;
    put(engine, own("acme", "third", "30", Period::AllTime)).await;
    put(engine, own("beta", "today", "10", Period::Day)).await;
    put(engine, own("gone", "of one who is archived", "1", Period::AllTime)).await;
    put(engine, own("idle", "unused", "1", Period::AllTime)).await;
    let off = put(engine, own("acme", "off", "1", Period::AllTime)).await;
    put(engine, own("acme", "same", "30", Period::AllTime)).await;
    for (customer, tokens) in [("acme", "10"), ("beta", "9"), ("gone", "5")] {
        engine.record(&actor(), event(customer, tokens)).await.unwrap();
        engine.customer_standing(customer).await.unwrap();
    }
    engine.archive_customer(&actor(), "gone").await.unwrap();
    let patch = LimitPatch { enabled: Some(false), ..LimitPatch::default() };
    engine.update_limit(&actor(), off, patch).await.unwrap();

    let order = ["today", "same", "third", "every call", "unused", "off", "of one who is archived"];
    assert_eq!(names(engine, LimitSort::Utilisation, ListLimits::default()).await, order);
    let shown = closest(engine).await;
    assert!(shown.iter().rev().map(|(_, share)| share).is_sorted(), "{shown:?}");
    assert_eq!(shown[0].1, Some(common::quantity("90")));
    let metered = ListLimits { meter_id: Some(calls), ..ListLimits::default() };
    assert_eq!(names(engine, LimitSort::Utilisation, metered).await, ["every call"]);

    // What was used today is over tomorrow; and it is true at once after an event.
    bench.clock.set(at("2026-03-11T12:00:00Z"));
    assert_eq!(names(engine, LimitSort::Utilisation, ListLimits::default()).await[..2], ["same", "third"]);
    engine.record(&actor(), event("acme", "1000")).await.unwrap();
    let shown = closest(engine).await;
    assert!(shown.iter().rev().map(|(_, share)| share).is_sorted(), "{shown:?}");
}

#[tokio::test]
async fn meters_and_rate_limits_are_sorted_by_name() {
    let bench = Bench::open().await;
    let engine = &bench.engine;
    for name in ["beta", "Alpha", "alphabet"] {
        bench.meter(name, Aggregation::Count, "*").await;
        for customer_id in [None, Some("acme".to_owned())] {
            let new = NewRateLimit {
                name: name.to_owned(),
                window: RateSpan::Minute,
                limit_value: 5,
                dimension_filters: Default::default(),
                customer_id,
                enabled: true,
            };
            engine.create_rate_limit(&actor(), new).await.unwrap();
        }
    }
    let meters = async |sort, query: Option<&str>| {
        let list = ListMeters { sort, query: query.map(str::to_owned), ..ListMeters::default() };
        let ask = async |limit, cursor| engine.meters(ListMeters { limit, cursor, ..list.clone() }).await;
        walks(ask, |meter| meter.name).await
    };
    let named = meters(NamedSort::Name, None).await;
    assert_eq!(named, ["Alpha", "alphabet", "beta", "total_cost_cents", "total_events", "total_tokens"]);
    assert_eq!(meters(NamedSort::Newest, None).await[..3], ["alphabet", "Alpha", "beta"]);
    assert_eq!(meters(NamedSort::Name, Some("ALPHA")).await, ["Alpha", "alphabet"]);

    let rates = async |sort, customer: Option<&str>| {
        let list = ListRateLimits { sort, customer_id: customer.map(str::to_owned), ..ListRateLimits::default() };
        let ask = async |limit, cursor| engine.rate_limits(ListRateLimits { limit, cursor, ..list.clone() }).await;
        walks(ask, |rate| (rate.name, rate.customer_id.is_some())).await
    };
    let pairs = |names: [&str; 3]| names.map(|name| [(name.to_owned(), false), (name.to_owned(), true)]).concat();
    assert_eq!(rates(NamedSort::Name, None).await, pairs(["Alpha", "alphabet", "beta"]));
    let newest = rates(NamedSort::Newest, None).await;
    assert_eq!(newest, reversed(pairs(["beta", "Alpha", "alphabet"])));
    assert_eq!(rates(NamedSort::Name, Some("acme")).await.len(), 3);
}
