//! An import at work, in the background.

use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, Instant};

use weir_engine::{Actor, Engine, Topics};
use weir_import::Rows;

use super::entry::Entry;
use crate::intake::{self, Ended, EngineSink};

/// How often progress is published.
const EVERY: Duration = Duration::from_millis(200);

pub(super) fn spawn(entry: Arc<Entry>, rows: Rows<File>, engine: Engine, actor: Actor) {
    let work = tokio::spawn(work(Arc::clone(&entry), rows, engine.clone(), actor));
    // Whatever happens to the work, the import comes to an end.
    tokio::spawn(async move {
        let outcome = work.await.unwrap_or_else(|broken| {
            tracing::error!(%broken, import = %entry.id, "an import broke off");
            Err(Ended::Failed("the import broke off".to_owned()))
        });
        entry.finish(outcome, engine.now());
        engine.publish(Topics::IMPORTS);
    });
}

async fn work(entry: Arc<Entry>, rows: Rows<File>, engine: Engine, actor: Actor) -> Result<intake::Tally, Ended> {
    let sink = EngineSink { engine: &engine, actor: &actor };
    let mut published = Instant::now();
    intake::run(rows, &sink, &entry.stop, |tally, refused| {
        entry.advance(tally, refused);
        if published.elapsed() >= EVERY {
            published = Instant::now();
            engine.publish(Topics::IMPORTS);
        }
    })
    .await
}
