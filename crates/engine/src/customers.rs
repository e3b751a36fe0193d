//! Customers: created, listed, changed, archived.

use std::collections::BTreeMap;
use std::sync::Arc;

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
use crate::model::{Change, Customer, CustomerPatch, NewCustomer};
use crate::rollup::join_quantity;
use crate::scan::{from_json, to_json};
use crate::writer::{Audit, Tx, stored};

/// The largest share used of a limit that applies to the customer `c` now (`?1`).
pub(crate) const SHARE: &str = "(SELECT max(s.share) FROM standing s \
     WHERE s.customer = c.id AND (s.window_end IS NULL OR s.window_end > ?1))";
/// What the customer `c` has used of each limit that applies now (`?1`), exactly, and the limit, raised or its own: as JSON.
pub(crate) const USED: &str = "(SELECT json_group_array(json_array(s.used_hi, s.used_lo, s.used_nanos, \
            coalesce(o.units, l.units), coalesce(o.nanos, l.nanos))) \
     FROM standing s JOIN usage_limit l ON l.id = s.usage_limit \
     LEFT JOIN limit_override o ON o.until > ?1 AND (o.units, o.nanos) > (l.units, l.nanos) AND o.seq = \
       (SELECT max(seq) FROM limit_override WHERE customer = s.customer AND usage_limit = s.usage_limit) \
     WHERE s.customer = c.id AND (s.window_end IS NULL OR s.window_end > ?1))";

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

/// A customer row with `last_event_at` and `used`.
pub(crate) fn read(row: &SqliteRow, project_id: ProjectId) -> Result<Customer> {
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
        utilisation: largest_share(from_json(row.try_get("used")?)?)?,
    })
}

/// The largest share used of a limit, as a percentage truncated to two digits.
fn largest_share(used: Vec<(i64, i64, i64, i64, i64)>) -> Result<Option<Quantity>> {
    let mut largest = None;
    for (hi, lo, nanos, limit_units, limit_nanos) in used {
        let limit = Quantity::from_parts(limit_units.into(), limit_nanos.into())?;
        largest = largest.max(Some(join_quantity(hi, lo, nanos)?.percent_of(limit)));
    }
    Ok(largest)
}

/// The row of a customer by external id, or else by internal id.
async fn find(conn: &mut SqliteConnection, project: ProjectId, id: &str, now: Timestamp) -> Result<Customer> {
    let by = |column: &str| {
        format!(
            "SELECT c.*, a.last_event_at, {USED} AS used \
             FROM customer c LEFT JOIN customer_activity a ON a.customer = c.id WHERE c.{column} = ?2"
        )
    };
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
    if after == before {
        return Ok(before);
    }
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
        // What is due is due by the windows as they were cut.
        tx.load_accounts(&mut live).await?;
        (live.zone, live.anchor) = (after.timezone, after.billing_cycle_start);
        tx.recut_balances(&mut live);
        live.counters.clear();
        tx.recount(live).await?;
    }
    if after.name != before.name {
        let mut live = tx.customer(&after.external_id).ok_or_else(|| no_customer(&id))?;
        tx.load_accounts(&mut live).await?;
        for balance in live.accounts.iter_mut() {
            Arc::make_mut(&mut balance.rule).customer_name.clone_from(&after.name);
        }
        tx.put_customer(live);
        tx.touches(Topics::BALANCES);
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
