//! Customers: created, listed, changed, archived.

use std::collections::BTreeMap;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::event::MAX_ENTRIES;
use weir_core::id::{CustomerId, ProjectId};
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_LONG, MAX_SHORT};
use weir_core::time::{CivilDate, Timestamp, Zone};

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Change, Cursor, Customer, CustomerPatch, CustomerSort, ListCustomers, NewCustomer, Page};
use crate::scan::{from_json, to_json};
use crate::writer::{Audit, Tx, stored};

/// A customer row with what lists show: the latest event, and the largest share used of a limit that applies now (`?1`).
const SELECT: &str = "SELECT c.*, a.last_event_at, \
     (SELECT max(s.share) FROM standing s WHERE s.customer = c.id AND (s.window_end IS NULL OR s.window_end > ?1)) AS share \
     FROM customer c LEFT JOIN customer_activity a ON a.customer = c.id";

fn no_customer(id: &str) -> Error {
    Error::not_found(Code::CustomerNotFound, "customer", id)
}

impl Engine {
    /// Creates a customer.
    pub async fn create_customer(&self, actor: &Actor, new: NewCustomer) -> Result<Customer> {
        text::check_external_id("externalId", &new.external_id)?;
        check_texts(&new.name, &new.email)?;
        check_metadata(&new.metadata)?;
        self.writer().change(actor, move |tx| Box::pin(create(tx, new))).await
    }

    /// A customer by external id, or else by internal id.
    pub async fn customer(&self, id: &str) -> Result<Customer> {
        let mut conn = self.projections().await?;
        find(&mut conn, self.shared.project, id, self.now()).await
    }

    /// Customers, a page at a time, and how many there are in all.
    pub async fn customers(&self, list: ListCustomers) -> Result<(Page<Customer>, u64)> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        let mut conn = self.projections().await?;
        let like = list.query.as_deref().filter(|query| !query.is_empty()).map(like_pattern);
        let matching = "(?2 OR c.archived_at IS NULL) AND (?3 IS NULL OR c.external_id LIKE ?3 ESCAPE '\\' OR c.name LIKE ?3 ESCAPE '\\' \
                        OR c.email LIKE ?3 ESCAPE '\\' OR (c.metadata <> '{}' AND c.metadata LIKE ?3 ESCAPE '\\'))";
        // The sort key, its direction, and what stands for a customer without one.
        let (key, order, none) = match list.sort {
            CustomerSort::Newest => ("c.id", "DESC", "0"),
            CustomerSort::ExternalId => ("c.external_id", "ASC", "''"),
            CustomerSort::Utilisation => ("share", "DESC", "-1.0"),
            CustomerSort::LastEvent => ("a.last_event_at", "DESC", "-1"),
        };
        let past = if order == "ASC" { ">" } else { "<" };
        let after: Option<[String; 2]> = match &list.cursor {
            None => None,
            Some(cursor) => {
                Some(cursor.keys().ok_or_else(|| Fault::invalid("cursor", "is not a cursor of this list"))?)
            }
        };
        // A cursor names its row exactly: 17 digits tell any two floats apart.
        let (cast, text) = match list.sort {
            CustomerSort::ExternalId => ("TEXT", "sort_key"),
            CustomerSort::Utilisation => ("REAL", "printf('%!.17g', sort_key)"),
            CustomerSort::Newest | CustomerSort::LastEvent => ("INTEGER", "CAST(sort_key AS TEXT)"),
        };
        let sql = format!(
            "SELECT *, {text} AS sort_text FROM (SELECT t.*, coalesce({inner}, {none}) AS sort_key \
             FROM ({SELECT} WHERE {matching}) t) \
             WHERE ?4 IS NULL OR (sort_key, -id) {past} (CAST(?4 AS {cast}), -?5) ORDER BY sort_key {order}, id LIMIT ?6",
            inner = key.rsplit('.').next().unwrap_or(key),
        );
        let (after_key, after_id) = match &after {
            Some([key, id]) => {
                let id: i64 = id.parse().map_err(|_| Fault::invalid("cursor", "is not a cursor of this list"))?;
                (Some(key.as_str()), id)
            }
            None => (None, 0),
        };
        let now = self.now().as_micros();
        let rows = sqlx::query(sqlx::AssertSqlSafe(if order == "ASC" {
            sql.replace("-id", "id").replace("-?5", "?5")
        } else {
            sql
        }))
        .bind(now)
        .bind(list.include_archived)
        .bind(&like)
        .bind(after_key)
        .bind(after_id)
        .bind(list.limit.probe())
        .fetch_all(&mut *conn)
        .await?;
        let mut customers = Vec::with_capacity(rows.len());
        for row in &rows {
            let cursor = Cursor::of(&[row.try_get("sort_text")?, &row.try_get::<i64, _>("id")?.to_string()]);
            customers.push((read(row, self.shared.project)?, cursor));
        }
        let page = Page::cut(customers, list.limit, |(_, cursor)| cursor.clone());
        let total: i64 = if like.is_none() && list.include_archived {
            self.shared.customers.len() as i64
        } else {
            let sql = format!("SELECT count(*) FROM customer c WHERE ?1 IS NOT NULL AND {matching}");
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(now)
                .bind(list.include_archived)
                .bind(&like)
                .fetch_one(&mut *conn)
                .await?
        };
        let data = page.data.into_iter().map(|(customer, _)| customer).collect();
        Ok((Page { data, next_cursor: page.next_cursor, has_more: page.has_more }, total.unsigned_abs()))
    }

    /// Changes a customer. A new zone or billing date re-cuts all of the customer's windows from the recorded events.
    pub async fn update_customer(&self, actor: &Actor, id: &str, patch: CustomerPatch) -> Result<Customer> {
        check_texts(&patch.name.as_set().cloned(), &patch.email.as_set().cloned())?;
        if let Some(metadata) = &patch.metadata {
            check_metadata(metadata)?;
        }
        let id = id.to_owned();
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Hides a customer. History stays, and events still count.
    pub async fn archive_customer(&self, actor: &Actor, id: &str) -> Result<()> {
        let id = id.to_owned();
        self.writer().change(actor, move |tx| Box::pin(set_archived(tx, id, true))).await?;
        Ok(())
    }

    /// Brings a customer back into the lists.
    pub async fn restore_customer(&self, actor: &Actor, id: &str) -> Result<Customer> {
        let id = id.to_owned();
        self.writer().change(actor, move |tx| Box::pin(set_archived(tx, id, false))).await
    }
}

/// A `LIKE` pattern that finds a text anywhere.
pub(crate) fn like_pattern(query: &str) -> String {
    let escaped = query.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

fn check_texts(name: &Option<String>, email: &Option<String>) -> Result<(), Fault> {
    for (field, text) in [("name", name), ("email", email)] {
        if let Some(text) = text {
            text::check(field, text, 1, MAX_SHORT)?;
        }
    }
    Ok(())
}

fn check_metadata(metadata: &BTreeMap<String, String>) -> Result<(), Fault> {
    if metadata.len() > MAX_ENTRIES {
        return Err(Fault::invalid("metadata", format_args!("must have at most {MAX_ENTRIES} entries")));
    }
    for (key, value) in metadata {
        let path = format!("metadata.{key}");
        text::check_key(&path, key)?;
        text::check(&path, value, 0, MAX_LONG)?;
    }
    Ok(())
}

/// A date as given, or the local date of an instant.
fn cycle_start(given: &str, zone: Zone) -> Result<CivilDate, Fault> {
    if let Ok(date) = given.parse::<CivilDate>() {
        return Ok(date);
    }
    let at = Timestamp::parse(given)
        .map_err(|_| Fault::invalid("billingCycleStart", "must be a date (YYYY-MM-DD) or an instant (RFC 3339)"))?;
    Ok(CivilDate::of(at, zone))
}

fn read(row: &SqliteRow, project_id: ProjectId) -> Result<Customer> {
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    Ok(Customer {
        id: CustomerId::new(row.try_get("uuid")?),
        project_id,
        external_id: row.try_get("external_id")?,
        name: row.try_get("name")?,
        email: row.try_get("email")?,
        timezone: row.try_get::<Option<&str>, _>("timezone")?.map(stored).transpose()?,
        billing_cycle_start: stored(row.try_get("billing_cycle_start")?)?,
        metadata: from_json(row.try_get("metadata")?)?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at: instant("archived_at")?,
        last_event_at: instant("last_event_at")?,
        utilisation: row.try_get::<Option<f64>, _>("share")?.map(percent),
    })
}

/// A share for sorting, as a percentage to show, truncated to two digits.
fn percent(share: f64) -> Quantity {
    let hundredths = (share * 10_000.0).floor();
    Quantity::from_steps(hundredths.clamp(-1e17, 1e17) as i128 * 10_000_000)
}

/// The row of a customer by external id, or else by internal id.
async fn find(conn: &mut SqliteConnection, project: ProjectId, id: &str, now: Timestamp) -> Result<Customer> {
    let by = |column: &str| format!("{SELECT} WHERE c.{column} = ?2");
    let row = sqlx::query(sqlx::AssertSqlSafe(by("external_id")))
        .bind(now.as_micros())
        .bind(id)
        .fetch_optional(&mut *conn)
        .await?;
    if let Some(row) = row {
        return read(&row, project);
    }
    let internal: CustomerId = id.parse().map_err(|_| no_customer(id))?;
    let row = sqlx::query(sqlx::AssertSqlSafe(by("uuid")))
        .bind(now.as_micros())
        .bind(internal.uuid())
        .fetch_optional(conn)
        .await?;
    read(&row.ok_or_else(|| no_customer(id))?, project)
}

impl Tx<'_> {
    pub(crate) async fn find_customer(&mut self, id: &str) -> Result<Customer> {
        let (project, now) = (self.project(), self.now);
        find(self.conn(), project, id, now).await
    }
}

async fn create(tx: &mut Tx<'_>, new: NewCustomer) -> Result<Customer> {
    if tx.customer(&new.external_id).is_some() {
        let existing = tx.find_customer(&new.external_id).await?;
        let hint = match existing.archived_at {
            Some(_) => "exists and is archived; restore it instead",
            None => "exists already",
        };
        return Err(Fault { code: Code::Conflict, ..Fault::invalid("externalId", hint) }.into());
    }
    let zone = new.timezone.unwrap_or(tx.config.project.timezone);
    let anchor = match &new.billing_cycle_start {
        Some(given) => cycle_start(given, zone)?,
        None => CivilDate::of(tx.now, zone),
    };
    let customer = tx.new_customer(&new.external_id, new.timezone, anchor)?;
    let now = tx.now.as_micros();
    sqlx::query(
        "INSERT INTO customer (id, uuid, external_id, name, email, timezone, billing_cycle_start, metadata, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
    )
    .bind(customer.key)
    .bind(customer.id.uuid())
    .bind(&new.external_id)
    .bind(&new.name)
    .bind(&new.email)
    .bind(new.timezone.map(Zone::name))
    .bind(anchor.to_string())
    .bind(to_json(&new.metadata)?)
    .bind(now)
    .execute(tx.conn())
    .await?;
    tx.put_customer(customer);
    tx.touches(Topics::CUSTOMERS);
    let after = tx.find_customer(&new.external_id).await?;
    tx.audit(Audit { operation: "customers.create", target: &after.id.to_string(), before: None, after: Some(&after) })
        .await?;
    Ok(after)
}

async fn update(tx: &mut Tx<'_>, id: String, patch: CustomerPatch) -> Result<Customer> {
    let before = tx.find_customer(&id).await?;
    let mut after = before.clone();
    patch.name.apply(&mut after.name);
    patch.email.apply(&mut after.email);
    let zone_given = patch.timezone != Change::Keep;
    patch.timezone.apply(&mut after.timezone);
    if let Some(given) = &patch.billing_cycle_start {
        after.billing_cycle_start = cycle_start(given, after.timezone.unwrap_or(tx.config.project.timezone))?;
    }
    after.metadata = patch.metadata.unwrap_or(after.metadata);
    sqlx::query(
        "UPDATE customer SET name = ?2, email = ?3, timezone = ?4, billing_cycle_start = ?5, metadata = ?6, updated_at = ?7, \
         version = version + 1 WHERE uuid = ?1",
    )
    .bind(after.id.uuid())
    .bind(&after.name)
    .bind(&after.email)
    .bind(after.timezone.map(Zone::name))
    .bind(after.billing_cycle_start.to_string())
    .bind(to_json(&after.metadata)?)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    if (zone_given && before.timezone != after.timezone) || before.billing_cycle_start != after.billing_cycle_start {
        let mut live = tx.customer(&after.external_id).ok_or_else(|| no_customer(&id))?;
        (live.zone, live.anchor) = (after.timezone, after.billing_cycle_start);
        live.counters.clear();
        tx.recount(live).await?;
    }
    finish(tx, "customers.update", before).await
}

async fn set_archived(tx: &mut Tx<'_>, id: String, archived: bool) -> Result<Customer> {
    let before = tx.find_customer(&id).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before);
    }
    let now = tx.now.as_micros();
    sqlx::query("UPDATE customer SET archived_at = ?2, updated_at = ?3, version = version + 1 WHERE uuid = ?1")
        .bind(before.id.uuid())
        .bind(archived.then_some(now))
        .bind(now)
        .execute(tx.conn())
        .await?;
    finish(tx, if archived { "customers.archive" } else { "customers.restore" }, before).await
}

async fn finish(tx: &mut Tx<'_>, operation: &'static str, before: Customer) -> Result<Customer> {
    let after = tx.find_customer(&before.external_id).await?;
    tx.audit(Audit { operation, target: &after.id.to_string(), before: Some(&before), after: Some(&after) }).await?;
    tx.touches(Topics::CUSTOMERS);
    Ok(after)
}
