//! Loading the counters of customers that have not been asked about since the engine opened, or since their limits changed.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::SqliteConnection;
use weir_core::aggregate::{Aggregate, Aggregation};
use weir_core::period::Window;
use weir_core::time::Timestamp;

use super::accounts;
use super::groups::Groups;
use super::pending::Pending;
use crate::config::{Config, LimitRule, MeterRule, effective};
use crate::error::Result;
use crate::live::{Counter, LiveCustomer, WindowCount};
use crate::rollup::{self, ALL_GROUPS, Ask, Span};
use crate::scan::{Names, Scan, Select};

/// How far ahead of the clock an event may lie: where the next window is nearer, it may already hold some.
const AHEAD: i64 = 5 * 60 * 1_000_000;

/// Whether every limit that applies to a customer is counted, as far as its meter is ready, and balances are loaded.
pub(crate) fn is_loaded(config: &Config, customer: &LiveCustomer) -> bool {
    !customer.accounts.is_cold()
        && effective(config, &customer.own).all(|(rule, _)| {
            config.meter_of(rule).is_none_or(|meter| !meter.ready || customer.counter(config, rule, meter).is_some())
        })
}

/// Gives a customer without any event the counters of every limit that applies.
pub(crate) fn start_counters(config: &Config, customer: &mut LiveCustomer, now: Timestamp) {
    let zone = customer.zone(config);
    customer.counters = effective(config, &customer.own)
        .filter_map(|(rule, _)| {
            let meter = config.meter_of(rule)?;
            let window = rule.period.window(zone, customer.anchor, now);
            let windows = vec![WindowCount { window, total: Aggregate::empty(meter.aggregation) }];
            Some(Counter { limit: rule.key, counting: rule.counting, series: meter.series, zone, windows })
        })
        .collect();
}

/// What the counters of one limit are read for: a window of one customer.
struct Wanted {
    customer: usize,
    window: Window,
    /// From when on events count: before the window for `latest`, which carries what came before.
    span: Span,
    /// Only events that arrived after this one count, since usage was reset.
    after: Option<i64>,
}

impl Wanted {
    fn new(index: usize, customer: &LiveCustomer, rule: &LimitRule, meter: &MeterRule, window: Window) -> Self {
        let carries = meter.aggregation == Aggregation::Latest;
        let mut span = Span::new(window.start, window.end);
        if carries {
            span.start = i64::MIN;
        }
        // What lies in a window that began well after the reset arrived after it.
        let cuts = |at: Timestamp| carries || window.start.is_none_or(|start| at.saturating_add_micros(AHEAD) >= start);
        let reset = customer.extras().reset(rule.key).filter(|reset| cuts(reset.at));
        Wanted { customer: index, window, span, after: reset.map(|reset| reset.after) }
    }
}

/// The meter over a window of one customer that may be long over, as a limit counts it.
pub(crate) async fn look_back(
    conn: &mut SqliteConnection,
    groups: &Groups,
    pending: &Pending,
    meter: &MeterRule,
    rule: &LimitRule,
    customer: &LiveCustomer,
    window: Window,
) -> Result<WindowCount> {
    let wanted = [Wanted::new(0, customer, rule, meter, window)];
    let mut totals = totals(conn, groups, pending, meter, rule, &[customer.key], &wanted).await?;
    let total = totals.pop().unwrap_or_else(|| Aggregate::empty(meter.aggregation));
    Ok(WindowCount { window, total })
}

/// Loads the missing counters of some customers, from roll-ups and what waits to be added to them; and their balances.
pub(crate) async fn load(
    conn: &mut SqliteConnection,
    config: &Config,
    groups: &Groups,
    pending: &Pending,
    customers: &mut [&mut LiveCustomer],
    now: Timestamp,
) -> Result<()> {
    accounts::load(conn, config, customers).await?;
    // One limit applies to many customers: ask for all of them at once.
    let mut missing: BTreeMap<i64, (Arc<LimitRule>, Vec<usize>)> = BTreeMap::new();
    for (index, customer) in customers.iter_mut().enumerate() {
        for (rule, _) in effective(config, &customer.own) {
            let Some(meter) = config.meter_of(rule) else { continue };
            if meter.ready && customer.counter(config, rule, meter).is_none() {
                missing.entry(rule.key).or_insert_with(|| (rule.clone(), Vec::new())).1.push(index);
            }
        }
        let own = customer.own.clone();
        let rules: Vec<_> = effective(config, &own).map(|(rule, _)| (rule.key, rule.counting)).collect();
        customer.counters.retain(|counter| rules.contains(&(counter.limit, counter.counting)));
    }
    for (rule, indexes) in missing.into_values() {
        let Some(meter) = config.meter_of(&rule) else { continue };
        let mut wanted = Vec::with_capacity(indexes.len());
        for &index in &indexes {
            let (zone, anchor) = (customers[index].zone(config), customers[index].anchor);
            let window = rule.period.window(zone, anchor, now);
            wanted.push(Wanted::new(index, customers[index], &rule, meter, window));
            if let Some(end) = window.end
                && end.as_micros() <= now.as_micros().saturating_add(AHEAD)
                && let Some(next) = rule.period.window_after(zone, anchor, window)
            {
                let mut next = Wanted::new(index, customers[index], &rule, meter, next);
                // What came before is in the window before it.
                next.span.start = next.window.start.map_or(i64::MIN, Timestamp::as_micros);
                wanted.push(next);
            }
        }
        let keys: Vec<i64> = customers.iter().map(|customer| customer.key).collect();
        let totals = totals(conn, groups, pending, meter, &rule, &keys, &wanted).await?;
        let mut counters: FxHashMap<usize, Vec<WindowCount>> = FxHashMap::default();
        for (wanted, total) in wanted.into_iter().zip(totals) {
            counters.entry(wanted.customer).or_default().push(WindowCount { window: wanted.window, total });
        }
        for (index, windows) in counters {
            let zone = customers[index].zone(config);
            let counter = Counter { limit: rule.key, counting: rule.counting, series: meter.series, zone, windows };
            customers[index].counters.retain(|old| old.limit != rule.key);
            customers[index].counters.push(counter);
        }
    }
    Ok(())
}

/// Where a limit's usage can be read.
enum From {
    /// From one group of the roll-ups.
    Group(i64),
    /// From no group: nothing like it was ever recorded.
    Nowhere,
    /// From the events themselves.
    Events,
}

fn source(groups: &Groups, meter: &MeterRule, rule: &LimitRule) -> From {
    let mut filters = rule.filters.iter();
    match (filters.next(), filters.next()) {
        (None, _) => From::Group(ALL_GROUPS),
        (Some((name, value)), None) if meter.group_by.contains(name) && !groups.is_overflown(meter.series, name) => {
            groups.known(meter.series, name, Some(value)).map_or(From::Nowhere, From::Group)
        }
        _ => From::Events,
    }
}

async fn totals(
    conn: &mut SqliteConnection,
    groups: &Groups,
    pending: &Pending,
    meter: &MeterRule,
    rule: &LimitRule,
    keys: &[i64],
    wanted: &[Wanted],
) -> Result<Vec<Aggregate>> {
    let mut totals: Vec<_> = wanted.iter().map(|_| Aggregate::empty(meter.aggregation)).collect();
    let from = source(groups, meter, rule);
    if let From::Group(group) = from {
        let inner: Vec<_> = wanted
            .iter()
            .map(|wanted| if wanted.after.is_some() { Span { start: 0, end: 0 } } else { wanted.span.split().0 })
            .collect();
        let asks: Vec<_> = wanted
            .iter()
            .zip(&inner)
            .map(|(wanted, span)| Ask { customer: keys[wanted.customer], start: span.start, end: span.end })
            .collect();
        for ((ask, _), total) in rollup::read(conn, meter.series, meter.aggregation, &[group], &asks).await? {
            totals[ask] = total;
        }
        for ((total, ask), span) in totals.iter_mut().zip(&asks).zip(&inner) {
            pending.merge_into(total, ask.customer, meter.series, group, *span)?;
        }
    }
    let mut names = None;
    for (wanted, total) in wanted.iter().zip(&mut totals) {
        let spans = match from {
            // Roll-ups do not know when events arrived.
            From::Group(_) if wanted.after.is_some() => vec![wanted.span],
            From::Group(_) => wanted.span.split().1.to_vec(),
            From::Nowhere => Vec::new(),
            From::Events => vec![wanted.span],
        };
        for span in spans.into_iter().filter(|span| !span.is_empty()) {
            let mut scan = Scan::new(Select::Customer(keys[wanted.customer], span));
            loop {
                let events = scan.next(conn).await?;
                if events.is_empty() {
                    break;
                }
                let names = match &mut names {
                    Some(names) => names,
                    none => none.insert(Names::load(conn).await?),
                };
                names.learn(conn, &events).await?;
                for event in events.iter().filter(|event| wanted.after.is_none_or(|after| event.seq > after)) {
                    if let Some(part) = rule.contribution(meter, &names.facts(event)) {
                        total.add(&part)?;
                    }
                }
            }
        }
    }
    Ok(totals)
}
