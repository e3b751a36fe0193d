//! Recording events.

use weir_core::error::Fault;
use weir_core::event::EventInput;

use crate::actor::Actor;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{BatchRecorded, Recorded, Tracked};
use crate::writer::{Outcome, Prepared};

/// Most events of one batch.
const MAX_BATCH: usize = 1_000;
/// What the keys of front ends are kept under: no key that a caller can send holds a control character.
const CLIENT_KEYS: &str = "\u{1}client\u{1}";

impl Engine {
    /// Records an event; answers once it is durable. A repeat under the same key answers as the first did.
    pub async fn record(&self, actor: &Actor, event: EventInput) -> Result<Recorded> {
        self.record_one(actor, Prepared::new(event.validate(self.now())?)?).await
    }

    async fn record_one(&self, actor: &Actor, event: Prepared) -> Result<Recorded> {
        let outcomes = self.writer().record(actor.clone(), vec![event]).await.map_err(alone)?;
        Recorded::of(&outcomes).ok_or_else(|| Error::Unknown("the writer gave no answer".to_owned()))
    }

    /// Records an event that a customer's own front end sends. Its keys are recognised among those of the customer's front ends
    /// alone, so that none can take, or find out, a key of the operator's programs.
    pub async fn record_from_client(&self, actor: &Actor, event: EventInput) -> Result<Recorded> {
        event.check_from_client()?;
        let mut draft = event.validate(self.now())?;
        draft.idempotency_key = draft.idempotency_key.map(|key| format!("{CLIENT_KEYS}{key}"));
        self.record_one(actor, Prepared::new(draft)?).await
    }

    /// Decides an event by the customer's rate limits and limits, with its own share, and records it if none refuses
    /// ([`Error::Refused`]); answers once that is durable. A repeat under the same key is not decided anew.
    pub async fn track(&self, actor: &Actor, event: EventInput) -> Result<Tracked> {
        let prepared = Prepared::new(event.validate(self.now())?)?;
        self.writer().track(actor.clone(), prepared).await.map_err(alone)
    }

    /// Records 1 to 1,000 events together: all of them, or none with every fault listed by index.
    pub async fn record_batch(&self, actor: &Actor, events: Vec<EventInput>) -> Result<BatchRecorded> {
        if events.is_empty() || events.len() > MAX_BATCH {
            return Err(Fault::invalid("events", format_args!("must have 1 to {MAX_BATCH} entries")).into());
        }
        let now = self.now();
        let (mut prepared, mut faults) = (Vec::with_capacity(events.len()), Vec::new());
        for (index, event) in events.into_iter().enumerate() {
            match event.validate(now) {
                Ok(draft) => prepared.push(Prepared::new(draft)?),
                Err(fault) => faults.push((index, fault)),
            }
        }
        if !faults.is_empty() {
            return Err(Error::Faults(faults));
        }
        Ok(BatchRecorded::of(&self.writer().record(actor.clone(), prepared).await?))
    }
}

impl Recorded {
    /// What became of an event that was sent by itself.
    pub(crate) fn of(outcomes: &[Outcome]) -> Option<Self> {
        match outcomes {
            [Outcome { id, overdrawn, .. }] => Some(Recorded { id: *id, recorded: true, overdrawn: *overdrawn }),
            _ => None,
        }
    }
}

impl BatchRecorded {
    /// What became of events that were sent together.
    pub(crate) fn of(outcomes: &[Outcome]) -> Self {
        let duplicates = outcomes.iter().filter(|outcome| outcome.duplicate).count() as u64;
        let overdrawn = outcomes.iter().filter(|outcome| outcome.overdrawn && !outcome.duplicate).count() as u64;
        BatchRecorded { count: outcomes.len() as u64 - duplicates, duplicates, overdrawn }
    }
}

/// The fault of an event that was sent by itself.
fn alone(error: Error) -> Error {
    match error {
        Error::Faults(mut faults) if faults.len() == 1 => Error::Fault(faults.remove(0).1),
        other => other,
    }
}
