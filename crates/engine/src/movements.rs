//! Movements of balances: credit, debit, adjust, check, hold, capture, release, extend. Decided and written by the writer.

use serde::Serialize;
use weir_core::error::{Code, Fault};
use weir_core::event::{check_dimensions, hash_text};
use weir_core::id::HoldId;
use weir_core::ledger::Terms;
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_LONG, MAX_SHORT};

use crate::actor::Actor;
use crate::balances::{check_amount, check_priority};
use crate::engine::Engine;
use crate::entries;
use crate::error::{Error, Result};
use crate::model::{
    AdjustBalance, CaptureHold, CheckBalance, CheckedBalance, CreditBalance, DebitBalance, ExtendHold, Held,
    HoldBalance, MAX_HOLD_TTL, Moved,
};
use crate::scan::to_json;
use crate::writer::{Ask, AskKey, Booked, Deed, HoldDeed};

impl Engine {
    /// Adds money to a balance; answers once that is durable.
    pub async fn credit_balance(&self, actor: &Actor, credit: CreditBalance) -> Result<Moved> {
        check_amount(credit.amount)?;
        check_priority("priority", credit.priority)?;
        let body = body("credit", &CreditBalance { idempotency_key: None, ..credit.clone() })?;
        let CreditBalance { customer_id, name, amount, description, reference, idempotency_key, .. } = credit;
        let terms = Terms { priority: credit.priority, expires_at: credit.expires_at, source: credit.source };
        let deed = Deed::Credit(amount, terms);
        Moved::of(self.ask(actor, customer_id, name, deed, description, reference, idempotency_key, body).await?)
    }

    /// Takes money from a balance if it is available; answers once that is durable.
    pub async fn debit_balance(&self, actor: &Actor, debit: DebitBalance) -> Result<Moved> {
        check_amount(debit.amount)?;
        let body = body("debit", &DebitBalance { idempotency_key: None, ..debit.clone() })?;
        let DebitBalance { customer_id, name, amount, description, reference, idempotency_key } = debit;
        let deed = Deed::Debit(amount);
        Moved::of(self.ask(actor, customer_id, name, deed, description, reference, idempotency_key, body).await?)
    }

    /// Corrects a balance, up or down, whatever is available; answers once that is durable.
    pub async fn adjust_balance(&self, actor: &Actor, adjust: AdjustBalance) -> Result<Moved> {
        if adjust.amount == Quantity::ZERO {
            return Err(Fault::invalid("amount", "must not be zero").into());
        }
        text::check("note", &adjust.note, 1, MAX_LONG)?;
        let body = body("adjust", &AdjustBalance { idempotency_key: None, ..adjust.clone() })?;
        let AdjustBalance { customer_id, name, amount, note, reference, idempotency_key } = adjust;
        let deed = Deed::Adjust(amount);
        Moved::of(self.ask(actor, customer_id, name, deed, note, reference, idempotency_key, body).await?)
    }

    /// Sets an amount of a balance aside if it is available; answers once that is durable.
    pub async fn hold_balance(&self, actor: &Actor, hold: HoldBalance) -> Result<Held> {
        check_amount(hold.amount)?;
        let ttl = ttl(hold.ttl_seconds)?;
        let body = body("hold", &HoldBalance { idempotency_key: None, ..hold.clone() })?;
        let HoldBalance { customer_id, name, amount, description, reference, idempotency_key, .. } = hold;
        let deed = Deed::Hold(amount, ttl);
        Held::of(self.ask(actor, customer_id, name, deed, description, reference, idempotency_key, body).await?)
    }

    /// Books what a hold came to, and ends it. A repeat answers as the first did; after a release it is refused.
    pub async fn capture_hold(&self, actor: &Actor, id: HoldId, capture: CaptureHold) -> Result<Held> {
        if let Some(amount) = capture.amount {
            check_amount(amount)?;
        }
        if let Some(description) = &capture.description {
            text::check("description", description, 0, MAX_LONG)?;
        }
        let deed = HoldDeed::Capture(capture.amount, capture.description);
        let mut booked = self.writer().settle_hold(actor.clone(), id, deed).await?;
        if booked.first_entry.is_some() {
            let mut conn = self.reader().await?;
            let entry: Option<i64> = sqlx::query_scalar("SELECT entry FROM balance_hold WHERE id = ?1")
                .bind(id.uuid())
                .fetch_one(&mut *conn)
                .await?;
            let numbers: Vec<i64> = entry.into_iter().collect();
            let first = entries::by_number(&mut conn, self.shared.project, &numbers).await?;
            booked.transaction = first.into_iter().next().map(|(_, entry)| entry);
        }
        Held::of(booked)
    }

    /// Gives up what a hold holds. A repeat answers as the first did; after a capture it is refused.
    pub async fn release_hold(&self, actor: &Actor, id: HoldId) -> Result<Held> {
        Held::of(self.writer().settle_hold(actor.clone(), id, HoldDeed::Release).await?)
    }

    /// Lets a live hold last longer.
    pub async fn extend_hold(&self, actor: &Actor, id: HoldId, extend: ExtendHold) -> Result<Held> {
        let deed = HoldDeed::Extend(ttl(extend.ttl_seconds)?);
        Held::of(self.writer().settle_hold(actor.clone(), id, deed).await?)
    }

    /// Whether an amount is available. Consumes nothing, and sees every answered movement.
    pub async fn check_balance(&self, check: CheckBalance) -> Result<CheckedBalance> {
        text::check_external_id("customerId", &check.customer_id)?;
        text::check("name", &check.name, 1, MAX_SHORT)?;
        check_amount(check.amount)?;
        if let Some(dimensions) = &check.dimensions {
            check_dimensions("dimensions", dimensions)?;
        }
        let (_, customer) = self.loaded(&check.customer_id).await?;
        let Some(balance) = customer.accounts.named(&check.name) else {
            let message = format!("there is no balance `{}` of the customer `{}`", check.name, check.customer_id);
            return Err(Fault::new(Code::BalanceNotFound, message).into());
        };
        let balance = balance.at(self.now());
        let mut checked = balance.checked(check.amount);
        if let Some(dimensions) = &check.dimensions {
            let given = |name: &str| match name {
                "customer_id" => Some(&check.customer_id),
                _ => dimensions.get(name),
            };
            checked.sufficient &=
                balance.rule.settings.filters.iter().all(|(name, wanted)| given(name) == Some(wanted));
        }
        Ok(checked)
    }

    #[expect(clippy::too_many_arguments, reason = "what every movement is asked with")]
    async fn ask(
        &self,
        actor: &Actor,
        customer: String,
        name: String,
        deed: Deed,
        description: String,
        reference: Option<String>,
        key: Option<String>,
        body: [u8; 16],
    ) -> Result<Booked> {
        text::check_external_id("customerId", &customer)?;
        text::check("name", &name, 1, MAX_SHORT)?;
        text::check("description", &description, 0, MAX_LONG)?;
        if let Some(reference) = &reference {
            text::check("reference", reference, 1, MAX_SHORT)?;
        }
        if let Some(key) = &key {
            text::check("idempotencyKey", key, 1, MAX_SHORT)?;
        }
        let key = key.map(|text| AskKey { hash: hash_text(&text), body, text });
        self.writer().book(actor.clone(), Ask { customer, name, deed, description, reference, key }).await
    }
}

/// What a key is given for: the operation and all its fields.
fn body<T: Serialize>(operation: &str, fields: &T) -> Result<[u8; 16]> {
    Ok(hash_text(&format!("{operation} {}", to_json(fields)?)))
}

/// Microseconds that a hold is to last.
fn ttl(seconds: u32) -> Result<i64, Fault> {
    match seconds {
        1..=MAX_HOLD_TTL => Ok(i64::from(seconds) * 1_000_000),
        _ => Err(Fault::invalid("ttlSeconds", format_args!("must be a whole number from 1 to {MAX_HOLD_TTL}"))),
    }
}

impl Moved {
    /// What a credit, a debit or an adjustment came to.
    pub(crate) fn of(booked: Booked) -> Result<Self> {
        let Booked { error, transaction, balance, .. } = booked;
        Ok(Moved { success: error.is_none(), error, transaction, balance: balance.ok_or_else(no_balance)? })
    }
}

impl Held {
    /// What came of a hold.
    pub(crate) fn of(booked: Booked) -> Result<Self> {
        let Booked { error, transaction, hold, balance, .. } = booked;
        Ok(Held { success: error.is_none(), error, hold, transaction, balance: balance.ok_or_else(no_balance)? })
    }
}

fn no_balance() -> Error {
    Error::Unknown("the writer gave no balance".to_owned())
}
