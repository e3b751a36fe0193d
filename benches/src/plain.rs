//! The best that plain SQLite does with the same rows: what recording is held against.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use sqlx::sqlite::{SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Arguments, ConnectOptions, SqliteConnection};
use tempfile::TempDir;
use uuid::Uuid;
use weir_core::time::Timestamp;

use crate::CACHE_MIB;

/// The best that plain SQLite does with the same rows: multi-row inserts, counters merged per batch, every commit on the disk.
pub struct Plain {
    conn: SqliteConnection,
    seq: i64,
    last: Uuid,
    _dir: TempDir,
}

/// Rows of one statement.
const ROWS: usize = 250;

impl Plain {
    /// An empty database with the same table and indexes.
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

    /// How long each of many commits of one event takes, ascending.
    pub async fn latencies(customers: usize, total: usize) -> Vec<Duration> {
        let mut plain = Plain::open().await;
        let mut latencies = Vec::with_capacity(total);
        for n in 0..total {
            let started = Instant::now();
            plain.insert(n, 1, customers).await;
            latencies.push(started.elapsed());
        }
        latencies.sort_unstable();
        latencies
    }

    /// How long each of many events that arrive at a steady rate waits until it is on the disk, ascending: whatever has arrived by the
    /// end of a commit is the next one's, and nothing but SQLite takes time.
    pub async fn steady(customers: usize, per_second: f64, total: usize) -> Vec<Duration> {
        let mut plain = Plain::open().await;
        let mut latencies = Vec::with_capacity(total);
        let started = Instant::now();
        let arrival = |n: usize| Duration::from_secs_f64(n as f64 / per_second);
        while latencies.len() < total {
            let (done, arrived) = (latencies.len(), (started.elapsed().as_secs_f64() * per_second) as usize);
            let count = arrived.min(total) - done;
            if count == 0 {
                std::hint::spin_loop();
                continue;
            }
            plain.insert(done, count, customers).await;
            let now = started.elapsed();
            latencies.extend((done..done + count).map(|n| now - arrival(n)));
        }
        latencies.sort_unstable();
        latencies
    }
}
