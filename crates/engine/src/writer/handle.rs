//! The queue in front of the writer: bounded in bytes, so that a flood is refused instead of filling the memory.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use weir_core::id::{HoldId, ReservationId};

use super::change::Tx;
use super::holds::Settle;
use super::ingest::{Outcome, Prepared};
use super::ledger::{Ask, Booked};
use super::run::{BoxFuture, Job};
use super::set_aside::HoldDeed;
use super::work::{Asked, Record, Work};
use super::{Command, Reply};
use crate::actor::Actor;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::measures::Waiting;
use crate::model::{Reservation, Reserved, Tracked};

/// Commands that may wait, however small.
const COMMANDS: usize = 1 << 16;
/// The unit in which room is counted.
const UNIT: usize = 256;

/// A command and the room it takes until it is served.
pub(crate) struct Queued {
    command: Command,
    room: Vec<OwnedSemaphorePermit>,
}

impl Queued {
    pub(super) fn new(command: Command, room: Vec<OwnedSemaphorePermit>) -> Self {
        Queued { command, room }
    }

    pub(super) fn into_parts(self) -> (Command, Vec<OwnedSemaphorePermit>) {
        (self.command, self.room)
    }
}

/// What waits for the writer. It outlives a writer that breaks off.
pub(crate) struct Queue {
    waiting: mpsc::Receiver<Queued>,
    /// Taken out and given back: what a writer that broke off had not begun to serve.
    back: Option<Queued>,
}

impl Queue {
    /// The next command, if one waits.
    pub(super) fn try_next(&mut self) -> Option<Queued> {
        self.back.take().or_else(|| self.waiting.try_recv().ok())
    }

    /// The next command; `None` once nobody can send one any more.
    pub(super) async fn next(&mut self) -> Option<Queued> {
        match self.back.take() {
            Some(back) => Some(back),
            None => self.waiting.recv().await,
        }
    }

    /// Puts the command that was taken out last to the front again.
    pub(super) fn give_back(&mut self, queued: Queued) {
        self.back = Some(queued);
    }
}

/// The way to the writer. Clones share it.
#[derive(Clone)]
pub(crate) struct WriterHandle {
    commands: mpsc::Sender<Queued>,
    room: Arc<Semaphore>,
    /// How many units of room there are in all.
    units: usize,
}

impl WriterHandle {
    /// Commands that wait may take so much memory.
    pub(super) fn new(mib: u32) -> (Self, Queue) {
        let (commands, waiting) = mpsc::channel(COMMANDS);
        let units = mib as usize * ((1 << 20) / UNIT);
        let room = Arc::new(Semaphore::new(units));
        (WriterHandle { commands, room, units }, Queue { waiting, back: None })
    }

    /// Queues a command and waits for its answer.
    async fn ask<T>(&self, size: usize, command: impl FnOnce(Reply<T>) -> Command) -> Result<T> {
        const FULL: Error = Error::Busy { reason: "too many requests wait to be written", retry_after_seconds: 1 };
        // A command larger than all the room there is gets in when nothing else waits.
        let units = (size / UNIT + 1).min(self.units) as u32;
        let room = self.room.clone().try_acquire_many_owned(units).map_err(|_| FULL)?;
        let (reply, answer) = oneshot::channel();
        self.commands.try_send(Queued::new(command(reply), vec![room])).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => FULL,
            mpsc::error::TrySendError::Closed(_) => Error::Closed,
        })?;
        answer.await.unwrap_or_else(|_| {
            if self.commands.is_closed() {
                Err(Error::Closed)
            } else {
                Err(Error::Unknown("the writer broke off".to_owned()))
            }
        })
    }

    /// What waits, what the writer works on included.
    pub(crate) fn waiting(&self) -> Waiting {
        let commands = self.commands.max_capacity() - self.commands.capacity();
        let bytes = (self.units - self.room.available_permits()) * UNIT;
        Waiting { bytes, most_bytes: self.units * UNIT, commands, most_commands: COMMANDS }
    }

    /// Records events together or not at all; answers once they are durable.
    pub(crate) async fn record(&self, actor: Actor, events: Vec<Prepared>) -> Result<Vec<Outcome>> {
        let size = events.iter().map(Prepared::size).sum();
        let work = Work::Record(events);
        self.ask(size, |reply| Command::Record(Record::new(work, actor, Asked::Record(reply)))).await
    }

    /// Records an event if nothing refuses it; answers once it, or its refusal, is durable.
    pub(crate) async fn track(&self, actor: Actor, event: Prepared) -> Result<Tracked> {
        let (size, work) = (event.size(), Work::Track(Box::new(event)));
        self.ask(size, |reply| Command::Record(Record::new(work, actor, Asked::Track(reply)))).await
    }

    /// Holds an event's share for so many microseconds if nothing refuses it; answers once that, or the refusal, is durable.
    pub(crate) async fn reserve(&self, actor: Actor, event: Prepared, ttl: i64) -> Result<Reserved> {
        let (size, work) = (event.size(), Work::Reserve(Box::new(event), ttl));
        self.ask(size, |reply| Command::Record(Record::new(work, actor, Asked::Reserve(reply)))).await
    }

    /// Ends a reservation or lets it last longer; answers once that is durable.
    pub(crate) async fn settle(&self, actor: Actor, id: ReservationId, settle: Settle) -> Result<Reservation> {
        let work = Work::Settle(id, settle);
        self.ask(4096, |reply| Command::Record(Record::new(work, actor, Asked::Settle(reply)))).await
    }

    /// Moves a balance, or sets an amount of it aside; answers once that is durable.
    pub(crate) async fn book(&self, actor: Actor, ask: Ask) -> Result<Booked> {
        let work = Work::Move(Box::new(ask));
        self.ask(4096, |reply| Command::Record(Record::new(work, actor, Asked::Book(reply)))).await
    }

    /// Ends a hold or lets it last longer; answers once that is durable.
    pub(crate) async fn settle_hold(&self, actor: Actor, id: HoldId, deed: HoldDeed) -> Result<Booked> {
        let work = Work::SettleHold(id, deed);
        self.ask(4096, |reply| Command::Record(Record::new(work, actor, Asked::Book(reply)))).await
    }

    /// Loads the counters of a known customer.
    pub(crate) async fn load(&self, external: &str) -> Result<Arc<LiveCustomer>> {
        self.ask(external.len(), |reply| Command::Load(external.into(), reply)).await
    }

    /// Counts every recorded event on the projections.
    pub(crate) async fn flush(&self) -> Result<()> {
        self.ask(0, Command::Flush).await
    }

    /// Changes the configuration in one transaction.
    pub(crate) async fn change<T, F>(&self, actor: &Actor, change: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'w> FnOnce(&'t mut Tx<'w>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.ask(4096, |reply| Command::Change(Job::boxed(actor.clone(), false, change, reply))).await
    }

    /// Writes in one transaction what has nothing to do with what is counted, and so need not wait until that is written.
    pub(crate) async fn aside<T, F>(&self, actor: &Actor, write: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t, 'w> FnOnce(&'t mut Tx<'w>) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.ask(4096, |reply| Command::Change(Job::boxed(actor.clone(), true, write, reply))).await
    }

    /// Lets the writer finish what waits, and end.
    pub(crate) async fn close(&self) {
        let (reply, closed) = oneshot::channel();
        // Sending fails when it is closed already.
        if self.commands.send(Queued::new(Command::Close(reply), Vec::new())).await.is_ok() {
            let _ = closed.await;
        }
        self.commands.closed().await;
    }
}
