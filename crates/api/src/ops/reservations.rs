//! Reservations.

use weir_core::error::Code;
use weir_core::id::ReservationId;
use weir_engine::Headers;
use weir_engine::model::{
    CommitReservation, ExtendReservation, ListReservations, NewReservation, Page, Reservation, Reserved, Scope,
};

use super::{id, operation};
use crate::context::Context;
use crate::error::{ApiError, rate_headers};
use crate::operation::{Kind, Method, Operation};
use crate::with_id::{ById, WithId};

fn reservation(text: &str) -> Result<ReservationId, ApiError> {
    id(text, Code::ReservationNotFound, "reservation")
}

/// Holds a share of limits for an event that may come.
pub struct Create;

impl Operation for Create {
    const NAME: &'static str = "reservations.create";
    const METHOD: Method = Method::Post;
    const PATH: &'static str = "/reservations";
    const SCOPE: Scope = Scope::Ingest;
    const KIND: Kind = Kind::Ingest;
    const STATUS: u16 = 201;
    const SUMMARY: &'static str =
        "Holds a share of limits for an event that may come, if neither a rate limit nor a limit refuses it.";
    type Req = NewReservation;
    type Res = Reserved;

    async fn run(ctx: &Context, req: NewReservation) -> Result<Reserved, ApiError> {
        Ok(ctx.engine().reserve(&ctx.actor, req).await?)
    }

    fn headers(reserved: &Reserved) -> Headers {
        reserved.rate_limits.first().map(rate_headers).unwrap_or_default()
    }
}

operation! {
    /// Lists reservations, newest first.
    List "reservations.list" Get "/reservations" Read Read,
    |ctx, req: ListReservations| -> Page<Reservation> { Ok(ctx.engine().reservations(req).await?) }
}

operation! {
    /// Answers a reservation.
    Get "reservations.get" Get "/reservations/{id}" Read Read,
    |ctx, req: ById| -> Reservation { Ok(ctx.engine().reservation(reservation(&req.id)?).await?) }
}

operation! {
    /// Records what a reservation came to, more or less than held, and ends it.
    Commit "reservations.commit" Post "/reservations/{id}/commit" Ingest Ingest,
    |ctx, req: WithId<CommitReservation>| -> Reservation {
        Ok(ctx.engine().commit_reservation(&ctx.actor, reservation(&req.id)?, req.rest).await?)
    }
}

operation! {
    /// Gives the share of a reservation up.
    Release "reservations.release" Post "/reservations/{id}/release" Ingest Ingest,
    |ctx, req: ById| -> Reservation {
        Ok(ctx.engine().release_reservation(&ctx.actor, reservation(&req.id)?).await?)
    }
}

operation! {
    /// Lets a live reservation last so many seconds from now, never shorter; 409 where it does not fit into the next window of a limit that
    /// it then reaches.
    Extend "reservations.extend" Post "/reservations/{id}/extend" Ingest Ingest,
    |ctx, req: WithId<ExtendReservation>| -> Reservation {
        Ok(ctx.engine().extend_reservation(&ctx.actor, reservation(&req.id)?, req.rest).await?)
    }
}
