//! Balances listed, and what is in them: entries, grants, holds, statements.

use sqlx::Row;
use sqlx::SqliteConnection;
use sqlx::sqlite::SqliteRow;
use weir_core::error::Fault;
use weir_core::id::{BalanceId, TransactionId};
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use crate::accounts::LiveBalance;
use crate::balances::no_balance;
use crate::customer_list::like_pattern;
use crate::engine::Engine;
use crate::entries;
use crate::error::Result;
use crate::model::{
    AskStatement, Balance, BalanceHold, BalanceSort, Cursor, CustomerBalances, Grant, GrantState, HoldState,
    ListBalances, ListGrants, ListHolds, ListTransactions, Page, Statement, Transaction,
};
use crate::writer::{BalanceHoldRow, SELECT_BALANCE_HOLDS, find_account, quantity, source};

/// Sums of amounts in two columns, which SQL cannot overflow: whole units in two halves, and nanos.
const SUMS: &str = "coalesce(sum(units >> 32), 0), coalesce(sum(units & 4294967295), 0), coalesce(sum(nanos), 0)";

impl Engine {
    /// A balance, archived or not.
    pub async fn balance(&self, id: BalanceId) -> Result<Balance> {
        let now = self.now();
        let (external, balance) = self.live_balance(id).await?;
        Ok(balance.at(now).shown(self.shared.project, &external, now))
    }

    /// A customer's live balances, oldest first.
    pub async fn customer_balances(&self, id: &str) -> Result<CustomerBalances> {
        let external = self.external_id(id).await?;
        let (_, customer) = self.loaded(&external).await?;
        let now = self.now();
        let shown = |balance: &LiveBalance| balance.at(now).shown(self.shared.project, &external, now);
        let balances = customer.accounts.list().iter().map(|balance| shown(balance)).collect();
        Ok(CustomerBalances { customer_id: external, balances })
    }

    /// Balances of every customer.
    pub async fn balances(&self, list: ListBalances) -> Result<Page<Balance>> {
        if let Some(query) = &list.query {
            text::check("query", query, 0, MAX_SHORT)?;
        }
        let customer = match &list.customer_id {
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.shared.customers.get(external).map_or(0, |customer| customer.key))
            }
        };
        let lowest = list.sort == BalanceSort::Lowest;
        let after: Option<[String; 4]> = match &list.cursor {
            None => None,
            Some(cursor) => Some(cursor.keys().ok_or_else(Cursor::foreign)?),
        };
        let numbers = match &after {
            None => [0, 0, 0, 0],
            Some(keys) => {
                let mut numbers = [0_i64; 4];
                for (number, key) in numbers.iter_mut().zip(keys) {
                    *number = key.parse().map_err(|_| Cursor::foreign())?;
                }
                numbers
            }
        };
        let (beyond, order) = match (lowest, after.is_some()) {
            (true, true) => (
                "AND (-a.is_low, a.available_units, a.available_nanos, a.balance) > (?5, ?6, ?7, ?8)",
                "a.is_low DESC, a.available_units, a.available_nanos, a.balance",
            ),
            (true, false) => ("", "a.is_low DESC, a.available_units, a.available_nanos, a.balance"),
            (false, true) => ("AND b.id < ?8", "b.id DESC"),
            (false, false) => ("", "b.id DESC"),
        };
        // CROSS JOIN keeps the order of the index, only as far as the page goes.
        let from = match lowest {
            true => "account a CROSS JOIN balance b ON b.id = a.balance",
            false => "balance b CROSS JOIN account a ON a.balance = b.id",
        };
        let sql = format!(
            "SELECT b.uuid, -a.is_low AS is_low, a.available_units, a.available_nanos, b.id FROM {from} \
             CROSS JOIN customer c ON c.id = b.customer \
             WHERE (?1 OR b.archived_at IS NULL) AND (?2 IS NULL OR b.customer = ?2) AND (NOT ?3 OR a.is_low) \
             AND (?4 IS NULL OR b.name LIKE ?4 ESCAPE '\\' OR c.external_id LIKE ?4 ESCAPE '\\' OR c.name LIKE ?4 ESCAPE '\\') \
             {beyond} ORDER BY {order} LIMIT ?9"
        );
        let query = list.query.as_deref().filter(|query| !query.is_empty()).map(like_pattern);
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(list.include_archived)
            .bind(customer)
            .bind(list.low)
            .bind(query)
            .bind(numbers[0])
            .bind(numbers[1])
            .bind(numbers[2])
            .bind(numbers[3])
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        drop(conn);
        let keys = |row: &SqliteRow| -> Result<(BalanceId, Cursor)> {
            let mut keys = Vec::with_capacity(4);
            for column in 1..5 {
                keys.push(row.try_get::<i64, _>(column)?.to_string());
            }
            let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
            Ok((BalanceId::new(row.try_get(0)?), Cursor::of(&keys)))
        };
        let found = rows.iter().map(keys).collect::<Result<Vec<_>>>()?;
        let page = Page::cut(found, list.limit, |(_, cursor)| cursor.clone());
        let mut data = Vec::with_capacity(page.data.len());
        for (id, _) in &page.data {
            data.push(self.balance(*id).await?);
        }
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// Entries of a balance's ledger, newest first.
    pub async fn transactions(&self, id: BalanceId, list: ListTransactions) -> Result<Page<Transaction>> {
        if let Some(reference) = &list.reference {
            text::check("reference", reference, 1, MAX_SHORT)?;
        }
        let (at, number) = match &list.cursor {
            None => (i64::MAX, i64::MAX),
            Some(cursor) => cursor
                .keys()
                .and_then(|[at, number]| Some((at.parse().ok()?, number.parse().ok()?)))
                .ok_or_else(Cursor::foreign)?,
        };
        let mut conn = self.reader().await?;
        let key = key_of(&mut conn, id).await?;
        // Along the index of references, which knows them by type.
        let by_reference = match list.reference {
            Some(_) => "AND e.reference = ?5 AND e.type IN ('credit', 'debit', 'expiry', 'adjustment')",
            None => "AND ?5 IS NULL",
        };
        let sql = format!(
            "{} WHERE e.balance = ?1 AND (e.created_at, e.seq) < (?2, ?3) AND (?4 IS NULL OR e.type = ?4) \
             {by_reference} AND e.created_at >= ?6 AND e.created_at < ?7 \
             ORDER BY e.created_at DESC, e.seq DESC LIMIT ?8",
            entries::SELECT
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(key)
            .bind(at)
            .bind(number)
            .bind(list.kind.map(|kind| kind.as_str()))
            .bind(&list.reference)
            .bind(list.from.map_or(i64::MIN, Timestamp::as_micros))
            .bind(list.to.map_or(i64::MAX, Timestamp::as_micros))
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let entries = entries::read(&mut conn, self.shared.project, &rows).await?;
        let page = Page::cut(entries, list.limit, |(number, entry)| {
            Cursor::of(&[&entry.created_at.as_micros().to_string(), &number.to_string()])
        });
        let data = page.data.into_iter().map(|(_, entry)| entry).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// Sums up a range of a balance's ledger.
    pub async fn statement(&self, id: BalanceId, ask: AskStatement) -> Result<Statement> {
        if let (Some(from), Some(to)) = (ask.from, ask.to)
            && to <= from
        {
            return Err(Fault::invalid("to", "must be after `from`").into());
        }
        let (from, to) =
            (ask.from.map_or(i64::MIN, Timestamp::as_micros), ask.to.map_or(i64::MAX, Timestamp::as_micros));
        let mut conn = self.reader().await?;
        let key = key_of(&mut conn, id).await?;
        let opening = sqlx::query(
            "SELECT after_units, after_nanos FROM ledger_entry WHERE balance = ?1 AND created_at < ?2 \
             ORDER BY created_at DESC, seq DESC LIMIT 1",
        )
        .bind(key)
        .bind(from)
        .fetch_optional(&mut *conn)
        .await?;
        let opening = opening.map_or(Ok(Quantity::ZERO), |row| quantity(&row, "after_units", "after_nanos"))?;
        let mut statement = Statement {
            balance_id: id,
            from: ask.from,
            to: ask.to,
            opening_balance: opening,
            credited: Quantity::ZERO,
            debited: Quantity::ZERO,
            expired: Quantity::ZERO,
            adjusted: Quantity::ZERO,
            closing_balance: opening,
            entries: 0,
        };
        let sql = format!(
            "SELECT type, count(*), {SUMS} FROM ledger_entry WHERE balance = ?1 AND created_at >= ?2 AND created_at < ?3 GROUP BY type"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(key).bind(from).bind(to).fetch_all(&mut *conn).await?;
        for row in &rows {
            let (high, low, nanos): (i64, i64, i64) = (row.try_get(2)?, row.try_get(3)?, row.try_get(4)?);
            let sum = Quantity::from_parts((i128::from(high) << 32) + i128::from(low), nanos.into())?;
            statement.entries += row.try_get::<i64, _>(1)?.unsigned_abs();
            match row.try_get(0)? {
                "credit" => statement.credited = sum,
                "debit" => statement.debited = sum,
                "expiry" => statement.expired = sum,
                _ => statement.adjusted = sum,
            }
        }
        statement.closing_balance = opening
            .checked_add(statement.credited)?
            .checked_add(statement.adjusted)?
            .checked_sub(statement.debited)?
            .checked_sub(statement.expired)?;
        Ok(statement)
    }

    /// Grants of a balance: those of which something is left in the order in which they are spent, then others, newest first.
    pub async fn grants(&self, id: BalanceId, list: ListGrants) -> Result<Page<Grant>> {
        let now = self.now();
        let (_, balance) = self.live_balance(id).await?;
        let balance = balance.at(now);
        let (after_live, before) = match &list.cursor {
            None => (0, i64::MAX),
            Some(cursor) => {
                let keys: Option<(usize, i64)> =
                    cursor.keys().and_then(|[live, entry]| Some((live.parse().ok()?, entry.parse().ok()?)));
                keys.ok_or_else(Cursor::foreign)?
            }
        };
        let size = list.limit.rows();
        let live: Vec<i64> = balance.account.grants.iter().map(|grant| grant.entry).collect();
        // Those that are live come by their place, the others by falling number.
        let mut wanted: Vec<(usize, i64)> =
            live.iter().enumerate().skip(after_live).take(size + 1).map(|(place, entry)| (place + 1, *entry)).collect();
        let mut conn = self.reader().await?;
        let mut others: Vec<i64> = Vec::new();
        if wanted.len() <= size && !list.live {
            let sql = "SELECT entry FROM credit_grant WHERE balance = ?1 AND entry < ?2 \
                       AND entry NOT IN (SELECT value FROM json_each(?3)) ORDER BY entry DESC LIMIT ?4";
            others = sqlx::query_scalar(sql)
                .bind(balance.rule.key)
                .bind(before)
                .bind(crate::scan::to_json(&live)?)
                .bind((size + 1 - wanted.len()) as i64)
                .fetch_all(&mut *conn)
                .await?;
        }
        wanted.extend(others.iter().map(|entry| (live.len(), *entry)));
        let more = wanted.len() > size;
        wanted.truncate(size);
        let numbers: Vec<i64> = wanted.iter().map(|(_, entry)| *entry).collect();
        let sql = "SELECT g.*, e.id, e.description, e.created_at FROM credit_grant g JOIN ledger_entry e ON e.seq = g.entry WHERE g.entry IN (SELECT value FROM json_each(?1))";
        let rows = sqlx::query(sql).bind(crate::scan::to_json(&numbers)?).fetch_all(&mut *conn).await?;
        let mut grants = Vec::with_capacity(rows.len());
        for row in &rows {
            let entry: i64 = row.try_get("entry")?;
            let live = balance.account.grants.iter().find(|grant| grant.entry == entry);
            let date = row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp::from_micros);
            let left_as_written = quantity(row, "left_units", "left_nanos")?;
            // What has expired a moment ago may not be written yet.
            let expired = row.try_get::<bool, _>("expired")? || (live.is_none() && left_as_written.is_positive());
            let state = match (live.is_some(), expired) {
                (true, _) => GrantState::Live,
                (false, true) => GrantState::Expired,
                (false, false) => GrantState::Spent,
            };
            let grant = Grant {
                id: TransactionId::new(row.try_get("id")?),
                balance_id: id,
                amount: quantity(row, "units", "nanos")?,
                remaining: live.map_or(Quantity::ZERO, |grant| grant.left),
                held: live.map_or(Quantity::ZERO, |grant| grant.held),
                expires_at: date,
                priority: row.try_get("priority")?,
                source: source(row.try_get("source")?),
                description: row.try_get("description")?,
                state,
                created_at: Timestamp::from_micros(row.try_get("created_at")?),
            };
            grants.push((numbers.iter().position(|number| *number == entry), grant));
        }
        grants.sort_by_key(|(place, _)| *place);
        let next = wanted.last().filter(|_| more).map(|(place, entry)| {
            let before = if *place == live.len() && !live.contains(entry) { *entry } else { i64::MAX };
            Cursor::of(&[&place.to_string(), &before.to_string()])
        });
        Ok(Page::new(grants.into_iter().map(|(_, grant)| grant).collect(), next))
    }

    /// Holds of a balance, newest first.
    pub async fn holds(&self, id: BalanceId, list: ListHolds) -> Result<Page<BalanceHold>> {
        let before = Cursor::below(list.cursor.as_ref())?;
        // One whose time has run out may not be written as such yet.
        let state = match list.state {
            None => "?3 IS NOT NULL",
            Some(HoldState::Live) => "h.state = 'live' AND h.expires_at > ?3",
            Some(HoldState::Captured) => "h.state = 'captured' AND ?3 IS NOT NULL",
            Some(HoldState::Released) => "h.state = 'released' AND ?3 IS NOT NULL",
            Some(HoldState::Expired) => "(h.state = 'expired' OR (h.state = 'live' AND h.expires_at <= ?3))",
        };
        let now = self.now();
        let mut conn = self.reader().await?;
        let key = key_of(&mut conn, id).await?;
        let sql = format!(
            "{SELECT_BALANCE_HOLDS} WHERE h.balance = ?1 AND h.seq < ?2 AND {state} ORDER BY h.seq DESC LIMIT ?4"
        );
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(key)
            .bind(before)
            .bind(now.as_micros())
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let rows = rows.iter().map(BalanceHoldRow::read).collect::<Result<Vec<_>>>()?;
        let page = Page::cut(rows, list.limit, |row| Cursor::of(&[&row.number.to_string()]));
        let data = page.data.iter().map(|row| row.shown(self.shared.project, now)).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }

    /// A balance as decisions know it, and whose it is.
    async fn live_balance(&self, id: BalanceId) -> Result<(String, LiveBalance)> {
        let mut conn = self.reader().await?;
        let external: Option<String> = sqlx::query_scalar(
            "SELECT c.external_id FROM balance b JOIN customer c ON c.id = b.customer WHERE b.uuid = ?1",
        )
        .bind(id.uuid())
        .fetch_optional(&mut *conn)
        .await?;
        drop(conn);
        let external = external.ok_or_else(|| no_balance(id))?;
        let (config, customer) = self.loaded(&external).await?;
        if let Some(balance) = customer.accounts.list().iter().find(|balance| balance.rule.id == id) {
            return Ok((external, (**balance).clone()));
        }
        let cut = (customer.zone(&config), customer.anchor);
        let mut conn = self.reader().await?;
        let found = find_account(&mut conn, id, |_| Some(cut)).await?;
        let (_, mut balance) = found.ok_or_else(|| no_balance(id))?;
        // An archived balance stands still.
        balance.account.grants.iter_mut().for_each(|grant| grant.held = Quantity::ZERO);
        Ok((external, balance))
    }
}

/// The number of a balance.
async fn key_of(conn: &mut SqliteConnection, id: BalanceId) -> Result<i64> {
    let key: Option<i64> =
        sqlx::query_scalar("SELECT id FROM balance WHERE uuid = ?1").bind(id.uuid()).fetch_optional(conn).await?;
    key.ok_or_else(|| no_balance(id))
}
