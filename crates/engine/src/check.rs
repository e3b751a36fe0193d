//! Where customers stand with their limits, and whether they may go on. A customer whose counters are resident costs neither SQL
//! nor the writer.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::Row;
use uuid::Uuid;
use weir_core::aggregate::Aggregate;
use weir_core::decide::{Standing, admits};
use weir_core::error::Fault;
use weir_core::event::{BUILT_IN_DIMENSIONS, Facts, MAX_ENTRIES, check_dimensions};
use weir_core::id::{EventId, LimitId};
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::{CivilDate, Timestamp};

use crate::config::{Config, LimitRule, MeterRule, effective};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::{
    Check, CheckAnswer, CheckedLimit, Cursor, CustomerStanding, Enforcement, LimitStanding, ListStandings, Page,
    Source, StandingRow,
};

/// How often a customer is loaded for one answer before the caller is told to come back.
const MOST_LOADS: usize = 5;

/// One limit as it applies to a customer in a window.
pub(crate) struct Applied<'a> {
    pub rule: &'a LimitRule,
    pub meter: &'a MeterRule,
    source: Source,
    window: Window,
    pub total: Aggregate,
    standing: Standing,
}

impl<'a> Applied<'a> {
    /// `None` when its counter is not loaded.
    fn of(
        config: &'a Config,
        customer: &LiveCustomer,
        rule: &'a LimitRule,
        source: Source,
        now: Timestamp,
    ) -> Option<Self> {
        let meter = config.meter_of(rule)?;
        let window = rule.period.window(customer.zone(config), customer.anchor, now);
        let total = customer.counter(config, rule, meter)?.total(meter.aggregation, window);
        Some(Applied::over(rule, meter, source, window, total))
    }

    /// With the meter over a window.
    pub(crate) fn over(
        rule: &'a LimitRule,
        meter: &'a MeterRule,
        source: Source,
        window: Window,
        total: Aggregate,
    ) -> Self {
        let standing = Standing { limit: rule.value, used: total.used(), held: Quantity::ZERO };
        Applied { rule, meter, source, window, total, standing }
    }

    pub(crate) fn by_urgency(&self, refuses: bool, other: &Self, other_refuses: bool) -> Ordering {
        other_refuses
            .cmp(&refuses)
            .then_with(|| self.standing.by_remaining_share(&other.standing))
            .then_with(|| self.rule.id.cmp(&other.rule.id))
    }

    fn reset(&self) -> Option<i64> {
        self.window.end.map(Timestamp::unix_seconds_ceil)
    }

    pub(crate) fn checked(&self) -> CheckedLimit {
        CheckedLimit {
            id: self.rule.id,
            name: self.rule.name.clone(),
            meter_id: self.meter.id,
            period: self.rule.period,
            limit: self.standing.limit,
            used: self.standing.used,
            held: self.standing.held,
            remaining: self.standing.remaining(),
            exceeded: self.standing.exceeded(),
            reset: self.reset(),
        }
    }

    fn shown(&self) -> LimitStanding {
        LimitStanding {
            limit_id: self.rule.id,
            name: self.rule.name.clone(),
            meter_id: self.meter.id,
            meter_name: self.meter.name.clone(),
            unit: self.meter.unit.clone(),
            aggregation: self.meter.aggregation,
            period: self.rule.period,
            limit: self.standing.limit,
            used: self.standing.used,
            held: self.standing.held,
            remaining: self.standing.remaining(),
            exceeded: self.standing.exceeded(),
            reset: self.reset(),
            window_start: self.window.start,
            window_end: self.window.end,
            enforcement: self.rule.enforcement,
            source: self.source,
            dimension_filters: self.rule.filters.clone(),
            utilisation: self.standing.utilisation(),
        }
    }
}

/// What a check asks about: the customer as such, or one event.
enum Question<'a> {
    Customer,
    Event { event_type: Option<&'a str>, facts: Facts<'a>, with_values: bool },
}

impl Question<'_> {
    /// Whether an event like this would count on a limit, as far as the question says.
    fn applies(&self, applied: &Applied<'_>) -> bool {
        let Question::Event { event_type, facts, .. } = self else { return true };
        let filter = &applied.meter.filter;
        let contradicts = |(name, wanted): (&String, &String)| match name.as_str() {
            "event_type" => event_type.is_some_and(|given| given != wanted),
            name => facts.dimension(name).is_some_and(|given| given != wanted),
        };
        let same_type = match (event_type, &filter.event_type) {
            (Some(given), Some(wanted)) => given == wanted,
            _ => true,
        };
        same_type
            && !filter.dimensions.iter().any(contradicts)
            && applied.rule.filters.iter().all(|(name, wanted)| facts.dimension(name) == Some(wanted))
    }

    /// Whether a limit refuses.
    fn is_refused_by(&self, applied: &Applied<'_>) -> Result<bool> {
        if applied.rule.enforcement == Enforcement::Soft {
            return Ok(false);
        }
        match self {
            Question::Event { facts, with_values: true, .. } => {
                let part = applied.meter.field.of(facts);
                Ok(!admits(&applied.total, part.as_ref(), applied.rule.value)?)
            }
            _ => Ok(applied.standing.exceeded()),
        }
    }
}

impl Engine {
    /// Whether a customer may go on, or an event may happen. Consumes nothing, and sees every answered record.
    pub async fn check(&self, check: Check) -> Result<CheckAnswer> {
        validate(&check)?;
        let (config, customer) = self.loaded(&check.customer_id).await?;
        let now = self.now();
        let (nothing, none) = (BTreeMap::new(), BTreeMap::new());
        let about_event = check.dimensions.is_some() || check.event_type.is_some() || check.values.is_some();
        let question = if about_event {
            Question::Event {
                event_type: check.event_type.as_deref(),
                facts: Facts {
                    // Newer than anything recorded, as the event would be.
                    id: EventId::new(Uuid::max()),
                    at: now,
                    customer: &check.customer_id,
                    event_type: check.event_type.as_deref().unwrap_or_default(),
                    values: check.values.as_ref().unwrap_or(&none),
                    dimensions: check.dimensions.as_ref().unwrap_or(&nothing),
                },
                with_values: check.values.is_some(),
            }
        } else {
            Question::Customer
        };
        let mut applied = Vec::new();
        for (rule, source) in effective(&config, &customer.own) {
            let one = Applied::of(&config, &customer, rule, source, now).ok_or_else(building)?;
            if question.applies(&one) {
                let refused = question.is_refused_by(&one)?;
                applied.push((one, refused));
            }
        }
        applied.sort_by(|(a, a_refuses), (b, b_refuses)| a.by_urgency(*a_refuses, b, *b_refuses));
        Ok(CheckAnswer {
            allowed: !applied.iter().any(|(_, refuses)| *refuses),
            limits: applied.iter().map(|(applied, _)| applied.checked()).collect(),
        })
    }

    /// Where a customer stands with every limit that applies.
    pub async fn customer_standing(&self, id: &str) -> Result<CustomerStanding> {
        let external = self.external_id(id).await?;
        let (config, customer) = self.loaded(&external).await?;
        let now = self.now();
        let mut applied = Vec::new();
        for (rule, source) in effective(&config, &customer.own) {
            applied.push(Applied::of(&config, &customer, rule, source, now).ok_or_else(building)?);
        }
        let refuses =
            |applied: &Applied<'_>| applied.rule.enforcement == Enforcement::Hard && applied.standing.exceeded();
        applied.sort_by(|a, b| a.by_urgency(refuses(a), b, refuses(b)));
        Ok(CustomerStanding {
            customer_id: external,
            timezone: customer.zone(&config),
            limits: applied.iter().map(Applied::shown).collect(),
        })
    }

    /// Standings over all customers, closest to their limit first.
    pub async fn standings(&self, list: ListStandings) -> Result<Page<StandingRow>> {
        let after: Option<[String; 3]> = match &list.cursor {
            None => None,
            Some(cursor) => Some(cursor.keys().ok_or_else(Cursor::foreign)?),
        };
        let now = self.now();
        let mut conn = self.projections().await?;
        let of_limit = match list.limit_id {
            None => "?2 IS NULL",
            Some(_) => "s.usage_limit = (SELECT id FROM usage_limit WHERE uuid = ?2)",
        };
        let beyond = match after {
            None => "",
            Some(_) => {
                "AND (s.share, s.customer, s.usage_limit) < (CAST(?3 AS REAL), CAST(?4 AS INTEGER), CAST(?5 AS INTEGER))"
            }
        };
        // CROSS JOIN keeps the order: along an index by share, only as far as the page goes.
        let sql = format!(
            "SELECT s.customer, s.usage_limit, printf('%!.17g', s.share) AS share, c.external_id, c.name, l.uuid \
             FROM standing s CROSS JOIN customer c ON c.id = s.customer CROSS JOIN usage_limit l ON l.id = s.usage_limit \
             WHERE {of_limit} AND c.archived_at IS NULL AND (s.window_end IS NULL OR s.window_end > ?1) {beyond} \
             ORDER BY s.share DESC, s.customer DESC, s.usage_limit DESC LIMIT ?6"
        );
        let mut rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now.as_micros())
            .bind(list.limit_id.map(LimitId::uuid))
            .bind(after.as_ref().map(|[share, _, _]| share))
            .bind(after.as_ref().map(|[_, customer, _]| customer))
            .bind(after.as_ref().map(|[_, _, limit]| limit))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        drop(conn);
        let more = rows.len() > list.limit.rows();
        rows.truncate(list.limit.rows());
        let (mut data, mut next) = (Vec::with_capacity(rows.len()), None);
        for row in &rows {
            let (share, customer, limit): (String, i64, i64) = (row.try_get(2)?, row.try_get(0)?, row.try_get(1)?);
            next = Some(Cursor::of(&[&share, &customer.to_string(), &limit.to_string()]));
            let external: String = row.try_get(3)?;
            let (config, live) = self.loaded(&external).await?;
            let id = LimitId::new(row.try_get(5)?);
            // The row is for sorting; what is shown is worked out anew. A limit that stopped applying meanwhile is left out.
            let standing = effective(&config, &live.own)
                .find(|(rule, _)| rule.id == id)
                .and_then(|(rule, source)| Applied::of(&config, &live, rule, source, now))
                .map(|applied| applied.shown());
            if let Some(standing) = standing {
                data.push(StandingRow { customer_id: external, customer_name: row.try_get(4)?, standing });
            }
        }
        Ok(Page::new(data, next.filter(|_| more)))
    }

    /// A customer with the counters of every limit loaded, and the configuration they were loaded for; an unknown customer as if
    /// created now.
    async fn loaded(&self, external: &str) -> Result<(Arc<Config>, Arc<LiveCustomer>)> {
        for _ in 0..MOST_LOADS {
            let config = self.shared.config();
            let Some(customer) = self.shared.customers.get(external) else {
                let mut customer = LiveCustomer {
                    key: 0,
                    id: weir_core::id::CustomerId::new(Uuid::nil()),
                    external: external.into(),
                    zone: None,
                    anchor: CivilDate::of(self.now(), config.project.timezone),
                    own: Arc::default(),
                    counters: Vec::new(),
                    rates: Vec::new(),
                };
                crate::writer::start_counters(&config, &mut customer, self.now());
                return Ok((config, Arc::new(customer)));
            };
            if crate::writer::is_loaded(&config, &customer) {
                return Ok((config, customer));
            }
            // The configuration may change while it loads; then it is judged anew.
            self.writer().load(external).await?;
        }
        Err(Error::Busy { reason: "limits are changing faster than they can be counted", retry_after_seconds: 1 })
    }

    /// The external id of a known customer given by external or internal id.
    pub(crate) async fn external_id(&self, id: &str) -> Result<String> {
        match self.shared.customers.get(id) {
            Some(_) => Ok(id.to_owned()),
            None => Ok(self.customer(id).await?.external_id),
        }
    }
}

pub(crate) fn building() -> Error {
    Error::Busy { reason: "a meter that a limit uses is still counting history", retry_after_seconds: 1 }
}

fn validate(check: &Check) -> Result<(), Fault> {
    text::check_external_id("customerId", &check.customer_id)?;
    if let Some(event_type) = &check.event_type {
        text::check("eventType", event_type, 1, MAX_SHORT)?;
    }
    if let Some(dimensions) = &check.dimensions {
        check_dimensions("dimensions", dimensions)?;
        for (name, own) in BUILT_IN_DIMENSIONS.into_iter().zip([Some(&check.customer_id), check.event_type.as_ref()]) {
            if dimensions.get(name).is_some_and(|given| Some(given) != own) {
                return Err(Fault::invalid(format!("dimensions.{name}"), "contradicts the check itself"));
            }
        }
    }
    if let Some(values) = &check.values {
        if values.len() > MAX_ENTRIES {
            return Err(Fault::invalid("values", format_args!("must have at most {MAX_ENTRIES} entries")));
        }
        for key in values.keys() {
            text::check_key(&format!("values.{key}"), key)?;
        }
    }
    Ok(())
}
