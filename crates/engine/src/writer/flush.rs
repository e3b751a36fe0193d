//! Writing the merged deltas to the roll-ups, in multi-row statements and in the order of their keys.

use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, SqliteConnection};
use weir_core::aggregate::Aggregate;

use super::pending::{Cell, Pending};
use crate::error::{Error, Result};
use crate::rollup::Columns;

/// Rows of one statement, largest first. Few texts, so that they stay prepared without filling the memory.
const CHUNKS: [usize; 5] = [256, 64, 16, 4, 1];
/// Fewer rows than this are one statement, whatever their number: callers wait for it.
const ONE_STATEMENT: usize = 64;

/// Inserts rows with `columns` values each, in as few statements as the chunk sizes allow.
pub(crate) async fn insert_rows<T>(
    conn: &mut SqliteConnection,
    into: &str,
    columns: usize,
    then: &str,
    rows: &[T],
    mut bind: impl FnMut(&mut SqliteArguments, &T) -> Result<(), sqlx::error::BoxDynError>,
) -> Result<()> {
    let row = format!("({})", vec!["?"; columns].join(","));
    let mut rest = rows;
    let whole = (rows.len() < ONE_STATEMENT).then_some(rows.len());
    for size in whole.into_iter().chain(CHUNKS) {
        if size == 0 || rest.len() < size {
            continue;
        }
        let sql = format!("INSERT {into} VALUES {} {then}", vec![row.as_str(); size].join(","));
        while rest.len() >= size {
            let (chunk, after) = rest.split_at(size);
            rest = after;
            let mut arguments = SqliteArguments::default();
            for row in chunk {
                bind(&mut arguments, row).map_err(sqlx::Error::Encode)?;
            }
            sqlx::query_with(sqlx::AssertSqlSafe(sql.clone()), arguments).execute(&mut *conn).await?;
        }
    }
    Ok(())
}

const ROLLUP: &str = "INTO rollup (series, customer, grp, bucket, count, hi, lo, nanos, at, event)";
const ADD: &str = "ON CONFLICT DO UPDATE SET count = count + excluded.count, hi = hi + excluded.hi, lo = lo + excluded.lo, \
                   nanos = nanos + excluded.nanos";
const REPLACE: &str = "ON CONFLICT DO UPDATE SET hi = excluded.hi, lo = excluded.lo, nanos = excluded.nanos, \
                       at = excluded.at, event = excluded.event";
const GREATER: &str = "(excluded.hi, excluded.lo, excluded.nanos) > (rollup.hi, rollup.lo, rollup.nanos)";
const SMALLER: &str = "(excluded.hi, excluded.lo, excluded.nanos) < (rollup.hi, rollup.lo, rollup.nanos)";
const NEWER: &str = "(excluded.at, excluded.event) > (rollup.at, rollup.event)";

/// Merges what waits into the roll-up rows. The caller holds the transaction and moves the watermark.
pub(crate) async fn store_cells(conn: &mut SqliteConnection, pending: &Pending) -> Result<()> {
    let (mut add, mut max, mut min, mut newest) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut members: Vec<(i64, Cell, [u8; 16])> = Vec::new();
    for (&customer, cells) in &pending.customers {
        for (&cell, aggregate) in cells {
            let rows = match aggregate {
                Aggregate::Sum(_) | Aggregate::Count(_) | Aggregate::Avg(..) => &mut add,
                Aggregate::Max(_) => &mut max,
                Aggregate::Min(_) => &mut min,
                Aggregate::Latest(_) => &mut newest,
                Aggregate::Unique(set) => {
                    members.extend(set.iter().map(|member| (customer, cell, *member)));
                    continue;
                }
            };
            if let Some(columns) = Columns::of(aggregate) {
                rows.push((customer, cell, columns));
            }
        }
    }
    let place = |customer: i64, cell: Cell| (cell.series, customer, cell.group, cell.bucket);
    for (mut rows, then) in [
        (add, ADD.to_owned()),
        (max, format!("{REPLACE} WHERE {GREATER}")),
        (min, format!("{REPLACE} WHERE {SMALLER}")),
        (newest, format!("{REPLACE} WHERE {NEWER}")),
    ] {
        rows.sort_unstable_by_key(|(customer, cell, _)| place(*customer, *cell));
        insert_rows(conn, ROLLUP, 10, &then, &rows, |arguments, (customer, cell, columns)| {
            for key in
                [cell.series, *customer, cell.group, cell.bucket, columns.count, columns.hi, columns.lo, columns.nanos]
            {
                arguments.add(key)?;
            }
            arguments.add(columns.at)?;
            arguments.add(columns.event)
        })
        .await?;
    }
    members.sort_unstable_by_key(|(customer, cell, member)| (place(*customer, *cell), *member));
    insert_rows(
        conn,
        "OR IGNORE INTO rollup_member (series, customer, grp, bucket, member)",
        5,
        "",
        &members,
        |arguments, row| {
            let (customer, cell, member) = row;
            for key in [cell.series, *customer, cell.group, cell.bucket] {
                arguments.add(key)?;
            }
            arguments.add(member.to_vec())
        },
    )
    .await
}

/// Moves each active customer's earliest and latest event time.
pub(crate) async fn store_activity(conn: &mut SqliteConnection, pending: &Pending) -> Result<()> {
    let mut active: Vec<_> = pending.active.iter().map(|(customer, seen)| (*customer, seen.first, seen.last)).collect();
    active.sort_unstable();
    insert_rows(
        conn,
        "INTO customer_activity (customer, first_event_at, last_event_at)",
        3,
        "ON CONFLICT DO UPDATE SET first_event_at = min(first_event_at, excluded.first_event_at), \
         last_event_at = max(last_event_at, excluded.last_event_at)",
        &active,
        |arguments, (customer, first, last)| {
            arguments.add(*customer)?;
            arguments.add(*first)?;
            arguments.add(*last)
        },
    )
    .await
}

/// Moves a watermark: everything up to `applied` has been counted on `series`.
pub(crate) async fn store_watermark(conn: &mut SqliteConnection, series: i64, device: i64, applied: i64) -> Result<()> {
    sqlx::query(
        "INSERT INTO watermark (series, device, applied) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET applied = excluded.applied",
    )
    .bind(series)
    .bind(device)
    .bind(applied)
    .execute(conn)
    .await?;
    Ok(())
}

/// Begins a transaction that may write. A deferred one would fail at its first write if another connection wrote meanwhile.
pub(crate) async fn begin(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("BEGIN IMMEDIATE").execute(conn).await?;
    Ok(())
}

/// Commits. When this fails, whether the changes were stored is unknown.
pub(crate) async fn commit(conn: &mut SqliteConnection) -> Result<()> {
    sqlx::query("COMMIT").execute(conn).await.map_err(|error| Error::Unknown(error.to_string()))?;
    Ok(())
}
