//! What endpoints are told of alerts.

use serde::Serialize;
use sqlx::{Row, SqliteConnection};
use weir_core::id::{AlertId, BalanceId, LimitId, ProjectId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::alerts;
use crate::config::Config;
use crate::error::Result;
use crate::model::{Alert, AlertKind, AlertedBalance, AlertedLimit, WebhookEventType};
use crate::outbox::{Message, message_id, tell};
use crate::scan::to_json;

/// Tells of alerts that have just been written.
pub(crate) async fn tell_alerts(
    conn: &mut SqliteConnection,
    config: &Config,
    alerts: impl IntoIterator<Item = AlertId>,
    now: Timestamp,
) -> Result<()> {
    if config.webhooks.is_empty() {
        return Ok(());
    }
    for id in alerts {
        let alert = alerts::find_new(conn, config.project.id, id, now).await?;
        if let Some(message) = about_alert(&alert)? {
            tell(conn, config, &message, now).await?;
        }
    }
    Ok(())
}

/// What is told of alerts that a change of configuration made due for many.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryData {
    project_id: ProjectId,
    alerts: i64,
    customers: i64,
    limits: Vec<SummaryLimit>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SummaryLimit {
    limit_id: LimitId,
    limit_name: String,
    threshold: u16,
    alerts: i64,
}

/// Tells of the alerts that the change of configuration just worked off made due, all in one.
pub(crate) async fn tell_alerts_summary(conn: &mut SqliteConnection, config: &Config, now: Timestamp) -> Result<()> {
    let (alerts, customers, first): (i64, i64, Option<i64>) =
        sqlx::query_as("SELECT count(*), count(DISTINCT customer), min(seq) FROM alert WHERE in_summary = 1")
            .fetch_one(&mut *conn)
            .await?;
    let Some(first) = first else { return Ok(()) };
    let rows = sqlx::query(
        "SELECT l.uuid, l.name, a.threshold, count(*) FROM alert a JOIN usage_limit l ON l.id = a.usage_limit \
         WHERE a.in_summary = 1 GROUP BY a.usage_limit, a.threshold ORDER BY l.id, a.threshold",
    )
    .fetch_all(&mut *conn)
    .await?;
    let limits = rows
        .iter()
        .map(|row| {
            Ok(SummaryLimit {
                limit_id: LimitId::new(row.try_get(0)?),
                limit_name: row.try_get(1)?,
                threshold: row.try_get(2)?,
                alerts: row.try_get(3)?,
            })
        })
        .collect::<Result<_>>()?;
    let data = SummaryData { project_id: config.project.id, alerts, customers, limits };
    let message = Message {
        id: message_id(&format!("alerts/{}/{first}", config.project.id)),
        event_type: WebhookEventType::AlertsSummary,
        data: to_json(&data)?,
    };
    tell(conn, config, &message, now).await?;
    sqlx::query("UPDATE alert SET in_summary = 2 WHERE in_summary = 1").execute(conn).await?;
    Ok(())
}

/// What is told of a threshold.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LimitData<'a> {
    alert_id: AlertId,
    project_id: ProjectId,
    customer_id: &'a str,
    customer_name: Option<&'a str>,
    limit_id: LimitId,
    limit_name: &'a str,
    threshold: u16,
    limit: Quantity,
    current_usage: Quantity,
    percentage: Quantity,
    remaining: Quantity,
    unit: Option<&'a str>,
    period: Period,
    window_start: Option<Timestamp>,
    window_end: Option<Timestamp>,
}

/// What is told of a balance.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BalanceData<'a> {
    alert_id: AlertId,
    project_id: ProjectId,
    customer_id: &'a str,
    customer_name: Option<&'a str>,
    balance_id: BalanceId,
    balance_name: &'a str,
    unit: Option<&'a str>,
    threshold: Quantity,
    current_balance: Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_up_amount: Option<Quantity>,
}

fn about_alert(alert: &Alert) -> Result<Option<Message>> {
    let (event_type, data) = match (alert.kind, &alert.limit, &alert.balance) {
        (AlertKind::LimitThreshold, Some(limit), _) => {
            let whole = if limit.threshold >= 100 {
                WebhookEventType::LimitExceeded
            } else {
                WebhookEventType::LimitThresholdReached
            };
            (whole, to_json(&limit_data(alert, limit))?)
        }
        (AlertKind::BalanceLow, _, Some(balance)) => {
            (WebhookEventType::BalanceLow, to_json(&balance_data(alert, balance))?)
        }
        (AlertKind::BalanceTopUp, _, Some(balance)) => {
            (WebhookEventType::BalanceTopUp, to_json(&balance_data(alert, balance))?)
        }
        _ => return Ok(None),
    };
    Ok(Some(Message { id: message_id(&alert.id.to_string()), event_type, data }))
}

fn limit_data<'a>(alert: &'a Alert, limit: &'a AlertedLimit) -> LimitData<'a> {
    let left = limit.value.checked_sub(limit.used).unwrap_or(Quantity::ZERO);
    LimitData {
        alert_id: alert.id,
        project_id: alert.project_id,
        customer_id: &alert.customer_id,
        customer_name: alert.customer_name.as_deref(),
        limit_id: limit.id,
        limit_name: &limit.name,
        threshold: limit.threshold,
        limit: limit.value,
        current_usage: limit.used,
        percentage: limit.percentage,
        remaining: left.max(Quantity::ZERO),
        unit: limit.unit.as_deref(),
        period: limit.period,
        window_start: limit.window_start,
        window_end: limit.window_end,
    }
}

fn balance_data<'a>(alert: &'a Alert, balance: &'a AlertedBalance) -> BalanceData<'a> {
    BalanceData {
        alert_id: alert.id,
        project_id: alert.project_id,
        customer_id: &alert.customer_id,
        customer_name: alert.customer_name.as_deref(),
        balance_id: balance.id,
        balance_name: &balance.name,
        unit: balance.unit.as_deref(),
        threshold: balance.threshold,
        current_balance: balance.current_balance,
        top_up_amount: balance.top_up_amount,
    }
}
