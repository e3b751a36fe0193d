//! Which column of a file means what.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::event::MAX_ENTRIES;
use weir_core::text::{MAX_SHORT, check, check_external_id, check_key};
use weir_core::time::Zone;

const CUSTOMER: &str = "customer";

/// How the rows of a file become events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mapping {
    /// Whose usage it is.
    pub customer: Source,
    /// What happened.
    pub event_type: Source,
    /// When it happened.
    pub timestamp: TimeSource,
    /// The zone of times that name none: an IANA name. Without it they are in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The quantities.
    #[serde(default)]
    pub values: Vec<ValueSource>,
    /// The texts to filter and group by.
    #[serde(default)]
    pub dimensions: Vec<DimensionSource>,
    /// The column whose text identifies a row for ever. Without it a row is known by its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_column: Option<String>,
}

/// The same text for every row, or each row's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "MappingSource")]
pub enum Source {
    /// This text.
    Value(String),
    /// What the row has in this column.
    Column(String),
}

/// Where the time stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TimeSource {
    /// A column of times in RFC 3339, alike without a zone, or counted since 1970 in seconds, milliseconds or microseconds.
    pub column: String,
}

/// A quantity, and the columns that are added up to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueSource {
    /// What the event calls it.
    pub name: String,
    /// One column or more. Empty cells add nothing; if all are empty the event has no such value.
    pub columns: Vec<String>,
}

/// A dimension: each row's own text, or the same for all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields, expecting = "a dimension is {name, column} or {name, value}")]
pub enum DimensionSource {
    /// What the row has in a column; an empty cell gives no dimension.
    Column {
        /// What the event calls it.
        name: String,
        /// The column.
        column: String,
    },
    /// The same text for every row.
    Value {
        /// What the event calls it.
        name: String,
        /// The text.
        value: String,
    },
}

/// Why a text is no `NAME=COLUMN` or `NAME=VALUE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write it as NAME={0}")]
pub struct PairError(&'static str);

fn pair<'a>(text: &'a str, right: &'static str) -> Result<(String, &'a str), PairError> {
    match text.split_once('=') {
        Some((name, rest)) if !name.is_empty() && !rest.is_empty() => Ok((name.to_owned(), rest)),
        _ => Err(PairError(right)),
    }
}

impl ValueSource {
    /// Reads `NAME=COLUMN` or `NAME=COLUMN+COLUMN`, as a command line gives it.
    pub fn from_pair(text: &str) -> Result<Self, PairError> {
        let (name, columns) = pair(text, "COLUMN or NAME=COLUMN+COLUMN")?;
        Ok(ValueSource { name, columns: columns.split('+').map(str::to_owned).collect() })
    }
}

impl Source {
    fn column(&self) -> Option<&str> {
        match self {
            Source::Column(column) => Some(column),
            Source::Value(_) => None,
        }
    }
}

impl DimensionSource {
    /// Reads `NAME=COLUMN`, as a command line gives it.
    pub fn column_from_pair(text: &str) -> Result<Self, PairError> {
        pair(text, "COLUMN").map(|(name, column)| DimensionSource::Column { name, column: column.to_owned() })
    }

    /// Reads `NAME=VALUE`, as a command line gives it.
    pub fn value_from_pair(text: &str) -> Result<Self, PairError> {
        pair(text, "VALUE").map(|(name, value)| DimensionSource::Value { name, value: value.to_owned() })
    }

    fn column(&self) -> Option<&str> {
        match self {
            DimensionSource::Column { column, .. } => Some(column),
            DimensionSource::Value { .. } => None,
        }
    }

    /// What the event calls it.
    pub fn name(&self) -> &str {
        match self {
            DimensionSource::Column { name, .. } | DimensionSource::Value { name, .. } => name,
        }
    }
}

impl Mapping {
    /// The first reason why this mapping does not work for a file with these columns, in words for the one who maps.
    pub fn problem(&self, columns: &[String]) -> Option<String> {
        problem_of_source(CUSTOMER, &self.customer)
            .or_else(|| problem_of_source("event type", &self.event_type))
            .or_else(|| self.timestamp.column.is_empty().then(|| "Choose the column that holds the time.".to_owned()))
            .or_else(|| self.zone().err())
            .or_else(|| self.problem_of_names())
            .or_else(|| self.problem_of_columns(columns))
    }

    /// The zone of times that name none.
    pub(crate) fn zone(&self) -> Result<Zone, String> {
        match &self.timezone {
            None => Ok(Zone::UTC),
            Some(name) => Zone::parse(name)
                .map_err(|_| format!("There is no time zone `{name}`. Use a name such as Europe/Berlin.")),
        }
    }

    fn problem_of_names(&self) -> Option<String> {
        let values = self.values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>();
        let dimensions = self.dimensions.iter().map(DimensionSource::name).collect::<Vec<_>>();
        if let Some(empty) = self.values.iter().find(|value| value.columns.is_empty()) {
            return Some(format!("Choose a column for the value `{}`.", empty.name));
        }
        for (kind, names) in [("value", values), ("dimension", dimensions)] {
            if names.len() > MAX_ENTRIES {
                return Some(format!("An event has at most {MAX_ENTRIES} {kind}s."));
            }
            let mut seen = BTreeSet::new();
            for name in names {
                if let Err(fault) = check_key(name, name) {
                    return Some(format!("The {kind} {}.", fault.message));
                }
                if !seen.insert(name) {
                    return Some(format!("There are two {kind}s `{name}`."));
                }
            }
        }
        None
    }

    fn problem_of_columns(&self, columns: &[String]) -> Option<String> {
        let missing: BTreeSet<&str> =
            self.columns().filter(|name| !columns.iter().any(|column| column == name)).collect();
        let (first, more) = (missing.first()?, missing.len() - 1);
        let has = columns.iter().take(12).map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
        let others = if more > 0 { format!(" (nor {more} more that the mapping names)") } else { String::new() };
        let dots = if columns.len() > 12 { ", …" } else { "" };
        Some(format!("The file has no column `{first}`{others}. Its columns are {has}{dots}."))
    }

    /// Every column that the mapping reads.
    fn columns(&self) -> impl Iterator<Item = &str> {
        [
            self.customer.column(),
            self.event_type.column(),
            Some(self.timestamp.column.as_str()),
            self.id_column.as_deref(),
        ]
        .into_iter()
        .flatten()
        .chain(self.values.iter().flat_map(|value| &value.columns).map(String::as_str))
        .chain(self.dimensions.iter().filter_map(DimensionSource::column))
    }
}

fn problem_of_source(what: &str, source: &Source) -> Option<String> {
    let (Source::Value(text) | Source::Column(text)) = source;
    if text.is_empty() {
        return Some(format!("Choose the column that holds the {what}, or give one {what} for all rows."));
    }
    let Source::Value(text) = source else { return None };
    let checked = if what == CUSTOMER { check_external_id(what, text) } else { check(what, text, 1, MAX_SHORT) };
    checked.err().map(|fault| format!("The {}.", fault.message.replace('`', "")))
}
