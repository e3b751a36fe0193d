//! What a meter is asked, and the lines that answer: one in total, and one for each group.

use std::collections::BTreeMap;

use weir_core::aggregate::{Aggregate, Contribution};
use weir_core::error::Fault;
use weir_core::event::Facts;
use weir_core::filter::within;
use weir_core::quantity::Quantity;

use crate::config::MeterRule;
use crate::rollup::Span;

/// Most points over all groups of an answer.
const MAX_GROUP_POINTS: usize = 250_000;
/// The key of no customer: a question about nobody finds nothing.
pub(super) const NOBODY: i64 = -1;

/// A question to a meter, checked and resolved.
pub(super) struct Plan<'a> {
    pub meter: &'a MeterRule,
    /// Only this customer's events.
    pub customer: Option<i64>,
    /// Only events with these dimensions, beside those that the meter itself asks for.
    pub dimensions: BTreeMap<String, String>,
    pub group_by: &'a [String],
    pub group_limit: usize,
    pub whole: Span,
    /// Without gap from the start of `whole` to its end; none when no series was asked for.
    pub points: Vec<Span>,
    /// Where there are events at all.
    pub data: Option<Span>,
    /// The points lie closer than roll-ups do.
    pub finer_than_kept: bool,
}

impl Plan<'_> {
    /// What an event adds to the answer, its time aside.
    pub(super) fn part(&self, event: &Facts<'_>) -> Option<Contribution> {
        if within(&self.dimensions, event) { self.meter.contribution(event) } else { None }
    }

    /// The point that holds an instant.
    pub(super) fn point_at(&self, micros: i64) -> Option<usize> {
        let index = self.points.partition_point(|point| point.end <= micros);
        self.points.get(index).filter(|point| point.contains(micros)).map(|_| index)
    }

    /// The value of no events.
    pub(super) fn nothing(&self) -> Option<Quantity> {
        Aggregate::empty(self.meter.aggregation).value()
    }

    /// Refuses an answer too large to be of use.
    pub(super) fn check_size(&self, groups: usize) -> Result<(), Fault> {
        if groups.saturating_mul(self.points.len()) <= MAX_GROUP_POINTS {
            return Ok(());
        }
        let most = MAX_GROUP_POINTS / self.points.len().max(1);
        let reason = format_args!("must be at most {most} for a series of {} points", self.points.len());
        Err(Fault::invalid("groupLimit", reason))
    }
}

/// The meter's value over the whole range, and over each point of the series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Line {
    pub value: Option<Quantity>,
    pub points: Vec<Option<Quantity>>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Lines {
    pub total: Line,
    /// By the values of the dimensions asked for, largest first.
    pub groups: Vec<(Vec<Option<String>>, Line)>,
    pub more_groups: bool,
}

/// Orders groups by value, largest first and null last, then by key, and keeps so many. Tells whether there were more.
pub(super) fn keep_largest<K: Ord, T>(groups: &mut Vec<(K, Option<Quantity>, T)>, most: usize) -> bool {
    groups.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let more = groups.len() > most;
    groups.truncate(most);
    more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_come_first_then_by_key() {
        let amount = |value: i64| Some(Quantity::from_int(value));
        let mut groups = vec![
            ("d", None, ()),
            ("c", amount(-1), ()),
            ("b", amount(5), ()),
            ("a", amount(5), ()),
            ("e", amount(7), ()),
        ];
        assert!(keep_largest(&mut groups, 4));
        let keys: Vec<_> = groups.iter().map(|(key, ..)| *key).collect();
        assert_eq!(keys, ["e", "a", "b", "c"]);
        assert!(!keep_largest(&mut groups, 4));
    }
}
