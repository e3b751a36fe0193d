//! An engine on a real file beside the plain model: opened, closed, cut off.

use std::collections::BTreeMap;
use std::sync::Arc;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::{EventId, MeterId, ReservationId, TransactionId};
use weir_core::ledger::EntryKind;
use weir_core::period::Period;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{ListMeters, NewCustomer, NewMeter, ProjectPatch};
use weir_engine::{DATA_FILE, Engine, Error, ManualClock, OpenOptions, doctor};

use crate::commands::{ANCHORS, CUSTOMERS, Jump, Step};
use crate::common::{actor, at};
use crate::deeds::Kept;
use crate::paying::Plain;

/// An engine and what it runs on. Dropping it ends every task where it stands.
pub struct Life {
    pub engine: Engine,
    pub runtime: Runtime,
}

pub struct World {
    pub life: Life,
    clock: Arc<ManualClock>,
    dir: TempDir,
    pub plain: Plain,
    pub now: Timestamp,
    pub meters: Vec<MeterId>,
    /// What was asked under a key, by balance and key.
    pub keys: BTreeMap<(usize, String), Kept>,
    /// References that are taken, by balance and type.
    pub references: Vec<(usize, EntryKind, String)>,
    /// Events sent under a key, by customer and key.
    pub sent: BTreeMap<(String, String), (EventInput, EventId)>,
    /// Entries of which an answer named the id.
    pub named: Vec<(usize, usize, TransactionId)>,
    /// What reservations were committed as.
    pub committed: BTreeMap<ReservationId, (EventId, BTreeMap<String, weir_core::quantity::Quantity>)>,
}

fn open(dir: &TempDir, clock: &Arc<ManualClock>) -> Life {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let options = OpenOptions { cache_mib: 4, ..OpenOptions::new(dir.path()) };
    let engine = runtime.block_on(Engine::open(options, clock.clone())).expect("the engine");
    Life { engine, runtime }
}

pub fn code<T>(answer: &Result<T, Error>) -> Option<Code> {
    answer.as_ref().err().map(Error::code)
}

impl World {
    pub fn new(start: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let now = at(start);
        let clock = Arc::new(ManualClock::at(now));
        let life = open(&dir, &clock);
        let units = NewMeter {
            name: "units of calls".to_owned(),
            description: None,
            aggregation: Aggregation::Sum,
            field: "values.units".to_owned(),
            event_filter: EventFilter { event_type: Some("call".to_owned()), dimensions: BTreeMap::new() },
            group_by: Vec::new(),
            unit: None,
        };
        let meters = life.runtime.block_on(async {
            let units = life.engine.create_meter(&actor(), units).await.expect("a meter").id;
            let list = life.engine.meters(ListMeters::default()).await.expect("meters").data;
            let built_in = |name: &str| list.iter().find(|meter| meter.name == name).expect("a built-in meter").id;
            for customer in CUSTOMERS {
                let new = NewCustomer {
                    external_id: customer.to_owned(),
                    timezone: Some(Zone::UTC),
                    billing_cycle_start: Some(ANCHORS[0].to_owned()),
                    ..NewCustomer::default()
                };
                life.engine.create_customer(&actor(), new).await.expect("a customer");
            }
            vec![built_in("total_tokens"), built_in("total_events"), units]
        });
        let owners = vec![(Zone::UTC, ANCHORS[0].parse().expect("a date")); CUSTOMERS.len()];
        let plain = Plain { balances: Vec::new(), owners, events: Vec::new(), reservations: Vec::new() };
        World {
            life,
            clock,
            dir,
            plain,
            now,
            meters,
            keys: BTreeMap::new(),
            references: Vec::new(),
            sent: BTreeMap::new(),
            named: Vec::new(),
            committed: BTreeMap::new(),
        }
    }

    /// Time passes, the command is carried out before anything else is, and all is compared.
    pub fn take(mut self, step: Step) -> Self {
        self.jump(step.jump);
        let what = format!("{step:?}");
        let mut world = self.act(step.command);
        world.settle();
        world.compare(&what);
        world
    }

    fn jump(&mut self, jump: Jump) {
        let to = match jump {
            Jump::Stay => return,
            Jump::Micros(micros) => self.now.saturating_add_micros(micros),
            Jump::Seconds(seconds) => self.now.saturating_add_micros(seconds * 1_000_000),
            Jump::Due(which, micros) => {
                let due: Vec<_> = self.plain.balances.iter().filter_map(|balance| balance.next_due()).collect();
                if due.is_empty() {
                    return;
                }
                due[which.index(due.len())].saturating_add_micros(micros)
            }
        };
        // A year of hourly credits is told one by one; some of them will do.
        let live = self.plain.balances.iter().filter(|balance| !balance.archived);
        let most = live.filter_map(|balance| balance.recurring.as_ref()).map(|recurring| match recurring.period {
            Period::Hour => 100_000,
            Period::Day => 35 * 86_400,
            _ => i64::MAX / 1_000_000,
        });
        let most = most.min().unwrap_or(i64::MAX / 1_000_000);
        let to = to.min(self.now.saturating_add_micros(most * 1_000_000));
        self.now = self.now.max(to);
        self.clock.set(self.now);
        self.plain.advance(self.now);
    }

    /// Lets the engine do what is due: each command served lets a chunk of it be done.
    fn settle(&self) {
        let Life { engine, runtime } = &self.life;
        for _ in 0..2 {
            runtime.block_on(engine.update_project(&actor(), ProjectPatch::default())).expect("no change");
        }
    }

    /// Closes the engine, has the doctor look, and opens it again.
    pub fn reopen(mut self) -> Self {
        self.life.runtime.block_on(self.life.engine.close());
        self.examine();
        self.life = open(&self.dir, &self.clock);
        self
    }

    /// Goes on with a copy of the files, as they were in the middle of everything.
    pub fn crash(mut self) -> Self {
        let copy = tempfile::tempdir().expect("a temporary folder");
        for ending in ["", "-wal"] {
            let name = format!("{DATA_FILE}{ending}");
            std::fs::copy(self.dir.path().join(&name), copy.path().join(&name)).expect("a copy");
        }
        self.life = open(&copy, &self.clock);
        self.dir = copy;
        self
    }

    fn examine(&self) {
        let report = self.life.runtime.block_on(doctor::examine(self.dir.path())).expect("a report");
        assert_eq!(report.differences, Vec::<String>::new(), "the doctor has something to say");
    }

    pub fn end(self) {
        let mut world = self.reopen();
        world.settle();
        world.compare("the end");
        world.statements();
        world.life.runtime.block_on(world.life.engine.close());
        world.examine();
    }
}
