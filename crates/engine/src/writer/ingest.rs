//! Recording events: a batch of commands decided in order against an overlay, written in one transaction, then swapped in.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::{Arguments, Row};
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::event::{EventDraft, Facts, hash_text};
use weir_core::id::{CustomerId, EventId, ReservationId};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp};

use super::alerts::{self, AlertChanges};
use super::book::Book;
use super::charge::Paying;
use super::flush::{begin, commit, insert_rows};
use super::holds::HoldRow;
use super::track::{self, Past, RateUses, RefusalRow};
use super::work::{Answers, Done, Record, Work};
use super::{Writer, counters};
use crate::accounts::Accounts;
use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::effective;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::receipts::{self, Kept};
use crate::scan::to_json;

/// An event ready to be recorded: everything that needs no state is done before it waits in the queue.
pub(crate) struct Prepared {
    pub(super) customer: String,
    pub(super) event_type: String,
    pub(super) values: BTreeMap<String, Quantity>,
    pub(super) dimensions: BTreeMap<String, String>,
    pub(super) at: Option<Timestamp>,
    values_json: String,
    dimensions_json: String,
    properties: Option<String>,
    pub(super) key: Option<Key>,
}

/// A caller's key and what it was given for, both by hash.
#[derive(Clone, Copy)]
pub(super) struct Key {
    pub(super) hash: [u8; 16],
    body: [u8; 16],
}

impl Prepared {
    pub(crate) fn new(draft: EventDraft) -> Result<Self> {
        let key = draft.idempotency_key.as_deref().map(|key| Key { hash: hash_text(key), body: draft.body_hash() });
        Ok(Prepared {
            values_json: to_json(&draft.values)?,
            dimensions_json: to_json(&draft.dimensions)?,
            properties: (!draft.properties.is_empty()).then(|| draft.properties.as_json().to_owned()),
            key,
            customer: draft.customer,
            event_type: draft.event_type,
            values: draft.values,
            dimensions: draft.dimensions,
            at: draft.timestamp,
        })
    }

    /// What metering looks at.
    pub(super) fn facts(&self, id: EventId, at: Timestamp) -> Facts<'_> {
        let (customer, event_type) = (self.customer.as_str(), self.event_type.as_str());
        Facts { id, at, customer, event_type, values: &self.values, dimensions: &self.dimensions }
    }

    /// Whether it was recorded before, under its key.
    pub(super) fn repeats(&self, overlay: &Overlay, customer: &LiveCustomer) -> bool {
        self.key.is_some_and(|key| overlay.keys.contains_key(&(customer.key, key.hash)))
    }

    /// About how much memory it takes while it waits, in bytes.
    pub(crate) fn size(&self) -> usize {
        256 + 2 * (self.values_json.len() + self.dimensions_json.len())
            + self.properties.as_ref().map_or(0, String::len)
    }
}

/// What became of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outcome {
    pub id: EventId,
    /// It had been recorded before, under the same key.
    pub duplicate: bool,
    /// It took a balance below its minimum.
    pub overdrawn: bool,
}

/// An event row on its way into the file.
struct EventRow {
    seq: i64,
    id: Uuid,
    customer: i64,
    event_type: i64,
    at: i64,
    actor: i64,
    values: String,
    dimensions: String,
    properties: Option<String>,
}

/// An event that was recorded under a key.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    id: EventId,
    body: [u8; 16],
    /// It took a balance below its minimum.
    overdrawn: bool,
}

/// What a batch changes, until it is committed.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) customers: FxHashMap<Arc<str>, LiveCustomer>,
    /// Customers that the first event recorded for them will create.
    pub(super) unknown: FxHashSet<Arc<str>>,
    pub(super) new_customers: Vec<Arc<str>>,
    new_types: Vec<(i64, String)>,
    events: Vec<EventRow>,
    /// Keys seen, from the file and from this batch.
    pub(super) keys: FxHashMap<(i64, [u8; 16]), Seen>,
    new_keys: Vec<(i64, Key, i64)>,
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
    receipts: Vec<Kept>,
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
    /// Records what several callers sent, each all or nothing, in one transaction, and answers them.
    pub(crate) async fn record(&mut self, commands: Vec<Record>) -> Result<()> {
        let now = self.shared.clock.now();
        let mut replies = Vec::with_capacity(commands.len());
        let result = self.record_in_order(commands, now, &mut replies).await;
        match result {
            Ok((recorded, topics)) => {
                if recorded > 0 {
                    self.shared.count_recorded(now, recorded);
                }
                if !topics.is_empty() {
                    self.shared.publish(topics);
                }
                replies.into_iter().for_each(|(asked, done)| asked.answer(done));
                Ok(())
            }
            Err(error) => {
                for (asked, _) in replies {
                    asked.refuse(match &error {
                        Error::Unknown(reason) => Error::Unknown(reason.clone()),
                        // Before the commit nothing is stored: closing the connection undoes it.
                        other => Error::Storage(other.to_string()),
                    });
                }
                Err(error)
            }
        }
    }

    /// Answers how many events were recorded, and what is stale.
    async fn record_in_order(
        &mut self,
        commands: Vec<Record>,
        now: Timestamp,
        replies: &mut Answers,
    ) -> Result<(u64, Topics)> {
        let mut overlay = Overlay { book: Book::after(self.last_entry), ..Overlay::default() };
        let (mut work, mut keeping) = (Vec::with_capacity(commands.len()), Vec::new());
        for command in commands {
            if let Some(one) = command.keeping {
                keeping.push((work.len(), one));
            }
            // Whatever happens from here on, the caller is answered.
            replies.push((command.reply, Err(Error::Closed)));
            work.push((command.work, command.actor));
        }
        let settled = work.iter().filter_map(|(work, _)| match work {
            Work::Settle(id, _) => Some(*id),
            _ => None,
        });
        let settled: Vec<_> = settled.collect();
        self.look_up_holds(&mut overlay, &settled).await?;
        let ended = work.iter().filter_map(|(work, _)| match work {
            Work::SettleHold(id, _) => Some(*id),
            _ => None,
        });
        let ended: Vec<_> = ended.collect();
        self.look_up_balance_holds(&mut overlay, &ended).await?;
        self.resolve_customers(&mut overlay, &work, now).await?;
        let Overlay { customers, book, .. } = &mut overlay;
        for customer in customers.values_mut() {
            self.bring_up_to_date(book, customer, now)?;
        }
        self.look_up_keys(&mut overlay, &work).await?;
        self.look_up_balance_keys(&mut overlay, &work).await?;
        for (work, _) in &work {
            if let Work::Track(event) = work {
                self.look_back(&mut overlay, event).await?;
            }
        }
        for ((work, actor), (_, done)) in work.into_iter().zip(replies.iter_mut()) {
            let faults =
                contradictions(&overlay, work.events()).or_else(|| self.too_dear(&overlay, work.events(), now));
            *done = match (faults, work) {
                (Some(faults), _) => Err(faults),
                (None, Work::Record(events)) => {
                    Ok(Done::Recorded(self.apply(&mut overlay, events, &actor, None, now).await?))
                }
                (None, Work::Track(event)) => self.track(&mut overlay, *event, &actor, now).await?.map(Done::Tracked),
                (None, Work::Reserve(event, ttl)) => {
                    self.reserve(&mut overlay, *event, ttl, &actor, now).await?.map(Done::Reserved)
                }
                (None, Work::Settle(id, settle)) => {
                    let settled = self.settle(&mut overlay, id, settle, &actor, now).await?;
                    settled.map(|settled| Done::Settled(Box::new(settled)))
                }
                (None, Work::Move(ask)) => {
                    let booked = self.book(&mut overlay, *ask, &actor, now).await?;
                    booked.map(|booked| Done::Booked(Box::new(booked)))
                }
                (None, Work::SettleHold(id, deed)) => {
                    let booked = self.settle_hold(&mut overlay, id, deed, &actor, now).await?;
                    booked.map(|booked| Done::Booked(Box::new(booked)))
                }
            };
        }
        for (place, keeping) in &keeping {
            if let Some((_, Ok(done))) = replies.get(*place) {
                overlay.receipts.extend(done.kept(keeping));
            }
        }
        let recorded = overlay.events.len() as u64;
        let mut topics = Topics::NONE;
        if recorded > 0 {
            topics |= Topics::EVENTS | Topics::STANDINGS | Topics::CUSTOMERS;
        }
        if !overlay.refusals.is_empty() {
            topics |= Topics::REFUSALS;
        }
        if overlay.holds.values().any(HoldRow::is_touched) {
            topics |= Topics::RESERVATIONS | Topics::STANDINGS | Topics::CUSTOMERS;
        }
        if !overlay.alerts.is_empty() {
            topics |= Topics::ALERTS;
        }
        topics |= overlay.book.topics();
        self.commit_batch(overlay, now).await?;
        Ok((recorded, topics))
    }

    /// Puts every customer of the batch into the overlay, new ones created, counters loaded.
    async fn resolve_customers(&mut self, overlay: &mut Overlay, work: &[(Work, Actor)], now: Timestamp) -> Result<()> {
        let config = self.shared.config();
        let mut held: Vec<_> = overlay.holds.values().map(|row| row.external.clone()).collect();
        held.extend(overlay.book.holds.values().map(|row| row.external.clone()));
        let events = work.iter().flat_map(|(work, _)| work.events()).map(|event| event.customer.as_str());
        let moved = work.iter().filter_map(|(work, _)| match work {
            Work::Move(ask) => Some(ask.customer.as_str()),
            _ => None,
        });
        for name in events.chain(moved).chain(held.iter().map(|name| &**name)) {
            if overlay.customers.contains_key(name) {
                continue;
            }
            let customer = match self.shared.customers.get(name) {
                Some(known) => (*known).clone(),
                None => {
                    self.last_customer += 1;
                    let mut customer = LiveCustomer {
                        key: self.last_customer,
                        id: CustomerId::new(self.ids.next(now)?),
                        external: name.into(),
                        zone: None,
                        anchor: CivilDate::of(now, config.project.timezone),
                        own: Arc::default(),
                        counters: Vec::new(),
                        rates: Vec::new(),
                        extras: None,
                        accounts: Accounts::None,
                    };
                    counters::start_counters(&config, &mut customer, now);
                    overlay.unknown.insert(customer.external.clone());
                    customer
                }
            };
            overlay.customers.insert(customer.external.clone(), customer);
        }
        let mut cold: Vec<_> =
            overlay.customers.values_mut().filter(|customer| !counters::is_loaded(&config, customer)).collect();
        if !cold.is_empty() {
            counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut cold, now).await?;
        }
        Ok(())
    }

    async fn look_up_keys(&mut self, overlay: &mut Overlay, work: &[(Work, Actor)]) -> Result<()> {
        let mut asked = Vec::new();
        for event in work.iter().flat_map(|(work, _)| work.events()) {
            if let (Some(key), Some(customer)) = (&event.key, overlay.customers.get(event.customer.as_str())) {
                asked.push((customer.key, hex(&key.hash)));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT k.customer, k.key_hash, k.body_hash, e.id, \
             EXISTS (SELECT 1 FROM ledger_entry l WHERE l.event = e.seq AND l.overdrawn) FROM json_each(?1) q \
             CROSS JOIN event_key k ON k.customer = q.value ->> 0 AND k.key_hash = unhex(q.value ->> 1) \
             CROSS JOIN event e ON e.seq = k.event",
        )
        .bind(to_json(&asked)?)
        .fetch_all(&mut self.conn)
        .await?;
        for row in rows {
            let (hash, body) = (crate::rollup::member(row.try_get(1)?)?, crate::rollup::member(row.try_get(2)?)?);
            let seen = Seen { id: EventId::new(row.try_get(3)?), body, overdrawn: row.try_get(4)? };
            overlay.keys.insert((row.try_get(0)?, hash), seen);
        }
        Ok(())
    }

    /// Records events whose keys contradict nothing, or the one that a reservation came to.
    pub(super) async fn apply(
        &mut self,
        overlay: &mut Overlay,
        events: Vec<Prepared>,
        who: &Actor,
        reservation: Option<ReservationId>,
        now: Timestamp,
    ) -> Result<Vec<Outcome>> {
        let config = self.shared.config();
        let actor = self.actor(who).await?;
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            let Some(customer) = overlay.customers.get_mut(event.customer.as_str()) else {
                return Err(Error::Storage("a customer was not resolved".to_owned()));
            };
            if let Some(key) = &event.key
                && let Some(Seen { id, overdrawn, .. }) = overlay.keys.get(&(customer.key, key.hash))
            {
                outcomes.push(Outcome { id: *id, duplicate: true, overdrawn: *overdrawn });
                continue;
            }
            if let Some(external) = overlay.unknown.take(event.customer.as_str()) {
                overlay.new_customers.push(external);
            }
            let id = EventId::new(self.ids.next(now)?);
            self.last_seq += 1;
            let event_type = match self.event_types.get(&event.event_type) {
                Some(known) => *known,
                None => {
                    let key = self.event_types.len() as i64 + 1;
                    self.event_types.insert(event.event_type.clone(), key);
                    overlay.new_types.push((key, event.event_type.clone()));
                    key
                }
            };
            let facts = event.facts(id, event.at.unwrap_or(now));
            self.pending.count_activity(customer.key, &customer.external, &facts);
            self.pending.count_base(&mut self.groups, customer.key, &facts)?;
            for meter in config.meters.values().filter(|meter| meter.ready) {
                self.pending.count_meter(&mut self.groups, meter, customer.key, &facts)?;
            }
            let (zone, own) = (customer.zone(&config), customer.own.clone());
            for (rule, _) in effective(&config, &own) {
                if let Some(meter) = config.meter_of(rule)
                    && let Some(part) = rule.contribution(meter, &facts)
                {
                    customer.count(rule, meter, zone, &part)?;
                    if !rule.thresholds.is_empty() {
                        alerts::judge(&config, customer, rule, meter, now, &mut overlay.alerts);
                    }
                    track::count_past(&mut overlay.past, customer.key, rule.key, &part)?;
                }
            }
            let paying = Paying { event: self.last_seq, facts: &facts, actor: (actor, who), reservation };
            let overdrawn = self.pay(&mut overlay.book, customer, &paying, now)?;
            let at = facts.at.as_micros();
            if let Some(key) = event.key {
                overlay.keys.insert((customer.key, key.hash), Seen { id, body: key.body, overdrawn });
                overlay.new_keys.push((customer.key, key, self.last_seq));
            }
            overlay.events.push(EventRow {
                seq: self.last_seq,
                id: id.uuid(),
                customer: customer.key,
                event_type,
                at,
                actor,
                values: event.values_json,
                dimensions: event.dimensions_json,
                properties: event.properties,
            });
            outcomes.push(Outcome { id, duplicate: false, overdrawn });
        }
        Ok(outcomes)
    }

    async fn commit_batch(&mut self, mut overlay: Overlay, now: Timestamp) -> Result<()> {
        if overlay.is_empty() {
            return Ok(());
        }
        let began = Instant::now();
        begin(&mut self.conn).await?;
        self.store_tracked(&overlay, now).await?;
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

/// The keys of a command that were used for something else, by the index of their events.
fn contradictions(overlay: &Overlay, events: &[Prepared]) -> Option<Error> {
    let mut within: FxHashMap<(&str, [u8; 16]), [u8; 16]> = FxHashMap::default();
    let mut faults = Vec::new();
    for (index, event) in events.iter().enumerate() {
        let Some(key) = event.key else { continue };
        let earlier = overlay
            .customers
            .get(event.customer.as_str())
            .and_then(|customer| overlay.keys.get(&(customer.key, key.hash)))
            .map(|seen| seen.body);
        let first = earlier.unwrap_or_else(|| *within.entry((&event.customer, key.hash)).or_insert(key.body));
        if first != key.body {
            let mut fault = Fault::invalid("idempotencyKey", "was used before for another event of this customer");
            fault.code = Code::IdempotencyConflict;
            faults.push((index, fault));
        }
    }
    (!faults.is_empty()).then_some(Error::Faults(faults))
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
