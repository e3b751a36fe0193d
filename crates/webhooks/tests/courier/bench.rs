//! An engine on a real file with a clock that stands still, and a courier that sends for it.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use weir_core::id::WebhookId;
use weir_engine::model::{Delivery, ListDeliveries, NewWebhook, PageSize, SecretsPlace, Webhook};
use weir_engine::secrets::Secrets;
use weir_engine::{Actor, Engine, ManualClock, OpenOptions, Topics};
use weir_webhooks::{Courier, Setup};

const NOW: &str = "2026-03-10T12:00:00Z";
/// No test waits for longer: what has not happened by then never will.
const NEVER: Duration = Duration::from_secs(120);

/// Fails instead of waiting for ever.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(NEVER, future).await.expect("it never happens")
}

pub struct Bench {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub dir: TempDir,
    pub courier: Option<Courier>,
}

fn options(dir: &Path) -> OpenOptions {
    let secrets = Secrets { unless_chosen: Some(SecretsPlace::File), ..Secrets::default() };
    OpenOptions { secrets, ..OpenOptions::new(dir) }
}

pub fn operator() -> Actor {
    Actor::operator()
}

pub fn patience(millis: u64) -> Setup {
    Setup { patience: Duration::from_millis(millis), ..Setup::default() }
}

impl Bench {
    pub async fn open(setup: Setup) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::at(NOW.parse().unwrap()));
        let engine = Engine::open(options(dir.path()), clock.clone()).await.expect("a fresh engine");
        let courier = Some(Courier::start(engine.clone(), &setup).expect("a courier"));
        Bench { engine, clock, dir, courier }
    }

    pub async fn stop(&mut self) {
        soon(self.courier.take().expect("a courier").stop()).await;
    }

    /// Closes everything, and opens the same file again.
    pub async fn reopen(mut self, setup: Setup) -> Self {
        if self.courier.is_some() {
            self.stop().await;
        }
        self.engine.close().await;
        let engine = Engine::open(options(self.dir.path()), self.clock.clone()).await.expect("the engine again");
        let courier = Some(Courier::start(engine.clone(), &setup).expect("a courier"));
        Bench { engine, courier, ..self }
    }

    pub async fn hook(&self, url: &str, allow_private: bool) -> WebhookId {
        let url = url.to_owned();
        let new = NewWebhook { url, description: None, event_types: None, allow_private, enabled: true };
        self.engine.create_webhook(&operator(), new).await.expect("an endpoint").webhook.id
    }

    pub async fn ping(&self, id: WebhookId) {
        self.engine.test_webhook(&operator(), id).await.expect("a ping");
    }

    pub async fn the_hook(&self, id: WebhookId) -> Webhook {
        self.engine.webhook(id).await.expect("the endpoint").webhook
    }

    /// Time goes on, and the courier notices.
    pub fn later(&self, seconds: i64) {
        self.clock.set(self.engine.now().saturating_add_micros(seconds * 1_000_000));
        self.engine.publish(Topics::WEBHOOKS);
    }

    /// An endpoint's deliveries, oldest first.
    pub async fn deliveries(&self, id: WebhookId) -> Vec<Delivery> {
        let list = ListDeliveries { limit: PageSize::MAX, ..ListDeliveries::default() };
        let mut deliveries = self.engine.deliveries(id, list).await.expect("deliveries").data;
        deliveries.reverse();
        deliveries
    }

    /// An endpoint's deliveries, once they are as they should become.
    pub async fn until(&self, id: WebhookId, are: impl Fn(&[Delivery]) -> bool) -> Vec<Delivery> {
        let mut changes = self.engine.changes();
        soon(async {
            loop {
                let deliveries = self.deliveries(id).await;
                if are(&deliveries) {
                    return deliveries;
                }
                // Having missed some is a reason to look as well.
                let _ = changes.recv().await;
            }
        })
        .await
    }

    /// The first delivery, once so many attempts at it have been noted.
    pub async fn tried(&self, id: WebhookId, attempts: usize) -> Delivery {
        self.until(id, |deliveries| deliveries[0].attempts.len() >= attempts).await.swap_remove(0)
    }
}
