//! Voiding an event: a fact of its own, and everything that had counted the event counted anew without it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::SqliteConnection;
use weir_core::aggregate::{Aggregate, Aggregation, Contribution};
use weir_core::event::Facts;

use super::pending::{Cell, Pending, base_parts, meter_parts};
use super::state::DEVICE_SHIFT;
use super::{Tx, flush};
use crate::config::MeterRule;
use crate::error::Result;
use crate::rollup::{ALL_CUSTOMERS, BUCKET, Span, bucket_of};
use crate::scan::{LIVE, Names, Scan, Select, to_json};

/// A meter's series, and which events it has counted.
struct Counting {
    meter: Arc<MeterRule>,
    /// The last event of each device, while the series is being built; none once it follows the events.
    upto: Option<FxHashMap<i64, i64>>,
}

impl Counting {
    fn has_counted(&self, seq: i64) -> bool {
        let Some(upto) = &self.upto else { return true };
        upto.get(&(seq >> DEVICE_SHIFT)).is_some_and(|last| seq <= *last)
    }
}

/// A row of the customer's and the one over all customers; nothing where no event counts.
type Rows = [Option<Aggregate>; 2];

impl Tx<'_> {
    /// Writes that an event is void. From here on no reader of events sees it.
    pub(crate) async fn write_void(&mut self, event: i64, reason: Option<&str>) -> Result<()> {
        let (seq, actor) = (self.next_seq("void").await?, self.actor_key().await?);
        sqlx::query("INSERT INTO void (seq, event, at, actor, reason) VALUES (?1, ?2, ?3, ?4, ?5)")
            .bind(seq)
            .bind(event)
            .bind(self.now.as_micros())
            .bind(actor)
            .bind(reason)
            .execute(self.conn())
            .await?;
        Ok(())
    }

    /// Counts anew what had counted an event of a customer that is void now: the rows of its quarter of an hour, all
    /// aggregations one way from the events that are left, and the times of the customer's earliest and latest event.
    pub(crate) async fn count_without(&mut self, seq: i64, customer: i64, event: &Facts<'_>) -> Result<()> {
        let mut meters = Vec::new();
        for meter in self.config.meters.values().filter(|meter| meter.contribution(event).is_some()) {
            let upto = match meter.ready {
                true => None,
                false => {
                    let marks = self.writer.marks(meter.series).await?;
                    Some(marks.into_iter().map(|(device, counted, _)| (device, counted)).collect())
                }
            };
            let counting = Counting { meter: meter.clone(), upto };
            if counting.has_counted(seq) {
                meters.push(counting);
            }
        }
        let mut rows: FxHashMap<Cell, Rows> = FxHashMap::default();
        let groups = &mut self.writer.groups;
        let mut touch = |cell, _, _: &Contribution| {
            rows.insert(cell, Rows::default());
            Ok(())
        };
        base_parts(groups, event, &mut touch)?;
        for counting in &meters {
            meter_parts(groups, &counting.meter, event, &mut touch)?;
        }
        self.count_bucket(bucket_of(event.at), customer, &meters, &mut rows).await?;
        let conn = &mut self.writer.conn;
        store(conn, customer, rows).await?;
        store_activity(conn, customer).await
    }

    /// Counts the events of a quarter of an hour on some rows.
    async fn count_bucket(
        &mut self,
        bucket: i64,
        customer: i64,
        meters: &[Counting],
        rows: &mut FxHashMap<Cell, Rows>,
    ) -> Result<()> {
        let (conn, groups) = (&mut self.writer.conn, &mut self.writer.groups);
        let mut names = Names::load(conn).await?;
        let mut scan = Scan::new(Select::Everyone(Span { start: bucket, end: bucket + BUCKET }));
        loop {
            let events = scan.next(conn).await?;
            if events.is_empty() {
                return Ok(());
            }
            names.learn(conn, &events).await?;
            for stored in &events {
                let facts = names.facts(stored);
                let mut add = |cell: Cell, kind: Aggregation, part: &Contribution| {
                    let Some([own, everyone]) = rows.get_mut(&cell) else { return Ok(()) };
                    if stored.customer == customer {
                        own.get_or_insert_with(|| Aggregate::empty(kind)).add(part)?;
                    }
                    everyone.get_or_insert_with(|| Aggregate::empty(kind)).add(part)
                };
                base_parts(groups, &facts, &mut add)?;
                for counting in meters.iter().filter(|counting| counting.has_counted(stored.seq)) {
                    meter_parts(groups, &counting.meter, &facts, &mut add)?;
                }
            }
        }
    }
}

/// Writes rows in place of those that stand; where nothing is left there will be none.
async fn store(conn: &mut SqliteConnection, customer: i64, rows: FxHashMap<Cell, Rows>) -> Result<()> {
    let mut keys = Vec::with_capacity(2 * rows.len());
    let mut pending = Pending::default();
    for (cell, totals) in rows {
        for (whose, total) in [customer, ALL_CUSTOMERS].into_iter().zip(totals) {
            keys.push((cell.series, whose, cell.group, cell.bucket));
            if let Some(total) = total {
                pending.customers.entry(whose).or_default().insert(cell, total);
            }
        }
    }
    let keys = to_json(&keys)?;
    for table in ["rollup", "rollup_member"] {
        let sql = format!(
            "DELETE FROM {table} WHERE (series, customer, grp, bucket) IN \
             (SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1))"
        );
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&keys).execute(&mut *conn).await?;
    }
    flush::store_cells(conn, &pending).await
}

/// Writes the times of a customer's earliest and latest event as they are.
async fn store_activity(conn: &mut SqliteConnection, customer: i64) -> Result<()> {
    sqlx::query("DELETE FROM customer_activity WHERE customer = ?1").bind(customer).execute(&mut *conn).await?;
    let edge = |order: &str| {
        format!("(SELECT e.at FROM event e WHERE e.customer = ?1 AND {LIVE} ORDER BY e.at {order} LIMIT 1)")
    };
    let sql = format!(
        "INSERT INTO customer_activity (customer, first_event_at, last_event_at) \
         SELECT ?1, first, last FROM (SELECT {} AS first, {} AS last) WHERE first IS NOT NULL",
        edge("ASC"),
        edge("DESC")
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(customer).execute(conn).await?;
    Ok(())
}
