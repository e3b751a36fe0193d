//! What callers ask of the writer to be decided in order, and where the answers go.

use std::sync::Arc;

use weir_core::id::{HoldId, ReservationId};

use super::Reply;
use super::holds::Settle;
use super::ingest::{Outcome, Prepared};
use super::ledger::{Ask, Booked};
use super::set_aside::HoldDeed;
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::model::{BatchRecorded, Held, Moved, Recorded, Reservation, Reserved, Tracked};
use crate::receipts::{Keeping, Kept};

/// Something to decide in order with others, and to write in one transaction with them.
pub(crate) struct Record {
    pub work: Work,
    pub actor: Actor,
    pub reply: Asked,
    /// The request whose answer is to be kept with it.
    pub keeping: Option<Arc<Keeping>>,
}

impl Record {
    /// For the request that is being answered, if its answer is to be kept.
    pub(super) fn new(work: Work, actor: Actor, reply: Asked) -> Self {
        Record { work, actor, reply, keeping: Keeping::current() }
    }
}

/// What is to be decided.
pub(crate) enum Work {
    /// Events to record together or not at all, whatever limits say.
    Record(Vec<Prepared>),
    /// An event to record only if neither a rate limit nor a limit refuses it.
    Track(Box<Prepared>),
    /// An event whose share to hold for so many microseconds, if neither a rate limit nor a limit refuses it.
    Reserve(Box<Prepared>, i64),
    /// What is to become of a reservation.
    Settle(ReservationId, Settle),
    /// A movement of a balance, or an amount of it to set aside.
    Move(Box<Ask>),
    /// What is to become of a hold.
    SettleHold(HoldId, HoldDeed),
}

impl Work {
    /// The events that it is about, as far as they are known.
    pub(super) fn events(&self) -> &[Prepared] {
        match self {
            Work::Record(events) => events,
            Work::Track(event) | Work::Reserve(event, _) => std::slice::from_ref(event),
            Work::Settle(..) | Work::Move(_) | Work::SettleHold(..) => &[],
        }
    }
}

/// Where the answer goes.
pub(crate) enum Asked {
    Record(Reply<Vec<Outcome>>),
    Track(Reply<Tracked>),
    Reserve(Reply<Reserved>),
    Settle(Reply<Reservation>),
    Book(Reply<Booked>),
}

/// What became of a command.
pub(super) enum Done {
    Recorded(Vec<Outcome>),
    Tracked(Tracked),
    Reserved(Reserved),
    Settled(Box<Reservation>),
    Booked(Box<Booked>),
}

impl Done {
    /// The answer to keep, as it will be given. A hold that was captured before is shown with an entry that is looked up for it, and
    /// changes nothing.
    pub(super) fn kept(&self, keeping: &Arc<Keeping>) -> Option<Kept> {
        match self {
            Done::Recorded(outcomes) => {
                let one = Recorded::of(outcomes).and_then(|one| keeping.kept(&one));
                one.or_else(|| keeping.kept(&BatchRecorded::of(outcomes)))
            }
            Done::Tracked(tracked) => keeping.kept(tracked),
            Done::Reserved(reserved) => keeping.kept(reserved),
            Done::Settled(settled) => keeping.kept(&**settled),
            Done::Booked(booked) if booked.first_entry.is_some() => None,
            Done::Booked(booked) => {
                let moved = Moved::of((**booked).clone()).ok().and_then(|moved| keeping.kept(&moved));
                moved.or_else(|| Held::of((**booked).clone()).ok().and_then(|held| keeping.kept(&held)))
            }
        }
    }
}

impl Asked {
    /// Answers that it was not done.
    pub(super) fn refuse(self, error: Error) {
        // A caller that went away needs no answer.
        match self {
            Asked::Record(reply) => drop(reply.send(Err(error))),
            Asked::Track(reply) => drop(reply.send(Err(error))),
            Asked::Reserve(reply) => drop(reply.send(Err(error))),
            Asked::Settle(reply) => drop(reply.send(Err(error))),
            Asked::Book(reply) => drop(reply.send(Err(error))),
        }
    }

    pub(super) fn answer(self, done: Result<Done>) {
        // A caller that went away needs no answer.
        match (self, done) {
            (Asked::Record(reply), Ok(Done::Recorded(outcomes))) => drop(reply.send(Ok(outcomes))),
            (Asked::Track(reply), Ok(Done::Tracked(tracked))) => drop(reply.send(Ok(tracked))),
            (Asked::Reserve(reply), Ok(Done::Reserved(reserved))) => drop(reply.send(Ok(reserved))),
            (Asked::Settle(reply), Ok(Done::Settled(settled))) => drop(reply.send(Ok(*settled))),
            (Asked::Book(reply), Ok(Done::Booked(booked))) => drop(reply.send(Ok(*booked))),
            (asked, Err(error)) => asked.refuse(error),
            (asked, Ok(_)) => asked.refuse(Error::Unknown("the writer gave another command's answer".to_owned())),
        }
    }
}

/// Where the answers to several commands go, and what they will be.
pub(super) type Answers = Vec<(Asked, Result<Done>)>;
