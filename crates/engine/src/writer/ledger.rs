//! Movements of balances that callers ask for: decided in order with recorded events, in the same transactions.

use rustc_hash::FxHashMap;
use sqlx::Row;
use weir_core::error::{Code, Fault};
use weir_core::id::{HoldId, TransactionId};
use weir_core::ledger::{BOUND, EntryKind, Terms};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::book::{About, First, Used};
use super::overlay::Overlay;
use super::set_aside::HoldRow;
use super::work::Work;
use crate::accounts::{LiveBalance, LiveHold};
use crate::actor::Actor;
use crate::entries;
use crate::error::{Error, Result};
use crate::model::{Balance, BalanceHold, HoldState, Insufficient, Transaction};
use crate::scan::to_json;

/// Grants of one balance that may be live at once, and holds: every movement looks at each of them.
const MOST_LIVE: usize = 10_000;

/// A movement that is asked for.
pub(crate) struct Ask {
    /// The customer's external id.
    pub customer: String,
    /// The balance's name.
    pub name: String,
    pub deed: Deed,
    pub description: String,
    pub reference: Option<String>,
    pub key: Option<AskKey>,
}

/// A caller's key, and what it was given for by hash.
pub(crate) struct AskKey {
    pub text: String,
    pub hash: [u8; 16],
    pub body: [u8; 16],
}

/// What is to be done.
pub(crate) enum Deed {
    /// Money comes in.
    Credit(Quantity, Terms),
    /// Money goes, if it is there.
    Debit(Quantity),
    /// A correction.
    Adjust(Quantity),
    /// Money is set aside for so many microseconds, if it is there.
    Hold(Quantity, i64),
}

/// What became of it.
#[derive(Clone, Default)]
pub(crate) struct Booked {
    pub error: Option<Insufficient>,
    pub transaction: Option<Transaction>,
    /// The entry to be answered where it was made before.
    pub first_entry: Option<TransactionId>,
    pub hold: Option<BalanceHold>,
    pub balance: Option<Balance>,
}

/// That there is too little.
pub(super) fn insufficient(balance: &LiveBalance, wanted: Quantity) -> Insufficient {
    let (name, available) = (&balance.rule.name, balance.account.available());
    let message = format!("the balance `{name}` has {available} available, which is less than {wanted}");
    Insufficient { code: "insufficient_balance", message }
}

impl Deed {
    fn entry_kind(&self) -> Option<EntryKind> {
        match self {
            Deed::Credit(..) => Some(EntryKind::Credit),
            Deed::Debit(_) => Some(EntryKind::Debit),
            Deed::Adjust(_) => Some(EntryKind::Adjustment),
            Deed::Hold(..) => None,
        }
    }
}

impl Writer {
    /// Looks up the keys and references that movements of a batch give.
    pub(super) async fn look_up_balance_keys(&mut self, overlay: &mut Overlay, work: &[(Work, Actor)]) -> Result<()> {
        let (mut keys, mut references) = (Vec::new(), Vec::new());
        for (work, _) in work {
            let Work::Move(ask) = work else { continue };
            let customer = overlay.customers.get(ask.customer.as_str());
            let Some(balance) = customer.and_then(|customer| customer.accounts.named(&ask.name)) else { continue };
            if let Some(key) = &ask.key {
                keys.push((balance.rule.key, super::ingest::hex(&key.hash)));
            }
            if let (Some(reference), Some(kind)) = (&ask.reference, ask.deed.entry_kind()) {
                references.push((balance.rule.key, kind.as_str(), reference));
            }
        }
        if !keys.is_empty() {
            let rows = sqlx::query(
                "SELECT k.balance, k.key_hash, k.body_hash, k.entry, h.id AS hold_id FROM json_each(?1) q \
                 CROSS JOIN balance_key k ON k.balance = q.value ->> 0 AND k.key_hash = unhex(q.value ->> 1) \
                 LEFT JOIN balance_hold h ON h.seq = k.hold",
            )
            .bind(to_json(&keys)?)
            .fetch_all(&mut self.conn)
            .await?;
            let (mut entries, mut holds) = (FxHashMap::default(), Vec::new());
            for row in &rows {
                let balance: i64 = row.try_get("balance")?;
                let hash = crate::rollup::member(row.try_get("key_hash")?)?;
                let body = crate::rollup::member(row.try_get("body_hash")?)?;
                if let Some(entry) = row.try_get::<Option<i64>, _>("entry")? {
                    entries.insert(entry, (balance, hash, body));
                } else if let Some(hold) = row.try_get::<Option<uuid::Uuid>, _>("hold_id")? {
                    holds.push((HoldId::new(hold), (balance, hash, body)));
                }
            }
            let numbers: Vec<i64> = entries.keys().copied().collect();
            for (number, entry) in entries::by_number(&mut self.conn, self.shared.project, &numbers).await? {
                if let Some((balance, hash, body)) = entries.remove(&number) {
                    let first = First::Entry(Box::new(entry));
                    overlay.book.keys.insert((balance, hash), Used { body, first });
                }
            }
            let ids: Vec<HoldId> = holds.iter().map(|(id, _)| *id).collect();
            self.look_up_balance_holds(overlay, &ids).await?;
            let now = self.shared.clock.now();
            for (id, (balance, hash, body)) in holds {
                if let Some(row) = overlay.book.holds.get(&id) {
                    let first = First::Hold(Box::new(row.shown(self.shared.project, now)));
                    overlay.book.keys.insert((balance, hash), Used { body, first });
                }
            }
        }
        if !references.is_empty() {
            let rows = sqlx::query(
                "SELECT e.balance, e.type, e.reference FROM json_each(?1) q CROSS JOIN ledger_entry e \
                 ON e.balance = q.value ->> 0 AND e.type = q.value ->> 1 AND e.reference = q.value ->> 2",
            )
            .bind(to_json(&references)?)
            .fetch_all(&mut self.conn)
            .await?;
            for row in &rows {
                overlay.book.references.insert((row.try_get(0)?, entries::kind_of(row.try_get(1)?), row.try_get(2)?));
            }
        }
        Ok(())
    }

    /// Moves a balance, or sets an amount of it aside. The outer error is the writer's, the inner one the caller's.
    pub(super) async fn book(
        &mut self,
        overlay: &mut Overlay,
        ask: Ask,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<Booked>> {
        let actor_number = self.actor(actor).await?;
        let project = self.shared.project;
        let Overlay { customers, book, .. } = overlay;
        let missing = || {
            let message = format!("there is no balance `{}` of the customer `{}`", ask.name, ask.customer);
            Error::from(Fault::new(Code::BalanceNotFound, message))
        };
        let Some(customer) = customers.get_mut(ask.customer.as_str()) else { return Ok(Err(missing())) };
        let external = customer.external.clone();
        let Some(key) = customer.accounts.named(&ask.name).map(|balance| balance.rule.key) else {
            return Ok(Err(missing()));
        };
        let Some(balance) = customer.accounts.get_mut(key) else { return Ok(Err(missing())) };
        let shown = |balance: &LiveBalance| Some(balance.shown(project, &external, now));
        if let Some(used) = ask.key.as_ref().and_then(|given| book.keys.get(&(key, given.hash))) {
            if ask.key.as_ref().is_some_and(|given| given.body != used.body) {
                let reason = "was used before for another operation on this balance";
                let fault = Fault { code: Code::IdempotencyConflict, ..Fault::invalid("idempotencyKey", reason) };
                return Ok(Err(fault.into()));
            }
            let mut booked = Booked { balance: shown(balance), ..Booked::default() };
            match used.first.clone() {
                First::Entry(entry) => booked.transaction = Some(*entry),
                First::Hold(hold) => booked.hold = Some(*hold),
            }
            return Ok(Ok(booked));
        }
        if let (Some(reference), Some(kind)) = (&ask.reference, ask.deed.entry_kind())
            && !book.references.insert((key, kind, reference.clone()))
        {
            let reason = format_args!("is that of an earlier {} of this balance", kind.as_str());
            return Ok(Err(Fault { code: Code::Conflict, ..Fault::invalid("reference", reason) }.into()));
        }
        let free_reference = |book: &mut super::book::Book| {
            if let (Some(reference), Some(kind)) = (&ask.reference, ask.deed.entry_kind()) {
                book.references.remove(&(key, kind, reference.clone()));
            }
        };
        let about = || About {
            actor: actor_number,
            who: Some(actor.clone()),
            description: ask.description.clone(),
            reference: ask.reference.clone(),
            key: ask.key.as_ref().map(|key| key.text.clone()),
            ..About::default()
        };
        let mut booked = Booked::default();
        let entry = match ask.deed {
            Deed::Credit(amount, terms) => {
                if terms.expires_at.is_some_and(|date| date <= now) {
                    free_reference(book);
                    return Ok(Err(Fault::invalid("expiresAt", "must be in the future").into()));
                }
                if !balance.account.has_room_for(amount) {
                    free_reference(book);
                    return Ok(Err(too_much().into()));
                }
                if let Some(fault) = too_many_grants(balance) {
                    free_reference(book);
                    return Ok(Err(fault.into()));
                }
                Some(balance.account.credit(amount, terms, now, &mut book.journal))
            }
            Deed::Adjust(amount) => {
                let after = balance.account.current.steps().saturating_add(amount.steps());
                if after.abs() >= BOUND.steps() {
                    free_reference(book);
                    return Ok(Err(too_much().into()));
                }
                if let Some(fault) = too_many_grants(balance).filter(|_| amount.is_positive()) {
                    free_reference(book);
                    return Ok(Err(fault.into()));
                }
                Some(balance.account.adjust(amount, now, &mut book.journal))
            }
            Deed::Debit(amount) | Deed::Hold(amount, _) if amount > balance.account.available() => {
                free_reference(book);
                booked.error = Some(insufficient(balance, amount));
                None
            }
            Deed::Debit(amount) => Some(balance.account.debit(amount, &[], now, &mut book.journal)),
            Deed::Hold(amount, ttl) => {
                if balance.account.holds.len() >= MOST_LIVE {
                    let reason = format_args!("has {MOST_LIVE} live holds: capture or release some first");
                    return Ok(Err(Fault { code: Code::Conflict, ..Fault::invalid("name", reason) }.into()));
                }
                self.last_balance_hold += 1;
                let row = HoldRow {
                    number: self.last_balance_hold,
                    id: HoldId::new(self.ids.next(now)?),
                    balance: key,
                    balance_id: balance.rule.id,
                    external: external.clone(),
                    amount,
                    parts: Vec::new(),
                    description: ask.description.clone(),
                    reference: ask.reference.clone(),
                    key: ask.key.as_ref().map(|key| key.text.clone()),
                    reservation: None,
                    expires_at: now.saturating_add_micros(ttl),
                    state: HoldState::Live,
                    captured: None,
                    created_at: now,
                    ended_at: None,
                    actor: actor_number,
                    is_new: true,
                };
                booked.hold = Some(row.shown(project, now));
                set_aside(balance, row, book);
                book.touch(balance, &external);
                None
            }
        };
        if let Some(entry) = entry {
            booked.transaction = self.note(book, &external, balance, Some((entry, about())), now)?;
            let operation = match ask.deed {
                Deed::Credit(..) => Some("balances.credit"),
                Deed::Adjust(_) => Some("balances.adjust"),
                Deed::Debit(_) | Deed::Hold(..) => None,
            };
            if let (Some(operation), Some(transaction)) = (operation, &booked.transaction) {
                book.audit((now, actor_number), operation, balance.rule.id.to_string(), transaction)?;
            }
        }
        if let Some(given) = ask.key {
            let first = match (&booked.transaction, &booked.hold) {
                (Some(entry), _) => Some(First::Entry(Box::new(entry.clone()))),
                (None, Some(hold)) => Some(First::Hold(Box::new(hold.clone()))),
                (None, None) => None,
            };
            let hold = booked.hold.is_some().then_some(self.last_balance_hold);
            if let Some(first) = first {
                book.take_key(key, given.hash, Used { body: given.body, first }, entry, hold);
            }
        }
        booked.balance = shown(balance);
        Ok(Ok(booked))
    }
}

/// Sets the amount of a new hold aside, and has its row written.
pub(super) fn set_aside(balance: &mut LiveBalance, mut row: HoldRow, book: &mut super::book::Book) {
    balance.account.hold(row.number, row.amount, row.expires_at);
    balance.hold_ids.push(LiveHold { number: row.number, id: row.id, reservation: row.reservation });
    row.parts = balance.account.find_hold(row.number).map(|hold| hold.parts.clone()).unwrap_or_default();
    book.holds.insert(row.id, row);
}

fn too_many_grants(balance: &LiveBalance) -> Option<Fault> {
    let reason = format_args!("has {MOST_LIVE} grants of which something is left");
    let fault = Fault { code: Code::Conflict, ..Fault::invalid("name", reason) };
    (balance.account.grants.len() >= MOST_LIVE).then_some(fault)
}

fn too_much() -> Fault {
    Fault::invalid("amount", "would take the balance beyond 18 digits")
}
