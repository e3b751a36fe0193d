//! Answers kept for callers that repeat themselves over HTTP: per credential, route and key, for a day.
//!
//! The answer to a change is kept in the change's own transaction. So whatever breaks off, and wherever, it was either not done, or is
//! done and answered again as it was.

use std::any::Any;
use std::borrow::Cow;
use std::future::Future;
use std::sync::{Arc, OnceLock};

use sqlx::{Arguments, Row, SqliteConnection};
use uuid::Uuid;
use weir_core::event::hash_text;
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::scan::{from_json, to_json};
use crate::writer::{Tx, insert_rows};

/// How long an answer is kept, in microseconds.
pub(crate) const KEPT: i64 = 24 * 60 * 60 * 1_000_000;
/// Larger answers are not kept, in bytes: only a list of several thousand limits that all change may be answered with as much, and
/// it changes nothing more when it is sent again.
const MAX_KEPT: usize = 8 << 20;

tokio::task_local! {
    /// The request that is being answered, where its answer is to be kept. It goes along with the task, as what an operation asks of
    /// the engine is the operation's own affair.
    static ANSWERING: Arc<Keeping>;
}

/// Headers of an answer: names in lower case, and values.
pub type Headers = Vec<(Cow<'static, str>, String)>;

/// An answer, ready to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The body, as JSON text.
    pub body: Vec<u8>,
    /// What also stands in headers.
    pub headers: Headers,
}

/// What was asked under a key, and what was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The hash of the request.
    pub request: [u8; 16],
    /// The HTTP status.
    pub status: u16,
    /// The answer.
    pub answer: Answered,
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

/// Writes a value as the answer, if it is what the request is answered with.
type Write = Box<dyn Fn(&dyn Any) -> Option<Answered> + Send + Sync>;

/// A request whose answer is to be kept.
pub struct Keeping {
    under: ReceiptKey,
    request: [u8; 16],
    status: u16,
    write: Write,
    answer: OnceLock<Answered>,
    _claim: Box<dyn Any + Send + Sync>,
}

/// A row of a kept answer.
pub(crate) struct Kept {
    keeping: Arc<Keeping>,
    status: u16,
    answer: Answered,
}

impl Keeping {
    /// A request by its hash, and the status of its answer when it is done; `write` writes that answer. `claim` is let go
    /// of once nobody works on the request any more, be it the caller's task or the writer.
    pub fn new(
        under: ReceiptKey,
        request: [u8; 16],
        status: u16,
        write: impl Fn(&dyn Any) -> Option<Answered> + Send + Sync + 'static,
        claim: impl Any + Send + Sync,
    ) -> Arc<Self> {
        let (write, claim) = (Box::new(write), Box::new(claim));
        Arc::new(Keeping { under, request, status, write, answer: OnceLock::new(), _claim: claim })
    }

    /// Does what the request asks: the change that gives its answer keeps it.
    pub async fn during<T>(self: &Arc<Self>, doing: impl Future<Output = T>) -> T {
        ANSWERING.scope(self.clone(), doing).await
    }

    /// The answer that was kept with the change, once that is done.
    pub fn answer(&self) -> Option<&Answered> {
        self.answer.get()
    }

    /// The request that the present task answers.
    pub(crate) fn current() -> Option<Arc<Self>> {
        ANSWERING.try_with(Arc::clone).ok()
    }

    /// The row to write with a change that came to this value, if that is the answer.
    pub(crate) fn kept(self: &Arc<Self>, value: &dyn Any) -> Option<Kept> {
        let answer = (self.write)(value).filter(|answer| answer.body.len() <= MAX_KEPT)?;
        self.answer.set(answer.clone()).ok()?;
        Some(Kept { keeping: self.clone(), status: self.status, answer })
    }
}

impl Engine {
    /// What was answered under a key within the last day.
    pub async fn receipt(&self, under: &ReceiptKey) -> Result<Option<Receipt>> {
        let mut conn = self.reader().await?;
        let row = sqlx::query(
            "SELECT request_hash, status, answer, headers FROM receipt WHERE credential = ?1 AND route = ?2 AND key_hash = ?3 AND created_at > ?4",
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
            answer: Answered { body: row.try_get("answer")?, headers: from_json(row.try_get("headers")?)? },
        }))
    }

    /// Keeps an answer that no change gave: a refusal, or what was done outside the data file.
    pub async fn keep_answer(
        &self,
        actor: &Actor,
        keeping: &Arc<Keeping>,
        status: u16,
        answer: Answered,
    ) -> Result<()> {
        if answer.body.len() > MAX_KEPT {
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
    let rows = rows.iter().map(|row| Ok((row, to_json(&row.answer.headers)?))).collect::<Result<Vec<_>>>()?;
    let now = now.as_micros();
    sqlx::query("DELETE FROM receipt WHERE created_at <= ?1").bind(now - KEPT).execute(&mut *conn).await?;
    insert_rows(
        conn,
        "OR REPLACE INTO receipt (credential, route, key_hash, request_hash, status, answer, headers, created_at)",
        8,
        "",
        &rows,
        |arguments, (Kept { keeping, status, answer }, headers)| {
            arguments.add(keeping.under.credential)?;
            arguments.add(keeping.under.route.as_str())?;
            arguments.add(hash_text(&keeping.under.key).to_vec())?;
            arguments.add(keeping.request.to_vec())?;
            arguments.add(*status)?;
            arguments.add(answer.body.as_slice())?;
            arguments.add(headers.as_str())?;
            arguments.add(now)
        },
    )
    .await
}
