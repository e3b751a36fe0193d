//! Roll-ups: a meter's value per customer, group and quarter of an hour, and how they are read and summed in SQL.

use rustc_hash::FxHashMap;
use serde::Serialize;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::aggregate::{Aggregate, Aggregation, Newest};
use weir_core::id::EventId;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::error::Result;
use crate::scan::{from_json, to_json};

/// A quarter of an hour in microseconds: every zone lies on this grid.
pub(crate) const BUCKET: i64 = 15 * 60 * 1_000_000;
/// The row over all groups.
pub(crate) const ALL_GROUPS: i64 = 0;
/// The row over all customers.
pub(crate) const ALL_CUSTOMERS: i64 = 0;
/// The series of the base roll-up.
pub(crate) const BASE: i64 = 0;

/// The bucket that holds an instant.
pub(crate) fn bucket_of(at: Timestamp) -> i64 {
    at.as_micros() - at.as_micros().rem_euclid(BUCKET)
}

/// A half-open range of instants, in microseconds; the extremes of `i64` stand for "without end".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub start: i64,
    pub end: i64,
}

impl Span {
    pub(crate) const ALL: Span = Span { start: i64::MIN, end: i64::MAX };

    pub(crate) fn new(start: Option<Timestamp>, end: Option<Timestamp>) -> Self {
        Span { start: start.map_or(i64::MIN, Timestamp::as_micros), end: end.map_or(i64::MAX, Timestamp::as_micros) }
    }

    pub(crate) fn contains(self, micros: i64) -> bool {
        (self.start..self.end).contains(&micros)
    }

    pub(crate) fn is_empty(self) -> bool {
        self.start >= self.end
    }

    /// The part made of whole buckets, and the parts before and after it that only the events themselves can tell.
    pub(crate) fn split(self) -> (Span, [Span; 2]) {
        let up = |edge: i64| {
            if edge == i64::MIN { edge } else { edge.saturating_add((BUCKET - edge.rem_euclid(BUCKET)) % BUCKET) }
        };
        let down = |edge: i64| if edge == i64::MAX { edge } else { edge - edge.rem_euclid(BUCKET) };
        let (start, end) = (up(self.start), down(self.end));
        let nothing = Span { start: self.end, end: self.end };
        if start >= end {
            return (nothing, [self, nothing]);
        }
        (Span { start, end }, [Span { start: self.start, end: start }, Span { start: end, end: self.end }])
    }
}

/// The columns of a roll-up row. Which of them count depends on the aggregation; see the first migration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Columns {
    pub count: i64,
    pub hi: i64,
    pub lo: i64,
    pub nanos: i64,
    pub at: Option<i64>,
    pub event: Option<Uuid>,
}

/// A quantity as `hi` * 2^32 + `lo` units and nanos, so that many can be added up in SQL.
pub(crate) fn split_quantity(quantity: Quantity) -> (i64, i64, i64) {
    let (units, nanos) = quantity.parts();
    ((units >> 32) as i64, (units & 0xffff_ffff) as i64, nanos)
}

/// The quantity that three sums make up.
pub(crate) fn join_quantity(hi: i64, lo: i64, nanos: i64) -> Result<Quantity> {
    Ok(Quantity::from_parts((i128::from(hi) << 32) + i128::from(lo), i128::from(nanos))?)
}

impl Columns {
    /// The row of an aggregate; `None` when it holds nothing worth a row, or for `unique`, whose members are rows of their own.
    pub(crate) fn of(aggregate: &Aggregate) -> Option<Columns> {
        let amount = |quantity: Quantity, count: u64| {
            let (hi, lo, nanos) = split_quantity(quantity);
            Columns { count: count as i64, hi, lo, nanos, ..Columns::default() }
        };
        match aggregate {
            Aggregate::Sum(total) => Some(amount(*total, 0)),
            Aggregate::Count(count) => Some(amount(Quantity::ZERO, *count)),
            Aggregate::Avg(total, count) => Some(amount(*total, *count)),
            Aggregate::Max(value) | Aggregate::Min(value) => value.map(|value| amount(value, 0)),
            Aggregate::Latest(newest) => newest.map(|newest| Columns {
                at: Some(newest.at.as_micros()),
                event: Some(newest.id.uuid()),
                ..amount(newest.value, 0)
            }),
            Aggregate::Unique(_) => None,
        }
    }

    /// The aggregate of a row, or of sums over rows.
    pub(crate) fn aggregate(&self, kind: Aggregation) -> Result<Aggregate> {
        let amount = join_quantity(self.hi, self.lo, self.nanos)?;
        Ok(match kind {
            Aggregation::Sum => Aggregate::Sum(amount),
            Aggregation::Count => Aggregate::Count(self.count as u64),
            Aggregation::Avg => Aggregate::Avg(amount, self.count as u64),
            Aggregation::Max => Aggregate::Max(Some(amount)),
            Aggregation::Min => Aggregate::Min(Some(amount)),
            Aggregation::Latest => Aggregate::Latest(match (self.at, self.event) {
                (Some(at), Some(event)) => {
                    Some(Newest { at: Timestamp::from_micros(at), id: EventId::new(event), value: amount })
                }
                _ => None,
            }),
            Aggregation::Unique => Aggregate::empty(Aggregation::Unique),
        })
    }
}

/// One question to the roll-ups: a customer (or all) and a span on the bucket grid.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ask {
    pub customer: i64,
    pub start: i64,
    pub end: i64,
}

/// Aggregates by the index of the question and group.
pub(crate) type Found = FxHashMap<(usize, i64), Aggregate>;

/// The rows of a question about a group: a range of the primary key.
const ROWS: &str = "r WHERE r.series = ?2 AND r.customer = q.value ->> 0 AND r.grp = g.value \
                    AND r.bucket >= q.value ->> 1 AND r.bucket < q.value ->> 2";

/// The aggregates of some groups of a series, by the index of the question and group. What has no rows has no entry.
///
/// Each range is folded within SQLite, which hands over one row for it: rows cost far more to hand over than to read. (Grouping
/// over a join would sort them all first.)
pub(crate) async fn read(
    conn: &mut SqliteConnection,
    series: i64,
    kind: Aggregation,
    groups: &[i64],
    asks: &[Ask],
) -> Result<Found> {
    if asks.is_empty() || groups.is_empty() {
        return Ok(Found::default());
    }
    let questions: Vec<_> = asks.iter().map(|ask| (ask.customer, ask.start, ask.end)).collect();
    let fold = match kind {
        Aggregation::Sum | Aggregation::Count | Aggregation::Avg => {
            format!(
                "json_array(sum(count), sum(hi), sum(lo), sum(nanos), NULL, NULL) FROM rollup {ROWS} HAVING count(*) > 0"
            )
        }
        Aggregation::Max => format!(
            "json_array(count, hi, lo, nanos, NULL, NULL) FROM rollup {ROWS} ORDER BY hi DESC, lo DESC, nanos DESC LIMIT 1"
        ),
        Aggregation::Min => {
            format!("json_array(count, hi, lo, nanos, NULL, NULL) FROM rollup {ROWS} ORDER BY hi, lo, nanos LIMIT 1")
        }
        // The newest lies in the last bucket.
        Aggregation::Latest => {
            format!("json_array(count, hi, lo, nanos, at, hex(event)) FROM rollup {ROWS} ORDER BY bucket DESC LIMIT 1")
        }
        Aggregation::Unique => {
            format!("json_group_array(DISTINCT hex(member)) FROM rollup_member {ROWS} HAVING count(*) > 0")
        }
    };
    let sql = format!("SELECT q.key, g.value, (SELECT {fold}) FROM json_each(?1) q CROSS JOIN json_each(?3) g");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(to_json(&questions)?)
        .bind(series)
        .bind(to_json(groups)?)
        .fetch_all(conn)
        .await?;
    let mut found = Found::default();
    for row in rows {
        let Some(folded) = row.try_get::<Option<&str>, _>(2)? else { continue };
        let aggregate = if kind == Aggregation::Unique {
            let members: Vec<&str> = from_json(folded)?;
            Aggregate::Unique(members.into_iter().map(|member| Ok(*uuid(member)?.as_bytes())).collect::<Result<_>>()?)
        } else {
            let (count, hi, lo, nanos, at, event) =
                from_json::<(i64, i64, i64, i64, Option<i64>, Option<&str>)>(folded)?;
            Columns { count, hi, lo, nanos, at, event: event.map(uuid).transpose()? }.aggregate(kind)?
        };
        found.insert((row.try_get::<i64, _>(0)? as usize, row.try_get(1)?), aggregate);
    }
    Ok(found)
}

/// Sixteen bytes that SQLite wrote as hexadecimal digits.
fn uuid(hex: &str) -> Result<Uuid> {
    Uuid::try_parse(hex).map_err(|error| crate::Error::Storage(format!("malformed hash or id: {error}")))
}

/// A 16-byte hash as stored.
pub(crate) fn member(bytes: &[u8]) -> Result<[u8; 16]> {
    bytes.try_into().map_err(|_| crate::Error::Storage("a hash has the wrong length".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_split_span_covers_the_same_instants(start in -9 * BUCKET..9 * BUCKET, length in 0..5 * BUCKET, at in -10 * BUCKET..15 * BUCKET) {
            let span = Span { start, end: start + length };
            let (inner, edges) = span.split();
            let times = [inner, edges[0], edges[1]].into_iter().filter(|part| part.contains(at)).count();
            prop_assert_eq!(times, usize::from(span.contains(at)));
            prop_assert!(inner.is_empty() || (inner.start % BUCKET == 0 && inner.end % BUCKET == 0));
        }

        #[test]
        fn quantities_survive_being_split_and_summed(values in prop::collection::vec(-(10_i128.pow(27)) + 1..10_i128.pow(27), 1..50)) {
            let (mut hi, mut lo, mut nanos, mut total) = (0, 0, 0, Quantity::ZERO);
            for value in values {
                let value = Quantity::from_steps(value);
                let parts = split_quantity(value);
                (hi, lo, nanos) = (hi + parts.0, lo + parts.1, nanos + parts.2);
                total = total.checked_add(value).unwrap();
            }
            prop_assert_eq!(join_quantity(hi, lo, nanos).unwrap(), total);
        }
    }

    #[test]
    fn a_span_without_ends_needs_no_events() {
        let (inner, edges) = Span::ALL.split();
        assert_eq!(inner, Span::ALL);
        assert!(edges.iter().all(|edge| edge.is_empty()));
    }
}
