//! Summaries of usage: what was used in a day, week or month, told once it is over.

use std::sync::Arc;

use serde::Serialize;
use weir_core::id::{MeterId, ProjectId};
use weir_core::period::{Period, Window};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};

use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::MeterRule;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{QueryMeter, WebhookEventType};
use crate::outbox::{self, Message, message_id};
use crate::scan::to_json;

/// What summaries are about, as callers name it and as windows are cut.
const INTERVALS: [(&str, Period); 3] = [("day", Period::Day), ("week", Period::Week), ("month", Period::Month)];
/// Months of summaries begin on the first.
const ANCHOR: CivilDate = CivilDate::FIRST;

/// What is told of an interval.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Data<'a> {
    project_id: ProjectId,
    interval: &'static str,
    timezone: Zone,
    window_start: Option<Timestamp>,
    window_end: Option<Timestamp>,
    events: u64,
    active_customers: u64,
    meters: Vec<MeterData<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MeterData<'a> {
    meter_id: MeterId,
    meter_name: &'a str,
    unit: Option<&'a str>,
    value: Option<Quantity>,
}

impl Engine {
    /// Tells of every interval that is over and was not told of yet, the last one of each length, and answers when the next one
    /// is over. Intervals that ended before an endpoint wanted to know are not told.
    pub async fn tell_summaries(&self) -> Result<Option<Timestamp>> {
        if self.shared.config().told(WebhookEventType::UsageSummary).next().is_none() {
            self.forget_summaries().await?;
            return Ok(None);
        }
        let now = self.now();
        let zone = self.shared.config().project.timezone;
        let mut next = None;
        for (interval, period) in INTERVALS {
            let present = period.window(zone, ANCHOR, now);
            let Some(start) = present.start else { continue };
            next = next.into_iter().chain(present.end).min();
            let since: Option<i64> = sqlx::query_scalar("SELECT since FROM summary_due WHERE interval = ?1")
                .bind(interval)
                .fetch_optional(&mut *self.reader().await?)
                .await?;
            let since = since.map(Timestamp::from_micros);
            // In another zone it is no boundary. What that cuts anew is told from its present interval on.
            let is_boundary = since.is_some_and(|since| period.window(zone, ANCHOR, since).start == Some(since));
            if is_boundary && since >= Some(start) {
                continue;
            }
            let over = period.window_before(zone, ANCHOR, present);
            let message = match (is_boundary, over) {
                (true, Some(over)) => Some(self.summary_of(interval, zone, over).await?),
                _ => None,
            };
            self.writer()
                .aside(&Actor::system(), move |tx| {
                    Box::pin(async move {
                        sqlx::query(
                            "INSERT INTO summary_due (interval, since) VALUES (?1, ?2) \
                             ON CONFLICT (interval) DO UPDATE SET since = excluded.since",
                        )
                        .bind(interval)
                        .bind(start.as_micros())
                        .execute(tx.conn())
                        .await?;
                        if let Some(message) = message {
                            let (config, now) = (tx.config.clone(), tx.now);
                            outbox::tell(tx.conn(), &config, &message, now).await?;
                            tx.touches(Topics::WEBHOOKS);
                        }
                        Ok(())
                    })
                })
                .await?;
        }
        Ok(next)
    }

    /// Nobody wants to know: what ends until somebody does is not told.
    async fn forget_summaries(&self) -> Result<()> {
        let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM summary_due)")
            .fetch_one(&mut *self.reader().await?)
            .await?;
        if !known {
            return Ok(());
        }
        self.writer()
            .aside(&Actor::system(), |tx| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM summary_due").execute(tx.conn()).await?;
                    Ok(())
                })
            })
            .await
    }

    async fn summary_of(&self, interval: &'static str, zone: Zone, window: Window) -> Result<Message> {
        let totals = self.usage_totals(window.start, window.end).await?;
        let config = self.shared.config();
        let rules: Vec<&Arc<MeterRule>> = config.meters.values().filter(|meter| meter.ready).collect();
        let mut meters = Vec::with_capacity(rules.len());
        for meter in rules {
            let query = QueryMeter { from: window.start, to: window.end, ..QueryMeter::default() };
            let value = self.query_meter(meter.id, query).await?.value;
            let (meter_name, unit) = (meter.name.as_str(), meter.unit.as_deref());
            meters.push(MeterData { meter_id: meter.id, meter_name, unit, value });
        }
        let start = window.start.map_or(0, Timestamp::as_micros);
        let data = Data {
            project_id: self.shared.project,
            interval,
            timezone: zone,
            window_start: window.start,
            window_end: window.end,
            events: totals.events,
            active_customers: totals.active_customers,
            meters,
        };
        Ok(Message {
            id: message_id(&format!("summary/{}/{interval}/{start}", self.shared.project)),
            event_type: WebhookEventType::UsageSummary,
            data: to_json(&data)?,
        })
    }
}
