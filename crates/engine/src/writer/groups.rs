//! The groups of each series, by number: interned, and bounded so that a dimension with endless values cannot flood the roll-ups.

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};

use crate::error::Result;
use crate::rollup::BASE;
use crate::scan::{from_json, to_json};

/// Most groups that are kept of one dimension.
const MAX_GROUPS: usize = 1_000;

/// The groups of every series.
#[derive(Default)]
pub(crate) struct Groups {
    dimensions: FxHashMap<i64, FxHashMap<String, Dimension>>,
    next: i64,
    /// Not yet in the data file.
    fresh: Vec<(i64, i64, String)>,
    fresh_overflows: Vec<(i64, String)>,
}

#[derive(Default)]
struct Dimension {
    values: FxHashMap<String, i64>,
    absent: Option<i64>,
    overflown: bool,
}

impl Groups {
    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Self> {
        let mut groups = Groups { next: 1, ..Groups::default() };
        for row in sqlx::query("SELECT id, series, key FROM series_group").fetch_all(&mut *conn).await? {
            let (id, series): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            let key: Vec<String> = from_json(row.try_get(2)?)?;
            groups.next = groups.next.max(id + 1);
            let mut parts = key.into_iter();
            let dimension = groups.dimension(series, &parts.next().unwrap_or_default());
            match parts.next() {
                Some(value) => {
                    dimension.values.insert(value, id);
                }
                None => dimension.absent = Some(id),
            }
        }
        for row in sqlx::query("SELECT series, dimension FROM series_overflow").fetch_all(&mut *conn).await? {
            groups.dimension(row.try_get(0)?, row.try_get(1)?).overflown = true;
        }
        Ok(groups)
    }

    fn dimension(&mut self, series: i64, name: &str) -> &mut Dimension {
        let dimensions = self.dimensions.entry(series).or_default();
        if !dimensions.contains_key(name) {
            dimensions.insert(name.to_owned(), Dimension::default());
        }
        dimensions.entry(name.to_owned()).or_default()
    }

    /// The number of the group of events with this value of a dimension, or without the dimension. `None` when the dimension
    /// has more groups than are kept.
    pub(crate) fn number(&mut self, series: i64, name: &str, value: Option<&str>) -> Option<i64> {
        if let Some(known) = self.known(series, name, value) {
            return Some(known);
        }
        let next = self.next;
        let dimension = self.dimension(series, name);
        if dimension.overflown {
            return None;
        }
        if series != BASE && value.is_some() && dimension.values.len() >= MAX_GROUPS {
            dimension.overflown = true;
            self.fresh_overflows.push((series, name.to_owned()));
            return None;
        }
        let key = match value {
            Some(value) => {
                dimension.values.insert(value.to_owned(), next);
                to_json(&[name, value])
            }
            None => {
                dimension.absent = Some(next);
                to_json(&[name])
            }
        };
        self.next += 1;
        // A list of texts can always be written as JSON.
        self.fresh.push((next, series, key.unwrap_or_default()));
        Some(next)
    }

    /// The number of a group, if it is kept and has been seen.
    pub(crate) fn known(&self, series: i64, name: &str, value: Option<&str>) -> Option<i64> {
        let dimension = self.dimensions.get(&series)?.get(name)?;
        match value {
            Some(value) => dimension.values.get(value).copied(),
            None => dimension.absent,
        }
    }

    /// Whether a dimension has more groups than are kept.
    pub(crate) fn is_overflown(&self, series: i64, name: &str) -> bool {
        self.dimensions
            .get(&series)
            .and_then(|dimensions| dimensions.get(name))
            .is_some_and(|dimension| dimension.overflown)
    }

    /// Writes what is new to the data file.
    pub(crate) async fn store(&mut self, conn: &mut SqliteConnection) -> Result<()> {
        for (id, series, key) in self.fresh.drain(..) {
            sqlx::query("INSERT INTO series_group (id, series, key) VALUES (?1, ?2, ?3)")
                .bind(id)
                .bind(series)
                .bind(key)
                .execute(&mut *conn)
                .await?;
        }
        for (series, dimension) in self.fresh_overflows.drain(..) {
            sqlx::query("INSERT OR IGNORE INTO series_overflow (series, dimension) VALUES (?1, ?2)")
                .bind(series)
                .bind(dimension)
                .execute(&mut *conn)
                .await?;
        }
        Ok(())
    }

    /// Forgets a series that is no longer used.
    pub(crate) fn forget(&mut self, series: i64) {
        self.dimensions.remove(&series);
    }
}
