//! What balances paid for an event, given back by the transaction that voids it.

use sqlx::Row;
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::ledger::{BOUND, Back, Metering, Part, Rate};
use weir_core::quantity::Quantity;

use super::Tx;
use super::accounts::{quantity, terms, total};
use super::book::About;
use super::state::stored;
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::model::CauseKind;
use crate::scan::from_json;

/// Where money goes back to, and the ids of the grants among it.
#[derive(Default)]
struct Backs {
    parts: Vec<Back>,
    ids: Vec<(i64, Uuid)>,
}

/// What was paid for an event, as it was booked.
struct PaidEntry {
    balance: i64,
    rate: i64,
    quantity: Quantity,
    /// The entry and its parts, where something was booked.
    entry: Option<(i64, Vec<Part>)>,
}

impl Tx<'_> {
    /// Gives back what balances paid for an event that is void now.
    pub(crate) async fn give_back(&mut self, event: i64, customer: &mut LiveCustomer) -> Result<()> {
        let paid = self.paid_for(event).await?;
        if paid.is_empty() {
            return Ok(());
        }
        // Where the money is to go is read from the file, which has to know what has come due.
        self.write_book(customer).await?;
        let external = customer.external.clone();
        let (actor, who, now) = (self.actor_key().await?, self.actor.clone(), self.now);
        for PaidEntry { balance: key, rate, quantity, entry } in paid {
            let mut metering = None;
            match customer.accounts.list().iter().find(|balance| balance.rule.key == key) {
                // An archived balance stands still.
                None => continue,
                Some(balance) if balance.rule.price.as_ref().is_some_and(|price| price.key == rate) => {}
                Some(_) => metering = Some(self.old_metering(rate).await?),
            }
            let backs = match &entry {
                Some((number, parts)) => self.backs(*number, parts).await?,
                None => Backs::default(),
            };
            let Some(balance) = customer.accounts.get_mut(key) else { continue };
            for (grant, id) in &backs.ids {
                if !balance.grant_ids.iter().any(|(known, _)| known == grant) {
                    balance.grant_ids.push((*grant, *id));
                }
            }
            let negative = Quantity::ZERO.checked_sub(quantity)?;
            let is_old = metering.is_some();
            let price = match &mut metering {
                Some(old) => old.take(negative)?,
                None => balance.metering.as_mut().map_or(Ok(Quantity::ZERO), |metering| metering.take(negative))?,
            };
            if is_old && let Some(old) = metering {
                sqlx::query("UPDATE balance_rate SET counted = ?2, booked = ?3 WHERE id = ?1")
                    .bind(rate)
                    .bind(old.counted.steps().to_string())
                    .bind(old.booked.steps().to_string())
                    .execute(&mut self.writer.conn)
                    .await?;
            } else {
                self.book.touch_rate(rate);
            }
            self.book.touch(balance, &external);
            let most = balance.account.current.steps().saturating_abs().saturating_add(price.steps().saturating_abs());
            if most >= BOUND.steps() {
                let message = format!("the balance `{}` would be beyond 18 digits", balance.rule.name);
                return Err(Fault::new(Code::Conflict, message).into());
            }
            let number = if price.is_negative() {
                let amount = Quantity::ZERO.checked_sub(price)?;
                balance.account.give_back(amount, &backs.parts, now, &mut self.book.journal)
            } else if price.is_positive() {
                balance.account.debit(price, &[], now, &mut self.book.journal)
            } else {
                self.book.count_unpriced(event, rate, true, negative);
                continue;
            };
            let about = About {
                cause: Some(CauseKind::Void),
                actor,
                who: Some(who.clone()),
                event: Some(event),
                rate: Some(rate),
                quantity: Some(negative),
                ..About::default()
            };
            self.writer.note(&mut self.book, &external, balance, Some((number, about)), now)?;
        }
        Ok(())
    }

    /// What was booked for an event, or counted without being booked.
    async fn paid_for(&mut self, event: i64) -> Result<Vec<PaidEntry>> {
        let rows = sqlx::query(
            "SELECT balance, rate, quantity, seq, parts FROM ledger_entry WHERE event = ?1 AND cause = 'event' \
             UNION ALL SELECT r.balance, u.rate, u.quantity, NULL, NULL FROM unpriced u JOIN balance_rate r ON r.id = u.rate \
             WHERE u.event = ?1 AND u.is_void = 0 ORDER BY 4",
        )
        .bind(event)
        .fetch_all(self.conn())
        .await?;
        rows.iter()
            .map(|row| {
                let entry = match (row.try_get::<Option<i64>, _>(3)?, row.try_get::<Option<&str>, _>(4)?) {
                    (Some(number), Some(parts)) => Some((number, from_json(parts)?)),
                    _ => None,
                };
                Ok(PaidEntry {
                    balance: row.try_get(0)?,
                    rate: row.try_get(1)?,
                    quantity: stored(row.try_get(2)?)?,
                    entry,
                })
            })
            .collect()
    }

    /// What has been paid for at a price that is no longer in force.
    async fn old_metering(&mut self, rate: i64) -> Result<Metering> {
        let row = sqlx::query("SELECT amount, per, counted, booked FROM balance_rate WHERE id = ?1")
            .bind(rate)
            .fetch_one(self.conn())
            .await?;
        Ok(Metering {
            rate: Rate { amount: stored(row.try_get(0)?)?, per: row.try_get(1)? },
            counted: total(row.try_get(2)?)?,
            booked: total(row.try_get(3)?)?,
            soft: false,
        })
    }

    /// Where the money of an entry came from, the last spent first: what is still owed, what was repaid since, then its grants.
    async fn backs(&mut self, entry: i64, parts: &[Part]) -> Result<Backs> {
        let mut backs = Backs::default();
        let owed = sqlx::query("SELECT units, nanos FROM debt WHERE entry = ?1")
            .bind(entry)
            .fetch_optional(self.conn())
            .await?;
        if let Some(row) = owed {
            backs.parts.push(Back::Debt(entry, quantity(&row, "units", "nanos")?));
        }
        let rows = sqlx::query(
            r#"SELECT r.units, r.nanos, g.entry, g.priority, g.expires_at, g.source, e.id FROM repayment r
               JOIN credit_grant g ON g.entry = r."grant" JOIN ledger_entry e ON e.seq = g.entry
               WHERE r.debit = ?1 ORDER BY r.id DESC"#,
        )
        .bind(entry)
        .fetch_all(self.conn())
        .await?;
        for row in &rows {
            let grant = row.try_get("entry")?;
            backs.parts.push(Back::Grant(grant, terms(row)?, quantity(row, "units", "nanos")?));
            backs.ids.push((grant, row.try_get("id")?));
        }
        for Part(grant, amount) in parts.iter().rev() {
            let Some(grant) = grant else { continue };
            let row = sqlx::query("SELECT g.priority, g.expires_at, g.source, e.id FROM credit_grant g JOIN ledger_entry e ON e.seq = g.entry WHERE g.entry = ?1")
                .bind(grant)
                .fetch_one(self.conn())
                .await?;
            backs.parts.push(Back::Grant(*grant, terms(&row)?, *amount));
            backs.ids.push((*grant, row.try_get("id")?));
        }
        Ok(backs)
    }
}
