//! The rows that a transaction's movements of balances become, written within it.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::Arguments;
use weir_core::event::hash_text;
use weir_core::id::AlertId;
use weir_core::ledger::{EntryKind, Part, Told, Watch};
use weir_core::time::Timestamp;

use super::super::accounts::alert_kind;
use super::super::flush::insert_rows;
use super::super::set_aside::HoldRow;
use super::{Book, Ending, KeyRow, Writer};
use crate::accounts::LiveBalance;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::CauseKind;
use crate::scan::to_json;
use crate::told;

impl Writer {
    /// Writes what a transaction did to balances. `customers` are as it leaves them.
    pub(in crate::writer) async fn store_book(
        &mut self,
        book: &Book,
        customers: &FxHashMap<Arc<str>, LiveCustomer>,
    ) -> Result<()> {
        if book.is_empty() {
            return Ok(());
        }
        self.store_entries(book).await?;
        self.store_grants(book).await?;
        self.store_debts(book).await?;
        self.store_balance_holds(book).await?;
        let mut keys: Vec<&KeyRow> = book.new_keys.iter().collect();
        keys.sort_unstable_by_key(|key| (key.balance, key.hash));
        let into = "INTO balance_key (balance, key_hash, body_hash, entry, hold)";
        insert_rows(&mut self.conn, into, 5, "", &keys, |arguments, key| {
            arguments.add(key.balance)?;
            arguments.add(key.hash.to_vec())?;
            arguments.add(key.body.to_vec())?;
            arguments.add(key.entry)?;
            arguments.add(key.hold)
        })
        .await?;
        let into = "INTO unpriced (event, rate, is_void, quantity)";
        insert_rows(&mut self.conn, into, 4, "", &book.unpriced, |arguments, (event, rate, is_void, quantity)| {
            arguments.add(*event)?;
            arguments.add(*rate)?;
            arguments.add(*is_void)?;
            arguments.add(quantity.to_string())
        })
        .await?;
        let mut balances = Vec::with_capacity(book.touched.len());
        for (key, external) in &book.touched {
            let customer = customers.get(external);
            let balance = customer
                .and_then(|customer| customer.accounts.list().iter().find(|balance| balance.rule.key == *key))
                .ok_or_else(|| Error::Storage("a balance was lost".to_owned()))?;
            balances.push(balance.clone());
        }
        self.store_accounts(book, &balances).await?;
        self.store_told(book, customers).await?;
        let into = "INTO audit (at, actor, operation, target, before, after)";
        insert_rows(&mut self.conn, into, 6, "", &book.audits, |arguments, row| {
            arguments.add(row.at.as_micros())?;
            arguments.add(row.actor)?;
            arguments.add(row.operation)?;
            arguments.add(row.target.as_str())?;
            arguments.add(row.before.as_deref())?;
            arguments.add(row.after.as_deref())
        })
        .await?;
        self.last_entry = book.journal.last;
        Ok(())
    }

    async fn store_entries(&mut self, book: &Book) -> Result<()> {
        insert_rows(
            &mut self.conn,
            "INTO ledger_entry (seq, id, balance, type, units, nanos, after_units, after_nanos, parts, cause, description, reference, \
             idempotency_key, event, rate, quantity, hold, overdrawn, created_at, actor)",
            20,
            "",
            &book.entries,
            |arguments, row| {
                let (posting, about) = (&row.posting, &row.about);
                arguments.add(posting.seq)?;
                arguments.add(row.id)?;
                arguments.add(row.balance)?;
                arguments.add(posting.kind.as_str())?;
                for amount in [posting.amount, posting.after] {
                    let (units, nanos) = amount.parts();
                    arguments.add(units as i64)?;
                    arguments.add(nanos)?;
                }
                arguments.add(serde_json::to_string(&posting.parts)?)?;
                arguments.add(cause_word(row.cause))?;
                arguments.add(about.description.as_str())?;
                arguments.add(about.reference.as_deref())?;
                arguments.add(about.key.as_deref())?;
                arguments.add(about.event)?;
                arguments.add(about.rate)?;
                arguments.add(about.quantity.map(|quantity| quantity.to_string()))?;
                arguments.add(about.hold)?;
                arguments.add(about.overdrawn)?;
                arguments.add(posting.at.as_micros())?;
                arguments.add(about.actor)
            },
        )
        .await
    }

    async fn store_grants(&mut self, book: &Book) -> Result<()> {
        let new: Vec<_> = book.entries.iter().filter_map(|row| Some((row, row.posting.grant?))).collect();
        insert_rows(
            &mut self.conn,
            "INTO credit_grant (entry, balance, units, nanos, priority, expires_at, source, left_units, left_nanos)",
            9,
            "",
            &new,
            |arguments, (row, (terms, amount))| {
                let left = book.grants.get(&row.posting.seq).copied().unwrap_or_default();
                let ((units, nanos), (left_units, left_nanos)) = (amount.parts(), left.parts());
                arguments.add(row.posting.seq)?;
                arguments.add(row.balance)?;
                arguments.add(units as i64)?;
                arguments.add(nanos)?;
                arguments.add(i64::from(terms.priority))?;
                arguments.add(terms.expires_at.map(Timestamp::as_micros))?;
                arguments.add(terms.source.as_str())?;
                arguments.add(left_units as i64)?;
                arguments.add(left_nanos)
            },
        )
        .await?;
        let expired: Vec<i64> = book
            .entries
            .iter()
            .filter(|row| row.posting.kind == EntryKind::Expiry)
            .flat_map(|row| row.posting.parts.iter().filter_map(|Part(grant, _)| *grant))
            .collect();
        if !expired.is_empty() {
            sqlx::query("UPDATE credit_grant SET expired = 1 WHERE entry IN (SELECT value FROM json_each(?1))")
                .bind(to_json(&expired)?)
                .execute(&mut self.conn)
                .await?;
        }
        let first_new = new.first().map_or(i64::MAX, |(row, _)| row.posting.seq);
        let old = book.grants.range(..first_new).map(|(grant, left)| {
            let (units, nanos) = left.parts();
            (*grant, units as i64, nanos)
        });
        let old: Vec<_> = old.collect();
        if !old.is_empty() {
            sqlx::query(
                "UPDATE credit_grant SET left_units = q.value ->> 1, left_nanos = q.value ->> 2 FROM json_each(?1) q \
                 WHERE credit_grant.entry = q.value ->> 0",
            )
            .bind(to_json(&old)?)
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    async fn store_debts(&mut self, book: &Book) -> Result<()> {
        let (left, paid): (Vec<_>, Vec<_>) = book.debts.iter().partition(|(_, (_, left))| left.is_positive());
        insert_rows(
            &mut self.conn,
            "INTO debt (entry, balance, units, nanos)",
            4,
            "ON CONFLICT DO UPDATE SET units = excluded.units, nanos = excluded.nanos",
            &left,
            |arguments, (entry, (balance, left))| {
                let (units, nanos) = left.parts();
                arguments.add(**entry)?;
                arguments.add(*balance)?;
                arguments.add(units as i64)?;
                arguments.add(nanos)
            },
        )
        .await?;
        if !paid.is_empty() {
            let paid: Vec<i64> = paid.into_iter().map(|(entry, _)| *entry).collect();
            sqlx::query("DELETE FROM debt WHERE entry IN (SELECT value FROM json_each(?1))")
                .bind(to_json(&paid)?)
                .execute(&mut self.conn)
                .await?;
        }
        insert_rows(
            &mut self.conn,
            r#"INTO repayment (balance, "grant", debit, units, nanos, at)"#,
            6,
            "",
            &book.repayments,
            |arguments, (balance, grant, debit, amount, at)| {
                let (units, nanos) = amount.parts();
                arguments.add(*balance)?;
                arguments.add(*grant)?;
                arguments.add(*debit)?;
                arguments.add(units as i64)?;
                arguments.add(nanos)?;
                arguments.add(at.as_micros())
            },
        )
        .await
    }

    async fn store_balance_holds(&mut self, book: &Book) -> Result<()> {
        let mut new: Vec<&HoldRow> = book.holds.values().filter(|row| row.is_new).collect();
        new.sort_unstable_by_key(|row| row.number);
        insert_rows(
            &mut self.conn,
            "INTO balance_hold (seq, id, balance, units, nanos, parts, description, reference, idempotency_key, reservation, expires_at, \
             state, created_at, actor)",
            14,
            "",
            &new,
            |arguments, row| {
                let (units, nanos) = row.amount.parts();
                arguments.add(row.number)?;
                arguments.add(row.id.uuid())?;
                arguments.add(row.balance)?;
                arguments.add(units as i64)?;
                arguments.add(nanos)?;
                arguments.add(serde_json::to_string(&row.parts)?)?;
                arguments.add(row.description.as_str())?;
                arguments.add(row.reference.as_deref())?;
                arguments.add(row.key.as_deref())?;
                arguments.add(row.reservation.map(|id| id.uuid()))?;
                arguments.add(row.expires_at.as_micros())?;
                arguments.add("live")?;
                arguments.add(row.created_at.as_micros())?;
                arguments.add(row.actor)
            },
        )
        .await?;
        for (number, until) in &book.extended {
            sqlx::query("UPDATE balance_hold SET expires_at = ?2 WHERE seq = ?1")
                .bind(number)
                .bind(until.as_micros())
                .execute(&mut self.conn)
                .await?;
        }
        for (number, Ending { state, at, entry }) in &book.ended {
            sqlx::query("UPDATE balance_hold SET state = ?2, ended_at = ?3, entry = ?4 WHERE seq = ?1")
                .bind(number)
                .bind(state)
                .bind(at.as_micros())
                .bind(entry)
                .execute(&mut self.conn)
                .await?;
        }
        Ok(())
    }

    async fn store_accounts(&mut self, book: &Book, balances: &[Arc<LiveBalance>]) -> Result<()> {
        for due in balances.iter().filter_map(|balance| balance.account.due()) {
            self.schedule(due);
        }
        insert_rows(
            &mut self.conn,
            "OR REPLACE INTO account (balance, current_units, current_nanos, available_units, available_nanos, is_low, due_at, \
             recurring_since, low_count, low_armed, low_up, top_up_count, top_up_armed, top_up_up)",
            14,
            "",
            balances,
            |arguments, balance| {
                let account = &balance.account;
                let archived = balance.rule.archived_at.is_some();
                arguments.add(account.key)?;
                for amount in [account.current, account.available()] {
                    let (units, nanos) = amount.parts();
                    // A balance lies within what can be stored; with what is held and must stay it may not.
                    arguments.add(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))?;
                    arguments.add(nanos)?;
                }
                arguments.add(balance.is_low())?;
                arguments.add(account.due().filter(|_| !archived).map(Timestamp::as_micros))?;
                arguments.add(account.recurring.as_ref().map(|recurring| recurring.since.as_micros()))?;
                for Watch { count, armed, up } in [account.low.1, account.top_up.1] {
                    arguments.add(i64::from(count))?;
                    arguments.add(armed)?;
                    arguments.add(up)?;
                }
                Ok(())
            },
        )
        .await?;
        let spent: Vec<_> =
            balances.iter().filter_map(|balance| Some((balance.rule.key, balance.last_day()?))).collect();
        insert_rows(
            &mut self.conn,
            "INTO balance_day (balance, day, units, nanos)",
            4,
            "ON CONFLICT DO UPDATE SET units = excluded.units, nanos = excluded.nanos",
            &spent,
            |arguments, (balance, (day, spent))| {
                let (units, nanos) = spent.parts();
                arguments.add(*balance)?;
                arguments.add(*day)?;
                arguments.add(i64::try_from(units).unwrap_or(if units < 0 { i64::MIN } else { i64::MAX }))?;
                arguments.add(nanos)
            },
        )
        .await?;
        let rates: Vec<_> = balances
            .iter()
            .filter_map(|balance| {
                let (price, metering) = (balance.rule.price.as_ref()?, balance.metering.as_ref()?);
                let (counted, booked) = (metering.counted.steps().to_string(), metering.booked.steps().to_string());
                book.rates.contains(&price.key).then_some((price.key, counted, booked))
            })
            .collect();
        if !rates.is_empty() {
            sqlx::query(
                "UPDATE balance_rate SET counted = q.value ->> 1, booked = q.value ->> 2 FROM json_each(?1) q \
                 WHERE balance_rate.id = q.value ->> 0",
            )
            .bind(to_json(&rates)?)
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }

    async fn store_told(&mut self, book: &Book, customers: &FxHashMap<Arc<str>, LiveCustomer>) -> Result<()> {
        let (config, mut fired) = (self.shared.config(), Vec::new());
        for row in &book.told {
            let about = format!("alert/{}/{}/{}", row.id, alert_kind(row.level), row.count);
            let id = AlertId::new(uuid::Builder::from_custom_bytes(hash_text(&about)).into_uuid());
            let customer = customers.get(&row.customer).map(|customer| customer.key);
            match row.told {
                Told::Fire => {
                    sqlx::query(
                        "INSERT INTO alert (id, kind, customer, balance, times, level, was, top_up, created_at) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                    )
                    .bind(id.uuid())
                    .bind(alert_kind(row.level))
                    .bind(customer)
                    .bind(row.balance)
                    .bind(i64::from(row.count))
                    .bind(row.threshold.to_string())
                    .bind(row.current.to_string())
                    .bind(row.top_up.map(|amount| amount.to_string()))
                    .bind(row.at.as_micros())
                    .execute(&mut self.conn)
                    .await?;
                    fired.push(id);
                }
                Told::Reopen | Told::Resolve => {
                    let resolved = (row.told == Told::Resolve).then_some(row.at.as_micros());
                    sqlx::query("UPDATE alert SET resolved_at = ?2 WHERE id = ?1")
                        .bind(id.uuid())
                        .bind(resolved)
                        .execute(&mut self.conn)
                        .await?;
                }
            }
        }
        let now = self.shared.clock.now();
        told::tell_alerts(&mut self.conn, &config, fired, now).await
    }
}

/// A cause as stored.
fn cause_word(cause: CauseKind) -> &'static str {
    match cause {
        CauseKind::Request => "request",
        CauseKind::Initial => "initial",
        CauseKind::Recurring => "recurring",
        CauseKind::Expiry => "expiry",
        CauseKind::Hold => "hold",
        CauseKind::Event => "event",
        CauseKind::Void => "void",
    }
}
