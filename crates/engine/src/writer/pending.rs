//! What recorded events add to the roll-ups, merged in memory until the next flush.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use weir_core::aggregate::{Aggregate, Aggregation, Contribution, What};
use weir_core::event::Facts;
use weir_core::quantity::Overflow;

use super::groups::Groups;
use crate::config::MeterRule;
use crate::rollup::{ALL_CUSTOMERS, ALL_GROUPS, BASE, Span, bucket_of};

/// One roll-up row of a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Cell {
    pub series: i64,
    pub group: i64,
    pub bucket: i64,
}

/// Deltas to the roll-ups.
#[derive(Default)]
pub(crate) struct Pending {
    /// By customer, `ALL_CUSTOMERS` included.
    pub customers: FxHashMap<i64, FxHashMap<Cell, Aggregate>>,
    /// Customers with events, and the times of the earliest and latest.
    pub active: FxHashMap<i64, Activity>,
    /// How many events they come from.
    pub events: usize,
    /// How many roll-up rows they make.
    rows: usize,
}

/// Events counted in memory before they are written to the projections.
const MAX_EVENTS: usize = 100_000;
/// Roll-up rows held in memory: with many customers, fewer events make as many rows.
const MAX_ROWS: usize = 1 << 14;

/// A customer's part in the events counted.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub external: Arc<str>,
    pub first: i64,
    pub last: i64,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// Whether it is time to write them down, whatever the clock says.
    pub(crate) fn is_full(&self) -> bool {
        self.events >= MAX_EVENTS || self.rows >= MAX_ROWS
    }

    /// Counts an event on the base roll-up.
    pub(crate) fn count_base(&mut self, groups: &mut Groups, customer: i64, event: &Facts<'_>) -> Result<(), Overflow> {
        base_parts(groups, event, |cell, kind, what| self.add(customer, cell, kind, what))
    }

    /// Counts an event on a meter: in total, and in each breakdown that is kept.
    pub(crate) fn count_meter(
        &mut self,
        groups: &mut Groups,
        meter: &MeterRule,
        customer: i64,
        event: &Facts<'_>,
    ) -> Result<(), Overflow> {
        meter_parts(groups, meter, event, |cell, kind, what| self.add(customer, cell, kind, what))
    }

    /// Remembers that a customer was active.
    pub(crate) fn count_activity(&mut self, customer: i64, external: &Arc<str>, event: &Facts<'_>) {
        let at = event.at.as_micros();
        self.events += 1;
        self.active
            .entry(customer)
            .and_modify(|seen| (seen.first, seen.last) = (seen.first.min(at), seen.last.max(at)))
            .or_insert_with(|| Activity { external: external.clone(), first: at, last: at });
    }

    fn add(&mut self, customer: i64, cell: Cell, kind: Aggregation, what: &Contribution) -> Result<(), Overflow> {
        for whose in [customer, ALL_CUSTOMERS] {
            let cells = self.customers.entry(whose).or_default();
            let known = cells.len();
            cells.entry(cell).or_insert_with(|| Aggregate::empty(kind)).add(what)?;
            self.rows += cells.len() - known;
        }
        Ok(())
    }

    /// Adds what waits here for one customer, series and group to an aggregate read from the data file.
    pub(crate) fn merge_into(
        &self,
        total: &mut Aggregate,
        customer: i64,
        series: i64,
        group: i64,
        span: Span,
    ) -> Result<(), Overflow> {
        let Some(cells) = self.customers.get(&customer) else { return Ok(()) };
        cells
            .iter()
            .filter(|(cell, _)| cell.series == series && cell.group == group && span.contains(cell.bucket))
            .try_for_each(|(_, delta)| total.merge(delta))
    }
}

/// What an event adds to the base roll-up, row by row.
pub(crate) fn base_parts(
    groups: &mut Groups,
    event: &Facts<'_>,
    mut add: impl FnMut(Cell, Aggregation, &Contribution) -> Result<(), Overflow>,
) -> Result<(), Overflow> {
    let one = Contribution { at: event.at, id: event.id, what: What::Amount(weir_core::quantity::Quantity::ZERO) };
    let bucket = bucket_of(event.at);
    let mut add = |group, what: &Contribution| add(Cell { series: BASE, group, bucket }, Aggregation::Avg, what);
    add(ALL_GROUPS, &one)?;
    if let Some(group) = groups.number(BASE, event.event_type, None) {
        add(group, &one)?;
    }
    for (name, value) in event.values {
        if let Some(group) = groups.number(BASE, event.event_type, Some(name)) {
            add(group, &Contribution { what: What::Amount(*value), ..one })?;
        }
    }
    Ok(())
}

/// What an event adds to a meter, row by row: in total, and in each breakdown that is kept.
pub(crate) fn meter_parts(
    groups: &mut Groups,
    meter: &MeterRule,
    event: &Facts<'_>,
    mut add: impl FnMut(Cell, Aggregation, &Contribution) -> Result<(), Overflow>,
) -> Result<(), Overflow> {
    let Some(contribution) = meter.contribution(event) else { return Ok(()) };
    let (series, bucket) = (meter.series, bucket_of(event.at));
    add(Cell { series, group: ALL_GROUPS, bucket }, meter.aggregation, &contribution)?;
    for name in &meter.group_by {
        if let Some(group) = groups.number(series, name, event.dimension(name)) {
            add(Cell { series, group, bucket }, meter.aggregation, &contribution)?;
        }
    }
    Ok(())
}
