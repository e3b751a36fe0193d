//! Voiding events: what was recorded stays as it is, and counts nowhere any more.

use weir_core::error::Code;
use weir_core::event::Event;
use weir_core::id::EventId;
use weir_core::text::{self, MAX_SHORT};

use crate::actor::Actor;
use crate::changes::Topics;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::query::{facts_of, find_event};
use crate::writer::{Audit, Tx};

impl Engine {
    /// Voids an event, for ever: everything that counted it is counted anew without it, in the same transaction. Its idempotency
    /// key stays taken. Voiding it again changes nothing: the first reason stands.
    pub async fn void_event(&self, actor: &Actor, id: EventId, reason: Option<String>) -> Result<Event> {
        if let Some(reason) = &reason {
            text::check("reason", reason, 1, MAX_SHORT)?;
        }
        self.writer().change(actor, move |tx| Box::pin(void(tx, id, reason))).await
    }
}

async fn void(tx: &mut Tx<'_>, id: EventId, reason: Option<String>) -> Result<Event> {
    let project = tx.project();
    let (seq, before) = find_event(tx.conn(), project, id).await?;
    if before.voided_at.is_some() {
        return Ok(before);
    }
    let mut customer = tx
        .customer(&before.customer_id)
        .ok_or_else(|| Error::not_found(Code::CustomerNotFound, "customer", &before.customer_id))?;
    tx.write_void(seq, reason.as_deref()).await?;
    tx.count_without(seq, customer.key, &facts_of(&before)).await?;
    tx.load_accounts(&mut customer).await?;
    tx.give_back(seq, &mut customer).await?;
    customer.counters.clear();
    tx.recount(customer).await?;
    let (_, after) = find_event(tx.conn(), project, id).await?;
    tx.audit(Audit { operation: "events.void", target: &id.to_string(), before: Some(&before), after: Some(&after) })
        .await?;
    tx.touches(Topics::EVENTS);
    Ok(after)
}
