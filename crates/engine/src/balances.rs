//! Balances: created, changed, archived. What moves them is in `movements`, lists of what is in them in `ledger_list`.

use std::sync::Arc;

use weir_core::error::{Code, Fault};
use weir_core::event::check_dimensions;
use weir_core::id::BalanceId;
use weir_core::ledger::{Account, BOUND, Level, MAX_RATE, Metering, Rate, Terms};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};

use crate::accounts::{BalanceRule, LiveBalance, Price, Settings};
use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::{
    Balance, BalancePatch, CauseKind, Enforcement, MAX_PRIORITY, Metered, NewBalance, RecurringCredit, TopUp,
};
use crate::scan::to_json;
use crate::writer::{About, Audit, Tx, find_account, recurring};

/// Most live balances of one customer: every event looks at each of them.
const MOST_BALANCES: usize = 100;

impl Engine {
    /// Creates a balance of a customer, who is created where there is none.
    pub async fn create_balance(&self, actor: &Actor, new: NewBalance) -> Result<Balance> {
        text::check_external_id("customerId", &new.customer_id)?;
        text::check("name", &new.name, 1, MAX_SHORT)?;
        if let Some(initial) = new.initial_balance
            && initial.is_negative()
        {
            return Err(Fault::invalid("initialBalance", "must not be below zero").into());
        }
        self.writer().change(actor, move |tx| Box::pin(create(tx, new))).await
    }

    /// Changes a balance's settings. Thresholds are judged at once.
    pub async fn update_balance(&self, actor: &Actor, id: BalanceId, patch: BalancePatch) -> Result<Balance> {
        self.writer().change(actor, move |tx| Box::pin(update(tx, id, patch))).await
    }

    /// Puts a balance away: nothing moves it until it is restored. One with live holds is refused.
    pub async fn archive_balance(&self, actor: &Actor, id: BalanceId) -> Result<()> {
        self.writer().change(actor, move |tx| Box::pin(archive(tx, id))).await
    }

    /// Takes a balance out of the archive. What expired meanwhile is booked now.
    pub async fn restore_balance(&self, actor: &Actor, id: BalanceId) -> Result<Balance> {
        self.writer().change(actor, move |tx| Box::pin(restore(tx, id))).await
    }
}

pub(crate) fn no_balance(id: BalanceId) -> Error {
    Error::not_found(Code::BalanceNotFound, "balance", &id.to_string())
}

fn check_settings(settings: &Settings, unit: Option<&str>) -> Result<(), Fault> {
    if let Some(unit) = unit {
        text::check("unit", unit, 1, MAX_SHORT)?;
    }
    check_priority("priority", settings.priority)?;
    check_dimensions("dimensionFilters", &settings.filters)?;
    if let Some(TopUp { amount, .. }) = &settings.top_up
        && !amount.is_positive()
    {
        return Err(Fault::invalid("topUp.amount", "must be above zero"));
    }
    if let Some(RecurringCredit { amount, period, priority, .. }) = &settings.recurring {
        if !amount.is_positive() {
            return Err(Fault::invalid("recurringCredit.amount", "must be above zero"));
        }
        if *period == Period::AllTime {
            return Err(Fault::invalid("recurringCredit.period", "must be a period that comes again"));
        }
        check_priority("recurringCredit.priority", *priority)?;
    }
    Ok(())
}

pub(crate) fn check_priority(field: &str, priority: u16) -> Result<(), Fault> {
    if priority <= MAX_PRIORITY {
        return Ok(());
    }
    Err(Fault::invalid(field, format_args!("must be a whole number from 0 to {MAX_PRIORITY}")))
}

impl Tx<'_> {
    /// The customer of a balance with their balances brought up to date, and the balance, which stays apart where it is archived.
    async fn find_balance(&mut self, id: BalanceId) -> Result<(LiveCustomer, LiveBalance)> {
        let external: Option<String> = sqlx::query_scalar(
            "SELECT c.external_id FROM balance b JOIN customer c ON c.id = b.customer WHERE b.uuid = ?1",
        )
        .bind(id.uuid())
        .fetch_optional(self.conn())
        .await?;
        let external = external.ok_or_else(|| no_balance(id))?;
        let mut customer = self.customer(&external).ok_or_else(|| no_balance(id))?;
        self.load_accounts(&mut customer).await?;
        // What has come due is written, whatever becomes of the change.
        self.put_customer(customer.clone());
        let live = customer.accounts.list().iter().find(|balance| balance.rule.id == id).map(|live| (**live).clone());
        let balance = match live {
            Some(live) => live,
            None => {
                let cut = (customer.zone(&self.config), customer.anchor);
                let found = find_account(self.conn(), id, |_| Some(cut)).await?;
                found.ok_or_else(|| no_balance(id))?.1
            }
        };
        Ok((customer, balance))
    }

    /// Ties a balance to a meter at a price, from now on.
    async fn price(&mut self, balance: i64, metered: &Metered) -> Result<(Price, Metering)> {
        let Metered { meter_id, amount, per, enforcement } = metered;
        if !amount.is_positive() || *amount > Quantity::from_int(MAX_RATE) {
            return Err(Fault::invalid("metered.amount", "must be above zero and at most 1000000000").into());
        }
        if *per < 1 || i64::from(*per) > MAX_RATE {
            return Err(Fault::invalid("metered.per", "must be a whole number from 1 to 1000000000").into());
        }
        let meter = self.config.meters.values().find(|meter| meter.id == *meter_id).cloned();
        let meter = meter.ok_or_else(|| Fault::invalid("metered.meterId", "names no live meter"))?;
        if !meter.aggregation.adds_up() {
            return Err(
                Fault::invalid("metered.meterId", "must name a meter of sum or count: others do not add up").into()
            );
        }
        let key: i64 = sqlx::query_scalar(
            "INSERT INTO balance_rate (balance, meter, amount, per) VALUES (?1, ?2, ?3, ?4) RETURNING id",
        )
        .bind(balance)
        .bind(meter.key)
        .bind(amount.to_string())
        .bind(*per)
        .fetch_one(self.conn())
        .await?;
        let price = Price { key, meter: meter.key, metered: metered.clone() };
        let metering = Metering {
            rate: Rate { amount: *amount, per: *per },
            counted: Quantity::ZERO,
            booked: Quantity::ZERO,
            soft: *enforcement == Enforcement::Soft,
        };
        Ok((price, metering))
    }
}

async fn create(tx: &mut Tx<'_>, new: NewBalance) -> Result<Balance> {
    let settings = Settings {
        minimum: new.minimum_balance,
        low: new.low_balance_threshold,
        top_up: new.top_up,
        filters: new.dimension_filters,
        priority: new.priority,
        enforcement: new.metered.as_ref().map(|metered| metered.enforcement).unwrap_or_default(),
        recurring: new.recurring_credit,
    };
    check_settings(&settings, new.unit.as_deref())?;
    let mut customer = tx.customer_or_new(&new.customer_id).await?;
    tx.load_accounts(&mut customer).await?;
    refuse_taken_name(&customer, &new.name)?;
    refuse_too_many(&customer)?;
    let id = BalanceId::new(tx.new_uuid()?);
    let now = tx.now;
    let key: i64 = sqlx::query_scalar(
        "INSERT INTO balance (uuid, customer, name, unit, settings, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) RETURNING id",
    )
    .bind(id.uuid())
    .bind(customer.key)
    .bind(&new.name)
    .bind(&new.unit)
    .bind(to_json(&settings)?)
    .bind(now.as_micros())
    .fetch_one(tx.conn())
    .await?;
    let (price, metering) = match &new.metered {
        Some(metered) => {
            let (price, metering) = tx.price(key, metered).await?;
            (Some(price), Some(metering))
        }
        None => (None, None),
    };
    let customer_name: Option<String> =
        sqlx::query_scalar("SELECT name FROM customer WHERE id = ?1").bind(customer.key).fetch_one(tx.conn()).await?;
    let mut account = Account::new(key, settings.minimum);
    account.recurring = recurring(&settings, Some(now), (customer.zone(&tx.config), customer.anchor));
    account.start_watching(Level::Low, settings.low);
    account.start_watching(Level::TopUp, settings.top_up.as_ref().map(|top_up| top_up.below));
    let rule = BalanceRule {
        key,
        id,
        name: new.name,
        unit: new.unit,
        customer_name,
        settings,
        price,
        version: 1,
        created_at: now,
        updated_at: now,
        archived_at: None,
    };
    let mut balance = LiveBalance {
        rule: rule.into(),
        account,
        metering,
        grant_ids: Vec::new(),
        hold_ids: Vec::new(),
        days: Vec::new(),
    };
    let external = customer.external.clone();
    tx.touch(&balance, &external);
    if let Some(initial) = new.initial_balance.filter(|initial| initial.is_positive()) {
        let about = About {
            cause: Some(CauseKind::Initial),
            actor: tx.actor_key().await?,
            who: Some(tx.who()),
            ..About::default()
        };
        let entry = tx.journal(|journal| balance.account.credit(initial, Terms::PLAIN, now, journal));
        tx.note(&external, &mut balance, Some((entry, about)))?;
    }
    finish(tx, customer, balance, "balances.create", None).await
}

async fn update(tx: &mut Tx<'_>, id: BalanceId, patch: BalancePatch) -> Result<Balance> {
    let (customer, mut balance) = tx.find_balance(id).await?;
    let (project, now) = (tx.project(), tx.now);
    if balance.rule.archived_at.is_some() {
        return Err(Fault::new(Code::Conflict, "the balance is archived: restore it first").into());
    }
    let before = balance.shown(project, &customer.external, now);
    let mut rule = (*balance.rule).clone();
    let mut settings = rule.settings.clone();
    patch.unit.apply(&mut rule.unit);
    settings.minimum = patch.minimum_balance.unwrap_or(settings.minimum);
    patch.low_balance_threshold.apply(&mut settings.low);
    patch.top_up.apply(&mut settings.top_up);
    settings.filters = patch.dimension_filters.unwrap_or(settings.filters);
    settings.priority = patch.priority.unwrap_or(settings.priority);
    patch.recurring_credit.apply(&mut settings.recurring);
    let mut metered = rule.price.as_ref().map(|price| price.metered.clone());
    patch.metered.apply(&mut metered);
    settings.enforcement = metered.as_ref().map(|metered| metered.enforcement).unwrap_or_default();
    check_settings(&settings, rule.unit.as_deref())?;
    let charges = |metered: &Option<Metered>| metered.as_ref().map(|one| (one.meter_id, one.amount, one.per));
    let old = rule.price.as_ref().map(|price| price.metered.clone());
    if charges(&metered) != charges(&old) {
        (rule.price, balance.metering) = match &metered {
            Some(metered) => {
                let (price, metering) = tx.price(rule.key, metered).await?;
                (Some(price), Some(metering))
            }
            None => (None, None),
        };
    } else if let (Some(price), Some(metered), Some(metering)) = (&mut rule.price, metered, &mut balance.metering) {
        metering.soft = metered.enforcement == Enforcement::Soft;
        price.metered = metered;
    }
    if settings == rule.settings && rule.unit == balance.rule.unit && rule.price == balance.rule.price {
        return Ok(before);
    }
    if settings.recurring != rule.settings.recurring {
        let cut = (customer.zone(&tx.config), customer.anchor);
        balance.account.recurring = recurring(&settings, Some(now), cut);
    }
    balance.account.minimum = settings.minimum;
    let (low, below) = (settings.low, settings.top_up.as_ref().map(|top_up| top_up.below));
    (rule.settings, rule.updated_at, rule.version) = (settings, now, rule.version + 1);
    balance.rule = Arc::new(rule);
    let external = customer.external.clone();
    tx.journal(|journal| balance.account.watch(Level::Low, low, now, journal));
    tx.note(&external, &mut balance, None)?;
    tx.journal(|journal| balance.account.watch(Level::TopUp, below, now, journal));
    tx.note(&external, &mut balance, None)?;
    tx.touch(&balance, &external);
    finish(tx, customer, balance, "balances.update", Some(before)).await
}

async fn archive(tx: &mut Tx<'_>, id: BalanceId) -> Result<()> {
    let (customer, mut balance) = tx.find_balance(id).await?;
    let (project, now) = (tx.project(), tx.now);
    if balance.rule.archived_at.is_some() {
        return Ok(());
    }
    let holds = balance.account.holds.len();
    if holds > 0 {
        let message = format!("the balance has {holds} live holds: capture or release them first");
        return Err(Fault::new(Code::Conflict, message).into());
    }
    let before = balance.shown(project, &customer.external, now);
    let mut rule = (*balance.rule).clone();
    (rule.archived_at, rule.updated_at, rule.version) = (Some(now), now, rule.version + 1);
    balance.rule = Arc::new(rule);
    let external = customer.external.clone();
    tx.journal(|journal| balance.account.stop_watching(now, journal));
    tx.note(&external, &mut balance, None)?;
    tx.touch(&balance, &external);
    finish(tx, customer, balance, "balances.archive", Some(before)).await?;
    Ok(())
}

async fn restore(tx: &mut Tx<'_>, id: BalanceId) -> Result<Balance> {
    let (customer, mut balance) = tx.find_balance(id).await?;
    let (project, now) = (tx.project(), tx.now);
    let external = customer.external.clone();
    let before = balance.shown(project, &external, now);
    if balance.rule.archived_at.is_none() {
        return Ok(before);
    }
    refuse_taken_name(&customer, &balance.rule.name)?;
    refuse_too_many(&customer)?;
    let meter = balance.rule.price.as_ref().map(|price| tx.config.meters.get(&price.meter));
    if meter.is_some_and(|meter| meter.is_none_or(|meter| !meter.aggregation.adds_up())) {
        let message = "the meter that the balance pays for is archived, or no longer of sum or count";
        return Err(Fault::new(Code::Conflict, message).into());
    }
    let mut rule = (*balance.rule).clone();
    (rule.archived_at, rule.updated_at, rule.version) = (None, now, rule.version + 1);
    // Windows that passed in the archive are not made up for.
    balance.account.recurring = recurring(&rule.settings, Some(now), (customer.zone(&tx.config), customer.anchor));
    balance.rule = Arc::new(rule);
    tx.journal(|journal| balance.account.advance(now, journal));
    tx.note(&external, &mut balance, None)?;
    tx.journal(|journal| balance.account.watch_again(now, journal));
    tx.note(&external, &mut balance, None)?;
    tx.touch(&balance, &external);
    finish(tx, customer, balance, "balances.restore", Some(before)).await
}

fn refuse_too_many(customer: &LiveCustomer) -> Result<(), Fault> {
    if customer.accounts.list().len() < MOST_BALANCES {
        return Ok(());
    }
    let reason = format_args!("has {MOST_BALANCES} balances: archive some first");
    Err(Fault { code: Code::Conflict, ..Fault::invalid("customerId", reason) })
}

fn refuse_taken_name(customer: &LiveCustomer, name: &str) -> Result<(), Fault> {
    if customer.accounts.named(name).is_none() {
        return Ok(());
    }
    let reason = format_args!("is taken by another balance of `{}`", customer.external);
    Err(Fault { code: Code::Conflict, ..Fault::invalid("name", reason) })
}

/// Writes a balance's row, the audit fact, and swaps the customer in.
async fn finish(
    tx: &mut Tx<'_>,
    mut customer: LiveCustomer,
    balance: LiveBalance,
    operation: &'static str,
    before: Option<Balance>,
) -> Result<Balance> {
    let rule = balance.rule.clone();
    sqlx::query(
        "UPDATE balance SET unit = ?2, settings = ?3, rate = ?4, version = ?5, updated_at = ?6, archived_at = ?7 WHERE id = ?1",
    )
    .bind(rule.key)
    .bind(&rule.unit)
    .bind(to_json(&rule.settings)?)
    .bind(rule.price.as_ref().map(|price| price.key))
    .bind(rule.version)
    .bind(rule.updated_at.as_micros())
    .bind(rule.archived_at.map(weir_core::time::Timestamp::as_micros))
    .execute(tx.conn())
    .await?;
    let after = balance.shown(tx.project(), &customer.external, tx.now);
    // An archived one is written with the others, and let go of afterwards.
    customer.accounts.put(balance);
    tx.put_customer(customer);
    tx.audit(Audit { operation, target: &rule.id.to_string(), before: before.as_ref(), after: Some(&after) }).await?;
    Ok(after)
}

/// An amount that must be above zero.
pub(crate) fn check_amount(amount: Quantity) -> Result<(), Fault> {
    if amount.is_positive() && amount < BOUND {
        return Ok(());
    }
    Err(Fault::invalid("amount", "must be above zero"))
}
