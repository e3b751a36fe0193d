//! How long limits last at the present rate, from what their counters hold.

use sqlx::SqliteConnection;
use weir_core::aggregate::Aggregation;
use weir_core::forecast::{Forecast, Later, forecast};
use weir_core::period::Window;
use weir_core::time::Timestamp;

use super::Applied;
use crate::engine::Engine;
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::scan::LIVE;

impl Applied<'_> {
    pub(super) fn forecast(&self, first: Option<Timestamp>, now: Timestamp) -> Forecast {
        // What was used before a reset is forgotten: the rate is that since.
        let window = Window { start: self.reset_at().or(self.window.start), ..self.window };
        let later = self.raised.map(|raise| Later { from: raise.until, limit: self.rule.value });
        forecast(self.meter.aggregation, &self.standing, later, window, first, now)
    }

    /// Whether there is a rate, and nothing but the first event to take it from.
    fn is_without_beginning(&self) -> bool {
        self.window.start.is_none()
            && self.reset_at().is_none()
            && matches!(self.meter.aggregation, Aggregation::Sum | Aggregation::Count)
    }
}

impl Engine {
    /// A customer's first event, where a forecast for some limits needs it.
    pub(super) async fn first_event_for(
        &self,
        limits: &[Applied<'_>],
        customer: &LiveCustomer,
    ) -> Result<Option<Timestamp>> {
        if !limits.iter().any(Applied::is_without_beginning) {
            return Ok(None);
        }
        first_event(&mut *self.reader().await?, customer).await
    }
}

/// A customer's first event that counts.
pub(crate) async fn first_event(conn: &mut SqliteConnection, customer: &LiveCustomer) -> Result<Option<Timestamp>> {
    let sql = format!("SELECT e.at FROM event e WHERE e.customer = ?1 AND {LIVE} ORDER BY e.at LIMIT 1");
    let first: Option<i64> =
        sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(customer.key).fetch_optional(conn).await?;
    Ok(first.map(Timestamp::from_micros))
}
