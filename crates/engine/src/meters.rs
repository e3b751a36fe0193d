//! Meters: created, listed, changed, archived. What they measured is read in `query`.

use std::sync::Arc;

use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregation, Field};
use weir_core::error::{Code, Fault};
use weir_core::filter::EventFilter;
use weir_core::id::{MeterId, ProjectId};
use weir_core::text::{self, MAX_LONG, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::customer_list::like_pattern;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{ListMeters, Meter, MeterPatch, MeterState, NewMeter, Page, Progress};
use crate::order::Order;
use crate::scan::{from_json, to_json};
use crate::writer::{Audit, Tx, read_meter, stored};

/// Most dimensions by which a meter is kept broken down.
const MAX_GROUP_BY: usize = 8;
/// Longest unit, in characters.
const MAX_UNIT: usize = 64;

/// A meter row with its series: whether it is ready, and how many events it has counted of how many.
const SELECT: &str = "SELECT m.*, s.ready, \
     (SELECT coalesce(sum(coalesce(w.applied, d.id << 40) - (d.id << 40)), 0) FROM device d \
        LEFT JOIN watermark w ON w.device = d.id AND w.series = m.series) AS done, \
     (SELECT coalesce(sum(coalesce((SELECT max(seq) FROM event WHERE seq > d.id << 40 AND seq < (d.id + 1) << 40), d.id << 40) \
        - (d.id << 40)), 0) FROM device d) AS total \
     FROM meter m JOIN series s ON s.id = m.series";

fn no_meter(id: MeterId) -> Error {
    Error::not_found(Code::MeterNotFound, "meter", &id.to_string())
}

impl Engine {
    /// Creates a meter. It counts all history: at once when there is little, else in the background.
    pub async fn create_meter(&self, actor: &Actor, new: NewMeter) -> Result<Meter> {
        let definition = Definition {
            name: new.name,
            description: new.description,
            aggregation: new.aggregation,
            field: new.field,
            filter: new.event_filter,
            group_by: new.group_by,
            unit: new.unit,
        };
        definition.check()?;
        self.writer().change(actor, move |tx| Box::pin(create(tx, definition))).await
    }

    /// A meter.
    pub async fn meter(&self, id: MeterId) -> Result<Meter> {
        let mut conn = self.reader().await?;
        find(&mut conn, self.shared.project, id).await
    }

    /// Meters, newest first unless asked otherwise.
    pub async fn meters(&self, list: ListMeters) -> Result<Page<Meter>> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        let order = Order::named(list.sort, "m");
        let last = order.last_row(list.cursor.as_ref())?;
        let among = "meter m WHERE (?4 OR m.archived_at IS NULL) AND (?5 IS NULL OR m.name LIKE ?5 ESCAPE '\\')";
        let sql = order.page("m.id", among, &last, SELECT);
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(last.as_ref().map(|(key, _)| key))
            .bind(last.as_ref().map(|(_, id)| id))
            .bind(list.limit.probe())
            .bind(list.include_archived)
            .bind(list.query.as_deref().filter(|query| !query.is_empty()).map(like_pattern))
            .fetch_all(&mut *conn)
            .await?;
        order.cut(&rows, list.limit, |row| read(row, self.shared.project))
    }

    /// Changes a meter. A changed definition counts all history anew; until then queries are answered from the events.
    pub async fn update_meter(&self, actor: &Actor, id: MeterId, patch: MeterPatch) -> Result<Meter> {
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Hides a meter. Refused while a live limit uses it.
    pub async fn archive_meter(&self, actor: &Actor, id: MeterId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(archive(tx, id))).await
    }

    /// Brings a meter back. It counts all history anew.
    pub async fn restore_meter(&self, actor: &Actor, id: MeterId) -> Result<Meter> {
        self.writer().change(actor, move |tx| Box::pin(restore(tx, id))).await
    }
}

/// What a meter is, before it has a number.
#[derive(Clone, PartialEq)]
struct Definition {
    name: String,
    description: Option<String>,
    aggregation: Aggregation,
    field: String,
    filter: EventFilter,
    group_by: Vec<String>,
    unit: Option<String>,
}

impl Definition {
    fn of(meter: &Meter) -> Self {
        Definition {
            name: meter.name.clone(),
            description: meter.description.clone(),
            aggregation: meter.aggregation,
            field: meter.field.clone(),
            filter: meter.event_filter.clone(),
            group_by: meter.group_by.clone(),
            unit: meter.unit.clone(),
        }
    }

    fn check(&self) -> Result<(), Fault> {
        text::check("name", &self.name, 1, MAX_SHORT)?;
        if let Some(description) = &self.description {
            text::check("description", description, 0, MAX_LONG)?;
        }
        if let Some(unit) = &self.unit {
            text::check("unit", unit, 0, MAX_UNIT)?;
        }
        Field::parse(self.aggregation, &self.field)?;
        self.filter.validate()?;
        if self.group_by.len() > MAX_GROUP_BY {
            return Err(Fault::invalid("groupBy", format_args!("must have at most {MAX_GROUP_BY} entries")));
        }
        for (index, name) in self.group_by.iter().enumerate() {
            let path = format!("groupBy[{index}]");
            text::check_key(&path, name)?;
            if self.group_by[..index].contains(name) {
                return Err(Fault::invalid(path, "is named twice"));
            }
        }
        Ok(())
    }

    /// Whether the roll-ups of one answer for the other.
    fn counts_like(&self, other: &Definition) -> bool {
        self.aggregation == other.aggregation
            && self.field == other.field
            && self.filter == other.filter
            && self.group_by == other.group_by
    }
}

fn read(row: &SqliteRow, project_id: ProjectId) -> Result<Meter> {
    let ready: bool = row.try_get("ready")?;
    let archived_at = row.try_get::<Option<i64>, _>("archived_at")?.map(Timestamp::from_micros);
    let (done, total): (i64, i64) = (row.try_get("done")?, row.try_get("total")?);
    let total = total.unsigned_abs();
    let (state, done) = match ready || archived_at.is_some() {
        true => (MeterState::Ready, total),
        false => (MeterState::Building, done.unsigned_abs()),
    };
    Ok(Meter {
        id: MeterId::new(row.try_get("uuid")?),
        project_id,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        aggregation: stored(row.try_get("aggregation")?)?,
        field: row.try_get("field")?,
        event_filter: EventFilter {
            event_type: row.try_get("event_type")?,
            dimensions: from_json(row.try_get("dimensions")?)?,
        },
        group_by: from_json(row.try_get("group_by")?)?,
        unit: row.try_get("unit")?,
        built_in: row.try_get("built_in")?,
        state,
        progress: Progress { done, total },
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at,
    })
}

async fn find(conn: &mut SqliteConnection, project: ProjectId, id: MeterId) -> Result<Meter> {
    let sql = format!("{SELECT} WHERE m.uuid = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(conn).await?;
    read(&row.ok_or_else(|| no_meter(id))?, project)
}

impl Tx<'_> {
    async fn find_meter(&mut self, id: MeterId) -> Result<Meter> {
        let project = self.project();
        find(self.conn(), project, id).await
    }

    /// The number and rule of a meter, live or not.
    async fn meter_row(&mut self, id: MeterId) -> Result<crate::config::MeterRule> {
        let row = sqlx::query("SELECT m.*, s.ready FROM meter m JOIN series s ON s.id = m.series WHERE m.uuid = ?1")
            .bind(id.uuid())
            .fetch_optional(self.conn())
            .await?;
        read_meter(&row.ok_or_else(|| no_meter(id))?)
    }

    /// Writes a meter's number and rule as they stand into the configuration, and counts history on its series.
    async fn put_meter(&mut self, id: MeterId, build: bool) -> Result<Meter> {
        let rule = self.meter_row(id).await?;
        let (key, series) = (rule.key, rule.series);
        self.config.meters.insert(key, Arc::new(rule));
        if build {
            self.build(key, series).await?;
        }
        self.touches(Topics::METERS);
        self.find_meter(id).await
    }

    async fn refuse_taken_name(&mut self, name: &str, but: Option<MeterId>) -> Result<()> {
        match self.config.meters.values().find(|meter| meter.name == name && Some(meter.id) != but) {
            None => Ok(()),
            Some(_) => {
                Err(Fault { code: Code::Conflict, ..Fault::invalid("name", "is the name of another live meter") }
                    .into())
            }
        }
    }
}

async fn create(tx: &mut Tx<'_>, new: Definition) -> Result<Meter> {
    tx.refuse_taken_name(&new.name, None).await?;
    let id = MeterId::new(tx.new_uuid()?);
    let series = tx.new_series().await?;
    let now = tx.now.as_micros();
    sqlx::query(
        "INSERT INTO meter (uuid, name, description, aggregation, field, event_type, dimensions, group_by, unit, series, created_at, updated_at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(&new.description)
    .bind(new.aggregation.as_str())
    .bind(&new.field)
    .bind(&new.filter.event_type)
    .bind(to_json(&new.filter.dimensions)?)
    .bind(to_json(&new.group_by)?)
    .bind(&new.unit)
    .bind(series)
    .bind(now)
    .execute(tx.conn())
    .await?;
    let after = tx.put_meter(id, true).await?;
    tx.audit(Audit { operation: "meters.create", target: &id.to_string(), before: None, after: Some(&after) }).await?;
    Ok(after)
}

async fn update(tx: &mut Tx<'_>, id: MeterId, patch: MeterPatch) -> Result<Meter> {
    let before = tx.find_meter(id).await?;
    refuse_built_in(&before)?;
    let old = Definition::of(&before);
    let mut new = old.clone();
    new.name = patch.name.unwrap_or(new.name);
    patch.description.apply(&mut new.description);
    new.aggregation = patch.aggregation.unwrap_or(new.aggregation);
    new.field = patch.field.unwrap_or(new.field);
    new.filter = patch.event_filter.unwrap_or(new.filter);
    new.group_by = patch.group_by.unwrap_or(new.group_by);
    patch.unit.apply(&mut new.unit);
    new.check()?;
    if new == old {
        return Ok(before);
    }
    let rule = tx.meter_row(id).await?;
    if before.archived_at.is_none() {
        tx.refuse_taken_name(&new.name, Some(id)).await?;
    }
    if !new.aggregation.can_be_limited() {
        refuse_limited(tx, &rule, "an aggregation that can be limited").await?;
    }
    if !new.aggregation.adds_up() {
        refuse_paid(tx, &rule, "a meter of sum or count").await?;
    }
    let recount = !new.counts_like(&old) && before.archived_at.is_none();
    let series = match recount {
        true => {
            tx.retire(rule.series).await?;
            tx.new_series().await?
        }
        false => rule.series,
    };
    sqlx::query(
        "UPDATE meter SET name = ?2, description = ?3, aggregation = ?4, field = ?5, event_type = ?6, dimensions = ?7, group_by = ?8, \
         unit = ?9, series = ?10, updated_at = ?11, version = version + 1 WHERE uuid = ?1",
    )
    .bind(id.uuid())
    .bind(&new.name)
    .bind(&new.description)
    .bind(new.aggregation.as_str())
    .bind(&new.field)
    .bind(&new.filter.event_type)
    .bind(to_json(&new.filter.dimensions)?)
    .bind(to_json(&new.group_by)?)
    .bind(&new.unit)
    .bind(series)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let after = match before.archived_at {
        None => tx.put_meter(id, recount).await?,
        Some(_) => tx.find_meter(id).await?,
    };
    if recount {
        tx.recount_everyone().await?;
    }
    tx.audit(Audit { operation: "meters.update", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    Ok(after)
}

async fn archive(tx: &mut Tx<'_>, id: MeterId) -> Result<()> {
    let before = tx.find_meter(id).await?;
    refuse_built_in(&before)?;
    if before.archived_at.is_some() {
        return Ok(());
    }
    let rule = tx.meter_row(id).await?;
    refuse_limited(tx, &rule, "no limit on it").await?;
    refuse_paid(tx, &rule, "no balance that pays for it").await?;
    let now = tx.now.as_micros();
    sqlx::query("UPDATE meter SET archived_at = ?2, updated_at = ?2, version = version + 1 WHERE id = ?1")
        .bind(rule.key)
        .bind(now)
        .execute(tx.conn())
        .await?;
    tx.retire(rule.series).await?;
    tx.config.meters.remove(&rule.key);
    tx.touches(Topics::METERS);
    let after = tx.find_meter(id).await?;
    tx.audit(Audit { operation: "meters.archive", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await
}

async fn restore(tx: &mut Tx<'_>, id: MeterId) -> Result<Meter> {
    let before = tx.find_meter(id).await?;
    if before.archived_at.is_none() {
        return Ok(before);
    }
    tx.refuse_taken_name(&before.name, Some(id)).await?;
    let series = tx.new_series().await?;
    sqlx::query(
        "UPDATE meter SET archived_at = NULL, series = ?2, updated_at = ?3, version = version + 1 WHERE uuid = ?1",
    )
    .bind(id.uuid())
    .bind(series)
    .bind(tx.now.as_micros())
    .execute(tx.conn())
    .await?;
    let after = tx.put_meter(id, true).await?;
    tx.audit(Audit {
        operation: "meters.restore",
        target: &id.to_string(),
        before: Some(&before),
        after: Some(&after),
    })
    .await?;
    Ok(after)
}

fn refuse_built_in(meter: &Meter) -> Result<()> {
    match meter.built_in {
        false => Ok(()),
        true => {
            Err(Fault::new(Code::Conflict, format!("the meter `{}` comes with Weir and cannot be changed", meter.name))
                .into())
        }
    }
}

async fn refuse_limited(tx: &mut Tx<'_>, meter: &crate::config::MeterRule, needs: &str) -> Result<()> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT name FROM usage_limit WHERE meter = ?1 AND archived_at IS NULL ORDER BY id LIMIT 10",
    )
    .bind(meter.key)
    .fetch_all(tx.conn())
    .await?;
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join("`, `");
    Err(Fault::new(Code::Conflict, format!("this needs {needs}, and these limits use the meter: `{names}`")).into())
}

async fn refuse_paid(tx: &mut Tx<'_>, meter: &crate::config::MeterRule, needs: &str) -> Result<()> {
    let names: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT b.name FROM balance_rate r JOIN balance b ON b.rate = r.id WHERE r.meter = ?1 AND b.archived_at IS NULL \
         ORDER BY b.name LIMIT 10",
    )
    .bind(meter.key)
    .fetch_all(tx.conn())
    .await?;
    if names.is_empty() {
        return Ok(());
    }
    let names = names.join("`, `");
    Err(Fault::new(Code::Conflict, format!("this needs {needs}, and these balances pay for the meter: `{names}`"))
        .into())
}
