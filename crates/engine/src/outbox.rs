//! What endpoints are to be told: written in the transaction of its cause, and sent in order, at least once.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::error::Code;
use weir_core::event::hash_text;
use weir_core::id::{DeliveryId, MessageId, WebhookId};
use weir_core::retry;
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::{Config, WebhookRule};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::WebhookEventType;
use crate::scan::to_json;
use crate::secrets::SecretKey;
use crate::vault::SigningSecret;
use crate::webhooks::{self, Known};
use crate::writer::Tx;

/// After so many failures in a row an endpoint is disabled.
const MOST_FAILURES: u32 = 20;
/// For how long deliveries are kept, in microseconds.
const KEPT: i64 = 30 * 86_400 * 1_000_000;
/// Messages forgotten at a time.
const FORGOTTEN_AT_ONCE: i64 = 100;
/// Characters of an answer that are kept.
const SHOWN: usize = 2_000;
/// Why nothing is sent where the secret does not derive from the folder's key.
const OTHER_KEY: &str = "the folder's secret key is missing or another one; rotate the endpoint's secret";

/// What is to be sent now, and when to look again.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// For each endpoint that something is due for, the first.
    pub due: Vec<Outgoing>,
    /// When something else is due, if nothing changes.
    pub next: Option<Timestamp>,
}

/// A message to be sent to an endpoint.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The delivery.
    pub delivery: DeliveryId,
    /// The endpoint.
    pub webhook: WebhookId,
    /// Where it lies.
    pub url: String,
    /// Whether that may be this machine or a private network.
    pub allow_private: bool,
    /// The message.
    pub message: MessageId,
    /// What is signed and sent.
    pub body: String,
    /// What signs, the newest first.
    pub secrets: Vec<SigningSecret>,
    /// Why nothing does, where nothing does: the folder's key is missing, or another one than the endpoint was made with.
    pub unsigned: Option<String>,
}

/// What came of sending a message.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// When it began.
    pub at: Timestamp,
    /// How long it took, in microseconds.
    pub took: i64,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
    /// Why there was no answer, or why it does not count; none if it was delivered.
    pub error: Option<String>,
    /// The headers that were sent.
    pub request: BTreeMap<String, String>,
    /// The answer's body, as far as it was read.
    pub response: Option<String>,
}

/// Something to tell endpoints.
pub(crate) struct Message {
    /// The same for the same cause, so that it is told once.
    pub id: Uuid,
    pub event_type: WebhookEventType,
    /// JSON.
    pub data: String,
}

/// The id of what is told of something.
pub(crate) fn message_id(about: &str) -> Uuid {
    uuid::Builder::from_custom_bytes(hash_text(&format!("message/{about}"))).into_uuid()
}

impl Config {
    /// The endpoints that are told something of a type.
    pub(crate) fn told(&self, event_type: WebhookEventType) -> impl Iterator<Item = &Arc<WebhookRule>> {
        let wants = move |rule: &&Arc<WebhookRule>| rule.types.as_ref().is_none_or(|types| types.contains(&event_type));
        self.webhooks.iter().filter(wants)
    }
}

/// Tells every endpoint that wants to know, within the transaction of the cause.
pub(crate) async fn tell(
    conn: &mut SqliteConnection,
    config: &Config,
    message: &Message,
    now: Timestamp,
) -> Result<()> {
    if config.told(message.event_type).next().is_none() {
        return Ok(());
    }
    let Some(seq) = write(conn, message, now).await? else { return Ok(()) };
    for rule in config.told(message.event_type) {
        enqueue(conn, (seq, message.id), (rule.key, rule.id), 0, now).await?;
    }
    Ok(())
}

/// Tells one endpoint, whatever it wants to know.
pub(crate) async fn tell_one(
    conn: &mut SqliteConnection,
    message: &Message,
    webhook: (i64, WebhookId),
    now: Timestamp,
) -> Result<DeliveryId> {
    let seq = write(conn, message, now).await?.ok_or_else(|| Error::Storage("a new message was there".to_owned()))?;
    enqueue(conn, (seq, message.id), webhook, 0, now).await
}

/// Writes a message, unless it is there already.
async fn write(conn: &mut SqliteConnection, message: &Message, now: Timestamp) -> Result<Option<i64>> {
    let body = format!(
        r#"{{"id":"{}","type":"{kind}","event":"{kind}","timestamp":"{now}","data":{}}}"#,
        MessageId::new(message.id),
        message.data,
        kind = message.event_type.as_str(),
    );
    let sql = "INSERT INTO message (id, type, body, created_at) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (id) DO NOTHING RETURNING seq";
    Ok(sqlx::query_scalar(sql)
        .bind(message.id)
        .bind(message.event_type.as_str())
        .bind(body)
        .bind(now.as_micros())
        .fetch_optional(conn)
        .await?)
}

/// Has a message delivered to an endpoint, for the `times`th time again.
pub(crate) async fn enqueue(
    conn: &mut SqliteConnection,
    (seq, message): (i64, Uuid),
    (key, webhook): (i64, WebhookId),
    times: i64,
    now: Timestamp,
) -> Result<DeliveryId> {
    let about = format!("delivery/{message}/{webhook}/{times}");
    let id = DeliveryId::new(uuid::Builder::from_custom_bytes(hash_text(&about)).into_uuid());
    sqlx::query("INSERT INTO delivery (id, webhook, message, state, next_at, created_at) VALUES (?1, ?2, ?3, 'waiting', ?4, ?4)")
        .bind(id.uuid())
        .bind(key)
        .bind(seq)
        .bind(now.as_micros())
        .execute(conn)
        .await?;
    Ok(id)
}

impl Engine {
    /// What is to be sent now. Endpoints in `busy` are being told something.
    pub async fn outbox(&self, busy: &[WebhookId]) -> Result<Outbox> {
        let now = self.now();
        let rows = sqlx::query(
            "SELECT w.*, 0 AS waiting, d.id AS delivery_id, d.next_at, m.id AS message_id, m.body \
             FROM webhook w JOIN delivery d ON d.seq = (SELECT min(seq) FROM delivery WHERE webhook = w.id AND state = 'waiting') \
             JOIN message m ON m.seq = d.message WHERE w.enabled = 1 AND w.archived_at IS NULL",
        )
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let mut outbox = Outbox::default();
        for row in &rows {
            let known = webhooks::read_known(row, self.shared.project, now)?;
            if busy.contains(&known.webhook.id) {
                continue;
            }
            let next = Timestamp::from_micros(row.try_get("next_at")?);
            if next > now {
                outbox.next = Some(outbox.next.map_or(next, |first| first.min(next)));
                continue;
            }
            // Where it cannot be read nothing is sent, and the endpoint says why.
            let (secrets, unsigned) = match self.shared.vault.key().await {
                Ok(key) => match signing(&known, key.as_ref()) {
                    Some(secrets) => (secrets, None),
                    None => (Vec::new(), Some(OTHER_KEY.to_owned())),
                },
                Err(error) => {
                    tracing::warn!(%error, "the key of signing secrets cannot be read");
                    (Vec::new(), Some(error.to_string()))
                }
            };
            outbox.due.push(Outgoing {
                delivery: DeliveryId::new(row.try_get("delivery_id")?),
                webhook: known.webhook.id,
                url: known.webhook.url,
                allow_private: known.webhook.allow_private,
                message: MessageId::new(row.try_get("message_id")?),
                body: row.try_get("body")?,
                secrets,
                unsigned,
            });
        }
        Ok(outbox)
    }

    /// Writes down what came of sending a message, and when to try again.
    pub async fn note_attempt(&self, delivery: DeliveryId, attempt: Attempt) -> Result<()> {
        let mut chance = [0; 2];
        getrandom::fill(&mut chance).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
        let (chance, arrived) = (u16::from_ne_bytes(chance), attempt.error.is_none());
        self.writer()
            .aside(&Actor::system(), move |tx| Box::pin(async move { note(tx, delivery, attempt, chance).await }))
            .await?;
        let measures = self.measures();
        if arrived { &measures.webhooks_delivered } else { &measures.webhooks_failed }.add(1);
        Ok(())
    }

    /// Messages that wait to be delivered to endpoints that are told something.
    pub async fn backlog(&self) -> Result<u64> {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM delivery d JOIN webhook w ON w.id = d.webhook WHERE d.state = 'waiting' AND w.enabled = 1",
        )
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(waiting.unsigned_abs())
    }
}

/// What signs for an endpoint, the newest first.
fn signing(known: &Known, key: Option<&SecretKey>) -> Option<Vec<SigningSecret>> {
    let key = key?;
    Some([known.secret(key)?].into_iter().chain(known.old_secret(key)).collect())
}

async fn note(tx: &mut Tx<'_>, delivery: DeliveryId, attempt: Attempt, chance: u16) -> Result<()> {
    let found = sqlx::query(
        "SELECT d.seq, d.attempts, d.state, d.next_at, d.ended_at, w.uuid FROM delivery d JOIN webhook w ON w.id = d.webhook WHERE d.id = ?1",
    )
    .bind(delivery.uuid())
    .fetch_optional(tx.conn())
    .await?;
    let Some(row) = found else {
        return Err(Error::not_found(Code::DeliveryNotFound, "delivery", &delivery.to_string()));
    };
    let (seq, number) = (row.try_get::<i64, _>("seq")?, row.try_get::<u32, _>("attempts")? + 1);
    let known_state: &str = row.try_get("state")?;
    let is_waiting = known_state == "waiting";
    // What arrived has arrived, whatever becomes of sending it once more.
    let arrived = if known_state == "delivered" { row.try_get::<Option<i64>, _>("ended_at")? } else { None };
    let (project, now) = (tx.project(), tx.now);
    let webhook = WebhookId::new(row.try_get("uuid")?);
    let Known { key, webhook: before, .. } = webhooks::find(tx.conn(), project, webhook, now).await?;
    let planned = row.try_get::<Option<i64>, _>("next_at")?.map(Timestamp::from_micros);
    sqlx::query(
        "INSERT INTO delivery_attempt (delivery, number, at, took, status, error, request, response) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .bind(seq)
    .bind(number)
    .bind(attempt.at.as_micros())
    .bind(attempt.took)
    .bind(attempt.status)
    .bind(&attempt.error)
    .bind(to_json(&attempt.request)?)
    .bind(attempt.response.map(|body| body.chars().take(SHOWN).collect::<String>()))
    .execute(tx.conn())
    .await?;
    let delivered = attempt.error.is_none();
    let failures = if delivered { 0 } else { before.failures_in_a_row.saturating_add(1) };
    let next = match planned {
        _ if delivered => None,
        // Somebody wanted it tried at once, or elsewhere, while this attempt was under way.
        Some(planned) if planned > attempt.at => Some(planned),
        _ => {
            // Where the endpoint was enabled again, trying began anew then.
            let tries = number.min(failures);
            let first: i64 = sqlx::query_scalar("SELECT at FROM delivery_attempt WHERE delivery = ?1 AND number = ?2")
                .bind(seq)
                .bind(number - tries + 1)
                .fetch_one(tx.conn())
                .await?;
            retry::next(Timestamp::from_micros(first), tries, now, chance)
        }
    };
    let state = match next {
        Some(_) if is_waiting => "waiting",
        _ if delivered || arrived.is_some() => "delivered",
        _ => "failed",
    };
    let next = next.filter(|_| state == "waiting").map(Timestamp::as_micros);
    sqlx::query("UPDATE delivery SET attempts = ?2, state = ?3, next_at = ?4, ended_at = ?5 WHERE seq = ?1")
        .bind(seq)
        .bind(number)
        .bind(state)
        .bind(next)
        .bind(arrived.or((state != "waiting").then_some(now.as_micros())))
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "UPDATE webhook SET failures = ?2, last_at = ?3, last_took = ?4, last_status = ?5, last_error = ?6 WHERE id = ?1",
    )
    .bind(key)
    .bind(failures)
    .bind(attempt.at.as_micros())
    .bind(attempt.took)
    .bind(attempt.status)
    .bind(&attempt.error)
    .execute(tx.conn())
    .await?;
    if failures >= MOST_FAILURES && before.enabled {
        sqlx::query("UPDATE webhook SET enabled = 0, disabled_at = ?2 WHERE id = ?1")
            .bind(key)
            .bind(now.as_micros())
            .execute(tx.conn())
            .await?;
        webhooks::changed(tx, "webhooks.disable", webhook, Some(before)).await?;
    }
    forget(tx).await?;
    tx.touches(Topics::WEBHOOKS);
    Ok(())
}

/// Lets go of some messages that are older than they are kept.
async fn forget(tx: &mut Tx<'_>) -> Result<()> {
    let old = "SELECT seq FROM message WHERE created_at < ?1 ORDER BY created_at LIMIT ?2";
    let before = tx.now.as_micros() - KEPT;
    for sql in [
        format!("DELETE FROM delivery_attempt WHERE delivery IN (SELECT seq FROM delivery WHERE message IN ({old}))"),
        format!("DELETE FROM delivery WHERE message IN ({old})"),
        format!("DELETE FROM message WHERE seq IN ({old})"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(before).bind(FORGOTTEN_AT_ONCE).execute(tx.conn()).await?;
    }
    Ok(())
}
