//! Customers, a page at a time: searched, sorted, and walked by key.

use weir_core::text::{self, MAX_SHORT};

use crate::customers::{SHARE, USED, read};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Customer, CustomerSort, ListCustomers, Page};
use crate::order::Order;

fn order_of(sort: CustomerSort) -> Order {
    match sort {
        CustomerSort::Newest => Order::by_number("newest", "c.id"),
        CustomerSort::ExternalId => Order::by_text("externalId", "c.external_id"),
        CustomerSort::LastEvent => {
            let latest = "(SELECT a.last_event_at FROM customer_activity a WHERE a.customer = c.id)";
            Order::by_number("lastEvent", format!("coalesce({latest}, -1)"))
        }
        CustomerSort::Utilisation => Order::by_share("utilisation", format!("coalesce({SHARE}, -1.0)")),
    }
}

impl Engine {
    /// Customers, a page at a time, and how many there are in all.
    pub async fn customers(&self, list: ListCustomers) -> Result<(Page<Customer>, u64)> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        let order = order_of(list.sort);
        let last = order.last_row(list.cursor.as_ref())?;
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
        let past = order.past("c.id", &last, ["?3", "?4"]);
        let Order { key, direction, text, .. } = &order;
        // First the page by its keys alone, then what its rows show.
        let sql = format!(
            "WITH page AS MATERIALIZED (SELECT c.id AS id, {key} AS sort_key FROM customer c \
               WHERE ?1 NOT NULL {live} {found} {low} AND {past} ORDER BY sort_key {direction}, c.id {direction} LIMIT ?5) \
             SELECT c.*, a.last_event_at, {USED} AS used, {text} AS sort_text FROM page CROSS JOIN customer c ON c.id = page.id \
               LEFT JOIN customer_activity a ON a.customer = c.id ORDER BY page.sort_key {direction}, c.id {direction}"
        );
        let now = self.now().as_micros();
        let mut conn = self.projections().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(now)
            .bind(&like)
            .bind(last.as_ref().map(|(key, _)| key))
            .bind(last.as_ref().map(|(_, id)| id))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let page = order.cut(&rows, list.limit, |row| read(row, self.shared.project))?;
        let sql = format!("SELECT count(*) FROM customer c WHERE ?1 NOT NULL {live} {found} {low}");
        let total: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(now).bind(&like).fetch_one(&mut *conn).await?;
        Ok((page, total.unsigned_abs()))
    }
}

/// A `LIKE` pattern that finds a text anywhere.
pub(crate) fn like_pattern(query: &str) -> String {
    let escaped = query.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}
