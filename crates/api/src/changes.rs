//! Changes on their way to whoever shows something: put together so that at most ten a second go out.

use std::time::Duration;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};
use weir_engine::{Engine, Topics};

/// The least time between two changes.
const PAUSE: Duration = Duration::from_millis(100);

/// A listener to changes.
pub struct Changes {
    source: Receiver<Topics>,
    /// What is known to be stale and not told yet.
    pending: Topics,
    not_before: Instant,
}

impl Changes {
    /// Listens to an engine from now on.
    pub fn of(engine: &Engine) -> Self {
        Changes::new(engine.changes())
    }

    fn new(source: Receiver<Topics>) -> Self {
        Changes { source, pending: Topics::NONE, not_before: Instant::now() }
    }

    /// What has become stale; none once the engine is gone. May be given up and asked again without losing anything.
    pub async fn next(&mut self) -> Option<Topics> {
        while self.pending.is_empty() {
            let received = self.source.recv().await;
            self.take(received)?;
        }
        while let Ok(received) = timeout_at(self.not_before, self.source.recv()).await {
            if self.take(received).is_none() {
                break;
            }
        }
        self.not_before = Instant::now() + PAUSE;
        Some(std::mem::take(&mut self.pending))
    }

    fn take(&mut self, received: Result<Topics, RecvError>) -> Option<()> {
        match received {
            Ok(topics) => self.pending |= topics,
            // Too slow to hear each of them: anything may be stale.
            Err(RecvError::Lagged(_)) => self.pending = Topics::ALL,
            Err(RecvError::Closed) => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::broadcast;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_becomes_two_changes() {
        let (sender, receiver) = broadcast::channel(64);
        let mut changes = Changes::new(receiver);
        let began = Instant::now();
        sender.send(Topics::EVENTS).unwrap();
        assert_eq!(changes.next().await, Some(Topics::EVENTS), "the first goes out at once");
        for _ in 0..20 {
            sender.send(Topics::EVENTS).unwrap();
            sender.send(Topics::STANDINGS).unwrap();
        }
        assert_eq!(changes.next().await, Some(Topics::EVENTS | Topics::STANDINGS));
        assert_eq!(began.elapsed(), PAUSE);
        drop(sender);
        assert_eq!(changes.next().await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_too_slow_is_told_that_all_is_stale() {
        let (sender, receiver) = broadcast::channel(2);
        let mut changes = Changes::new(receiver);
        for _ in 0..9 {
            sender.send(Topics::EVENTS).unwrap();
        }
        assert_eq!(changes.next().await, Some(Topics::ALL));
    }
}
