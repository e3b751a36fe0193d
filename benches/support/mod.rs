//! What the benches share: an engine in a temporary folder, events to record, and the plain SQLite that it is held against.

#![allow(dead_code)] // Each bench uses its own part.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments, ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{Enforcement, NewLimit, NewMeter};
use weir_engine::{Actor, Engine, OpenOptions, SystemClock};

/// Page cache of both sides, in MiB.
pub const CACHE_MIB: u32 = 64;

/// An engine with four meters and two limits, as the figures are defined.
pub struct Bench {
    pub engine: Engine,
    pub dir: TempDir,
}

impl Bench {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let options = OpenOptions { cache_mib: CACHE_MIB, ..OpenOptions::new(dir.path()) };
        let engine = Engine::open(options, SystemClock).await.expect("an engine");
        // Three meters are built in; this is the fourth.
        let new = NewMeter {
            name: "input".to_owned(),
            description: None,
            aggregation: Aggregation::Sum,
            field: "values.input_tokens".to_owned(),
            event_filter: EventFilter::default(),
            group_by: Vec::new(),
            unit: None,
        };
        let meter = engine.create_meter(&Actor::system(), new).await.expect("a meter").id;
        for (name, period) in [("daily", Period::Day), ("monthly", Period::Month)] {
            let new = NewLimit {
                name: name.to_owned(),
                meter_id: meter,
                limit_value: Quantity::from_int(1_000_000_000),
                period,
                customer_id: None,
                dimension_filters: BTreeMap::new(),
                alert_thresholds: Vec::new(),
                enforcement: Enforcement::Hard,
                enabled: true,
            };
            engine.create_limit(&Actor::system(), new).await.expect("a limit");
        }
        Bench { engine, dir }
    }
}

/// The `n`th event: a customer in turn, two values, one dimension.
pub fn event(n: usize, customers: usize) -> EventInput {
    EventInput {
        customer_id: format!("customer-{:06}", (n * 7919) % customers),
        event_type: "llm.completion".to_owned(),
        values: BTreeMap::from([
            ("input_tokens".to_owned(), Quantity::from_int((n % 4000) as i64)),
            ("tokens".to_owned(), Quantity::from_int((n % 5000) as i64)),
        ]),
        dimensions: BTreeMap::from([("model".to_owned(), "small".to_owned())]),
        ..EventInput::default()
    }
}

/// The best that plain SQLite does with the same rows: multi-row inserts, counters merged per batch, every commit on the disk.
pub struct Plain {
    conn: SqliteConnection,
    seq: i64,
    last: Uuid,
    _dir: TempDir,
}

const ROWS: usize = 250;

impl Plain {
    pub async fn open() -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut conn = SqliteConnectOptions::new()
            .filename(dir.path().join("plain.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .pragma("wal_autocheckpoint", "16384")
            .pragma("cache_size", format!("-{}", CACHE_MIB * 1024))
            .statement_cache_capacity(400)
            .disable_statement_logging()
            .connect()
            .await
            .expect("a database");
        let schema = r#"
            CREATE TABLE event (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, customer INTEGER NOT NULL, type INTEGER NOT NULL,
                at INTEGER NOT NULL, recorded_at INTEGER NOT NULL, actor INTEGER NOT NULL, "values" TEXT NOT NULL,
                dimensions TEXT NOT NULL, properties TEXT) STRICT;
            CREATE UNIQUE INDEX event_id ON event (id);
            CREATE INDEX event_customer_at ON event (customer, at);
            CREATE TABLE counter (customer INTEGER PRIMARY KEY, count INTEGER NOT NULL, total INTEGER NOT NULL) STRICT;"#;
        sqlx::raw_sql(schema).execute(&mut conn).await.expect("a schema");
        Plain { conn, seq: 0, last: Uuid::nil(), _dir: dir }
    }

    /// Inserts events and merges their counters in one durable commit.
    pub async fn insert(&mut self, from: usize, count: usize, customers: usize) {
        let now = 1_800_000_000_000_000 + from as i64;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut self.conn).await.expect("begin");
        let mut counters: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
        let mut n = from;
        while n < from + count {
            let rows = ROWS.min(from + count - n);
            let mut arguments = SqliteArguments::default();
            for n in n..n + rows {
                self.seq += 1;
                let mut entropy = [0; 10];
                entropy[..8].copy_from_slice(&(self.seq as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
                self.last = weir_core::id::next_uuid(self.last, Timestamp::from_micros(now), entropy);
                let customer = ((n * 7919) % customers) as i64;
                let counter = counters.entry(customer).or_default();
                (counter.0, counter.1) = (counter.0 + 1, counter.1 + (n % 5000) as i64);
                let values = format!(r#"{{"input_tokens":{},"tokens":{}}}"#, n % 4000, n % 5000);
                arguments.add(self.seq).expect("bind");
                arguments.add(self.last).expect("bind");
                for number in [customer, 1, now, now, 1] {
                    arguments.add(number).expect("bind");
                }
                arguments.add(values).expect("bind");
                arguments.add(r#"{"model":"small"}"#).expect("bind");
                arguments.add(None::<String>).expect("bind");
            }
            let sql = format!("INSERT INTO event VALUES {}", vec!["(?,?,?,?,?,?,?,?,?,?)"; rows].join(","));
            sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments).execute(&mut self.conn).await.expect("insert");
            n += rows;
        }
        let counters: Vec<_> = counters.into_iter().collect();
        for chunk in counters.chunks(ROWS) {
            let mut arguments = SqliteArguments::default();
            for (customer, (count, total)) in chunk {
                for number in [customer, count, total] {
                    arguments.add(*number).expect("bind");
                }
            }
            let sql = format!(
                "INSERT INTO counter VALUES {} ON CONFLICT DO UPDATE SET count = count + excluded.count, total = total + excluded.total",
                vec!["(?,?,?)"; chunk.len()].join(",")
            );
            sqlx::query_with(sqlx::AssertSqlSafe(sql), arguments).execute(&mut self.conn).await.expect("count");
        }
        sqlx::query("COMMIT").execute(&mut self.conn).await.expect("commit");
    }

    /// Events per second in batches of a size.
    pub async fn rate(customers: usize, batch: usize, total: usize) -> f64 {
        let mut plain = Plain::open().await;
        let warm = total / 10;
        let mut n = 0;
        while n < warm {
            plain.insert(n, batch, customers).await;
            n += batch;
        }
        let started = Instant::now();
        let first = n;
        while n < first + total {
            plain.insert(n, batch, customers).await;
            n += batch;
        }
        (n - first) as f64 / started.elapsed().as_secs_f64()
    }
}

/// One line of figures: what was measured, its limit, and the share of the limit that was asked for.
pub fn line(what: &str, measured: f64, limit: f64, wanted: f64, unit: &str) {
    let share = measured / limit;
    let verdict = if share >= wanted { "ok" } else { "BELOW" };
    println!(
        "{what:<58} {measured:>12.0} {unit:<9} limit {limit:>12.0}  share {share:>5.2} (wanted {wanted:.2}) {verdict}"
    );
}

/// A duration at a quantile of many.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * q) as usize]
}
