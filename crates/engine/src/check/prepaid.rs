//! Explaining what balances have to do with a request.

use weir_core::event::Facts;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Question;
use crate::accounts::LiveBalance;
use crate::config::Config;
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::model::{ExplainedBalance, FilterOwner, Mismatch};
use crate::writer::quote;

/// Every balance of a customer that pays for usage, asked about a request: those that would pay first, in the order in which they pay.
/// The customer's balances must have been brought up to date.
pub(super) fn explain(
    question: &Question<'_>,
    config: &Config,
    customer: &LiveCustomer,
) -> Result<Vec<ExplainedBalance>> {
    let quotes = match question {
        Question::Event { facts, with_values: true, .. } => quote(config, customer, facts)?,
        _ => Vec::new(),
    };
    let mut explained = Vec::new();
    for balance in customer.accounts.list() {
        let Some(price) = &balance.rule.price else { continue };
        let Some(meter) = config.meters.get(&price.meter) else { continue };
        let mismatch = mismatch(question, balance, meter);
        let mut quantity = None;
        let mut amount = None;
        let mut refuses = false;
        for quote in &quotes {
            let Some(place) = quote.balances.iter().position(|other| other.rule.key == balance.rule.key) else {
                continue;
            };
            refuses |= quote.plan.refused;
            let share = quote.plan.shares.iter().find(|share| share.place == place);
            quantity = Some(share.map_or(Quantity::ZERO, |share| share.quantity));
            amount = Some(share.map_or(Quantity::ZERO, |share| share.amount));
        }
        explained.push(ExplainedBalance {
            balance_id: balance.rule.id,
            name: balance.rule.name.clone(),
            unit: balance.rule.unit.clone(),
            meter_id: meter.id,
            meter_name: meter.name.clone(),
            metered: price.metered.clone(),
            priority: balance.rule.settings.priority,
            dimension_filters: balance.rule.settings.filters.clone(),
            applies: mismatch.is_none(),
            mismatch,
            current_balance: balance.account.current,
            held_balance: balance.account.held(),
            available_balance: balance.account.available(),
            quantity,
            amount,
            refuses,
        });
    }
    let order = |id: &weir_core::id::BalanceId| {
        customer.accounts.list().iter().position(|balance| balance.rule.id == *id).unwrap_or_default()
    };
    explained.sort_by_key(|balance| (!balance.applies, balance.priority, order(&balance.balance_id)));
    Ok(explained)
}

/// The first filter of the balance or its meter that the request does not meet, as far as it says.
fn mismatch(question: &Question<'_>, balance: &LiveBalance, meter: &crate::config::MeterRule) -> Option<Mismatch> {
    let Question::Event { event_type, facts, .. } = question else { return None };
    let given = |name: &str| if name == "event_type" { *event_type } else { facts.dimension(name) };
    let told = |of, dimension: &str, wanted: &str, given: Option<&str>| Mismatch {
        of,
        dimension: dimension.to_owned(),
        wanted: wanted.to_owned(),
        given: given.map(str::to_owned),
    };
    let of_type = meter.filter.event_type.iter().map(|wanted| ("event_type", wanted));
    for (dimension, wanted) in
        of_type.chain(meter.filter.dimensions.iter().map(|(name, wanted)| (name.as_str(), wanted)))
    {
        if let Some(other) = given(dimension).filter(|given| given != wanted) {
            return Some(told(FilterOwner::Meter, dimension, wanted, Some(other)));
        }
    }
    let mut filters = balance.rule.settings.filters.iter();
    let unmet = filters.find(|(name, wanted)| given(name) != Some(wanted.as_str()));
    unmet.map(|(dimension, wanted)| told(FilterOwner::Balance, dimension, wanted, given(dimension)))
}

/// The balances that would refuse an event that is tracked.
pub(super) fn refusing(
    config: &Config,
    customer: &LiveCustomer,
    facts: &Facts<'_>,
) -> Result<Vec<weir_core::id::BalanceId>> {
    let mut refusing = Vec::new();
    for quote in quote(config, customer, facts)? {
        if quote.plan.refused {
            refusing.extend(quote.balances.iter().map(|balance| balance.rule.id));
        }
    }
    Ok(refusing)
}

/// A customer as they are now: what has come due of their balances has happened.
pub(super) fn up_to_date(customer: &LiveCustomer, now: Timestamp) -> LiveCustomer {
    let mut customer = customer.clone();
    if customer.accounts.is_due(now) {
        for balance in customer.accounts.iter_mut() {
            *balance = balance.at(now);
        }
    }
    customer
}
