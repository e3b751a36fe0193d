//! Client tokens: what a customer's own front end calls with. Shown once, kept as a hash, good for a while.

use std::sync::{Mutex, PoisonError};

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::id::{ClientTokenId, ProjectId};
use weir_core::properties::{Json, Properties};
use weir_core::rate::{RateCount, RateSpan};
use weir_core::text;
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::keys::{hash, new_token};
use crate::model::{
    ClientToken, Cursor, IntrospectToken, IntrospectedToken, ListClientTokens, NewClientToken, NewClientTokenAnswer,
    OwnToken, Page,
};
use crate::writer::{Audit, Tx};

/// Most calls with one token within any minute. They are counted in memory: a restart begins anew.
pub const CLIENT_CALLS_PER_MINUTE: u32 = 120;

/// What every client token begins with.
const PREFIX: &str = "weir_ct_";
/// For how long a token may be good, in seconds.
const MOST_TTL: u32 = 86_400;
/// For how long a token is kept past its date, in microseconds.
const KEPT: i64 = 86_400 * 1_000_000;
/// Most tokens that one write lets go of.
const LET_GO: i64 = 1_000;
/// Most tokens whose calls are counted at a time.
const MOST_COUNTED: usize = 100_000;
/// How often tokens without a call in the last minute are forgotten, in microseconds.
const FORGET_EVERY: i64 = 10 * 1_000_000;

/// A front end with a client token.
#[derive(Clone, Debug)]
pub struct ClientCaller {
    /// Whom facts remember.
    pub actor: Actor,
    /// Which token.
    pub token: ClientTokenId,
    /// Whose front end: the customer's external id.
    pub customer_id: String,
    /// What it may know of its token.
    pub own: OwnToken,
}

impl Engine {
    /// Makes a client token. It is in the answer and nowhere else.
    pub async fn create_client_token(&self, actor: &Actor, new: NewClientToken) -> Result<NewClientTokenAnswer> {
        if !(1..=MOST_TTL).contains(&new.ttl_seconds) {
            let reason = format_args!("must be a whole number from 1 to {MOST_TTL}");
            return Err(Fault::invalid("ttlSeconds", reason).into());
        }
        let customer = customer_of(&new.public_metadata)?;
        let token = new_token(PREFIX)?;
        self.writer().aside(actor, move |tx| Box::pin(create(tx, new, customer, token))).await
    }

    /// A client token.
    pub async fn client_token(&self, id: ClientTokenId) -> Result<ClientToken> {
        let mut conn = self.reader().await?;
        find(&mut conn, id, self.shared.project).await
    }

    /// Client tokens, newest first; those past their date are kept for a day.
    pub async fn client_tokens(&self, list: ListClientTokens) -> Result<Page<ClientToken>> {
        let before = Cursor::below(list.cursor.as_ref())?;
        let mut conn = self.reader().await?;
        // Two statements, each with an index of its own.
        let rows = match &list.customer_id {
            None => sqlx::query("SELECT * FROM client_token WHERE id < ?1 ORDER BY id DESC LIMIT ?2"),
            Some(customer) => {
                text::check_external_id("customerId", customer)?;
                let sql = "SELECT * FROM client_token WHERE customer = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
                sqlx::query(sql).bind(customer)
            }
        };
        let rows = rows.bind(before).bind(list.limit.probe()).fetch_all(&mut *conn).await?;
        let tokens: Vec<(i64, ClientToken)> =
            rows.iter().map(|row| Ok((row.try_get("id")?, read(row, self.shared.project)?))).collect::<Result<_>>()?;
        let page = Page::cut(tokens, list.limit, |(number, _)| Cursor::of(&[&number.to_string()]));
        let data = page.data.into_iter().map(|(_, token)| token).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// Makes a client token stop working at once. Doing it again changes nothing.
    pub async fn revoke_client_token(&self, actor: &Actor, id: ClientTokenId) -> Result<()> {
        self.writer().aside(actor, move |tx| Box::pin(revoke(tx, id))).await
    }

    /// What is known of a token by the token itself, also of one that lets nobody in any more.
    pub async fn introspect_client_token(&self, asked: IntrospectToken) -> Result<IntrospectedToken> {
        let Some(known) = self.known_token(&asked.token).await? else {
            return Err(Fault::new(Code::ClientTokenNotFound, "there is no such client token").into());
        };
        Ok(IntrospectedToken { active: known.lets_in(self.now()).is_ok(), token: known.token })
    }

    /// Whose front end this is, and one more call of it. Tokens are compared by their SHA-256, so the time taken tells nothing
    /// about one.
    pub async fn authenticate_client(&self, token: &str) -> Result<ClientCaller> {
        let known = self.known_token(token).await?.ok_or_else(not_let_in)?;
        let now = self.now();
        known.lets_in(now)?;
        self.shared.client_calls.admit(known.token.id, now)?;
        let ClientToken { id, project_id, customer_id, public_metadata, expires_at, .. } = known.token;
        let own = OwnToken { project_id, public_metadata, expires_at };
        Ok(ClientCaller { actor: Actor::client(id.to_string()), token: id, customer_id, own })
    }

    async fn known_token(&self, token: &str) -> Result<Option<Known>> {
        if !token.starts_with(PREFIX) {
            return Ok(None);
        }
        let mut conn = self.reader().await?;
        let row = sqlx::query(
            "SELECT t.*, EXISTS (SELECT 1 FROM customer c WHERE c.external_id = t.customer AND c.archived_at IS NOT NULL) AS archived \
             FROM client_token t WHERE t.hash = ?1",
        )
        .bind(hash(token).to_vec())
        .fetch_optional(&mut *conn)
        .await?;
        let read = |row: SqliteRow| -> Result<Known> {
            Ok(Known { archived: row.try_get("archived")?, token: read(&row, self.shared.project)? })
        };
        row.map(read).transpose()
    }
}

/// A token that there is.
struct Known {
    token: ClientToken,
    /// Whether its customer is archived.
    archived: bool,
}

impl Known {
    fn lets_in(&self, now: Timestamp) -> Result<(), Fault> {
        if self.token.revoked_at.is_some() || self.archived {
            return Err(not_let_in());
        }
        if self.token.expires_at <= now {
            return Err(Fault::new(Code::ExpiredApiKey, "this client token is past its date"));
        }
        Ok(())
    }
}

fn not_let_in() -> Fault {
    Fault::new(Code::InvalidApiKey, "this client token is not known, or was revoked")
}

/// Calls within the last minute, by token.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    by_token: FxHashMap<ClientTokenId, RateCount>,
    forgot_at: Option<Timestamp>,
}

impl Calls {
    /// Counts a call, unless the token has made as many as it may.
    fn admit(&self, token: ClientTokenId, now: Timestamp) -> Result<()> {
        let (span, limit) = (RateSpan::Minute, CLIENT_CALLS_PER_MINUTE);
        let mut counted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.forgot_at.is_none_or(|at| now.micros_since(at) >= FORGET_EVERY) {
            counted.forgot_at = Some(now);
            counted.by_token.retain(|_, calls| calls.forget(span, now));
        }
        if counted.by_token.len() >= MOST_COUNTED && !counted.by_token.contains_key(&token) {
            return Err(Error::Busy { reason: "too many client tokens are in use", retry_after_seconds: 1 });
        }
        let calls = counted.by_token.entry(token).or_default();
        let from = calls.admits_from(span, limit.into(), now);
        if from > now {
            return Err(Error::TooManyCalls { limit, span, retry_after_seconds: from.seconds_from(now) });
        }
        calls.take(span, now);
        Ok(())
    }
}

/// The customer that metadata names.
fn customer_of(metadata: &Properties) -> Result<String, Fault> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(rename = "customerId", borrow)]
        camel: Option<&'a RawValue>,
        #[serde(rename = "customer_id", borrow)]
        snake: Option<&'a RawValue>,
    }

    const CAMEL: &str = "publicMetadata.customerId";
    const SNAKE: &str = "publicMetadata.customer_id";
    let named: Named<'_> =
        serde_json::from_str(metadata.as_json()).map_err(|error| Fault::invalid("publicMetadata", error))?;
    let read = |field: &str, given: Option<&RawValue>| -> Result<Option<String>, Fault> {
        let Some(given) = given else { return Ok(None) };
        let customer = serde_json::from_str::<String>(given.get())
            .map_err(|_| Fault::invalid(field, "must be a text: the customer's external id"))?;
        text::check_external_id(field, &customer)?;
        Ok(Some(customer))
    };
    match (read(CAMEL, named.camel)?, read(SNAKE, named.snake)?) {
        (Some(camel), Some(snake)) if camel != snake => {
            Err(Fault::invalid(SNAKE, format_args!("contradicts `{CAMEL}`")))
        }
        (Some(customer), _) | (None, Some(customer)) => Ok(customer),
        (None, None) => Err(Fault::missing(CAMEL)),
    }
}

/// A token as the audit shows it: what only the operator's programs may know of it is not repeated.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Audited<'a> {
    id: ClientTokenId,
    customer_id: &'a str,
    public_metadata: &'a Properties,
    has_server_context: bool,
    created_at: Timestamp,
    expires_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl<'a> From<&'a ClientToken> for Audited<'a> {
    fn from(token: &'a ClientToken) -> Self {
        Audited {
            id: token.id,
            customer_id: &token.customer_id,
            public_metadata: &token.public_metadata,
            has_server_context: token.server_context.is_some(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            revoked_at: token.revoked_at,
        }
    }
}

fn read(row: &SqliteRow, project_id: ProjectId) -> Result<ClientToken> {
    let damaged = |reason: String| Error::Storage(format!("a client token is damaged: {reason}"));
    Ok(ClientToken {
        id: ClientTokenId::new(row.try_get("uuid")?),
        project_id,
        customer_id: row.try_get("customer")?,
        public_metadata: Properties::parse(row.try_get("public_metadata")?).map_err(damaged)?,
        server_context: row
            .try_get::<Option<&str>, _>("server_context")?
            .map(Json::parse)
            .transpose()
            .map_err(damaged)?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
        revoked_at: row.try_get::<Option<i64>, _>("revoked_at")?.map(Timestamp::from_micros),
    })
}

async fn find(conn: &mut SqliteConnection, id: ClientTokenId, project: ProjectId) -> Result<ClientToken> {
    let row = sqlx::query("SELECT * FROM client_token WHERE uuid = ?1").bind(id.uuid()).fetch_optional(conn).await?;
    let row = row.ok_or_else(|| Error::not_found(Code::ClientTokenNotFound, "client token", &id.to_string()))?;
    read(&row, project)
}

async fn create(tx: &mut Tx<'_>, new: NewClientToken, customer: String, token: String) -> Result<NewClientTokenAnswer> {
    let archived: Option<bool> =
        sqlx::query_scalar("SELECT archived_at IS NOT NULL FROM customer WHERE external_id = ?1")
            .bind(&customer)
            .fetch_optional(tx.conn())
            .await?;
    if archived == Some(true) {
        let message = format!("the customer `{customer}` is archived: restore it first");
        return Err(Fault::new(Code::Conflict, message).into());
    }
    let now = tx.now;
    sqlx::query(
        "DELETE FROM client_token WHERE id IN (SELECT id FROM client_token WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)",
    )
    .bind(now.as_micros() - KEPT)
    .bind(LET_GO)
    .execute(tx.conn())
    .await?;
    let made = ClientToken {
        id: ClientTokenId::new(tx.new_uuid()?),
        project_id: tx.project(),
        customer_id: customer,
        public_metadata: new.public_metadata,
        server_context: new.server_context,
        created_at: now,
        expires_at: now.saturating_add_micros(i64::from(new.ttl_seconds) * 1_000_000),
        revoked_at: None,
    };
    sqlx::query(
        "INSERT INTO client_token (uuid, hash, customer, public_metadata, server_context, created_at, expires_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(made.id.uuid())
    .bind(hash(&token).to_vec())
    .bind(&made.customer_id)
    .bind(made.public_metadata.as_json())
    .bind(made.server_context.as_ref().map(Json::as_json))
    .bind(now.as_micros())
    .bind(made.expires_at.as_micros())
    .execute(tx.conn())
    .await?;
    audit(tx, "client_tokens.create", None, &made).await?;
    Ok(NewClientTokenAnswer { id: made.id, token, expires_at: made.expires_at })
}

async fn revoke(tx: &mut Tx<'_>, id: ClientTokenId) -> Result<()> {
    let project = tx.project();
    let before = find(tx.conn(), id, project).await?;
    if before.revoked_at.is_some() {
        return Ok(());
    }
    let after = ClientToken { revoked_at: Some(tx.now), ..before.clone() };
    sqlx::query("UPDATE client_token SET revoked_at = ?2 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(tx.now.as_micros())
        .execute(tx.conn())
        .await?;
    audit(tx, "client_tokens.revoke", Some(&before), &after).await
}

async fn audit(
    tx: &mut Tx<'_>,
    operation: &'static str,
    before: Option<&ClientToken>,
    after: &ClientToken,
) -> Result<()> {
    let (before, target) = (before.map(Audited::from), after.id.to_string());
    let after = Audited::from(after);
    tx.audit(Audit { operation, target: &target, before: before.as_ref(), after: Some(&after) }).await?;
    tx.touches(Topics::CLIENT_TOKENS);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_names_one_customer() {
        let read = |json: &str| {
            customer_of(&Properties::parse(json).unwrap()).map_err(|fault| (fault.code, fault.field.unwrap()))
        };
        for json in [
            r#"{"customerId":"acme"}"#,
            r#"{"customer_id":"acme","seat":7}"#,
            r#"{"customerId":"acme","customer_id":"acme"}"#,
            r#"{"customerId":"acme","customer_id":null}"#,
            r#"{"customerId":"\u0061cme","big":1e400}"#,
        ] {
            assert_eq!(read(json), Ok("acme".to_owned()), "{json}");
        }
        let camel = "publicMetadata.customerId".to_owned();
        for json in ["{}", r#"{"customerId":null}"#, r#"{"CustomerId":"acme"}"#, r#"{"customer":{"customerId":"a"}}"#] {
            assert_eq!(read(json), Err((Code::MissingRequiredField, camel.clone())), "{json}");
        }
        for json in [
            r#"{"customerId":5}"#,
            r#"{"customerId":1e400}"#,
            r#"{"customerId":["acme"]}"#,
            r#"{"customerId":""}"#,
            r#"{"customerId":"a\u0000"}"#,
            r#"{"customerId":"cus_0199f2a0-0000-7000-8000-000000000000"}"#,
        ] {
            assert_eq!(read(json), Err((Code::InvalidFieldValue, camel.clone())), "{json}");
        }
        let both = read(r#"{"customerId":"acme","customer_id":"Acme"}"#);
        assert_eq!(both, Err((Code::InvalidFieldValue, "publicMetadata.customer_id".to_owned())));
    }

    #[test]
    fn calls_are_counted_for_each_token_and_forgotten_after_a_minute() {
        let calls = Calls::default();
        let token = |n: u128| ClientTokenId::new(uuid::Uuid::from_u128(n));
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for _ in 0..CLIENT_CALLS_PER_MINUTE {
            calls.admit(token(1), at(100)).unwrap();
        }
        let refused = calls.admit(token(1), at(100)).unwrap_err();
        assert!(matches!(refused, Error::TooManyCalls { limit: 120, retry_after_seconds: 61, .. }), "{refused}");
        calls.admit(token(2), at(100)).unwrap();
        calls.admit(token(1), at(161)).unwrap();
        assert_eq!(calls.0.lock().unwrap().by_token.len(), 1, "the other one made no call for a minute");
    }

    #[test]
    fn no_more_tokens_are_counted_than_there_is_room_for() {
        let calls = Calls::default();
        let token = |n: usize| ClientTokenId::new(uuid::Uuid::from_u128(n as u128));
        let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
        for n in 0..MOST_COUNTED {
            calls.admit(token(n), at(100)).unwrap();
        }
        assert_eq!(calls.admit(token(MOST_COUNTED), at(100)).unwrap_err().code(), Code::Busy);
        calls.admit(token(5), at(100)).unwrap();
        calls.admit(token(MOST_COUNTED), at(161)).unwrap();
    }
}
