//! Sends what is due, one message at a time to each endpoint, whose slowness nobody else waits for.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{sleep, timeout};
use weir_core::id::WebhookId;
use weir_core::time::Timestamp;
use weir_engine::{Engine, Outgoing, Topics};

use crate::send::{Sender, Setup};

/// How long to sleep at most: a computer that was asleep did not notice.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
/// A pause after the engine could not answer.
const BREATH: Duration = Duration::from_secs(1);
/// How long exchanges under way may take to end when told to stop. What is cut off is sent again.
const DRAIN: Duration = Duration::from_secs(5);

/// Sends until it is stopped.
pub struct Courier {
    stopping: watch::Sender<bool>,
    working: JoinHandle<()>,
}

impl Courier {
    /// Begins to send.
    pub fn start(engine: Engine, setup: &Setup) -> std::io::Result<Self> {
        let sender = Sender::new(setup).map_err(std::io::Error::other)?;
        let stopping = watch::Sender::new(false);
        let round = Round {
            changes: engine.changes(),
            engine,
            sender,
            busy: Vec::new(),
            under_way: JoinSet::new(),
            stopping: stopping.subscribe(),
            summaries_at: None,
        };
        Ok(Courier { stopping, working: tokio::spawn(round.run()) })
    }

    /// Lets exchanges under way end, and sends no more.
    pub async fn stop(self) {
        self.stopping.send_replace(true);
        if let Err(error) = self.working.await {
            tracing::error!(%error, "the courier broke off");
        }
    }
}

struct Round {
    engine: Engine,
    sender: Sender,
    changes: broadcast::Receiver<Topics>,
    /// Endpoints that are being told something.
    busy: Vec<WebhookId>,
    under_way: JoinSet<WebhookId>,
    stopping: watch::Receiver<bool>,
    /// When the next interval of usage is over.
    summaries_at: Option<Timestamp>,
}

impl Round {
    async fn run(mut self) {
        while !*self.stopping.borrow() {
            let next = match self.begin().await {
                Ok(next) => next,
                Err(weir_engine::Error::Closed) => break,
                Err(error) => {
                    tracing::warn!(%error, "what is to be sent could not be read");
                    Some(self.engine.now().saturating_add_micros(BREATH.as_micros() as i64))
                }
            };
            self.wait(next).await;
        }
        let drained = async { while self.under_way.join_next().await.is_some() {} };
        if timeout(DRAIN, drained).await.is_err() {
            self.under_way.shutdown().await;
        }
    }

    /// Begins to send what is due, and says when to look again.
    async fn begin(&mut self) -> weir_engine::Result<Option<Timestamp>> {
        if self.summaries_at.is_none_or(|at| at <= self.engine.now()) {
            self.summaries_at = match self.engine.tell_summaries().await {
                Err(weir_engine::Error::Closed) => return Err(weir_engine::Error::Closed),
                Err(error) => {
                    // Everything else is sent all the same.
                    tracing::warn!(%error, "a summary of usage could not be drawn up");
                    Some(self.engine.now().saturating_add_micros(LOOK_AGAIN.as_micros() as i64))
                }
                Ok(next) => next,
            };
        }
        let outbox = self.engine.outbox(&self.busy).await?;
        self.engine.measures().webhooks_waiting.set(self.engine.backlog().await?);
        for outgoing in outbox.due {
            self.busy.push(outgoing.webhook);
            let (engine, sender) = (self.engine.clone(), self.sender.clone());
            self.under_way.spawn(async move { deliver(&engine, &sender, outgoing).await });
        }
        Ok(outbox.next.into_iter().chain(self.summaries_at).min())
    }

    /// Until something may have become due.
    async fn wait(&mut self, next: Option<Timestamp>) {
        loop {
            let left = next.map_or(i64::MAX, |next| next.micros_since(self.engine.now())).max(0);
            let pause = Duration::from_micros(left.unsigned_abs()).min(LOOK_AGAIN);
            let stopped = async {
                // The sender being gone means the same.
                let _ = self.stopping.wait_for(|stopping| *stopping).await;
            };
            tokio::select! {
                () = stopped => return,
                Some(ended) = self.under_way.join_next() => {
                    match ended {
                        Ok(webhook) => self.busy.retain(|busy| *busy != webhook),
                        Err(error) => {
                            // Nobody knows whom it was telling; what is under way elsewhere is sent twice at worst.
                            tracing::error!(%error, "sending broke off");
                            self.busy.clear();
                        }
                    }
                    return;
                }
                changed = self.changes.recv() => match changed {
                    Ok(topics) if !concerns(topics) => {}
                    Err(RecvError::Closed) => sleep(BREATH).await,
                    _ => {
                        // An endpoint may want summaries now.
                        self.summaries_at = None;
                        return;
                    }
                },
                () = sleep(pause) => return,
            }
        }
    }
}

/// Whether something may be to be sent after a change.
fn concerns(topics: Topics) -> bool {
    // The project's zone says when a day is over.
    [Topics::WEBHOOKS, Topics::ALERTS, Topics::PROJECT].into_iter().any(|topic| topics | topic == topics)
}

async fn deliver(engine: &Engine, sender: &Sender, outgoing: Outgoing) -> WebhookId {
    let attempt = sender.send(&outgoing, engine.now()).await;
    if let Some(error) = &attempt.error {
        tracing::debug!(webhook = %outgoing.webhook, message_id = %outgoing.message, error, "a message did not arrive");
    }
    // Until it is written down, the endpoint is told nothing else: it would be the same message once more.
    while let Err(error) = engine.note_attempt(outgoing.delivery, attempt.clone()).await {
        if is_final(&error) {
            tracing::warn!(%error, "what came of a message could not be written down");
            break;
        }
        sleep(BREATH).await;
    }
    outgoing.webhook
}

/// Whether trying again is of no use.
fn is_final(error: &weir_engine::Error) -> bool {
    matches!(error, weir_engine::Error::Closed | weir_engine::Error::Fault(_))
}
