//! The project, and the state of the engine over it.

use sqlx::Row;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{Project, ProjectPatch, Status};
use crate::origins;
use crate::scan::to_json;
use crate::writer::Audit;

impl Engine {
    /// The project that the data file holds.
    pub async fn project(&self) -> Result<Project> {
        Ok(self.shared.config().project.clone())
    }

    /// Whether pages of an origin, as a browser names it, may call with client tokens.
    pub fn admits_pages_of(&self, origin: &str) -> bool {
        self.shared.config().project.client_origins.iter().any(|known| known == origin)
    }

    /// Changes the project. A new zone re-cuts the windows of every customer without one of their own.
    pub async fn update_project(&self, actor: &Actor, patch: ProjectPatch) -> Result<Project> {
        if let Some(name) = &patch.name {
            text::check("name", name, 1, MAX_SHORT)?;
        }
        let client_origins = patch.client_origins.as_deref().map(origins::normalised).transpose()?;
        self.writer()
            .change(actor, move |tx| {
                Box::pin(async move {
                    let before = tx.config.project.clone();
                    let mut after = before.clone();
                    after.name = patch.name.unwrap_or(after.name);
                    after.timezone = patch.timezone.unwrap_or(after.timezone);
                    after.client_origins = client_origins.unwrap_or(after.client_origins);
                    if after == before {
                        return Ok(before);
                    }
                    after.updated_at = tx.now;
                    if before.timezone != after.timezone {
                        tx.recut_balances_of_the_project(after.timezone).await?;
                        tx.forget_counters();
                        tx.recount_everyone().await?;
                    }
                    sqlx::query("UPDATE project SET name = ?1, timezone = ?2, updated_at = ?3, client_origins = ?4, version = version + 1")
                        .bind(&after.name)
                        .bind(after.timezone.name())
                        .bind(after.updated_at.as_micros())
                        .bind(to_json(&after.client_origins)?)
                        .execute(tx.conn())
                        .await?;
                    let target = after.id.to_string();
                    tx.audit(Audit {
                        operation: "project.update",
                        target: &target,
                        before: Some(&before),
                        after: Some(&after),
                    })
                    .await?;
                    tx.config.project = after.clone();
                    tx.touches(Topics::PROJECT);
                    Ok(after)
                })
            })
            .await
    }

    /// How the engine is doing.
    pub async fn status(&self) -> Result<Status> {
        let mut conn = self.projections().await?;
        // `seq` is gapless within a device, so the count needs no walk through the events.
        let events: i64 = sqlx::query_scalar(
            "SELECT coalesce(sum((SELECT coalesce(max(seq) - (d.id << 40), 0) FROM event WHERE seq > d.id << 40 AND seq < (d.id + 1) << 40)), 0) \
             FROM device d",
        )
        .fetch_one(&mut *conn)
        .await?;
        let row = sqlx::query(
            "SELECT (SELECT min(first_event_at) FROM customer_activity), (SELECT max(last_event_at) FROM customer_activity), \
                    (SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1)",
        )
        .fetch_one(&mut *conn)
        .await?;
        let instant = |column: usize| -> Result<Option<Timestamp>> {
            Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
        };
        let open_alerts = self.open_alerts(&mut conn).await?;
        let now = self.now();
        Ok(Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            data_dir: self.shared.data_dir.display().to_string(),
            data_bytes: self.data_bytes(),
            events: events.unsigned_abs(),
            customers: self.customers_known() as u64,
            first_event_at: instant(0)?,
            last_event_at: instant(1)?,
            last_recorded_at: instant(2)?,
            events_per_second: self.shared.events_per_second(now),
            open_alerts,
            server_address: self.shared.server_address(),
            now,
        })
    }
}
