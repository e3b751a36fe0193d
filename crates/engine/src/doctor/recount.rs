//! The roll-ups and activity of every customer, counted anew in one pass over the events, customer by customer, so that no
//! more than a few customers' rows are in memory beside the rows over all customers.

use std::collections::{BTreeMap, HashSet};

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Aggregation};
use weir_core::time::Timestamp;

use super::{Findings, who};
use crate::config::MeterRule;
use crate::error::Result;
use crate::query::Applied;
use crate::rollup::{ALL_CUSTOMERS, ALL_GROUPS, BASE, Columns, Span, member};
use crate::scan::{Names, Scan, Select, from_json};
use crate::writer::{Cell, Groups, Pending, read_meter};

/// Events counted before they are compared, at the next change of customer.
const EVENTS_AT_ONCE: usize = 20_000;
/// Stored rows read in one go.
const ROWS_AT_ONCE: i64 = 10_000;

/// Counts everything anew and compares.
pub(super) async fn check(view: &mut SqliteConnection, applied: &Applied, findings: &mut Findings) -> Result<()> {
    let mut recount = Recount::load(view).await?;
    let mut names = Names::load(view).await?;
    let mut scan = Scan::new(Select::Everyone(Span::ALL));
    let (mut done, mut current) = (ALL_CUSTOMERS, ALL_CUSTOMERS);
    loop {
        let events = scan.next(view).await?;
        if events.is_empty() {
            break;
        }
        names.learn(view, &events).await?;
        for event in events.iter().filter(|event| applied.counts(event.seq)) {
            if event.customer != current && recount.pending.events >= EVENTS_AT_ONCE {
                recount.compare(view, done, current, findings).await?;
                done = current;
            }
            current = event.customer;
            let facts = names.facts(event);
            let pending = &mut recount.pending;
            // Who it is plays no part here.
            pending.count_activity(event.customer, &recount.nobody, &facts);
            pending.count_base(&mut recount.groups, event.customer, &facts)?;
            for meter in &recount.meters {
                pending.count_meter(&mut recount.groups, meter, event.customer, &facts)?;
            }
        }
    }
    recount.compare(view, done, i64::MAX, findings).await?;
    recount.compare_all_customers(view, findings).await?;
    findings.checked("customers with events", recount.customers);
    findings.checked("roll-up rows", recount.rows);
    Ok(())
}

struct Recount {
    meters: Vec<MeterRule>,
    /// By series, what it counts.
    titles: BTreeMap<i64, (String, Aggregation)>,
    groups: Groups,
    /// By number, the stored key of a group.
    keys: FxHashMap<i64, String>,
    /// Groups of dimensions that are no longer kept.
    ignored: FxHashSet<i64>,
    pending: Pending,
    nobody: std::sync::Arc<str>,
    customers: u64,
    rows: u64,
}

impl Recount {
    async fn load(view: &mut SqliteConnection) -> Result<Self> {
        let rows = sqlx::query(
            "SELECT m.*, s.ready FROM meter m JOIN series s ON s.id = m.series \
             WHERE m.archived_at IS NULL AND s.ready = 1 AND s.retired = 0",
        )
        .fetch_all(&mut *view)
        .await?;
        let meters = rows.iter().map(read_meter).collect::<Result<Vec<_>>>()?;
        let mut titles: BTreeMap<_, _> =
            meters.iter().map(|meter| (meter.series, (format!("meter `{}`", meter.name), meter.aggregation))).collect();
        titles.insert(BASE, ("event types".to_owned(), Aggregation::Avg));
        let rows = sqlx::query("SELECT series, dimension FROM series_overflow").fetch_all(&mut *view).await?;
        let overflown = rows
            .iter()
            .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
            .collect::<Result<HashSet<(i64, String)>>>()?;
        let (mut keys, mut ignored) = (FxHashMap::default(), FxHashSet::default());
        for row in sqlx::query("SELECT id, series, key FROM series_group").fetch_all(&mut *view).await? {
            let (id, series, key): (i64, i64, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let parts: Vec<String> = from_json(&key)?;
            if parts.into_iter().next().is_some_and(|dimension| overflown.contains(&(series, dimension))) {
                ignored.insert(id);
            }
            keys.insert(id, key);
        }
        Ok(Recount {
            meters,
            titles,
            groups: Groups::load(view).await?,
            keys,
            ignored,
            pending: Pending::default(),
            nobody: "".into(),
            customers: 0,
            rows: 0,
        })
    }

    /// Compares the customers above one and up to another with what is stored, and forgets them.
    async fn compare(
        &mut self,
        view: &mut SqliteConnection,
        above: i64,
        upto: i64,
        findings: &mut Findings,
    ) -> Result<()> {
        let everyone = self.pending.customers.remove(&ALL_CUSTOMERS);
        self.compare_cells(view, above, upto, findings).await?;
        self.compare_activity(view, above, upto, findings).await?;
        self.pending = Pending::default();
        self.pending.customers.extend(everyone.map(|cells| (ALL_CUSTOMERS, cells)));
        Ok(())
    }

    async fn compare_all_customers(&mut self, view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
        self.compare_cells(view, ALL_CUSTOMERS - 1, ALL_CUSTOMERS, findings).await
    }

    async fn compare_cells(
        &mut self,
        view: &mut SqliteConnection,
        above: i64,
        upto: i64,
        findings: &mut Findings,
    ) -> Result<()> {
        let series: Vec<_> = self.titles.iter().map(|(series, (_, kind))| (*series, *kind)).collect();
        for (series, kind) in series {
            let (table, key) = match kind {
                Aggregation::Unique => ("rollup_member", "customer, grp, bucket, member"),
                _ => ("rollup", "customer, grp, bucket, x''"),
            };
            let sql = format!(
                "SELECT * FROM {table} WHERE series = ?1 AND ({key}) > (?2, ?3, ?4, ?5) AND customer <= ?6 ORDER BY {key} LIMIT ?7"
            );
            let mut last = (above, i64::MAX, i64::MAX, Vec::new());
            loop {
                let rows = sqlx::query(sqlx::AssertSqlSafe(sql.as_str()))
                    .bind(series)
                    .bind(last.0)
                    .bind(last.1)
                    .bind(last.2)
                    .bind(&last.3)
                    .bind(upto)
                    .bind(ROWS_AT_ONCE)
                    .fetch_all(&mut *view)
                    .await?;
                for row in &rows {
                    self.compare_row(view, row, series, kind, findings).await?;
                }
                let Some(row) = rows.last() else { break };
                last = (row.try_get("customer")?, row.try_get("grp")?, row.try_get("bucket")?, Vec::new());
                if kind == Aggregation::Unique {
                    last.3 = row.try_get("member")?;
                }
                if (rows.len() as i64) < ROWS_AT_ONCE {
                    break;
                }
            }
        }
        self.report_unstored(view, findings).await
    }

    async fn compare_row(
        &mut self,
        view: &mut SqliteConnection,
        row: &SqliteRow,
        series: i64,
        kind: Aggregation,
        findings: &mut Findings,
    ) -> Result<()> {
        let customer = row.try_get("customer")?;
        let cell = Cell { series, group: row.try_get("grp")?, bucket: row.try_get("bucket")? };
        self.rows += 1;
        if self.ignored.contains(&cell.group) {
            return Ok(());
        }
        let cells = self.pending.customers.get_mut(&customer);
        if kind == Aggregation::Unique {
            let stored = member(row.try_get("member")?)?;
            let is_counted = match cells.and_then(|cells| cells.get_mut(&cell)) {
                Some(Aggregate::Unique(members)) => members.remove(&stored),
                _ => false,
            };
            if !is_counted {
                let place = self.place(view, customer, cell).await?;
                findings.differs(format_args!("{place}: holds the member {}, which no event has", hex(&stored)));
            }
            return Ok(());
        }
        let columns = Columns {
            count: row.try_get("count")?,
            hi: row.try_get("hi")?,
            lo: row.try_get("lo")?,
            nanos: row.try_get("nanos")?,
            at: row.try_get("at")?,
            event: row.try_get("event")?,
        };
        let stored = columns.aggregate(kind)?;
        let counted = cells.and_then(|cells| cells.remove(&cell)).unwrap_or_else(|| Aggregate::empty(kind));
        if stored != counted {
            let place = self.place(view, customer, cell).await?;
            findings.differs(format_args!("{place}: stored is {}, the events give {}", show(&stored), show(&counted)));
        }
        Ok(())
    }

    /// What was counted and found no row.
    async fn report_unstored(&mut self, view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
        let mut missing: Vec<_> = self
            .pending
            .customers
            .iter_mut()
            .flat_map(|(customer, cells)| cells.drain().map(|(cell, counted)| (*customer, cell, counted)))
            .filter(|(_, cell, counted)| {
                !self.ignored.contains(&cell.group)
                    && !matches!(counted, Aggregate::Unique(members) if members.is_empty())
            })
            .collect();
        missing.sort_unstable_by_key(|(customer, cell, _)| (*customer, *cell));
        for (customer, cell, counted) in missing {
            let place = self.place(view, customer, cell).await?;
            match &counted {
                Aggregate::Unique(members) => {
                    findings
                        .differs(format_args!("{place}: {} members that events have are not stored", members.len()));
                }
                _ => findings.differs(format_args!("{place}: nothing is stored, the events give {}", show(&counted))),
            }
        }
        Ok(())
    }

    async fn compare_activity(
        &mut self,
        view: &mut SqliteConnection,
        above: i64,
        upto: i64,
        findings: &mut Findings,
    ) -> Result<()> {
        let rows = sqlx::query(
            "SELECT customer, first_event_at, last_event_at FROM customer_activity WHERE customer > ?1 AND customer <= ?2",
        )
        .bind(above)
        .bind(upto)
        .fetch_all(&mut *view)
        .await?;
        let mut active: BTreeMap<i64, (i64, i64)> =
            self.pending.active.iter().map(|(customer, seen)| (*customer, (seen.first, seen.last))).collect();
        self.customers += active.len() as u64;
        let show = |(first, last): (i64, i64)| {
            format!("from {} to {}", Timestamp::from_micros(first), Timestamp::from_micros(last))
        };
        for row in rows {
            let customer: i64 = row.try_get(0)?;
            let stored = (row.try_get(1)?, row.try_get(2)?);
            let counted = active.remove(&customer);
            if counted != Some(stored) {
                let who = who(view, customer).await?;
                let counted = counted.map_or_else(|| "none".to_owned(), show);
                findings
                    .differs(format_args!("activity of {who}: stored is {}, the events give {counted}", show(stored)));
            }
        }
        for (customer, counted) in active {
            let who = who(view, customer).await?;
            findings.differs(format_args!("activity of {who}: nothing is stored, the events give {}", show(counted)));
        }
        Ok(())
    }

    async fn place(&self, view: &mut SqliteConnection, customer: i64, cell: Cell) -> Result<String> {
        let title = self.titles.get(&cell.series).map_or("", |(title, _)| title);
        let group = match self.keys.get(&cell.group) {
            _ if cell.group == ALL_GROUPS => String::new(),
            Some(key) => format!(", group {key}"),
            None => format!(", group number {}, which does not exist", cell.group),
        };
        let who = who(view, customer).await?;
        Ok(format!("roll-up of {title}, {who}{group}, {}", Timestamp::from_micros(cell.bucket)))
    }
}

fn show(aggregate: &Aggregate) -> String {
    match aggregate {
        Aggregate::Avg(total, count) => format!("{total} in {count} events"),
        Aggregate::Latest(Some(newest)) => format!("{} of {} by {}", newest.value, newest.at, newest.id),
        other => other.value().map_or_else(|| "nothing".to_owned(), |value| value.to_string()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
