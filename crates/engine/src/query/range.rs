//! Ranges of time as asked for, and as answered.

use sqlx::{Row, SqliteConnection};
use weir_core::error::Fault;
use weir_core::interval::Interval;
use weir_core::time::{Timestamp, Zone};

use crate::error::Result;
use crate::rollup::{BUCKET, Span};

/// Most points of one line.
const MAX_POINTS: usize = 5_000;
/// The longest range that is divided into minutes, in microseconds.
const MAX_MINUTES: i64 = 24 * 3600 * 1_000_000;

/// Refuses a range that ends before it begins.
pub(super) fn check(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<(), Fault> {
    match (from, to) {
        (Some(from), Some(to)) if from >= to => Err(Fault::invalid("to", "must be later than `from`")),
        _ => Ok(()),
    }
}

/// The range of a customer's events, or of everyone's, rounded outwards to quarters of an hour; none without events.
pub(super) async fn of_data(conn: &mut SqliteConnection, customer: Option<i64>) -> Result<Option<Span>> {
    let row = match customer {
        Some(key) => {
            sqlx::query("SELECT first_event_at, last_event_at FROM customer_activity WHERE customer = ?1")
                .bind(key)
                .fetch_optional(conn)
                .await?
        }
        None => {
            // Each by its own index: the two in one query would read the whole table.
            sqlx::query(
                "SELECT (SELECT min(first_event_at) FROM customer_activity), (SELECT max(last_event_at) FROM customer_activity)",
            )
            .fetch_optional(conn)
            .await?
        }
    };
    let Some(row) = row else { return Ok(None) };
    let (Some(first), Some(last)) = (row.try_get::<Option<i64>, _>(0)?, row.try_get::<Option<i64>, _>(1)?) else {
        return Ok(None);
    };
    Ok(Some(Span { start: first - first.rem_euclid(BUCKET), end: last - last.rem_euclid(BUCKET) + BUCKET }))
}

/// The range to answer: what was asked for, completed by the range of the data.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resolved {
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
}

impl Resolved {
    pub(super) fn new(from: Option<Timestamp>, to: Option<Timestamp>, data: Option<Span>) -> Self {
        let first = data.map(|data| Timestamp::from_micros(data.start));
        let last = data.map(|data| Timestamp::from_micros(data.end));
        Resolved {
            // A range asked for beyond the data is empty rather than turned around.
            from: from.or(first.map(|first| to.map_or(first, |to| first.min(to)))),
            to: to.or(last.map(|last| from.map_or(last, |from| last.max(from)))),
        }
    }

    /// The instants inside; none when one end is unknown, as there are no events then.
    pub(super) fn span(self) -> Span {
        match (self.from, self.to) {
            (Some(from), Some(to)) => Span { start: from.as_micros(), end: to.as_micros() },
            _ => Span { start: 0, end: 0 },
        }
    }

    /// The points of a series over this range.
    pub(super) fn points(self, interval: Option<Interval>, zone: Zone) -> Result<Vec<Span>, Fault> {
        let (Some(interval), Some(from), Some(to)) = (interval, self.from, self.to) else { return Ok(Vec::new()) };
        if interval == Interval::Minute && to.micros_since(from) > MAX_MINUTES {
            return Err(Fault::invalid(
                "interval",
                "divides at most 24 hours into minutes: choose a longer one or a shorter range",
            ));
        }
        let buckets = interval.buckets(zone, from, to, MAX_POINTS).map_err(|_| {
            Fault::invalid(
                "interval",
                format_args!("gives more than {MAX_POINTS} points: choose a longer one or a shorter range"),
            )
        })?;
        Ok(buckets.into_iter().map(|(start, end)| Span { start: start.as_micros(), end: end.as_micros() }).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: i64) -> Option<Timestamp> {
        Some(Timestamp::from_micros(micros))
    }

    #[test]
    fn a_range_is_completed_by_the_data_and_never_turned_around() {
        let data = Some(Span { start: 100, end: 200 });
        let resolved = |from, to, data| {
            let range = Resolved::new(from, to, data);
            (range.from, range.to)
        };
        assert_eq!(resolved(None, None, data), (at(100), at(200)));
        assert_eq!(resolved(at(150), None, data), (at(150), at(200)));
        assert_eq!(resolved(None, at(150), data), (at(100), at(150)));
        assert_eq!(resolved(at(300), None, data), (at(300), at(300)));
        assert_eq!(resolved(None, at(50), data), (at(50), at(50)));
        assert_eq!(resolved(at(1), at(2), None), (at(1), at(2)));
        assert_eq!(resolved(at(1), None, None), (at(1), None));
        assert!(Resolved::new(None, at(1), None).span().is_empty());
    }

    #[test]
    fn a_range_must_end_after_it_begins() {
        assert!(check(at(1), at(2)).is_ok());
        assert!(check(at(5), None).is_ok());
        for to in [0, 1] {
            assert_eq!(check(at(1), at(to)).unwrap_err().field.as_deref(), Some("to"));
        }
    }

    #[test]
    fn points_are_bounded() {
        let range = |length| Resolved { from: at(0), to: at(length) };
        let day = MAX_MINUTES;
        assert_eq!(range(day).points(Some(Interval::Minute), Zone::UTC).unwrap().len(), 1440);
        assert!(range(day + 1).points(Some(Interval::Minute), Zone::UTC).is_err());
        assert_eq!(range(5_000 * BUCKET).points(Some(Interval::QuarterHour), Zone::UTC).unwrap().len(), MAX_POINTS);
        let fault = range(5_000 * BUCKET + 1).points(Some(Interval::QuarterHour), Zone::UTC).unwrap_err();
        assert_eq!(fault.field.as_deref(), Some("interval"));
    }
}
