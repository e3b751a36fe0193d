//! What customers used: by event type, in total, and on every meter.

use std::collections::BTreeMap;

use sqlx::{Connection, Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Aggregation, Contribution};
use weir_core::quantity::{Overflow, Quantity};
use weir_core::time::Timestamp;

use super::edges::{Cuts, select};
use super::kept::aggregates;
use super::range::{self, Resolved};
use super::view::{Applied, each_event};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{CustomerUsage, MeterUsage, Summary, TypeSummary, UsageTotals};
use crate::rollup::{self, ALL_CUSTOMERS, ALL_GROUPS, Ask, BASE, Span};
use crate::scan::{Names, from_json};

impl Engine {
    /// Events and values by event type, of one customer or of all.
    pub async fn summary(
        &self,
        customer: Option<&str>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Summary> {
        range::check(from, to)?;
        let customer = customer.map(|id| self.known_customer(id)).transpose()?.map(|customer| customer.key);
        let mut conn = self.projections().await?;
        let mut view = conn.begin().await?;
        let range = Resolved::new(from, to, range::of_data(&mut view, customer).await?);
        let cuts = Cuts::new(&[range.span()]);
        let mut types = kept_types(&mut view, customer.unwrap_or(ALL_CUSTOMERS), cuts.inner[0]).await?;
        let applied = Applied::load(&mut view).await?;
        let mut names = Names::load(&mut view).await?;
        for span in cuts.to_read() {
            each_event(&mut view, &mut names, select(customer, span), span, |stored, facts| {
                if applied.counts(stored.seq) {
                    let counted = types.entry(facts.event_type.to_owned()).or_default();
                    counted.count += 1;
                    for (name, value) in facts.values {
                        counted.add(name, *value)?;
                    }
                }
                Ok(())
            })
            .await?;
        }
        view.rollback().await?;
        let mut types: Vec<_> = types
            .into_iter()
            .map(|(event_type, counted)| TypeSummary { event_type, count: counted.count, values: counted.values })
            .collect();
        types.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.event_type.cmp(&b.event_type)));
        Ok(Summary {
            from: range.from,
            to: range.to,
            total_events: types.iter().map(|counted| counted.count).sum(),
            types,
        })
    }

    /// The same of a customer who may not be known yet: there are no events then.
    pub async fn summary_of_client(
        &self,
        customer: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Summary> {
        if self.shared.customers.get(customer).is_some() {
            return self.summary(Some(customer), from, to).await;
        }
        range::check(from, to)?;
        Ok(Summary { from, to, total_events: 0, types: Vec::new() })
    }

    /// How many events there were, and how many customers had any.
    pub async fn usage_totals(&self, from: Option<Timestamp>, to: Option<Timestamp>) -> Result<UsageTotals> {
        range::check(from, to)?;
        let mut conn = self.projections().await?;
        let mut view = conn.begin().await?;
        let range = Resolved::new(from, to, range::of_data(&mut view, None).await?);
        let span = range.span();
        let cuts = Cuts::new(&[span]);
        let inner = cuts.inner[0];
        let mut events: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum(count), 0) FROM rollup WHERE series = ?1 AND customer = ?2 AND grp = ?3 AND bucket >= ?4 AND bucket < ?5",
        )
        .bind(BASE)
        .bind(ALL_CUSTOMERS)
        .bind(ALL_GROUPS)
        .bind(inner.start)
        .bind(inner.end)
        .fetch_one(&mut *view)
        .await?;
        let applied = Applied::load(&mut view).await?;
        let mut names = Names::load(&mut view).await?;
        for edge in cuts.to_read() {
            each_event(&mut view, &mut names, select(None, edge), edge, |stored, _| {
                events += i64::from(applied.counts(stored.seq));
                Ok(())
            })
            .await?;
        }
        let active_customers = count_active(&mut view, span).await?;
        view.rollback().await?;
        Ok(UsageTotals { from: range.from, to: range.to, events: events.unsigned_abs(), active_customers })
    }

    /// A customer's value on every live meter.
    pub async fn customer_usage(
        &self,
        id: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<CustomerUsage> {
        range::check(from, to)?;
        let config = self.shared.config();
        let mut conn = self.projections().await?;
        let mut view = conn.begin().await?;
        let customer = self.resolved_customer(&mut view, id).await?;
        let range = Resolved::new(from, to, range::of_data(&mut view, Some(customer.key)).await?);
        let span = range.span();
        let cuts = Cuts::new(&[span]);
        let meters: Vec<_> = config.meters.values().collect();
        let following = following(&mut view).await?;
        let is_kept: Vec<bool> = meters.iter().map(|meter| meter.ready && following.contains(&meter.series)).collect();
        // One pass over the events: all of them when some meter has nothing kept, else those on the edges.
        let spans = if is_kept.iter().all(|kept| *kept) { cuts.to_read() } else { vec![span] };
        let applied = Applied::load(&mut view).await?;
        let mut names = Names::load(&mut view).await?;
        let mut parts: Vec<Vec<(usize, i64, Contribution)>> = vec![Vec::new(); meters.len()];
        let mut scanned: Vec<_> = meters.iter().map(|meter| Aggregate::empty(meter.aggregation)).collect();
        for part in spans {
            each_event(&mut view, &mut names, select(Some(customer.key), part), part, |stored, facts| {
                let on_edge = applied.counts(stored.seq) && cuts.holding(facts.at.as_micros()).next().is_some();
                for (index, meter) in meters.iter().enumerate() {
                    match meter.contribution(facts) {
                        Some(part) if !is_kept[index] => scanned[index].add(&part)?,
                        Some(part) if on_edge => parts[index].push((0, ALL_GROUPS, part)),
                        _ => {}
                    }
                }
                Ok(())
            })
            .await?;
        }
        let ask = Ask { customer: customer.key, start: cuts.inner[0].start, end: cuts.inner[0].end };
        let mut used = Vec::with_capacity(meters.len());
        for (index, meter) in meters.iter().enumerate() {
            let mut total = scanned[index].clone();
            if is_kept[index] {
                let mut found =
                    aggregates(&mut view, meter.series, meter.aggregation, &[ALL_GROUPS], &[ask], &parts[index])
                        .await?;
                total = found.remove(&(0, ALL_GROUPS)).unwrap_or(total);
            }
            used.push(MeterUsage {
                meter_id: meter.id,
                name: meter.name.clone(),
                aggregation: meter.aggregation,
                unit: meter.unit.clone(),
                value: total.value(),
            });
        }
        view.rollback().await?;
        Ok(CustomerUsage { customer_id: customer.external.to_string(), from: range.from, to: range.to, meters: used })
    }
}

#[derive(Default)]
struct Counted {
    count: u64,
    values: BTreeMap<String, Quantity>,
}

impl Counted {
    fn add(&mut self, name: &str, value: Quantity) -> Result<(), Overflow> {
        let sum = self.values.entry(name.to_owned()).or_default();
        *sum = sum.checked_add(value)?;
        Ok(())
    }
}

/// What the base roll-up holds, by event type.
async fn kept_types(view: &mut SqliteConnection, customer: i64, span: Span) -> Result<BTreeMap<String, Counted>> {
    let rows =
        sqlx::query("SELECT id, key FROM series_group WHERE series = ?1").bind(BASE).fetch_all(&mut *view).await?;
    let mut groups = Vec::with_capacity(rows.len());
    for row in &rows {
        groups.push((row.try_get::<i64, _>(0)?, from_json::<Vec<String>>(row.try_get(1)?)?));
    }
    let ids: Vec<i64> = groups.iter().map(|(id, _)| *id).collect();
    let ask = Ask { customer, start: span.start, end: span.end };
    let found = rollup::read(view, BASE, Aggregation::Avg, &ids, &[ask]).await?;
    let mut types: BTreeMap<String, Counted> = BTreeMap::new();
    for (id, key) in groups {
        let Some(Aggregate::Avg(sum, count)) = found.get(&(0, id)) else { continue };
        let mut key = key.into_iter();
        let counted = types.entry(key.next().unwrap_or_default()).or_default();
        match key.next() {
            None => counted.count += count,
            Some(name) => counted.add(&name, *sum)?,
        }
    }
    Ok(types)
}

/// Customers with an event in a span.
async fn count_active(view: &mut SqliteConnection, span: Span) -> Result<u64> {
    // Most are told by their first and last event alone.
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM customer_activity a WHERE a.last_event_at >= ?1 AND a.first_event_at < ?2 \
           AND (a.first_event_at >= ?1 OR a.last_event_at < ?2 OR EXISTS ( \
             SELECT 1 FROM event e WHERE e.customer = a.customer AND e.at >= ?1 AND e.at < ?2 \
               AND NOT EXISTS (SELECT 1 FROM void v WHERE v.event = e.seq)))",
    )
    .bind(span.start)
    .bind(span.end)
    .fetch_one(view)
    .await?;
    Ok(count.unsigned_abs())
}

/// The series that answer for their meters in this view of the file.
async fn following(view: &mut SqliteConnection) -> Result<std::collections::BTreeSet<i64>> {
    let rows: Vec<i64> =
        sqlx::query_scalar("SELECT id FROM series WHERE ready = 1 AND retired = 0").fetch_all(view).await?;
    Ok(rows.into_iter().collect())
}
