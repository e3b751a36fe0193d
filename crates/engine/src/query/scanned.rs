//! Answers from the events themselves, in one pass: for breakdowns and filters that are not kept, minutes, and meters that are
//! still being built.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;
use sqlx::SqliteConnection;
use weir_core::aggregate::{Aggregate, Aggregation, Contribution};
use weir_core::error::Fault;

use super::edges::select;
use super::lines::{Line, Lines, Plan, keep_largest};
use super::view::each_event;
use crate::error::Result;
use crate::rollup::Span;
use crate::scan::{Names, Select};

/// Most groups that are told apart. More are refused, since no answer could be bounded in memory.
const MAX_GROUPS: usize = 100_000;
/// How many of the newest events are remembered.
const NEWEST: usize = 5;

/// An answer, and the events it comes from.
pub(super) struct Scanned {
    pub lines: Lines,
    /// How many events counted.
    pub matched: u64,
    /// The numbers of the newest of them, newest first.
    pub newest: Vec<i64>,
}

/// A meter over the whole range and by point, for one group or in total.
struct Tally {
    whole: Aggregate,
    /// Only the points that have events.
    points: FxHashMap<usize, Aggregate>,
}

impl Tally {
    fn new(kind: Aggregation) -> Self {
        Tally { whole: Aggregate::empty(kind), points: FxHashMap::default() }
    }

    fn add(&mut self, kind: Aggregation, point: Option<usize>, part: &Contribution) -> Result<()> {
        if let Some(point) = point {
            self.points.entry(point).or_insert_with(|| Aggregate::empty(kind)).add(part)?;
        }
        Ok(self.whole.add(part)?)
    }

    fn line(&self, plan: &Plan<'_>) -> Line {
        let nothing = plan.nothing();
        let point = |index| self.points.get(&index).map_or(nothing, Aggregate::value);
        Line { value: self.whole.value(), points: (0..plan.points.len()).map(point).collect() }
    }
}

/// Answers a plan from events.
pub(super) async fn answer(conn: &mut SqliteConnection, plan: &Plan<'_>) -> Result<Scanned> {
    let kind = plan.meter.aggregation;
    let mut total = Tally::new(kind);
    let mut groups: FxHashMap<Vec<Option<String>>, Tally> = FxHashMap::default();
    let mut matched = 0;
    let mut newest = BinaryHeap::new();
    let mut names = Names::load(conn).await?;
    each_event(conn, &mut names, selection(plan), plan.whole, |stored, facts| {
        let Some(part) = plan.part(facts) else { return Ok(()) };
        let at = facts.at.as_micros();
        let point = plan.point_at(at);
        matched += 1;
        newest.push(Reverse((at, stored.seq)));
        if newest.len() > NEWEST {
            newest.pop();
        }
        total.add(kind, point, &part)?;
        if plan.group_by.is_empty() {
            return Ok(());
        }
        let key: Vec<_> = plan.group_by.iter().map(|name| facts.dimension(name).map(str::to_owned)).collect();
        if groups.len() >= MAX_GROUPS && !groups.contains_key(&key) {
            let reason = format_args!("has more than {MAX_GROUPS} groups: narrow the range or the dimensions");
            return Err(Fault::invalid("groupBy", reason).into());
        }
        groups.entry(key).or_insert_with(|| Tally::new(kind)).add(kind, point, &part)
    })
    .await?;
    let mut ranked: Vec<_> = groups.into_iter().map(|(key, tally)| (key, tally.whole.value(), tally)).collect();
    let more_groups = keep_largest(&mut ranked, plan.group_limit);
    plan.check_size(ranked.len())?;
    let groups = ranked.into_iter().map(|(key, _, tally)| (key, tally.line(plan))).collect();
    let lines = Lines { total: total.line(plan), groups, more_groups };
    let newest = newest.into_sorted_vec().into_iter().map(|Reverse((_, seq))| seq).collect();
    Ok(Scanned { lines, matched, newest })
}

/// The cheapest way through the events of a plan.
fn selection(plan: &Plan<'_>) -> Select {
    let most = plan.data.is_some_and(|data| {
        let common = Span { start: plan.whole.start.max(data.start), end: plan.whole.end.min(data.end) };
        common.end.saturating_sub(common.start) >= data.end.saturating_sub(data.start) / 2
    });
    match plan.customer {
        // In the order of the file: faster than customer by customer, when most events are wanted anyway.
        None if most => Select::Arrived(i64::MIN, i64::MAX),
        customer => select(customer, plan.whole),
    }
}
