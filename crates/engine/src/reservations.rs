//! Reservations: a share of limits held until the work is done. Decided and written by the writer, beside tracked events.

use weir_core::error::{Code, Fault};
use weir_core::event::EventInput;
use weir_core::id::ReservationId;
use weir_core::text;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{
    CommitReservation, Cursor, ExtendReservation, ListReservations, MAX_TTL, NewReservation, Page, Reservation,
    ReservationState, Reserved,
};
use crate::writer::{HoldRow, Prepared, SELECT_HOLDS, Settle};

impl Engine {
    /// Holds the share of an event that may come, if neither a rate limit nor a limit refuses it ([`Error::Refused`]); answers
    /// once that is durable. The share is free again when the reservation is committed, released, or its time runs out.
    pub async fn reserve(&self, actor: &Actor, new: NewReservation) -> Result<Reserved> {
        let ttl = ttl(new.ttl_seconds)?;
        let event = EventInput {
            customer_id: new.customer_id,
            event_type: new.event_type,
            values: new.values,
            dimensions: new.dimensions,
            ..EventInput::default()
        };
        let prepared = Prepared::new(event.validate(self.now())?)?;
        self.writer().reserve(actor.clone(), prepared, ttl).await
    }

    /// Records what a reservation came to, in full: more than was held, or after its time had run out. A repeat answers as the
    /// first did; after a release it is refused.
    pub async fn commit_reservation(
        &self,
        actor: &Actor,
        id: ReservationId,
        commit: CommitReservation,
    ) -> Result<Reservation> {
        if let Some(values) = commit.values.clone() {
            // The rules for an event's values, whoever the customer is.
            let event = EventInput { customer_id: "x".into(), event_type: "x".into(), values, ..EventInput::default() };
            event.validate(self.now())?;
        }
        self.writer().settle(actor.clone(), id, Settle::Commit(commit.values)).await
    }

    /// Gives a share up. A repeat answers as the first did; after a commit it is refused.
    pub async fn release_reservation(&self, actor: &Actor, id: ReservationId) -> Result<Reservation> {
        self.writer().settle(actor.clone(), id, Settle::Release).await
    }

    /// Lets a live reservation last longer.
    pub async fn extend_reservation(
        &self,
        actor: &Actor,
        id: ReservationId,
        extend: ExtendReservation,
    ) -> Result<Reservation> {
        self.writer().settle(actor.clone(), id, Settle::Extend(ttl(extend.ttl_seconds)?)).await
    }

    /// A reservation.
    pub async fn reservation(&self, id: ReservationId) -> Result<Reservation> {
        let sql = format!("{SELECT_HOLDS} WHERE h.kind = 'reservation' AND h.id = ?1");
        let mut conn = self.reader().await?;
        let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(&mut *conn).await?;
        let missing = || Error::not_found(Code::ReservationNotFound, "reservation", &id.to_string());
        Ok(HoldRow::read(&row.ok_or_else(missing)?)?.shown(self.shared.project, self.now()))
    }

    /// Reservations, newest first.
    pub async fn reservations(&self, list: ListReservations) -> Result<Page<Reservation>> {
        let before = Cursor::below(list.cursor.as_ref())?;
        let customer = match &list.customer_id {
            None => None,
            Some(external) => {
                text::check_external_id("customerId", external)?;
                Some(self.shared.customers.get(external).map_or(0, |customer| customer.key))
            }
        };
        // One whose time has run out may not be written as such yet.
        let state = match list.state {
            None => "TRUE",
            Some(ReservationState::Live) => "h.state = 'live' AND h.expires_at > ?3",
            Some(ReservationState::Committed) => "h.state = 'captured'",
            Some(ReservationState::Released) => "h.state = 'released'",
            Some(ReservationState::Expired) => "(h.state = 'expired' OR (h.state = 'live' AND h.expires_at <= ?3))",
        };
        let sql = format!(
            "{SELECT_HOLDS} WHERE h.kind = 'reservation' AND h.seq < ?1 AND (?2 IS NULL OR h.customer = ?2) AND {state} \
             AND ?3 IS NOT NULL ORDER BY h.seq DESC LIMIT ?4"
        );
        let now = self.now();
        let mut conn = self.reader().await?;
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(before)
            .bind(customer)
            .bind(now.as_micros())
            .bind(list.limit.probe())
            .fetch_all(&mut *conn)
            .await?;
        let rows: Vec<HoldRow> = rows.iter().map(HoldRow::read).collect::<Result<_>>()?;
        let page = Page::cut(rows, list.limit, |row| Cursor::of(&[&row.seq.to_string()]));
        let data = page.data.iter().map(|row| row.shown(self.shared.project, now)).collect();
        Ok(Page { data, next_cursor: page.next_cursor, has_more: page.has_more })
    }
}

/// Microseconds that a reservation is to last.
fn ttl(seconds: u32) -> Result<i64, Fault> {
    match seconds {
        1..=MAX_TTL => Ok(i64::from(seconds) * 1_000_000),
        _ => Err(Fault::invalid("ttlSeconds", format_args!("must be a whole number from 1 to {MAX_TTL}"))),
    }
}
