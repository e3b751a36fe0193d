//! Recording events: a batch of commands decided in order against an overlay, written in one transaction, then swapped in.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::Row;
use weir_core::error::{Code, Fault};
use weir_core::event::{EventDraft, Facts, hash_text};
use weir_core::id::{CustomerId, EventId, ReservationId};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp};

use super::alerts;
use super::book::Book;
use super::charge::Paying;
use super::holds::HoldRow;
use super::overlay::{EventRow, Key, Overlay, Seen};
use super::track;
use super::work::{Answers, Done, Record, Work};
use super::{Writer, counters};
use crate::accounts::Accounts;
use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::effective;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
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
