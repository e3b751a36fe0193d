//! Where imported events go: straight into this process's engine, or to the owner in batches.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use weir_api::intake::{EngineSink, Sink, SinkError};
use weir_core::event::EventInput;
use weir_engine::model::BatchRecorded;
use weir_http::{Door, Refusal};

/// The way in that a door is.
pub struct DoorSink<'a>(pub &'a Door);

#[derive(Serialize)]
struct Batch {
    events: Vec<EventInput>,
}

#[derive(Deserialize)]
struct Answer {
    count: u64,
    duplicates: u64,
}

impl Sink for DoorSink<'_> {
    async fn record(&self, events: Vec<EventInput>) -> Result<BatchRecorded, SinkError> {
        match self.0 {
            Door::Owned { ctx, .. } => EngineSink { engine: ctx.engine(), actor: &ctx.actor }.record(events).await,
            Door::Remote(_) => {
                let Answer { count, duplicates } =
                    self.0.ask("events.batch", &Batch { events }).await.map_err(reason)?;
                Ok(BatchRecorded { count, duplicates, overdrawn: 0 })
            }
        }
    }
}

fn reason(refusal: Refusal) -> SinkError {
    if !refusal.details.errors.is_empty() {
        let faults = refusal.details.errors.into_iter().map(|item| (item.index, item.code, item.message)).collect();
        return SinkError::Refused(faults);
    }
    let wait = refusal.details.retry_after_seconds.unwrap_or(1);
    match refusal.code.as_str() {
        // Every row carries a key, so what may have been recorded may be sent again.
        "busy" | "timeout" | "unreachable" => SinkError::Again(Duration::from_secs(wait.into())),
        "internal_error" => SinkError::Failed(refusal.message),
        _ => SinkError::Rejected { code: refusal.code, message: refusal.message },
    }
}
