//! Customers: found, walked and changed.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, event, limit};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::period::Period;
use weir_engine::model::{Change, CustomerPatch, CustomerSort, ListCustomers, NewCustomer};

async fn with_customers(count: usize) -> Bench {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("all", meter, "7", Period::AllTime)).await.unwrap();
    for n in 0..count {
        let new = NewCustomer { external_id: format!("c{:02}", (n * 7) % count), ..NewCustomer::default() };
        bench.engine.create_customer(&actor(), new).await.unwrap();
    }
    // Every third has usage, some of it equal.
    for n in (0..count).step_by(3) {
        bench.engine.record(&actor(), event(&format!("c{n:02}"), &(n % 4).to_string())).await.unwrap();
    }
    bench
}

#[tokio::test]
async fn a_walk_in_any_order_meets_every_customer_once() {
    let bench = with_customers(23).await;
    for sort in [CustomerSort::Newest, CustomerSort::ExternalId, CustomerSort::Utilisation, CustomerSort::LastEvent] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        loop {
            let limit = serde_json::from_str("4").unwrap();
            let list = ListCustomers { sort, limit, cursor, ..ListCustomers::default() };
            let (page, total) = bench.engine.customers(list).await.unwrap();
            assert_eq!(total, 23);
            seen.extend(page.data);
            assert_eq!(page.has_more, page.next_cursor.is_some());
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        let mut ids: Vec<_> = seen.iter().map(|customer| customer.external_id.clone()).collect();
        match sort {
            CustomerSort::ExternalId => assert!(ids.is_sorted()),
            CustomerSort::Newest => assert!(seen.iter().rev().map(|customer| customer.id).is_sorted()),
            CustomerSort::Utilisation => assert!(seen.iter().rev().map(|customer| customer.utilisation).is_sorted()),
            CustomerSort::LastEvent => assert!(seen.iter().rev().map(|customer| customer.last_event_at).is_sorted()),
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 23, "{sort:?}");
    }
}

#[tokio::test]
async fn a_search_takes_its_text_as_it_is() {
    let bench = Bench::open().await;
    let metadata = BTreeMap::from([("plan".to_owned(), "Gold".to_owned())]);
    for new in [
        NewCustomer { external_id: "a_b".into(), name: Some("100% Ltd".into()), ..NewCustomer::default() },
        NewCustomer {
            external_id: "axb".into(),
            email: Some("ops@example.org".into()),
            metadata,
            ..NewCustomer::default()
        },
    ] {
        bench.engine.create_customer(&actor(), new).await.unwrap();
    }
    for (query, expected) in [
        ("a_b", vec!["a_b"]),
        ("100%", vec!["a_b"]),
        ("OPS@", vec!["axb"]),
        ("gold", vec!["axb"]),
        ("", vec!["axb", "a_b"]),
        ("\\", vec![]),
    ] {
        let list = ListCustomers { query: Some(query.into()), ..ListCustomers::default() };
        let (page, total) = bench.engine.customers(list).await.unwrap();
        let found: Vec<_> = page.data.iter().map(|customer| customer.external_id.as_str()).collect();
        assert_eq!((found, total as usize), (expected.clone(), expected.len()), "{query}");
    }
}

#[tokio::test]
async fn archiving_hides_and_restoring_brings_back() {
    let bench = Bench::open().await;
    let new = || NewCustomer { external_id: "acme".into(), ..NewCustomer::default() };
    let created = bench.engine.create_customer(&actor(), new()).await.unwrap();
    bench.engine.archive_customer(&actor(), "acme").await.unwrap();
    assert_eq!(bench.engine.customers(ListCustomers::default()).await.unwrap().1, 0);
    let error = bench.engine.create_customer(&actor(), new()).await.unwrap_err();
    assert_eq!(error.code(), Code::Conflict);
    assert!(error.to_string().contains("restore"), "{error}");
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    assert!(bench.engine.customer("acme").await.unwrap().archived_at.is_some(), "events count but do not revive");
    let restored = bench.engine.restore_customer(&actor(), &created.id.to_string()).await.unwrap();
    assert_eq!((restored.id, restored.archived_at), (created.id, None));
}

#[tokio::test]
async fn a_billing_date_is_a_local_date_and_moving_it_recuts_the_windows() {
    let bench = Bench::open().await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("monthly", meter, "100", Period::Month)).await.unwrap();
    let new = NewCustomer {
        external_id: "acme".into(),
        timezone: Some("Asia/Tokyo".parse().unwrap()),
        billing_cycle_start: Some("2026-01-31T20:00:00Z".into()),
        ..NewCustomer::default()
    };
    let created = bench.engine.create_customer(&actor(), new).await.unwrap();
    assert_eq!(created.billing_cycle_start.to_string(), "2026-02-01");
    let mut early = event("acme", "5");
    early.timestamp = Some(at("2026-03-02T00:00:00Z"));
    bench.engine.record(&actor(), early).await.unwrap();
    let used = || async { bench.engine.customer_standing("acme").await.unwrap().limits[0].clone() };
    assert_eq!(used().await.used, common::quantity("5"));
    let patch = CustomerPatch { billing_cycle_start: Some("2026-01-05".into()), ..CustomerPatch::default() };
    bench.engine.update_customer(&actor(), "acme", patch).await.unwrap();
    let standing = used().await;
    assert_eq!(standing.used, common::quantity("0"), "the event lies in the window before");
    assert_eq!(standing.window_start, Some(at("2026-03-04T15:00:00Z")));
    let patch = CustomerPatch { timezone: Change::Clear, name: Change::Set("Acme".into()), ..CustomerPatch::default() };
    let patched = bench.engine.update_customer(&actor(), "acme", patch).await.unwrap();
    assert_eq!((patched.timezone, patched.name.as_deref()), (None, Some("Acme")));
    assert_eq!(used().await.window_start, Some(at("2026-03-05T00:00:00Z")));
}
