//! Where customers stand with their limits, counted anew from the events of the windows that last.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Aggregation};
use weir_core::event::Facts;
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::{Findings, who};
use crate::config::{Config, LimitRule, MeterRule, effective};
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::query::{Applied, each_event};
use crate::rollup::{Span, join_quantity};
use crate::scan::{Names, Select};
use crate::writer::State;

/// Checks every standing whose window had not ended when the last event was recorded.
pub(super) async fn check(view: &mut SqliteConnection, applied: &Applied, findings: &mut Findings) -> Result<()> {
    let recounting: i64 =
        sqlx::query_scalar("SELECT count(*) FROM job WHERE kind = 'standings'").fetch_one(&mut *view).await?;
    let newest: Option<i64> = sqlx::query_scalar("SELECT max(recorded_at) FROM event").fetch_one(&mut *view).await?;
    let (0, Some(newest)) = (recounting, newest) else {
        // They are being worked out anew anyway, or there is nothing to work them out from.
        findings.checked("standings", 0);
        return Ok(());
    };
    let newest = Timestamp::from_micros(newest);
    let state = State::load(view, newest).await?;
    let mut names = Names::load(view).await?;
    let mut count = 0;
    for customer in &state.customers {
        let stored = read(view, customer.key, newest).await?;
        if stored.is_empty() {
            continue;
        }
        count += stored.len() as u64;
        let mut counting = Vec::with_capacity(stored.len());
        for (limit, standing) in stored {
            match Counting::new(&state.config, customer, limit, standing, newest) {
                Some(started) => counting.push(started),
                None => {
                    let who = who(view, customer.key).await?;
                    findings.differs(format_args!("standing of {who}: limit number {limit} does not apply"));
                }
            }
        }
        let start = counting.iter().map(|counting| counting.span().start).min();
        let end = counting.iter().map(|counting| counting.span().end).max();
        let (Some(start), Some(end)) = (start, end) else { continue };
        let span = Span { start, end };
        each_event(view, &mut names, Select::Customer(customer.key, span), span, |stored, facts| {
            if !applied.counts(stored.seq) {
                return Ok(());
            }
            counting.iter_mut().try_for_each(|counting| counting.add(stored.seq, facts))
        })
        .await?;
        for counting in counting.iter().filter(|counting| !counting.agrees()) {
            let who = who(view, customer.key).await?;
            findings.differs(format_args!(
                "standing of {who} with limit `{}`: {}",
                counting.rule.name,
                counting.difference()
            ));
        }
    }
    findings.checked("standings", count);
    Ok(())
}

/// A standing as stored.
struct Standing {
    used: Quantity,
    window_end: Option<Timestamp>,
}

async fn read(view: &mut SqliteConnection, customer: i64, newest: Timestamp) -> Result<FxHashMap<i64, Standing>> {
    let rows = sqlx::query(
        "SELECT usage_limit, used_hi, used_lo, used_nanos, window_end FROM standing \
         WHERE customer = ?1 AND (window_end IS NULL OR window_end > ?2)",
    )
    .bind(customer)
    .bind(newest.as_micros())
    .fetch_all(view)
    .await?;
    rows.iter()
        .map(|row| {
            let used = join_quantity(row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)?;
            let window_end = row.try_get::<Option<i64>, _>(4)?.map(Timestamp::from_micros);
            Ok((row.try_get(0)?, Standing { used, window_end }))
        })
        .collect()
}

/// A standing on its way to be counted anew.
struct Counting {
    standing: Standing,
    rule: Arc<LimitRule>,
    meter: Arc<MeterRule>,
    /// The window that the stored end belongs to, or the one of the last event recorded.
    window: Window,
    total: Aggregate,
    /// For `latest`, the newest value wherever it lies: an event may lie minutes ahead, in a window that had, or had not, begun
    /// when the standing was written.
    ahead: Aggregate,
    /// The last event before the goodwill reset.
    after: Option<i64>,
}

impl Counting {
    fn new(
        config: &Config,
        customer: &LiveCustomer,
        limit: i64,
        standing: Standing,
        newest: Timestamp,
    ) -> Option<Self> {
        let (rule, _) = effective(config, &customer.own).find(|(rule, _)| rule.key == limit)?;
        let meter = config.meter_of(rule)?.clone();
        let within = standing.window_end.map_or(newest, |end| end.saturating_add_micros(-1));
        Some(Counting {
            window: rule.period.window(customer.zone(config), customer.anchor, within),
            total: Aggregate::empty(meter.aggregation),
            ahead: Aggregate::empty(meter.aggregation),
            after: customer.extras().reset(rule.key).map(|reset| reset.after),
            rule: rule.clone(),
            meter,
            standing,
        })
    }

    fn carries_over(&self) -> bool {
        self.meter.aggregation == Aggregation::Latest
    }

    fn span(&self) -> Span {
        if self.carries_over() { Span::ALL } else { Span::new(self.window.start, self.window.end) }
    }

    fn add(&mut self, seq: i64, event: &Facts<'_>) -> Result<()> {
        if self.after.is_some_and(|after| seq <= after) {
            return Ok(());
        }
        let Some(part) = self.rule.contribution(&self.meter, event) else { return Ok(()) };
        if self.carries_over() {
            self.ahead.add(&part)?;
        }
        let counts = if self.carries_over() {
            self.window.end.is_none_or(|end| event.at < end)
        } else {
            self.window.contains(event.at)
        };
        if counts {
            self.total.add(&part)?;
        }
        Ok(())
    }

    /// The end that the stored row should have.
    fn window_end(&self) -> Option<Timestamp> {
        self.window.end.filter(|_| !self.carries_over())
    }

    fn agrees(&self) -> bool {
        let used = self.standing.used;
        let right = used == self.total.used() || (self.carries_over() && used == self.ahead.used());
        right && self.standing.window_end == self.window_end()
    }

    fn difference(&self) -> String {
        let until = |end: Option<Timestamp>| end.map_or_else(String::new, |end| format!(" until {end}"));
        format!(
            "stored is {}{}, the events give {}{}",
            self.standing.used,
            until(self.standing.window_end),
            self.total.used(),
            until(self.window_end())
        )
    }
}
