//! Reservations: a share of limits held by an event that may come, and what becomes of it. Decided like tracked events, in the
//! same transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;
use sqlx::{Arguments, Row, SqliteConnection};
use uuid::Uuid;
use weir_core::error::{Code, Fault};
use weir_core::event::EventDraft;
use weir_core::id::{EventId, ReservationId};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::flush::insert_rows;
use super::ingest::Prepared;
use super::overlay::Overlay;
use super::track::{self, judge};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::extras::Hold;
use crate::model::{Reservation, ReservationState, Reserved};
use crate::scan::{from_json, to_json};

/// Reservations of one customer that may be live at once: every decision about the customer looks at each of them.
const MOST_LIVE: usize = 10_000;

/// What is to become of a reservation.
pub(crate) enum Settle {
    /// The event is recorded, with the values given or those held.
    Commit(Option<BTreeMap<String, Quantity>>),
    /// Its share is given up.
    Release,
    /// It lasts at least so many microseconds from now.
    Extend(i64),
}

/// A reservation's row.
#[derive(Clone, Debug)]
pub(crate) struct HoldRow {
    pub seq: i64,
    id: ReservationId,
    customer: i64,
    pub external: Arc<str>,
    body: Body,
    pub expires_at: Timestamp,
    state: State,
    event: Option<(i64, EventId, BTreeMap<String, Quantity>)>,
    overdrawn: Option<bool>,
    created_at: Timestamp,
    ended_at: Option<Timestamp>,
    actor: i64,
    is_new: bool,
    is_changed: bool,
}

/// What is held, as stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    event_type: String,
    values: BTreeMap<String, Quantity>,
    dimensions: BTreeMap<String, String>,
}

/// The state as stored. Whether time has run out meanwhile, the clock says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Live,
    Captured,
    Released,
    Expired,
}

impl State {
    fn as_str(self) -> &'static str {
        match self {
            State::Live => "live",
            State::Captured => "captured",
            State::Released => "released",
            State::Expired => "expired",
        }
    }
}

/// Reservations with what they came to.
pub(crate) const SELECT_HOLDS: &str = r#"SELECT h.seq, h.id, h.customer, c.external_id, h.body, h.expires_at, h.state, h.event,
    e.id AS event_id, e."values" AS event_values, h.overdrawn, h.created_at, h.ended_at, h.actor
    FROM hold h JOIN customer c ON c.id = h.customer LEFT JOIN event e ON e.seq = h.event"#;

impl HoldRow {
    pub(crate) fn read(row: &SqliteRow) -> Result<Self> {
        let instant = |column| -> Result<Option<Timestamp>> {
            Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
        };
        let event = match (row.try_get::<Option<i64>, _>("event")?, row.try_get::<Option<Uuid>, _>("event_id")?) {
            (Some(seq), Some(id)) => Some((seq, EventId::new(id), from_json(row.try_get("event_values")?)?)),
            _ => None,
        };
        Ok(HoldRow {
            seq: row.try_get("seq")?,
            id: ReservationId::new(row.try_get("id")?),
            customer: row.try_get("customer")?,
            external: row.try_get::<&str, _>("external_id")?.into(),
            body: from_json(row.try_get("body")?)?,
            expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
            state: match row.try_get("state")? {
                "live" => State::Live,
                "captured" => State::Captured,
                "released" => State::Released,
                _ => State::Expired,
            },
            event,
            overdrawn: row.try_get("overdrawn")?,
            created_at: Timestamp::from_micros(row.try_get("created_at")?),
            ended_at: instant("ended_at")?,
            actor: row.try_get("actor")?,
            is_new: false,
            is_changed: false,
        })
    }

    /// As decisions know it, if it is live as far as is written.
    pub(crate) fn live(&self) -> Option<(i64, Hold)> {
        let hold = Hold {
            id: self.id,
            expires_at: self.expires_at,
            event_type: self.body.event_type.clone(),
            values: self.body.values.clone(),
            dimensions: self.body.dimensions.clone(),
        };
        (self.state == State::Live).then_some((self.customer, hold))
    }

    fn state_at(&self, now: Timestamp) -> ReservationState {
        match self.state {
            State::Live if now < self.expires_at => ReservationState::Live,
            State::Live | State::Expired => ReservationState::Expired,
            State::Captured => ReservationState::Committed,
            State::Released => ReservationState::Released,
        }
    }

    /// As it is shown.
    pub(crate) fn shown(&self, project_id: weir_core::id::ProjectId, now: Timestamp) -> Reservation {
        let state = self.state_at(now);
        let expired = (state == ReservationState::Expired).then_some(self.expires_at);
        let ended_at = self.ended_at.or(expired);
        let committed = state == ReservationState::Committed;
        Reservation {
            id: self.id,
            project_id,
            customer_id: self.external.to_string(),
            event_type: self.body.event_type.clone(),
            values: self.body.values.clone(),
            dimensions: self.body.dimensions.clone(),
            state,
            expires_at: self.expires_at,
            created_at: self.created_at,
            ended_at,
            event_id: self.event.as_ref().map(|(_, id, _)| *id),
            late: committed.then(|| ended_at.is_some_and(|at| at >= self.expires_at)),
            overdrawn: self.overdrawn.filter(|_| committed),
        }
    }

    /// Whether the batch made or changed it.
    pub(super) fn is_touched(&self) -> bool {
        self.is_new || self.is_changed
    }

    fn end(&mut self, state: State, now: Timestamp) {
        (self.state, self.ended_at, self.is_changed) = (state, Some(now), true);
    }
}

fn conflict(message: String) -> Error {
    Fault::new(Code::Conflict, message).into()
}

impl Writer {
    /// Puts the reservations that a batch is about into the overlay.
    pub(super) async fn look_up_holds(&mut self, overlay: &mut Overlay, ids: &[ReservationId]) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let hex: Vec<String> = ids.iter().map(|id| id.uuid().simple().to_string()).collect();
        let sql =
            format!("{SELECT_HOLDS} WHERE h.kind = 'reservation' AND h.id IN (SELECT unhex(value) FROM json_each(?1))");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_json(&hex)?).fetch_all(&mut self.conn).await?;
        for row in rows {
            let row = HoldRow::read(&row)?;
            overlay.holds.insert(row.id, row);
        }
        Ok(())
    }

    /// Holds a share for an event, if neither a rate limit nor a limit refuses it. The outer error is the writer's, the inner
    /// one the caller's.
    pub(super) async fn reserve(
        &mut self,
        overlay: &mut Overlay,
        event: Prepared,
        ttl: i64,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<Reserved>> {
        let expires_at = now.saturating_add_micros(ttl);
        let rules = match self.admit(overlay, &event, Some(expires_at.saturating_add_micros(-1)), now)? {
            Ok(rules) => rules,
            Err(refused) => return Ok(Err(refused)),
        };
        let (id, actor) = (ReservationId::new(self.ids.next(now)?), self.actor(actor).await?);
        let Some(customer) = overlay.customers.get_mut(event.customer.as_str()) else {
            return Err(Error::Storage("a customer was not resolved".to_owned()));
        };
        if customer.extras().holds.iter().filter(|hold| now < hold.expires_at).count() >= MOST_LIVE {
            let reason = format_args!("has {MOST_LIVE} live reservations: commit or release some first");
            return Ok(Err(Fault { code: Code::Conflict, ..Fault::invalid("customerId", reason) }.into()));
        }
        if let Some(external) = overlay.unknown.take(event.customer.as_str()) {
            overlay.new_customers.push(external);
        }
        self.last_hold += 1;
        let row = HoldRow {
            seq: self.last_hold,
            id,
            customer: customer.key,
            external: customer.external.clone(),
            body: Body {
                event_type: event.event_type.clone(),
                values: event.values.clone(),
                dimensions: event.dimensions.clone(),
            },
            expires_at,
            state: State::Live,
            event: None,
            overdrawn: None,
            created_at: now,
            ended_at: None,
            actor,
            is_new: true,
            is_changed: false,
        };
        let facts = event.facts(track::unrecorded(), now);
        self.reserve_price(&mut overlay.book, customer, &facts, (id, row.expires_at, actor), now)?;
        if let Some((_, hold)) = row.live() {
            customer.extras_mut().holds.push(Arc::new(hold));
        }
        overlay.holds.insert(id, row);
        track::consume(customer, &mut overlay.rate_uses, &rules, now);
        let rate_limits = track::left(customer, &rules, now);
        let config = self.shared.config();
        let limits = judge(&config, customer, &overlay.past, &facts, now).map(track::checked);
        Ok(limits.map(|limits| Reserved {
            id,
            project_id: self.shared.project,
            customer_id: event.customer,
            event_type: event.event_type,
            values: event.values,
            dimensions: event.dimensions,
            state: ReservationState::Live,
            expires_at,
            created_at: now,
            limits,
            rate_limits,
        }))
    }

    /// Ends a reservation, or lets it last longer. What was done before is answered as it was the first time.
    pub(super) async fn settle(
        &mut self,
        overlay: &mut Overlay,
        id: ReservationId,
        settle: Settle,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<Reservation>> {
        let project = self.shared.project;
        let Some(row) = overlay.holds.get(&id) else {
            return Ok(Err(Error::not_found(Code::ReservationNotFound, "reservation", &id.to_string())));
        };
        match (settle, row.state_at(now)) {
            (Settle::Commit(values), ReservationState::Committed) => {
                let values = values.as_ref().unwrap_or(&row.body.values);
                if row.event.as_ref().is_some_and(|(_, _, first)| first == values) {
                    return Ok(Ok(row.shown(project, now)));
                }
                let reason = "is not what the reservation was committed with the first time";
                return Ok(Err(Fault { code: Code::IdempotencyConflict, ..Fault::invalid("values", reason) }.into()));
            }
            (Settle::Commit(values), ReservationState::Live | ReservationState::Expired) => {
                if let Err(error) = self.capture(overlay, id, values, actor, now).await? {
                    return Ok(Err(error));
                }
            }
            (Settle::Release, ReservationState::Released | ReservationState::Expired) => {}
            (Settle::Release, ReservationState::Live) => {
                let external = row.external.clone();
                if let Some(row) = overlay.holds.get_mut(&id) {
                    row.end(State::Released, now);
                }
                overlay.let_go(&external, id);
                let Overlay { customers, book, .. } = &mut *overlay;
                if let Some(customer) = customers.get_mut(&external) {
                    self.release_price(book, customer, id, now)?;
                }
            }
            (Settle::Extend(ttl), ReservationState::Live) => {
                let (external, until) = (row.external.clone(), now.saturating_add_micros(ttl).max(row.expires_at));
                if let Err(refused) = self.reaches(overlay, row, until, now)? {
                    return Ok(Err(refused));
                }
                if let Some(row) = overlay.holds.get_mut(&id) {
                    (row.expires_at, row.is_changed) = (until, true);
                }
                overlay.prolong(&external, id, until);
                let Overlay { customers, book, .. } = &mut *overlay;
                if let Some(customer) = customers.get_mut(&external) {
                    self.prolong_price(book, customer, id, until);
                }
            }
            (_, state) => {
                let was = match state {
                    ReservationState::Committed => "was committed",
                    ReservationState::Released => "was released",
                    ReservationState::Expired | ReservationState::Live => "has run out",
                };
                return Ok(Err(conflict(format!("the reservation `{id}` {was}"))));
            }
        }
        let row = overlay.holds.get(&id).ok_or_else(|| Error::Storage("a reservation was lost".to_owned()))?;
        Ok(Ok(row.shown(project, now)))
    }

    /// Whether a reservation that lasts longer fits into the windows that it then reaches: it was admitted only into those before.
    fn reaches(&self, overlay: &Overlay, row: &HoldRow, until: Timestamp, now: Timestamp) -> Result<Result<()>> {
        let (config, known) = (self.shared.config(), overlay.customers.get(&row.external));
        let Some((customer, (_, hold))) = known.zip(row.live()) else { return Ok(Ok(())) };
        let mut without = customer.clone();
        without.let_go(row.id);
        let facts = hold.facts(&row.external, until.saturating_add_micros(-1));
        let judged = match judge(&config, &without, &overlay.past, &facts, now) {
            Ok(judged) => judged,
            Err(busy) => return Ok(Err(busy)),
        };
        for judged in judged {
            if judged.applied.begins_from(row.expires_at) && judged.refuses()? {
                let (id, limit) = (row.id, &judged.applied.rule.name);
                return Ok(Err(conflict(format!(
                    "the reservation `{id}` does not fit into the coming window of `{limit}`: \
                     extend it by less, or release it"
                ))));
            }
        }
        Ok(Ok(()))
    }

    /// Records what a reservation came to, whatever limits say.
    async fn capture(
        &mut self,
        overlay: &mut Overlay,
        id: ReservationId,
        values: Option<BTreeMap<String, Quantity>>,
        actor: &Actor,
        now: Timestamp,
    ) -> Result<Result<()>> {
        let Some(row) = overlay.holds.get(&id) else { return Ok(Ok(())) };
        let (external, body) = (row.external.clone(), row.body.clone());
        let values = values.unwrap_or(body.values);
        let event = Prepared::new(EventDraft {
            customer: external.to_string(),
            event_type: body.event_type,
            values: values.clone(),
            dimensions: body.dimensions,
            properties: Default::default(),
            timestamp: None,
            idempotency_key: None,
        })?;
        let config = self.shared.config();
        let Some(customer) = overlay.customers.get(&external) else {
            return Err(Error::Storage("a customer was not resolved".to_owned()));
        };
        // As if the share had not been held: what others hold stays out of reach.
        let mut without = customer.clone();
        without.let_go(id);
        let overdrawn = match judge(&config, &without, &overlay.past, &event.facts(track::unrecorded(), now), now) {
            Ok(judged) => track::any_refuses(&judged)?,
            Err(busy) => return Ok(Err(busy)),
        };
        if let Some(error) = self.too_dear(overlay, std::slice::from_ref(&event), now) {
            return Ok(Err(error));
        }
        overlay.let_go(&external, id);
        let outcomes = self.apply(overlay, vec![event], actor, Some(id), now).await?;
        let [outcome] = outcomes.as_slice() else {
            return Err(Error::Storage("an event was not recorded".to_owned()));
        };
        let seq = self.last_seq;
        if let Some(row) = overlay.holds.get_mut(&id) {
            row.event = Some((seq, outcome.id, values));
            row.overdrawn = Some(overdrawn || outcome.overdrawn);
            row.end(State::Captured, now);
        }
        Ok(Ok(()))
    }

    /// Writes the reservations that a batch made and changed.
    pub(super) async fn store_holds(&mut self, overlay: &Overlay) -> Result<()> {
        let mut new: Vec<&HoldRow> = overlay.holds.values().filter(|row| row.is_new).collect();
        new.sort_unstable_by_key(|row| row.seq);
        for row in &new {
            self.schedule(row.expires_at);
        }
        insert_rows(
            &mut self.conn,
            "INTO hold (seq, id, kind, customer, body, expires_at, state, created_at, actor)",
            9,
            "",
            &new,
            |arguments, row| {
                arguments.add(row.seq)?;
                arguments.add(row.id.uuid())?;
                arguments.add("reservation")?;
                arguments.add(row.customer)?;
                arguments.add(serde_json::to_string(&row.body)?)?;
                arguments.add(row.expires_at.as_micros())?;
                arguments.add(row.state.as_str())?;
                arguments.add(row.created_at.as_micros())?;
                arguments.add(row.actor)
            },
        )
        .await?;
        for row in overlay.holds.values().filter(|row| row.is_changed) {
            sqlx::query(
                "UPDATE hold SET expires_at = ?2, state = ?3, event = ?4, overdrawn = ?5, ended_at = ?6 WHERE seq = ?1",
            )
            .bind(row.seq)
            .bind(row.expires_at.as_micros())
            .bind(row.state.as_str())
            .bind(row.event.as_ref().map(|(seq, ..)| *seq))
            .bind(row.overdrawn)
            .bind(row.ended_at.map(Timestamp::as_micros))
            .execute(&mut self.conn)
            .await?;
        }
        Ok(())
    }
}

/// Reads the live reservations of every customer, oldest first.
pub(super) async fn read_live(conn: &mut SqliteConnection) -> Result<Vec<(i64, Hold)>> {
    let sql = format!("{SELECT_HOLDS} WHERE h.state = 'live' AND h.kind = 'reservation' ORDER BY h.seq");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(conn).await?;
    let holds: Vec<HoldRow> = rows.iter().map(HoldRow::read).collect::<Result<_>>()?;
    Ok(holds.iter().filter_map(HoldRow::live).collect())
}
