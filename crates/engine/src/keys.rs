//! API keys: shown once, kept as a hash, looked up in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sha2::{Digest, Sha256};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use weir_core::error::{Code, Fault};
use weir_core::id::{KeyId, ProjectId};
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::KeyRule;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Key, NewKey, NewKeyAnswer, Scope};
use crate::writer::{Audit, Tx, scope};

/// What every key begins with.
const PREFIX: &str = "weir_sk_";
/// Random bytes in a key.
const SECRET_BYTES: usize = 32;
/// Characters of the secret that are kept to recognise a key by.
const SHOWN: usize = 4;

/// Who a key belongs to, and what it may do.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Whom facts remember.
    pub actor: Actor,
    /// What the key may do.
    pub scope: Scope,
    /// Which key.
    pub key: KeyId,
}

impl Engine {
    /// Makes a key. The secret is in the answer and nowhere else.
    pub async fn create_key(&self, actor: &Actor, new: NewKey) -> Result<NewKeyAnswer> {
        text::check("name", &new.name, 1, MAX_SHORT)?;
        if new.expires_at.is_some_and(|at| at <= self.now()) {
            return Err(Fault::invalid("expiresAt", "must lie in the future").into());
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|error| Error::Storage(format!("no randomness: {error}")))?;
        let secret: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        let token = format!("{PREFIX}{secret}");
        self.writer().change(actor, move |tx| Box::pin(create(tx, new, token))).await
    }

    /// Every key, newest first, without secrets.
    pub async fn keys(&self) -> Result<Vec<Key>> {
        let mut conn = self.reader().await?;
        let rows = sqlx::query("SELECT * FROM api_key ORDER BY id DESC").fetch_all(&mut *conn).await?;
        let config = self.shared.config();
        rows.iter()
            .map(|row| {
                let mut key = read(row, self.shared.project)?;
                // Uses since the engine opened are written with the next flush; here they show at once.
                let used = config
                    .keys
                    .values()
                    .find(|rule| rule.id == key.id)
                    .map(|rule| rule.last_used.load(Ordering::Relaxed));
                let used = used.filter(|used| *used > 0).map(Timestamp::from_micros);
                key.last_used_at = key.last_used_at.max(used);
                Ok(key)
            })
            .collect()
    }

    /// Makes a key stop working at once.
    pub async fn revoke_key(&self, actor: &Actor, id: KeyId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(revoke(tx, id))).await
    }

    /// Whose key this is. Keys are compared by their SHA-256, so the time taken tells nothing about a secret.
    pub fn authenticate(&self, token: &str) -> Result<Caller, Fault> {
        let config = self.shared.config();
        let invalid = || Fault::new(Code::InvalidApiKey, "this API key is not known, or was revoked");
        let rule = config.keys.get(&hash(token)).ok_or_else(invalid)?;
        let now = self.now();
        if rule.expires_at.is_some_and(|at| at <= now) {
            return Err(Fault::new(Code::ExpiredApiKey, "this API key has expired"));
        }
        rule.last_used.fetch_max(now.as_micros(), Ordering::Relaxed);
        Ok(Caller { actor: Actor::key(rule.id.to_string()), scope: rule.scope, key: rule.id })
    }
}

fn hash(token: &str) -> [u8; 32] {
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
    })
}

async fn find(tx: &mut Tx<'_>, id: KeyId) -> Result<Key> {
    let project = tx.project();
    let row = sqlx::query("SELECT * FROM api_key WHERE uuid = ?1").bind(id.uuid()).fetch_optional(tx.conn()).await?;
    read(&row.ok_or_else(|| Error::not_found(Code::KeyNotFound, "key", &id.to_string()))?, project)
}

async fn create(tx: &mut Tx<'_>, new: NewKey, token: String) -> Result<NewKeyAnswer> {
    let id = KeyId::new(tx.new_uuid()?);
    let prefix = token[..PREFIX.len() + SHOWN].to_owned();
    let now = tx.now.as_micros();
    let key: i64 = sqlx::query_scalar(
        "INSERT INTO api_key (uuid, name, scope, hash, prefix, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) RETURNING id",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(new.scope.as_str())
    .bind(hash(&token).to_vec())
    .bind(&prefix)
    .bind(now)
    .bind(new.expires_at.map(Timestamp::as_micros))
    .fetch_one(tx.conn())
    .await?;
    let rule = KeyRule { key, id, scope: new.scope, expires_at: new.expires_at, last_used: AtomicI64::new(0) };
    tx.config.keys.insert(hash(&token), Arc::new(rule));
    let after = find(tx, id).await?;
    tx.audit(Audit { operation: "keys.create", target: &id.to_string(), before: None, after: Some(&after) }).await?;
    tx.touches(Topics::KEYS);
    Ok(NewKeyAnswer {
        id,
        name: after.name,
        scope: after.scope,
        prefix,
        created_at: after.created_at,
        expires_at: after.expires_at,
        key: token,
    })
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
    tx.config.keys.retain(|_, rule| rule.id != id);
    let after = find(tx, id).await?;
    tx.audit(Audit { operation: "keys.revoke", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::KEYS);
    Ok(())
}
