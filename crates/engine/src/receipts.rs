//! Answers kept for callers that repeat themselves over HTTP: per credential, route and key, for a day.

use sqlx::Row;
use uuid::Uuid;
use weir_core::event::hash_text;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::writer::Tx;

/// How long an answer is kept, in microseconds.
const KEPT: i64 = 24 * 60 * 60 * 1_000_000;

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

impl Engine {
    /// What a credential was answered on a route under a key, within the last day.
    pub async fn receipt(&self, credential: Uuid, route: &str, key: &str) -> Result<Option<Receipt>> {
        let mut conn = self.reader().await?;
        let row = sqlx::query(
            "SELECT request_hash, status, answer FROM receipt WHERE credential = ?1 AND route = ?2 AND key_hash = ?3 AND created_at > ?4",
        )
        .bind(credential)
        .bind(route)
        .bind(hash_text(key).to_vec())
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

    /// Keeps an answer, and lets go of those that are older than a day.
    pub async fn keep_receipt(
        &self,
        actor: &Actor,
        credential: Uuid,
        route: &str,
        key: &str,
        receipt: Receipt,
    ) -> Result<()> {
        let (route, key) = (route.to_owned(), hash_text(key));
        self.writer().aside(actor, move |tx| Box::pin(keep(tx, credential, route, key, receipt))).await
    }
}

async fn keep(tx: &mut Tx<'_>, credential: Uuid, route: String, key: [u8; 16], receipt: Receipt) -> Result<()> {
    let now = tx.now.as_micros();
    sqlx::query("DELETE FROM receipt WHERE created_at <= ?1").bind(now - KEPT).execute(tx.conn()).await?;
    sqlx::query("INSERT OR REPLACE INTO receipt (credential, route, key_hash, request_hash, status, answer, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(credential)
        .bind(route)
        .bind(key.to_vec())
        .bind(receipt.request.to_vec())
        .bind(receipt.status)
        .bind(receipt.answer)
        .bind(now)
        .execute(tx.conn())
        .await?;
    Ok(())
}
