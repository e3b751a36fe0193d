//! Deliveries: every message to an endpoint, with what was sent and answered.

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::id::{DeliveryId, MessageId, WebhookId};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{
    Cursor, Delivery, DeliveryAttempt, DeliveryState, ListDeliveries, Page, Snapshot, WebhookAttempt, WebhookEventType,
};
use crate::outbox;
use crate::scan::from_json;
use crate::webhooks::{self, Known};
use crate::writer::Tx;

const SELECT: &str = "SELECT d.*, m.id AS message_id, m.type, m.body, \
     d.seq = (SELECT min(seq) FROM delivery WHERE webhook = d.webhook AND state = 'waiting') AS is_first \
     FROM delivery d JOIN message m ON m.seq = d.message";

impl Engine {
    /// What an endpoint was told, and is to be told, newest first.
    pub async fn deliveries(&self, id: WebhookId, list: ListDeliveries) -> Result<Page<Delivery>> {
        let below = Cursor::below(list.cursor.as_ref())?;
        let mut conn = self.reader().await?;
        // One view of all of it: an attempt may be noted between two questions.
        let mut conn = conn.begin().await?;
        let known = webhooks::find(&mut conn, self.shared.project, id, self.now()).await?;
        let sql = format!(
            "{SELECT} WHERE d.webhook = ?1 AND d.seq < ?2 AND (?3 IS NULL OR d.state = ?3) AND (?4 IS NULL OR m.type = ?4) \
             ORDER BY d.seq DESC LIMIT ?5"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(known.key)
            .bind(below)
            .bind(list.state.map(word))
            .bind(list.event_type.map(WebhookEventType::as_str))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let rows = rows.iter().map(|row| Ok((row.try_get::<i64, _>("seq")?, row))).collect::<Result<Vec<_>>>()?;
        let page = Page::cut(rows, list.limit, |(seq, _)| Cursor::of(&[&seq.to_string()]));
        let mut data = Vec::with_capacity(page.data.len());
        for (_, row) in page.data {
            data.push(read(&mut conn, &known, row).await?);
        }
        conn.rollback().await?;
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// Delivers a message once more: at once what waits, else after what waits.
    pub async fn redeliver(&self, actor: &Actor, webhook: WebhookId, delivery: DeliveryId) -> Result<Delivery> {
        self.writer().aside(actor, move |tx| Box::pin(again(tx, webhook, delivery))).await
    }
}

pub(crate) async fn find(conn: &mut SqliteConnection, known: &Known, id: DeliveryId) -> Result<Delivery> {
    let sql = format!("{SELECT} WHERE d.id = ?1 AND d.webhook = ?2");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).bind(known.key).fetch_optional(&mut *conn).await?;
    let row = row.ok_or_else(|| Error::not_found(Code::DeliveryNotFound, "delivery", &id.to_string()))?;
    read(conn, known, &row).await
}

async fn again(tx: &mut Tx<'_>, webhook: WebhookId, delivery: DeliveryId) -> Result<Delivery> {
    let (project, now) = (tx.project(), tx.now);
    let known = webhooks::find(tx.conn(), project, webhook, now).await?;
    let before = find(tx.conn(), &known, delivery).await?;
    if !known.webhook.enabled {
        return Err(Fault::new(Code::Conflict, "the endpoint is disabled; enable it first").into());
    }
    if before.state == DeliveryState::Waiting {
        sqlx::query("UPDATE delivery SET next_at = ?2 WHERE id = ?1")
            .bind(delivery.uuid())
            .bind(now.as_micros())
            .execute(tx.conn())
            .await?;
        webhooks::sent(tx, "webhooks.redeliver", &before).await?;
        return find(tx.conn(), &known, delivery).await;
    }
    let message = before.message_id.uuid();
    let (seq, times): (i64, i64) = sqlx::query_as(
        "SELECT m.seq, (SELECT count(*) FROM delivery WHERE message = m.seq AND webhook = ?2) FROM message m WHERE m.id = ?1",
    )
    .bind(message)
    .bind(known.key)
    .fetch_one(tx.conn())
    .await?;
    let id = outbox::enqueue(tx.conn(), (seq, message), (known.key, webhook), times, now).await?;
    let after = find(tx.conn(), &known, id).await?;
    webhooks::sent(tx, "webhooks.redeliver", &after).await?;
    Ok(after)
}

async fn read(conn: &mut SqliteConnection, known: &Known, row: &SqliteRow) -> Result<Delivery> {
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    let is_next = known.webhook.enabled && row.try_get::<Option<bool>, _>("is_first")? == Some(true);
    let attempts = sqlx::query("SELECT * FROM delivery_attempt WHERE delivery = ?1 ORDER BY number")
        .bind(row.try_get::<i64, _>("seq")?)
        .fetch_all(conn)
        .await?;
    let kind: &str = row.try_get("type")?;
    let known_type = WebhookEventType::ALL.into_iter().find(|known| known.as_str() == kind);
    Ok(Delivery {
        id: DeliveryId::new(row.try_get("id")?),
        project_id: known.webhook.project_id,
        webhook_id: known.webhook.id,
        message_id: MessageId::new(row.try_get("message_id")?),
        event_type: known_type.ok_or_else(|| Error::Storage(format!("unknown type of message: {kind}")))?,
        state: match row.try_get("state")? {
            "waiting" => DeliveryState::Waiting,
            "delivered" => DeliveryState::Delivered,
            _ => DeliveryState::Failed,
        },
        payload: Snapshot::new(row.try_get("body")?),
        attempts: attempts.iter().map(read_attempt).collect::<Result<_>>()?,
        next_attempt_at: instant("next_at")?.filter(|_| is_next),
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        ended_at: instant("ended_at")?,
    })
}

fn read_attempt(row: &SqliteRow) -> Result<DeliveryAttempt> {
    Ok(DeliveryAttempt {
        attempt: WebhookAttempt {
            at: Timestamp::from_micros(row.try_get("at")?),
            duration_ms: row.try_get::<i64, _>("took")?.unsigned_abs() / 1_000,
            status: row.try_get("status")?,
            error: row.try_get("error")?,
        },
        request_headers: from_json(row.try_get("request")?)?,
        response_body: row.try_get("response")?,
    })
}

fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Waiting => "waiting",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Failed => "failed",
    }
}
