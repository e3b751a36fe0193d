//! What the benches share: an engine in a temporary folder, events to record, and the plain SQLite that it is held against.

mod plain;

pub use plain::Plain;

use std::collections::BTreeMap;
use std::time::Duration;

use tempfile::TempDir;
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{Enforcement, NewLimit, NewMeter};
use weir_engine::{Actor, Engine, OpenOptions, SystemClock};

/// Page cache of both sides where an engine is held against plain SQLite, in MiB.
pub const CACHE_MIB: u32 = 64;

/// An engine with four meters and two limits, as the figures are defined.
pub struct Bench {
    /// The engine.
    pub engine: Engine,
    /// Where its data lies.
    pub dir: TempDir,
}

impl Bench {
    /// Opens one on an empty folder, with the page cache of the comparisons.
    pub async fn open() -> Self {
        Bench::with(|options| options.cache_mib = CACHE_MIB).await
    }

    /// Opens one on an empty folder, with the usual settings changed.
    pub async fn with(change: impl FnOnce(&mut OpenOptions)) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let mut options = OpenOptions::new(dir.path());
        change(&mut options);
        let engine = Engine::open(options, SystemClock).await.expect("an engine");
        // Three meters are built in; this is the fourth.
        let new = NewMeter {
            name: "input".to_owned(),
            description: None,
            aggregation: Aggregation::Sum,
            field: "values.input_tokens".to_owned(),
            event_filter: EventFilter::default(),
            group_by: Vec::new(),
            unit: None,
        };
        let meter = engine.create_meter(&Actor::system(), new).await.expect("a meter").id;
        for (name, period) in [("daily", Period::Day), ("monthly", Period::Month)] {
            let new = NewLimit {
                name: name.to_owned(),
                meter_id: meter,
                limit_value: Quantity::from_int(1_000_000_000),
                period,
                customer_id: None,
                dimension_filters: BTreeMap::new(),
                alert_thresholds: Vec::new(),
                enforcement: Enforcement::Hard,
                enabled: true,
            };
            engine.create_limit(&Actor::system(), new).await.expect("a limit");
        }
        Bench { engine, dir }
    }
}

/// The `n`th event: a customer in turn, two values, one dimension.
pub fn event(n: usize, customers: usize) -> EventInput {
    EventInput {
        customer_id: format!("customer-{:06}", (n * 7919) % customers),
        event_type: "llm.completion".to_owned(),
        values: BTreeMap::from([
            ("input_tokens".to_owned(), Quantity::from_int((n % 4000) as i64)),
            ("tokens".to_owned(), Quantity::from_int((n % 5000) as i64)),
        ]),
        dimensions: BTreeMap::from([("model".to_owned(), "small".to_owned())]),
        ..EventInput::default()
    }
}

/// One line of figures: what was measured, its limit, and the share of the limit that was asked for.
pub fn line(what: &str, measured: f64, limit: f64, wanted: f64, unit: &str) {
    let share = measured / limit;
    let verdict = if share >= wanted { "ok" } else { "BELOW" };
    println!(
        "{what:<58} {measured:>12.0} {unit:<9} limit {limit:>12.0}  share {share:>5.2} (wanted {wanted:.2}) {verdict}"
    );
}

/// A duration at a quantile of many.
pub fn quantile(sorted: &[Duration], q: f64) -> Duration {
    sorted[((sorted.len() - 1) as f64 * q) as usize]
}
