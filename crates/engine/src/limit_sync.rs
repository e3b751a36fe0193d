//! A list of limits put into force as a whole, in one transaction: what is new is created, what differs is changed, what is as
//! stated stays untouched, and, if asked, what is not named is archived.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::error::Fault;
use weir_core::id::{LimitId, ProjectId};
use weir_core::text;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::{Config, LimitRule, MeterRule};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::limits::{self, SELECT, check_filters, check_name, check_thresholds, check_value, limitable};
use crate::model::{Limit, StatedLimit, SyncAction, SyncAnswer, SyncChange, SyncLimits};
use crate::scan::to_json;
use crate::writer::{Audit, Tx, read_limit};

/// A limit of a list, and the meter that it names.
type Checked = (StatedLimit, Arc<MeterRule>);

/// What a limit is known by in a list: its customer's external id, if any, and its name.
type Known = (Option<String>, String);

impl Engine {
    /// Puts a list of limits into force, all or none, or says what that would change. Doing it twice changes nothing more.
    pub async fn sync_limits(&self, actor: &Actor, sync: SyncLimits) -> Result<SyncAnswer> {
        SyncLimits::check_length(sync.limits.len())?;
        self.writer().change(actor, move |tx| Box::pin(run(tx, sync))).await
    }

    /// What is wrong with some limits of a list, each with its place in it.
    pub fn limit_faults(&self, limits: Vec<(usize, StatedLimit)>) -> Vec<(usize, Fault)> {
        check(&self.shared.config(), limits).1
    }

    /// Every live limit, as a list states it: the defaults first, then by customer, and by name.
    pub async fn stated_limits(&self) -> Result<Vec<StatedLimit>> {
        let mut conn = self.reader().await?;
        let config = self.shared.config();
        let mut limits = live(&mut conn, self.shared.project, None).await?;
        limits.sort_by(|(_, a), (_, b)| (&a.customer_id, &a.name).cmp(&(&b.customer_id, &b.name)));
        Ok(limits.into_iter().map(|(_, limit)| stated(&config, limit)).collect())
    }
}

/// A limit as a list states it.
fn stated(config: &Config, limit: Limit) -> StatedLimit {
    let meter = config.meters.values().find(|meter| meter.id == limit.meter_id).map(|meter| meter.name.clone());
    StatedLimit {
        name: limit.name,
        // A live limit's meter is live; were it not, its id would still say which one.
        meter_id: if meter.is_none() { Some(limit.meter_id) } else { None },
        meter,
        limit_value: limit.limit_value,
        period: limit.period,
        customer_id: limit.customer_id,
        dimension_filters: limit.dimension_filters,
        alert_thresholds: limit.alert_thresholds,
        enforcement: limit.enforcement,
        enabled: limit.enabled,
    }
}

/// Live limits with their numbers: all, or those of some names.
async fn live(conn: &mut SqliteConnection, project: ProjectId, names: Option<Vec<&str>>) -> Result<Vec<(i64, Limit)>> {
    let sql = format!(
        "{SELECT} WHERE l.archived_at IS NULL AND (?1 IS NULL OR l.name IN (SELECT value FROM json_each(?1))) ORDER BY l.id"
    );
    let names = names.map(|names| to_json(&names)).transpose()?;
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(names).fetch_all(conn).await?;
    rows.iter().map(|row| Ok((row.try_get("id")?, limits::read(row, project)?))).collect()
}

/// A limit of the list with its meter, and the row it is about, if there is one.
struct Planned {
    stated: StatedLimit,
    meter: Arc<MeterRule>,
    existing: Option<(i64, Limit)>,
}

impl Planned {
    /// Whether the row is as stated.
    fn stands(&self) -> bool {
        self.existing.as_ref().is_some_and(|(_, limit)| {
            limit.meter_id == self.meter.id
                && limit.limit_value == self.stated.limit_value
                && limit.period == self.stated.period
                && limit.dimension_filters == self.stated.dimension_filters
                && limit.alert_thresholds == self.stated.alert_thresholds
                && limit.enforcement == self.stated.enforcement
                && limit.enabled == self.stated.enabled
        })
    }
}

async fn run(tx: &mut Tx<'_>, sync: SyncLimits) -> Result<SyncAnswer> {
    let (stated_limits, faults) = check(&tx.config, sync.limits.into_iter().enumerate().collect());
    if !faults.is_empty() {
        return Err(Error::Faults(faults));
    }
    let project = tx.project();
    let names = (!sync.archive_missing)
        .then(|| stated_limits.iter().map(|(stated, _)| stated.name.as_str()).collect::<Vec<_>>());
    let mut existing: FxHashMap<Known, (i64, Limit)> = live(tx.conn(), project, names)
        .await?
        .into_iter()
        .map(|(key, limit)| ((limit.customer_id.clone(), limit.name.clone()), (key, limit)))
        .collect();
    let planned: Vec<Planned> = stated_limits
        .into_iter()
        .map(|(stated, meter)| {
            let existing = existing.remove(&(stated.customer_id.clone(), stated.name.clone()));
            Planned { stated, meter, existing }
        })
        .collect();
    let mut missing: Vec<(i64, Limit)> =
        if sync.archive_missing { existing.into_values().collect() } else { Vec::new() };
    missing.sort_by_key(|(key, _)| *key);

    let mut answer =
        SyncAnswer { applied: !sync.preview, created: 0, updated: 0, unchanged: 0, archived: 0, changes: Vec::new() };
    for plan in &planned {
        let action = match &plan.existing {
            Some(_) if plan.stands() => {
                answer.unchanged += 1;
                continue;
            }
            Some(_) => SyncAction::Update,
            None => SyncAction::Create,
        };
        let before = plan.existing.as_ref().map(|(_, limit)| stated(&tx.config, limit.clone()));
        let after = StatedLimit { meter: Some(plan.meter.name.clone()), meter_id: None, ..plan.stated.clone() };
        answer.put(action, before, Some(after));
    }
    for (_, limit) in &missing {
        answer.put(SyncAction::Archive, Some(stated(&tx.config, limit.clone())), None);
    }
    if !sync.preview {
        apply(tx, planned, missing).await?;
    }
    Ok(answer)
}

impl SyncAnswer {
    fn put(&mut self, action: SyncAction, before: Option<StatedLimit>, after: Option<StatedLimit>) {
        match action {
            SyncAction::Create => self.created += 1,
            SyncAction::Update => self.updated += 1,
            SyncAction::Archive => self.archived += 1,
        }
        if let Some(StatedLimit { name, customer_id, .. }) = after.as_ref().or(before.as_ref()) {
            let (name, customer_id) = (name.clone(), customer_id.clone());
            self.changes.push(SyncChange { action, name, customer_id, before, after });
        }
    }
}

/// The limits of a list with their meters, and everything that is wrong with any of them.
fn check(config: &Config, limits: Vec<(usize, StatedLimit)>) -> (Vec<Checked>, Vec<(usize, Fault)>) {
    let (mut checked, mut faults) = (Vec::with_capacity(limits.len()), Vec::new());
    let mut first: BTreeMap<Known, usize> = BTreeMap::new();
    for (index, mut stated) in limits {
        let mut wrong = |result: Result<(), Fault>| {
            if let Err(fault) = result {
                faults.push((index, fault));
            }
        };
        wrong(check_name(&stated.name));
        if let Some(customer) = &stated.customer_id {
            wrong(text::check_external_id("customerId", customer));
        }
        wrong(check_value(stated.limit_value));
        wrong(check_filters(&stated.dimension_filters));
        wrong(check_thresholds(&mut stated.alert_thresholds));
        let known = (stated.customer_id.clone(), stated.name.clone());
        if let Some(before) = first.get(&known) {
            wrong(Err(Fault::invalid("name", format_args!("is that of `limits[{before}]` already"))));
        } else {
            first.insert(known, index);
        }
        match meter_of(config, &stated) {
            Ok(meter) => checked.push((stated, meter)),
            Err(fault) => wrong(Err(fault)),
        }
    }
    (checked, faults)
}

/// The live meter that a limit of a list names, if it can be limited.
fn meter_of(config: &Config, stated: &StatedLimit) -> Result<Arc<MeterRule>, Fault> {
    let (field, id) = match (&stated.meter, stated.meter_id) {
        (None, None) => return Err(Fault::missing("meter")),
        (Some(_), Some(_)) => {
            return Err(Fault::invalid("meterId", "must not stand beside `meter`: one of them says which"));
        }
        (None, Some(id)) => ("meterId", id),
        (Some(name), None) => {
            let meter = config.meters.values().find(|meter| meter.name == *name);
            ("meter", meter.map(|meter| meter.id).ok_or_else(|| Fault::invalid("meter", "names no live meter"))?)
        }
    };
    limitable(config, id).map_err(|fault| Fault {
        message: fault.message.replacen("`meterId`", &format!("`{field}`"), 1),
        field: Some(field.to_owned()),
        ..fault
    })
}

/// What was written of a limit: its row's number, and how it stood.
struct Written {
    operation: &'static str,
    key: i64,
    before: Option<Limit>,
}

async fn apply(tx: &mut Tx<'_>, planned: Vec<Planned>, missing: Vec<(i64, Limit)>) -> Result<()> {
    let mut written = Vec::new();
    for plan in planned {
        if plan.stands() {
            continue;
        }
        let (operation, key, before) = match plan.existing {
            Some((key, before)) => {
                change(tx, key, &plan.stated, plan.meter.key).await?;
                ("limits.update", key, Some(before))
            }
            None => ("limits.create", create(tx, &plan.stated, plan.meter.key).await?, None),
        };
        written.push(Written { operation, key, before });
    }
    for (key, before) in missing {
        let now = tx.now.as_micros();
        sqlx::query("UPDATE usage_limit SET archived_at = ?2, updated_at = ?2, version = version + 1 WHERE id = ?1")
            .bind(key)
            .bind(now)
            .execute(tx.conn())
            .await?;
        written.push(Written { operation: "limits.archive", key, before: Some(before) });
    }
    if written.is_empty() {
        return Ok(());
    }
    let keys: Vec<i64> = written.iter().map(|written| written.key).collect();
    let mut after = put(tx, &keys).await?;
    for Written { operation, key, before } in written {
        let after = after.remove(&key).ok_or_else(|| Error::Storage("a limit's row is missing".to_owned()))?;
        let target = after.id.to_string();
        tx.audit(Audit { operation, target: &target, before: before.as_ref(), after: Some(&after) }).await?;
    }
    tx.touches(Topics::LIMITS);
    Ok(())
}

async fn create(tx: &mut Tx<'_>, stated: &StatedLimit, meter: i64) -> Result<i64> {
    let customer = match &stated.customer_id {
        Some(external) => Some(tx.customer_or_new(external).await?.key),
        None => None,
    };
    let id = LimitId::new(tx.new_uuid()?);
    let (units, nanos) = stated.limit_value.parts();
    Ok(sqlx::query_scalar(
        "INSERT INTO usage_limit (uuid, name, meter, customer, units, nanos, period, dimension_filters, alert_thresholds, enforcement, \
         enabled, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12) RETURNING id",
    )
    .bind(id.uuid())
    .bind(&stated.name)
    .bind(meter)
    .bind(customer)
    .bind(units as i64)
    .bind(nanos)
    .bind(stated.period.as_str())
    .bind(to_json(&stated.dimension_filters)?)
    .bind(to_json(&stated.alert_thresholds)?)
    .bind(stated.enforcement.as_str())
    .bind(stated.enabled)
    .bind(tx.now.as_micros())
    .fetch_one(tx.conn())
    .await?)
}

async fn change(tx: &mut Tx<'_>, key: i64, stated: &StatedLimit, meter: i64) -> Result<()> {
    let (units, nanos) = stated.limit_value.parts();
    sqlx::query(
        "UPDATE usage_limit SET meter = ?2, units = ?3, nanos = ?4, period = ?5, dimension_filters = ?6, alert_thresholds = ?7, \
         enforcement = ?8, enabled = ?9, updated_at = ?10, version = version + 1 WHERE id = ?1",
    )
    .bind(key)
    .bind(meter)
    .bind(units as i64)
    .bind(nanos)
    .bind(stated.period.as_str())
    .bind(to_json(&stated.dimension_filters)?)
    .bind(to_json(&stated.alert_thresholds)?)
    .bind(stated.enforcement.as_str())
    .bind(stated.enabled)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Brings what decides in line with the rows of some limits, each customer's windows counted anew once: the limits as they stand.
async fn put(tx: &mut Tx<'_>, keys: &[i64]) -> Result<FxHashMap<i64, Limit>> {
    let project = tx.project();
    let sql = format!("{SELECT} WHERE l.id IN (SELECT value FROM json_each(?1)) ORDER BY l.id");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_json(keys)?).fetch_all(tx.conn()).await?;
    let mut after = FxHashMap::default();
    let mut own: BTreeMap<String, Vec<(i64, Option<LimitRule>)>> = BTreeMap::new();
    let mut defaults = false;
    for row in &rows {
        let limit = limits::read(row, project)?;
        let rule = read_limit(row, tx.new_counting())?;
        let key = rule.key;
        let rule = (limit.archived_at.is_none() && limit.enabled).then_some(rule);
        match &limit.customer_id {
            Some(external) => own.entry(external.clone()).or_default().push((key, rule)),
            None => {
                defaults = true;
                tx.config.defaults.retain(|default| default.key != key);
                tx.config.defaults.extend(rule.map(Arc::new));
            }
        }
        after.insert(key, limit);
    }
    let mut customers = Vec::with_capacity(own.len());
    for (external, rules) in own {
        let mut live =
            tx.customer(&external).ok_or_else(|| Error::Storage("a limit's customer is missing".to_owned()))?;
        let changed = |key: i64| rules.iter().any(|(changed, _)| *changed == key);
        let mut now: Vec<_> = live.own.iter().filter(|own| !changed(own.key)).cloned().collect();
        now.extend(rules.into_iter().filter_map(|(_, rule)| rule.map(Arc::new)));
        live.own = now.into();
        customers.push(live);
    }
    tx.recount_all(customers).await?;
    if defaults {
        tx.recount_everyone().await?;
    }
    Ok(after)
}
