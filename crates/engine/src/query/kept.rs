//! Answers from the roll-ups, with the events of the edges added.

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Aggregation, Contribution};

use super::edges::{self, Cuts, EdgeEvent};
use super::lines::{Line, Lines, Plan, keep_largest};
use crate::error::Result;
use crate::rollup::{self, ALL_CUSTOMERS, ALL_GROUPS, Ask, Found, Span};
use crate::scan::{from_json, to_json};

/// Most edges read one by one; with more, one pass over all events is faster.
const MAX_EDGES: usize = 64;
/// The number of no group: a filter that no event has met.
const NO_GROUP: i64 = -1;
/// The dimension by which every roll-up is broken down anyway.
const CUSTOMER: &str = "customer_id";

/// What the roll-ups hold for a plan.
pub(super) struct Kept {
    group: i64,
    breakdown: Breakdown,
}

enum Breakdown {
    None,
    Dimension(String),
    Customers,
}

/// How the roll-ups can answer a plan; none when only the events can.
pub(super) async fn find(conn: &mut SqliteConnection, plan: &Plan<'_>) -> Result<Option<Kept>> {
    let meter = plan.meter;
    if !meter.ready || plan.finer_than_kept || !follows(conn, meter.series).await? {
        return Ok(None);
    }
    let overflown: Vec<String> = sqlx::query_scalar("SELECT dimension FROM series_overflow WHERE series = ?1")
        .bind(meter.series)
        .fetch_all(&mut *conn)
        .await?;
    let is_kept = |name: &String| meter.group_by.contains(name) && !overflown.contains(name);
    let mut filters = plan.dimensions.iter();
    let group = match (filters.next(), filters.next()) {
        (None, _) => ALL_GROUPS,
        (Some((name, value)), None) if is_kept(name) => number_of(conn, meter.series, name, value).await?,
        _ => return Ok(None),
    };
    let breakdown = match plan.group_by {
        [] => Breakdown::None,
        [name] if name == CUSTOMER => Breakdown::Customers,
        [name] if is_kept(name) && group == ALL_GROUPS => Breakdown::Dimension(name.clone()),
        _ => return Ok(None),
    };
    Ok(Some(Kept { group, breakdown }))
}

/// Whether a series still answers for its meter in this view of the file: the meter may have changed meanwhile.
async fn follows(conn: &mut SqliteConnection, series: i64) -> Result<bool> {
    let found = sqlx::query_scalar("SELECT ready = 1 AND retired = 0 FROM series WHERE id = ?1").bind(series);
    Ok(found.fetch_optional(conn).await?.unwrap_or(false))
}

async fn number_of(conn: &mut SqliteConnection, series: i64, name: &str, value: &str) -> Result<i64> {
    let found = sqlx::query_scalar("SELECT id FROM series_group WHERE series = ?1 AND key = ?2")
        .bind(series)
        .bind(to_json(&[name, value])?)
        .fetch_optional(conn)
        .await?;
    Ok(found.unwrap_or(NO_GROUP))
}

/// Answers a plan from roll-ups. None when too much of it lies off their grid.
pub(super) async fn answer(conn: &mut SqliteConnection, plan: &Plan<'_>, kept: &Kept) -> Result<Option<Lines>> {
    let dimension = match &kept.breakdown {
        Breakdown::Dimension(name) => Some(name.as_str()),
        _ => None,
    };
    let (whole, points) = (Cuts::new(&[plan.whole]), Cuts::new(&plan.points));
    let mut spans = points.to_read();
    if plan.points.is_empty() {
        spans = whole.to_read();
    }
    if spans.len() > MAX_EDGES {
        return Ok(None);
    }
    let edges = edges::read(conn, plan, &spans, dimension).await?;
    let reading = Reading { plan, kept, whole, points, edges };
    let total = reading.total(conn).await?;
    let (groups, more_groups) = match dimension {
        Some(name) => reading.by_dimension(conn, name).await?,
        None if matches!(kept.breakdown, Breakdown::Customers) => reading.by_customer(conn).await?,
        None => (Vec::new(), false),
    };
    Ok(Some(Lines { total, groups, more_groups }))
}

struct Reading<'a> {
    plan: &'a Plan<'a>,
    kept: &'a Kept,
    whole: Cuts,
    points: Cuts,
    edges: Vec<EdgeEvent>,
}

type Breakdowns = (Vec<(Vec<Option<String>>, Line)>, bool);

impl Reading<'_> {
    fn kind(&self) -> Aggregation {
        self.plan.meter.aggregation
    }

    fn customer(&self) -> i64 {
        self.plan.customer.unwrap_or(ALL_CUSTOMERS)
    }

    async fn total(&self, conn: &mut SqliteConnection) -> Result<Line> {
        let group = self.kept.group;
        let one = |_: &EdgeEvent| Some((0, group));
        let points = self.cells(conn, &self.points, &[group], &[self.customer()], one).await?;
        let value = if self.plan.points.is_empty() || self.kind() == Aggregation::Unique {
            let whole = self.cells(conn, &self.whole, &[group], &[self.customer()], one).await?;
            whole.get(&(0, group)).map_or(self.plan.nothing(), Aggregate::value)
        } else {
            // The points make up the whole. Members of a set would be counted twice.
            let mut whole = Aggregate::empty(self.kind());
            points.values().try_for_each(|point| whole.merge(point))?;
            whole.value()
        };
        Ok(Line { value, points: self.values(&points, 0, group) })
    }

    async fn by_dimension(&self, conn: &mut SqliteConnection, name: &str) -> Result<Breakdowns> {
        let groups = groups_of(conn, self.plan.meter.series, name).await?;
        let numbers: FxHashMap<Option<&str>, i64> = groups.iter().map(|(id, value)| (value.as_deref(), *id)).collect();
        let place = |edge: &EdgeEvent| numbers.get(&edge.group.as_deref()).map(|id| (0, *id));
        let ids: Vec<i64> = groups.iter().map(|(id, _)| *id).collect();
        let whole = self.cells(conn, &self.whole, &ids, &[self.customer()], place).await?;
        let mut ranked: Vec<_> =
            groups.iter().filter_map(|(id, value)| Some((value.clone(), whole.get(&(0, *id))?.value(), *id))).collect();
        let more = keep_largest(&mut ranked, self.plan.group_limit);
        self.plan.check_size(ranked.len())?;
        let ids: Vec<i64> = ranked.iter().map(|(.., id)| *id).collect();
        let shown = |edge: &EdgeEvent| place(edge).filter(|(_, id)| ids.contains(id));
        let points = self.cells(conn, &self.points, &ids, &[self.customer()], shown).await?;
        let line = |value, id| Line { value, points: self.values(&points, 0, id) };
        Ok((ranked.into_iter().map(|(key, value, id)| (vec![key], line(value, id))).collect(), more))
    }

    async fn by_customer(&self, conn: &mut SqliteConnection) -> Result<Breakdowns> {
        let group = self.kept.group;
        let customers = active(conn, self.plan.customer, self.plan.whole).await?;
        let whole = self.cells(conn, &self.whole, &[group], &customers, by_customer(&customers, group)).await?;
        let values =
            customers.iter().enumerate().filter_map(|(index, key)| Some((*key, whole.get(&(index, group))?.value())));
        let (mut ranked, more) = named_largest(conn, values.collect(), self.plan.group_limit).await?;
        self.plan.check_size(ranked.len())?;
        let shown: Vec<i64> = ranked.iter().map(|(.., key)| *key).collect();
        let points = self.cells(conn, &self.points, &[group], &shown, by_customer(&shown, group)).await?;
        let lines = ranked.drain(..).enumerate().map(|(index, (name, value, _))| {
            let first = index * self.plan.points.len();
            (vec![Some(name)], Line { value, points: self.values(&points, first, group) })
        });
        Ok((lines.collect(), more))
    }

    /// The aggregates of each span for each customer, by the index of customer times spans plus span, and by group. `place` says
    /// to which customer, by index, and group an event on an edge belongs.
    async fn cells(
        &self,
        conn: &mut SqliteConnection,
        cuts: &Cuts,
        groups: &[i64],
        customers: &[i64],
        place: impl Fn(&EdgeEvent) -> Option<(usize, i64)>,
    ) -> Result<Found> {
        let ask = |customer: i64| move |span: &Span| Ask { customer, start: span.start, end: span.end };
        let asks: Vec<Ask> = customers.iter().flat_map(|customer| cuts.inner.iter().map(ask(*customer))).collect();
        let mut parts = Vec::new();
        for edge in &self.edges {
            if let Some((customer, group)) = place(edge) {
                parts.extend(cuts.holding(edge.at).map(|span| (customer * cuts.inner.len() + span, group, edge.part)));
            }
        }
        aggregates(conn, self.plan.meter.series, self.kind(), groups, &asks, &parts).await
    }

    fn values(&self, points: &Found, first: usize, group: i64) -> Vec<Option<weir_core::quantity::Quantity>> {
        let nothing = self.plan.nothing();
        let value = |index| points.get(&(first + index, group)).map_or(nothing, Aggregate::value);
        (0..self.plan.points.len()).map(value).collect()
    }
}

fn by_customer(customers: &[i64], group: i64) -> impl Fn(&EdgeEvent) -> Option<(usize, i64)> {
    let places: FxHashMap<i64, usize> = customers.iter().enumerate().map(|(index, key)| (*key, index)).collect();
    move |edge| places.get(&edge.customer).map(|index| (*index, group))
}

/// Reads roll-ups and adds the parts of edge events. Distinct members are counted by SQL, so that sets need not be in memory:
/// what is answered then is their number, which cannot be merged any more.
pub(super) async fn aggregates(
    conn: &mut SqliteConnection,
    series: i64,
    kind: Aggregation,
    groups: &[i64],
    asks: &[Ask],
    parts: &[(usize, i64, Contribution)],
) -> Result<Found> {
    if kind == Aggregation::Unique {
        return super::members::count(conn, series, groups, asks, parts).await;
    }
    let mut found = rollup::read(conn, series, kind, groups, asks).await?;
    for (ask, group, part) in parts {
        found.entry((*ask, *group)).or_insert_with(|| Aggregate::empty(kind)).add(part)?;
    }
    Ok(found)
}

/// The groups of a dimension in a series, with their values.
async fn groups_of(conn: &mut SqliteConnection, series: i64, name: &str) -> Result<Vec<(i64, Option<String>)>> {
    // Keys begin with the dimension; "-" is the character after ",".
    let alone = to_json(&[name])?;
    let stem = alone.trim_end_matches(']');
    let rows =
        sqlx::query("SELECT id, key FROM series_group WHERE series = ?1 AND (key = ?2 OR (key > ?3 AND key < ?4))")
            .bind(series)
            .bind(&alone)
            .bind(format!("{stem},"))
            .bind(format!("{stem}-"))
            .fetch_all(conn)
            .await?;
    rows.iter()
        .map(|row| {
            let key: Vec<String> = from_json(row.try_get(1)?)?;
            Ok((row.try_get(0)?, key.into_iter().nth(1)))
        })
        .collect()
}

/// Customers whose events may lie in a span, or the one asked for.
async fn active(conn: &mut SqliteConnection, customer: Option<i64>, span: Span) -> Result<Vec<i64>> {
    if let Some(key) = customer {
        return Ok(vec![key]);
    }
    Ok(sqlx::query_scalar(
        "SELECT customer FROM customer_activity WHERE last_event_at >= ?1 AND first_event_at < ?2 ORDER BY customer",
    )
    .bind(span.start)
    .bind(span.end)
    .fetch_all(conn)
    .await?)
}

/// The customers with the largest values, by external id.
async fn named_largest(
    conn: &mut SqliteConnection,
    mut values: Vec<(i64, Option<weir_core::quantity::Quantity>)>,
    most: usize,
) -> Result<(Vec<(String, Option<weir_core::quantity::Quantity>, i64)>, bool)> {
    values.sort_by_key(|(_, value)| std::cmp::Reverse(*value));
    let more = values.len() > most;
    // Only those that may be shown need a name; equal ones are ordered by it.
    if let Some(last) = values.get(most.saturating_sub(1)).map(|(_, value)| *value) {
        values.truncate(values.partition_point(|(_, value)| *value >= last));
    }
    let keys: Vec<i64> = values.iter().map(|(key, _)| *key).collect();
    let rows = sqlx::query("SELECT id, external_id FROM customer WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(to_json(&keys)?)
        .fetch_all(conn)
        .await?;
    let mut names: FxHashMap<i64, String> = FxHashMap::default();
    for row in rows {
        names.insert(row.try_get(0)?, row.try_get(1)?);
    }
    let mut ranked: Vec<_> =
        values.into_iter().map(|(key, value)| (names.remove(&key).unwrap_or_default(), value, key)).collect();
    keep_largest(&mut ranked, most);
    Ok((ranked, more))
}
