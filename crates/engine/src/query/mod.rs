//! Reading: meters over any range, events, and what customers used. Every answer is read in one view of the data file, so that
//! all its parts agree.

mod edges;
mod events;
mod kept;
mod lines;
mod members;
mod meter;
mod range;
mod refused;
mod scanned;
mod usage;
mod view;

pub(crate) use events::{facts_of, find as find_event};
pub(crate) use view::{Applied, each_event};

use std::sync::Arc;

use sqlx::{Row, SqliteConnection};
use weir_core::error::Code;
use weir_core::id::CustomerId;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;

impl Engine {
    /// A customer by external id.
    fn known_customer(&self, external: &str) -> Result<Arc<LiveCustomer>> {
        let known = self.shared.customers.get(external);
        known.ok_or_else(|| Error::not_found(Code::CustomerNotFound, "customer", external))
    }

    /// A customer by external id first, then by internal id.
    async fn resolved_customer(&self, conn: &mut SqliteConnection, id: &str) -> Result<Arc<LiveCustomer>> {
        if let (None, Ok(internal)) = (self.shared.customers.get(id), id.parse::<CustomerId>()) {
            let row = sqlx::query("SELECT external_id FROM customer WHERE uuid = ?1")
                .bind(internal.uuid())
                .fetch_optional(conn)
                .await?;
            if let Some(row) = row {
                return self.known_customer(row.try_get(0)?);
            }
        }
        self.known_customer(id)
    }
}
