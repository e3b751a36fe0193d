//! Where customers stand with their limits, and whether they may go on. A customer whose counters are resident costs neither SQL
//! nor the writer.

mod ahead;
mod explain;
mod prepaid;
mod weigh;

pub(crate) use ahead::first_event;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use sqlx::Row;
use uuid::Uuid;
use weir_core::aggregate::{Aggregate, Contribution};
use weir_core::decide::{Standing, admits, with_holds};
use weir_core::error::Fault;
use weir_core::event::{BUILT_IN_DIMENSIONS, Facts, MAX_ENTRIES, check_dimensions};
use weir_core::id::{EventId, LimitId};
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::{CivilDate, Timestamp};

use crate::accounts::Accounts;
use crate::config::{Config, LimitRule, MeterRule, effective};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::extras::{Raise, Reset};
use crate::live::LiveCustomer;
use crate::model::said_type;
use crate::model::{
    Check, CheckAnswer, CheckedLimit, Cursor, CustomerStanding, Enforcement, FilterOwner, LimitStanding, ListStandings,
    Page, RunningRaise, Source, StandingRow,
};

/// How often a customer is loaded for one answer before the caller is told to come back.
const MOST_LOADS: usize = 5;

/// One limit as it applies to a customer in a window.
pub(crate) struct Applied<'a> {
    pub rule: &'a LimitRule,
    pub meter: &'a MeterRule,
    source: Source,
    window: Window,
    /// The meter over the window with live holds.
    taken: Aggregate,
    standing: Standing,
    raised: Option<&'a Raise>,
    reset: Option<&'a Reset>,
}

impl<'a> Applied<'a> {
    /// `None` when its counter is not loaded.
    fn of(
        config: &'a Config,
        customer: &'a LiveCustomer,
        rule: &'a LimitRule,
        source: Source,
        now: Timestamp,
    ) -> Option<Self> {
        let meter = config.meter_of(rule)?;
        let window = rule.period.window(customer.zone(config), customer.anchor, now);
        let total = customer.counter(config, rule, meter)?.total(meter.aggregation, window);
        Some(Applied::over(customer, rule, meter, source, window, total, now))
    }

    /// With the meter over a window.
    pub(crate) fn over(
        customer: &'a LiveCustomer,
        rule: &'a LimitRule,
        meter: &'a MeterRule,
        source: Source,
        window: Window,
        total: Aggregate,
        now: Timestamp,
    ) -> Self {
        // A raise that ends before a coming window begins is none there.
        let raised = customer.extras().raise(rule, window.start.map_or(now, |start| start.max(now)));
        let limit = raised.map_or(rule.value, |raise| raise.value);
        let used = total.used();
        // Whatever is held may come now, or in a coming window that it reaches.
        let (taken, held) = if !window.is_over(now) && !customer.extras().holds.is_empty() {
            let taken = with_holds(&total, customer.held(rule, meter, window, now));
            // A difference of two totals that can be counted.
            let held = taken.used().checked_sub(used).unwrap_or(Quantity::ZERO);
            (taken, held)
        } else {
            (total, Quantity::ZERO)
        };
        let standing = Standing { limit, used, held };
        let reset = customer.extras().reset(rule.key);
        Applied { rule, meter, source, window, taken, standing, raised, reset }
    }

    /// Whether a hard limit lets an event through.
    pub(crate) fn admits(&self, event: Option<&Contribution>) -> Result<bool> {
        Ok(self.rule.enforcement == Enforcement::Soft || admits(&self.taken, event, self.standing.limit)?)
    }

    /// Whether its window begins at an instant or later.
    pub(crate) fn begins_from(&self, at: Timestamp) -> bool {
        self.window.start.is_some_and(|start| at <= start)
    }

    pub(crate) fn by_urgency(&self, refuses: bool, other: &Self, other_refuses: bool) -> Ordering {
        other_refuses
            .cmp(&refuses)
            .then_with(|| self.standing.by_remaining_share(&other.standing))
            .then_with(|| self.rule.id.cmp(&other.rule.id))
    }

    /// When usage was reset within the window.
    fn reset_at(&self) -> Option<Timestamp> {
        self.reset.map(|reset| reset.at).filter(|at| self.window.contains(*at))
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

    /// As it stands now, and ahead. `first` is the customer's first event, for limits that never reset.
    fn shown(&self, first: Option<Timestamp>, now: Timestamp) -> LimitStanding {
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
            forecast: self.forecast(first, now),
            raised: self.raised.map(|raise| RunningRaise {
                own_value: self.rule.value,
                until: raise.until,
                note: raise.note.to_string(),
            }),
            reset_at: self.reset_at(),
        }
    }
}

/// Where a customer, whose counters are loaded, stands with a limit that applies. `first` is the customer's first event.
pub(crate) fn standing_with(
    config: &Config,
    customer: &LiveCustomer,
    id: LimitId,
    first: Option<Timestamp>,
    now: Timestamp,
) -> Result<LimitStanding> {
    let applied = effective(config, &customer.own).find(|(rule, _)| rule.id == id);
    let applied = applied.and_then(|(rule, source)| Applied::of(config, customer, rule, source, now));
    Ok(applied.ok_or_else(building)?.shown(first, now))
}

/// What a check asks about: the customer as such, or one event.
enum Question<'a> {
    Customer,
    Event { event_type: Option<&'a str>, facts: Facts<'a>, with_values: bool },
}

/// The first filter that what is asked about does not meet, and what it has instead.
struct Unmet<'a> {
    of: FilterOwner,
    dimension: &'a str,
    wanted: &'a str,
    given: Option<&'a str>,
}

static NO_VALUES: BTreeMap<String, Quantity> = BTreeMap::new();
static NO_DIMENSIONS: BTreeMap<String, String> = BTreeMap::new();

impl<'a> Question<'a> {
    fn of(check: &'a Check, now: Timestamp) -> Self {
        if check.dimensions.is_none() && check.event_type.is_none() && check.values.is_none() {
            return Question::Customer;
        }
        let event_type = check.said_type();
        Question::Event {
            event_type,
            facts: Facts {
                // Newer than anything recorded, as the event would be.
                id: EventId::new(Uuid::max()),
                at: now,
                customer: &check.customer_id,
                event_type: event_type.unwrap_or_default(),
                values: check.values.as_ref().unwrap_or(&NO_VALUES),
                dimensions: check.dimensions.as_ref().unwrap_or(&NO_DIMENSIONS),
            },
            with_values: check.values.is_some(),
        }
    }

    /// What keeps an event like this from counting on a limit, as far as the question says.
    fn unmet<'b>(&'b self, rule: &'b LimitRule, meter: &'b MeterRule) -> Option<Unmet<'b>> {
        let Question::Event { event_type, facts, .. } = self else { return None };
        let given = |name: &str| if name == "event_type" { *event_type } else { facts.dimension(name) };
        let filter = &meter.filter;
        // The type first: it tells more than a dimension.
        let of_type = filter.event_type.iter().map(|wanted| ("event_type", wanted));
        let of_meter = of_type.chain(filter.dimensions.iter().map(|(name, wanted)| (name.as_str(), wanted)));
        for (dimension, wanted) in of_meter {
            // A meter's filter that nothing is said of may well be met.
            let given = given(dimension);
            if given.is_some_and(|given| given != wanted) {
                return Some(Unmet { of: FilterOwner::Meter, dimension, wanted, given });
            }
        }
        let unmet = rule.filters.iter().find(|(name, wanted)| given(name) != Some(wanted.as_str()));
        unmet.map(|(dimension, wanted)| Unmet { of: FilterOwner::Limit, dimension, wanted, given: given(dimension) })
    }

    /// Whether an event like this would count on a limit, as far as the question says.
    fn applies(&self, applied: &Applied<'_>) -> bool {
        self.unmet(applied.rule, applied.meter).is_none()
    }

    /// What an event with these values adds to a meter, as tracking counts it: what is not said of its dimensions it does not
    /// have. A type that is not said may well be the meter's.
    fn part(&self, meter: &MeterRule) -> Option<Contribution> {
        let Question::Event { event_type, facts, with_values: true } = self else { return None };
        let open = |name: &str| name == "event_type" && event_type.is_none();
        let mut wanted = meter.filter.dimensions.iter();
        let met = wanted.all(|(name, wanted)| open(name) || facts.dimension(name) == Some(wanted));
        if met { meter.field.of(facts) } else { None }
    }

    /// Whether a limit refuses.
    fn is_refused_by(&self, applied: &Applied<'_>) -> Result<bool> {
        match self {
            Question::Event { with_values: true, .. } => Ok(!applied.admits(self.part(applied.meter).as_ref())?),
            _ => Ok(applied.rule.enforcement == Enforcement::Hard && applied.standing.exceeded()),
        }
    }
}

impl Engine {
    /// Whether a customer may go on, or an event may happen. Consumes nothing, and sees every answered record.
    pub async fn check(&self, check: Check) -> Result<CheckAnswer> {
        let began = Instant::now();
        let answer = self.checked(&check).await;
        self.shared.measures.checks.observe(began.elapsed());
        answer
    }

    async fn checked(&self, check: &Check) -> Result<CheckAnswer> {
        validate(check)?;
        let (config, customer) = self.loaded(&check.customer_id).await?;
        let now = self.now();
        let question = Question::of(check, now);
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
        let first = self.first_event_for(&applied, &customer).await?;
        Ok(CustomerStanding {
            customer_id: external,
            timezone: customer.zone(&config),
            limits: applied.iter().map(|applied| applied.shown(first, now)).collect(),
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
            let applied = effective(&config, &live.own)
                .find(|(rule, _)| rule.id == id)
                .and_then(|(rule, source)| Applied::of(&config, &live, rule, source, now));
            if let Some(applied) = applied {
                let first = self.first_event_for(std::slice::from_ref(&applied), &live).await?;
                let standing = applied.shown(first, now);
                data.push(StandingRow { customer_id: external, customer_name: row.try_get(4)?, standing });
            }
        }
        Ok(Page::new(data, next.filter(|_| more)))
    }

    /// A customer with the counters of every limit loaded, and the configuration they were loaded for; an unknown customer as if
    /// created now.
    pub(crate) async fn loaded(&self, external: &str) -> Result<(Arc<Config>, Arc<LiveCustomer>)> {
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
                    extras: None,
                    accounts: Accounts::None,
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
    validate_event(&check.customer_id, check.event_type.as_deref(), check.dimensions.as_ref())?;
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

/// Checks what is said of an event that is asked about.
pub(crate) fn validate_event(
    customer: &str,
    event_type: Option<&str>,
    dimensions: Option<&BTreeMap<String, String>>,
) -> Result<(), Fault> {
    text::check_external_id("customerId", customer)?;
    if let Some(event_type) = event_type {
        text::check("eventType", event_type, 1, MAX_SHORT)?;
    }
    let Some(dimensions) = dimensions else { return Ok(()) };
    check_dimensions("dimensions", dimensions)?;
    for (name, own) in BUILT_IN_DIMENSIONS.into_iter().zip([Some(customer), said_type(event_type, Some(dimensions))]) {
        if dimensions.get(name).is_some_and(|given| Some(given.as_str()) != own) {
            return Err(Fault::invalid(format!("dimensions.{name}"), "contradicts the check itself"));
        }
    }
    Ok(())
}
