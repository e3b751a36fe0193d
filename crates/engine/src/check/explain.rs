//! Why a request is answered as it is. The decision is the one that checks and tracks take; this only says more of it.

use std::cmp::Reverse;

use sqlx::SqliteConnection;
use weir_core::decide::admits;
use weir_core::filter::within;
use weir_core::time::Timestamp;

use super::prepaid;
use super::weigh::{Weighing, amount, weigh};
use super::{Applied, Question, Unmet, building, validate};
use crate::config::{Config, EVERYONE, LimitRule, MeterRule, RateRule, effective};
use crate::engine::Engine;
use crate::error::Result;
use crate::limits;
use crate::live::LiveCustomer;
use crate::model::{
    Check, CheckRates, ExplainedLimit, ExplainedRate, Explanation, FilterOwner, Limit, LimitStatus, Mismatch,
    NamedLimit, RefusalReason, Share, Source, TrackDecision, Verdict, WindowUsage,
};
use crate::rate_limits;
use crate::writer::rate_standing;

/// Most limits listed that are switched off.
const MAX_DISABLED: usize = 100;

impl Engine {
    /// What a request would be answered, and why. Consumes nothing, and always agrees with `check`.
    pub async fn explain(&self, check: Check) -> Result<Explanation> {
        validate(&check)?;
        let (config, customer) = self.loaded(&check.customer_id).await?;
        let now = self.now();
        let customer = prepaid::up_to_date(&customer, now);
        let question = Question::of(&check, now);
        let mut asked = Vec::new();
        for (rule, source) in effective(&config, &customer.own) {
            let applied = Applied::of(&config, &customer, rule, source, now).ok_or_else(building)?;
            asked.push(Asked::of(&question, applied)?);
        }
        asked.sort_by(|a, b| {
            let (applies, other) = (a.unmet.is_none(), b.unmet.is_none());
            other.cmp(&applies).then_with(|| a.applied.by_urgency(a.refuses, &b.applied, b.refuses))
        });
        let rate_limits = rates(&config, &customer, &check, now);
        let balances = prepaid::explain(&question, &config, &customer)?;
        let track = track(&question, &config, &customer, &asked, now)?;
        let mut weighing: Vec<_> =
            asked.iter().filter(|asked| asked.unmet.is_none()).map(|asked| Weighing::on(&asked.applied)).collect();
        let mut conn = self.reader().await?;
        weigh(&mut conn, customer.key, &mut weighing).await?;
        let mut disabled = self.disabled_limits(&mut conn, customer.key).await?;
        drop(conn);
        let more_disabled = disabled.len() > MAX_DISABLED;
        disabled.truncate(MAX_DISABLED);

        let allowed = !asked.iter().any(|asked| asked.refuses);
        // Those that apply come first, in the same order.
        let mut weighing = weighing.into_iter();
        let mut limits = Vec::with_capacity(asked.len() + disabled.len());
        for asked in &asked {
            let weighing = if asked.unmet.is_none() { weighing.next() } else { None };
            limits.push(asked.explained(weighing));
        }
        limits.extend(replaced(&config, &customer));
        limits.extend(disabled.into_iter().filter_map(|limit| switched_off(&config, limit)));
        Ok(Explanation {
            customer_id: check.customer_id.clone(),
            known: customer.key != EVERYONE,
            timezone: customer.zone(&config),
            at: now,
            allowed,
            track,
            rate_limits,
            limits,
            balances,
            more_disabled,
        })
    }

    /// Limits that would be a customer's were they not switched off, newest first, with one to spare.
    async fn disabled_limits(&self, conn: &mut SqliteConnection, customer: i64) -> Result<Vec<Limit>> {
        let sql = format!(
            "{} WHERE (l.customer IS NULL OR l.customer = ?1) AND l.enabled = 0 AND l.archived_at IS NULL \
             ORDER BY l.id DESC LIMIT ?2",
            limits::SELECT
        );
        let rows =
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(customer).bind(MAX_DISABLED as i64 + 1).fetch_all(conn).await?;
        rows.iter().map(|row| limits::read(row, self.shared.project)).collect()
    }
}

/// A limit in force, asked about a request.
struct Asked<'a> {
    applied: Applied<'a>,
    unmet: Option<Mismatch>,
    refuses: bool,
    verdict: Option<Verdict>,
    share: Option<Share>,
}

impl<'a> Asked<'a> {
    fn of(question: &Question<'_>, applied: Applied<'a>) -> Result<Self> {
        let unmet = question.unmet(applied.rule, applied.meter).map(Mismatch::from);
        let mut asked = Asked { applied, unmet, refuses: false, verdict: None, share: None };
        if asked.unmet.is_none() {
            asked.refuses = question.is_refused_by(&asked.applied)?;
            asked.judge(question)?;
        }
        Ok(asked)
    }

    /// Says what decides, in the terms of the rule in `weir_core::decide`.
    fn judge(&mut self, question: &Question<'_>) -> Result<()> {
        let applied = &self.applied;
        let Question::Event { with_values: true, .. } = question else {
            self.verdict = Some(if applied.standing.exceeded() { Verdict::UsedUp } else { Verdict::Within });
            return Ok(());
        };
        let Some(part) = question.part(applied.meter) else {
            self.verdict = Some(Verdict::NothingCounted);
            return Ok(());
        };
        let limit = applied.standing.limit;
        let mut with = applied.taken.clone();
        with.add(&part)?;
        let (before, after) = (applied.taken.used(), with.used());
        self.share = Some(Share { value: amount(&part), before, after });
        self.verdict = Some(match admits(&applied.taken, Some(&part), limit)? {
            false => Verdict::WouldExceed,
            true if after > limit => Verdict::NoFurther,
            true => Verdict::Within,
        });
        Ok(())
    }

    fn explained(&self, weighing: Option<Weighing<'_>>) -> ExplainedLimit {
        let (applied, standing) = (&self.applied, &self.applied.standing);
        let status = match &self.unmet {
            None => LimitStatus::Applies,
            Some(unmet) if unmet.dimension == "event_type" => LimitStatus::OtherEventType,
            Some(_) => LimitStatus::FilteredOut,
        };
        ExplainedLimit {
            limit: standing.limit,
            status,
            mismatch: self.unmet.clone(),
            usage: Some(WindowUsage {
                window_start: applied.window.start,
                window_end: applied.window.end,
                used: standing.used,
                held: standing.held,
                remaining: standing.remaining(),
                exceeded: standing.exceeded(),
                utilisation: standing.utilisation(),
            }),
            share: self.share.clone(),
            verdict: self.verdict,
            refuses: self.refuses,
            events_complete: weighing.as_ref().is_some_and(|weighing| weighing.complete),
            events: weighing.map(Weighing::into_events).unwrap_or_default(),
            ..absent(applied.rule, applied.meter, applied.source, status)
        }
    }
}

impl From<Unmet<'_>> for Mismatch {
    fn from(unmet: Unmet<'_>) -> Self {
        Mismatch {
            of: unmet.of,
            dimension: unmet.dimension.to_owned(),
            wanted: unmet.wanted.to_owned(),
            given: unmet.given.map(str::to_owned),
        }
    }
}

/// A limit that has no say.
fn absent(rule: &LimitRule, meter: &MeterRule, source: Source, status: LimitStatus) -> ExplainedLimit {
    ExplainedLimit {
        limit_id: rule.id,
        name: rule.name.clone(),
        meter_id: meter.id,
        meter_name: meter.name.clone(),
        unit: meter.unit.clone(),
        aggregation: meter.aggregation,
        field: meter.field.to_string(),
        period: rule.period,
        limit: rule.value,
        enforcement: rule.enforcement,
        source,
        dimension_filters: rule.filters.clone(),
        status,
        mismatch: None,
        replaced_by: None,
        usage: None,
        share: None,
        verdict: None,
        refuses: false,
        events: Vec::new(),
        events_complete: true,
    }
}

/// The defaults in whose place the customer's own limits stand.
fn replaced<'a>(config: &'a Config, customer: &'a LiveCustomer) -> impl Iterator<Item = ExplainedLimit> + 'a {
    config.defaults.iter().filter_map(|rule| {
        let own = customer.own.iter().find(|own| own.counts_like(rule))?;
        let limit = absent(rule, config.meter_of(rule)?, Source::Default, LimitStatus::Replaced);
        Some(ExplainedLimit { replaced_by: Some(NamedLimit { id: own.id, name: own.name.clone() }), ..limit })
    })
}

fn switched_off(config: &Config, limit: Limit) -> Option<ExplainedLimit> {
    let meter = config.meters.values().find(|meter| meter.id == limit.meter_id)?;
    let source = if limit.customer_id.is_some() { Source::Own } else { Source::Default };
    let rule = LimitRule {
        key: 0,
        id: limit.id,
        name: limit.name,
        meter: meter.key,
        value: limit.limit_value,
        period: limit.period,
        filters: limit.dimension_filters,
        enforcement: limit.enforcement,
        thresholds: limit.alert_thresholds.into(),
        arming: 0,
        counting: 0,
    };
    Some(absent(&rule, meter, source, LimitStatus::Disabled))
}

/// Every rate limit of a customer, asked about a request as `rate_limits.check` does.
fn rates(config: &Config, customer: &LiveCustomer, check: &Check, now: Timestamp) -> Vec<ExplainedRate> {
    let asked = CheckRates {
        customer_id: check.customer_id.clone(),
        dimensions: check.dimensions.clone(),
        event_type: check.event_type.clone(),
    };
    let explained = |rule: &RateRule| {
        let standing = rate_standing(rule, Some(customer), now);
        let applies = rate_limits::applies(rule, &asked);
        let given = |name: &str| match name {
            "customer_id" => Some(asked.customer_id.as_str()),
            "event_type" => asked.said_type(),
            _ => asked.dimensions.as_ref().and_then(|dimensions| dimensions.get(name)).map(String::as_str),
        };
        let mismatch = rule.filters.iter().find(|(name, wanted)| !applies && given(name) != Some(wanted.as_str()));
        let own = config.rates.get(&customer.key).is_some_and(|own| own.iter().any(|own| own.key == rule.key));
        ExplainedRate {
            refuses: applies && standing.exceeded,
            applies,
            source: if own && customer.key != EVERYONE { Source::Own } else { Source::Default },
            dimension_filters: rule.filters.clone(),
            mismatch: mismatch.map(|(dimension, wanted)| Mismatch {
                of: FilterOwner::Limit,
                dimension: dimension.clone(),
                wanted: wanted.clone(),
                given: given(dimension).map(str::to_owned),
            }),
            standing,
        }
    };
    let mut explained: Vec<_> = config.rates_of(customer.key).map(|rule| explained(rule)).collect();
    explained
        .sort_by_key(|rate| (Reverse(rate.applies), Reverse(rate.refuses), rate.standing.remaining, rate.standing.id));
    explained
}

/// What tracking would decide, for which all of the event has to be said.
fn track(
    question: &Question<'_>,
    config: &Config,
    customer: &LiveCustomer,
    asked: &[Asked<'_>],
    now: Timestamp,
) -> Result<Option<TrackDecision>> {
    let Question::Event { event_type: Some(_), facts, with_values: true } = question else { return Ok(None) };
    let spent = |rule: &&RateRule| rate_standing(rule, Some(customer), now).exceeded;
    let rates = config.rates_of(customer.key).map(|rule| &**rule).filter(|rule| within(&rule.filters, facts));
    let rate_limits: Vec<_> = rates.filter(spent).map(|rule| rule.id).collect();
    let mut limits = Vec::new();
    if rate_limits.is_empty() {
        limits.extend(asked.iter().filter(|asked| asked.refuses).map(|asked| asked.applied.rule.id));
    }
    let mut balances = Vec::new();
    if rate_limits.is_empty() && limits.is_empty() {
        balances = prepaid::refusing(config, customer, facts)?;
    }
    let reason = match (rate_limits.is_empty(), limits.is_empty(), balances.is_empty()) {
        (false, ..) => Some(RefusalReason::CustomerRateLimited),
        (true, false, _) => Some(RefusalReason::LimitExceeded),
        (true, true, false) => Some(RefusalReason::InsufficientBalance),
        (true, true, true) => None,
    };
    Ok(Some(TrackDecision { admitted: reason.is_none(), reason, rate_limits, limits, balances }))
}
