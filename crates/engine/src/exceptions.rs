//! Exceptions for one customer: a limit raised until an instant, and usage reset for goodwill. Each is a fact; limits and windows
//! stay as they are.

use std::sync::Arc;

use serde::Serialize;
use weir_core::error::{Code, Fault};
use weir_core::id::LimitId;
use weir_core::text::{self, MAX_LONG};
use weir_core::time::Timestamp;

use crate::actor::Actor;
use crate::changes::Topics;
use crate::check::{first_event, standing_with};
use crate::config::{LimitRule, effective};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::extras;
use crate::limits::check_value;
use crate::live::LiveCustomer;
use crate::model::{LimitStanding, NewRaise, Raise, ResetUsage};
use crate::writer::{Audit, Tx};

/// How far ahead a raise may end, in microseconds.
const LONGEST: i64 = 10 * 366 * 86_400 * 1_000_000;

impl Engine {
    /// Raises a limit for one customer until an instant, after which the limit's own value is back by itself. A raise takes the
    /// place of the one before.
    pub async fn raise_limit(&self, actor: &Actor, id: LimitId, new: NewRaise) -> Result<Raise> {
        text::check_external_id("customerId", &new.customer_id)?;
        check_value(new.limit_value)?;
        check_note(&new.note)?;
        self.writer().change(actor, move |tx| Box::pin(raise(tx, id, new))).await
    }

    /// Takes a raise back before it ends. Where there is none, nothing changes.
    pub async fn end_raise(&self, actor: &Actor, id: LimitId, customer: String) -> Result<()> {
        text::check_external_id("customerId", &customer)?;
        self.writer().change(actor, move |tx| Box::pin(end_raise(tx, id, customer))).await
    }

    /// Lets what a customer has used of a limit start again from nothing. Events stay, and so does the window.
    pub async fn reset_usage(&self, actor: &Actor, id: LimitId, reset: ResetUsage) -> Result<LimitStanding> {
        text::check_external_id("customerId", &reset.customer_id)?;
        check_note(&reset.note)?;
        self.writer().change(actor, move |tx| Box::pin(reset_usage(tx, id, reset))).await
    }
}

fn check_note(note: &str) -> Result<(), Fault> {
    text::check("note", note, 1, MAX_LONG)
}

fn does_not_apply() -> Fault {
    Fault { code: Code::Conflict, ..Fault::invalid("customerId", "names a customer to whom the limit does not apply") }
}

/// A known customer, and the limit as it applies to them.
async fn find(tx: &mut Tx<'_>, id: LimitId, external: &str) -> Result<(LiveCustomer, Arc<LimitRule>)> {
    tx.find_limit(id).await?;
    let customer =
        tx.customer(external).ok_or_else(|| Error::not_found(Code::CustomerNotFound, "customer", external))?;
    let rule = effective(&tx.config, &customer.own).map(|(rule, _)| rule).find(|rule| rule.id == id).cloned();
    Ok((customer, rule.ok_or_else(does_not_apply)?))
}

async fn raise(tx: &mut Tx<'_>, id: LimitId, new: NewRaise) -> Result<Raise> {
    if new.until <= tx.now {
        return Err(Fault::invalid("until", "must be in the future").into());
    }
    if new.until.as_micros() - tx.now.as_micros() > LONGEST {
        return Err(Fault::invalid("until", "must be at most ten years ahead").into());
    }
    let (mut customer, rule) = find(tx, id, &new.customer_id).await?;
    if new.limit_value <= rule.value {
        let reason = format_args!("must be above the limit's own value, {}", rule.value);
        return Err(Fault::invalid("limitValue", reason).into());
    }
    let before = running(&customer, &rule, id, tx.now);
    let raise = extras::Raise {
        limit: rule.key,
        seq: tx.next_seq("limit_override").await?,
        value: new.limit_value,
        at: tx.now,
        until: new.until,
        note: new.note.as_str().into(),
    };
    store(tx, &customer, &raise).await?;
    tx.schedule(raise.until);
    customer.extras_mut().put_raise(raise);
    let after = running(&customer, &rule, id, tx.now);
    tx.recount(customer).await?;
    tx.audit(Audit {
        operation: "limits.raise",
        target: &id.to_string(),
        before: before.as_ref(),
        after: after.as_ref(),
    })
    .await?;
    tx.touches(Topics::LIMITS);
    after.ok_or_else(|| Error::Unknown("the raise is not in force".to_owned()))
}

async fn end_raise(tx: &mut Tx<'_>, id: LimitId, external: String) -> Result<()> {
    let (mut customer, rule) = find(tx, id, &external).await?;
    let Some(before) = running(&customer, &rule, id, tx.now) else { return Ok(()) };
    let raise = extras::Raise {
        limit: rule.key,
        seq: tx.next_seq("limit_override").await?,
        value: before.limit_value,
        at: tx.now,
        until: tx.now,
        note: before.note.as_str().into(),
    };
    store(tx, &customer, &raise).await?;
    customer.extras_mut().put_raise(raise);
    tx.recount(customer).await?;
    tx.audit(Audit { operation: "limits.end_raise", target: &id.to_string(), before: Some(&before), after: None })
        .await?;
    tx.touches(Topics::LIMITS);
    Ok(())
}

async fn store(tx: &mut Tx<'_>, customer: &LiveCustomer, raise: &extras::Raise) -> Result<()> {
    let (units, nanos) = raise.value.parts();
    let actor = tx.actor_key().await?;
    sqlx::query(
        "INSERT INTO limit_override (seq, usage_limit, customer, units, nanos, until, note, at, actor, ended) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .bind(raise.seq)
    .bind(raise.limit)
    .bind(customer.key)
    .bind(units as i64)
    .bind(nanos)
    .bind(raise.until.as_micros())
    .bind(&*raise.note)
    .bind(tx.now.as_micros())
    .bind(actor)
    .bind(raise.until <= tx.now)
    .execute(tx.conn())
    .await?;
    // The end of the one before is judged with this one.
    sqlx::query(
        "UPDATE limit_override SET ended = 1 WHERE usage_limit = ?1 AND customer = ?2 AND seq < ?3 AND ended = 0",
    )
    .bind(raise.limit)
    .bind(customer.key)
    .bind(raise.seq)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// The raise in force, as it is shown.
fn running(customer: &LiveCustomer, rule: &LimitRule, id: LimitId, now: Timestamp) -> Option<Raise> {
    customer.extras().raise(rule, now).map(|raise| Raise {
        limit_id: id,
        customer_id: customer.external.to_string(),
        limit_value: raise.value,
        until: raise.until,
        note: raise.note.to_string(),
        created_at: raise.at,
    })
}

/// A goodwill reset, as the audit keeps it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Forgiven<'a> {
    customer_id: &'a str,
    used: weir_core::quantity::Quantity,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

async fn reset_usage(tx: &mut Tx<'_>, id: LimitId, reset: ResetUsage) -> Result<LimitStanding> {
    let (mut customer, rule) = find(tx, id, &reset.customer_id).await?;
    tx.load(&mut customer).await?;
    let used = tx.used(&customer, &rule)?;
    let (seq, actor, after) = (tx.next_seq("limit_reset").await?, tx.actor_key().await?, tx.last_event());
    sqlx::query(
        "INSERT INTO limit_reset (seq, usage_limit, customer, after_event, note, at, actor) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )
    .bind(seq)
    .bind(rule.key)
    .bind(customer.key)
    .bind(after)
    .bind(&reset.note)
    .bind(tx.now.as_micros())
    .bind(actor)
    .execute(tx.conn())
    .await?;
    customer.extras_mut().put_reset(extras::Reset { limit: rule.key, after, at: tx.now });
    customer.counters.retain(|counter| counter.limit != rule.key);
    tx.load(&mut customer).await?;
    let left = tx.used(&customer, &rule)?;
    let first = first_event(tx.conn(), &customer).await?;
    let standing = standing_with(&tx.config, &customer, id, first, tx.now)?;
    tx.recount(customer).await?;
    let (customer_id, note) = (reset.customer_id.as_str(), Some(reset.note.as_str()));
    let before = Forgiven { customer_id, used, note: None };
    let after = Forgiven { customer_id, used: left, note };
    tx.audit(Audit { operation: "limits.reset", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::LIMITS);
    Ok(standing)
}
