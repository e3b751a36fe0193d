//! Answers kept for callers that repeat themselves over HTTP: per credential, route and key, for a day.
//!
//! The answer to a change is kept in the change's own transaction. So whatever breaks off, and wherever, it was either not done, or is
//! done and answered again as it was.

use std::any::Any;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use sqlx::{Arguments, Row, SqliteConnection};
use uuid::Uuid;
use weir_core::event::hash_text;
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::writer::{Tx, insert_rows};

/// How long an answer is kept, in microseconds.
const KEPT: i64 = 24 * 60 * 60 * 1_000_000;
/// Larger answers are not kept, in bytes; none of an operation that writes is nearly as large.
const MAX_KEPT: usize = 256 << 10;

tokio::task_local! {
    /// The request that is being answered, where its answer is to be kept. It goes along with the task, as what an operation asks of
    /// the engine is the operation's own affair.
    static ANSWERING: Arc<Keeping>;
}

/// What was asked under a key, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The hash of the request.
    pub request: [u8; 16],
    /// The HTTP status.
    pub status: u16,
    /// The answer's body.
    pub answer: Vec<u8>,
}

/// What an answer is kept under.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReceiptKey {
    /// Who asked.
    pub credential: Uuid,
    /// Method and path.
    pub route: String,
    /// The caller's key.
    pub key: String,
}

/// Writes a value as the answer's body, if it is what the request is answered with.
type Write = Box<dyn Fn(&dyn Any) -> Option<Vec<u8>> + Send + Sync>;

/// A request whose answer is to be kept.
pub struct Keeping {
    under: ReceiptKey,
    request: [u8; 16],
    status: u16,
    write: Write,
    answer: OnceLock<Vec<u8>>,
    _claim: Box<dyn Any + Send + Sync>,
}

/// A row of a kept answer.
pub(crate) struct Kept {
    keeping: Arc<Keeping>,
    status: u16,
    answer: Vec<u8>,
}

impl Keeping {
    /// A request by its hash, and the status of its answer when it is done; `write` writes that answer's body. `claim` is let go
    /// of once nobody works on the request any more, be it the caller's task or the writer.
    pub fn new(
        under: ReceiptKey,
        request: [u8; 16],
        status: u16,
        write: impl Fn(&dyn Any) -> Option<Vec<u8>> + Send + Sync + 'static,
        claim: impl Any + Send + Sync,
    ) -> Arc<Self> {
        let (write, claim) = (Box::new(write), Box::new(claim));
        Arc::new(Keeping { under, request, status, write, answer: OnceLock::new(), _claim: claim })
    }

    /// Does what the request asks: the change that gives its answer keeps it.
    pub async fn during<T>(self: &Arc<Self>, doing: impl Future<Output = T>) -> T {
        ANSWERING.scope(self.clone(), doing).await
    }

    /// The body that was kept with the change, once that is done.
    pub fn answer(&self) -> Option<&[u8]> {
        self.answer.get().map(Vec::as_slice)
    }

    /// The request that the present task answers.
    pub(crate) fn current() -> Option<Arc<Self>> {
        ANSWERING.try_with(Arc::clone).ok()
    }

    /// The row to write with a change that came to this value, if that is the answer.
    pub(crate) fn kept(self: &Arc<Self>, value: &dyn Any) -> Option<Kept> {
        let answer = (self.write)(value).filter(|answer| answer.len() <= MAX_KEPT)?;
        self.answer.set(answer.clone()).ok()?;
        Some(Kept { keeping: self.clone(), status: self.status, answer })
    }
}

impl Engine {
    /// What was answered under a key within the last day.
    pub async fn receipt(&self, under: &ReceiptKey) -> Result<Option<Receipt>> {
        let mut conn = self.reader().await?;
        let row = sqlx::query(
            "SELECT request_hash, status, answer FROM receipt WHERE credential = ?1 AND route = ?2 AND key_hash = ?3 AND created_at > ?4",
        )
        .bind(under.credential)
        .bind(&under.route)
        .bind(hash_text(&under.key).to_vec())
        .bind(self.now().as_micros() - KEPT)
        .fetch_optional(&mut *conn)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let damaged = || Error::Storage("a kept answer is damaged".to_owned());
        Ok(Some(Receipt {
            request: row.try_get::<&[u8], _>("request_hash")?.try_into().map_err(|_| damaged())?,
            status: row.try_get("status")?,
            answer: row.try_get("answer")?,
        }))
    }

    /// Keeps an answer that no change gave: a refusal, or what was done outside the data file.
    pub async fn keep_answer(&self, actor: &Actor, keeping: &Arc<Keeping>, status: u16, answer: Vec<u8>) -> Result<()> {
        if answer.len() > MAX_KEPT {
            return Ok(());
        }
        let row = Kept { keeping: keeping.clone(), status, answer };
        self.writer().aside(actor, move |tx| Box::pin(keep(tx, row))).await
    }
}

async fn keep(tx: &mut Tx<'_>, row: Kept) -> Result<()> {
    let now = tx.now;
    store(tx.conn(), &[row], now).await
}

/// Writes answers, and lets go of those that are older than a day.
pub(crate) async fn store(conn: &mut SqliteConnection, rows: &[Kept], now: Timestamp) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let now = now.as_micros();
    sqlx::query("DELETE FROM receipt WHERE created_at <= ?1").bind(now - KEPT).execute(&mut *conn).await?;
    insert_rows(
        conn,
        "OR REPLACE INTO receipt (credential, route, key_hash, request_hash, status, answer, created_at)",
        7,
        "",
        rows,
        |arguments, Kept { keeping, status, answer }| {
            arguments.add(keeping.under.credential)?;
            arguments.add(keeping.under.route.as_str())?;
            arguments.add(hash_text(&keeping.under.key).to_vec())?;
            arguments.add(keeping.request.to_vec())?;
            arguments.add(*status)?;
            arguments.add(answer.as_slice())?;
            arguments.add(now)
        },
    )
    .await
}
