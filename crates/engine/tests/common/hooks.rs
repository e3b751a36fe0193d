//! Endpoints, and the courier's part played by hand.

use serde_json::Value;
use weir_core::id::{MeterId, WebhookId};
use weir_core::period::Period;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Delivery, DeliveryState, ListDeliveries, NewLimit, NewWebhook, PageSize, ProjectPatch, Webhook, WebhookEventType,
    WebhookWithSecret,
};
use weir_engine::{Attempt, Outgoing};

use super::{Bench, actor, event, limit};

pub const URL: &str = "https://hooks.example.com/weir";

pub fn hook(types: Option<&[WebhookEventType]>) -> NewWebhook {
    NewWebhook {
        url: URL.to_owned(),
        description: None,
        event_types: types.map(<[WebhookEventType]>::to_vec),
        allow_private: false,
        enabled: true,
    }
}

/// An attempt that a receiver answered with a status.
pub fn answered(at: Timestamp, status: u16) -> Attempt {
    Attempt {
        at,
        took: 1_500,
        status: Some(status),
        error: (!(200..300).contains(&status)).then(|| format!("it answered {status}")),
        request: [("content-type".to_owned(), "application/json".to_owned())].into(),
        response: Some("hello".to_owned()),
    }
}

/// The body of a message.
pub fn body(outgoing: &Outgoing) -> Value {
    serde_json::from_str(&outgoing.body).expect("JSON")
}

/// The types of messages.
pub fn types(sent: &[Outgoing]) -> Vec<String> {
    sent.iter().map(|outgoing| body(outgoing)["type"].as_str().expect("a type").to_owned()).collect()
}

/// Those for one endpoint.
pub fn of(sent: &[Outgoing], webhook: WebhookId) -> Vec<Outgoing> {
    sent.iter().filter(|outgoing| outgoing.webhook == webhook).cloned().collect()
}

impl Bench {
    pub fn now(&self) -> Timestamp {
        self.engine.now()
    }

    pub async fn hook(&self, types: Option<&[WebhookEventType]>) -> WebhookId {
        self.create_hook(hook(types)).await.webhook.id
    }

    pub async fn create_hook(&self, new: NewWebhook) -> WebhookWithSecret {
        self.engine.create_webhook(&actor(), new).await.expect("an endpoint")
    }

    pub async fn the_hook(&self, id: WebhookId) -> Webhook {
        self.engine.webhook(id).await.expect("the endpoint").webhook
    }

    /// A limit of 100 tokens a day for everyone, told at these percentages.
    pub async fn daily(&self, meter: MeterId, thresholds: &[u16]) {
        let new = NewLimit { alert_thresholds: thresholds.to_vec(), ..limit("daily", meter, "100", Period::Day) };
        self.engine.create_limit(&actor(), new).await.expect("a limit");
    }

    pub async fn record(&self, customer: &str, tokens: &str) {
        self.engine.record(&actor(), event(customer, tokens)).await.expect("recorded");
    }

    /// Lets work in the background be done: each command that is served lets a chunk of it be.
    pub async fn settle(&self) {
        for _ in 0..8 {
            self.engine.update_project(&actor(), ProjectPatch::default()).await.expect("no change");
        }
    }

    pub async fn due(&self) -> Vec<Outgoing> {
        self.engine.outbox(&[]).await.expect("an outbox").due
    }

    /// The only message that is due.
    pub async fn only(&self) -> Outgoing {
        let due = self.due().await;
        assert_eq!(due.len(), 1, "{due:?}");
        due[0].clone()
    }

    /// Answers a message, as its endpoint did.
    pub async fn answer(&self, outgoing: &Outgoing, status: u16) {
        self.engine.note_attempt(outgoing.delivery, answered(self.now(), status)).await.expect("noted");
    }

    /// Delivers whatever is due, until nothing is.
    pub async fn deliver(&self) -> Vec<Outgoing> {
        let mut sent = Vec::new();
        loop {
            let due = self.due().await;
            if due.is_empty() {
                return sent;
            }
            for outgoing in due {
                self.answer(&outgoing, 200).await;
                sent.push(outgoing);
            }
        }
    }

    pub async fn ping(&self, id: WebhookId) -> Delivery {
        self.engine.test_webhook(&actor(), id).await.expect("a ping")
    }

    /// Every delivery of an endpoint, oldest first.
    pub async fn deliveries(&self, id: WebhookId) -> Vec<Delivery> {
        let mut list = ListDeliveries { limit: PageSize::MAX, ..ListDeliveries::default() };
        let mut deliveries = Vec::new();
        loop {
            let page = self.engine.deliveries(id, list.clone()).await.expect("deliveries");
            deliveries.extend(page.data);
            list.cursor = page.next_cursor;
            if list.cursor.is_none() {
                deliveries.reverse();
                return deliveries;
            }
        }
    }

    pub async fn states(&self, id: WebhookId) -> Vec<DeliveryState> {
        self.deliveries(id).await.iter().map(|delivery| delivery.state).collect()
    }
}
