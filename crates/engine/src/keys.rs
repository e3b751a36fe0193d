//! API keys: shown once, kept as a hash, looked up in memory.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use weir_core::error::{Code, Fault};
use weir_core::id::{KeyId, ProjectId};
use weir_core::rate::RateSpan;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::{KEY_SPANS, KeyRule, KeySecret};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Change, Key, KeyPatch, NewKey, NewKeyAnswer, RotateKey, Scope};
use crate::sessions;
use crate::writer::{Audit, Tx, scope};

/// What every key begins with.
const PREFIX: &str = "weir_sk_";
/// Random bytes in a key.
const SECRET_BYTES: usize = 32;
/// Characters of the secret that are kept to recognise a key by.
const SHOWN: usize = 4;
/// Most calls of a key within any minute and any day, when nothing is said.
const PER_MINUTE: u32 = 1_000;
const PER_DAY: u32 = 100_000;
/// The most that may be said.
const MOST_CALLS: u32 = 1_000_000_000;
/// For how long a rotated secret may stay good, in seconds.
const MOST_OVERLAP: u32 = 30 * 86_400;

/// Who a key belongs to, and what it may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whom facts remember.
    pub actor: Actor,
    /// What the key may do.
    pub scope: Scope,
    /// Which key.
    pub key: KeyId,
    /// When what it came with ends by itself, if it does.
    pub until: Option<Timestamp>,
}

impl Engine {
    /// Makes a key. The secret is in the answer and nowhere else.
    pub async fn create_key(&self, actor: &Actor, new: NewKey) -> Result<NewKeyAnswer> {
        text::check("name", &new.name, 1, MAX_SHORT)?;
        if new.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(Fault::invalid("expiresAt", "must lie in the future").into());
        }
        let limits =
            [limit("perMinute", &new.per_minute, Some(PER_MINUTE))?, limit("perDay", &new.per_day, Some(PER_DAY))?];
        let token = new_token(PREFIX)?;
        self.writer().change(actor, move |tx| Box::pin(create(tx, new, limits, token))).await
    }

    /// Every key, newest first, without secrets.
    pub async fn keys(&self) -> Result<Vec<Key>> {
        let mut conn = self.reader().await?;
        let rows = sqlx::query("SELECT * FROM api_key ORDER BY id DESC").fetch_all(&mut *conn).await?;
        let (config, now) = (self.shared.config(), self.now());
        rows.iter()
            .map(|row| {
                let mut key = read(row, self.shared.project)?;
                // Uses since the engine opened are written with the next flush; here they show at once.
                let used = config
                    .keys
                    .values()
                    .find(|secret| secret.rule.id == key.id)
                    .map(|secret| secret.rule.used.last.load(Ordering::Relaxed));
                let used = used.filter(|used| *used > 0).map(Timestamp::from_micros);
                key.last_used_at = key.last_used_at.max(used);
                key.old_secret_until = key.old_secret_until.filter(|until| *until > now);
                Ok(key)
            })
            .collect()
    }

    /// Changes a key's name, date or rate limits.
    pub async fn update_key(&self, actor: &Actor, id: KeyId, patch: KeyPatch) -> Result<Key> {
        if let Some(name) = &patch.name {
            text::check("name", name, 1, MAX_SHORT)?;
        }
        limit("perMinute", &patch.per_minute, None)?;
        limit("perDay", &patch.per_day, None)?;
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Gives a key a new secret. The one until now stays good for a while beside it.
    pub async fn rotate_key(&self, actor: &Actor, id: KeyId, rotate: RotateKey) -> Result<NewKeyAnswer> {
        if rotate.overlap_seconds > MOST_OVERLAP {
            let reason = format_args!("must be a whole number from 0 to {MOST_OVERLAP}");
            return Err(Fault::invalid("overlapSeconds", reason).into());
        }
        let token = new_token(PREFIX)?;
        self.writer().change(actor, move |tx| Box::pin(rotate_secret(tx, id, rotate, token))).await
    }

    /// Makes a key stop working at once.
    pub async fn revoke_key(&self, actor: &Actor, id: KeyId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(revoke(tx, id))).await
    }

    /// Whose key this is, and one more call of it. Keys are compared by their SHA-256, so the time taken tells nothing about a secret.
    pub fn authenticate(&self, token: &str) -> Result<Caller> {
        self.admit(&hash(token))
    }

    /// Whose secret this is the hash of, and one more call of the key.
    pub(crate) fn admit(&self, secret: &[u8; 32]) -> Result<Caller> {
        let config = self.shared.config();
        let KeySecret { rule, until } = config.keys.get(secret).ok_or_else(unknown_key)?;
        let now = self.now();
        if until.is_some_and(|until| until <= now) {
            return Err(Fault::new(Code::ExpiredApiKey, "this secret was rotated, and is no longer good").into());
        }
        if rule.expires_at.is_some_and(|at| at <= now) {
            return Err(Fault::new(Code::ExpiredApiKey, "this API key has expired").into());
        }
        rule.used.last.fetch_max(now.as_micros(), Ordering::Relaxed);
        rule.admit(now)?;
        let until = until.iter().copied().chain(rule.expires_at).min();
        Ok(Caller { actor: Actor::key(rule.id.to_string()), scope: rule.scope, key: rule.id, until })
    }
}

impl KeyRule {
    /// Counts a call, unless the key has made as many as it may.
    fn admit(&self, now: Timestamp) -> Result<()> {
        if self.limits == [None, None] {
            return Ok(());
        }
        let mut calls = self.used.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refused: Option<(RateSpan, u32, Timestamp)> = None;
        for ((span, limit), calls) in KEY_SPANS.into_iter().zip(self.limits).zip(calls.iter()) {
            let Some(limit) = limit else { continue };
            let from = calls.admits_from(span, limit.into(), now);
            // The longest wait is the one to tell.
            if from > now && refused.is_none_or(|(.., latest)| from > latest) {
                refused = Some((span, limit, from));
            }
        }
        if let Some((span, limit, from)) = refused {
            let retry_after_seconds = from.seconds_from(now);
            return Err(Error::TooManyCalls { limit, span, retry_after_seconds });
        }
        for (span, calls) in KEY_SPANS.into_iter().zip(calls.iter_mut()) {
            calls.take(span, now);
        }
        Ok(())
    }
}

/// Why a secret that opens no key is refused.
pub(crate) fn unknown_key() -> Fault {
    Fault::new(Code::InvalidApiKey, "this API key is not known, or was revoked")
}

/// A secret that nobody can guess.
pub(crate) fn new_token(prefix: &str) -> Result<String> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
    let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{prefix}{secret}"))
}

/// A rate limit as it is to be.
fn limit(field: &str, given: &Change<u32>, before: Option<u32>) -> Result<Option<u32>, Fault> {
    match given {
        Change::Keep => Ok(before),
        Change::Clear => Ok(None),
        Change::Set(calls) if (1..=MOST_CALLS).contains(calls) => Ok(Some(*calls)),
        Change::Set(_) => {
            Err(Fault::invalid(field, format_args!("must be a whole number from 1 to {MOST_CALLS}, or null for none")))
        }
    }
}

/// What is kept of a secret.
pub(crate) fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

fn read(row: &SqliteRow, project_id: ProjectId) -> Result<Key> {
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    Ok(Key {
        id: KeyId::new(row.try_get("uuid")?),
        project_id,
        name: row.try_get("name")?,
        scope: scope(row.try_get("scope")?),
        prefix: row.try_get("prefix")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        last_used_at: instant("last_used_at")?,
        expires_at: instant("expires_at")?,
        revoked_at: instant("revoked_at")?,
        per_minute: row.try_get("per_minute")?,
        per_day: row.try_get("per_day")?,
        old_secret_until: instant("old_until")?,
    })
}

async fn find(tx: &mut Tx<'_>, id: KeyId) -> Result<Key> {
    let project = tx.project();
    let row = sqlx::query("SELECT * FROM api_key WHERE uuid = ?1").bind(id.uuid()).fetch_optional(tx.conn()).await?;
    read(&row.ok_or_else(|| Error::not_found(Code::KeyNotFound, "key", &id.to_string()))?, project)
}

async fn create(tx: &mut Tx<'_>, new: NewKey, limits: [Option<u32>; 2], token: String) -> Result<NewKeyAnswer> {
    let id = KeyId::new(tx.new_uuid()?);
    let prefix = token[..PREFIX.len() + SHOWN].to_owned();
    let now = tx.now.as_micros();
    let key: i64 = sqlx::query_scalar(
        "INSERT INTO api_key (uuid, name, scope, hash, prefix, created_at, expires_at, per_minute, per_day) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) RETURNING id",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(new.scope.as_str())
    .bind(hash(&token).to_vec())
    .bind(&prefix)
    .bind(now)
    .bind(new.expires_at.map(Timestamp::as_micros))
    .bind(limits[0])
    .bind(limits[1])
    .fetch_one(tx.conn())
    .await?;
    let rule = KeyRule {
        key,
        id,
        name: new.name.clone(),
        scope: new.scope,
        expires_at: new.expires_at,
        limits,
        used: Arc::default(),
    };
    tx.config.keys.insert(hash(&token), KeySecret { rule: Arc::new(rule), until: None });
    let after = find(tx, id).await?;
    tx.audit(Audit { operation: "keys.create", target: &id.to_string(), before: None, after: Some(&after) }).await?;
    tx.touches(Topics::KEYS);
    Ok(made(after, token))
}

/// A key with its secret, shown this once.
fn made(key: Key, token: String) -> NewKeyAnswer {
    NewKeyAnswer {
        id: key.id,
        name: key.name,
        scope: key.scope,
        prefix: key.prefix,
        created_at: key.created_at,
        expires_at: key.expires_at,
        key: token,
    }
}

async fn update(tx: &mut Tx<'_>, id: KeyId, patch: KeyPatch) -> Result<Key> {
    let before = find_live(tx, id).await?;
    let mut after = before.clone();
    after.name = patch.name.unwrap_or(after.name);
    if patch.expires_at.as_set().is_some_and(|at| *at <= tx.now) {
        return Err(Fault::invalid("expiresAt", "must lie in the future").into());
    }
    patch.expires_at.apply(&mut after.expires_at);
    patch.per_minute.apply(&mut after.per_minute);
    patch.per_day.apply(&mut after.per_day);
    if after == before {
        return Ok(before);
    }
    sqlx::query("UPDATE api_key SET name = ?2, expires_at = ?3, per_minute = ?4, per_day = ?5 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(&after.name)
        .bind(after.expires_at.map(Timestamp::as_micros))
        .bind(after.per_minute)
        .bind(after.per_day)
        .execute(tx.conn())
        .await?;
    for secret in tx.config.keys.values_mut().filter(|secret| secret.rule.id == id) {
        let rule = KeyRule {
            name: after.name.clone(),
            expires_at: after.expires_at,
            limits: [after.per_minute, after.per_day],
            ..(*secret.rule).clone()
        };
        secret.rule = Arc::new(rule);
    }
    tx.audit(Audit { operation: "keys.update", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::KEYS);
    Ok(after)
}

async fn rotate_secret(tx: &mut Tx<'_>, id: KeyId, rotate: RotateKey, token: String) -> Result<NewKeyAnswer> {
    let before = find_live(tx, id).await?;
    let now = tx.now;
    let until = now.saturating_add_micros(i64::from(rotate.overlap_seconds) * 1_000_000);
    let prefix = token[..PREFIX.len() + SHOWN].to_owned();
    sqlx::query("UPDATE api_key SET old_hash = hash, old_until = ?2, hash = ?3, prefix = ?4 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(until.as_micros())
        .bind(hash(&token).to_vec())
        .bind(&prefix)
        .execute(tx.conn())
        .await?;
    let is_of = |secret: &KeySecret| secret.rule.id == id;
    let rule = tx.config.keys.values().find(|secret| is_of(secret)).map(|secret| secret.rule.clone());
    // The secret before the last one stops at once.
    tx.config.keys.retain(|_, secret| !is_of(secret) || secret.until.is_none());
    for secret in tx.config.keys.values_mut().filter(|secret| is_of(secret)) {
        secret.until = Some(until);
    }
    if let Some(rule) = rule {
        tx.config.keys.insert(hash(&token), KeySecret { rule, until: None });
    }
    let after = find(tx, id).await?;
    tx.audit(Audit { operation: "keys.rotate", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::KEYS);
    Ok(made(after, token))
}

/// A key that has not been revoked.
async fn find_live(tx: &mut Tx<'_>, id: KeyId) -> Result<Key> {
    let key = find(tx, id).await?;
    match key.revoked_at {
        None => Ok(key),
        Some(_) => Err(Fault::new(Code::Conflict, format!("the key `{id}` was revoked")).into()),
    }
}

async fn revoke(tx: &mut Tx<'_>, id: KeyId) -> Result<()> {
    let before = find(tx, id).await?;
    if before.revoked_at.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE api_key SET revoked_at = ?2 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(tx.now.as_micros())
        .execute(tx.conn())
        .await?;
    tx.config.keys.retain(|_, secret| secret.rule.id != id);
    sessions::end_all(tx, id.uuid()).await?;
    let after = find(tx, id).await?;
    tx.audit(Audit { operation: "keys.revoke", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::KEYS);
    Ok(())
}
