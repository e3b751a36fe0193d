//! Series over 90 days from 1,000,000 events: of one customer and of all, beside reading the same roll-up rows bare.

use std::time::{Duration, Instant};

use sqlx::ConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use weir_benches::{Bench, event, quantile};
use weir_core::interval::Interval;
use weir_core::time::Timestamp;
use weir_engine::model::{ListMeters, QueryMeter};
use weir_engine::{Actor, DATA_FILE};

const EVENTS: usize = 1_000_000;
const CUSTOMERS: usize = 1_000;
const DAY: i64 = 86_400_000_000;
const RUNS: usize = 50;

#[tokio::main]
async fn main() {
    let bench = Bench::open().await;
    let to = Timestamp::from_micros(bench.engine.now().as_micros() / DAY * DAY);
    let from = Timestamp::from_micros(to.as_micros() - 90 * DAY);
    let mut n = 0;
    while n < EVENTS {
        let events = (n..n + 1_000).map(|n| {
            let at = from.as_micros() + (n as i64 * 90 * DAY) / EVENTS as i64;
            weir_core::event::EventInput { timestamp: Some(Timestamp::from_micros(at)), ..event(n, CUSTOMERS) }
        });
        bench.engine.record_batch(&Actor::system(), events.collect()).await.expect("recorded");
        n += 1_000;
    }
    let meters = bench.engine.meters(ListMeters::default()).await.expect("meters").data;
    let meter = meters.iter().find(|meter| meter.name == "total_tokens").expect("a built-in meter").id;
    println!("series: {EVENTS} events of {CUSTOMERS} customers over 90 days, a point a day");
    for (what, customer, wanted) in [("one customer", Some("customer-000007"), 10), ("all customers", None, 20)] {
        let query = QueryMeter {
            customer_id: customer.map(str::to_owned),
            from: Some(from),
            to: Some(to),
            interval: Some(Interval::Day),
            ..QueryMeter::default()
        };
        let mut times = Vec::with_capacity(RUNS);
        for _ in 0..RUNS {
            let started = Instant::now();
            let answer = bench.engine.query_meter(meter, query.clone()).await.expect("an answer");
            times.push(started.elapsed());
            assert_eq!(answer.points.len(), 90);
        }
        times.sort_unstable();
        let bare = bare_rows(&bench, customer).await;
        let (p50, p99) = (quantile(&times, 0.5), quantile(&times, 0.99));
        let verdict = if p50 < Duration::from_millis(wanted) { "ok" } else { "ABOVE" };
        println!(
            "{what:<14} p50 {p50:>9.2?}  p99 {p99:>9.2?}  the rows alone {bare:>9.2?}  (wanted under {wanted} ms) {verdict}"
        );
    }
    bench.engine.close().await;
}

/// Summing the same rows in one statement: what SQLite itself needs.
async fn bare_rows(bench: &Bench, customer: Option<&str>) -> Duration {
    let mut conn = SqliteConnectOptions::new()
        .filename(bench.dir.path().join(DATA_FILE))
        .read_only(true)
        .disable_statement_logging()
        .connect()
        .await
        .expect("the data file");
    let mut times = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let started = Instant::now();
        sqlx::query(
            "SELECT sum(hi), sum(lo), sum(nanos) FROM rollup WHERE grp = 0 \
             AND series = (SELECT series FROM meter WHERE name = 'total_tokens') \
             AND customer = coalesce((SELECT id FROM customer WHERE external_id = ?1), 0)",
        )
        .bind(customer)
        .fetch_all(&mut conn)
        .await
        .expect("rows");
        times.push(started.elapsed());
    }
    times.sort_unstable();
    quantile(&times, 0.5)
}
