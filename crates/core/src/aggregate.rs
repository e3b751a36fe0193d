//! Aggregations: how a meter turns events into one value. Every aggregate can be merged, in any order and any split.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Fault;
use crate::event::{Facts, hash_text};
use crate::id::EventId;
use crate::quantity::{Overflow, Quantity};
use crate::text;
use crate::time::Timestamp;

/// How a meter turns events into one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Aggregation {
    /// The sum of a value.
    Sum,
    /// How many events.
    Count,
    /// The largest value.
    Max,
    /// The value of the newest event, by event time, then event id.
    Latest,
    /// The smallest value.
    Min,
    /// The mean of a value, half-even to nine digits.
    Avg,
    /// How many distinct values of a dimension.
    Unique,
}

impl Aggregation {
    /// All of them.
    pub const ALL: [Aggregation; 7] = {
        use Aggregation::*;
        [Sum, Count, Max, Latest, Min, Avg, Unique]
    };

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Aggregation::Sum => "sum",
            Aggregation::Count => "count",
            Aggregation::Max => "max",
            Aggregation::Latest => "latest",
            Aggregation::Min => "min",
            Aggregation::Avg => "avg",
            Aggregation::Unique => "unique",
        }
    }

    /// Whether what events add up to is the whole: only then does usage have a price.
    pub const fn adds_up(self) -> bool {
        matches!(self, Aggregation::Sum | Aggregation::Count)
    }

    /// Whether a limit can be set on it: the others can fall as usage grows.
    pub const fn can_be_limited(self) -> bool {
        !matches!(self, Aggregation::Min | Aggregation::Avg)
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Aggregation {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("unknown aggregation {text:?}"))
    }
}

/// What an aggregation looks at in an event.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// The event itself: `*`.
    Any,
    /// A value: `values.tokens`.
    Value(String),
    /// A dimension: `dimensions.user`.
    Dimension(String),
}

impl Field {
    /// Reads a field and checks that it suits the aggregation: `*` for count, a dimension for unique, a value for the rest.
    pub fn parse(aggregation: Aggregation, path: &str) -> Result<Self, Fault> {
        let wrong = |expected: &str| Fault::invalid("field", format_args!("must be {expected} for `{aggregation}`"));
        let (expected, prefix) = match aggregation {
            Aggregation::Count if path == "*" => return Ok(Field::Any),
            Aggregation::Count => return Err(wrong("`*`")),
            Aggregation::Unique => ("a dimension such as `dimensions.user`", "dimensions."),
            _ => ("a value such as `values.tokens`", "values."),
        };
        let name = path.strip_prefix(prefix).ok_or_else(|| wrong(expected))?;
        text::check_key("field", name)?;
        Ok(match aggregation {
            Aggregation::Unique => Field::Dimension(name.to_owned()),
            _ => Field::Value(name.to_owned()),
        })
    }

    /// What this event adds, if it has the field at all.
    pub fn of(&self, event: &Facts<'_>) -> Option<Contribution> {
        match self {
            Field::Any => Some(Contribution { at: event.at, id: event.id, what: What::One }),
            Field::Value(name) => {
                let value = *event.values.get(name)?;
                Some(Contribution { at: event.at, id: event.id, what: What::Amount(value) })
            }
            Field::Dimension(name) => {
                let member = hash_text(event.dimension(name)?);
                Some(Contribution { at: event.at, id: event.id, what: What::Member(member) })
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Any => f.write_str("*"),
            Field::Value(name) => write!(f, "values.{name}"),
            Field::Dimension(name) => write!(f, "dimensions.{name}"),
        }
    }
}

/// One event's part in a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contribution {
    /// When the event happened.
    pub at: Timestamp,
    /// Which event, to decide between two of one instant.
    pub id: EventId,
    /// What it adds.
    pub what: What,
}

/// What an event adds to a meter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Itself.
    One,
    /// A quantity.
    Amount(Quantity),
    /// A member of a set.
    Member([u8; 16]),
}

/// The newest value seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newest {
    /// When.
    pub at: Timestamp,
    /// By which event.
    pub id: EventId,
    /// The value.
    pub value: Quantity,
}

/// A meter's value over some events, in a form that can grow and be merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// The total.
    Sum(Quantity),
    /// The number.
    Count(u64),
    /// The largest.
    Max(Option<Quantity>),
    /// The newest.
    Latest(Option<Newest>),
    /// The smallest.
    Min(Option<Quantity>),
    /// The total and number to divide.
    Avg(Quantity, u64),
    /// The distinct members.
    Unique(HashSet<[u8; 16]>),
}

impl Aggregate {
    /// Over no events.
    pub fn empty(kind: Aggregation) -> Self {
        match kind {
            Aggregation::Sum => Aggregate::Sum(Quantity::ZERO),
            Aggregation::Count => Aggregate::Count(0),
            Aggregation::Max => Aggregate::Max(None),
            Aggregation::Latest => Aggregate::Latest(None),
            Aggregation::Min => Aggregate::Min(None),
            Aggregation::Avg => Aggregate::Avg(Quantity::ZERO, 0),
            Aggregation::Unique => Aggregate::Unique(HashSet::new()),
        }
    }

    /// Whether it is as over no events.
    pub fn is_empty(&self) -> bool {
        match self {
            Aggregate::Sum(total) => *total == Quantity::ZERO,
            Aggregate::Count(count) => *count == 0,
            Aggregate::Max(value) | Aggregate::Min(value) => value.is_none(),
            Aggregate::Latest(newest) => newest.is_none(),
            Aggregate::Avg(_, count) => *count == 0,
            Aggregate::Unique(members) => members.is_empty(),
        }
    }

    /// Takes in one event. On overflow nothing changes. A contribution of another kind of meter adds nothing.
    pub fn add(&mut self, event: &Contribution) -> Result<(), Overflow> {
        match (self, event.what) {
            (Aggregate::Sum(total), What::Amount(value)) => *total = total.checked_add(value)?,
            (Aggregate::Count(count), _) => *count += 1,
            (Aggregate::Max(max), What::Amount(value)) => *max = Some(max.map_or(value, |max| max.max(value))),
            (Aggregate::Min(min), What::Amount(value)) => *min = Some(min.map_or(value, |min| min.min(value))),
            (Aggregate::Latest(newest), What::Amount(value)) => {
                take_newer(newest, Newest { at: event.at, id: event.id, value });
            }
            (Aggregate::Avg(total, count), What::Amount(value)) => {
                *total = total.checked_add(value)?;
                *count += 1;
            }
            (Aggregate::Unique(members), What::Member(member)) => {
                members.insert(member);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes in another aggregate of the same kind, over other events. On overflow nothing changes.
    pub fn merge(&mut self, other: &Aggregate) -> Result<(), Overflow> {
        match (self, other) {
            (Aggregate::Sum(total), Aggregate::Sum(more)) => *total = total.checked_add(*more)?,
            (Aggregate::Count(count), Aggregate::Count(more)) => *count += more,
            (Aggregate::Max(max), Aggregate::Max(Some(other))) => {
                *max = Some(max.map_or(*other, |max| max.max(*other)))
            }
            (Aggregate::Min(min), Aggregate::Min(Some(other))) => {
                *min = Some(min.map_or(*other, |min| min.min(*other)))
            }
            (Aggregate::Latest(newest), Aggregate::Latest(Some(other))) => take_newer(newest, *other),
            (Aggregate::Avg(total, count), Aggregate::Avg(more, times)) => {
                *total = total.checked_add(*more)?;
                *count += times;
            }
            (Aggregate::Unique(members), Aggregate::Unique(others)) => members.extend(others),
            _ => {}
        }
        Ok(())
    }

    /// The meter's value: null for max, min, avg and latest over nothing.
    pub fn value(&self) -> Option<Quantity> {
        match self {
            Aggregate::Sum(total) => Some(*total),
            Aggregate::Count(count) => Some(whole(*count)),
            Aggregate::Max(value) | Aggregate::Min(value) => *value,
            Aggregate::Latest(newest) => newest.map(|newest| newest.value),
            Aggregate::Avg(total, count) => total.divide(*count),
            Aggregate::Unique(members) => Some(whole(members.len() as u64)),
        }
    }

    /// The value with nothing counted as 0, as limits read it.
    pub fn used(&self) -> Quantity {
        self.value().unwrap_or(Quantity::ZERO)
    }
}

fn take_newer(newest: &mut Option<Newest>, other: Newest) {
    if newest.is_none_or(|newest| (newest.at, newest.id) < (other.at, other.id)) {
        *newest = Some(other);
    }
}

fn whole(count: u64) -> Quantity {
    Quantity::from_int(i64::try_from(count).unwrap_or(i64::MAX))
}
