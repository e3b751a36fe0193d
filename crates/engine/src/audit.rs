//! The audit, read: who changed what, newest first or oldest.
//!
//! A customer's facts are those whose target is the customer, those whose target is a limit or a rate limit of the customer's own,
//! the exceptions made for the customer, the voids of the customer's events, and the customer's client tokens. The former are found by their ids: a limit never
//! passes to another customer, and its row stays when it is archived. The latter say whose they are in the fact itself, by the
//! external id, which never changes.

use rustc_hash::FxHashMap;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::error::Fault;
use weir_core::id::{BalanceId, KeyId, LimitId, RateLimitId};
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::{Actor, ActorKind};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{AuditActor, AuditFact, ListAudit, Page, Snapshot};
use crate::scan::to_json;
use crate::writer::Audit;

/// What ids of facts begin with.
const PREFIX: &str = "aud_";
/// A fact, what its target is called now, and whose it is. Ids of all kinds are of one space, so that a target is found in whatever
/// table it stands.
const COLUMNS: &str = "seq, at, actor, operation, target, before, after, \
    (SELECT coalesce((SELECT name FROM usage_limit WHERE uuid = target_uuid), (SELECT name FROM rate_limit WHERE uuid = target_uuid), \
       (SELECT name FROM balance WHERE uuid = target_uuid), (SELECT name FROM meter WHERE uuid = target_uuid), (SELECT name FROM api_key WHERE uuid = target_uuid), \
       (SELECT url FROM webhook WHERE uuid = target_uuid), (SELECT external_id FROM customer WHERE uuid = target_uuid)) \
     FROM (SELECT unhex(substr(target, instr(target, '_') + 1), '-') AS target_uuid)) AS target_name, \
    coalesce(json_extract(after, '$.customerId'), json_extract(before, '$.customerId'), \
      (SELECT c.external_id FROM (SELECT unhex(substr(target, instr(target, '_') + 1), '-') AS target_uuid) t JOIN customer c ON c.uuid = t.target_uuid \
         OR c.id = coalesce((SELECT customer FROM usage_limit WHERE uuid = t.target_uuid), (SELECT customer FROM rate_limit WHERE uuid = t.target_uuid), \
           (SELECT customer FROM balance WHERE uuid = t.target_uuid)))) AS customer_id";
/// Facts fetched in one go while a text is looked for.
const CHUNK: usize = 500;
/// Most facts looked through for one page: beyond, the page is short and the next one goes on.
const MAX_LOOKED_AT: usize = 20_000;

impl Engine {
    /// Remembers who changed something that the host keeps, with what stood before and after.
    pub async fn remember<T: Serialize + Send + Sync + 'static>(
        &self,
        actor: &Actor,
        operation: &'static str,
        target: &'static str,
        before: T,
        after: T,
    ) -> Result<()> {
        self.writer()
            .aside(actor, move |tx| {
                Box::pin(async move {
                    tx.audit(Audit { operation, target, before: Some(&before), after: Some(&after) }).await
                })
            })
            .await
    }

    /// Audit facts, newest first unless asked otherwise. A page may be short although more follow.
    pub async fn audit(&self, list: ListAudit) -> Result<Page<AuditFact>> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        if let Some(operation) = &list.operation {
            text::check("operation", operation, 1, MAX_SHORT)?;
        }
        let mut last = list.sort.last(list.cursor.as_ref())?;
        let (past, direction) = list.sort.sql();
        let mut conn = self.reader().await?;
        let actors = read_actors(&mut conn, None).await?;
        let by = list.actor.as_deref().map(|wanted| acting(&actors, wanted)).transpose()?;
        let targets = match &list.customer_id {
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.targets_of(&mut conn, external).await?)
            }
        };
        let (by, targets) =
            (by.map(|by| to_json(&by)).transpose()?, targets.map(|targets| to_json(&targets)).transpose()?);
        let wanted = list.query.filter(|query| !query.is_empty()).map(|query| Wanted::new(&query, &actors));
        let size = list.limit.rows();
        let chunk = if wanted.is_some() { CHUNK } else { size + 1 };
        let (mut found, mut looked_at) = (Vec::new(), 0);
        loop {
            let sql = format!(
                "SELECT {COLUMNS} FROM audit WHERE seq {past} ?1 AND (?2 IS NULL OR at >= ?2) \
                 AND (?3 IS NULL OR at < ?3) AND (?4 IS NULL OR operation = ?4 OR substr(operation, 1, length(?4) + 1) = ?4 || '.') \
                 AND (?5 IS NULL OR actor IN (SELECT value FROM json_each(?5))) \
                 AND (?6 IS NULL OR target IN (SELECT value FROM json_each(?6)) \
                   OR (operation IN ('events.void', 'limits.raise', 'limits.end_raise', 'limits.reset', 'client_tokens.create', 'client_tokens.revoke') \
                     AND coalesce(json_extract(after, '$.customerId'), json_extract(before, '$.customerId')) = ?7)) ORDER BY seq {direction} LIMIT ?8",
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(last)
                .bind(list.from.map(Timestamp::as_micros))
                .bind(list.to.map(Timestamp::as_micros))
                .bind(&list.operation)
                .bind(&by)
                .bind(&targets)
                .bind(&list.customer_id)
                .bind(chunk as i64)
                .fetch_all(&mut *conn)
                .await?;
            for row in &rows {
                let seq: i64 = row.try_get("seq")?;
                let fits = match &wanted {
                    None => true,
                    Some(wanted) => wanted.fits(row)?,
                };
                if fits && found.len() == size {
                    // One more than the page holds: there is more.
                    return Ok(Page::new(found, Some(list.sort.cursor(last))));
                }
                if fits {
                    found.push(self.fact(row, &actors)?);
                }
                last = seq;
            }
            looked_at += rows.len();
            if rows.len() < chunk {
                return Ok(Page::new(found, None));
            }
            if looked_at >= MAX_LOOKED_AT {
                return Ok(Page::new(found, Some(list.sort.cursor(last))));
            }
        }
    }

    /// What facts about a customer are about: the customer, and every limit and rate limit that is or was the customer's own.
    async fn targets_of(&self, conn: &mut SqliteConnection, external: &str) -> Result<Vec<String>> {
        let Some(customer) = self.shared.customers.get(external) else { return Ok(Vec::new()) };
        let mut targets = vec![customer.id.to_string()];
        let limits: Vec<Uuid> = sqlx::query_scalar("SELECT uuid FROM usage_limit WHERE customer = ?1")
            .bind(customer.key)
            .fetch_all(&mut *conn)
            .await?;
        targets.extend(limits.into_iter().map(|uuid| LimitId::new(uuid).to_string()));
        let rates: Vec<Uuid> = sqlx::query_scalar("SELECT uuid FROM rate_limit WHERE customer = ?1")
            .bind(customer.key)
            .fetch_all(&mut *conn)
            .await?;
        targets.extend(rates.into_iter().map(|uuid| RateLimitId::new(uuid).to_string()));
        let balances: Vec<Uuid> = sqlx::query_scalar("SELECT uuid FROM balance WHERE customer = ?1")
            .bind(customer.key)
            .fetch_all(conn)
            .await?;
        targets.extend(balances.into_iter().map(|uuid| BalanceId::new(uuid).to_string()));
        Ok(targets)
    }

    fn fact(&self, row: &SqliteRow, actors: &FxHashMap<i64, AuditActor>) -> Result<AuditFact> {
        let snapshot = |column: &str| -> Result<_> { Ok(row.try_get::<Option<String>, _>(column)?.map(Snapshot::new)) };
        let unknown = || AuditActor { kind: ActorKind::System.as_str().to_owned(), name: String::new(), label: None };
        Ok(AuditFact {
            id: format!("{PREFIX}{}", row.try_get::<i64, _>("seq")?),
            project_id: self.shared.project,
            at: Timestamp::from_micros(row.try_get("at")?),
            actor: actors.get(&row.try_get("actor")?).cloned().unwrap_or_else(unknown),
            operation: row.try_get("operation")?,
            target: row.try_get("target")?,
            target_name: row.try_get("target_name")?,
            customer_id: row.try_get("customer_id")?,
            before: snapshot("before")?,
            after: snapshot("after")?,
        })
    }
}

/// These actors, or everyone who ever changed something, by number. The latter are few: one for each kind and each key. Front ends
/// with a client token are many, and change nothing.
pub(crate) async fn read_actors(
    conn: &mut SqliteConnection,
    wanted: Option<&[i64]>,
) -> Result<FxHashMap<i64, AuditActor>> {
    let rows = sqlx::query("SELECT uuid, name FROM api_key").fetch_all(&mut *conn).await?;
    let mut names = FxHashMap::default();
    for row in rows {
        names.insert(KeyId::new(row.try_get(0)?).to_string(), row.try_get::<String, _>(1)?);
    }
    let rows = match wanted {
        None => {
            sqlx::query("SELECT id, kind, name FROM actor WHERE kind IN ('operator', 'key', 'cli', 'system')")
                .fetch_all(conn)
                .await?
        }
        Some(wanted) => {
            let sql = "SELECT id, kind, name FROM actor WHERE id IN (SELECT value FROM json_each(?1))";
            sqlx::query(sql).bind(to_json(wanted)?).fetch_all(conn).await?
        }
    };
    rows.iter()
        .map(|row| {
            let (kind, name): (String, String) = (row.try_get(1)?, row.try_get(2)?);
            let label = if kind == ActorKind::Key.as_str() { names.get(&name).cloned() } else { None };
            Ok((row.try_get(0)?, AuditActor { kind, name, label }))
        })
        .collect()
}

/// The numbers of the actors that a filter names.
fn acting(actors: &FxHashMap<i64, AuditActor>, wanted: &str) -> Result<Vec<i64>> {
    let kinds = [ActorKind::Operator, ActorKind::Key, ActorKind::Cli, ActorKind::System];
    let is_kind = kinds.iter().any(|kind| kind.as_str() == wanted);
    if !is_kind && wanted.parse::<KeyId>().is_err() {
        return Err(
            Fault::invalid("actor", "must be `operator`, `key`, `cli` or `system`, or the id of an API key").into()
        );
    }
    let fits = |actor: &AuditActor| if is_kind { actor.kind == wanted } else { actor.name == wanted };
    Ok(actors.iter().filter(|(_, actor)| fits(actor)).map(|(key, _)| *key).collect())
}

/// A text that facts are searched for.
struct Wanted {
    text: String,
    /// The same as it stands within JSON.
    quoted: String,
    /// Whose facts fit whatever was done.
    actors: Vec<i64>,
}

impl Wanted {
    fn new(query: &str, actors: &FxHashMap<i64, AuditActor>) -> Self {
        let text = query.to_lowercase();
        let quoted = serde_json::to_string(&text).unwrap_or_default();
        let quoted = quoted[1..quoted.len() - 1].to_owned();
        let named = |actor: &AuditActor| {
            let all = [Some(&actor.kind), Some(&actor.name), actor.label.as_ref()];
            all.into_iter().flatten().any(|word| word.to_lowercase().contains(&text))
        };
        let actors = actors.iter().filter(|(_, actor)| named(actor)).map(|(key, _)| *key).collect();
        Wanted { text, quoted, actors }
    }

    fn fits(&self, row: &SqliteRow) -> Result<bool> {
        if self.actors.contains(&row.try_get("actor")?) {
            return Ok(true);
        }
        let plain = ["operation", "target", "target_name", "customer_id"].map(|column| (column, &self.text));
        let quoted = ["before", "after"].map(|column| (column, &self.quoted));
        for (column, wanted) in plain.into_iter().chain(quoted) {
            let text: Option<&str> = row.try_get(column)?;
            if text.is_some_and(|text| text.to_lowercase().contains(wanted.as_str())) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
