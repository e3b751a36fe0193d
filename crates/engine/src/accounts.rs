//! A customer's balances as decisions know them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use weir_core::event::Facts;
use weir_core::filter::within;
use weir_core::id::{BalanceId, HoldId, ProjectId, ReservationId};
use weir_core::ledger::{Account, Journal, Metering};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::config::{Config, MeterRule};
use crate::live::LiveCustomer;
use crate::model::{
    Balance, Burn, CheckedBalance, Enforcement, Metered, NextExpiry, RecurringCredit, TopUp, default_priority,
};

/// Days over which the rate of spending is taken, today included.
const BURN_DAYS: i64 = 7;
const DAY_SECONDS: i64 = 86_400;
const HOUR: i128 = 3_600 * 1_000_000;

/// The balances of a customer that are not archived, oldest first.
#[derive(Clone, Debug, Default)]
pub(crate) enum Accounts {
    /// There are none.
    #[default]
    None,
    /// There are some, which have not been asked about since the engine opened, or since they changed.
    Cold,
    Loaded(Arc<Vec<Arc<LiveBalance>>>),
}

/// A balance.
#[derive(Clone, Debug)]
pub(crate) struct LiveBalance {
    pub rule: Arc<BalanceRule>,
    pub account: Account,
    /// What it has paid for, of a balance that pays for usage.
    pub metering: Option<Metering>,
    /// The ids of grants, by the number of their entries.
    pub grant_ids: Vec<(i64, Uuid)>,
    /// The ids of live holds.
    pub hold_ids: Vec<LiveHold>,
    /// What was spent on days of UTC, the newest last.
    pub days: Vec<(i64, Quantity)>,
}

/// Which hold it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LiveHold {
    pub number: i64,
    pub id: HoldId,
    /// The reservation that it belongs to.
    pub reservation: Option<ReservationId>,
}

/// What does not move.
#[derive(Clone, Debug)]
pub(crate) struct BalanceRule {
    pub key: i64,
    pub id: BalanceId,
    pub name: String,
    pub unit: Option<String>,
    pub customer_name: Option<String>,
    pub settings: Settings,
    pub price: Option<Price>,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub archived_at: Option<Timestamp>,
}

/// What usage costs, as stored: how much has been paid for moves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Price {
    /// The price's number.
    pub key: i64,
    /// The meter's number.
    pub meter: i64,
    pub metered: Metered,
}

/// The settings of a balance, as stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Settings {
    pub minimum: Quantity,
    #[serde(default)]
    pub low: Option<Quantity>,
    #[serde(default)]
    pub top_up: Option<TopUp>,
    #[serde(default)]
    pub filters: BTreeMap<String, String>,
    #[serde(default = "default_priority")]
    pub priority: u16,
    #[serde(default)]
    pub enforcement: Enforcement,
    #[serde(default)]
    pub recurring: Option<RecurringCredit>,
}

impl Accounts {
    /// The balances, as far as they are loaded.
    pub(crate) fn list(&self) -> &[Arc<LiveBalance>] {
        match self {
            Accounts::Loaded(list) => list,
            Accounts::None | Accounts::Cold => &[],
        }
    }

    pub(crate) fn is_cold(&self) -> bool {
        matches!(self, Accounts::Cold)
    }

    /// The same, to change them.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut LiveBalance> {
        let list = match self {
            Accounts::Loaded(list) => Arc::make_mut(list).as_mut_slice(),
            Accounts::None | Accounts::Cold => &mut [],
        };
        list.iter_mut().map(Arc::make_mut)
    }

    /// One of them, to change it.
    pub(crate) fn get_mut(&mut self, key: i64) -> Option<&mut LiveBalance> {
        let Accounts::Loaded(list) = self else { return None };
        let place = list.iter().position(|balance| balance.rule.key == key)?;
        Arc::make_mut(list).get_mut(place).map(Arc::make_mut)
    }

    /// One of them by name.
    pub(crate) fn named(&self, name: &str) -> Option<&Arc<LiveBalance>> {
        self.list().iter().find(|balance| balance.rule.name == name)
    }

    /// Adds one, or puts it in the place of the one before.
    pub(crate) fn put(&mut self, balance: LiveBalance) {
        let mut list = match std::mem::take(self) {
            Accounts::Loaded(list) => Arc::unwrap_or_clone(list),
            Accounts::None | Accounts::Cold => Vec::new(),
        };
        let place = list.partition_point(|other| other.rule.key < balance.rule.key);
        match list.get_mut(place).filter(|other| other.rule.key == balance.rule.key) {
            Some(other) => *other = Arc::new(balance),
            None => list.insert(place, Arc::new(balance)),
        }
        *self = Accounts::Loaded(Arc::new(list));
    }

    /// Whether something is due.
    pub(crate) fn is_due(&self, now: Timestamp) -> bool {
        self.list().iter().any(|balance| balance.account.due().is_some_and(|due| due <= now))
    }

    /// Lets go of balances that have been archived, and of room that nothing needs.
    pub(crate) fn tidy(&mut self) {
        if let Accounts::Loaded(list) = self
            && list.iter().any(|balance| balance.rule.archived_at.is_some())
        {
            Arc::make_mut(list).retain(|balance| balance.rule.archived_at.is_none());
        }
        if matches!(self, Accounts::Loaded(list) if list.is_empty()) {
            *self = Accounts::None;
        }
    }
}

/// The balances that pay for an event on one meter, in the order in which they pay, and how much of the meter it is.
pub(crate) struct Chain {
    pub meter: i64,
    pub quantity: Quantity,
    pub balances: Vec<i64>,
}

/// The chains of balances that pay for an event.
pub(crate) fn chains(config: &Config, customer: &LiveCustomer, event: &Facts<'_>) -> Vec<Chain> {
    let mut paying: Vec<&LiveBalance> = Vec::new();
    for balance in customer.accounts.list() {
        let pays = balance.rule.price.is_some() && within(&balance.rule.settings.filters, event);
        if pays {
            paying.push(balance);
        }
    }
    paying.sort_by_key(|balance| (balance.rule.settings.priority, balance.rule.key));
    let mut chains: Vec<Chain> = Vec::new();
    for balance in paying {
        let Some(price) = &balance.rule.price else { continue };
        if let Some(chain) = chains.iter_mut().find(|chain| chain.meter == price.meter) {
            chain.balances.push(balance.rule.key);
            continue;
        }
        let quantity = config.meters.get(&price.meter).and_then(|meter| quantity_of(meter, event));
        if let Some(quantity) = quantity {
            chains.push(Chain { meter: price.meter, quantity, balances: vec![balance.rule.key] });
        }
    }
    chains
}

/// How much of a meter an event is; nothing where it does not count, or counts nothing.
fn quantity_of(meter: &MeterRule, event: &Facts<'_>) -> Option<Quantity> {
    use weir_core::aggregate::What;
    let quantity = match meter.contribution(event)?.what {
        What::One => Quantity::ONE,
        What::Amount(amount) => amount,
        What::Member(_) => return None,
    };
    (quantity != Quantity::ZERO).then_some(quantity)
}

impl LiveBalance {
    /// As it is at an instant: what has come due by then has happened, whether it is written or not.
    pub(crate) fn at(&self, now: Timestamp) -> LiveBalance {
        let mut balance = self.clone();
        if self.rule.archived_at.is_some() {
            return balance;
        }
        balance.account.advance(now, &mut Journal::after(0));
        balance
    }

    /// Remembers what was spent on a day, or given back.
    pub(crate) fn spend_on(&mut self, at: Timestamp, amount: Quantity) {
        let day = day_of(at);
        let add = |sum: Quantity| Quantity::from_steps(sum.steps().saturating_add(amount.steps()));
        match self.days.last_mut() {
            Some((last, spent)) if *last == day => *spent = add(*spent),
            _ => self.days.push((day, amount)),
        }
        self.days.retain(|(kept, _)| *kept > day - BURN_DAYS);
    }

    /// What was spent on the last day that anything was.
    pub(crate) fn last_day(&self) -> Option<(i64, Quantity)> {
        self.days.last().copied()
    }

    /// As it is shown. `self` must have been brought up to `now`.
    pub(crate) fn shown(&self, project_id: ProjectId, customer: &str, now: Timestamp) -> Balance {
        let (rule, account) = (&*self.rule, &self.account);
        let archived = rule.archived_at.is_some();
        let next = account.recurring.as_ref().filter(|_| !archived).and_then(|recurring| recurring.next());
        let dated = account.grants.iter().filter_map(|grant| Some((grant.terms.expires_at?, grant.left)));
        let next_expiry = dated.clone().map(|(date, _)| date).filter(|date| *date > now).min().map(|at| NextExpiry {
            at,
            amount: dated
                .filter(|(date, _)| *date == at)
                .fold(Quantity::ZERO, |sum, (_, left)| Quantity::from_steps(sum.steps().saturating_add(left.steps()))),
        });
        Balance {
            id: rule.id,
            project_id,
            customer_id: customer.to_owned(),
            customer_name: rule.customer_name.clone(),
            name: rule.name.clone(),
            unit: rule.unit.clone(),
            current_balance: account.current,
            held_balance: account.held(),
            minimum_balance: account.minimum,
            available_balance: account.available(),
            low_balance_threshold: rule.settings.low,
            low: self.is_low(),
            top_up: rule.settings.top_up.clone(),
            dimension_filters: rule.settings.filters.clone(),
            priority: rule.settings.priority,
            metered: rule.price.as_ref().map(|price| price.metered.clone()),
            recurring_credit: rule.settings.recurring.clone(),
            next_recurring_at: next,
            next_expiry,
            burn: self.burn(now),
            version: rule.version,
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            archived_at: rule.archived_at,
        }
    }

    /// Whether it is at its threshold, or below.
    pub(crate) fn is_low(&self) -> bool {
        self.rule.settings.low.is_some_and(|low| self.account.current <= low)
    }

    /// Whether it can pay an amount.
    pub(crate) fn checked(&self, amount: Quantity) -> CheckedBalance {
        CheckedBalance {
            balance_id: self.rule.id,
            name: self.rule.name.clone(),
            unit: self.rule.unit.clone(),
            current_balance: self.account.current,
            minimum_balance: self.account.minimum,
            available_balance: self.account.available(),
            requested_amount: amount,
            sufficient: amount <= self.account.available(),
        }
    }

    fn burn(&self, now: Timestamp) -> Burn {
        let first_day = day_of(now) - BURN_DAYS + 1;
        let from = Timestamp::from_unix_seconds(first_day * DAY_SECONDS).max(self.rule.created_at);
        let days = self.days.iter().filter(|(day, _)| *day >= first_day);
        let spent = days.fold(0_i128, |sum, (_, spent)| sum.saturating_add(spent.steps())).max(0);
        let micros = i128::from(now.micros_since(from));
        let day = i128::from(DAY_SECONDS) * 1_000_000;
        let per_day = if micros < HOUR { None } else { spent.checked_mul(day).map(|spent| spent / micros) };
        let available = self.account.available().steps().max(0);
        let days_left = per_day.filter(|per_day| *per_day > 0).map(|per_day| available / per_day);
        Burn {
            from,
            spent: Quantity::from_steps(spent),
            per_day: per_day.map(Quantity::from_steps),
            days_left: days_left.and_then(|days| i64::try_from(days).ok()),
        }
    }
}

/// A day of UTC, counted from 1970.
pub(crate) fn day_of(at: Timestamp) -> i64 {
    at.unix_seconds().div_euclid(DAY_SECONDS)
}
