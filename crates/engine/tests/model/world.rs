//! An engine on a real file beside the plain model: opened, closed, cut off, and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::runtime::Runtime;
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{EventId, ReservationId};
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{
    Check, CheckedLimit, ListCustomers, ListEvents, ListMeters, ListStandings, PageSize, ProjectPatch,
};
use weir_engine::{DATA_FILE, Engine, ManualClock, OpenOptions, doctor};

use crate::commands::CUSTOMERS;
use crate::common::{actor, at};
use crate::plain::{Definition, Meter, Plain, Texts, percent};

/// An engine and what it runs on. Dropping it ends every task where it stands.
pub struct Life {
    pub engine: Engine,
    pub runtime: Runtime,
}

/// An event that was recorded under a key.
pub struct Sent {
    pub input: EventInput,
    /// Known where it was recorded alone.
    pub id: Option<EventId>,
    /// When it was tracked, and what the limits were then.
    pub tracked: Option<(Timestamp, Vec<CheckedLimit>)>,
}

pub struct World {
    pub life: Life,
    pub clock: Arc<ManualClock>,
    dir: TempDir,
    pub plain: Plain,
    /// The time by which the engine decides.
    pub now: Timestamp,
    /// When the last event was recorded.
    pub recorded: Option<Timestamp>,
    pub keys: BTreeMap<(String, String), Sent>,
    pub last_id: Option<EventId>,
    /// What reservations were committed as.
    pub committed: BTreeMap<ReservationId, EventId>,
    /// A new life began earlier than the last one ended, by a clock that was set back meanwhile. What is kept for sorting alone
    /// may be of a window that has not begun again, until something happens.
    pub went_back: bool,
}

fn open(dir: &TempDir, clock: &Arc<ManualClock>) -> Life {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let options = OpenOptions { cache_mib: 4, ..OpenOptions::new(dir.path()) };
    let engine = runtime.block_on(Engine::open(options, clock.clone())).expect("the engine");
    Life { engine, runtime }
}

impl World {
    pub fn new(start: &str) -> Self {
        let dir = tempfile::tempdir().expect("a temporary folder");
        let now = at(start);
        let clock = Arc::new(ManualClock::at(now));
        let life = open(&dir, &clock);
        assert_eq!(life.engine.now(), now);
        let list = life.runtime.block_on(life.engine.meters(ListMeters::default())).expect("meters");
        let built_in = |name: &str, field, aggregation| {
            let meter = list.data.iter().find(|meter| meter.name == name).expect("a built-in meter");
            let definition =
                Definition { aggregation, field, event_type: None, dimensions: Texts::new(), group_by: Vec::new() };
            Meter {
                id: meter.id,
                name: name.to_owned(),
                unit: meter.unit.clone(),
                definition,
                archived: false,
                built_in: true,
            }
        };
        let meters = vec![
            built_in("total_events", "*", Aggregation::Count),
            built_in("total_tokens", "values.tokens", Aggregation::Sum),
            built_in("total_cost_cents", "values.cost_cents", Aggregation::Sum),
        ];
        let plain = Plain {
            events: Vec::new(),
            customers: BTreeMap::new(),
            meters,
            limits: Vec::new(),
            zone: Zone::UTC,
            raises: Vec::new(),
            resets: Vec::new(),
            holds: Vec::new(),
            alerts: Vec::new(),
        };
        let committed = BTreeMap::new();
        World {
            life,
            clock,
            dir,
            plain,
            now,
            recorded: None,
            keys: BTreeMap::new(),
            last_id: None,
            committed,
            went_back: false,
        }
    }

    pub fn put_project_in(&mut self, zone: Zone) {
        let is_new = self.plain.zone != zone;
        let patch = ProjectPatch { timezone: Some(zone), ..ProjectPatch::default() };
        self.life.runtime.block_on(self.life.engine.update_project(&actor(), patch)).expect("a new zone");
        self.plain.zone = zone;
        if is_new {
            self.change_everyone();
        }
    }

    /// After a change that is judged for everyone in the background.
    pub fn change_everyone(&mut self) {
        self.settle();
        self.plain.judge_everyone(self.now);
    }

    pub fn move_clock(&mut self, to: Timestamp) {
        self.clock.set(to);
        self.now = self.now.max(to);
        assert_eq!(self.life.engine.now(), self.now, "time never steps back");
        self.settle();
    }

    /// Closes the engine, has the doctor look, and opens it again.
    pub fn reopen(mut self) -> Self {
        self.life.runtime.block_on(self.life.engine.close());
        self.examine();
        self.life = open(&self.dir, &self.clock);
        self.wake();
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
        self.wake();
        self
    }

    /// A new life knows the time by its clock and by what was recorded.
    fn wake(&mut self) {
        use weir_engine::Clock;
        let clock = self.clock.now();
        let now = self.recorded.map_or(clock, |recorded| recorded.max(clock));
        self.went_back |= now < self.now;
        self.now = now;
        assert_eq!(self.life.engine.now(), self.now, "not before the last event");
        self.settle();
    }

    fn examine(&self) {
        let report = self.life.runtime.block_on(doctor::examine(self.dir.path())).expect("a report");
        assert_eq!(report.differences, Vec::<String>::new(), "the doctor has something to say");
    }

    pub fn end(self) {
        let world = self.reopen();
        world.look(u8::MAX);
        world.lists();
        world.life.runtime.block_on(world.life.engine.close());
        world.examine();
    }

    /// Compares customers: everything that is known of them.
    pub fn look(&self, which: u8) {
        self.compare_told();
        for (number, customer) in CUSTOMERS.into_iter().enumerate() {
            if which & (1 << number) != 0 {
                self.look_at(customer);
            }
        }
    }

    fn look_at(&self, customer: &str) {
        let (plain, Life { engine, runtime }) = (&self.plain, &self.life);
        self.check(Check { customer_id: customer.to_owned(), ..Check::default() });
        let Some(owner) = plain.customers.get(customer) else {
            for refused in [
                runtime.block_on(engine.customer_standing(customer)).err(),
                runtime.block_on(engine.customer(customer)).err(),
            ] {
                assert_eq!(refused.map(|error| error.code()), Some(Code::CustomerNotFound), "{customer}");
            }
            return;
        };
        let standing = runtime.block_on(engine.customer_standing(customer)).expect("a standing");
        assert_eq!(standing.timezone, owner.zone.unwrap_or(plain.zone), "{customer}");
        assert_eq!(standing.limits, plain.standing(customer, self.now), "{customer} at {}", self.now);
        let known = runtime.block_on(engine.customer(customer)).expect("a customer");
        assert_eq!((known.timezone, known.billing_cycle_start), (owner.zone, owner.anchor), "{customer}");
        assert_eq!(known.archived_at.is_some(), owner.archived, "{customer}");
        assert_eq!(known.last_event_at, self.last_event_of(customer), "{customer}");
        let usage = runtime.block_on(engine.customer_usage(customer, None, None)).expect("usage");
        let found: BTreeMap<_, _> = usage.meters.iter().map(|meter| (meter.meter_id, meter.value)).collect();
        let live = plain.meters.iter().filter(|meter| !meter.archived);
        let expected: BTreeMap<_, _> = live.map(|meter| (meter.id, plain.usage(meter, customer))).collect();
        assert_eq!(found, expected, "usage of {customer}");
    }

    fn last_event_of(&self, customer: &str) -> Option<Timestamp> {
        self.plain.counting().filter(|event| event.customer == customer).map(|event| event.at).max()
    }

    pub fn check(&self, check: Check) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.check(check.clone())).expect("an answer");
        let (allowed, limits) = self.plain.check(&check, self.now);
        assert_eq!(answer.limits, limits, "{check:?} at {}", self.now);
        assert_eq!(answer.allowed, allowed, "{check:?} at {}", self.now);
    }

    /// Compares the lists over all customers, once work in the background is done.
    pub fn lists(&self) {
        let (plain, Life { engine, runtime }) = (&self.plain, &self.life);
        for _ in 0..4 {
            // Each command served lets a chunk of that work be done.
            runtime.block_on(engine.update_project(&actor(), ProjectPatch::default())).expect("no change");
        }
        let list = ListStandings { limit: PageSize::MAX, ..ListStandings::default() };
        let rows = runtime.block_on(engine.standings(list)).expect("standings");
        assert!(!rows.has_more);
        let mut seen = BTreeSet::new();
        for row in &rows.data {
            let owner = &plain.customers[&row.customer_id];
            assert!(!owner.archived, "{} is archived", row.customer_id);
            assert!(seen.insert((row.customer_id.clone(), row.standing.limit_id)), "listed twice");
            let standing = plain.standing(&row.customer_id, self.now);
            let expected = standing.iter().find(|standing| standing.limit_id == row.standing.limit_id);
            assert_eq!(Some(&row.standing), expected, "{} at {}", row.customer_id, self.now);
        }
        let share = |row: &weir_engine::model::StandingRow| percent(row.standing.used, row.standing.limit);
        assert!(
            self.went_back || rows.data.windows(2).all(|pair| share(&pair[0]) >= share(&pair[1])),
            "closest to their limit first"
        );
        let list = ListCustomers { include_archived: true, ..ListCustomers::default() };
        let (page, total) = runtime.block_on(engine.customers(list)).expect("customers");
        assert_eq!((page.data.len(), total), (plain.customers.len(), plain.customers.len() as u64));
        for customer in &page.data {
            let (id, owner) = (customer.external_id.as_str(), &plain.customers[&customer.external_id]);
            assert_eq!(customer.last_event_at, self.last_event_of(id));
            let used: Vec<_> =
                plain.standing(id, self.now).into_iter().filter(|one| one.used > Quantity::ZERO).collect();
            if self.went_back {
                continue;
            }
            if !owner.archived {
                for one in &used {
                    assert!(seen.contains(&(id.to_owned(), one.limit_id)), "{id} is missing with {}", one.name);
                }
            }
            if let Some(most) = used.iter().map(|one| one.utilisation).max() {
                assert_eq!(customer.utilisation, Some(most), "{id}");
            }
        }
        self.events();
    }

    /// Compares the lists of events, with those voided and without.
    fn events(&self) {
        let (plain, Life { engine, runtime }) = (&self.plain, &self.life);
        for include_voided in [false, true] {
            let mut list = ListEvents { include_voided, limit: PageSize::MAX, ..ListEvents::default() };
            let mut listed = Vec::new();
            loop {
                let page = runtime.block_on(engine.events(list.clone())).expect("events");
                listed.extend(page.data.into_iter().map(|event| (event.id, event.voided_at)));
                list.cursor = page.next_cursor;
                if list.cursor.is_none() {
                    break;
                }
            }
            let shown = plain.events.iter().rev().filter(|event| include_voided || event.voided.is_none());
            let expected: Vec<_> = shown.map(|event| (event.id, event.voided.as_ref().map(|(at, _)| *at))).collect();
            assert_eq!(listed, expected);
        }
    }
}
