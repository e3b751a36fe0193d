//! Long work in chunks between batches: backfilling meters, working out everyone's standings, removing what is no longer used.

use std::sync::Arc;

use sqlx::{Row, SqliteConnection};

use super::alerts::{self, AlertChanges};
use super::pending::Pending;
use super::{Writer, counters, flush, standings, state};
use crate::changes::Topics;
use crate::config::MeterRule;
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::scan::{Names, Scan, Select};
use crate::told;

/// Events up to which a new meter is built in the change itself.
pub(super) const EVENTS_AT_ONCE: i64 = 50_000;
/// Customers whose standings are worked out in one chunk.
const CUSTOMERS_AT_ONCE: i64 = 500;
/// Roll-up rows removed in one chunk.
const ROWS_AT_ONCE: i64 = 5_000;

/// What is to be done, as the data file says.
#[derive(Default)]
pub(super) struct Jobs {
    /// Meters whose roll-ups have not caught up.
    building: Vec<i64>,
    /// After which customer the standings are still to be worked out.
    standings: Option<i64>,
    /// Series whose rows are to go.
    retired: Vec<i64>,
}

impl Jobs {
    pub(super) async fn load(conn: &mut SqliteConnection) -> Result<Jobs> {
        let column =
            |rows: Vec<sqlx::sqlite::SqliteRow>| rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<i64>, _>>();
        let building = sqlx::query(
            "SELECT m.id FROM meter m JOIN series s ON s.id = m.series WHERE s.ready = 0 AND m.archived_at IS NULL",
        )
        .fetch_all(&mut *conn)
        .await?;
        let retired = sqlx::query("SELECT id FROM series WHERE retired = 1").fetch_all(&mut *conn).await?;
        let standings =
            sqlx::query_scalar("SELECT cursor FROM job WHERE kind = 'standings'").fetch_optional(&mut *conn).await?;
        Ok(Jobs { building: column(building)?, standings, retired: column(retired)? })
    }

    /// Whether there is anything to do.
    pub(super) fn is_due(&self) -> bool {
        !self.building.is_empty() || self.standings.is_some() || !self.retired.is_empty()
    }
}

impl Writer {
    /// Does the next chunk of what is to be done, in a transaction of its own.
    pub(super) async fn run_job_chunk(&mut self) -> Result<()> {
        if let Some(&meter) = self.jobs.building.first() {
            self.build_chunk(meter).await
        } else if let Some(after) = self.jobs.standings {
            self.standings_chunk(after).await
        } else if let Some(&series) = self.jobs.retired.first() {
            self.removal_chunk(series).await
        } else {
            Ok(())
        }
    }

    async fn build_chunk(&mut self, meter: i64) -> Result<()> {
        let mut config = (*self.shared.config()).clone();
        let Some(rule) = config.meters.get(&meter).cloned() else {
            self.jobs.building.retain(|key| *key != meter);
            return Ok(());
        };
        // The last chunk joins the series to those that follow the events: both must have counted the same ones.
        self.flush().await?;
        flush::begin(&mut self.conn).await?;
        let caught_up = self.backfill(&rule).await?;
        flush::commit(&mut self.conn).await?;
        if caught_up {
            let mut rule = (*rule).clone();
            rule.ready = true;
            config.meters.insert(meter, Arc::new(rule));
            self.shared.swap_config(Arc::new(config));
            self.jobs.building.retain(|key| *key != meter);
            self.restart_standings().await?;
        }
        self.shared.publish(Topics::METERS);
        Ok(())
    }

    /// Limits on a meter that has just been built have standings only now.
    async fn restart_standings(&mut self) -> Result<()> {
        sqlx::query(
            "INSERT INTO job (kind, cursor) VALUES ('standings', 0) ON CONFLICT (kind) DO UPDATE SET cursor = 0",
        )
        .execute(&mut self.conn)
        .await?;
        self.jobs.standings = Some(0);
        Ok(())
    }

    /// Counts the next events on a series that has not caught up, within the caller's transaction and with nothing pending.
    /// True once it has, and follows the events from here on.
    pub(super) async fn backfill(&mut self, meter: &MeterRule) -> Result<bool> {
        let marks = self.marks(meter.series).await?;
        let Some((device, after, last)) = marks.into_iter().find(|(_, after, last)| after < last) else {
            sqlx::query("UPDATE series SET ready = 1 WHERE id = ?1").bind(meter.series).execute(&mut self.conn).await?;
            sqlx::query("DELETE FROM watermark WHERE series = ?1").bind(meter.series).execute(&mut self.conn).await?;
            return Ok(true);
        };
        let mut scan = Scan::new(Select::Arrived(after, last));
        let events = scan.next(&mut self.conn).await?;
        let mut names = Names::load(&mut self.conn).await?;
        names.learn(&mut self.conn, &events).await?;
        let mut pending = Pending::default();
        for event in &events {
            pending.count_meter(&mut self.groups, meter, event.customer, &names.facts(event))?;
        }
        self.groups.store(&mut self.conn).await?;
        flush::store_cells(&mut self.conn, &pending).await?;
        let applied = if scan.is_done() { last } else { events.last().map_or(last, |event| event.seq) };
        flush::store_watermark(&mut self.conn, meter.series, device, applied).await?;
        Ok(false)
    }

    /// For each device: up to which event a series has counted, and the last event there is.
    pub(super) async fn marks(&mut self, series: i64) -> Result<Vec<(i64, i64, i64)>> {
        let rows = sqlx::query(
            "SELECT d.id, coalesce(w.applied, d.id << 40), \
                    coalesce((SELECT max(seq) FROM event WHERE seq > d.id << 40 AND seq < (d.id + 1) << 40), d.id << 40) \
             FROM device d LEFT JOIN watermark w ON w.series = ?1 AND w.device = d.id ORDER BY d.id",
        )
        .bind(series)
        .fetch_all(&mut self.conn)
        .await?;
        Ok(rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?)))
            .collect::<Result<_, sqlx::Error>>()?)
    }

    /// How many events were recorded, by any device.
    pub(super) async fn events_recorded(&mut self) -> Result<i64> {
        Ok(self.marks(state::FOLLOWING).await?.into_iter().map(|(device, _, last)| last - (device << 40)).sum())
    }

    async fn standings_chunk(&mut self, after: i64) -> Result<()> {
        let rows = sqlx::query("SELECT id, external_id FROM customer WHERE id > ?1 ORDER BY id LIMIT ?2")
            .bind(after)
            .bind(CUSTOMERS_AT_ONCE)
            .fetch_all(&mut self.conn)
            .await?;
        let config = self.shared.config();
        let now = self.shared.clock.now();
        let mut keys = Vec::with_capacity(rows.len());
        let mut customers: Vec<LiveCustomer> = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.push(row.try_get::<i64, _>(0)?);
            if let Some(known) = self.shared.customers.get(row.try_get(1)?) {
                customers.push((*known).clone());
            }
        }
        let mut cold: Vec<_> =
            customers.iter_mut().filter(|customer| !counters::is_loaded(&config, customer)).collect();
        counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut cold, now).await?;
        let (mut standing, mut changes) = (Vec::new(), AlertChanges::default());
        for customer in &mut customers {
            standings::rows_of(&config, customer, now, &mut standing);
            alerts::judge_all(&config, customer, now, &mut changes);
        }
        let next = keys.last().copied();
        flush::begin(&mut self.conn).await?;
        standings::forget(&mut self.conn, &keys).await?;
        standings::store(&mut self.conn, &mut standing).await?;
        self.store_alerts_for_summary(&changes, now).await?;
        match next {
            Some(cursor) => {
                sqlx::query("UPDATE job SET cursor = ?1 WHERE kind = 'standings'")
                    .bind(cursor)
                    .execute(&mut self.conn)
                    .await?;
            }
            None => {
                sqlx::query("DELETE FROM job WHERE kind = 'standings'").execute(&mut self.conn).await?;
                told::tell_alerts_summary(&mut self.conn, &config, now).await?;
            }
        }
        flush::commit(&mut self.conn).await?;
        for customer in customers {
            self.shared.customers.put(customer);
        }
        self.jobs.standings = next;
        // The last piece has found nobody, and has written what endpoints are to be told of all.
        let alerts = if changes.is_empty() && next.is_some() { Topics::NONE } else { Topics::ALERTS };
        self.shared.publish(Topics::STANDINGS | Topics::CUSTOMERS | alerts);
        Ok(())
    }

    async fn removal_chunk(&mut self, series: i64) -> Result<()> {
        flush::begin(&mut self.conn).await?;
        let mut removed = 0;
        for table in ["rollup", "rollup_member"] {
            let rest = if table == "rollup" { "customer, grp, bucket" } else { "customer, grp, bucket, member" };
            let sql = format!(
                "DELETE FROM {table} WHERE series = ?1 AND ({rest}) IN (SELECT {rest} FROM {table} WHERE series = ?1 LIMIT ?2)"
            );
            let done =
                sqlx::query(sqlx::AssertSqlSafe(sql)).bind(series).bind(ROWS_AT_ONCE).execute(&mut self.conn).await?;
            removed += done.rows_affected();
        }
        if removed == 0 {
            // The series' number stays taken, so that no counter of the old one is mistaken for a new one's.
            for sql in [
                "DELETE FROM series_group WHERE series = ?1",
                "DELETE FROM series_overflow WHERE series = ?1",
                "DELETE FROM watermark WHERE series = ?1",
                "UPDATE series SET retired = 2 WHERE id = ?1",
            ] {
                sqlx::query(sql).bind(series).execute(&mut self.conn).await?;
            }
        }
        flush::commit(&mut self.conn).await?;
        if removed == 0 {
            self.groups.forget(series);
            self.jobs.retired.retain(|retired| *retired != series);
        }
        Ok(())
    }
}
