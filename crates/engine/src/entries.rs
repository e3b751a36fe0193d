//! Entries of the ledger, read as they are shown.

use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::id::{BalanceId, EventId, HoldId, ProjectId, TransactionId};
use weir_core::ledger::{EntryKind, Part};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::audit::read_actors;
use crate::error::Result;
use crate::model::{AuditActor, Cause, GrantTerms, Paid, Transaction};
use crate::scan::{from_json, to_json};
use crate::writer::{cause_of, quantity, source, stored};

/// Entries `e` with what they refer to.
pub(crate) const SELECT: &str = "SELECT e.*, b.uuid AS balance_uuid, v.id AS event_id, h.id AS hold_id, g.priority, g.expires_at, g.source \
     FROM ledger_entry e JOIN balance b ON b.id = e.balance LEFT JOIN event v ON v.seq = e.event \
     LEFT JOIN balance_hold h ON h.seq = e.hold LEFT JOIN credit_grant g ON g.entry = e.seq";

/// The kind of a stored word.
pub(crate) fn kind_of(word: &str) -> EntryKind {
    EntryKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(EntryKind::Adjustment)
}

/// Entries by their numbers.
pub(crate) async fn by_number(
    conn: &mut SqliteConnection,
    project: ProjectId,
    numbers: &[i64],
) -> Result<Vec<(i64, Transaction)>> {
    if numbers.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("{SELECT} WHERE e.seq IN (SELECT value FROM json_each(?1))");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_json(&numbers)?).fetch_all(&mut *conn).await?;
    read(conn, project, &rows).await
}

/// Reads rows of [`SELECT`], with what was paid by which grant.
pub(crate) async fn read(
    conn: &mut SqliteConnection,
    project: ProjectId,
    rows: &[SqliteRow],
) -> Result<Vec<(i64, Transaction)>> {
    let by = rows.iter().map(|row| row.try_get("actor")).collect::<Result<Vec<i64>, sqlx::Error>>()?;
    let actors = read_actors(conn, Some(&by)).await?;
    let mut entries = Vec::with_capacity(rows.len());
    let (mut owed, mut grants) = (Vec::new(), Vec::new());
    for row in rows {
        let number: i64 = row.try_get("seq")?;
        let parts: Vec<Part> = from_json(row.try_get("parts")?)?;
        let entry = read_one(row, project, &actors)?;
        let takes = matches!(entry.kind, EntryKind::Debit) || entry.amount.is_negative();
        if takes && parts.iter().any(|Part(grant, _)| grant.is_none()) {
            owed.push(number);
        }
        grants.extend(parts.iter().filter_map(|Part(grant, _)| *grant));
        entries.push((number, entry, parts));
    }
    let mut repaid: FxHashMap<i64, Vec<(Option<i64>, Quantity)>> = FxHashMap::default();
    if !owed.is_empty() {
        let owed = to_json(&owed)?;
        let rows = sqlx::query(
            r#"SELECT debit, "grant", units, nanos FROM repayment WHERE debit IN (SELECT value FROM json_each(?1)) ORDER BY id"#,
        )
        .bind(&owed)
        .fetch_all(&mut *conn)
        .await?;
        for row in &rows {
            let grant: i64 = row.try_get(1)?;
            grants.push(grant);
            repaid.entry(row.try_get(0)?).or_default().push((Some(grant), quantity(row, "units", "nanos")?));
        }
        let rows = sqlx::query("SELECT entry, units, nanos FROM debt WHERE entry IN (SELECT value FROM json_each(?1))")
            .bind(&owed)
            .fetch_all(&mut *conn)
            .await?;
        for row in &rows {
            repaid.entry(row.try_get(0)?).or_default().push((None, quantity(row, "units", "nanos")?));
        }
    }
    grants.sort_unstable();
    grants.dedup();
    let mut ids: FxHashMap<i64, Uuid> = FxHashMap::default();
    if !grants.is_empty() {
        let rows = sqlx::query("SELECT seq, id FROM ledger_entry WHERE seq IN (SELECT value FROM json_each(?1))")
            .bind(to_json(&grants)?)
            .fetch_all(&mut *conn)
            .await?;
        for row in &rows {
            ids.insert(row.try_get(0)?, row.try_get(1)?);
        }
    }
    let paid = |grant: Option<i64>, amount| Paid {
        grant_id: grant.and_then(|grant| ids.get(&grant).copied()).map(TransactionId::new),
        amount,
    };
    Ok(entries
        .into_iter()
        .map(|(number, mut entry, parts)| {
            let takes = matches!(entry.kind, EntryKind::Debit) || entry.amount.is_negative();
            for Part(grant, amount) in parts {
                if grant.is_some() || !takes {
                    pay(&mut entry.paid_by, paid(grant, amount));
                } else {
                    for (grant, amount) in repaid.remove(&number).unwrap_or_default() {
                        pay(&mut entry.paid_by, paid(grant, amount));
                    }
                }
            }
            (number, entry)
        })
        .collect())
}

/// One row for each grant, whether it paid at once or later.
fn pay(paid_by: &mut Vec<Paid>, paid: Paid) {
    match paid_by.iter_mut().find(|known| known.grant_id == paid.grant_id) {
        Some(known) => known.amount = known.amount.checked_add(paid.amount).unwrap_or(known.amount),
        None => paid_by.push(paid),
    }
}

fn read_one(row: &SqliteRow, project_id: ProjectId, actors: &FxHashMap<i64, AuditActor>) -> Result<Transaction> {
    let kind = kind_of(row.try_get("type")?);
    let actor: i64 = row.try_get("actor")?;
    let unknown = || AuditActor { kind: "system".to_owned(), name: String::new(), label: None };
    let grant = match row.try_get::<Option<u16>, _>("priority")? {
        Some(priority) => Some(GrantTerms {
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp::from_micros),
            priority,
            source: source(row.try_get("source")?),
        }),
        None => None,
    };
    Ok(Transaction {
        id: TransactionId::new(row.try_get("id")?),
        project_id,
        balance_id: BalanceId::new(row.try_get("balance_uuid")?),
        kind,
        amount: quantity(row, "units", "nanos")?,
        balance_after: quantity(row, "after_units", "after_nanos")?,
        description: row.try_get("description")?,
        reference: row.try_get("reference")?,
        idempotency_key: row.try_get("idempotency_key")?,
        cause: Cause {
            kind: cause_of(row.try_get("cause")?),
            actor: actors.get(&actor).cloned().unwrap_or_else(unknown),
            event_id: row.try_get::<Option<Uuid>, _>("event_id")?.map(EventId::new),
            hold_id: row.try_get::<Option<Uuid>, _>("hold_id")?.map(HoldId::new),
            quantity: row.try_get::<Option<&str>, _>("quantity")?.map(stored).transpose()?,
        },
        grant,
        paid_by: Vec::new(),
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
    })
}
