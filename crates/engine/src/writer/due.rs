//! What happens by itself when its time comes: reservations run out, raises of limits end, alerts are resolved with their
//! windows, windows begin that hold something already, and balances move by themselves.
//!
//! Decisions never wait for this: they look at the clock. It brings what is written, sorted and told in line.

use std::sync::Arc;
use std::time::Duration;

use rustc_hash::FxHashMap;
use sqlx::Row;
use tokio::time::Instant;
use weir_core::id::ReservationId;
use weir_core::time::Timestamp;

use super::alerts::{self, AlertChanges};
use super::book::Book;
use super::{Writer, accounts, counters, flush, standings};
use crate::changes::Topics;
use crate::engine::Shared;
use crate::error::Result;
use crate::live::LiveCustomer;

/// How long the writer sleeps at most before it looks at the clock again: a computer that was asleep did not notice.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// How many of a kind are dealt with in one transaction.
const AT_ONCE: i64 = 1_000;

impl Writer {
    /// When to look at the clock for what is due.
    pub(super) fn wake_at(&self) -> Option<Instant> {
        let left = self.due?.micros_since(self.shared.clock.now());
        Some(Instant::now() + Duration::from_micros(left.max(0) as u64).min(LOOK_AGAIN))
    }

    /// Remembers that something is due at an instant.
    pub(super) fn schedule(&mut self, at: Timestamp) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// Does some of what has become due.
    pub(super) async fn do_due(&mut self) -> Result<()> {
        if self.due.is_some_and(|due| due <= self.shared.clock.now()) {
            self.do_some().await?;
        }
        Ok(())
    }

    async fn do_some(&mut self) -> Result<()> {
        let now = self.shared.clock.now();
        let raises = self.ending_raises(now).await?;
        let turned = self.turned(now);
        if !raises.is_empty() || !turned.is_empty() {
            // With nothing pending, standings are written as the roll-ups are.
            self.flush().await?;
        }
        let mut customers = FxHashMap::default();
        flush::begin(&mut self.conn).await?;
        let mut topics = self.expire_holds(&mut customers, now).await?;
        topics |= self.end_raises(&raises, &mut customers, now).await?;
        topics |= self.end_alerts(&mut customers, now).await?;
        topics |= self.turn(&turned, &mut customers, now).await?;
        topics |= self.move_due_balances(&mut customers, now).await?;
        self.due = self.next_due().await?;
        flush::commit(&mut self.conn).await?;
        for customer in customers.into_values() {
            self.shared.customers.put(customer);
        }
        if !topics.is_empty() {
            self.shared.publish(topics);
        }
        Ok(())
    }

    /// When something is due next, if anything is to come.
    pub(super) async fn next_due(&mut self) -> Result<Option<Timestamp>> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT min(at) FROM (SELECT min(expires_at) AS at FROM hold WHERE state = 'live' \
             UNION ALL SELECT min(until) FROM limit_override WHERE ended = 0 \
             UNION ALL SELECT min(window_end) FROM alert WHERE resolved_at IS NULL \
             UNION ALL SELECT min(due_at) FROM account WHERE due_at IS NOT NULL)",
        )
        .fetch_one(&mut self.conn)
        .await?;
        let turn = self.turns.first().map(|(turn, _)| *turn);
        Ok(next.map(Timestamp::from_micros).into_iter().chain(turn).min())
    }

    /// Remembers when a customer turns into a window that holds something already.
    pub(super) fn expect_turn(&mut self, customer: &LiveCustomer, now: Timestamp) {
        if let Some(turn) = customer.next_turn(now) {
            self.turns.insert((turn, customer.external.clone()));
            self.schedule(turn);
        }
    }

    /// Takes out some of those who have turned.
    fn turned(&mut self, now: Timestamp) -> Vec<Arc<str>> {
        let mut turned = Vec::new();
        while turned.len() < AT_ONCE as usize && self.turns.first().is_some_and(|(turn, _)| *turn <= now) {
            turned.extend(self.turns.pop_first().map(|(_, external)| external));
        }
        turned
    }

    /// Writes where customers stand in the windows that they turned into.
    async fn turn(
        &mut self,
        turned: &[Arc<str>],
        customers: &mut FxHashMap<Arc<str>, LiveCustomer>,
        now: Timestamp,
    ) -> Result<Topics> {
        let config = self.shared.config();
        let mut standing = Vec::new();
        for external in turned {
            let Some(customer) = touched(&self.shared, customers, external) else { continue };
            counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut [&mut *customer], now).await?;
            standings::rows_of(&config, customer, now, &mut standing);
            let customer = customer.clone();
            self.expect_turn(&customer, now);
        }
        standings::store(&mut self.conn, &mut standing).await?;
        Ok(if turned.is_empty() { Topics::NONE } else { Topics::STANDINGS | Topics::CUSTOMERS })
    }

    async fn expire_holds(
        &mut self,
        customers: &mut FxHashMap<Arc<str>, LiveCustomer>,
        now: Timestamp,
    ) -> Result<Topics> {
        let rows = sqlx::query(
            "SELECT h.seq, h.id, c.external_id FROM hold h JOIN customer c ON c.id = h.customer \
             WHERE h.state = 'live' AND h.expires_at <= ?1 ORDER BY h.expires_at LIMIT ?2",
        )
        .bind(now.as_micros())
        .bind(AT_ONCE)
        .fetch_all(&mut self.conn)
        .await?;
        for row in &rows {
            sqlx::query("UPDATE hold SET state = 'expired', ended_at = expires_at WHERE seq = ?1")
                .bind(row.try_get::<i64, _>(0)?)
                .execute(&mut self.conn)
                .await?;
            if let Some(customer) = touched(&self.shared, customers, row.try_get(2)?) {
                customer.let_go(ReservationId::new(row.try_get(1)?));
            }
        }
        Ok(if rows.is_empty() { Topics::NONE } else { Topics::RESERVATIONS | Topics::STANDINGS })
    }

    /// Raises that are over, by number, and whose they are.
    async fn ending_raises(&mut self, now: Timestamp) -> Result<Vec<(i64, String)>> {
        let rows = sqlx::query(
            "SELECT o.seq, c.external_id FROM limit_override o JOIN customer c ON c.id = o.customer \
             WHERE o.ended = 0 AND o.until <= ?1 ORDER BY o.until LIMIT ?2",
        )
        .bind(now.as_micros())
        .bind(AT_ONCE)
        .fetch_all(&mut self.conn)
        .await?;
        Ok(rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Brings the limits' own values back.
    async fn end_raises(
        &mut self,
        raises: &[(i64, String)],
        customers: &mut FxHashMap<Arc<str>, LiveCustomer>,
        now: Timestamp,
    ) -> Result<Topics> {
        let config = self.shared.config();
        let (mut standing, mut changes) = (Vec::new(), AlertChanges::default());
        let mut whose: Vec<&str> = raises.iter().map(|(_, external)| external.as_str()).collect();
        whose.sort_unstable();
        whose.dedup();
        for external in whose {
            let Some(customer) = touched(&self.shared, customers, external) else { continue };
            counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut [&mut *customer], now).await?;
            standings::rows_of(&config, customer, now, &mut standing);
            alerts::judge_all(&config, customer, now, &mut changes);
        }
        self.store_alerts(&changes, now).await?;
        for (seq, _) in raises {
            sqlx::query("UPDATE limit_override SET ended = 1 WHERE seq = ?1").bind(seq).execute(&mut self.conn).await?;
        }
        standings::store(&mut self.conn, &mut standing).await?;
        let alerts = if changes.is_empty() { Topics::NONE } else { Topics::ALERTS };
        let limits = Topics::LIMITS | Topics::STANDINGS | Topics::CUSTOMERS;
        Ok(if raises.is_empty() { Topics::NONE } else { limits | alerts })
    }

    /// Holds of balances that have run out, grants past their date, and recurring credits.
    async fn move_due_balances(
        &mut self,
        customers: &mut FxHashMap<Arc<str>, LiveCustomer>,
        now: Timestamp,
    ) -> Result<Topics> {
        let whose: Vec<String> = sqlx::query_scalar(
            "SELECT c.external_id FROM account a JOIN balance b ON b.id = a.balance JOIN customer c ON c.id = b.customer \
             WHERE a.due_at <= ?1 ORDER BY a.due_at LIMIT ?2",
        )
        .bind(now.as_micros())
        .bind(AT_ONCE)
        .fetch_all(&mut self.conn)
        .await?;
        let config = self.shared.config();
        let mut book = Book::after(self.last_entry);
        for external in &whose {
            // The rest is due still, and comes next: windows of many months may have to be made up for.
            if book.len() >= AT_ONCE as usize {
                break;
            }
            let Some(customer) = touched(&self.shared, customers, external) else { continue };
            accounts::load(&mut self.conn, &config, &mut [&mut *customer]).await?;
            self.bring_up_to_date(&mut book, customer, now)?;
            // Written in any case: when they are due next may be something else than was thought.
            let external = customer.external.clone();
            customer.accounts.list().iter().for_each(|balance| book.touch(balance, &external));
        }
        self.store_book(&book, customers).await?;
        Ok(book.topics())
    }

    /// Alerts of windows that are over.
    async fn end_alerts(
        &mut self,
        customers: &mut FxHashMap<Arc<str>, LiveCustomer>,
        now: Timestamp,
    ) -> Result<Topics> {
        let whose: Vec<String> = sqlx::query_scalar(
            "UPDATE alert SET resolved_at = window_end WHERE seq IN \
             (SELECT seq FROM alert WHERE resolved_at IS NULL AND window_end <= ?1 ORDER BY window_end LIMIT ?2) \
             RETURNING (SELECT external_id FROM customer WHERE id = alert.customer)",
        )
        .bind(now.as_micros())
        .bind(AT_ONCE)
        .fetch_all(&mut self.conn)
        .await?;
        for external in &whose {
            if let Some(customer) = touched(&self.shared, customers, external) {
                customer.extras_mut().alerts.retain(|alert| !alert.is_over(now));
            }
        }
        Ok(if whose.is_empty() { Topics::NONE } else { Topics::ALERTS | Topics::STANDINGS })
    }
}

/// A customer as the transaction leaves it.
fn touched<'c>(
    shared: &Shared,
    customers: &'c mut FxHashMap<Arc<str>, LiveCustomer>,
    external: &str,
) -> Option<&'c mut LiveCustomer> {
    if !customers.contains_key(external) {
        let known = shared.customers.get(external)?;
        customers.insert(known.external.clone(), (*known).clone());
    }
    customers.get_mut(external)
}
