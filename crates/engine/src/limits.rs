//! Limits: created, listed, changed, archived. What they decide is in `check`.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::event::check_dimensions;
use weir_core::id::{LimitId, MeterId, ProjectId};
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::{Config, MeterRule, effective};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{Enforcement, Limit, LimitPatch, LimitSort, ListLimits, NamedSort, NewLimit, Page};
use crate::order::Order;
use crate::scan::{from_json, to_json};
use crate::writer::{Audit, Tx, read_limit, stored};

/// Most thresholds of a limit, and the largest, in percent.
const MAX_THRESHOLDS: usize = 20;
const MAX_THRESHOLD: u16 = 1_000;

pub(crate) const SELECT: &str = "SELECT l.*, m.uuid AS meter_uuid, c.external_id AS customer_external \
     FROM usage_limit l JOIN meter m ON m.id = l.meter LEFT JOIN customer c ON c.id = l.customer";

/// The largest share used of the limit `l` by a customer now (`?8`): what standings begin with.
const CLOSEST: &str = "(SELECT s.share FROM standing s CROSS JOIN customer c ON c.id = s.customer \
     WHERE s.usage_limit = l.id AND l.enabled AND l.archived_at IS NULL AND c.archived_at IS NULL \
       AND (s.window_end IS NULL OR s.window_end > ?8) ORDER BY s.share DESC LIMIT 1)";

fn order_of(sort: LimitSort) -> Order {
    match sort {
        LimitSort::Newest => Order::named(NamedSort::Newest, "l"),
        LimitSort::Name => Order::named(NamedSort::Name, "l"),
        LimitSort::Utilisation => Order::by_share("utilisation", format!("coalesce({CLOSEST}, -1.0)")),
    }
}

fn no_limit(id: LimitId) -> Error {
    Error::not_found(Code::LimitNotFound, "limit", &id.to_string())
}

impl Engine {
    /// Creates a limit: a customer's own, or a default for every customer.
    pub async fn create_limit(&self, actor: &Actor, new: NewLimit) -> Result<Limit> {
        if let Some(customer) = &new.customer_id {
            text::check_external_id("customerId", customer)?;
        }
        self.writer().change(actor, move |tx| Box::pin(create(tx, new))).await
    }

    /// A limit.
    pub async fn limit(&self, id: LimitId) -> Result<Limit> {
        let mut conn = self.reader().await?;
        find(&mut conn, self.shared.project, id).await
    }

    /// Limits, newest first unless asked otherwise.
    pub async fn limits(&self, list: ListLimits) -> Result<Page<Limit>> {
        let order = order_of(list.sort);
        let last = order.last_row(list.cursor.as_ref())?;
        let customer = match &list.customer_id {
            None if list.effective => return Err(Fault::missing("customerId").into()),
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.shared.customers.get(external))
            }
        };
        // The limits that apply are few and known; other lists come from the table.
        let applying = match &customer {
            Some(customer) if list.effective => {
                let config = self.shared.config();
                let own = customer.as_ref().map(|customer| customer.own.clone()).unwrap_or_default();
                let keys: Vec<i64> = effective(&config, &own).map(|(rule, _)| rule.key).collect();
                Some(to_json(&keys)?)
            }
            _ => None,
        };
        let own = customer.map(|customer| customer.map_or(0, |customer| customer.key));
        let among = "usage_limit l JOIN meter m ON m.id = l.meter WHERE (?4 OR l.archived_at IS NULL) AND (?5 IS NULL OR m.uuid = ?5) \
             AND CASE WHEN ?6 IS NOT NULL THEN l.id IN (SELECT value FROM json_each(?6)) ELSE ?7 IS NULL OR l.customer = ?7 END";
        let sql = order.page("l.id", among, &last, SELECT);
        let mut conn = match list.sort {
            LimitSort::Utilisation => self.projections().await?,
            LimitSort::Newest | LimitSort::Name => self.reader().await?,
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(last.as_ref().map(|(key, _)| key))
            .bind(last.as_ref().map(|(_, id)| id))
            .bind(list.limit.probe())
            .bind(list.include_archived)
            .bind(list.meter_id.map(MeterId::uuid))
            .bind(applying)
            .bind(own)
            .bind(self.now().as_micros())
            .fetch_all(&mut *conn)
            .await?;
        order.cut(&rows, list.limit, |row| read(row, self.shared.project))
    }

    /// Changes a limit and judges every customer by it at once.
    pub async fn update_limit(&self, actor: &Actor, id: LimitId, patch: LimitPatch) -> Result<Limit> {
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Puts a limit out of force.
    pub async fn archive_limit(&self, actor: &Actor, id: LimitId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(set_archived(tx, id, true))).await?;
        Ok(())
    }

    /// Puts a limit back into force.
    pub async fn restore_limit(&self, actor: &Actor, id: LimitId) -> Result<Limit> {
        self.writer().change(actor, move |tx| Box::pin(set_archived(tx, id, false))).await
    }
}

pub(crate) fn read(row: &SqliteRow, project_id: ProjectId) -> Result<Limit> {
    let (units, nanos): (i64, i64) = (row.try_get("units")?, row.try_get("nanos")?);
    let enforcement = match row.try_get("enforcement")? {
        "soft" => Enforcement::Soft,
        _ => Enforcement::Hard,
    };
    Ok(Limit {
        id: LimitId::new(row.try_get("uuid")?),
        project_id,
        name: row.try_get("name")?,
        meter_id: MeterId::new(row.try_get("meter_uuid")?),
        limit_value: Quantity::from_parts(units.into(), nanos.into())?,
        period: stored(row.try_get("period")?)?,
        customer_id: row.try_get("customer_external")?,
        dimension_filters: from_json(row.try_get("dimension_filters")?)?,
        alert_thresholds: from_json(row.try_get("alert_thresholds")?)?,
        enforcement,
        enabled: row.try_get("enabled")?,
        version: row.try_get("version")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at: row.try_get::<Option<i64>, _>("archived_at")?.map(Timestamp::from_micros),
    })
}

async fn find(conn: &mut SqliteConnection, project: ProjectId, id: LimitId) -> Result<Limit> {
    let sql = format!("{SELECT} WHERE l.uuid = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(conn).await?;
    read(&row.ok_or_else(|| no_limit(id))?, project)
}

/// The rules for a limit's own fields.
fn check(
    name: &str,
    value: Quantity,
    filters: &BTreeMap<String, String>,
    thresholds: &mut Vec<u16>,
) -> Result<(), Fault> {
    check_name(name)?;
    check_value(value)?;
    check_filters(filters)?;
    check_thresholds(thresholds)
}

pub(crate) fn check_name(name: &str) -> Result<(), Fault> {
    text::check("name", name, 1, MAX_SHORT)
}

pub(crate) fn check_value(value: Quantity) -> Result<(), Fault> {
    if value.is_positive() { Ok(()) } else { Err(Fault::invalid("limitValue", "must be above 0")) }
}

pub(crate) fn check_filters(filters: &BTreeMap<String, String>) -> Result<(), Fault> {
    check_dimensions("dimensionFilters", filters)
}

/// Also sorts them, and drops repeats.
pub(crate) fn check_thresholds(thresholds: &mut Vec<u16>) -> Result<(), Fault> {
    if thresholds.len() > MAX_THRESHOLDS {
        return Err(Fault::invalid("alertThresholds", format_args!("must have at most {MAX_THRESHOLDS} entries")));
    }
    if let Some(index) = thresholds.iter().position(|percent| !(1..=MAX_THRESHOLD).contains(percent)) {
        return Err(Fault::invalid(
            format!("alertThresholds[{index}]"),
            format_args!("must be a whole percentage from 1 to {MAX_THRESHOLD}"),
        ));
    }
    thresholds.sort_unstable();
    thresholds.dedup();
    Ok(())
}

/// A live meter that can be limited.
pub(crate) fn limitable(config: &Config, id: MeterId) -> Result<Arc<MeterRule>, Fault> {
    let meter = config.meters.values().find(|meter| meter.id == id).cloned();
    let meter =
        meter.ok_or_else(|| Fault { code: Code::MeterNotFound, ..Fault::invalid("meterId", "names no live meter") })?;
    if !meter.aggregation.can_be_limited() {
        let reason = format_args!("names a meter of `{}`, which cannot be limited", meter.aggregation);
        return Err(Fault::invalid("meterId", reason));
    }
    Ok(meter)
}

impl Tx<'_> {
    pub(crate) async fn find_limit(&mut self, id: LimitId) -> Result<Limit> {
        let project = self.project();
        find(self.conn(), project, id).await
    }

    async fn refuse_taken_limit_name(&mut self, name: &str, customer: Option<i64>, but: Option<LimitId>) -> Result<()> {
        let taken: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM usage_limit WHERE name = ?1 AND coalesce(customer, 0) = coalesce(?2, 0) \
             AND archived_at IS NULL AND (?3 IS NULL OR uuid <> ?3))",
        )
        .bind(name)
        .bind(customer)
        .bind(but.map(LimitId::uuid))
        .fetch_one(self.conn())
        .await?;
        if !taken {
            return Ok(());
        }
        let whose = if customer.is_some() { "of this customer" } else { "among the defaults" };
        Err(Fault {
            code: Code::Conflict,
            ..Fault::invalid("name", format_args!("is the name of another live limit {whose}"))
        }
        .into())
    }

    /// Brings what decides in line with a limit's row.
    async fn put_limit(&mut self, id: LimitId) -> Result<Limit> {
        let counting = self.new_counting();
        let row =
            sqlx::query("SELECT * FROM usage_limit WHERE uuid = ?1").bind(id.uuid()).fetch_one(self.conn()).await?;
        let customer: Option<i64> = row.try_get("customer")?;
        let in_force = row.try_get::<Option<i64>, _>("archived_at")?.is_none() && row.try_get::<bool, _>("enabled")?;
        let rule = read_limit(&row, counting)?;
        let after = self.find_limit(id).await?;
        match (customer, &after.customer_id) {
            (Some(_), Some(external)) => {
                let mut live = self
                    .customer(external)
                    .ok_or_else(|| Error::Storage("a limit's customer is missing".to_owned()))?;
                let mut own: Vec<_> = live.own.iter().filter(|own| own.key != rule.key).cloned().collect();
                if in_force {
                    own.push(Arc::new(rule));
                }
                live.own = own.into();
                self.recount(live).await?;
            }
            _ => {
                self.config.defaults.retain(|default| default.key != rule.key);
                if in_force {
                    self.config.defaults.push(Arc::new(rule));
                }
                self.recount_everyone().await?;
            }
        }
        self.touches(Topics::LIMITS);
        Ok(after)
    }
}

async fn create(tx: &mut Tx<'_>, mut new: NewLimit) -> Result<Limit> {
    check(&new.name, new.limit_value, &new.dimension_filters, &mut new.alert_thresholds)?;
    let meter = limitable(&tx.config, new.meter_id)?;
    let customer = match &new.customer_id {
        Some(external) => Some(tx.customer_or_new(external).await?.key),
        None => None,
    };
    tx.refuse_taken_limit_name(&new.name, customer, None).await?;
    let id = LimitId::new(tx.new_uuid()?);
    let (units, nanos) = new.limit_value.parts();
    sqlx::query(
        "INSERT INTO usage_limit (uuid, name, meter, customer, units, nanos, period, dimension_filters, alert_thresholds, enforcement, \
         enabled, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(meter.key)
    .bind(customer)
    .bind(units as i64)
    .bind(nanos)
    .bind(new.period.as_str())
    .bind(to_json(&new.dimension_filters)?)
    .bind(to_json(&new.alert_thresholds)?)
    .bind(new.enforcement.as_str())
    .bind(new.enabled)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let after = tx.put_limit(id).await?;
    tx.audit(Audit { operation: "limits.create", target: &id.to_string(), before: None, after: Some(&after) }).await?;
    Ok(after)
}

async fn update(tx: &mut Tx<'_>, id: LimitId, patch: LimitPatch) -> Result<Limit> {
    let before = tx.find_limit(id).await?;
    let mut after = before.clone();
    after.name = patch.name.unwrap_or(after.name);
    after.meter_id = patch.meter_id.unwrap_or(after.meter_id);
    after.limit_value = patch.limit_value.unwrap_or(after.limit_value);
    after.period = patch.period.unwrap_or(after.period);
    after.dimension_filters = patch.dimension_filters.unwrap_or(after.dimension_filters);
    after.alert_thresholds = patch.alert_thresholds.unwrap_or(after.alert_thresholds);
    after.enforcement = patch.enforcement.unwrap_or(after.enforcement);
    after.enabled = patch.enabled.unwrap_or(after.enabled);
    check(&after.name, after.limit_value, &after.dimension_filters, &mut after.alert_thresholds)?;
    if after == before {
        return Ok(before);
    }
    let meter = limitable(&tx.config, after.meter_id)?;
    if before.archived_at.is_none() && after.name != before.name {
        let customer =
            before.customer_id.as_deref().and_then(|external| tx.customer(external)).map(|customer| customer.key);
        tx.refuse_taken_limit_name(&after.name, customer, Some(id)).await?;
    }
    let (units, nanos) = after.limit_value.parts();
    sqlx::query(
        "UPDATE usage_limit SET name = ?2, meter = ?3, units = ?4, nanos = ?5, period = ?6, dimension_filters = ?7, alert_thresholds = ?8, \
         enforcement = ?9, enabled = ?10, updated_at = ?11, version = version + 1 WHERE uuid = ?1",
    )
    .bind(id.uuid())
    .bind(&after.name)
    .bind(meter.key)
    .bind(units as i64)
    .bind(nanos)
    .bind(after.period.as_str())
    .bind(to_json(&after.dimension_filters)?)
    .bind(to_json(&after.alert_thresholds)?)
    .bind(after.enforcement.as_str())
    .bind(after.enabled)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let after = tx.put_limit(id).await?;
    tx.audit(Audit { operation: "limits.update", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    Ok(after)
}

async fn set_archived(tx: &mut Tx<'_>, id: LimitId, archived: bool) -> Result<Limit> {
    let before = tx.find_limit(id).await?;
    if before.archived_at.is_some() == archived {
        return Ok(before);
    }
    if !archived {
        limitable(&tx.config, before.meter_id)?;
        let customer =
            before.customer_id.as_deref().and_then(|external| tx.customer(external)).map(|customer| customer.key);
        tx.refuse_taken_limit_name(&before.name, customer, Some(id)).await?;
    }
    let now = tx.now.as_micros();
    sqlx::query("UPDATE usage_limit SET archived_at = ?2, updated_at = ?3, version = version + 1 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(archived.then_some(now))
        .bind(now)
        .execute(tx.conn())
        .await?;
    let after = tx.put_limit(id).await?;
    let operation = if archived { "limits.archive" } else { "limits.restore" };
    tx.audit(Audit { operation, target: &id.to_string(), before: Some(&before), after: Some(&after) }).await?;
    Ok(after)
}
