//! Notifications, as a desktop gets them and as a person chooses them.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use weir_http::Remote;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use crate::harness::{PATIENCE, Window};
use crate::stage::Stage;

const NAME: &str = "org.freedesktop.Notifications";
const PATH: &str = "/org/freedesktop/Notifications";

/// A notification as the desktop was asked for it.
struct Shown {
    id: u32,
    title: String,
    body: String,
}

/// The part of a desktop that shows notifications.
struct Service {
    count: u32,
    shown: UnboundedSender<Shown>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Service {
    fn get_capabilities(&self) -> Vec<String> {
        ["actions", "body", "body-markup"].map(str::to_owned).to_vec()
    }

    #[expect(clippy::too_many_arguments, reason = "the desktops agreed on these")]
    fn notify(
        &mut self,
        _app: String,
        _replaces: u32,
        _icon: String,
        title: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        assert_eq!(actions.first().map(String::as_str), Some("default"), "it can be chosen");
        self.count += 1;
        let id = self.count;
        // The test may be over.
        let _ = self.shown.send(Shown { id, title, body });
        id
    }

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action: &str) -> zbus::Result<()>;
}

/// A desktop on a stage's message bus, and what it shows.
struct Desktop {
    bus: zbus::Connection,
    shown: UnboundedReceiver<Shown>,
}

impl Desktop {
    async fn on(stage: &Stage) -> Self {
        let (sender, shown) = unbounded_channel();
        let service = Service { count: 0, shown: sender };
        let bus = zbus::connection::Builder::address(stage.bus_address()).expect("an address");
        let bus = bus.serve_at(PATH, service).and_then(|bus| bus.name(NAME)).expect("a service");
        Self { bus: bus.build().await.expect("the bus takes the service"), shown }
    }

    async fn shows(&mut self) -> Shown {
        timeout(PATIENCE, self.shown.recv()).await.expect("a notification is shown").expect("the service goes on")
    }

    /// Chooses a notification, again and again.
    async fn insist_on(&self, shown: &Shown) {
        let emitter = SignalEmitter::new(&self.bus, PATH).expect("a path");
        loop {
            Service::action_invoked(&emitter, shown.id, "default").await.expect("the signal is sent");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

async fn call(owner: &Remote, op: &str, request: Value) -> Value {
    let answer = owner.call(op, request.to_string()).await.unwrap_or_else(|error| panic!("{op}: {error:?}"));
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn an_alert_is_a_notification_that_leads_to_the_customer() {
    let stage = Stage::new("C.UTF-8");
    let mut desktop = Desktop::on(&stage).await;
    let window = Window::open_on(stage).await;
    window.read("h1", "Overview").await;
    window.click("nav a", "Settings").await;
    window.click("button", "Show one now").await;
    let trial = desktop.shows().await;
    assert_eq!(trial.title, "This is what a notification looks like");

    let owner = Remote::find(&window.data_dir()).await.expect("a readable note").expect("the window answers");
    let meter = json!({ "name": "Tokens", "aggregation": "sum", "field": "values.tokens", "unit": "R&D <b>" });
    let meter = call(&owner, "meters.create", meter).await;
    let limit = json!({
        "name": "Daily", "meterId": meter["id"], "limitValue": "100", "period": "day", "alertThresholds": [80, 100]
    });
    call(&owner, "limits.create", limit).await;
    let event = json!({ "customerId": "acme", "eventType": "call", "values": { "tokens": "82.5" } });
    call(&owner, "events.record", event).await;

    let alert = desktop.shows().await;
    assert_eq!(alert.title, "acme crossed 80% of Daily");
    // The body means its letters, although this desktop would read it as markup.
    assert_eq!(alert.body.replace('\u{202f}', " "), "82.5 of 100 R&amp;D &lt;b&gt; per day");
    // The app listens for the choice a moment after the desktop has the notification, which no person would notice.
    tokio::select! {
        _ = window.read("h1", "acme") => {}
        () = desktop.insist_on(&alert) => {}
    }
    window.read("main", "82.5 of 100").await;
    window.keep_picture("chosen notification").await;

    // The next threshold is told by itself: the first was told once.
    let event = json!({ "customerId": "acme", "eventType": "call", "values": { "tokens": "20" } });
    call(&owner, "events.record", event).await;
    assert_eq!(desktop.shows().await.title, "acme crossed 100% of Daily");
}

/// Most test machines, and some desktops, have no such service.
#[tokio::test]
async fn without_notifications_the_window_says_so_and_goes_on() {
    let window = Window::open().await;
    window.read("h1", "Overview").await;
    window.click("nav a", "Settings").await;
    window.click("button", "Show one now").await;
    window.read("[role=alert]", "That did not work").await;
    window.click("nav a", "Alerts").await;
    window.read("h1", "Alerts").await;
}
