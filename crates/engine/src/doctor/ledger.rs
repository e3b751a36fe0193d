//! Whether every balance is the sum of its ledger, what is left of its grants less its debt, and what its holds say.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::ledger::{Part, Rate};
use weir_core::quantity::Quantity;

use super::Findings;
use crate::error::Result;
use crate::scan::from_json;
use crate::writer::{quantity, stored, total};

/// Entries read in one go.
const CHUNK: i64 = 10_000;

/// What a balance comes to by its entries.
#[derive(Default)]
struct Counted {
    current: i128,
    last_at: i64,
}

/// What is left of a grant, or owed of an entry, by the entries.
type Left = BTreeMap<i64, i128>;

pub(super) async fn check(view: &mut SqliteConnection, findings: &mut Findings) -> Result<()> {
    let names = names(view).await?;
    let who = |balance: i64| names.get(&balance).cloned().unwrap_or_else(|| format!("balance number {balance}"));
    let mut balances: FxHashMap<i64, Counted> = names.keys().map(|key| (*key, Counted::default())).collect();
    let (mut grants, mut debts) = (Left::new(), Left::new());
    // What was booked at a price, and how much of the meter for.
    let mut booked: FxHashMap<i64, (i128, i128)> = FxHashMap::default();
    let (mut after, mut entries) = (i64::MIN, 0_u64);
    loop {
        let rows = sqlx::query(
            "SELECT seq, balance, type, units, nanos, after_units, after_nanos, parts, rate, quantity, created_at \
             FROM ledger_entry WHERE seq > ?1 ORDER BY seq LIMIT ?2",
        )
        .bind(after)
        .bind(CHUNK)
        .fetch_all(&mut *view)
        .await?;
        let Some(last) = rows.last() else { break };
        after = last.try_get(0)?;
        entries += rows.len() as u64;
        for row in &rows {
            let (number, balance): (i64, i64) = (row.try_get("seq")?, row.try_get("balance")?);
            let kind: &str = row.try_get("type")?;
            let amount = quantity(row, "units", "nanos")?.steps();
            let signed = if matches!(kind, "debit" | "expiry") { -amount } else { amount };
            let counted = balances.entry(balance).or_default();
            counted.current += signed;
            let says = quantity(row, "after_units", "after_nanos")?;
            if says.steps() != counted.current {
                let is = Quantity::from_steps(counted.current);
                findings.differs(format_args!("{}: entry {number} says {says} after it, and it is {is}", who(balance)));
            }
            let at: i64 = row.try_get("created_at")?;
            if at < counted.last_at {
                findings.differs(format_args!("{}: entry {number} is from before the one before it", who(balance)));
            }
            counted.last_at = at;
            if kind != "adjustment" && amount <= 0 {
                findings.differs(format_args!("{}: entry {number} is a {kind} of nothing or less", who(balance)));
            }
            let parts: Vec<Part> = from_json(row.try_get("parts")?)?;
            let mut rest = amount.abs();
            for Part(grant, part) in &parts {
                rest -= part.steps();
                let left = match grant {
                    Some(grant) => grants.entry(*grant).or_default(),
                    None if signed < 0 => debts.entry(number).or_default(),
                    // Taken off the debt of the entry that is given back: known by the event.
                    None => continue,
                };
                match (grant.is_some(), signed < 0) {
                    (true, true) => *left -= part.steps(),
                    (true, false) | (false, _) => *left += part.steps(),
                }
            }
            if signed > 0 && rest > 0 {
                *grants.entry(number).or_default() += rest;
            } else if rest != 0 {
                findings.differs(format_args!("{}: entry {number} is not what its parts add up to", who(balance)));
            }
            if let Some(rate) = row.try_get::<Option<i64>, _>("rate")? {
                let sums = booked.entry(rate).or_default();
                sums.0 -= signed;
                sums.1 += stored::<Quantity>(row.try_get("quantity")?)?.steps();
            }
        }
    }
    off_debt(view, &mut debts).await?;
    repay(view, &mut grants, &mut debts).await?;
    findings.checked("ledger entries", entries);
    check_left(view, "credit_grant", "left_units", "left_nanos", &grants, "grant", findings).await?;
    check_left(view, "debt", "units", "nanos", &debts, "debt", findings).await?;
    check_accounts(view, &balances, &who, findings).await?;
    check_rates(view, &mut booked, findings).await
}

async fn names(view: &mut SqliteConnection) -> Result<FxHashMap<i64, String>> {
    let rows =
        sqlx::query("SELECT b.id, b.name, c.external_id FROM balance b LEFT JOIN customer c ON c.id = b.customer")
            .fetch_all(view)
            .await?;
    rows.iter()
        .map(|row| {
            let (name, customer): (String, Option<String>) = (row.try_get(1)?, row.try_get(2)?);
            Ok((row.try_get(0)?, format!("balance `{name}` of `{}`", customer.unwrap_or_default())))
        })
        .collect()
}

/// What voids took off what was still owed.
async fn off_debt(view: &mut SqliteConnection, debts: &mut Left) -> Result<()> {
    let rows = sqlx::query(
        "SELECT v.parts, e.seq FROM ledger_entry v JOIN ledger_entry e ON e.event = v.event AND e.balance = v.balance \
         AND e.rate = v.rate AND e.cause = 'event' WHERE v.cause = 'void' AND v.type = 'adjustment'",
    )
    .fetch_all(view)
    .await?;
    for row in &rows {
        let parts: Vec<Part> = from_json(row.try_get(0)?)?;
        for Part(_, part) in parts.iter().filter(|Part(grant, _)| grant.is_none()) {
            *debts.entry(row.try_get(1)?).or_default() -= part.steps();
        }
    }
    Ok(())
}

async fn repay(view: &mut SqliteConnection, grants: &mut Left, debts: &mut Left) -> Result<()> {
    let rows = sqlx::query(r#"SELECT "grant", debit, units, nanos FROM repayment"#).fetch_all(view).await?;
    for row in &rows {
        let amount = quantity(row, "units", "nanos")?.steps();
        *grants.entry(row.try_get(0)?).or_default() -= amount;
        *debts.entry(row.try_get(1)?).or_default() -= amount;
    }
    Ok(())
}

/// Compares what a table says is left with what the entries say.
async fn check_left(
    view: &mut SqliteConnection,
    table: &str,
    units: &str,
    nanos: &str,
    counted: &Left,
    what: &str,
    findings: &mut Findings,
) -> Result<()> {
    let sql = format!("SELECT entry, {units}, {nanos} FROM {table} ORDER BY entry");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(view).await?;
    let mut written = Left::new();
    for row in &rows {
        written.insert(row.try_get(0)?, quantity(row, units, nanos)?.steps());
    }
    for (entry, left) in counted {
        let says = written.remove(entry).unwrap_or_default();
        if says != *left || *left < 0 {
            let (says, left) = (Quantity::from_steps(says), Quantity::from_steps(*left));
            findings.differs(format_args!(
                "the {what} of entry {entry} says {says} is left, and by the ledger it is {left}"
            ));
        }
    }
    for (entry, says) in written {
        if says != 0 {
            let says = Quantity::from_steps(says);
            findings
                .differs(format_args!("the {what} of entry {entry} says {says} is left, and the ledger knows of none"));
        }
    }
    findings.checked(&format!("{what}s"), rows.len() as u64);
    Ok(())
}

async fn check_accounts(
    view: &mut SqliteConnection,
    balances: &FxHashMap<i64, Counted>,
    who: &impl Fn(i64) -> String,
    findings: &mut Findings,
) -> Result<()> {
    let mut made_of: FxHashMap<i64, i128> = FxHashMap::default();
    for (sql, sign) in [
        ("SELECT balance, left_units AS units, left_nanos AS nanos FROM credit_grant", 1),
        ("SELECT balance, units, nanos FROM debt", -1),
    ] {
        for row in &sqlx::query(sql).fetch_all(&mut *view).await? {
            *made_of.entry(row.try_get(0)?).or_default() += sign * quantity(row, "units", "nanos")?.steps();
        }
    }
    let mut held: FxHashMap<i64, i128> = FxHashMap::default();
    let mut reserved: Left = Left::new();
    for row in &sqlx::query("SELECT balance, units, nanos, parts FROM balance_hold WHERE state = 'live'")
        .fetch_all(&mut *view)
        .await?
    {
        *held.entry(row.try_get(0)?).or_default() += quantity(row, "units", "nanos")?.steps();
        for (grant, part) in from_json::<Vec<(i64, Quantity)>>(row.try_get(3)?)? {
            *reserved.entry(grant).or_default() += part.steps();
        }
    }
    for row in
        &sqlx::query("SELECT entry, balance, left_units, left_nanos FROM credit_grant").fetch_all(&mut *view).await?
    {
        let left = quantity(row, "left_units", "left_nanos")?.steps();
        if reserved.get(&row.try_get(0)?).is_some_and(|reserved| *reserved > left) {
            findings
                .differs(format_args!("{}: holds reserve more of a grant than is left of it", who(row.try_get(1)?)));
        }
    }
    let rows = sqlx::query(
        "SELECT b.id, b.settings, a.balance, a.current_units, a.current_nanos, a.available_units, a.available_nanos \
         FROM balance b LEFT JOIN account a ON a.balance = b.id",
    )
    .fetch_all(&mut *view)
    .await?;
    for row in &rows {
        let key: i64 = row.try_get(0)?;
        if row.try_get::<Option<i64>, _>(2)?.is_none() {
            findings.differs(format_args!("{}: nothing says what it comes to", who(key)));
            continue;
        }
        let settings: crate::accounts::Settings = from_json(row.try_get(1)?)?;
        let current = quantity(row, "current_units", "current_nanos")?.steps();
        let available = quantity(row, "available_units", "available_nanos")?.steps();
        let ledger = balances.get(&key).map_or(0, |counted| counted.current);
        let parts = made_of.get(&key).copied().unwrap_or_default();
        let held = held.get(&key).copied().unwrap_or_default();
        let q = Quantity::from_steps;
        if current != ledger {
            findings.differs(format_args!("{}: it says {}, and its ledger {}", who(key), q(current), q(ledger)));
        }
        if current != parts {
            findings.differs(format_args!(
                "{}: it says {}, and its grants less its debt are {}",
                who(key),
                q(current),
                q(parts)
            ));
        }
        if available != current - held - settings.minimum.steps() {
            findings.differs(format_args!("{}: it says {} is available, which it is not", who(key), q(available)));
        }
    }
    findings.checked("balances", rows.len() as u64);
    Ok(())
}

/// Whether what was booked for usage is what it costs.
async fn check_rates(
    view: &mut SqliteConnection,
    booked: &mut FxHashMap<i64, (i128, i128)>,
    findings: &mut Findings,
) -> Result<()> {
    for row in &sqlx::query("SELECT rate, quantity FROM unpriced").fetch_all(&mut *view).await? {
        booked.entry(row.try_get(0)?).or_default().1 += stored::<Quantity>(row.try_get(1)?)?.steps();
    }
    let rows = sqlx::query("SELECT id, amount, per, counted, booked FROM balance_rate").fetch_all(&mut *view).await?;
    for row in &rows {
        let id: i64 = row.try_get(0)?;
        let rate = Rate { amount: stored(row.try_get(1)?)?, per: row.try_get(2)? };
        let (says, took) = (total(row.try_get(3)?)?, total(row.try_get(4)?)?);
        let (entries, counted) = booked.get(&id).copied().unwrap_or_default();
        let (entries, counted) = (Quantity::from_steps(entries), Quantity::from_steps(counted));
        if took != entries || rate.cost(says)? != took {
            findings.differs(format_args!("price {id}: {took} was booked for {says}, and the ledger says {entries}"));
        }
        if says != counted {
            findings
                .differs(format_args!("price {id}: it has counted {says}, and the events it paid for are {counted}"));
        }
    }
    findings.checked("prices", rows.len() as u64);
    Ok(())
}
