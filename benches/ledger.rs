//! Debits: decided, booked and durable when answered, on one hot balance and on many, beside plain SQLite inserting the same ledger
//! rows in batches in the same run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection};
use weir_benches::{Bench, line};
use weir_engine::model::{DebitBalance, NewBalance};
use weir_engine::{Actor, Engine};

const CALLERS: usize = 64;
const DEBITS: usize = 60_000;
const BALANCES: usize = 1_000;

async fn create(engine: &Engine, customer: String) {
    let new: NewBalance = serde_json::from_str(&format!(
        r#"{{"customerId": "{customer}", "name": "credits", "initialBalance": 100000000}}"#
    ))
    .expect("a balance");
    engine.create_balance(&Actor::system(), new).await.expect("created");
}

/// Debits per second by 64 callers at a time over some balances, each waiting for its answer.
async fn rate(engine: &Engine, prefix: &'static str, balances: usize) -> f64 {
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let tasks: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (engine, next) = (engine.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= DEBITS {
                        break;
                    }
                    let debit = DebitBalance {
                        customer_id: format!("{prefix}-{}", n % balances),
                        name: "credits".to_owned(),
                        amount: "1".parse().expect("an amount"),
                        description: "a call".to_owned(),
                        reference: None,
                        idempotency_key: Some(format!("{prefix}-{n}")),
                    };
                    assert!(engine.debit_balance(&Actor::system(), debit).await.expect("an answer").success);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a caller");
    }
    DEBITS as f64 / started.elapsed().as_secs_f64()
}

/// Rows per second of plain SQLite: the same ledger rows and keys, prepared multi-row statements, batches of 64, no rule asked.
async fn plain() -> f64 {
    let dir = tempfile::tempdir().expect("a folder");
    let mut conn = SqliteConnectOptions::new()
        .filename(dir.path().join("plain.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("wal_autocheckpoint", "16384")
        .pragma("cache_size", "-65536")
        .connect()
        .await
        .expect("a file");
    for sql in [
        "CREATE TABLE ledger_entry (seq INTEGER PRIMARY KEY, id BLOB NOT NULL, balance INTEGER NOT NULL, type TEXT NOT NULL, \
         units INTEGER NOT NULL, nanos INTEGER NOT NULL, after_units INTEGER NOT NULL, after_nanos INTEGER NOT NULL, parts TEXT NOT NULL, \
         cause TEXT NOT NULL, description TEXT NOT NULL, reference TEXT, idempotency_key TEXT, event INTEGER, rate INTEGER, quantity TEXT, \
         hold INTEGER, created_at INTEGER NOT NULL, actor INTEGER NOT NULL) STRICT",
        "CREATE INDEX ledger_entry_balance ON ledger_entry (balance, created_at)",
        "CREATE TABLE balance_key (balance INTEGER NOT NULL, key_hash BLOB NOT NULL, body_hash BLOB NOT NULL, entry INTEGER, hold INTEGER, \
         PRIMARY KEY (balance, key_hash)) STRICT, WITHOUT ROWID",
    ] {
        sqlx::query(sql).execute(&mut conn).await.expect("a table");
    }
    const BATCH: usize = 64;
    let row = "(?,?,1,'debit',1,0,?,0,'[[1,1]]','request','a call',NULL,?,NULL,NULL,NULL,NULL,?,1)";
    let entries = format!("INSERT INTO ledger_entry VALUES {}", vec![row; BATCH].join(","));
    let keys = format!("INSERT INTO balance_key VALUES {}", vec!["(1,?,?,?,NULL)"; BATCH].join(","));
    let started = Instant::now();
    for batch in 0..DEBITS / BATCH {
        let mut tx = conn.begin_with("BEGIN IMMEDIATE").await.expect("a transaction");
        let mut insert = sqlx::query(sqlx::AssertSqlSafe(entries.clone()));
        let mut insert_keys = sqlx::query(sqlx::AssertSqlSafe(keys.clone()));
        for n in batch * BATCH..(batch + 1) * BATCH {
            let number = n as i64 + 1;
            let id = uuid::Uuid::from_u128((number as u128) << 64);
            let hash = uuid::Uuid::from_u128((number as u128).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            insert = insert
                .bind(number)
                .bind(id)
                .bind(100_000_000 - number)
                .bind(format!("hot-{n}"))
                .bind(1_700_000_000_000_000 + number);
            insert_keys = insert_keys.bind(hash).bind(hash).bind(number);
        }
        insert.execute(&mut *tx).await.expect("rows");
        insert_keys.execute(&mut *tx).await.expect("keys");
        tx.commit().await.expect("a commit");
    }
    let rate = (DEBITS / BATCH * BATCH) as f64 / started.elapsed().as_secs_f64();
    conn.close().await.expect("closed");
    rate
}

#[tokio::main]
async fn main() {
    println!("ledger: {DEBITS} debits of 1, each under its key, by {CALLERS} callers, synchronous FULL on both sides");
    let bench = Bench::open().await;
    create(&bench.engine, "hot-0".to_owned()).await;
    for number in 0..BALANCES {
        create(&bench.engine, format!("many-{number}")).await;
    }
    let hot = rate(&bench.engine, "hot", 1).await;
    let limit = plain().await;
    line("one hot balance, against batches of 64", hot, limit, 0.4, "debits/s");
    let many = rate(&bench.engine, "many", BALANCES).await;
    line("one hot balance, against 1,000 balances", hot, many, 1.0, "debits/s");
    bench.engine.close().await;
}
