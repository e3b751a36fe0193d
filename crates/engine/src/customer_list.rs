//! Customers, a page at a time: searched, sorted, and walked by key.

use sqlx::Row;
use weir_core::error::Fault;
use weir_core::text::{self, MAX_SHORT};

use crate::customers::{SHARE, USED, read};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Cursor, Customer, CustomerSort, ListCustomers, Page};

/// How a sort order is told to SQLite. The customer's number decides between equals, in the same direction.
struct Order {
    /// The sort key of the customer `c`, never null.
    key: String,
    direction: &'static str,
    /// What lies beyond a key in this direction.
    past: &'static str,
    kind: &'static str,
    /// The key as text that gives exactly the same key when read back.
    text: &'static str,
}

impl Order {
    fn of(sort: CustomerSort) -> Order {
        let (key, kind, text) = match sort {
            CustomerSort::Newest => ("c.id".to_owned(), "INTEGER", "CAST(sort_key AS TEXT)"),
            CustomerSort::ExternalId => ("c.external_id".to_owned(), "TEXT", "sort_key"),
            CustomerSort::LastEvent => {
                let latest = "(SELECT a.last_event_at FROM customer_activity a WHERE a.customer = c.id)";
                (format!("coalesce({latest}, -1)"), "INTEGER", "CAST(sort_key AS TEXT)")
            }
            // 17 digits tell any two floats apart.
            CustomerSort::Utilisation => (format!("coalesce({SHARE}, -1.0)"), "REAL", "printf('%!.17g', sort_key)"),
        };
        let (direction, past) = if sort == CustomerSort::ExternalId { ("ASC", ">") } else { ("DESC", "<") };
        Order { key, direction, past, kind, text }
    }
}

impl Engine {
    /// Customers, a page at a time, and how many there are in all.
    pub async fn customers(&self, list: ListCustomers) -> Result<(Page<Customer>, u64)> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        let after = list.cursor.as_ref().map(last_row).transpose()?;
        let like = list.query.as_deref().filter(|query| !query.is_empty()).map(like_pattern);
        let live = if list.include_archived { "" } else { "AND c.archived_at IS NULL" };
        let found = match like {
            None => "",
            Some(_) => {
                "AND (c.external_id LIKE ?2 ESCAPE '\\' OR c.name LIKE ?2 ESCAPE '\\' OR c.email LIKE ?2 ESCAPE '\\' \
                 OR (c.metadata <> '{}' AND c.metadata LIKE ?2 ESCAPE '\\'))"
            }
        };
        let low = match list.low_balance {
            true => {
                "AND EXISTS (SELECT 1 FROM balance b CROSS JOIN account a ON a.balance = b.id \
                 WHERE b.customer = c.id AND b.archived_at IS NULL AND a.is_low)"
            }
            false => "",
        };
        let Order { key, direction, past, kind, text } = Order::of(list.sort);
        let beyond = match after {
            None => String::new(),
            Some(_) => format!("AND ({key}, c.id) {past} (CAST(?3 AS {kind}), ?4)"),
        };
        // First the page by its keys alone, then what its rows show.
        let sql = format!(
            "WITH page AS MATERIALIZED (SELECT c.id AS id, {key} AS sort_key FROM customer c \
               WHERE ?1 NOT NULL {live} {found} {low} {beyond} ORDER BY sort_key {direction}, c.id {direction} LIMIT ?5) \
             SELECT c.*, a.last_event_at, {USED} AS used, {text} AS sort_text FROM page CROSS JOIN customer c ON c.id = page.id \
               LEFT JOIN customer_activity a ON a.customer = c.id ORDER BY page.sort_key {direction}, c.id {direction}"
        );
        let now = self.now().as_micros();
        let mut conn = self.projections().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(&like)
            .bind(after.as_ref().map(|(key, _)| key))
            .bind(after.as_ref().map(|(_, id)| id))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let mut customers = Vec::with_capacity(rows.len());
        for row in &rows {
            let cursor = Cursor::of(&[row.try_get("sort_text")?, &row.try_get::<i64, _>("id")?.to_string()]);
            customers.push((read(row, self.shared.project)?, cursor));
        }
        let sql = format!("SELECT count(*) FROM customer c WHERE ?1 NOT NULL {live} {found} {low}");
        let total: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(now).bind(&like).fetch_one(&mut *conn).await?;
        let page = Page::cut(customers, list.limit, |(_, cursor)| cursor.clone());
        let data = page.data.into_iter().map(|(customer, _)| customer).collect();
        Ok((Page { data, next_cursor: page.next_cursor, has_more: page.has_more }, total.unsigned_abs()))
    }
}

/// The sort key and number of the row that a cursor names.
fn last_row(cursor: &Cursor) -> Result<(String, i64), Fault> {
    let [key, id] = cursor.keys().ok_or_else(Cursor::foreign)?;
    Ok((key, id.parse().map_err(|_| Cursor::foreign())?))
}

/// A `LIKE` pattern that finds a text anywhere.
pub(crate) fn like_pattern(query: &str) -> String {
    let escaped = query.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
