//! Webhooks: the endpoints that are told what happens.

use std::sync::Arc;

use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::id::{DeliveryId, MessageId, ProjectId, WebhookId};
use weir_core::text::{self, MAX_LONG};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::WebhookRule;
use crate::deliveries;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{
    Cursor, Delivery, ListWebhooks, NewWebhook, Page, RotateWebhook, Webhook, WebhookAttempt, WebhookEventType,
    WebhookPatch, WebhookWithSecret,
};
use crate::outbox::{self, Message};
use crate::scan::{from_json, to_json};
use crate::secrets::SecretKey;
use crate::vault::{Salt, SigningSecret};
use crate::webhook_url;
use crate::writer::{Audit, Tx};

/// Most endpoints that are not archived.
const MOST: i64 = 100;
/// For how long a rotated secret may still sign, in seconds.
const MOST_OVERLAP: u32 = 7 * 86_400;

const SELECT: &str = "SELECT w.*, (SELECT count(*) FROM delivery d WHERE d.webhook = w.id AND d.state = 'waiting') AS waiting \
                      FROM webhook w";

impl Engine {
    /// Makes an endpoint. It is told what happens from now on.
    pub async fn create_webhook(&self, actor: &Actor, new: NewWebhook) -> Result<WebhookWithSecret> {
        webhook_url::check(&new.url, new.allow_private)?;
        check_rest(new.description.as_deref(), new.event_types.as_deref())?;
        let (key, salt) = (self.shared.vault.prepare().await?, new_salt()?);
        self.writer().aside(actor, move |tx| Box::pin(async move { create(tx, &key, new, salt).await })).await
    }

    /// Endpoints, newest first.
    pub async fn webhooks(&self, list: ListWebhooks) -> Result<Page<Webhook>> {
        let below = Cursor::below(list.cursor.as_ref())?;
        let sql = format!("{SELECT} WHERE w.id < ?1 AND (?2 OR w.archived_at IS NULL) ORDER BY w.id DESC LIMIT ?3");
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(below)
            .bind(list.include_archived)
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let (project, now) = (self.shared.project, self.now());
        let webhooks = rows
            .iter()
            .map(|row| Ok((row.try_get::<i64, _>("id")?, read(row, project, now)?)))
            .collect::<Result<Vec<_>>>()?;
        let page = Page::cut(webhooks, list.limit, |(key, _)| Cursor::of(&[&key.to_string()]));
        let data = page.data.into_iter().map(|(_, webhook)| webhook).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// An endpoint and its secret.
    pub async fn webhook(&self, id: WebhookId) -> Result<WebhookWithSecret> {
        let mut conn = self.reader().await?;
        let known = find(&mut conn, self.shared.project, id, self.now()).await?;
        let key = self.shared.vault.key().await?.ok_or_else(lost)?;
        let secret = known.secret(&key).ok_or_else(lost)?;
        Ok(WebhookWithSecret { webhook: known.webhook, secret: secret.reveal() })
    }

    /// Changes an endpoint. What waits is tried at once where it is told somewhere else, or again.
    pub async fn update_webhook(&self, actor: &Actor, id: WebhookId, patch: WebhookPatch) -> Result<Webhook> {
        self.writer().aside(actor, move |tx| Box::pin(update(tx, "webhooks.update", id, patch))).await
    }

    /// Has an endpoint told again, beginning with what waits. Doing it again has what waits tried at once.
    pub async fn enable_webhook(&self, actor: &Actor, id: WebhookId) -> Result<Webhook> {
        let patch = WebhookPatch { enabled: Some(true), ..WebhookPatch::default() };
        self.writer().aside(actor, move |tx| Box::pin(update(tx, "webhooks.enable", id, patch))).await
    }

    /// Archives an endpoint: it is told nothing more, and what waits is given up.
    pub async fn archive_webhook(&self, actor: &Actor, id: WebhookId) -> Result<()> {
        self.writer().aside(actor, move |tx| Box::pin(archive(tx, id))).await
    }

    /// Gives an endpoint a new secret. The one until now signs beside it for a while.
    pub async fn rotate_webhook(
        &self,
        actor: &Actor,
        id: WebhookId,
        rotate: RotateWebhook,
    ) -> Result<WebhookWithSecret> {
        if rotate.overlap_seconds > MOST_OVERLAP {
            let reason = format_args!("must be a whole number from 0 to {MOST_OVERLAP}");
            return Err(Fault::invalid("overlapSeconds", reason).into());
        }
        let (key, salt) = (self.shared.vault.prepare().await?, new_salt()?);
        self.writer()
            .aside(actor, move |tx| Box::pin(async move { rotate_secret(tx, &key, id, rotate, salt).await }))
            .await
    }

    /// Sends an endpoint a ping, in its turn.
    pub async fn test_webhook(&self, actor: &Actor, id: WebhookId) -> Result<Delivery> {
        self.writer().aside(actor, move |tx| Box::pin(ping(tx, id))).await
    }
}

/// An endpoint with what only the file knows of it.
pub(crate) struct Known {
    pub key: i64,
    pub webhook: Webhook,
    salt: Salt,
    secret_hash: [u8; 32],
    old_salt: Option<Salt>,
}

impl Known {
    /// What it signs with, if the folder's key is still the one that its secret derives from.
    pub(crate) fn secret(&self, key: &SecretKey) -> Option<SigningSecret> {
        let secret = SigningSecret::derive(key, self.webhook.id.uuid(), &self.salt);
        (secret.hash() == self.secret_hash).then_some(secret)
    }

    /// What signs beside it.
    pub(crate) fn old_secret(&self, key: &SecretKey) -> Option<SigningSecret> {
        self.webhook.old_secret_until?;
        Some(SigningSecret::derive(key, self.webhook.id.uuid(), &self.old_salt?))
    }
}

fn lost() -> Error {
    let message = "the endpoint's secret derives from a key that this folder does not have; rotate it";
    Fault::new(Code::Conflict, message).into()
}

pub(crate) async fn find(
    conn: &mut SqliteConnection,
    project: ProjectId,
    id: WebhookId,
    now: Timestamp,
) -> Result<Known> {
    let sql = format!("{SELECT} WHERE w.uuid = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(conn).await?;
    let row = row.ok_or_else(|| Error::not_found(Code::WebhookNotFound, "webhook", &id.to_string()))?;
    read_known(&row, project, now)
}

pub(crate) fn read_known(row: &SqliteRow, project: ProjectId, now: Timestamp) -> Result<Known> {
    let damaged = || Error::Storage("an endpoint's secret is damaged".to_owned());
    let old = row.try_get::<Option<&[u8]>, _>("old_salt")?;
    Ok(Known {
        key: row.try_get("id")?,
        webhook: read(row, project, now)?,
        salt: row.try_get::<&[u8], _>("salt")?.try_into().map_err(|_| damaged())?,
        secret_hash: row.try_get::<&[u8], _>("secret_hash")?.try_into().map_err(|_| damaged())?,
        old_salt: old.map(|salt| salt.try_into().map_err(|_| damaged())).transpose()?,
    })
}

fn read(row: &SqliteRow, project_id: ProjectId, now: Timestamp) -> Result<Webhook> {
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    let event_types: Option<&str> = row.try_get("event_types")?;
    let last_took: Option<i64> = row.try_get("last_took")?;
    let last_attempt = match instant("last_at")? {
        None => None,
        Some(at) => Some(WebhookAttempt {
            at,
            duration_ms: last_took.unwrap_or_default().unsigned_abs() / 1_000,
            status: row.try_get("last_status")?,
            error: row.try_get("last_error")?,
        }),
    };
    Ok(Webhook {
        id: WebhookId::new(row.try_get("uuid")?),
        project_id,
        url: row.try_get("url")?,
        description: row.try_get("description")?,
        event_types: event_types.map(from_json).transpose()?,
        allow_private: row.try_get("allow_private")?,
        enabled: row.try_get("enabled")?,
        disabled_at: instant("disabled_at")?,
        failures_in_a_row: row.try_get("failures")?,
        waiting: row.try_get::<i64, _>("waiting")?.unsigned_abs(),
        last_attempt,
        old_secret_until: instant("old_until")?.filter(|until| *until > now),
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at: instant("archived_at")?,
    })
}

/// The endpoints that are told something.
pub(crate) async fn read_rules(conn: &mut SqliteConnection) -> Result<Vec<Arc<WebhookRule>>> {
    let rows = sqlx::query("SELECT id, uuid, event_types FROM webhook WHERE enabled = 1 AND archived_at IS NULL")
        .fetch_all(conn)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Arc::new(WebhookRule {
                key: row.try_get(0)?,
                id: WebhookId::new(row.try_get(1)?),
                types: row.try_get::<Option<&str>, _>(2)?.map(from_json).transpose()?,
            }))
        })
        .collect()
}

async fn create(tx: &mut Tx<'_>, key: &SecretKey, new: NewWebhook, salt: Salt) -> Result<WebhookWithSecret> {
    let there: i64 =
        sqlx::query_scalar("SELECT count(*) FROM webhook WHERE archived_at IS NULL").fetch_one(tx.conn()).await?;
    if there >= MOST {
        let message = format!("there are {MOST} endpoints, and no more may be; archive one first");
        return Err(Fault::new(Code::Conflict, message).into());
    }
    let id = WebhookId::new(tx.new_uuid()?);
    let secret = SigningSecret::derive(key, id.uuid(), &salt);
    sqlx::query(
        "INSERT INTO webhook (uuid, url, description, event_types, allow_private, enabled, salt, secret_hash, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
    )
    .bind(id.uuid())
    .bind(&new.url)
    .bind(&new.description)
    .bind(types_text(new.event_types)?)
    .bind(new.allow_private)
    .bind(new.enabled)
    .bind(salt.to_vec())
    .bind(secret.hash().to_vec())
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let webhook = changed(tx, "webhooks.create", id, None).await?;
    Ok(WebhookWithSecret { webhook, secret: secret.reveal() })
}

async fn update(tx: &mut Tx<'_>, operation: &'static str, id: WebhookId, patch: WebhookPatch) -> Result<Webhook> {
    let Known { key, webhook: before, .. } = find_live(tx, id).await?;
    let mut after = before.clone();
    after.url = patch.url.unwrap_or(after.url);
    patch.description.apply(&mut after.description);
    patch.event_types.apply(&mut after.event_types);
    after.allow_private = patch.allow_private.unwrap_or(after.allow_private);
    after.enabled = patch.enabled.unwrap_or(after.enabled);
    webhook_url::check(&after.url, after.allow_private)?;
    check_rest(after.description.as_deref(), after.event_types.as_deref())?;
    let now = tx.now.as_micros();
    if patch.enabled == Some(true) || (&after.url, after.allow_private) != (&before.url, before.allow_private) {
        sqlx::query("UPDATE delivery SET next_at = ?2 WHERE webhook = ?1 AND state = 'waiting'")
            .bind(key)
            .bind(now)
            .execute(tx.conn())
            .await?;
    }
    if patch.enabled == Some(true) {
        (after.failures_in_a_row, after.disabled_at) = (0, None);
        sqlx::query("UPDATE webhook SET failures = 0, disabled_at = NULL WHERE id = ?1")
            .bind(key)
            .execute(tx.conn())
            .await?;
    }
    tx.touches(Topics::WEBHOOKS);
    if after == before {
        return Ok(after);
    }
    sqlx::query(
        "UPDATE webhook SET url = ?2, description = ?3, event_types = ?4, allow_private = ?5, enabled = ?6, updated_at = ?7 WHERE id = ?1",
    )
    .bind(key)
    .bind(&after.url)
    .bind(&after.description)
    .bind(types_text(after.event_types.clone())?)
    .bind(after.allow_private)
    .bind(after.enabled)
    .bind(now)
    .execute(tx.conn())
    .await?;
    changed(tx, operation, id, Some(before)).await
}

async fn archive(tx: &mut Tx<'_>, id: WebhookId) -> Result<()> {
    let (project, now) = (tx.project(), tx.now);
    let Known { key, webhook: before, .. } = find(tx.conn(), project, id, now).await?;
    if before.archived_at.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE webhook SET enabled = 0, archived_at = ?2, updated_at = ?2 WHERE id = ?1")
        .bind(key)
        .bind(now.as_micros())
        .execute(tx.conn())
        .await?;
    sqlx::query(
        "UPDATE delivery SET state = 'failed', next_at = NULL, ended_at = ?2 WHERE webhook = ?1 AND state = 'waiting'",
    )
    .bind(key)
    .bind(now.as_micros())
    .execute(tx.conn())
    .await?;
    changed(tx, "webhooks.archive", id, Some(before)).await?;
    Ok(())
}

async fn rotate_secret(
    tx: &mut Tx<'_>,
    key: &SecretKey,
    id: WebhookId,
    rotate: RotateWebhook,
    salt: Salt,
) -> Result<WebhookWithSecret> {
    let known = find_live(tx, id).await?;
    let secret = SigningSecret::derive(key, id.uuid(), &salt);
    let until = tx.now.saturating_add_micros(i64::from(rotate.overlap_seconds) * 1_000_000);
    // One that derives from another key could not sign.
    let old = known.secret(key).map(|_| (known.salt.to_vec(), until.as_micros()));
    let (old, until) = old.unzip();
    sqlx::query(
        "UPDATE webhook SET old_salt = ?2, old_until = ?3, salt = ?4, secret_hash = ?5, updated_at = ?6 WHERE id = ?1",
    )
    .bind(known.key)
    .bind(old)
    .bind(until)
    .bind(salt.to_vec())
    .bind(secret.hash().to_vec())
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let webhook = changed(tx, "webhooks.rotate", id, Some(known.webhook)).await?;
    Ok(WebhookWithSecret { webhook, secret: secret.reveal() })
}

async fn ping(tx: &mut Tx<'_>, id: WebhookId) -> Result<Delivery> {
    let known = find_live(tx, id).await?;
    if !known.webhook.enabled {
        return Err(Fault::new(Code::Conflict, "the endpoint is disabled; enable it first").into());
    }
    let message = Message {
        id: tx.new_uuid()?,
        event_type: WebhookEventType::Ping,
        data: to_json(&serde_json::json!({ "webhookId": id }))?,
    };
    let now = tx.now;
    let delivery = outbox::tell_one(tx.conn(), &message, (known.key, id), now).await?;
    let delivery = deliveries::find(tx.conn(), &known, delivery).await?;
    sent(tx, "webhooks.test", &delivery).await?;
    Ok(delivery)
}

/// A message that somebody had sent by hand, as the audit keeps it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    delivery_id: DeliveryId,
    message_id: MessageId,
    event_type: WebhookEventType,
}

/// Writes who had a message sent.
pub(crate) async fn sent(tx: &mut Tx<'_>, operation: &'static str, delivery: &Delivery) -> Result<()> {
    let Delivery { id: delivery_id, message_id, event_type, .. } = *delivery;
    let after = Sent { delivery_id, message_id, event_type };
    let target = delivery.webhook_id.to_string();
    tx.audit(Audit { operation, target: &target, before: None, after: Some(&after) }).await?;
    tx.touches(Topics::WEBHOOKS);
    Ok(())
}

/// An endpoint that was not archived.
async fn find_live(tx: &mut Tx<'_>, id: WebhookId) -> Result<Known> {
    let (project, now) = (tx.project(), tx.now);
    let known = find(tx.conn(), project, id, now).await?;
    match known.webhook.archived_at {
        None => Ok(known),
        Some(_) => Err(Fault::new(Code::Conflict, format!("the webhook `{id}` is archived")).into()),
    }
}

/// Takes in a change of an endpoint, and writes who made it.
pub(crate) async fn changed(
    tx: &mut Tx<'_>,
    operation: &'static str,
    id: WebhookId,
    before: Option<Webhook>,
) -> Result<Webhook> {
    let (project, now) = (tx.project(), tx.now);
    let after = find(tx.conn(), project, id, now).await?.webhook;
    tx.config.webhooks = read_rules(tx.conn()).await?;
    tx.audit(Audit { operation, target: &id.to_string(), before: before.as_ref(), after: Some(&after) }).await?;
    tx.touches(Topics::WEBHOOKS);
    Ok(after)
}

fn check_rest(description: Option<&str>, types: Option<&[WebhookEventType]>) -> Result<(), Fault> {
    if let Some(description) = description {
        text::check("description", description, 0, MAX_LONG)?;
    }
    match types {
        Some([]) => Err(Fault::invalid("eventTypes", "must name at least one type, or be null for all")),
        _ => Ok(()),
    }
}

/// Types as stored: each once, in one order.
fn types_text(types: Option<Vec<WebhookEventType>>) -> Result<Option<String>> {
    let sorted = types.map(|types| types.into_iter().collect::<std::collections::BTreeSet<_>>());
    sorted.as_ref().map(to_json).transpose()
}

fn new_salt() -> Result<Salt> {
    let mut salt = Salt::default();
    getrandom::fill(&mut salt).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
    Ok(salt)
}
