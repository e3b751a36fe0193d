//! What the engine's tests share: an engine on a real file in a temporary folder, with a clock that stands still.

#![allow(dead_code)] // Each test file uses its own part.

pub mod hooks;
pub mod kill;
pub mod purse;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::MeterId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{Check, Enforcement, NewLimit, NewMeter, SecretsPlace};
use weir_engine::secrets::Secrets;
use weir_engine::{Actor, DATA_FILE, Engine, ManualClock, OpenOptions};

pub struct Bench {
    pub engine: Engine,
    pub clock: Arc<ManualClock>,
    pub dir: TempDir,
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

pub fn quantity(text: &str) -> Quantity {
    text.parse().expect("a quantity")
}

/// The usual settings, with the key of signing secrets in a file.
pub fn options(dir: &Path) -> OpenOptions {
    let secrets = Secrets { unless_chosen: Some(SecretsPlace::File), ..Secrets::default() };
    OpenOptions { secrets, ..OpenOptions::new(dir) }
}

pub fn actor() -> Actor {
    Actor::operator()
}

impl Bench {
    pub async fn open() -> Self {
        Self::open_at("2026-03-10T12:00:00Z").await
    }

    pub async fn open_at(now: &str) -> Self {
        Self::open_as(now, |_| {}).await
    }

    /// Opens one with the usual settings changed.
    pub async fn with(change: impl FnOnce(&mut OpenOptions)) -> Self {
        Self::open_as("2026-03-10T12:00:00Z", change).await
    }

    async fn open_as(now: &str, change: impl FnOnce(&mut OpenOptions)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let clock = Arc::new(ManualClock::at(at(now)));
        let mut options = options(dir.path());
        change(&mut options);
        let engine = Engine::open(options, clock.clone()).await.expect("a fresh engine");
        Bench { engine, clock, dir }
    }

    /// Closes the engine and opens the same file again.
    pub async fn reopen(self) -> Self {
        self.engine.close().await;
        let engine = Engine::open(options(self.dir.path()), self.clock.clone()).await.expect("the engine again");
        Bench { engine, ..self }
    }

    /// Opens a copy of another engine's files as they stand, as a crash would leave them.
    pub async fn open_copy(other: &Bench) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        for ending in ["", "-wal"] {
            let name = format!("{DATA_FILE}{ending}");
            std::fs::copy(other.dir.path().join(&name), dir.path().join(&name)).expect("a copy");
        }
        let clock = Arc::new(ManualClock::at(weir_engine::Clock::now(&*other.clock)));
        let engine = Engine::open(options(dir.path()), clock.clone()).await.expect("an engine on the copy");
        Bench { engine, clock, dir }
    }

    pub async fn meter(&self, name: &str, aggregation: Aggregation, field: &str) -> MeterId {
        self.meter_by(name, aggregation, field, &[]).await
    }

    pub async fn meter_by(&self, name: &str, aggregation: Aggregation, field: &str, group_by: &[&str]) -> MeterId {
        let new = NewMeter {
            name: name.to_owned(),
            description: None,
            aggregation,
            field: field.to_owned(),
            event_filter: EventFilter::default(),
            group_by: group_by.iter().map(|name| (*name).to_owned()).collect(),
            unit: None,
        };
        self.engine.create_meter(&actor(), new).await.expect("a meter").id
    }
}

pub fn limit(name: &str, meter_id: MeterId, value: &str, period: Period) -> NewLimit {
    NewLimit {
        name: name.to_owned(),
        meter_id,
        limit_value: quantity(value),
        period,
        customer_id: None,
        dimension_filters: BTreeMap::new(),
        alert_thresholds: Vec::new(),
        enforcement: Enforcement::Hard,
        enabled: true,
    }
}

pub fn event(customer: &str, tokens: &str) -> EventInput {
    EventInput {
        customer_id: customer.to_owned(),
        event_type: "call".to_owned(),
        values: BTreeMap::from([("tokens".to_owned(), quantity(tokens))]),
        ..EventInput::default()
    }
}

pub fn check(customer: &str) -> Check {
    Check { customer_id: customer.to_owned(), ..Check::default() }
}
