//! Usage paid for by balances: in the transaction that records the event, and given back by the one that voids it.

use rustc_hash::FxHashMap;
use sqlx::Row;
use weir_core::error::Fault;
use weir_core::event::Facts;
use weir_core::id::{EventId, HoldId, ReservationId};
use weir_core::ledger::{BOUND, Metering, Plan, plan};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::accounts::quantity;
use super::book::{About, Book, Ending};
use super::ingest::Prepared;
use super::ledger::set_aside;
use super::overlay::Overlay;
use super::set_aside::HoldRow;
use crate::accounts::{Chain, LiveBalance, chains};
use crate::actor::Actor;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::{CauseKind, Charged, CheckedBalance, HoldState};

/// What a chain of balances would pay for an event.
pub(crate) struct Quote<'a> {
    pub balances: Vec<&'a LiveBalance>,
    pub chain: Chain,
    pub plan: Plan,
}

/// What a customer's balances, brought up to date, would pay for an event.
pub(crate) fn quote<'a>(config: &Config, customer: &'a LiveCustomer, event: &Facts<'_>) -> Result<Vec<Quote<'a>>> {
    let mut quotes = Vec::new();
    for chain in chains(config, customer, event) {
        let find = |key: &i64| customer.accounts.list().iter().find(|balance| balance.rule.key == *key);
        let balances: Vec<&LiveBalance> = chain.balances.iter().filter_map(find).map(|balance| &**balance).collect();
        let payers: Vec<_> = balances.iter().filter_map(|balance| payer(balance)).collect();
        let plan = plan(&payers, chain.quantity)?;
        quotes.push(Quote { balances, chain, plan });
    }
    Ok(quotes)
}

fn payer(balance: &LiveBalance) -> Option<(Metering, Quantity)> {
    Some((balance.metering?, balance.account.available()))
}

impl Quote<'_> {
    /// The balances that cannot pay, each asked for all of it.
    pub(crate) fn refusing(&self) -> Result<Vec<CheckedBalance>> {
        let mut refusing = Vec::new();
        if self.plan.refused {
            for balance in &self.balances {
                if let Some(metering) = &balance.metering {
                    refusing.push(balance.checked(metering.price(self.chain.quantity)?));
                }
            }
        }
        Ok(refusing)
    }
}

/// An event that is being paid for.
pub(super) struct Paying<'a> {
    pub event: i64,
    pub facts: &'a Facts<'a>,
    pub actor: (i64, &'a Actor),
    /// The reservation that it was held by.
    pub reservation: Option<ReservationId>,
}

impl Writer {
    /// Whether every event of a command can be paid for in numbers that can be kept, whatever it costs.
    pub(super) fn too_dear(&self, overlay: &Overlay, events: &[Prepared], now: Timestamp) -> Option<Error> {
        let config = self.shared.config();
        let mut faults = Vec::new();
        let mut spent: FxHashMap<i64, i128> = FxHashMap::default();
        for (index, event) in events.iter().enumerate() {
            let Some(customer) = overlay.customers.get(event.customer.as_str()) else { continue };
            // A repeat pays nothing more.
            if customer.accounts.list().is_empty() || event.repeats(overlay, customer) {
                continue;
            }
            let facts = event.facts(super::track::unrecorded(), event.at.unwrap_or(now));
            for chain in chains(&config, customer, &facts) {
                let magnitude = Quantity::from_steps(chain.quantity.steps().saturating_abs());
                for key in &chain.balances {
                    let Some(balance) = customer.accounts.list().iter().find(|balance| balance.rule.key == *key) else {
                        continue;
                    };
                    let Some(metering) = &balance.metering else { continue };
                    let cost = metering.rate.cost(magnitude).map_or(i128::MAX, Quantity::steps);
                    let spent = spent.entry(*key).or_default();
                    *spent = spent.saturating_add(cost);
                    let counted = metering.counted.steps().saturating_abs().saturating_add(magnitude.steps());
                    let most = spent.saturating_add(balance.account.current.steps().saturating_abs());
                    // What has been counted in all may be far more than a balance: up to what can be told exactly.
                    if most >= BOUND.steps() || counted >= i128::MAX / 4 {
                        let name = &balance.rule.name;
                        let reason = format_args!("would take the balance `{name}` beyond 18 digits");
                        faults.push((index, Fault::invalid("values", reason)));
                    }
                }
            }
        }
        (!faults.is_empty()).then_some(Error::Faults(faults))
    }

    /// Has the customer's balances pay for an event that is being recorded; whether it took one below its minimum.
    pub(super) fn pay(
        &mut self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        paying: &Paying<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        if customer.accounts.list().is_empty() {
            return Ok(false);
        }
        let config = self.shared.config();
        let mut reserved = self.take_reserved(book, customer, paying.reservation);
        let mut overdrawn = false;
        let quotes: Vec<(Chain, Plan)> =
            quote(&config, customer, paying.facts)?.into_iter().map(|quote| (quote.chain, quote.plan)).collect();
        let external = customer.external.clone();
        for (chain, plan) in quotes {
            overdrawn |= plan.short.is_some();
            book.pay_for(paying.facts.id, paying.event);
            for share in &plan.shares {
                let Some(balance) = chain.balances.get(share.place).and_then(|key| customer.accounts.get_mut(*key))
                else {
                    continue;
                };
                let (Some(price), Some(metering)) = (balance.rule.price.clone(), balance.metering.as_mut()) else {
                    continue;
                };
                let amount = metering.take(share.quantity)?;
                book.touch_rate(price.key);
                book.touch(balance, &external);
                let entry = if amount.is_positive() {
                    let place = reserved.iter().position(|held| held.balance == balance.rule.key);
                    let held = place.map(|place| reserved.swap_remove(place));
                    let parts = held.as_ref().map_or(&[][..], |held| &held.parts);
                    let entry = balance.account.debit(amount, parts, now, &mut book.journal);
                    if let Some(held) = held {
                        book.end_hold(held.number, Ending { state: "captured", at: now, entry: Some(entry) });
                    }
                    entry
                } else if amount.is_negative() {
                    balance.account.adjust(Quantity::from_steps(-amount.steps()), now, &mut book.journal)
                } else {
                    book.count_unpriced(paying.event, price.key, false, share.quantity);
                    continue;
                };
                let about = About {
                    cause: Some(CauseKind::Event),
                    actor: paying.actor.0,
                    who: Some(paying.actor.1.clone()),
                    description: paying.facts.event_type.to_owned(),
                    event: Some(paying.event),
                    rate: Some(price.key),
                    quantity: Some(share.quantity),
                    overdrawn: plan.short.is_some_and(|(place, _)| place == share.place),
                    ..About::default()
                };
                self.note(book, &external, balance, Some((entry, about)), now)?;
            }
        }
        // What had been held and was not needed is free again.
        for held in reserved {
            if let Some(balance) = customer.accounts.get_mut(held.balance) {
                balance.account.settle(now, &mut book.journal);
                self.note(book, &external, balance, None, now)?;
                book.touch(balance, &external);
                book.end_hold(held.number, Ending { state: "released", at: now, entry: None });
            }
        }
        Ok(overdrawn)
    }

    /// Ends the holds of a reservation, and answers what they had reserved.
    fn take_reserved(
        &self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        reservation: Option<ReservationId>,
    ) -> Vec<Reserved> {
        let mut reserved = Vec::new();
        let Some(reservation) = reservation else { return reserved };
        if !customer.accounts.list().iter().any(|balance| balance.holds_of(reservation).next().is_some()) {
            return reserved;
        }
        let external = customer.external.clone();
        for balance in customer.accounts.iter_mut() {
            let numbers: Vec<i64> = balance.holds_of(reservation).collect();
            for number in numbers {
                balance.hold_ids.retain(|hold| hold.number != number);
                if let Some(parts) = balance.account.take_hold(number) {
                    reserved.push(Reserved { balance: balance.rule.key, number, parts });
                    book.touch(balance, &external);
                }
            }
        }
        reserved
    }

    /// Sets aside what an event that may come would cost.
    pub(super) fn reserve_price(
        &mut self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        facts: &Facts<'_>,
        reservation: (ReservationId, Timestamp, i64),
        now: Timestamp,
    ) -> Result<()> {
        if customer.accounts.list().is_empty() {
            return Ok(());
        }
        let config = self.shared.config();
        let (id, expires_at, actor) = reservation;
        let quotes: Vec<(Chain, Plan)> =
            quote(&config, customer, facts)?.into_iter().map(|quote| (quote.chain, quote.plan)).collect();
        let external = customer.external.clone();
        for (chain, plan) in quotes {
            for share in plan.shares.iter().filter(|share| share.amount.is_positive()) {
                let Some(balance) = chain.balances.get(share.place).and_then(|key| customer.accounts.get_mut(*key))
                else {
                    continue;
                };
                self.last_balance_hold += 1;
                let row = HoldRow {
                    number: self.last_balance_hold,
                    id: HoldId::new(self.ids.next(now)?),
                    balance: balance.rule.key,
                    balance_id: balance.rule.id,
                    external: external.clone(),
                    amount: share.amount,
                    parts: Vec::new(),
                    description: facts.event_type.to_owned(),
                    reference: None,
                    key: None,
                    reservation: Some(id),
                    expires_at,
                    state: HoldState::Live,
                    captured: None,
                    created_at: now,
                    ended_at: None,
                    actor,
                    is_new: true,
                };
                set_aside(balance, row, book);
                book.touch(balance, &external);
            }
        }
        Ok(())
    }

    /// Gives up what a reservation holds on balances.
    pub(super) fn release_price(
        &mut self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        reservation: ReservationId,
        now: Timestamp,
    ) -> Result<()> {
        let external = customer.external.clone();
        for held in self.take_reserved(book, customer, Some(reservation)) {
            if let Some(balance) = customer.accounts.get_mut(held.balance) {
                balance.account.settle(now, &mut book.journal);
                self.note(book, &external, balance, None, now)?;
                book.end_hold(held.number, Ending { state: "released", at: now, entry: None });
            }
        }
        Ok(())
    }

    /// Lets what a reservation holds on balances last longer.
    pub(super) fn prolong_price(
        &mut self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        reservation: ReservationId,
        until: Timestamp,
    ) {
        if !customer.accounts.list().iter().any(|balance| balance.holds_of(reservation).next().is_some()) {
            return;
        }
        let external = customer.external.clone();
        for balance in customer.accounts.iter_mut() {
            let numbers: Vec<i64> = balance.holds_of(reservation).collect();
            for number in numbers {
                balance.account.extend(number, until);
                book.touch(balance, &external);
                book.extend_hold(number, until);
            }
        }
    }
}

struct Reserved {
    balance: i64,
    number: i64,
    parts: Vec<(i64, Quantity)>,
}

/// What the balances paid for an event that has been recorded in this batch, as they stand now.
pub(super) fn charged(customer: &LiveCustomer, book: &Book, event: i64) -> Vec<Charged> {
    if customer.accounts.list().is_empty() {
        return Vec::new();
    }
    shown(customer, book.paid_for(event))
}

fn shown(customer: &LiveCustomer, paid: impl Iterator<Item = (i64, Quantity)>) -> Vec<Charged> {
    let mut charged: Vec<(u16, i64, Charged)> = Vec::new();
    for (key, amount) in paid {
        let Some(balance) = customer.accounts.list().iter().find(|balance| balance.rule.key == key) else { continue };
        charged.push((balance.rule.settings.priority, key, balance.charged(amount)));
    }
    charged.sort_by_key(|(priority, key, _)| (*priority, *key));
    charged.into_iter().map(|(.., charged)| charged).collect()
}

impl Writer {
    /// What the balances paid for an event that had been recorded before, as they stand now.
    pub(super) async fn charged_before(
        &mut self,
        customer: &LiveCustomer,
        book: &Book,
        event: EventId,
    ) -> Result<Vec<Charged>> {
        if customer.accounts.list().is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "SELECT l.balance, l.type, l.units, l.nanos FROM event e JOIN ledger_entry l ON l.event = e.seq AND l.cause = 'event' \
             WHERE e.id = ?1 ORDER BY l.seq",
        )
        .bind(event.uuid())
        .fetch_all(&mut self.conn)
        .await?;
        let mut paid = Vec::new();
        for row in &rows {
            let amount = quantity(row, "units", "nanos")?;
            let is_debit = row.try_get::<&str, _>("type")? == "debit";
            paid.push((row.try_get(0)?, if is_debit { amount } else { Quantity::from_steps(-amount.steps()) }));
        }
        // It may have been recorded a moment ago, in this transaction.
        if paid.is_empty() {
            paid.extend(book.paid_for_id(event));
        }
        Ok(shown(customer, paid.into_iter()))
    }
}

impl LiveBalance {
    /// The holds of a reservation, by number.
    pub(crate) fn holds_of(&self, reservation: ReservationId) -> impl Iterator<Item = i64> + '_ {
        let of = move |hold: &&crate::accounts::LiveHold| hold.reservation == Some(reservation);
        self.hold_ids.iter().filter(of).map(|hold| hold.number)
    }

    /// What it paid for an event, and where it stands.
    pub(crate) fn charged(&self, amount: Quantity) -> Charged {
        Charged {
            balance_id: self.rule.id,
            name: self.rule.name.clone(),
            unit: self.rule.unit.clone(),
            amount,
            current_balance: self.account.current,
            available_balance: self.account.available(),
        }
    }
}
