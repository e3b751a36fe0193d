//! Changes of configuration: each one transaction, with everything it swaps in once it is committed.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::Serialize;
use sqlx::SqliteConnection;
use uuid::Uuid;
use weir_core::id::{CustomerId, ProjectId};
use weir_core::ledger::Journal;
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};

use super::alerts::{self, AlertChanges};
use super::book::{About, Book};
use super::run::Run;
use super::state::{Audit, DEVICE_SHIFT, actor_key, write_audit};
use super::{Writer, accounts, counters, flush, groups::Groups, jobs, standings};
use crate::accounts::{Accounts, LiveBalance};
use crate::actor::Actor;
use crate::changes::Topics;
use crate::check::building;
use crate::config::{Config, LimitRule};
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::rollup::BASE;

/// The transaction of a change.
pub(crate) struct Tx<'w> {
    pub(super) writer: &'w mut Writer,
    /// The configuration as it will be.
    pub config: NextConfig,
    pub now: Timestamp,
    pub(super) actor: Actor,
    customers: FxHashMap<Arc<str>, LiveCustomer>,
    topics: Topics,
    forget_counters: bool,
    forget_calls: Vec<i64>,
    /// What becomes of balances.
    pub(super) book: Book,
    forget_accounts: bool,
}

/// The configuration, copied once it is changed.
pub(crate) struct NextConfig {
    config: Arc<Config>,
    changed: bool,
}

impl Deref for NextConfig {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

impl DerefMut for NextConfig {
    fn deref_mut(&mut self) -> &mut Config {
        self.changed = true;
        Arc::make_mut(&mut self.config)
    }
}

impl Writer {
    pub(super) async fn change(&mut self, mut change: Run) -> Result<()> {
        let last_entry = self.last_entry;
        let aside = change.is_aside();
        if !aside {
            // With nothing pending, the transaction sees projections as the events are.
            self.flush().await?;
        }
        flush::begin(&mut self.conn).await?;
        let mut tx = Tx {
            config: NextConfig { config: self.shared.config(), changed: false },
            now: self.shared.clock.now(),
            actor: change.actor().clone(),
            customers: FxHashMap::default(),
            topics: Topics::NONE,
            forget_counters: false,
            forget_calls: Vec::new(),
            book: Book::after(self.last_entry),
            forget_accounts: false,
            writer: self,
        };
        let result = change.run(&mut tx).await;
        let Tx { config, customers, mut topics, forget_counters, forget_calls, book, forget_accounts, .. } = tx;
        topics |= book.topics();
        let result = match result {
            Ok(()) => self.store_book(&book, &customers).await,
            error => error,
        };
        match result {
            Ok(()) => {
                if let Err(error) = flush::commit(&mut self.conn).await {
                    change.finish(Err(Error::Unknown(error.to_string())));
                    return Err(error);
                }
                if config.changed {
                    self.shared.swap_config(config.config);
                }
                for customer in customers.into_values() {
                    self.shared.customers.put(customer);
                }
                if forget_counters {
                    self.shared.customers.update_all(|customer| customer.counters.clear());
                }
                if forget_accounts {
                    self.shared.customers.update_all(|customer| {
                        if !customer.accounts.list().is_empty() {
                            customer.accounts = Accounts::Cold;
                        }
                    });
                }
                if !forget_calls.is_empty() {
                    let is_kept = |(rate_limit, _): &(i64, _)| !forget_calls.contains(rate_limit);
                    self.shared.customers.update_all(|customer| customer.rates.retain(is_kept));
                }
                if !aside {
                    self.jobs = jobs::Jobs::load(&mut self.conn).await?;
                }
                change.finish(Ok(()));
                self.shared.publish(topics);
                Ok(())
            }
            Err(error) => {
                change.finish(Err(error));
                sqlx::query("ROLLBACK").execute(&mut self.conn).await?;
                if !aside {
                    self.groups = Groups::load(&mut self.conn).await?;
                }
                self.last_entry = last_entry;
                Ok(())
            }
        }
    }
}

impl Tx<'_> {
    pub(crate) fn conn(&mut self) -> &mut SqliteConnection {
        &mut self.writer.conn
    }

    pub(crate) fn project(&self) -> ProjectId {
        self.config.project.id
    }

    pub(crate) fn new_uuid(&mut self) -> Result<Uuid> {
        self.writer.ids.next(self.now)
    }

    /// A number that no counter was loaded under yet.
    pub(crate) fn new_counting(&mut self) -> u64 {
        self.writer.last_counting += 1;
        self.writer.last_counting
    }

    /// The next number of a kind of fact, of this device.
    pub(crate) async fn next_seq(&mut self, table: &'static str) -> Result<i64> {
        let floor = self.writer.device << DEVICE_SHIFT;
        let last: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!(
            "SELECT max(seq) FROM {table} WHERE seq > ?1 AND seq < ?2"
        )))
        .bind(floor)
        .bind(floor + (1 << DEVICE_SHIFT))
        .fetch_one(&mut self.writer.conn)
        .await?;
        Ok(last.unwrap_or(floor) + 1)
    }

    /// The number of whoever asks for the change.
    pub(crate) async fn actor_key(&mut self) -> Result<i64> {
        actor_key(&mut self.writer.conn, &self.actor).await
    }

    /// Has something that happens by itself looked at when its time comes.
    pub(crate) fn schedule(&mut self, at: Timestamp) {
        self.writer.schedule(at);
    }

    /// The last event recorded.
    pub(crate) fn last_event(&self) -> i64 {
        self.writer.last_seq
    }

    /// Tells listeners, once committed.
    pub(crate) fn touches(&mut self, topics: Topics) {
        self.topics |= topics;
    }

    /// Writes who changed what.
    pub(crate) async fn audit<T: Serialize>(&mut self, audit: Audit<'_, T>) -> Result<()> {
        self.touches(Topics::AUDIT);
        write_audit(&mut self.writer.conn, &self.actor, self.now, audit).await
    }

    /// A customer as this change leaves it.
    pub(crate) fn customer(&self, external: &str) -> Option<LiveCustomer> {
        let changed = self.customers.get(external).cloned();
        changed.or_else(|| self.writer.shared.customers.get(external).map(|known| (*known).clone()))
    }

    /// A customer, created as the first fact about one creates it.
    pub(crate) async fn customer_or_new(&mut self, external: &str) -> Result<LiveCustomer> {
        if let Some(known) = self.customer(external) {
            return Ok(known);
        }
        let anchor = CivilDate::of(self.now, self.config.project.timezone);
        let customer = self.new_customer(external, None, anchor)?;
        sqlx::query(
            "INSERT INTO customer (id, uuid, external_id, billing_cycle_start, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        )
        .bind(customer.key)
        .bind(customer.id.uuid())
        .bind(external)
        .bind(anchor.to_string())
        .bind(self.now.as_micros())
        .execute(&mut self.writer.conn)
        .await?;
        self.touches(Topics::CUSTOMERS);
        self.put_customer(customer.clone());
        Ok(customer)
    }

    /// A customer that does not exist yet; the caller writes the row.
    pub(crate) fn new_customer(
        &mut self,
        external: &str,
        zone: Option<weir_core::time::Zone>,
        anchor: CivilDate,
    ) -> Result<LiveCustomer> {
        self.writer.last_customer += 1;
        let mut customer = LiveCustomer {
            key: self.writer.last_customer,
            id: CustomerId::new(self.new_uuid()?),
            external: external.into(),
            zone,
            anchor,
            own: Arc::default(),
            counters: Vec::new(),
            rates: Vec::new(),
            extras: None,
            accounts: Accounts::None,
        };
        counters::start_counters(&self.config, &mut customer, self.now);
        Ok(customer)
    }

    /// Swaps a customer in, once committed.
    pub(crate) fn put_customer(&mut self, customer: LiveCustomer) {
        self.customers.insert(customer.external.clone(), customer);
    }

    /// Loads the counters of a customer's limits that are missing.
    pub(crate) async fn load(&mut self, customer: &mut LiveCustomer) -> Result<()> {
        let writer = &mut *self.writer;
        counters::load(&mut writer.conn, &self.config, &writer.groups, &writer.pending, &mut [customer], self.now).await
    }

    /// Loads a customer's balances and brings them up to date.
    pub(crate) async fn load_accounts(&mut self, customer: &mut LiveCustomer) -> Result<()> {
        let writer = &mut *self.writer;
        accounts::load(&mut writer.conn, &self.config, &mut [&mut *customer]).await?;
        writer.bring_up_to_date(&mut self.book, customer, self.now)
    }

    /// Has recurring credits counted from now, in windows as they are cut now: after the customer's zone or anchor changed.
    pub(crate) fn recut_balances(&mut self, customer: &mut LiveCustomer) {
        let (now, external) = (self.now, customer.external.clone());
        let cut = (customer.zone(&self.config), customer.anchor);
        for balance in customer.accounts.iter_mut() {
            if let Some(recurring) = &mut balance.account.recurring {
                (recurring.since, recurring.cut) = (now, cut);
                self.book.touch(balance, &external);
            }
        }
    }

    /// The same for every customer without a zone of their own, before the project's changes.
    pub(crate) async fn recut_balances_of_the_project(&mut self, zone: Zone) -> Result<()> {
        const WHOSE: &str = "FROM account a JOIN balance b ON b.id = a.balance JOIN customer c ON c.id = b.customer \
                             WHERE c.timezone IS NULL AND a.recurring_since IS NOT NULL AND b.archived_at IS NULL";
        let sql = format!("SELECT DISTINCT c.external_id {WHOSE} AND a.due_at <= ?1");
        let now = self.now.as_micros();
        let due: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(now).fetch_all(&mut self.writer.conn).await?;
        for external in due {
            let Some(mut customer) = self.customer(&external) else { continue };
            self.load_accounts(&mut customer).await?;
            let (now, anchor) = (self.now, customer.anchor);
            for balance in customer.accounts.iter_mut() {
                if let Some(recurring) = &mut balance.account.recurring {
                    (recurring.since, recurring.cut) = (now, (zone, anchor));
                    self.book.touch(balance, &customer.external);
                }
            }
            self.put_customer(customer);
        }
        // When the next ones are due is worked out as they are looked at.
        let sql =
            format!("UPDATE account SET recurring_since = ?1, due_at = ?1 WHERE balance IN (SELECT a.balance {WHOSE})");
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(now).execute(&mut self.writer.conn).await?;
        self.writer.schedule(self.now);
        self.forget_accounts();
        Ok(())
    }

    /// Writes what is done to a balance into the transaction's journal.
    pub(crate) fn journal<T>(&mut self, deed: impl FnOnce(&mut Journal) -> T) -> T {
        deed(&mut self.book.journal)
    }

    /// Has a balance written.
    pub(crate) fn touch(&mut self, balance: &LiveBalance, customer: &Arc<str>) {
        self.book.touch(balance, customer);
    }

    /// Who asks for the change.
    pub(crate) fn who(&self) -> Actor {
        self.actor.clone()
    }

    /// Writes what has been done to balances so far.
    pub(super) async fn write_book(&mut self, customer: &LiveCustomer) -> Result<()> {
        if self.book.is_empty() {
            return Ok(());
        }
        self.put_customer(customer.clone());
        let book = std::mem::take(&mut self.book);
        self.writer.store_book(&book, &self.customers).await?;
        self.topics |= book.topics();
        self.book = Book::after(self.writer.last_entry);
        Ok(())
    }

    /// Takes in what was done to a balance.
    pub(crate) fn note(
        &mut self,
        customer: &Arc<str>,
        balance: &mut LiveBalance,
        asked: Option<(i64, About)>,
    ) -> Result<()> {
        self.writer.note(&mut self.book, customer, balance, asked, self.now)?;
        Ok(())
    }

    /// Forgets every loaded balance.
    pub(crate) fn forget_accounts(&mut self) {
        self.forget_accounts = true;
    }

    /// What a customer, whose counters are loaded, has used of a limit.
    pub(crate) fn used(&self, customer: &LiveCustomer, rule: &LimitRule) -> Result<Quantity> {
        let meter = self.config.meter_of(rule).ok_or_else(building)?;
        let window = rule.period.window(customer.zone(&self.config), customer.anchor, self.now);
        let counter = customer.counter(&self.config, rule, meter).ok_or_else(building)?;
        Ok(counter.total(meter.aggregation, window).used())
    }

    /// Counts a customer's limits anew and swaps the customer in: after own limits, zone or anchor changed.
    pub(crate) async fn recount(&mut self, customer: LiveCustomer) -> Result<()> {
        self.recount_all(vec![customer]).await
    }

    /// The same of many customers at once.
    pub(crate) async fn recount_all(&mut self, mut customers: Vec<LiveCustomer>) -> Result<()> {
        let writer = &mut *self.writer;
        let mut all: Vec<&mut LiveCustomer> = customers.iter_mut().collect();
        counters::load(&mut writer.conn, &self.config, &writer.groups, &writer.pending, &mut all, self.now).await?;
        let (mut rows, mut changes) = (Vec::new(), AlertChanges::default());
        for customer in &mut customers {
            standings::rows_of(&self.config, customer, self.now, &mut rows);
            alerts::judge_all(&self.config, customer, self.now, &mut changes);
        }
        writer.store_alerts(&changes, self.now).await?;
        let keys: Vec<i64> = customers.iter().map(|customer| customer.key).collect();
        standings::forget(&mut writer.conn, &keys).await?;
        standings::store(&mut writer.conn, &mut rows).await?;
        if !changes.is_empty() {
            self.touches(Topics::ALERTS);
        }
        self.touches(Topics::STANDINGS | Topics::CUSTOMERS);
        for customer in customers {
            self.put_customer(customer);
        }
        Ok(())
    }

    /// Has the standings of every customer worked out anew in the background: after defaults, meters or the project's zone changed.
    pub(crate) async fn recount_everyone(&mut self) -> Result<()> {
        sqlx::query(
            "INSERT INTO job (kind, cursor) VALUES ('standings', 0) ON CONFLICT (kind) DO UPDATE SET cursor = 0",
        )
        .execute(&mut self.writer.conn)
        .await?;
        self.touches(Topics::STANDINGS | Topics::CUSTOMERS);
        Ok(())
    }

    /// Forgets every loaded counter: windows are cut differently from now on.
    pub(crate) fn forget_counters(&mut self) {
        self.forget_counters = true;
    }

    /// Forgets the calls counted by a rate limit.
    pub(crate) fn forget_calls(&mut self, rate_limit: i64) {
        self.forget_calls.push(rate_limit);
    }

    /// Starts a generation of roll-ups. It counts nothing until `build`.
    pub(crate) async fn new_series(&mut self) -> Result<i64> {
        Ok(sqlx::query_scalar("INSERT INTO series (meter, ready) VALUES (NULL, 0) RETURNING id")
            .fetch_one(self.conn())
            .await?)
    }

    /// Gives a series to a meter that is in the configuration already, and counts history on it: here and now when there is
    /// little, else in the background.
    pub(crate) async fn build(&mut self, meter: i64, series: i64) -> Result<()> {
        sqlx::query("UPDATE series SET meter = ?2 WHERE id = ?1").bind(series).bind(meter).execute(self.conn()).await?;
        let Some(rule) = self.config.meters.get(&meter).cloned() else { return Ok(()) };
        if self.writer.events_recorded().await? > jobs::EVENTS_AT_ONCE {
            return Ok(());
        }
        while !self.writer.backfill(&rule).await? {}
        let mut rule = (*rule).clone();
        rule.ready = true;
        self.config.meters.insert(meter, Arc::new(rule));
        Ok(())
    }

    /// Drops a generation of roll-ups; its rows go in the background.
    pub(crate) async fn retire(&mut self, series: i64) -> Result<()> {
        debug_assert_ne!(series, BASE);
        sqlx::query("UPDATE series SET retired = 1 WHERE id = ?1").bind(series).execute(self.conn()).await?;
        Ok(())
    }
}
