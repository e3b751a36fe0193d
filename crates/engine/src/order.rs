//! Orders of lists that can be sorted in several ways, as they are told to SQLite.

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use weir_core::error::Fault;

use crate::error::Result;
use crate::model::{Cursor, NamedSort, Page, PageSize};

/// A sort order. The row's number decides between equals, in the same direction.
pub(crate) struct Order {
    /// What it is called in cursors: one of another order is refused.
    name: &'static str,
    /// The sort key, never null.
    pub key: String,
    pub direction: &'static str,
    /// What lies beyond a key in this direction.
    past: &'static str,
    kind: &'static str,
    /// The `sort_key` as text that gives exactly the same key when read back.
    pub text: &'static str,
}

/// Where a page begins: the sort key and number of the last row seen.
pub(crate) type LastRow = Option<(String, i64)>;

impl Order {
    /// From the greatest number down.
    pub fn by_number(name: &'static str, key: impl Into<String>) -> Self {
        Order::down(name, key, "INTEGER", "CAST(sort_key AS TEXT)")
    }

    /// From the greatest share down. 17 digits tell any two floats apart.
    pub fn by_share(name: &'static str, key: impl Into<String>) -> Self {
        Order::down(name, key, "REAL", "printf('%!.17g', sort_key)")
    }

    /// From the first text up, as the key's collation compares it.
    pub fn by_text(name: &'static str, key: impl Into<String>) -> Self {
        Order { name, key: key.into(), direction: "ASC", past: ">", kind: "TEXT", text: "sort_key" }
    }

    /// Of the things with a name in a table.
    pub fn named(sort: NamedSort, table: &'static str) -> Self {
        match sort {
            NamedSort::Newest => Order::by_number("newest", format!("{table}.id")),
            NamedSort::Name => Order::by_text("name", format!("{table}.name COLLATE NOCASE")),
        }
    }

    fn down(name: &'static str, key: impl Into<String>, kind: &'static str, text: &'static str) -> Self {
        Order { name, key: key.into(), direction: "DESC", past: "<", kind, text }
    }

    /// The row that a cursor names.
    pub fn last_row(&self, cursor: Option<&Cursor>) -> Result<LastRow, Fault> {
        let Some(cursor) = cursor else { return Ok(None) };
        let [key, number] = cursor.keys_in(self.name)?;
        Ok(Some((key, number.parse().map_err(|_| Cursor::foreign())?)))
    }

    /// That a row known by `number` lies past the last one, whose key and number are bound as these parameters.
    pub fn past(&self, number: &str, last: &LastRow, bound: [&str; 2]) -> String {
        let Order { key, past, kind, .. } = self;
        match last {
            None => "TRUE".to_owned(),
            Some(_) => format!("({key}, {number}) {past} (CAST({} AS {kind}), {})", bound[0], bound[1]),
        }
    }

    /// The page of the rows of `among`, known by `number`, that lie past the last one: each as `shown`, in this order. The last
    /// one's key and number are bound as `?1` and `?2`, how many to read as `?3`.
    pub fn page(&self, number: &str, among: &str, last: &LastRow, shown: &str) -> String {
        let Order { key, direction, text, .. } = self;
        let past = self.past(number, last, ["?1", "?2"]);
        // First the page by its keys alone, then what its rows show.
        format!(
            "WITH page AS MATERIALIZED (SELECT {number} AS number, {key} AS sort_key FROM {among} AND {past} \
               ORDER BY sort_key {direction}, {number} {direction} LIMIT ?3) \
             SELECT shown.*, {text} AS sort_text FROM page CROSS JOIN ({shown}) shown WHERE shown.id = page.number \
             ORDER BY page.sort_key {direction}, page.number {direction}"
        )
    }

    /// A page of rows fetched with one to spare, each with its number as `id` and its sort key as `sort_text`.
    pub fn cut<T>(
        &self,
        rows: &[SqliteRow],
        size: PageSize,
        read: impl Fn(&SqliteRow) -> Result<T>,
    ) -> Result<Page<T>> {
        let shown = &rows[..rows.len().min(size.rows())];
        let next = match shown.last() {
            Some(last) if rows.len() > shown.len() => {
                let number: i64 = last.try_get("id")?;
                Some(Cursor::in_order(self.name, &[last.try_get("sort_text")?, &number.to_string()]))
            }
            _ => None,
        };
        Ok(Page::new(shown.iter().map(read).collect::<Result<_>>()?, next))
    }
}
