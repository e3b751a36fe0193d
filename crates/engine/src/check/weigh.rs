//! Which events weigh most in the windows of limits: one walk back over a customer's newest events, for all limits at once.

use sqlx::SqliteConnection;
use weir_core::aggregate::{Aggregation, Contribution, Field, What};
use weir_core::event::Facts;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Applied;
use crate::config::{LimitRule, MeterRule};
use crate::error::Result;
use crate::model::WeighingEvent;
use crate::rollup::Span;
use crate::scan::{Names, Newest};

/// Events told of each limit.
const TOLD: usize = 5;
/// Most events looked at, the newest first: a customer may have millions in a window.
pub(super) const MAX_LOOKED_AT: usize = 10_000;

/// The events that weigh most on one limit, as far as has been looked.
pub(super) struct Weighing<'a> {
    rule: &'a LimitRule,
    meter: &'a MeterRule,
    span: Span,
    /// Only events that arrived after this one count, since usage was reset.
    after: Option<i64>,
    /// The heaviest first.
    heaviest: Vec<(Contribution, WeighingEvent)>,
    pub complete: bool,
}

impl<'a> Weighing<'a> {
    pub(super) fn on(applied: &Applied<'a>) -> Self {
        let mut span = Span::new(applied.window.start, applied.window.end);
        if applied.meter.aggregation == Aggregation::Latest {
            // The newest value from before the window is carried into it.
            span.start = i64::MIN;
        }
        Weighing {
            rule: applied.rule,
            meter: applied.meter,
            span,
            after: applied.reset.map(|reset| reset.after),
            heaviest: Vec::new(),
            complete: false,
        }
    }

    pub(super) fn into_events(self) -> Vec<WeighingEvent> {
        self.heaviest.into_iter().map(|(_, event)| event).collect()
    }

    /// Whether a large event weighs more than a new one.
    fn by_size(&self) -> bool {
        matches!(self.meter.aggregation, Aggregation::Sum | Aggregation::Max)
    }

    /// Takes in an event not newer than any before.
    fn take(&mut self, seq: i64, at: Timestamp, facts: &Facts<'_>) {
        if self.after.is_some_and(|after| seq <= after) || self.complete || !self.span.contains(at.as_micros()) {
            return;
        }
        let Some(part) = self.rule.contribution(self.meter, facts) else { return };
        let place = if self.by_size() {
            // Of two equally large the newer stays first.
            self.heaviest.partition_point(|(other, _)| amount(other) >= amount(&part))
        } else {
            self.heaviest.len()
        };
        if place >= TOLD {
            return;
        }
        let member = match &self.meter.field {
            Field::Dimension(name) => facts.dimension(name).map(str::to_owned),
            _ => None,
        };
        let event = WeighingEvent {
            id: facts.id,
            timestamp: at,
            event_type: facts.event_type.to_owned(),
            value: amount(&part),
            member,
        };
        self.heaviest.insert(place, (part, event));
        self.heaviest.truncate(TOLD);
        self.complete = !self.by_size() && self.heaviest.len() == TOLD;
    }
}

/// What an event counts for: one, or its value; nothing as a member of a set.
pub(super) fn amount(part: &Contribution) -> Option<Quantity> {
    match part.what {
        What::One => Some(Quantity::ONE),
        What::Amount(amount) => Some(amount),
        What::Member(_) => None,
    }
}

/// Looks for the events that weigh most on some limits of a customer.
pub(super) async fn weigh(conn: &mut SqliteConnection, customer: i64, limits: &mut [Weighing<'_>]) -> Result<()> {
    let Some(end) = limits.iter().map(|limit| limit.span.end).max() else { return Ok(()) };
    let start = limits.iter().map(|limit| limit.span.start).min().unwrap_or(i64::MIN);
    let mut names = Names::load(conn).await?;
    let mut newest = Newest::new(customer, Span { start, end });
    let mut looked_at = 0;
    while looked_at < MAX_LOOKED_AT && !limits.iter().all(|limit| limit.complete) {
        let events = newest.next(conn, MAX_LOOKED_AT - looked_at).await?;
        looked_at += events.len();
        names.learn(conn, &events).await?;
        for event in &events {
            let facts = names.facts(event);
            limits.iter_mut().for_each(|limit| limit.take(event.seq, event.at, &facts));
        }
        for limit in &mut *limits {
            let passed = events.last().is_some_and(|last| last.at.as_micros() < limit.span.start);
            limit.complete |= passed || newest.is_done();
        }
    }
    Ok(())
}
