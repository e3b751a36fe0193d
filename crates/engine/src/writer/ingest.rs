//! Recording events: a batch of commands decided in order against an overlay, written in one transaction, then swapped in.

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use sqlx::{Arguments, Row};
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::event::{EventDraft, Facts, hash_text};
use weir_core::id::{CustomerId, EventId};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp};

use super::flush::{begin, commit, insert_rows};
use super::track::{self, Past, RefusalRow};
use super::{Reply, Writer, counters};
use crate::actor::Actor;
use crate::changes::Topics;
use crate::config::effective;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::Tracked;
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
}

/// Events to record together or not at all.
pub(crate) struct Record {
    pub events: Vec<Prepared>,
    pub actor: Actor,
    pub reply: Asked,
}

/// How events are to be recorded, and where the answer goes.
pub(crate) enum Asked {
    /// Whatever limits say.
    Record(Reply<Vec<Outcome>>),
    /// One event, only if neither a rate limit nor a limit refuses it.
    Track(Reply<Tracked>),
}

/// What became of a command.
enum Done {
    Recorded(Vec<Outcome>),
    Tracked(Tracked),
}

impl Asked {
    /// Answers that it was not done.
    pub(super) fn refuse(self, error: Error) {
        // A caller that went away needs no answer.
        match self {
            Asked::Record(reply) => drop(reply.send(Err(error))),
            Asked::Track(reply) => drop(reply.send(Err(error))),
        }
    }

    fn answer(self, done: Result<Done>) {
        // A caller that went away needs no answer.
        match (self, done) {
            (Asked::Record(reply), Ok(Done::Recorded(outcomes))) => drop(reply.send(Ok(outcomes))),
            (Asked::Track(reply), Ok(Done::Tracked(tracked))) => drop(reply.send(Ok(tracked))),
            (asked, Err(error)) => asked.refuse(error),
            (asked, Ok(_)) => asked.refuse(Error::Unknown("the writer gave another command's answer".to_owned())),
        }
    }
}

/// Where the answers to several commands go, and what they will be.
type Answers = Vec<(Asked, Result<Done>)>;

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

/// What a batch changes, until it is committed.
#[derive(Default)]
pub(super) struct Overlay {
    pub(super) customers: FxHashMap<Arc<str>, LiveCustomer>,
    /// Customers that the first event recorded for them will create.
    pub(super) unknown: FxHashSet<Arc<str>>,
    new_customers: Vec<Arc<str>>,
    new_types: Vec<(i64, String)>,
    events: Vec<EventRow>,
    /// Keys seen, from the file and from this batch.
    pub(super) keys: FxHashMap<(i64, [u8; 16]), (EventId, [u8; 16])>,
    new_keys: Vec<(i64, Key, i64)>,
    /// Windows that tracked events lie in and live counters do not reach back to.
    pub(super) past: Past,
    pub(super) refusals: Vec<RefusalRow>,
    /// Calls in the present slot of rate limits, by rate limit, slot and customer.
    pub(super) rate_uses: FxHashMap<(i64, i64, i64), u64>,
}

impl Writer {
    /// Records what several callers sent, each all or nothing, in one transaction, and answers them.
    pub(crate) async fn record(&mut self, commands: Vec<Record>) -> Result<()> {
        let now = self.shared.clock.now();
        let mut replies = Vec::with_capacity(commands.len());
        let result = self.record_in_order(commands, now, &mut replies).await;
        match result {
            Ok((recorded, refused)) => {
                if refused {
                    self.shared.publish(Topics::REFUSALS);
                }
                if recorded > 0 {
                    self.shared.count_recorded(now, recorded);
                    self.shared.publish(Topics::EVENTS | Topics::STANDINGS | Topics::CUSTOMERS);
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

    /// Answers how many events were recorded, and whether anything was refused.
    async fn record_in_order(
        &mut self,
        commands: Vec<Record>,
        now: Timestamp,
        replies: &mut Answers,
    ) -> Result<(u64, bool)> {
        let mut overlay = Overlay::default();
        let mut work = Vec::with_capacity(commands.len());
        for command in commands {
            // Whatever happens from here on, the caller is answered.
            replies.push((command.reply, Err(Error::Closed)));
            work.push((command.events, command.actor));
        }
        self.resolve_customers(&mut overlay, &work, now).await?;
        self.look_up_keys(&mut overlay, &work).await?;
        for ((events, _), (asked, _)) in work.iter().zip(replies.iter()) {
            if let (Asked::Track(_), [event]) = (asked, events.as_slice()) {
                self.look_back(&mut overlay, event).await?;
            }
        }
        for ((mut events, actor), (asked, done)) in work.into_iter().zip(replies.iter_mut()) {
            *done = match (contradictions(&overlay, &events), asked) {
                (Some(faults), _) => Err(faults),
                (None, Asked::Record(_)) => Ok(Done::Recorded(self.apply(&mut overlay, events, &actor, now).await?)),
                (None, Asked::Track(_)) => match events.pop() {
                    Some(event) => self.track(&mut overlay, event, &actor, now).await?.map(Done::Tracked),
                    None => Err(Error::Unknown("there is no event to track".to_owned())),
                },
            };
        }
        let told = (overlay.events.len() as u64, !overlay.refusals.is_empty());
        self.commit_batch(overlay, now).await?;
        Ok(told)
    }

    /// Puts every customer of the batch into the overlay, new ones created, counters loaded.
    async fn resolve_customers(
        &mut self,
        overlay: &mut Overlay,
        work: &[(Vec<Prepared>, Actor)],
        now: Timestamp,
    ) -> Result<()> {
        let config = self.shared.config();
        for event in work.iter().flat_map(|(events, _)| events) {
            if overlay.customers.contains_key(event.customer.as_str()) {
                continue;
            }
            let customer = match self.shared.customers.get(&event.customer) {
                Some(known) => (*known).clone(),
                None => {
                    self.last_customer += 1;
                    let mut customer = LiveCustomer {
                        key: self.last_customer,
                        id: CustomerId::new(self.ids.next(now)?),
                        external: event.customer.as_str().into(),
                        zone: None,
                        anchor: CivilDate::of(now, config.project.timezone),
                        own: Arc::default(),
                        counters: Vec::new(),
                        rates: Vec::new(),
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

    async fn look_up_keys(&mut self, overlay: &mut Overlay, work: &[(Vec<Prepared>, Actor)]) -> Result<()> {
        let mut asked = Vec::new();
        for event in work.iter().flat_map(|(events, _)| events) {
            if let (Some(key), Some(customer)) = (&event.key, overlay.customers.get(event.customer.as_str())) {
                asked.push((customer.key, hex(&key.hash)));
            }
        }
        if asked.is_empty() {
            return Ok(());
        }
        let rows = sqlx::query(
            "SELECT k.customer, k.key_hash, k.body_hash, e.id FROM json_each(?1) q \
             CROSS JOIN event_key k ON k.customer = q.value ->> 0 AND k.key_hash = unhex(q.value ->> 1) \
             CROSS JOIN event e ON e.seq = k.event",
        )
        .bind(to_json(&asked)?)
        .fetch_all(&mut self.conn)
        .await?;
        for row in rows {
            let (hash, body) = (crate::rollup::member(row.try_get(1)?)?, crate::rollup::member(row.try_get(2)?)?);
            overlay.keys.insert((row.try_get(0)?, hash), (EventId::new(row.try_get(3)?), body));
        }
        Ok(())
    }

    /// Records events whose keys contradict nothing.
    pub(super) async fn apply(
        &mut self,
        overlay: &mut Overlay,
        events: Vec<Prepared>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Vec<Outcome>> {
        let config = self.shared.config();
        let actor = self.actor(actor).await?;
        let mut outcomes = Vec::with_capacity(events.len());
        for event in events {
            let Some(customer) = overlay.customers.get_mut(event.customer.as_str()) else {
                return Err(Error::Storage("a customer was not resolved".to_owned()));
            };
            if let Some(key) = &event.key
                && let Some((id, _)) = overlay.keys.get(&(customer.key, key.hash))
            {
                outcomes.push(Outcome { id: *id, duplicate: true });
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
                    track::count_past(&mut overlay.past, customer.key, rule.key, &part)?;
                }
            }
            let at = facts.at.as_micros();
            if let Some(key) = event.key {
                overlay.keys.insert((customer.key, key.hash), (id, key.body));
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
            outcomes.push(Outcome { id, duplicate: false });
        }
        Ok(outcomes)
    }

    async fn commit_batch(&mut self, mut overlay: Overlay, now: Timestamp) -> Result<()> {
        if overlay.events.is_empty() && overlay.refusals.is_empty() {
            return Ok(());
        }
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
        let flushed = self.pending.is_full();
        if flushed {
            self.store_pending(now, Some(&overlay.customers)).await?;
        }
        commit(&mut self.conn).await?;
        for (external, mut customer) in overlay.customers {
            if overlay.unknown.contains(&external) {
                continue;
            }
            customer.forget_windows_before(now);
            self.shared.customers.put(customer);
        }
        self.flushed(flushed);
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
            .map(|(_, body)| *body);
        let first = earlier.unwrap_or_else(|| *within.entry((&event.customer, key.hash)).or_insert(key.body));
        if first != key.body {
            let mut fault = Fault::invalid("idempotencyKey", "was used before for another event of this customer");
            fault.code = Code::IdempotencyConflict;
            faults.push((index, fault));
        }
    }
    (!faults.is_empty()).then_some(Error::Faults(faults))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
