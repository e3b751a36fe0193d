//! Tracking: rate limits, then limits with the event's own share, then recording, decided in one step against the overlay.

use std::cmp::Reverse;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::Arguments;
use uuid::Uuid;
use weir_core::aggregate::{Aggregate, Contribution};
use weir_core::event::Facts;
use weir_core::filter::within;
use weir_core::id::EventId;
use weir_core::time::Timestamp;

use super::charge::{charged, quote};
use super::flush::insert_rows;
use super::ingest::Prepared;
use super::overlay::Overlay;
use super::{Writer, counters, first_answers};
use crate::actor::Actor;
use crate::check::{Applied, building};
use crate::config::{Config, RateRule, effective};
use crate::error::{Error, Result};
use crate::live::{LiveCustomer, WindowCount};
use crate::model::{CheckedBalance, CheckedLimit, RateStanding, RefusalReason, Refused, RefusedCall, Tracked};
use crate::scan::to_json;

/// Refusals kept; older ones go.
const KEEP_REFUSALS: i64 = 100_000;

/// Windows long over that events of this batch lie in, by customer and limit: live counters do not reach back to them.
pub(super) type Past = FxHashMap<(i64, i64), Vec<WindowCount>>;

/// Calls in the present slot of rate limits, by rate limit, slot and customer.
pub(super) type RateUses = FxHashMap<(i64, i64, i64), u64>;

/// A refused call on its way into the file.
pub(super) struct RefusalRow {
    customer: i64,
    body: String,
}

/// One limit that an event counts on, in the window of the event.
pub(super) struct Judged<'a> {
    pub(super) applied: Applied<'a>,
    part: Option<Contribution>,
}

impl Judged<'_> {
    pub(super) fn refuses(&self) -> Result<bool> {
        Ok(!self.applied.admits(self.part.as_ref())?)
    }
}

/// Where a customer stands with a rate limit.
pub(crate) fn rate_standing(rule: &RateRule, customer: Option<&LiveCustomer>, now: Timestamp) -> RateStanding {
    let calls = customer.and_then(|customer| customer.calls(rule.key));
    let (used, admits_from, frees_at) = calls.map_or((0, now, now), |calls| {
        let frees_at = calls.frees_at(rule.span, now);
        (calls.used(rule.span, now), calls.admits_from(rule.span, rule.value, now), frees_at)
    });
    let exceeded = used >= rule.value;
    RateStanding {
        id: rule.id,
        name: rule.name.clone(),
        window: rule.span,
        limit: rule.value,
        remaining: rule.value.saturating_sub(used),
        reset: if exceeded { admits_from } else { frees_at }.unix_seconds_ceil(),
        exceeded,
    }
}

/// Puts refusing rate limits first, then those with the least left.
pub(crate) fn by_tightness(rates: &mut [RateStanding]) {
    rates.sort_by_key(|rate| {
        (!rate.exceeded, if rate.exceeded { Reverse(rate.reset) } else { Reverse(0) }, rate.remaining, rate.id)
    });
}

impl Writer {
    /// Loads the windows that tracked events lie in and live counters do not reach back to.
    pub(super) async fn look_back(&mut self, overlay: &mut Overlay, event: &Prepared) -> Result<()> {
        let (Some(at), Some(customer)) = (event.at, overlay.customers.get(event.customer.as_str())) else {
            return Ok(());
        };
        let config = self.shared.config();
        let zone = customer.zone(&config);
        let facts = event.facts(unrecorded(), at);
        for (rule, _) in effective(&config, &customer.own) {
            let Some(meter) = config.meter_of(rule) else { continue };
            let Some(counter) = customer.counter(&config, rule, meter) else { continue };
            let window = rule.period.window(zone, customer.anchor, at);
            if counter.covers(window) || !within(&rule.filters, &facts) || !meter.filter.matches(&facts) {
                continue;
            }
            let windows = overlay.past.entry((customer.key, rule.key)).or_default();
            if windows.iter().all(|known| known.window != window) {
                let count =
                    counters::look_back(&mut self.conn, &self.groups, &self.pending, meter, rule, customer, window);
                windows.push(count.await?);
            }
        }
        Ok(())
    }

    /// Asks whether neither a rate limit nor a limit refuses an event: the rate limits that it consumes, or the refusal, which is
    /// remembered. An event that is to come may come from now until `latest`, and at it: no period is so short that another window lies
    /// between the two. The outer error is the writer's, the inner one the caller's.
    pub(super) fn admit(
        &self,
        overlay: &mut Overlay,
        event: &Prepared,
        latest: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Result<Vec<Arc<RateRule>>>> {
        let config = self.shared.config();
        let Some(customer) = overlay.customers.get(event.customer.as_str()) else {
            return Err(Error::Storage("a customer was not resolved".to_owned()));
        };
        let facts = event.facts(unrecorded(), event.at.unwrap_or(now));
        let rules = rules_on(&config, customer, &facts);
        let mut judged = match judge(&config, customer, &overlay.past, &facts, now) {
            Ok(judged) => judged,
            Err(busy) => return Ok(Err(busy)),
        };
        if let Some(latest) = latest {
            let coming = event.facts(unrecorded(), latest);
            match judge(&config, customer, &overlay.past, &coming, now) {
                Ok(coming) => put_refusing(&mut judged, coming)?,
                Err(busy) => return Ok(Err(busy)),
            }
        }
        let mut unpaid = Vec::new();
        for quote in quote(&config, customer, &facts)? {
            unpaid.extend(quote.refusing()?);
        }
        let mut rates: Vec<_> = rules.iter().map(|rule| rate_standing(rule, Some(customer), now)).collect();
        by_tightness(&mut rates);
        let Some(refused) = refusal(rates, judged, unpaid, now)? else { return Ok(Ok(rules)) };
        let call = RefusedCall {
            customer_id: event.customer.clone(),
            reason: match (refused.rate_limits.is_empty(), refused.limits.is_empty()) {
                (false, _) => RefusalReason::CustomerRateLimited,
                (true, false) => RefusalReason::LimitExceeded,
                (true, true) => RefusalReason::InsufficientBalance,
            },
            event_type: event.event_type.clone(),
            values: event.values.clone(),
            dimensions: event.dimensions.clone(),
            timestamp: event.at,
            limits: refused.limits.clone(),
            rate_limits: refused.rate_limits.clone(),
            balances: refused.balances.clone(),
        };
        self.shared.measures.refusals(call.reason).add(1);
        // A refused call creates no customer.
        let known = if overlay.unknown.contains(&customer.external) { 0 } else { customer.key };
        overlay.refusals.push(RefusalRow { customer: known, body: to_json(&call)? });
        Ok(Err(Error::Refused(Box::new(refused))))
    }

    /// Decides an event and records it if nothing refuses. The outer error is the writer's, the inner one the caller's.
    pub(super) async fn track(
        &mut self,
        overlay: &mut Overlay,
        event: Prepared,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<Tracked>> {
        let config = self.shared.config();
        let (at, keyed) = (event.at.unwrap_or(now), event.key.is_some());
        let (name, event_type) = (event.customer.clone(), event.event_type.clone());
        let (values, dimensions) = (event.values.clone(), event.dimensions.clone());
        let repeats = event.key.is_some_and(|key| {
            let customer = overlay.customers.get(name.as_str());
            customer.is_some_and(|customer| overlay.keys.contains_key(&(customer.key, key.hash)))
        });
        if !repeats && let Err(refused) = self.admit(overlay, &event, None, now)? {
            return Ok(Err(refused));
        }
        let outcomes = self.apply(overlay, vec![event], actor, None, now).await?;
        let seq = self.last_seq;
        let [outcome] = outcomes.as_slice() else {
            return Err(Error::Storage("an event was not recorded".to_owned()));
        };
        if outcome.duplicate
            && let Some(first) = first_answers::find(&mut self.conn, &overlay.first_answers, outcome.id, now).await?
        {
            return Ok(Ok(first));
        }
        let Some(customer) = overlay.customers.get_mut(name.as_str()) else {
            return Err(Error::Storage("a customer was not resolved".to_owned()));
        };
        let facts = Facts {
            id: outcome.id,
            at,
            customer: &name,
            event_type: &event_type,
            values: &values,
            dimensions: &dimensions,
        };
        let rules = rules_on(&config, customer, &facts);
        if !outcome.duplicate {
            consume(customer, &mut overlay.rate_uses, &rules, now);
        }
        let rate_limits = left(customer, &rules, now);
        let balances = match outcome.duplicate {
            false => charged(customer, &overlay.book, seq),
            true => self.charged_before(customer, &overlay.book, outcome.id).await?,
        };
        let overdrawn = outcome.overdrawn;
        let limits = match judge(&config, customer, &overlay.past, &facts, now) {
            Ok(judged) => checked(judged),
            Err(busy) => return Ok(Err(busy)),
        };
        let tracked = Tracked { id: outcome.id, recorded: true, limits, balances, overdrawn, rate_limits };
        if keyed && !outcome.duplicate {
            overlay.first_answers.push((tracked.id, first_answers::write(&tracked)?));
        }
        Ok(Ok(tracked))
    }

    /// Writes the refusals and the use of rate limits of a batch.
    pub(super) async fn store_tracked(&mut self, overlay: &Overlay, now: Timestamp) -> Result<()> {
        let at = now.as_micros();
        insert_rows(&mut self.conn, "INTO refusal (customer, at, body)", 3, "", &overlay.refusals, |arguments, row| {
            arguments.add(row.customer)?;
            arguments.add(at)?;
            arguments.add(row.body.as_str())
        })
        .await?;
        let mut uses: Vec<_> = overlay.rate_uses.iter().collect();
        uses.sort_unstable();
        insert_rows(
            &mut self.conn,
            "INTO rate_use (rate_limit, slot, customer, calls)",
            4,
            "ON CONFLICT DO UPDATE SET calls = excluded.calls",
            &uses,
            |arguments, ((rate_limit, slot, customer), calls)| {
                arguments.add(*rate_limit)?;
                arguments.add(*slot)?;
                arguments.add(*customer)?;
                arguments.add(**calls as i64)
            },
        )
        .await
    }

    /// Removes refusals beyond those kept, calls that have left their windows, and answers older than a day.
    pub(super) async fn forget_tracked(&mut self, now: Timestamp) -> Result<()> {
        sqlx::query("DELETE FROM refusal WHERE seq <= (SELECT max(seq) FROM refusal) - ?1")
            .bind(KEEP_REFUSALS)
            .execute(&mut self.conn)
            .await?;
        first_answers::forget(&mut self.conn, now).await?;
        let config = self.shared.config();
        for rule in config.rates.values().flatten() {
            // The slot before the one in which a window that ends now begins.
            let gone = rule.span.slot(Timestamp::from_micros(now.as_micros() - rule.span.micros())) - 1;
            let customers: Vec<Option<String>> = sqlx::query_scalar(
                "DELETE FROM rate_use WHERE rate_limit = ?1 AND slot <= ?2 \
                 RETURNING (SELECT external_id FROM customer WHERE id = rate_use.customer)",
            )
            .bind(rule.key)
            .bind(gone)
            .fetch_all(&mut self.conn)
            .await?;
            // Whoever makes no call any more would keep what was counted of the last ones.
            let quiet: FxHashSet<String> = customers.into_iter().flatten().collect();
            for known in quiet.iter().filter_map(|external| self.shared.customers.get(external)) {
                let mut customer = (*known).clone();
                customer.rates.retain_mut(|(key, calls)| *key != rule.key || calls.forget(rule.span, now));
                self.shared.customers.put(customer);
            }
        }
        Ok(())
    }
}

/// The rate limits on which an event counts.
fn rules_on(config: &Config, customer: &LiveCustomer, facts: &Facts<'_>) -> Vec<Arc<RateRule>> {
    config.rates_of(customer.key).filter(|rule| within(&rule.filters, facts)).cloned().collect()
}

/// Counts a call on rate limits.
pub(super) fn consume(customer: &mut LiveCustomer, uses: &mut RateUses, rules: &[Arc<RateRule>], now: Timestamp) {
    let key = customer.key;
    for rule in rules {
        let calls = customer.calls_mut(rule.key);
        calls.take(rule.span, now);
        if let Some((slot, calls)) = calls.newest() {
            uses.insert((rule.key, slot, key), calls);
        }
    }
}

/// What is left of rate limits, the least first.
pub(super) fn left(customer: &LiveCustomer, rules: &[Arc<RateRule>], now: Timestamp) -> Vec<RateStanding> {
    let mut rates: Vec<_> = rules.iter().map(|rule| rate_standing(rule, Some(customer), now)).collect();
    rates.sort_by_key(|rate| (rate.remaining, rate.id));
    rates
}

/// Whether any of some limits refuses.
pub(super) fn any_refuses(judged: &[Judged<'_>]) -> Result<bool> {
    for judged in judged {
        if judged.refuses()? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Puts the limits of coming windows in the place of those of the present ones, where only there they refuse.
fn put_refusing<'a>(judged: &mut [Judged<'a>], coming: Vec<Judged<'a>>) -> Result<()> {
    for (present, coming) in judged.iter_mut().zip(coming) {
        if coming.refuses()? && !present.refuses()? {
            *present = coming;
        }
    }
    Ok(())
}

/// The id of an event that may be recorded: newer than any that is.
pub(super) fn unrecorded() -> EventId {
    EventId::new(Uuid::max())
}

/// The limits that an event counts on, in its own windows.
pub(super) fn judge<'a>(
    config: &'a Config,
    customer: &'a LiveCustomer,
    past: &Past,
    facts: &Facts<'_>,
    now: Timestamp,
) -> Result<Vec<Judged<'a>>> {
    let zone = customer.zone(config);
    let mut judged = Vec::new();
    for (rule, source) in effective(config, &customer.own) {
        let Some(meter) = config.meter_of(rule) else { continue };
        if !within(&rule.filters, facts) || !meter.filter.matches(facts) {
            continue;
        }
        let counter = customer.counter(config, rule, meter).ok_or_else(building)?;
        let window = rule.period.window(zone, customer.anchor, facts.at);
        let total = if counter.covers(window) {
            counter.total(meter.aggregation, window)
        } else {
            let windows = past.get(&(customer.key, rule.key)).into_iter().flatten();
            let mut counts = windows.filter(|count| count.window == window).map(|count| count.total.clone());
            counts.next().ok_or_else(|| Error::Storage("a window was not looked up".to_owned()))?
        };
        let part = meter.field.of(facts);
        judged.push(Judged { applied: Applied::over(customer, rule, meter, source, window, total, now), part });
    }
    Ok(judged)
}

/// The limits as they are answered, the least remaining share first.
pub(super) fn checked(mut judged: Vec<Judged<'_>>) -> Vec<CheckedLimit> {
    judged.sort_by(|a, b| a.applied.by_urgency(false, &b.applied, false));
    judged.iter().map(|judged| judged.applied.checked()).collect()
}

/// What refuses an event, if anything does.
fn refusal(
    rates: Vec<RateStanding>,
    judged: Vec<Judged<'_>>,
    unpaid: Vec<CheckedBalance>,
    now: Timestamp,
) -> Result<Option<Refused>> {
    let tightest = rates.first().cloned();
    let exceeded: Vec<_> = rates.into_iter().filter(|rate| rate.exceeded).collect();
    let wait = |reset: i64| u32::try_from(reset.saturating_sub(now.unix_seconds()).max(1)).unwrap_or(u32::MAX);
    if let Some(longest) = exceeded.first() {
        let retry_after_seconds = Some(wait(longest.reset));
        let (limits, meter) = (Vec::new(), None);
        return Ok(Some(Refused {
            rate_limits: exceeded,
            limits,
            balances: Vec::new(),
            meter,
            tightest,
            retry_after_seconds,
        }));
    }
    let mut refusing = Vec::new();
    for judged in judged {
        if judged.refuses()? {
            refusing.push(judged);
        }
    }
    refusing.sort_by(|a, b| a.applied.by_urgency(true, &b.applied, true));
    let Some(first) = refusing.first() else {
        if unpaid.is_empty() {
            return Ok(None);
        }
        let (rate_limits, limits, meter) = (Vec::new(), Vec::new(), None);
        return Ok(Some(Refused { rate_limits, limits, balances: unpaid, meter, tightest, retry_after_seconds: None }));
    };
    let meter = Some(first.applied.meter.name.clone());
    let limits: Vec<_> = refusing.iter().map(|judged| judged.applied.checked()).collect();
    // Only once every refusing window is over is it worth asking again.
    let reset = limits.iter().map(|limit| limit.reset).try_fold(0, |latest, reset| Some(latest.max(reset?)));
    let retry_after_seconds = reset.filter(|reset| *reset > now.unix_seconds()).map(wait);
    Ok(Some(Refused { rate_limits: Vec::new(), limits, balances: Vec::new(), meter, tightest, retry_after_seconds }))
}

/// Counts an event on a window long over, where this batch looked one up.
pub(super) fn count_past(past: &mut Past, customer: i64, limit: i64, part: &Contribution) -> Result<()> {
    for count in past.get_mut(&(customer, limit)).into_iter().flatten() {
        let newest = matches!(count.total, Aggregate::Latest(_));
        let before_end = count.window.end.is_none_or(|end| part.at < end);
        if count.window.contains(part.at) || (newest && before_end) {
            count.total.add(part)?;
        }
    }
    Ok(())
}
