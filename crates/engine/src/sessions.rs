//! Sessions: what a browser's console is known by once it was signed in with a key. Kept as a hash in the file, so that a restart
//! signs nobody out.
//!
//! A session is another way to say a secret of a key: it may what the key may, is counted and remembered as the key is, and ends
//! with that secret, whether that is revoked, expires or was rotated out.

use std::fmt;

use sqlx::Row;
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::keys::{Caller, hash, new_token, unknown_key};
use crate::writer::Tx;

/// For how long a session is good, in seconds.
const SECONDS: u32 = 7 * 86_400;
/// Most sessions of a key: one more, and the oldest ends.
pub const MOST_SESSIONS: u32 = 100;

/// What every session's token begins with.
const PREFIX: &str = "weir_cs_";

/// A session that lets in.
#[derive(Clone, Debug)]
pub struct Session {
    /// Who it speaks for.
    pub caller: Caller,
    /// The name of the key.
    pub key_name: String,
    /// When it ends by itself: no later than its key.
    pub expires_at: Timestamp,
}

/// A session just begun.
pub struct NewSession {
    /// What the browser is known by from now on. Only a hash of it is kept.
    pub token: String,
    /// The session.
    pub session: Session,
}

impl fmt::Debug for NewSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewSession").field("token", &"<redacted>").field("session", &self.session).finish()
    }
}

impl Engine {
    /// Begins a session with a key, which is one more call of it.
    pub async fn sign_in(&self, key: &str) -> Result<NewSession> {
        let caller = self.authenticate(key)?;
        let (secret, token) = (hash(key), new_token(PREFIX)?);
        let kept = hash(&token);
        let actor = caller.actor.clone();
        let expires_at = self.writer().aside(&actor, move |tx| Box::pin(begin(tx, kept, secret))).await?;
        Ok(NewSession { token, session: self.session_of(caller, &secret, expires_at) })
    }

    /// Whose session this is, and one more call of its key.
    pub async fn authenticate_session(&self, token: &str) -> Result<Session> {
        let (secret, expires_at) = self.known_session(token).await?.ok_or_else(unknown)?;
        if expires_at <= self.now() {
            return Err(Fault::new(Code::ExpiredApiKey, "this session is over: sign in again").into());
        }
        let caller = self.admit(&secret)?;
        Ok(self.session_of(caller, &secret, expires_at))
    }

    /// Ends a session at once. One that has ended stays so.
    pub async fn sign_out(&self, token: &str) -> Result<()> {
        // Whoever makes one up does not get as far as the writer.
        if self.known_session(token).await?.is_none() {
            return Ok(());
        }
        let kept = hash(token);
        // No fact remembers who did, and the key may be gone.
        self.writer().aside(&Actor::system(), move |tx| Box::pin(end(tx, kept))).await
    }

    /// The secret that a session was begun with, and when it is over.
    async fn known_session(&self, token: &str) -> Result<Option<([u8; 32], Timestamp)>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let mut conn = self.reader().await?;
        let row = sqlx::query("SELECT secret, expires_at FROM session WHERE hash = ?1")
            .bind(hash(token).to_vec())
            .fetch_optional(&mut *conn)
            .await?;
        let Some(row) = row else { return Ok(None) };
        let damaged = || Error::Storage("a session is damaged".to_owned());
        let secret = row.try_get::<&[u8], _>("secret")?.try_into().map_err(|_| damaged())?;
        Ok(Some((secret, Timestamp::from_micros(row.try_get("expires_at")?))))
    }

    fn session_of(&self, caller: Caller, secret: &[u8; 32], expires_at: Timestamp) -> Session {
        let config = self.shared.config();
        // The key let in just now.
        let key_name = config.keys.get(secret).map(|known| known.rule.name.clone()).unwrap_or_default();
        let expires_at = caller.until.map_or(expires_at, |until| until.min(expires_at));
        Session { caller: Caller { until: Some(expires_at), ..caller }, key_name, expires_at }
    }
}

fn unknown() -> Fault {
    Fault::new(Code::InvalidApiKey, "this session is not known, or was ended: sign in again")
}

async fn begin(tx: &mut Tx<'_>, kept: [u8; 32], secret: [u8; 32]) -> Result<Timestamp> {
    // Since it let in, the key may have been revoked.
    let key = tx.config.keys.get(&secret).map(|known| known.rule.key).ok_or_else(unknown_key)?;
    let now = tx.now;
    let expires_at = now.saturating_add_micros(i64::from(SECONDS) * 1_000_000);
    sqlx::query("DELETE FROM session WHERE expires_at <= ?1").bind(now.as_micros()).execute(tx.conn()).await?;
    sqlx::query("INSERT INTO session (hash, key, secret, created_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)")
        .bind(kept.to_vec())
        .bind(key)
        .bind(secret.to_vec())
        .bind(now.as_micros())
        .bind(expires_at.as_micros())
        .execute(tx.conn())
        .await?;
    let too_many = sqlx::query(
        "DELETE FROM session WHERE id IN (SELECT id FROM session WHERE key = ?1 ORDER BY id DESC LIMIT -1 OFFSET ?2)",
    )
    .bind(key)
    .bind(MOST_SESSIONS)
    .execute(tx.conn())
    .await?;
    if too_many.rows_affected() > 0 {
        tx.touches(Topics::KEYS);
    }
    Ok(expires_at)
}

async fn end(tx: &mut Tx<'_>, kept: [u8; 32]) -> Result<()> {
    let ended = sqlx::query("DELETE FROM session WHERE hash = ?1").bind(kept.to_vec()).execute(tx.conn()).await?;
    if ended.rows_affected() > 0 {
        // Whoever listens by it is to notice.
        tx.touches(Topics::KEYS);
    }
    Ok(())
}

/// Lets go of the sessions of a key that was revoked.
pub(crate) async fn end_all(tx: &mut Tx<'_>, key: Uuid) -> Result<()> {
    sqlx::query("DELETE FROM session WHERE key = (SELECT id FROM api_key WHERE uuid = ?1)")
        .bind(key)
        .execute(tx.conn())
        .await?;
    Ok(())
}
