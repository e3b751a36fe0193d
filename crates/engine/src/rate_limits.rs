//! Rate limits: created, listed, changed, archived, and asked. Calls are admitted and counted by the writer, as it tracks.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::error::{Code, Fault};
use weir_core::event::check_dimensions;
use weir_core::id::{ProjectId, RateLimitId};
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::check::validate_event;
use crate::config::{EVERYONE, RateRule};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{CheckRates, ListRateLimits, NewRateLimit, Page, RateLimit, RateLimitPatch, RatesAnswer};
use crate::order::Order;
use crate::scan::{from_json, to_json};
use crate::writer::{Audit, Tx, by_tightness, rate_standing, read_rate, stored};

/// Most calls that a rate limit may admit within its window.
const MAX_CALLS: u64 = 1_000_000_000;

const SELECT: &str =
    "SELECT r.*, c.external_id AS customer_external FROM rate_limit r LEFT JOIN customer c ON c.id = r.customer";

impl Engine {
    /// Creates a rate limit: a customer's own, or one for every customer.
    pub async fn create_rate_limit(&self, actor: &Actor, new: NewRateLimit) -> Result<RateLimit> {
        if let Some(customer) = &new.customer_id {
            text::check_external_id("customerId", customer)?;
        }
        self.writer().change(actor, move |tx| Box::pin(create(tx, new))).await
    }

    /// A rate limit.
    pub async fn rate_limit(&self, id: RateLimitId) -> Result<RateLimit> {
        let mut conn = self.reader().await?;
        find(&mut conn, self.shared.project, id).await
    }

    /// Rate limits, newest first unless asked otherwise.
    pub async fn rate_limits(&self, list: ListRateLimits) -> Result<Page<RateLimit>> {
        let order = Order::named(list.sort, "r");
        let last = order.last_row(list.cursor.as_ref())?;
        let own = match &list.customer_id {
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.shared.customers.get(external).map_or(EVERYONE, |customer| customer.key))
            }
        };
        let among = "rate_limit r WHERE (?4 OR r.archived_at IS NULL) AND (?5 IS NULL OR r.customer = ?5)";
        let sql = order.page("r.id", among, &last, SELECT);
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(last.as_ref().map(|(key, _)| key))
            .bind(last.as_ref().map(|(_, id)| id))
            .bind(list.limit.probe())
            .bind(list.include_archived)
            .bind(own)
            .fetch_all(&mut *conn)
            .await?;
        order.cut(&rows, list.limit, |row| read(row, self.shared.project))
    }

    /// Changes a rate limit, from the next call on.
    pub async fn update_rate_limit(&self, actor: &Actor, id: RateLimitId, patch: RateLimitPatch) -> Result<RateLimit> {
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Puts a rate limit out of force, for good.
    pub async fn archive_rate_limit(&self, actor: &Actor, id: RateLimitId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(archive(tx, id))).await
    }

    /// Whether a customer may make a call now, as far as rate limits go. Consumes nothing.
    pub fn check_rates(&self, check: &CheckRates) -> Result<RatesAnswer> {
        validate_event(&check.customer_id, check.event_type.as_deref(), check.dimensions.as_ref())?;
        let (config, now) = (self.shared.config(), self.now());
        let customer = self.shared.customers.get(&check.customer_id);
        let key = customer.as_ref().map_or(EVERYONE, |customer| customer.key);
        let mut rate_limits: Vec<_> = config
            .rates_of(key)
            .filter(|rule| applies(rule, check))
            .map(|rule| rate_standing(rule, customer.as_deref(), now))
            .collect();
        by_tightness(&mut rate_limits);
        Ok(RatesAnswer { allowed: !rate_limits.iter().any(|rate| rate.exceeded), rate_limits })
    }
}

/// Whether a call counts on a rate limit, as far as is told of it: without dimensions only the type can say that it does not.
pub(crate) fn applies(rule: &RateRule, check: &CheckRates) -> bool {
    let event_type = check.said_type();
    let Some(dimensions) = &check.dimensions else {
        return event_type.is_none()
            || rule.filters.get("event_type").is_none_or(|wanted| event_type == Some(wanted.as_str()));
    };
    rule.filters.iter().all(|(name, wanted)| match name.as_str() {
        "customer_id" => *wanted == check.customer_id,
        "event_type" => event_type == Some(wanted.as_str()),
        _ => dimensions.get(name) == Some(wanted),
    })
}

fn no_rate_limit(id: RateLimitId) -> Error {
    Error::not_found(Code::RateLimitNotFound, "rate limit", &id.to_string())
}

async fn find(conn: &mut SqliteConnection, project: ProjectId, id: RateLimitId) -> Result<RateLimit> {
    let sql = format!("{SELECT} WHERE r.uuid = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(conn).await?;
    read(&row.ok_or_else(|| no_rate_limit(id))?, project)
}

fn read(row: &SqliteRow, project_id: ProjectId) -> Result<RateLimit> {
    Ok(RateLimit {
        id: RateLimitId::new(row.try_get("uuid")?),
        project_id,
        name: row.try_get("name")?,
        window: stored(row.try_get("span")?)?,
        limit_value: u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or_default(),
        dimension_filters: from_json(row.try_get("dimension_filters")?)?,
        customer_id: row.try_get("customer_external")?,
        enabled: row.try_get("enabled")?,
        version: row.try_get("version")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at: row.try_get::<Option<i64>, _>("archived_at")?.map(Timestamp::from_micros),
    })
}

/// The rules for a rate limit's own fields.
fn check(name: &str, value: u64, filters: &BTreeMap<String, String>) -> Result<(), Fault> {
    text::check("name", name, 1, MAX_SHORT)?;
    if !(1..=MAX_CALLS).contains(&value) {
        return Err(Fault::invalid("limitValue", "must be a whole number from 1 to 1,000,000,000"));
    }
    check_dimensions("dimensionFilters", filters)
}

impl Tx<'_> {
    async fn refuse_taken_rate_name(
        &mut self,
        name: &str,
        customer: Option<i64>,
        but: Option<RateLimitId>,
    ) -> Result<()> {
        let taken: bool = sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM rate_limit WHERE name = ?1 AND coalesce(customer, 0) = coalesce(?2, 0) \
             AND archived_at IS NULL AND (?3 IS NULL OR uuid <> ?3))",
        )
        .bind(name)
        .bind(customer)
        .bind(but.map(RateLimitId::uuid))
        .fetch_one(self.conn())
        .await?;
        if taken {
            let whose = if customer.is_some() { "of this customer" } else { "for every customer" };
            let fault = Fault::invalid("name", format_args!("is the name of another live rate limit {whose}"));
            return Err(Fault { code: Code::Conflict, ..fault }.into());
        }
        Ok(())
    }

    /// Forgets the calls that a rate limit has counted.
    async fn count_calls_anew(&mut self, id: RateLimitId) -> Result<()> {
        let key: i64 = sqlx::query_scalar("SELECT id FROM rate_limit WHERE uuid = ?1")
            .bind(id.uuid())
            .fetch_one(self.conn())
            .await?;
        sqlx::query("DELETE FROM rate_use WHERE rate_limit = ?1").bind(key).execute(self.conn()).await?;
        self.forget_calls(key);
        Ok(())
    }

    /// Brings what decides in line with a rate limit's row.
    async fn put_rate(&mut self, id: RateLimitId) -> Result<RateLimit> {
        let row =
            sqlx::query("SELECT * FROM rate_limit WHERE uuid = ?1").bind(id.uuid()).fetch_one(self.conn()).await?;
        let rule = read_rate(&row)?;
        let customer = row.try_get::<Option<i64>, _>("customer")?.unwrap_or(EVERYONE);
        let in_force = row.try_get::<Option<i64>, _>("archived_at")?.is_none() && row.try_get::<bool, _>("enabled")?;
        let rules = self.config.rates.entry(customer).or_default();
        rules.retain(|known| known.key != rule.key);
        if in_force {
            rules.push(Arc::new(rule));
        }
        if rules.is_empty() {
            self.config.rates.remove(&customer);
        }
        self.touches(Topics::LIMITS);
        let project = self.project();
        find(self.conn(), project, id).await
    }
}

async fn create(tx: &mut Tx<'_>, new: NewRateLimit) -> Result<RateLimit> {
    check(&new.name, new.limit_value, &new.dimension_filters)?;
    let customer = match &new.customer_id {
        Some(external) => Some(tx.customer_or_new(external).await?.key),
        None => None,
    };
    tx.refuse_taken_rate_name(&new.name, customer, None).await?;
    let id = RateLimitId::new(tx.new_uuid()?);
    sqlx::query(
        "INSERT INTO rate_limit (uuid, name, customer, span, units, dimension_filters, enabled, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(customer)
    .bind(new.window.as_str())
    .bind(new.limit_value as i64)
    .bind(to_json(&new.dimension_filters)?)
    .bind(new.enabled)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let after = tx.put_rate(id).await?;
    let target = id.to_string();
    tx.audit(Audit { operation: "rate_limits.create", target: &target, before: None, after: Some(&after) }).await?;
    Ok(after)
}

async fn update(tx: &mut Tx<'_>, id: RateLimitId, patch: RateLimitPatch) -> Result<RateLimit> {
    let project = tx.project();
    let before = find(tx.conn(), project, id).await?;
    let mut after = before.clone();
    after.name = patch.name.unwrap_or(after.name);
    after.window = patch.window.unwrap_or(after.window);
    after.limit_value = patch.limit_value.unwrap_or(after.limit_value);
    after.dimension_filters = patch.dimension_filters.unwrap_or(after.dimension_filters);
    after.enabled = patch.enabled.unwrap_or(after.enabled);
    check(&after.name, after.limit_value, &after.dimension_filters)?;
    if after == before {
        return Ok(before);
    }
    if before.archived_at.is_none() && after.name != before.name {
        let customer =
            before.customer_id.as_deref().and_then(|external| tx.customer(external)).map(|customer| customer.key);
        tx.refuse_taken_rate_name(&after.name, customer, Some(id)).await?;
    }
    sqlx::query(
        "UPDATE rate_limit SET name = ?2, span = ?3, units = ?4, dimension_filters = ?5, enabled = ?6, updated_at = ?7, \
         version = version + 1 WHERE uuid = ?1",
    )
    .bind(id.uuid())
    .bind(&after.name)
    .bind(after.window.as_str())
    .bind(after.limit_value as i64)
    .bind(to_json(&after.dimension_filters)?)
    .bind(after.enabled)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    if after.window != before.window || after.dimension_filters != before.dimension_filters {
        // What was counted was counted of something else.
        tx.count_calls_anew(id).await?;
    }
    let after = tx.put_rate(id).await?;
    let (operation, target) = ("rate_limits.update", id.to_string());
    tx.audit(Audit { operation, target: &target, before: Some(&before), after: Some(&after) }).await?;
    Ok(after)
}

async fn archive(tx: &mut Tx<'_>, id: RateLimitId) -> Result<()> {
    let project = tx.project();
    let before = find(tx.conn(), project, id).await?;
    if before.archived_at.is_some() {
        return Ok(());
    }
    sqlx::query("UPDATE rate_limit SET archived_at = ?2, updated_at = ?2, version = version + 1 WHERE uuid = ?1")
        .bind(id.uuid())
        .bind(tx.now.as_micros())
        .execute(tx.conn())
        .await?;
    tx.count_calls_anew(id).await?;
    let after = tx.put_rate(id).await?;
    let (operation, target) = ("rate_limits.archive", id.to_string());
    tx.audit(Audit { operation, target: &target, before: Some(&before), after: Some(&after) }).await
}
