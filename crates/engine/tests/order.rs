//! The same events in any order, any split into batches and with any repeats give the same values, roll-ups, windows and standings.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, limit};
use proptest::prelude::*;
use proptest::test_runner::{Config, FileFailurePersistence};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Row};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::interval::Interval;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{NewCustomer, NewLimit, QueryMeter};
use weir_engine::{DATA_FILE, doctor};

const NOW: &str = "2026-03-29T12:00:00Z";
const CUSTOMERS: [&str; 3] = ["acme", "beta", "corp"];
const METERS: [(&str, Aggregation, &str, &[&str]); 7] = [
    ("sum", Aggregation::Sum, "values.tokens", &["feature"]),
    ("count", Aggregation::Count, "*", &["feature", "region"]),
    ("max", Aggregation::Max, "values.tokens", &["feature"]),
    ("min", Aggregation::Min, "values.tokens", &[]),
    ("avg", Aggregation::Avg, "values.tokens", &["event_type"]),
    ("latest", Aggregation::Latest, "values.tokens", &["feature"]),
    ("unique", Aggregation::Unique, "dimensions.user", &["feature"]),
];

/// Events with a key each, at instants of their own, up to four days back and four minutes ahead.
fn events() -> impl Strategy<Value = Vec<EventInput>> {
    let event = (
        0..CUSTOMERS.len(),
        prop_oneof![3 => -4 * 86_400_000..240_000_i64, 1 => -3_600_000..240_000_i64],
        prop::option::weighted(0.8, prop_oneof![-20..200_i128, -999_999_999..3_000_000_000_i128]),
        prop::option::of(prop::bool::ANY),
        prop::option::of(0..4_u8),
        prop::bool::ANY,
    );
    prop::collection::vec(event, 2..50).prop_map(|events| {
        type Drawn = (usize, i64, Option<i128>, Option<bool>, Option<u8>, bool);
        let input = |(index, (who, millis, steps, feature, user, login)): (usize, Drawn)| {
            let at = at(NOW).saturating_add_micros(millis * 1_000 + index as i64);
            let mut dimensions = BTreeMap::new();
            dimensions.extend(feature.map(|a| ("feature".to_owned(), if a { "a" } else { "b" }.to_owned())));
            dimensions.extend(user.map(|user| ("user".to_owned(), format!("u{user}"))));
            EventInput {
                customer_id: CUSTOMERS[who].to_owned(),
                event_type: if login { "login" } else { "call" }.to_owned(),
                values: steps.map(|steps| ("tokens".to_owned(), Quantity::from_steps(steps))).into_iter().collect(),
                dimensions,
                timestamp: Some(at),
                idempotency_key: Some(format!("key {index}")),
                ..EventInput::default()
            }
        };
        events.into_iter().enumerate().map(input).collect()
    })
}

/// The same events another way round: some of them again, in batches of these sizes, with a restart after that many.
#[derive(Clone, Debug)]
struct Arrangement {
    events: Vec<EventInput>,
    sizes: Vec<usize>,
    restart: usize,
    /// Meters and limits come after this many batches, and count what was there before.
    late: usize,
}

fn rearranged() -> impl Strategy<Value = (Vec<EventInput>, Arrangement)> {
    events()
        .prop_flat_map(|events| {
            let again = prop::collection::vec(prop::sample::select(events.clone()), 0..10);
            (Just(events), again)
        })
        .prop_flat_map(|(events, again)| {
            let all = [events.clone(), again].concat();
            let sizes = prop::collection::vec(1..9_usize, all.len());
            let all = Just(all).prop_shuffle();
            (Just(events), all, sizes, 0..20_usize, prop_oneof![Just(0), 0..6_usize])
        })
        .prop_map(|(plain, events, sizes, restart, late)| (plain, Arrangement { events, sizes, restart, late }))
}

async fn configure(bench: &Bench) {
    let mut limits = Vec::new();
    for (name, kind, field, group_by) in METERS {
        let meter = bench.meter_by(name, kind, field, group_by).await;
        if !kind.can_be_limited() {
            continue;
        }
        for period in [Period::Hour, Period::Month, Period::AllTime] {
            limits.push(limit(&format!("{name} {period}"), meter, "7", period));
        }
        let filters = [("feature".to_owned(), "a".to_owned())].into();
        limits.push(NewLimit { dimension_filters: filters, ..limit(&format!("{name} of a"), meter, "3", Period::Day) });
        let own = limit(&format!("{name} own"), meter, "5", Period::Week);
        limits.push(NewLimit { customer_id: Some("beta".to_owned()), ..own });
    }
    for limit in limits {
        bench.engine.create_limit(&actor(), limit).await.unwrap();
    }
}

/// Everything that follows from the events, in words that do not name ids.
async fn outcome(bench: Bench) -> BTreeMap<String, String> {
    let engine = &bench.engine;
    let mut outcome = BTreeMap::new();
    for customer in CUSTOMERS {
        let standing = engine.customer_standing(customer).await.unwrap();
        for limit in standing.limits {
            let words = format!(
                "{} of {}, {} left, until {:?}, {} %",
                limit.used, limit.limit, limit.remaining, limit.reset, limit.utilisation
            );
            outcome.insert(format!("standing of {customer} with {}", limit.name), words);
        }
        for meter in engine.customer_usage(customer, None, None).await.unwrap().meters {
            outcome.insert(format!("usage of {customer} on {}", meter.name), format!("{:?}", meter.value));
        }
    }
    let summary = engine.summary(None, None, None).await.unwrap();
    outcome.insert("summary".to_owned(), format!("{summary:?}"));
    for meter in engine.meters(Default::default()).await.unwrap().data {
        for (customer_id, interval) in [(None, Interval::QuarterHour), (Some("acme".to_owned()), Interval::Day)] {
            let query = QueryMeter {
                customer_id: customer_id.clone(),
                from: Some(at(NOW).saturating_add_micros(-4 * 86_400_000_000 - 1)),
                to: Some(at(NOW).saturating_add_micros(300_000_000)),
                interval: Some(interval),
                group_by: meter.group_by.iter().take(1).cloned().collect(),
                ..QueryMeter::default()
            };
            let mut answer = engine.query_meter(meter.id, query).await.unwrap();
            answer.meter_id = None;
            outcome.insert(format!("{} of {customer_id:?}", meter.name), format!("{answer:?}"));
        }
    }
    engine.close().await;
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    assert!(report.is_clean(), "{:?}", report.differences);
    roll_ups(&bench, &mut outcome).await;
    outcome
}

/// The rows themselves: which parts a sum was added up from does not matter, what they come to does.
async fn roll_ups(bench: &Bench, outcome: &mut BTreeMap<String, String>) {
    let path = bench.dir.path().join(DATA_FILE);
    let mut file = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let names = "coalesce(m.name, '') || ' of ' || coalesce(c.external_id, 'all') || ' ' || coalesce(g.key, '*') || ' at ' || r.bucket";
    let joins = "LEFT JOIN meter m ON m.series = r.series LEFT JOIN customer c ON c.id = r.customer \
                 LEFT JOIN series_group g ON g.id = r.grp";
    let sql = format!("SELECT {names}, r.count, r.hi, r.lo, r.nanos, r.at FROM rollup r {joins}");
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut file).await.unwrap() {
        let number = |column: usize| i128::from(row.get::<i64, _>(column));
        let amount = ((number(2) << 32) + number(3)) * 1_000_000_000 + number(4);
        let newest = row.get::<Option<i64>, _>(5).map(Timestamp::from_micros);
        let words = format!("{} {} {newest:?}", number(1), Quantity::from_steps(amount));
        assert!(outcome.insert(format!("roll-up {}", row.get::<&str, _>(0)), words).is_none());
    }
    let sql = format!("SELECT {names} || ' ' || hex(r.member) FROM rollup_member r {joins}");
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut file).await.unwrap() {
        assert!(outcome.insert(format!("member {}", row.get::<&str, _>(0)), String::new()).is_none());
    }
    let rows = sqlx::query(
        "SELECT c.external_id || ' ' || l.name, s.used_hi, s.used_lo, s.used_nanos, s.window_end FROM standing s \
         JOIN customer c ON c.id = s.customer JOIN usage_limit l ON l.id = s.usage_limit",
    );
    for row in rows.fetch_all(&mut file).await.unwrap() {
        let (hi, lo, nanos): (i64, i64, i64) = (row.get(1), row.get(2), row.get(3));
        let words = format!("{hi} {lo} {nanos} until {:?}", row.get::<Option<i64>, _>(4));
        outcome.insert(format!("standing row {}", row.get::<&str, _>(0)), words);
    }
    file.close().await.unwrap();
}

async fn fresh() -> Bench {
    let bench = Bench::open_at(NOW).await;
    let zones = ["Europe/Paris", "Asia/Kathmandu", "America/Los_Angeles"];
    for (customer, zone) in CUSTOMERS.into_iter().zip(zones) {
        let new = NewCustomer {
            external_id: customer.to_owned(),
            timezone: Some(zone.parse().unwrap()),
            billing_cycle_start: Some("2026-01-31".to_owned()),
            ..NewCustomer::default()
        };
        bench.engine.create_customer(&actor(), new).await.unwrap();
    }
    bench
}

async fn arranged(arrangement: &Arrangement) -> BTreeMap<String, String> {
    let mut bench = fresh().await;
    let (mut rest, mut number, mut count) = (&arrangement.events[..], 0, 0);
    for size in &arrangement.sizes {
        if number == arrangement.late {
            configure(&bench).await;
        }
        if number == arrangement.restart {
            bench = bench.reopen().await;
        }
        let (batch, after) = rest.split_at((*size).min(rest.len()));
        rest = after;
        number += 1;
        match batch {
            [] => {}
            [one] => {
                bench.engine.record(&actor(), one.clone()).await.unwrap();
            }
            many => {
                let answer = bench.engine.record_batch(&actor(), many.to_vec()).await.unwrap();
                assert_eq!(answer.count + answer.duplicates, many.len() as u64);
                count += answer.count;
            }
        }
    }
    if arrangement.sizes.len() <= arrangement.late {
        configure(&bench).await;
    }
    assert!(count <= bench.engine.status().await.unwrap().events);
    outcome(bench).await
}

fn config() -> Config {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: given.unwrap_or(6),
        max_shrink_iters: 500,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct("tests/order-regressions.txt"))),
        ..Config::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn order_split_and_repeats_make_no_difference((events, arrangement) in rearranged()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let (plain, other) = runtime.block_on(async {
            let plain = Arrangement { sizes: vec![1; events.len()], events, restart: usize::MAX, late: 0 };
            (arranged(&plain).await, arranged(&arrangement).await)
        });
        for (what, words) in &plain {
            prop_assert_eq!(Some(words), other.get(what), "{}", what);
        }
        for what in other.keys() {
            prop_assert!(plain.contains_key(what), "{} is only there the other way round", what);
        }
    }
}
