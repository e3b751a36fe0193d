//! Holds: amounts of balances set aside for debits that may come, and what becomes of them.

use std::sync::Arc;

use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::id::{BalanceId, HoldId, ReservationId, TransactionId};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::accounts::quantity;
use super::book::{About, Ending};
use super::ledger::{Booked, insufficient};
use super::overlay::Overlay;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::model::{BalanceHold, CauseKind, HoldState};
use crate::scan::{from_json, to_json};

/// What is to become of a hold.
pub(crate) enum HoldDeed {
    /// A debit of the actual amount, or of all that is held, with another description than the hold's.
    Capture(Option<Quantity>, Option<String>),
    /// What it holds is given up.
    Release,
    /// It lasts at least so many microseconds from now.
    Extend(i64),
}

/// A hold's row.
#[derive(Clone, Debug)]
pub(crate) struct HoldRow {
    pub number: i64,
    pub id: HoldId,
    pub balance: i64,
    pub balance_id: BalanceId,
    pub external: Arc<str>,
    pub amount: Quantity,
    pub parts: Vec<(i64, Quantity)>,
    pub description: String,
    pub reference: Option<String>,
    pub key: Option<String>,
    pub reservation: Option<ReservationId>,
    pub expires_at: Timestamp,
    /// As written: time may have run out meanwhile.
    pub state: HoldState,
    /// The debit that it was captured by.
    pub captured: Option<(TransactionId, Quantity)>,
    pub created_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub actor: i64,
    pub is_new: bool,
}

/// Holds with what they came to.
pub(crate) const SELECT_BALANCE_HOLDS: &str = "SELECT h.*, b.uuid AS balance_uuid, c.external_id, e.id AS entry_id, \
     e.units AS entry_units, e.nanos AS entry_nanos FROM balance_hold h JOIN balance b ON b.id = h.balance \
     JOIN customer c ON c.id = b.customer LEFT JOIN ledger_entry e ON e.seq = h.entry";

impl HoldRow {
    pub(crate) fn read(row: &SqliteRow) -> Result<Self> {
        let captured = match row.try_get::<Option<Uuid>, _>("entry_id")? {
            Some(id) => Some((TransactionId::new(id), quantity(row, "entry_units", "entry_nanos")?)),
            None => None,
        };
        Ok(HoldRow {
            number: row.try_get("seq")?,
            id: HoldId::new(row.try_get("id")?),
            balance: row.try_get("balance")?,
            balance_id: BalanceId::new(row.try_get("balance_uuid")?),
            external: row.try_get::<&str, _>("external_id")?.into(),
            amount: quantity(row, "units", "nanos")?,
            parts: from_json(row.try_get("parts")?)?,
            description: row.try_get("description")?,
            reference: row.try_get("reference")?,
            key: row.try_get("idempotency_key")?,
            reservation: row.try_get::<Option<Uuid>, _>("reservation")?.map(ReservationId::new),
            expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
            state: match row.try_get("state")? {
                "live" => HoldState::Live,
                "captured" => HoldState::Captured,
                "released" => HoldState::Released,
                _ => HoldState::Expired,
            },
            captured,
            created_at: Timestamp::from_micros(row.try_get("created_at")?),
            ended_at: row.try_get::<Option<i64>, _>("ended_at")?.map(Timestamp::from_micros),
            actor: row.try_get("actor")?,
            is_new: false,
        })
    }

    fn state_at(&self, now: Timestamp) -> HoldState {
        if self.state == HoldState::Live && self.expires_at <= now { HoldState::Expired } else { self.state }
    }

    /// As it is shown.
    pub(crate) fn shown(&self, project_id: weir_core::id::ProjectId, now: Timestamp) -> BalanceHold {
        let state = self.state_at(now);
        let ran_out = (state == HoldState::Expired).then_some(self.expires_at);
        BalanceHold {
            id: self.id,
            project_id,
            balance_id: self.balance_id,
            amount: self.amount,
            state,
            expires_at: self.expires_at,
            description: self.description.clone(),
            reference: self.reference.clone(),
            idempotency_key: self.key.clone(),
            reservation_id: self.reservation,
            transaction_id: self.captured.map(|(id, _)| id),
            captured: self.captured.map(|(_, amount)| amount),
            created_at: self.created_at,
            ended_at: self.ended_at.or(ran_out),
        }
    }
}

fn conflict(message: String) -> Error {
    Fault::new(Code::Conflict, message).into()
}

impl Writer {
    /// Puts the holds that a batch is about into the overlay.
    pub(super) async fn look_up_balance_holds(&mut self, overlay: &mut Overlay, ids: &[HoldId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let hex: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
        let sql = format!("{SELECT_BALANCE_HOLDS} WHERE h.id IN (SELECT unhex(value) FROM json_each(?1))");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_json(&hex)?).fetch_all(&mut self.conn).await?;
        for row in rows {
            let row = HoldRow::read(&row)?;
            overlay.book.holds.insert(row.id, row);
        }
        Ok(())
    }

    /// Ends a hold, or lets it last longer. What was done before is answered as it was the first time.
    pub(super) async fn settle_hold(
        &mut self,
        overlay: &mut Overlay,
        id: HoldId,
        deed: HoldDeed,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<Booked>> {
        let actor_number = self.actor(actor).await?;
        let Overlay { customers, book, .. } = overlay;
        let missing = || Error::not_found(Code::HoldNotFound, "hold", &id.to_string());
        let Some(row) = book.holds.get(&id).cloned() else { return Ok(Err(missing())) };
        let Some(customer) = customers.get_mut(&row.external) else { return Ok(Err(missing())) };
        let external = customer.external.clone();
        let Some(balance) = customer.accounts.get_mut(row.balance) else {
            return Ok(Err(conflict(format!("the balance of the hold `{id}` is archived"))));
        };
        if let Some(reservation) = row.reservation {
            return Ok(Err(conflict(format!("the hold `{id}` belongs to the reservation `{reservation}`: end that"))));
        }
        let mut booked = Booked::default();
        match (deed, row.state_at(now)) {
            (HoldDeed::Capture(amount, description), HoldState::Live) => {
                let amount = amount.unwrap_or(row.amount);
                let rest = Quantity::from_steps(amount.steps().saturating_sub(row.amount.steps()));
                if rest.is_positive() && rest > balance.account.available() {
                    booked.error = Some(insufficient(balance, rest));
                } else {
                    let entry = balance.account.capture(row.number, amount, now, &mut book.journal);
                    let entry = entry.ok_or_else(|| Error::Storage("a hold was lost".to_owned()))?;
                    let about = About {
                        cause: Some(CauseKind::Hold),
                        actor: actor_number,
                        who: Some(actor.clone()),
                        description: description.unwrap_or(row.description),
                        hold: Some(row.number),
                        ..About::default()
                    };
                    booked.transaction = self.note(book, &external, balance, Some((entry, about)), now)?;
                    balance.hold_ids.retain(|hold| hold.number != row.number);
                    book.end_hold(row.number, Ending { state: "captured", at: now, entry: Some(entry) });
                    if let Some(row) = book.holds.get_mut(&id) {
                        (row.state, row.ended_at) = (HoldState::Captured, Some(now));
                        row.captured = booked.transaction.as_ref().map(|entry| (entry.id, amount));
                    }
                }
            }
            (HoldDeed::Capture(amount, _), HoldState::Captured) => {
                let first = row.captured.map(|(_, amount)| amount);
                if first != Some(amount.unwrap_or(row.amount)) {
                    let reason = "is not what the hold was captured with the first time";
                    let fault = Fault { code: Code::IdempotencyConflict, ..Fault::invalid("amount", reason) };
                    return Ok(Err(fault.into()));
                }
                booked.first_entry = row.captured.map(|(id, _)| id);
            }
            (HoldDeed::Release, HoldState::Released) => {}
            (HoldDeed::Release, HoldState::Live) => {
                balance.account.release(row.number, now, &mut book.journal);
                self.note(book, &external, balance, None, now)?;
                balance.hold_ids.retain(|hold| hold.number != row.number);
                book.touch(balance, &external);
                book.end_hold(row.number, Ending { state: "released", at: now, entry: None });
                if let Some(row) = book.holds.get_mut(&id) {
                    (row.state, row.ended_at) = (HoldState::Released, Some(now));
                }
            }
            (HoldDeed::Extend(ttl), HoldState::Live) => {
                let until = now.saturating_add_micros(ttl).max(row.expires_at);
                balance.account.extend(row.number, until);
                book.touch(balance, &external);
                book.extend_hold(row.number, until);
                if let Some(row) = book.holds.get_mut(&id) {
                    row.expires_at = until;
                }
            }
            (_, state) => {
                let was = match state {
                    HoldState::Captured => "was captured",
                    HoldState::Released => "was released",
                    HoldState::Expired | HoldState::Live => "has run out",
                };
                return Ok(Err(conflict(format!("the hold `{id}` {was}"))));
            }
        }
        booked.hold = book.holds.get(&id).map(|row| row.shown(self.shared.project, now));
        booked.balance = Some(balance.shown(self.shared.project, &external, now));
        Ok(Ok(booked))
    }
}
