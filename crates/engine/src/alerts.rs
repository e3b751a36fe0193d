//! Alerts: listed, and acknowledged. The writer finds them.

use rustc_hash::FxHashMap;
use serde::Serialize;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::id::{AlertId, BalanceId, LimitId, MeterId, ProjectId};
use weir_core::quantity::Quantity;
use weir_core::text;
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::audit::read_actors;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{
    AcknowledgeAll, Acknowledged, Alert, AlertKind, AlertState, AlertedBalance, AlertedLimit, AuditActor, ListAlerts,
    Page,
};
use crate::writer::{Audit, Tx, stored, stored_total};

const SELECT: &str = "SELECT a.*, c.external_id, c.name AS customer_name, l.uuid AS limit_uuid, l.name AS limit_name, l.period, \
     m.uuid AS meter_uuid, m.name AS meter_name, m.unit, b.uuid AS balance_uuid, b.name AS balance_name, b.unit AS balance_unit \
     FROM alert a JOIN customer c ON c.id = a.customer LEFT JOIN usage_limit l ON l.id = a.usage_limit \
     LEFT JOIN meter m ON m.id = l.meter LEFT JOIN balance b ON b.id = a.balance";

/// That the alert `a` is not resolved, now (`?1`): the end of its window needs nobody to write it down.
const UP: &str = "a.resolved_at IS NULL AND (a.window_end IS NULL OR a.window_end > ?1)";

fn no_alert(id: AlertId) -> Error {
    Error::not_found(Code::AlertNotFound, "alert", &id.to_string())
}

impl Engine {
    /// An alert.
    pub async fn alert(&self, id: AlertId) -> Result<Alert> {
        let mut conn = self.reader().await?;
        let (project, now) = (self.shared.project, self.now());
        Ok(find(&mut conn, project, id, now).await?.1)
    }

    /// Alerts, newest first unless asked otherwise.
    pub async fn alerts(&self, list: ListAlerts) -> Result<Page<Alert>> {
        let last = list.sort.last(list.cursor.as_ref())?;
        let (past, direction) = list.sort.sql();
        let customer = match &list.customer_id {
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.shared.customers.get(external).map_or(0, |customer| customer.key))
            }
        };
        let state = match list.state {
            None => "?1 IS NOT NULL".to_owned(),
            Some(AlertState::Open) => format!("a.acknowledged_at IS NULL AND {UP}"),
            Some(AlertState::Acknowledged) => format!("a.acknowledged_at IS NOT NULL AND {UP}"),
            Some(AlertState::Resolved) => format!("NOT ({UP})"),
        };
        let sql = format!(
            "{SELECT} WHERE {state} AND a.seq {past} ?2 AND (?3 IS NULL OR a.customer = ?3) AND (?4 IS NULL OR l.uuid = ?4) \
             AND a.created_at >= ?5 AND a.created_at < ?6 AND (?8 IS NULL OR b.uuid = ?8) ORDER BY a.seq {direction} LIMIT ?7"
        );
        let now = self.now();
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now.as_micros())
            .bind(last)
            .bind(customer)
            .bind(list.limit_id.map(LimitId::uuid))
            .bind(list.from.map_or(i64::MIN, Timestamp::as_micros))
            .bind(list.to.map_or(i64::MAX, Timestamp::as_micros))
            .bind(list.limit.probe())
            .bind(list.balance_id.map(BalanceId::uuid))
            .fetch_all(&mut *conn)
            .await?;
        let actors = read_actors(&mut conn, None).await?;
        let alerts = rows
            .iter()
            .map(|row| Ok((row.try_get::<i64, _>("seq")?, read(row, self.shared.project, &actors, now)?)))
            .collect::<Result<Vec<_>>>()?;
        let page = Page::cut(alerts, list.limit, |(seq, _)| list.sort.cursor(*seq));
        let data = page.data.into_iter().map(|(_, alert)| alert).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// Remembers that somebody has looked at an alert. Doing it again, or where it is resolved, changes nothing.
    pub async fn acknowledge(&self, actor: &Actor, id: AlertId) -> Result<Alert> {
        self.writer().change(actor, move |tx| Box::pin(acknowledge(tx, id))).await
    }

    /// The same of every open alert up to one, as a whole.
    pub async fn acknowledge_all(&self, actor: &Actor, all: AcknowledgeAll) -> Result<Acknowledged> {
        if let Some(customer) = &all.customer_id {
            text::check_external_id("customerId", customer)?;
        }
        self.writer().change(actor, move |tx| Box::pin(acknowledge_all(tx, all))).await
    }

    /// How many alerts are open.
    pub(crate) async fn open_alerts(&self, conn: &mut SqliteConnection) -> Result<u64> {
        let sql = format!("SELECT count(*) FROM alert a WHERE a.acknowledged_at IS NULL AND {UP}");
        let open: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(self.now().as_micros()).fetch_one(conn).await?;
        Ok(open.unsigned_abs())
    }
}

/// An alert that was just written, which nobody can have acknowledged.
pub(crate) async fn find_new(
    conn: &mut SqliteConnection,
    project: ProjectId,
    id: AlertId,
    now: Timestamp,
) -> Result<Alert> {
    let sql = format!("{SELECT} WHERE a.id = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(conn).await?;
    read(&row.ok_or_else(|| no_alert(id))?, project, &FxHashMap::default(), now)
}

async fn find(conn: &mut SqliteConnection, project: ProjectId, id: AlertId, now: Timestamp) -> Result<(i64, Alert)> {
    let sql = format!("{SELECT} WHERE a.id = ?1");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(&mut *conn).await?;
    let row = row.ok_or_else(|| no_alert(id))?;
    let actors = read_actors(conn, None).await?;
    Ok((row.try_get("seq")?, read(&row, project, &actors, now)?))
}

fn read(row: &SqliteRow, project_id: ProjectId, actors: &FxHashMap<i64, AuditActor>, now: Timestamp) -> Result<Alert> {
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    let window_end = instant("window_end")?;
    let resolved_at = instant("resolved_at")?.or(window_end.filter(|end| *end <= now));
    let acknowledged_at = instant("acknowledged_at")?;
    let state = match (resolved_at, acknowledged_at) {
        (Some(_), _) => AlertState::Resolved,
        (None, Some(_)) => AlertState::Acknowledged,
        (None, None) => AlertState::Open,
    };
    let by: Option<i64> = row.try_get("acknowledged_by")?;
    Ok(Alert {
        id: AlertId::new(row.try_get("id")?),
        project_id,
        kind: match row.try_get("kind")? {
            "balance_low" => AlertKind::BalanceLow,
            "balance_top_up" => AlertKind::BalanceTopUp,
            _ => AlertKind::LimitThreshold,
        },
        customer_id: row.try_get("external_id")?,
        customer_name: row.try_get("customer_name")?,
        limit: limit_of(row)?,
        balance: balance_of(row)?,
        state,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        acknowledged_at,
        acknowledged_by: by.and_then(|by| actors.get(&by).cloned()),
        resolved_at,
    })
}

fn limit_of(row: &SqliteRow) -> Result<Option<AlertedLimit>> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("limit_uuid")? else { return Ok(None) };
    let (value, used): (Quantity, Quantity) = (stored(row.try_get("level")?)?, stored_total(row.try_get("was")?)?);
    let instant = |column: &str| -> Result<Option<Timestamp>> {
        Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
    };
    Ok(Some(AlertedLimit {
        id: LimitId::new(id),
        name: row.try_get("limit_name")?,
        meter_id: MeterId::new(row.try_get("meter_uuid")?),
        meter_name: row.try_get("meter_name")?,
        unit: row.try_get("unit")?,
        threshold: u16::try_from(row.try_get::<i64, _>("threshold")?).unwrap_or_default(),
        value,
        used,
        percentage: used.percent_of(value),
        period: stored(row.try_get("period")?)?,
        window_start: instant("window_start")?,
        window_end: instant("window_end")?,
    }))
}

fn balance_of(row: &SqliteRow) -> Result<Option<AlertedBalance>> {
    let Some(id) = row.try_get::<Option<Uuid>, _>("balance_uuid")? else { return Ok(None) };
    Ok(Some(AlertedBalance {
        id: BalanceId::new(id),
        name: row.try_get("balance_name")?,
        unit: row.try_get("balance_unit")?,
        threshold: stored(row.try_get("level")?)?,
        current_balance: stored_total(row.try_get("was")?)?,
        top_up_amount: row.try_get::<Option<&str>, _>("top_up")?.map(stored).transpose()?,
    }))
}

async fn acknowledge(tx: &mut Tx<'_>, id: AlertId) -> Result<Alert> {
    let (project, now) = (tx.project(), tx.now);
    let (seq, before) = find(tx.conn(), project, id, now).await?;
    if before.state != AlertState::Open {
        return Ok(before);
    }
    let actor = tx.actor_key().await?;
    sqlx::query("UPDATE alert SET acknowledged_at = ?2, acknowledged_by = ?3 WHERE seq = ?1")
        .bind(seq)
        .bind(now.as_micros())
        .bind(actor)
        .execute(tx.conn())
        .await?;
    let (_, after) = find(tx.conn(), project, id, now).await?;
    tx.audit(Audit {
        operation: "alerts.acknowledge",
        target: &id.to_string(),
        before: Some(&before),
        after: Some(&after),
    })
    .await?;
    tx.touches(Topics::ALERTS);
    Ok(after)
}

/// Many alerts acknowledged, as the audit keeps it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Many<'a> {
    acknowledged: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit_id: Option<LimitId>,
}

async fn acknowledge_all(tx: &mut Tx<'_>, all: AcknowledgeAll) -> Result<Acknowledged> {
    let (project, now) = (tx.project(), tx.now);
    let (upto, _) = find(tx.conn(), project, all.up_to, now).await?;
    if let Some(limit) = all.limit_id {
        tx.find_limit(limit).await?;
    }
    let customer = match &all.customer_id {
        None => None,
        Some(external) => {
            let known = tx.customer(external);
            Some(known.ok_or_else(|| Fault::invalid("customerId", "names no customer"))?.key)
        }
    };
    let actor = tx.actor_key().await?;
    let sql = format!(
        "UPDATE alert AS a SET acknowledged_at = ?1, acknowledged_by = ?2 WHERE a.acknowledged_at IS NULL AND {UP} AND a.seq <= ?3 \
         AND (?4 IS NULL OR a.customer = ?4) \
         AND (?5 IS NULL OR a.usage_limit = (SELECT id FROM usage_limit WHERE uuid = ?5))"
    );
    let done = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(now.as_micros())
        .bind(actor)
        .bind(upto)
        .bind(customer)
        .bind(all.limit_id.map(LimitId::uuid))
        .execute(tx.conn())
        .await?;
    let acknowledged = done.rows_affected();
    if acknowledged > 0 {
        let after = Many { acknowledged, customer_id: all.customer_id.as_deref(), limit_id: all.limit_id };
        let target = all.up_to.to_string();
        let audit = Audit { operation: "alerts.acknowledge_all", target: &target, before: None, after: Some(&after) };
        tx.audit(audit).await?;
        tx.touches(Topics::ALERTS);
    }
    Ok(Acknowledged { acknowledged })
}
