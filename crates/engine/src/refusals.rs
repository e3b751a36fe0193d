//! Refusals: what was refused, when, and by which limit. The newest 100,000 are kept.

use sqlx::Row;
use weir_core::id::LimitId;
use weir_core::text;
use weir_core::time::Timestamp;

use crate::engine::Engine;
use crate::error::Result;
use crate::model::{ListRefusals, Page, Refusal};
use crate::scan::from_json;

impl Engine {
    /// Refusals, newest first unless asked otherwise.
    pub async fn refusals(&self, list: ListRefusals) -> Result<Page<Refusal>> {
        let last = list.sort.last(list.cursor.as_ref())?;
        let (past, direction) = list.sort.sql();
        // By the name given, not by the customer: who is refused need not exist.
        if let Some(external) = &list.customer_id {
            text::check_external_id("customerId", external)?;
        }
        let customer = list
            .customer_id
            .as_deref()
            .map(|external| self.shared.customers.get(external).map_or(0, |customer| customer.key));
        let sql = format!(
            "SELECT r.seq, r.at, r.body FROM refusal r WHERE r.seq {past} ?1 AND r.at >= ?2 AND r.at < ?3 \
             AND (?4 IS NULL OR (r.customer IN (?4, 0) AND r.body ->> 'customerId' = ?5)) \
             AND (?6 IS NULL OR EXISTS (SELECT 1 FROM json_each(r.body, '$.limits') l WHERE l.value ->> 'id' = ?6)) \
             ORDER BY r.seq {direction} LIMIT ?7"
        );
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(last)
            .bind(list.from.map_or(i64::MIN, Timestamp::as_micros))
            .bind(list.to.map_or(i64::MAX, Timestamp::as_micros))
            .bind(customer)
            .bind(&list.customer_id)
            .bind(list.limit_id.as_ref().map(LimitId::to_string))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let refusals = rows
            .iter()
            .map(|row| {
                Ok(Refusal {
                    id: row.try_get(0)?,
                    project_id: self.shared.project,
                    at: Timestamp::from_micros(row.try_get(1)?),
                    call: from_json(row.try_get(2)?)?,
                })
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Page::cut(refusals, list.limit, |refusal| list.sort.cursor(refusal.id)))
    }
}
