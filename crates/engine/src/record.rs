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

impl Engine {
    /// Records an event; answers once it is durable. A repeat under the same key answers as the first did.
    pub async fn record(&self, actor: &Actor, event: EventInput) -> Result<Recorded> {
        let prepared = Prepared::new(event.validate(self.now())?)?;
        let outcomes = self.writer().record(actor.clone(), vec![prepared]).await.map_err(alone)?;
        match outcomes.as_slice() {
            [Outcome { id, .. }] => Ok(Recorded { id: *id, recorded: true }),
            _ => Err(Error::Unknown("the writer gave no answer".to_owned())),
        }
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
        let outcomes = self.writer().record(actor.clone(), prepared).await?;
        let duplicates = outcomes.iter().filter(|outcome| outcome.duplicate).count() as u64;
        Ok(BatchRecorded { count: outcomes.len() as u64 - duplicates, duplicates })
    }
}

/// The fault of an event that was sent by itself.
fn alone(error: Error) -> Error {
    match error {
        Error::Faults(mut faults) if faults.len() == 1 => Error::Fault(faults.remove(0).1),
        other => other,
    }
}
