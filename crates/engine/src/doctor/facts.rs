//! The facts themselves: the file is whole, nothing is missing, and what refers to something finds it.

use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::id::EventId;

use super::{Findings, MAX_DIFFERENCES};
use crate::error::Result;
use crate::query::Applied;
use crate::writer::DEVICE_SHIFT;

/// SQLite's own view of the file.
pub(super) async fn check_file(view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    let verdicts: Vec<String> = sqlx::query_scalar("PRAGMA quick_check(100)").fetch_all(&mut *view).await?;
    for verdict in verdicts.iter().filter(|verdict| *verdict != "ok") {
        findings.differs(format_args!("the file is damaged: {verdict}"));
    }
    for row in sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut *view).await? {
        let (table, number, parent): (String, Option<i64>, String) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        findings.differs(format_args!(
            "{table} row {} refers to a {parent} that does not exist",
            number.unwrap_or_default()
        ));
    }
    Ok(())
}

/// Events are numbered without gap on each device, and their ids ascend.
pub(super) async fn check_events(
    view: &mut SqliteConnection,
    applied: &Applied,
    findings: &mut Findings,
) -> Result<()> {
    let total: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&mut *view).await?;
    let devices: Vec<i64> = sqlx::query_scalar("SELECT id FROM device ORDER BY id").fetch_all(&mut *view).await?;
    let mut found = 0;
    for device in &devices {
        let floor = device << DEVICE_SHIFT;
        let row = sqlx::query("SELECT count(*), coalesce(max(seq), ?1) FROM event WHERE seq > ?1 AND seq < ?2")
            .bind(floor)
            .bind((device + 1) << DEVICE_SHIFT)
            .fetch_one(&mut *view)
            .await?;
        let (count, last): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        found += count;
        check_order(view, floor, findings).await?;
        let counted = applied.by_device().find(|(other, _)| other == device).map_or(floor, |(_, applied)| applied);
        if counted > last {
            findings.differs(format_args!(
                "device {device}: events were counted up to number {}, but the last one is number {}",
                counted - floor,
                last - floor
            ));
        }
    }
    if found != total {
        findings.differs(format_args!("{} events belong to no device", total - found));
    }
    findings.checked("events", total.unsigned_abs());
    Ok(())
}

/// Voids are numbered without gap on each device, too.
pub(super) async fn check_voids(view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    let rows = sqlx::query("SELECT seq >> ?1, count(*), max(seq) FROM void GROUP BY 1 ORDER BY 1")
        .bind(DEVICE_SHIFT)
        .fetch_all(view)
        .await?;
    let mut total = 0;
    for row in rows {
        let (device, count, last): (i64, i64, i64) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        total += count;
        let numbered = last - (device << DEVICE_SHIFT);
        if numbered != count {
            findings.differs(format_args!("device {device}: {} of {numbered} voids are missing", numbered - count));
        }
    }
    findings.checked("voids", total.unsigned_abs());
    Ok(())
}

async fn check_order(view: &mut SqliteConnection, floor: i64, findings: &mut Findings) -> Result<()> {
    let device = floor >> DEVICE_SHIFT;
    let rows = sqlx::query(
        "SELECT seq, before, id, id_before FROM ( \
           SELECT seq, lag(seq, 1, ?1) OVER w AS before, id, lag(id) OVER w AS id_before FROM event \
           WHERE seq > ?1 AND seq < ?2 WINDOW w AS (ORDER BY seq)) \
         WHERE seq <> before + 1 OR id <= id_before OR length(id) <> 16 LIMIT ?3",
    )
    .bind(floor)
    .bind((device + 1) << DEVICE_SHIFT)
    .bind(MAX_DIFFERENCES as i64)
    .fetch_all(view)
    .await?;
    for row in rows {
        let (seq, before): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        match seq - before - 1 {
            0 => {
                let id = |column| row.try_get::<Uuid, _>(column).map(EventId::new);
                match (id(2), id(3)) {
                    (Ok(id), Ok(earlier)) => {
                        findings.differs(format_args!(
                            "device {device}: event {id} does not come after {earlier}, the one before it"
                        ));
                    }
                    _ => findings
                        .differs(format_args!("device {device}: the id of event number {} is malformed", seq - floor)),
                }
            }
            1 => findings.differs(format_args!("device {device}: event number {} is missing", seq - floor - 1)),
            _ => findings.differs(format_args!(
                "device {device}: events number {} to {} are missing",
                before - floor + 1,
                seq - floor - 1
            )),
        }
    }
    Ok(())
}

/// What a row refers to exists, beyond what SQLite's foreign keys cover.
pub(super) async fn check_references(view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    for (sql, what) in [
        (
            "SELECT seq FROM event e WHERE NOT EXISTS (SELECT 1 FROM customer c WHERE c.id = e.customer)",
            "is of a customer that does not exist",
        ),
        (
            "SELECT seq FROM event e WHERE NOT EXISTS (SELECT 1 FROM event_type t WHERE t.id = e.type)",
            "is of an event type that does not exist",
        ),
        (
            "SELECT event FROM void v WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = v.event)",
            "was voided, but does not exist",
        ),
        (
            "SELECT event FROM event_key k WHERE NOT EXISTS (SELECT 1 FROM event e WHERE e.seq = k.event)",
            "has an idempotency key, but does not exist",
        ),
        (
            "SELECT event FROM event_key k JOIN event e ON e.seq = k.event WHERE e.customer <> k.customer",
            "has an idempotency key of another customer",
        ),
    ] {
        let sql = format!("{sql} LIMIT {MAX_DIFFERENCES}");
        let numbers: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_all(&mut *view).await?;
        for number in numbers {
            let (device, count) = (number >> DEVICE_SHIFT, number & ((1 << DEVICE_SHIFT) - 1));
            findings.differs(format_args!("device {device}: event number {count} {what}"));
        }
    }
    let keys: i64 = sqlx::query_scalar("SELECT count(*) FROM event_key").fetch_one(view).await?;
    findings.checked("idempotency keys", keys.unsigned_abs());
    Ok(())
}
