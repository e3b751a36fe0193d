//! The one writer. Commands wait in a bounded queue; it decides them in order, commits them in groups, and answers.

mod accounts;
mod alerts;
mod book;
mod catch_up;
mod change;
mod charge;
mod counters;
mod due;
mod first_answers;
mod flush;
mod groups;
mod handle;
mod holds;
mod ids;
mod ingest;
mod jobs;
mod ledger;
mod overlay;
mod pending;
mod refund;
mod run;
mod set_aside;
mod standings;
mod state;
mod track;
mod void;
mod work;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustc_hash::FxHashMap;
use sqlx::{ConnectOptions, SqliteConnection};
use tokio::sync::{Mutex, oneshot};
use tokio::time::Instant;
use weir_core::time::Timestamp;

pub(crate) use accounts::{find as find_account, quantity, recurring, source, total};
pub(crate) use book::{About, cause_of};
pub(crate) use change::Tx;
pub(crate) use charge::quote;
pub(crate) use counters::{is_loaded, start_counters};
pub(crate) use flush::insert_rows;
pub(crate) use groups::Groups;
pub(crate) use handle::WriterHandle;
pub(crate) use holds::{HoldRow, SELECT_HOLDS, Settle};
pub(crate) use ingest::{Outcome, Prepared};
pub(crate) use ledger::{Ask, AskKey, Booked, Deed};
pub(crate) use pending::{Cell, Pending};
pub(crate) use set_aside::{HoldDeed, HoldRow as BalanceHoldRow, SELECT_BALANCE_HOLDS};
pub(crate) use state::{
    Audit, DEVICE_SHIFT, FOLLOWING, State, read_limit, read_meter, read_rate, scope, stored, stored_total,
};
pub(crate) use track::{by_tightness, rate_standing};

use crate::actor::Actor;
use crate::config::KeySecret;
use crate::engine::Shared;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::store::{self, Checkpoints, Lock, Sizes};
use ids::Ids;
use work::Record;

/// Where an answer goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T>>;

/// After so long without an event, what is counted in memory alone is written down.
const FLUSH_WHEN_QUIET: Duration = Duration::from_millis(250);
/// How long events stay counted in memory alone under steady load: who records waits while they are written down, so that it
/// is done seldom. Who reads has it done at once.
const FLUSH_AT_LATEST: Duration = Duration::from_secs(10);
/// Most events of one transaction.
const BATCH_EVENTS: usize = 20_000;
/// How long the writer waits before it tries again to reopen a file that it lost.
const REOPEN_AFTER: Duration = Duration::from_secs(1);

/// What the writer can be asked.
pub(crate) enum Command {
    Record(Record),
    /// Load the counters of a customer.
    Load(Arc<str>, Reply<Arc<LiveCustomer>>),
    /// Count every recorded event on the projections.
    Flush(Reply<()>),
    /// Change the configuration.
    Change(run::Run),
    Close(oneshot::Sender<()>),
}

impl Command {
    /// Answers that nothing was done, and to come back later.
    fn put_off(self) {
        const AWAY: Error =
            Error::Busy { reason: "the data file cannot be used at the moment", retry_after_seconds: 1 };
        // A caller that went away needs no answer.
        match self {
            Command::Record(record) => record.reply.refuse(AWAY),
            Command::Load(_, reply) => drop(reply.send(Err(AWAY))),
            Command::Flush(reply) => drop(reply.send(Err(AWAY))),
            Command::Change(change) => change.finish(Err(AWAY)),
            Command::Close(closed) => drop(closed.send(())),
        }
    }
}

/// The one writer and what it knows.
pub(crate) struct Writer {
    shared: Arc<Shared>,
    conn: SqliteConnection,
    sizes: Sizes,
    device: i64,
    last_seq: i64,
    last_customer: i64,
    last_counting: u64,
    last_hold: i64,
    last_entry: i64,
    last_balance_hold: i64,
    /// Weir itself, by number.
    system_actor: i64,
    ids: Ids,
    groups: Groups,
    pending: Pending,
    event_types: FxHashMap<String, i64>,
    actors: FxHashMap<Actor, i64>,
    flush_at: Option<Instant>,
    /// Since when there is something to write down.
    dirty_since: Option<Instant>,
    /// When something happens by itself next.
    due: Option<Timestamp>,
    /// Who turns into a window that holds something already, and when: where they stand is written anew then.
    turns: BTreeSet<(Timestamp, Arc<str>)>,
    jobs: jobs::Jobs,
    checkpoints: Checkpoints,
}

/// Why the writer's loop ended.
enum Ended {
    Closed,
    /// Storage failed in the middle: what is in memory may not be what is on the disk.
    Broken,
}

/// Runs the writer until it is closed, reopening the file whenever it breaks off.
pub(crate) fn spawn(writer: Writer, lock: Lock, queue_mib: u32) -> WriterHandle {
    let (handle, commands) = WriterHandle::new(queue_mib);
    let commands = Arc::new(Mutex::new(commands));
    tokio::spawn(async move {
        let (shared, sizes) = (writer.shared.clone(), writer.sizes);
        let mut writer = writer;
        loop {
            let queue = commands.clone();
            let life = tokio::spawn(async move { writer.run(&mut *queue.lock().await).await });
            match life.await {
                Ok(Ended::Closed) => break,
                Ok(Ended::Broken) => tracing::error!("the writer lost its data file; reopening"),
                Err(error) => tracing::error!(%error, "the writer broke off; reopening"),
            }
            let queue = commands.clone();
            match Writer::reopened(&shared, sizes, &mut *queue.lock().await).await {
                Some(reopened) => writer = reopened,
                None => break,
            }
        }
        drop(lock);
    });
    handle
}

impl Writer {
    pub(crate) fn new(shared: Arc<Shared>, conn: SqliteConnection, state: State, sizes: Sizes) -> Self {
        for customer in state.customers {
            shared.customers.put(customer);
        }
        shared.swap_config(Arc::new(state.config));
        let checkpoints = Checkpoints::start(shared.data_dir.clone(), sizes);
        Writer {
            shared,
            conn,
            sizes,
            device: state.device,
            last_seq: state.last_seq,
            last_customer: state.last_customer,
            last_counting: state.last_counting,
            last_hold: state.last_hold,
            last_entry: state.last_entry,
            last_balance_hold: state.last_balance_hold,
            system_actor: state.system_actor,
            due: state.due,
            turns: BTreeSet::new(),
            ids: state.ids,
            groups: state.groups,
            pending: Pending::default(),
            event_types: state.event_types,
            actors: FxHashMap::default(),
            flush_at: None,
            dirty_since: None,
            jobs: jobs::Jobs::default(),
            checkpoints,
        }
    }

    /// Opens the file again, however long that takes; `None` when asked to close before that.
    async fn reopened(shared: &Arc<Shared>, sizes: Sizes, commands: &mut handle::Queue) -> Option<Self> {
        loop {
            match Writer::reopen(shared, sizes).await {
                Ok(writer) => return Some(writer),
                Err(error) => tracing::error!(%error, "the data file cannot be reopened"),
            }
            let again = Instant::now() + REOPEN_AFTER;
            loop {
                let next = tokio::select! {
                    next = commands.next() => next,
                    () = tokio::time::sleep_until(again) => break,
                };
                match next?.into_parts().0 {
                    Command::Close(closed) => {
                        // The caller may have gone; the writer is closed all the same.
                        let _ = closed.send(());
                        return None;
                    }
                    command => command.put_off(),
                }
            }
        }
    }

    async fn reopen(shared: &Arc<Shared>, sizes: Sizes) -> Result<Self> {
        let mut conn = store::writer_options(&shared.data_dir, sizes).connect().await?;
        let state = State::load(&mut conn, shared.clock.now()).await?;
        let mut writer = Writer::new(shared.clone(), conn, state, sizes);
        writer.catch_up().await?;
        // Where this fails, it is tried again after a while, and who waits is told to come back.
        writer.do_due().await?;
        shared.publish(crate::Topics::ALL);
        Ok(writer)
    }

    async fn run(mut self, commands: &mut handle::Queue) -> Ended {
        loop {
            let next = match commands.try_next() {
                Some(next) => Some(next),
                None if self.jobs.is_due() => None,
                None => tokio::select! {
                    next = commands.next() => match next {
                        Some(next) => Some(next),
                        None => return self.finish().await,
                    },
                    () = until(self.flush_at) => None,
                    () = until(self.wake_at()) => None,
                },
            };
            // First what has become due, so that decisions and what is told of them have one order.
            if let Err(error) = self.do_due().await {
                tracing::error!(%error, "what is due could not be done");
                if let Some(next) = next {
                    commands.give_back(next);
                }
                return Ended::Broken;
            }
            let result = match next {
                Some(next) => match self.serve(next, commands).await {
                    Ok(Some(closed)) => {
                        let ended = self.finish().await;
                        // The caller may have gone; the writer is closed all the same.
                        let _ = closed.send(());
                        return ended;
                    }
                    other => other.map(|_| ()),
                },
                None => Ok(()),
            };
            let result = match result {
                Ok(()) => self.work_in_the_background().await,
                error => error,
            };
            if let Err(error) = result {
                tracing::error!(%error, "a write failed");
                return Ended::Broken;
            }
        }
    }

    /// Serves a command, and those behind it that can share its transaction.
    async fn serve(
        &mut self,
        first: handle::Queued,
        commands: &mut handle::Queue,
    ) -> Result<Option<oneshot::Sender<()>>> {
        let (command, mut room) = first.into_parts();
        match command {
            Command::Record(record) => {
                let mut events = record.work.events().len().max(1);
                let mut records = vec![record];
                while events < BATCH_EVENTS {
                    let Some(queued) = commands.try_next() else { break };
                    let (command, more) = queued.into_parts();
                    match command {
                        Command::Record(record) => {
                            events += record.work.events().len().max(1);
                            records.push(record);
                            room.extend(more);
                        }
                        other => {
                            commands.give_back(handle::Queued::new(other, more));
                            break;
                        }
                    }
                }
                self.record(records).await?;
            }
            Command::Load(external, reply) => {
                let loaded = self.load_customer(&external).await;
                answer(reply, loaded)?;
            }
            Command::Flush(reply) => {
                let flushed = self.flush().await;
                answer(reply, flushed)?;
            }
            Command::Change(run) => self.change(run).await?,
            Command::Close(closed) => return Ok(Some(closed)),
        }
        Ok(None)
    }

    async fn work_in_the_background(&mut self) -> Result<()> {
        if self.flush_at.is_some_and(|at| at <= Instant::now()) {
            self.flush().await?;
        }
        self.run_job_chunk().await?;
        if self.checkpoints.committed() {
            store::checkpoint(&mut self.conn).await?;
        }
        Ok(())
    }

    async fn finish(mut self) -> Ended {
        self.checkpoints.stop().await;
        if let Err(error) = self.store_key_uses().await {
            tracing::warn!(%error, "closing before the last use of keys was written");
        }
        if let Err(error) = self.flush().await {
            // The events are safe; projections catch up when the file is next opened.
            tracing::warn!(%error, "closing before everything was counted");
        }
        let _ = sqlx::query("PRAGMA optimize").execute(&mut self.conn).await;
        self.shared.readers.close().await;
        if let Err(error) = sqlx::Connection::close(self.conn).await {
            tracing::warn!(%error, "the data file did not close cleanly");
        }
        Ended::Closed
    }

    async fn load_customer(&mut self, external: &str) -> Result<Arc<LiveCustomer>> {
        let config = self.shared.config();
        let Some(known) = self.shared.customers.get(external) else {
            return Err(Error::not_found(weir_core::error::Code::CustomerNotFound, "customer", external));
        };
        if counters::is_loaded(&config, &known) {
            return Ok(known);
        }
        let mut customer = (*known).clone();
        let now = self.shared.clock.now();
        counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut [&mut customer], now).await?;
        Ok(self.shared.customers.put(customer))
    }

    /// Counts every recorded event on the projections.
    async fn flush(&mut self) -> Result<()> {
        if !self.pending.is_empty() {
            let now = self.shared.clock.now();
            flush::begin(&mut self.conn).await?;
            self.store_pending(now, None).await?;
            flush::commit(&mut self.conn).await?;
        }
        self.flushed(true);
        Ok(())
    }

    /// Writes what is pending within a transaction of the caller's, who calls `flushed` once it is committed. `overlay` holds
    /// customers as they will be then.
    async fn store_pending(
        &mut self,
        now: Timestamp,
        overlay: Option<&FxHashMap<Arc<str>, LiveCustomer>>,
    ) -> Result<()> {
        self.groups.store(&mut self.conn).await?;
        flush::store_cells(&mut self.conn, &self.pending).await?;
        flush::store_activity(&mut self.conn, &self.pending).await?;
        flush::store_watermark(&mut self.conn, state::FOLLOWING, self.device, self.last_seq).await?;
        let config = self.shared.config();
        let mut rows = Vec::new();
        for seen in self.pending.active.values() {
            match overlay.and_then(|overlay| overlay.get(&seen.external)) {
                Some(customer) => standings::rows_of(&config, customer, now, &mut rows),
                None => {
                    if let Some(customer) = self.shared.customers.get(&seen.external) {
                        standings::rows_of(&config, &customer, now, &mut rows);
                    }
                }
            }
        }
        standings::store(&mut self.conn, &mut rows).await?;
        self.forget_tracked(now).await?;
        self.store_key_uses().await
    }

    /// Writes when each key was last used, and the calls that its own limits count.
    async fn store_key_uses(&mut self) -> Result<()> {
        for KeySecret { rule, .. } in self.shared.config().keys.values() {
            let used = rule.used.last.load(Ordering::Relaxed);
            if used > 0 {
                sqlx::query(
                    "UPDATE api_key SET last_used_at = ?2, calls = ?3 WHERE id = ?1 AND coalesce(last_used_at, 0) < ?2",
                )
                .bind(rule.key)
                .bind(used)
                .bind(rule.used.written()?)
                .execute(&mut self.conn)
                .await?;
            }
        }
        Ok(())
    }

    /// After a commit: either everything has been counted, or the time until it must be runs.
    fn flushed(&mut self, everything: bool) {
        if everything {
            self.pending = Pending::default();
            (self.flush_at, self.dirty_since) = (None, None);
        } else {
            let now = Instant::now();
            let latest = *self.dirty_since.get_or_insert(now) + FLUSH_AT_LATEST;
            self.flush_at = Some(latest.min(now + FLUSH_WHEN_QUIET));
        }
        self.shared.dirty.store(!everything, Ordering::Release);
    }

    /// The number of an actor.
    async fn actor(&mut self, actor: &Actor) -> Result<i64> {
        if let Some(key) = self.actors.get(actor) {
            return Ok(*key);
        }
        let key = state::actor_key(&mut self.conn, actor).await?;
        self.actors.insert(actor.clone(), key);
        Ok(key)
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

/// Answers a caller, and tells the loop when storage failed.
fn answer<T>(reply: Reply<T>, result: Result<T>) -> Result<()> {
    let broken = match &result {
        Err(error @ (Error::Storage(_) | Error::Unknown(_))) => Err(Error::Storage(error.to_string())),
        _ => Ok(()),
    };
    // A caller that went away needs no answer.
    let _ = reply.send(result);
    broken
}
