//! Exceptions for one customer: a raise ends by itself, a goodwill reset leaves events and windows where they are.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, check, event, limit, quantity};
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::LimitId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::doctor;
use weir_engine::model::{LimitPatch, ListAudit, ListEvents, ListStandings, NewRaise, ResetUsage};

const NOW: &str = "2026-03-10T12:00:00Z";

fn raise(customer: &str, value: &str, until: &str) -> NewRaise {
    NewRaise {
        customer_id: customer.to_owned(),
        limit_value: quantity(value),
        until: at(until),
        note: "They asked".to_owned(),
    }
}

fn reset(customer: &str) -> ResetUsage {
    ResetUsage { customer_id: customer.to_owned(), note: "Our mistake".to_owned() }
}

fn dated(when: &str, event: EventInput) -> EventInput {
    EventInput { timestamp: Some(at(when)), ..event }
}

/// The value, what is used and what is left of the only limit.
async fn standing(bench: &Bench, customer: &str) -> (Quantity, Quantity, Quantity) {
    let answer = bench.engine.check(check(customer)).await.unwrap();
    assert_eq!(answer.limits.len(), 1);
    (answer.limits[0].limit, answer.limits[0].used, answer.limits[0].remaining)
}

fn amounts(values: [&str; 3]) -> (Quantity, Quantity, Quantity) {
    let [limit, used, remaining] = values.map(quantity);
    (limit, used, remaining)
}

async fn daily(bench: &Bench, value: &str) -> LimitId {
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, value, Period::Day)).await.unwrap().id
}

#[tokio::test]
async fn a_raise_lets_one_customer_have_more_and_ends_by_itself() {
    let bench = Bench::open_at(NOW).await;
    let id = daily(&bench, "10").await;
    for customer in ["acme", "beta"] {
        bench.engine.track(&actor(), event(customer, "10")).await.unwrap();
        assert!(bench.engine.track(&actor(), event(customer, "1")).await.is_err());
    }
    let given = bench.engine.raise_limit(&actor(), id, raise("acme", "15.5", "2026-03-10T18:00:00Z")).await.unwrap();
    assert_eq!((given.limit_value, given.created_at), (quantity("15.5"), at(NOW)));
    assert!(bench.engine.track(&actor(), event("acme", "5.5")).await.is_ok());
    assert!(bench.engine.track(&actor(), event("acme", "0.000000001")).await.is_err(), "and not a step more");
    assert!(bench.engine.track(&actor(), event("beta", "1")).await.is_err(), "only for the one");
    assert_eq!(standing(&bench, "acme").await, amounts(["15.5", "15.5", "0"]));
    let shown = bench.engine.customer_standing("acme").await.unwrap().limits[0].clone();
    let raised = shown.raised.expect("a raise in force");
    assert_eq!((raised.own_value, raised.until), (quantity("10"), at("2026-03-10T18:00:00Z")));
    assert_eq!((shown.utilisation, &*raised.note), (quantity("100"), "They asked"));
    let listed = bench.engine.customer("acme").await.unwrap();
    assert_eq!(listed.utilisation, Some(quantity("100")), "of the raised value, in lists as well");

    // It outlives the program, up to its last microsecond, and no longer.
    let bench = bench.reopen().await;
    bench.clock.set(at("2026-03-10T17:59:59.999999Z"));
    assert_eq!(standing(&bench, "acme").await, amounts(["15.5", "15.5", "0"]));
    bench.clock.set(at("2026-03-10T18:00:00Z"));
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "15.5", "0"]));
    assert_eq!(bench.engine.customer_standing("acme").await.unwrap().limits[0].raised, None);
    assert_eq!(bench.engine.customer("acme").await.unwrap().utilisation, Some(quantity("155")));
    bench.engine.close().await;
    assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
}

#[tokio::test]
async fn a_raise_takes_the_place_of_the_one_before_and_can_be_taken_back() {
    let bench = Bench::open_at(NOW).await;
    let id = daily(&bench, "10").await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    bench.engine.raise_limit(&actor(), id, raise("acme", "100", "2026-03-20T00:00:00Z")).await.unwrap();
    bench.engine.raise_limit(&actor(), id, raise("acme", "20", "2026-03-11T00:00:00Z")).await.unwrap();
    assert_eq!(standing(&bench, "acme").await, amounts(["20", "1", "19"]));
    bench.engine.end_raise(&actor(), id, "acme".to_owned()).await.unwrap();
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "1", "9"]), "the older one does not come back");
    let facts = bench.engine.audit(ListAudit::default()).await.unwrap().data.len();
    bench.engine.end_raise(&actor(), id, "acme".to_owned()).await.unwrap();
    let mine = ListAudit { customer_id: Some("acme".to_owned()), ..ListAudit::default() };
    let mine: Vec<_> = bench.engine.audit(mine).await.unwrap().data.into_iter().map(|fact| fact.operation).collect();
    assert_eq!(mine, ["limits.end_raise", "limits.raise", "limits.raise"]);
    assert_eq!(bench.engine.audit(ListAudit::default()).await.unwrap().data.len(), facts, "nothing to take back");
    // A limit that has overtaken a raise is not lowered by it.
    bench.engine.raise_limit(&actor(), id, raise("acme", "20", "2026-03-11T00:00:00Z")).await.unwrap();
    let patch = LimitPatch { limit_value: Some(quantity("30")), ..LimitPatch::default() };
    bench.engine.update_limit(&actor(), id, patch).await.unwrap();
    assert_eq!(standing(&bench.reopen().await, "acme").await, amounts(["30", "1", "29"]));
}

#[tokio::test]
async fn what_cannot_be_raised_or_reset_is_said() {
    let bench = Bench::open_at(NOW).await;
    let id = daily(&bench, "10").await;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let far = "2036-12-01T00:00:00Z";
    for (new, code, field) in [
        (raise("acme", "10", "2026-03-11T00:00:00Z"), Code::InvalidFieldValue, Some("limitValue")),
        (raise("acme", "0", "2026-03-11T00:00:00Z"), Code::InvalidFieldValue, Some("limitValue")),
        (raise("acme", "11", NOW), Code::InvalidFieldValue, Some("until")),
        (raise("acme", "11", far), Code::InvalidFieldValue, Some("until")),
        (
            NewRaise { note: String::new(), ..raise("acme", "11", "2026-03-11T00:00:00Z") },
            Code::InvalidFieldValue,
            Some("note"),
        ),
        (raise("", "11", "2026-03-11T00:00:00Z"), Code::InvalidFieldValue, Some("customerId")),
        (raise("nobody", "11", "2026-03-11T00:00:00Z"), Code::CustomerNotFound, None),
    ] {
        let said = format!("{new:?}");
        let Err(weir_engine::Error::Fault(fault)) = bench.engine.raise_limit(&actor(), id, new).await else {
            panic!("{said} was not refused")
        };
        assert_eq!((fault.code, fault.field.as_deref()), (code, field), "{said}");
    }
    assert_eq!(
        bench.engine.reset_usage(&actor(), id, reset("nobody")).await.unwrap_err().code(),
        Code::CustomerNotFound
    );
    let own = bench.engine.limit(id).await.unwrap();
    let replacing = weir_engine::model::NewLimit {
        customer_id: Some("acme".to_owned()),
        ..limit("own", own.meter_id, "5", Period::Day)
    };
    bench.engine.create_limit(&actor(), replacing).await.unwrap();
    let refused = bench.engine.reset_usage(&actor(), id, reset("acme")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict, "it does not apply to this customer any more");
}

#[tokio::test]
async fn a_reset_starts_usage_again_and_leaves_the_window_where_it_is() {
    let bench = Bench::open_at(NOW).await;
    let id = daily(&bench, "10").await;
    bench.engine.track(&actor(), event("acme", "10")).await.unwrap();
    // Lies in the next day already, and arrived before the reset.
    bench.clock.set(at("2026-03-10T23:57:00Z"));
    bench.engine.record(&actor(), dated("2026-03-11T00:00:30Z", event("acme", "4"))).await.unwrap();
    let after = bench.engine.reset_usage(&actor(), id, reset("acme")).await.unwrap();
    assert_eq!((after.used, after.remaining), (quantity("0"), quantity("10")));
    assert_eq!(after.window_end, Some(at("2026-03-11T00:00:00Z")), "the schedule is unmoved");
    assert_eq!(after.reset_at, Some(at("2026-03-10T23:57:00Z")));
    // Only what arrives from now on counts, also where it happened before.
    bench.engine.track(&actor(), dated("2026-03-10T09:00:00Z", event("acme", "3"))).await.unwrap();
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "4", "6"]));
    let bench = bench.reopen().await;
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "4", "6"]), "loaded from the events");
    // Voids of what counted count, voids of what did not do not.
    let events = bench.engine.events(ListEvents::default()).await.unwrap().data;
    let find = |tokens: &str| events.iter().find(|event| event.values["tokens"] == quantity(tokens)).unwrap().id;
    bench.engine.void_event(&actor(), find("3"), None).await.unwrap();
    bench.engine.void_event(&actor(), find("10"), None).await.unwrap();
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "1", "9"]));
    bench.clock.set(at("2026-03-11T00:01:00Z"));
    assert_eq!(standing(&bench, "acme").await, amounts(["10", "0", "10"]), "the 4 of the next day came before");
    bench.engine.record(&actor(), event("acme", "2")).await.unwrap();
    let rows = bench.engine.standings(ListStandings::default()).await.unwrap().data;
    assert_eq!(rows[0].standing.used, quantity("2"));
    bench.engine.close().await;
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
}

#[tokio::test]
async fn every_kind_of_limit_starts_again_after_a_reset() {
    for (aggregation, field, before, after) in [
        (Aggregation::Count, "*", "2", "1"),
        (Aggregation::Max, "values.tokens", "7", "5"),
        (Aggregation::Latest, "values.tokens", "7", "5"),
        (Aggregation::Unique, "dimensions.user", "2", "1"),
    ] {
        let bench = Bench::open_at(NOW).await;
        let meter = bench.meter("m", aggregation, field).await;
        let id = bench.engine.create_limit(&actor(), limit("all", meter, "10", Period::AllTime)).await.unwrap().id;
        let by = |user: &str, tokens: &str, when: Timestamp| EventInput {
            dimensions: BTreeMap::from([("user".to_owned(), user.to_owned())]),
            timestamp: Some(when),
            ..event("acme", tokens)
        };
        bench.engine.record(&actor(), by("a", "3", at("2026-03-09T00:00:00Z"))).await.unwrap();
        bench.engine.record(&actor(), by("b", "7", at("2026-03-09T00:00:01Z"))).await.unwrap();
        assert_eq!(standing(&bench, "acme").await.1, quantity(before), "{aggregation}");
        let reset = bench.engine.reset_usage(&actor(), id, reset("acme")).await.unwrap();
        assert_eq!(reset.used, Quantity::ZERO, "{aggregation}");
        // It happened before the others, and arrives after the reset.
        bench.engine.record(&actor(), by("b", "5", at("2026-03-08T00:00:00Z"))).await.unwrap();
        assert_eq!(standing(&bench, "acme").await.1, quantity(after), "{aggregation}");
        let bench = bench.reopen().await;
        assert_eq!(standing(&bench, "acme").await.1, quantity(after), "{aggregation}, loaded");
    }
}
