//! What a batch of commands changes, until it is committed, and its one transaction.

use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::Arguments;
use uuid::Uuid;
use weir_core::id::{EventId, ReservationId};
use weir_core::time::Timestamp;

use super::Writer;
use super::alerts::AlertChanges;
use super::book::Book;
use super::first_answers;
use super::flush::{begin, commit, insert_rows};
use super::holds::HoldRow;
use super::track::{Past, RateUses, RefusalRow};
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::receipts::{self, Kept};

/// A caller's key and what it was given for, both by hash.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) hash: [u8; 16],
    pub(super) body: [u8; 16],
}

/// An event row on its way into the file.
pub(super) struct EventRow {
    pub(super) seq: i64,
    pub(super) id: Uuid,
    pub(super) customer: i64,
    pub(super) event_type: i64,
    pub(super) at: i64,
    pub(super) actor: i64,
    pub(super) values: String,
    pub(super) dimensions: String,
    pub(super) properties: Option<String>,
}

/// An event that was recorded under a key.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    pub(super) id: EventId,
    pub(super) body: [u8; 16],
    /// It took a balance below its minimum.
    pub(super) overdrawn: bool,
}

/// What a batch changes, until it is committed.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) customers: FxHashMap<Arc<str>, LiveCustomer>,
    /// Customers that the first event recorded for them will create.
    pub(super) unknown: FxHashSet<Arc<str>>,
    pub(super) new_customers: Vec<Arc<str>>,
    pub(super) new_types: Vec<(i64, String)>,
    pub(super) events: Vec<EventRow>,
    /// Keys seen, from the file and from this batch.
    pub(super) keys: FxHashMap<(i64, [u8; 16]), Seen>,
    pub(super) new_keys: Vec<(i64, Key, i64)>,
    /// Windows that tracked events lie in and live counters do not reach back to.
    pub(super) past: Past,
    pub(super) refusals: Vec<RefusalRow>,
    pub(super) rate_uses: RateUses,
    /// Reservations that the batch is about, and those it makes.
    pub(super) holds: FxHashMap<ReservationId, HoldRow>,
    /// What becomes of alerts.
    pub(super) alerts: AlertChanges,
    /// What becomes of balances.
    pub(super) book: Book,
    /// Answers to keep.
    pub(super) receipts: Vec<Kept>,
    /// What tracking answered for events with keys, by ascending ids.
    pub(super) first_answers: Vec<(EventId, String)>,
}

impl Overlay {
    /// Ends a customer's reservation.
    pub(super) fn let_go(&mut self, customer: &str, id: ReservationId) {
        if let Some(customer) = self.customers.get_mut(customer) {
            customer.let_go(id);
        }
    }

    /// Lets a customer's reservation last longer.
    pub(super) fn prolong(&mut self, customer: &str, id: ReservationId, until: Timestamp) {
        let Some(customer) = self.customers.get_mut(customer) else { return };
        if let Some(hold) = customer.extras_mut().holds.iter_mut().find(|hold| hold.id == id) {
            Arc::make_mut(hold).expires_at = until;
        }
    }

    fn is_empty(&self) -> bool {
        self.events.is_empty()
            && self.refusals.is_empty()
            && self.book.is_empty()
            && self.receipts.is_empty()
            && !self.holds.values().any(HoldRow::is_touched)
    }
}

impl Writer {
    /// Writes a batch down, and swaps in what it leaves.
    pub(super) async fn commit_batch(&mut self, mut overlay: Overlay, now: Timestamp) -> Result<()> {
        if overlay.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        begin(&mut self.conn).await?;
        self.store_tracked(&overlay, now).await?;
        first_answers::store(&mut self.conn, &overlay.first_answers).await?;
        let at = now.as_micros();
        let new: Vec<_> = overlay.new_customers.iter().filter_map(|external| overlay.customers.get(external)).collect();
        insert_rows(
            &mut self.conn,
            "INTO customer (id, uuid, external_id, billing_cycle_start, created_at, updated_at)",
            6,
            "",
            &new,
            |arguments, customer| {
                arguments.add(customer.key)?;
                arguments.add(customer.id.uuid())?;
                arguments.add(customer.external.as_ref())?;
                arguments.add(customer.anchor.to_string())?;
                arguments.add(at)?;
                arguments.add(at)
            },
        )
        .await?;
        insert_rows(
            &mut self.conn,
            "INTO event_type (id, name)",
            2,
            "",
            &overlay.new_types,
            |arguments, (key, name)| {
                arguments.add(*key)?;
                arguments.add(name.as_str())
            },
        )
        .await?;
        insert_rows(
            &mut self.conn,
            r#"INTO event (seq, id, customer, type, at, recorded_at, actor, "values", dimensions, properties)"#,
            10,
            "",
            &overlay.events,
            |arguments, row| {
                arguments.add(row.seq)?;
                arguments.add(row.id)?;
                for number in [row.customer, row.event_type, row.at, at, row.actor] {
                    arguments.add(number)?;
                }
                arguments.add(row.values.as_str())?;
                arguments.add(row.dimensions.as_str())?;
                arguments.add(row.properties.as_deref())
            },
        )
        .await?;
        overlay.new_keys.sort_unstable_by_key(|(customer, key, _)| (*customer, key.hash));
        insert_rows(
            &mut self.conn,
            "INTO event_key (customer, key_hash, event, body_hash)",
            4,
            "",
            &overlay.new_keys,
            |arguments, (customer, key, seq)| {
                arguments.add(*customer)?;
                arguments.add(key.hash.to_vec())?;
                arguments.add(*seq)?;
                arguments.add(key.body.to_vec())
            },
        )
        .await?;
        self.store_holds(&overlay).await?;
        self.store_alerts(&overlay.alerts, now).await?;
        self.store_book(&overlay.book, &overlay.customers).await?;
        receipts::store(&mut self.conn, &overlay.receipts, now).await?;
        let flushed = self.pending.is_full();
        if flushed {
            self.store_pending(now, Some(&overlay.customers)).await?;
        }
        commit(&mut self.conn).await?;
        self.shared.measures.commits.observe(began.elapsed());
        for (external, mut customer) in overlay.customers {
            if overlay.unknown.contains(&external) {
                continue;
            }
            customer.forget_windows_before(now);
            self.expect_turn(&customer, now);
            self.shared.customers.put(customer);
        }
        if flushed || !self.pending.is_empty() {
            self.flushed(flushed);
        }
        Ok(())
    }
}
