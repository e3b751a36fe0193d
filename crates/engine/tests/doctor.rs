//! The doctor finds what does not follow from the facts, and nothing else.

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Bench, actor, at, check, event, limit};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::period::Period;
use weir_engine::model::ListEvents;
use weir_engine::{DATA_FILE, OpenError, doctor};

/// An engine with some of everything.
async fn used() -> Bench {
    let bench = Bench::open_at("2026-03-10T12:10:00Z").await;
    let sum = bench.meter_by("tokens by model", Aggregation::Sum, "values.tokens", &["model"]).await;
    let latest = bench.meter("latest", Aggregation::Latest, "values.tokens").await;
    let users = bench.meter("users", Aggregation::Unique, "dimensions.user").await;
    for (name, meter, period) in [
        ("monthly", sum, Period::Month),
        ("seats", users, Period::AllTime),
        ("level", latest, Period::Hour),
        ("hourly", sum, Period::Hour),
    ] {
        bench.engine.create_limit(&actor(), limit(name, meter, "1000", period)).await.unwrap();
    }
    for (number, customer) in ["acme", "beta", "acme", "gamma", "beta"].into_iter().enumerate() {
        let input = EventInput {
            dimensions: BTreeMap::from([
                ("model".to_owned(), format!("m{}", number % 2)),
                ("user".to_owned(), format!("u{number}")),
            ]),
            timestamp: Some(at(&format!("2026-03-10T1{}:07:00Z", number % 3))),
            idempotency_key: Some(format!("key {number}")),
            ..event(customer, &format!("{number}.5"))
        };
        bench.engine.record(&actor(), input).await.unwrap();
    }
    bench.engine.check(check("acme")).await.unwrap();
    bench
}

async fn tamper(dir: &Path, sql: &str) {
    let mut conn =
        SqliteConnectOptions::new().filename(dir.join(DATA_FILE)).foreign_keys(false).connect().await.unwrap();
    let changed = sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).execute(&mut conn).await.unwrap();
    assert!(changed.rows_affected() > 0, "{sql} changes nothing");
    conn.close().await.unwrap();
}

#[tokio::test]
async fn a_sound_file_is_clean_beside_a_running_owner_and_after_it() {
    let bench = used().await;
    bench.engine.status().await.unwrap();
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert_eq!(report.differences, Vec::<String>::new());
    let checked: BTreeMap<_, _> = report.checked.into_iter().collect();
    assert_eq!(checked["events"], 5);
    assert_eq!(checked["idempotency keys"], 5);
    assert_eq!(checked["customers with events"], 3);
    assert!(checked["roll-up rows"] > 50);
    assert_eq!(checked["standings"], 12);
    bench.engine.close().await;
    assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
}

#[tokio::test]
async fn each_kind_of_damage_is_told_precisely() {
    let first = "(SELECT min(seq) FROM event)";
    let cases = [
        (
            "UPDATE rollup SET nanos = nanos + 1 WHERE customer = 1 AND grp = 0 AND series = (SELECT series FROM meter WHERE name = 'total_tokens')".to_owned(),
            vec!["roll-up of meter `total_tokens`, customer `acme`, 2026-03-10T10:00:00Z: stored is 0.500000001, the events give 0.5"],
        ),
        (
            "DELETE FROM rollup WHERE customer = 0 AND grp = 0 AND bucket = (SELECT max(bucket) FROM rollup) AND series = (SELECT series FROM meter WHERE name = 'latest')".to_owned(),
            vec!["roll-up of meter `latest`, all customers, 2026-03-10T12:00:00Z: nothing is stored, the events give 2.5 of 2026-03-10T12:07:00Z by"],
        ),
        (
            "INSERT INTO rollup SELECT series, 77, grp, bucket, count, hi, lo, nanos, at, event FROM rollup WHERE series = 1 AND customer = 1 AND grp = 0 LIMIT 1".to_owned(),
            vec!["roll-up of meter `total_events`, customer number 77, which does not exist, 2026-03-10T10:00:00Z: stored is 1, the events give 0"],
        ),
        (
            "UPDATE rollup_member SET member = zeroblob(16) WHERE customer = 1 AND bucket = (SELECT min(bucket) FROM rollup_member)".to_owned(),
            vec![
                "roll-up of meter `users`, customer `acme`, 2026-03-10T10:00:00Z: holds the member 00000000000000000000000000000000, which no event has",
                "roll-up of meter `users`, customer `acme`, 2026-03-10T10:00:00Z: 1 members that events have are not stored",
            ],
        ),
        (
            "UPDATE customer_activity SET last_event_at = last_event_at + 1 WHERE customer = 2".to_owned(),
            vec!["activity of customer `beta`: stored is from 2026-03-10T11:07:00Z to 2026-03-10T11:07:00.000001Z, the events give from 2026-03-10T11:07:00Z to 2026-03-10T11:07:00Z"],
        ),
        (
            "UPDATE standing SET used_lo = used_lo + 1 WHERE customer = 3 AND usage_limit = (SELECT id FROM usage_limit WHERE name = 'monthly')".to_owned(),
            vec!["standing of customer `gamma` with limit `monthly`: stored is 4.5 until 2026-04-10T00:00:00Z, the events give 3.5 until 2026-04-10T00:00:00Z"],
        ),
        (
            "INSERT INTO standing SELECT customer, 99, used_hi, used_lo, used_nanos, share, window_end FROM standing WHERE customer = 3 LIMIT 1".to_owned(),
            vec!["standing of customer `gamma`: limit number 99 does not apply"],
        ),
        (
            "UPDATE event_key SET event = 5 WHERE customer = 3".to_owned(),
            vec!["device 0: event number 5 has an idempotency key, but does not exist"],
        ),
        (
            format!("UPDATE event_key SET event = {first} WHERE customer = 3"),
            vec!["device 1: event number 1 has an idempotency key of another customer"],
        ),
        (
            format!("UPDATE event SET id = zeroblob(16) WHERE seq = {first} + 2"),
            vec!["device 1: event evt_00000000-0000-0000-0000-000000000000 does not come after evt_"],
        ),
        (
            "UPDATE event SET type = 44 WHERE customer = 3".to_owned(),
            vec!["device 1: event number 4 is of an event type that does not exist"],
        ),
        (
            "UPDATE usage_limit SET meter = 55 WHERE name = 'seats'".to_owned(),
            vec!["usage_limit row 2 refers to a meter that does not exist"],
        ),
        (
            r#"UPDATE event SET "values" = '{' WHERE customer = 3"#.to_owned(),
            vec!["the examination could not go on: unreadable JSON"],
        ),
    ];
    for (sql, expected) in cases {
        let bench = used().await;
        bench.engine.close().await;
        tamper(bench.dir.path(), &sql).await;
        let report = doctor::examine(bench.dir.path()).await.unwrap();
        for line in expected {
            let found = report.differences.iter().any(|difference| difference.starts_with(line));
            assert!(found, "{sql}\nshould give: {line}\n{:#?}", report.differences);
        }
    }
}

#[tokio::test]
async fn a_removed_event_leaves_a_gap_and_wrong_totals() {
    for (which, lines) in [
        (
            "3",
            [
                "device 1: event number 3 is missing",
                "roll-up of meter `total_events`, customer `acme`, 2026-03-10T12:00:00Z: stored is 1, the events give 0",
            ],
        ),
        (
            "5",
            [
                "device 1: events were counted up to number 5, but the last one is number 4",
                "standing of customer `beta` with limit `seats`: stored is 2, the events give 1",
            ],
        ),
        (
            "1",
            [
                "device 1: event number 1 is missing",
                "roll-up of event types, all customers, group [\"call\"], 2026-03-10T10:00:00Z: stored is 0 in 2 events, the events give 0 in 1 events",
            ],
        ),
    ] {
        let bench = used().await;
        bench.engine.close().await;
        tamper(bench.dir.path(), &format!("DELETE FROM event WHERE seq = (1 << 40) + {which}")).await;
        let report = doctor::examine(bench.dir.path()).await.unwrap();
        for line in lines {
            let found = report.differences.iter().any(|difference| difference.starts_with(line));
            assert!(found, "{line}\n{:#?}", report.differences);
        }
    }
}

#[tokio::test]
async fn a_void_that_was_taken_back_or_put_in_by_hand_shows() {
    let total = "roll-up of meter `total_events`, customer `acme`, 2026-03-10T10:00:00Z";
    for (sql, lines) in [
        (
            "DELETE FROM void WHERE seq = (1 << 40) + 1",
            vec!["device 1: 1 of 2 voids are missing".to_owned(), format!("{total}: nothing is stored, the events give 1")],
        ),
        (
            "INSERT INTO void (seq, event, at, actor) VALUES ((1 << 40) + 3, 77, 1, 1)",
            vec!["device 0: event number 77 was voided, but does not exist".to_owned()],
        ),
        (
            "INSERT INTO void (seq, event, at, actor) VALUES ((1 << 40) + 5, (1 << 40) + 3, 1, 1)",
            vec![
                "device 1: 2 of 5 voids are missing".to_owned(),
                "activity of customer `acme`: stored is from 2026-03-10T12:07:00Z to 2026-03-10T12:07:00Z, the events give none".to_owned(),
            ],
        ),
    ] {
        let bench = used().await;
        let list = ListEvents { customer_id: Some("acme".to_owned()), ..ListEvents::default() };
        let oldest = bench.engine.events(list).await.unwrap().data.pop().unwrap();
        let other = bench.engine.events(ListEvents::default()).await.unwrap().data.remove(0);
        for id in [oldest.id, other.id] {
            bench.engine.void_event(&actor(), id, None).await.unwrap();
        }
        bench.engine.close().await;
        let report = doctor::examine(bench.dir.path()).await.unwrap();
        assert!(report.is_clean() && report.checked.contains(&("voids".to_owned(), 2)), "{report:?}");
        tamper(bench.dir.path(), sql).await;
        let report = doctor::examine(bench.dir.path()).await.unwrap();
        for line in lines {
            let found = report.differences.iter().any(|difference| difference.starts_with(&line));
            assert!(found, "{sql}\nshould give: {line}\n{:#?}", report.differences);
        }
    }
}

#[tokio::test]
async fn what_is_no_data_file_is_not_examined() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(doctor::examine(dir.path()).await, Err(OpenError::Io { .. })));
    std::fs::write(
        dir.path().join(DATA_FILE),
        "this is no database, but long enough to be looked at as if it were one of them. ".repeat(20),
    )
    .unwrap();
    assert!(matches!(doctor::examine(dir.path()).await, Err(OpenError::Foreign { .. })));
    let bench = used().await;
    bench.engine.close().await;
    let mut conn = SqliteConnectOptions::new().filename(bench.dir.path().join(DATA_FILE)).connect().await.unwrap();
    sqlx::query("PRAGMA user_version = 999").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    assert!(matches!(doctor::examine(bench.dir.path()).await, Err(OpenError::Newer { found: 999, .. })));
}

#[tokio::test]
async fn money_that_was_tampered_with_is_told() {
    for (sql, says) in [
        ("UPDATE ledger_entry SET units = units + 1 WHERE type = 'debit'", "it is 4"),
        ("UPDATE credit_grant SET left_units = left_units + 1", "is left, and by the ledger it is 5"),
        ("UPDATE account SET current_units = current_units + 1", "its ledger 5"),
        ("UPDATE account SET available_nanos = available_nanos + 1", "is available, which it is not"),
        ("DELETE FROM ledger_entry WHERE type = 'debit'", "its ledger 10"),
        ("UPDATE balance_rate SET booked = '6000000000'", "was booked for 5"),
        ("UPDATE balance_rate SET counted = '6000000000', booked = '6000000000'", "the events it paid for are 5"),
        ("INSERT INTO debt (entry, balance, units, nanos) VALUES (1, 1, 1, 0)", "the ledger knows of none"),
    ] {
        let bench = Bench::open_at("2026-03-10T12:10:00Z").await;
        let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
        let new = format!(
            r#"{{"customerId": "acme", "name": "credits", "initialBalance": 10, "metered": {{"meterId": "{meter}", "amount": 1}}}}"#
        );
        bench.engine.create_balance(&actor(), serde_json::from_str(&new).unwrap()).await.unwrap();
        bench.engine.track(&actor(), event("acme", "5")).await.unwrap();
        bench.engine.close().await;
        assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
        tamper(bench.dir.path(), sql).await;
        let found = doctor::examine(bench.dir.path()).await.unwrap().differences;
        assert!(found.iter().any(|line| line.contains(says)), "{sql}: {found:?}");
    }
}
