//! Killed at random moments while shares are held, committed and released: nothing acknowledged is lost, nothing is booked twice,
//! no share stays held for ever, and each threshold is told once, over all lives of the process together.

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use common::kill::{random_below, run_and_kill, say};
use common::{Bench, actor, at, check, event, limit, quantity};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use weir_core::aggregate::Aggregation;
use weir_core::id::ReservationId;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{
    CommitReservation, ListAlerts, ListReservations, NewLimit, NewReservation, PageSize, ReservationState,
};
use weir_engine::{DATA_FILE, Engine, Error, ManualClock, OpenOptions, doctor};

const DIR: &str = "WEIR_TEST_KILL_HOLD_DIR";
const NOW: &str = "2026-03-10T12:00:00Z";
const ROUNDS: usize = 8;
const CALLERS: usize = 8;
const LIMIT: i64 = 300;
const CUSTOMERS: [&str; 2] = ["acme", "beta"];

fn tokens(amount: &str) -> BTreeMap<String, Quantity> {
    BTreeMap::from([("tokens".to_owned(), quantity(amount))])
}

async fn settle(engine: &Engine, id: ReservationId, how: usize) {
    match how % 4 {
        // Left to run out.
        0 => {}
        1 => match engine.release_reservation(&actor(), id).await {
            Ok(released) => say(&format!("released {} {:?}", id, released.state)),
            Err(error) => say(&format!("settled {id} {}", error.code())),
        },
        more => {
            let values = (more == 2).then(|| tokens("2"));
            match engine.commit_reservation(&actor(), id, CommitReservation { values }).await {
                Ok(done) => say(&format!("committed {id} {}", done.event_id.expect("an event"))),
                Err(error) => say(&format!("settled {id} {}", error.code())),
            }
        }
    }
}

/// What the child does until it is killed. As a test of its own, nothing.
#[test]
fn child() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::at(at(NOW)));
        let engine = Engine::open(OpenOptions::new(dir), clock).await.expect("the engine");
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let engine = engine.clone();
                tokio::spawn(async move {
                    for n in 0.. {
                        let customer = CUSTOMERS[caller % 2];
                        let hold = NewReservation {
                            customer_id: customer.to_owned(),
                            event_type: "call".to_owned(),
                            values: tokens("3"),
                            dimensions: BTreeMap::new(),
                            ttl_seconds: 600,
                        };
                        match engine.reserve(&actor(), hold).await {
                            Ok(held) => {
                                say(&format!("held {}", held.id));
                                settle(&engine, held.id, caller + n).await;
                            }
                            Err(Error::Refused(_)) => say("refused"),
                            Err(error) => panic!("{error}"),
                        }
                        let small = event(customer, "0.5");
                        match engine.track(&actor(), small).await {
                            Ok(tracked) => say(&format!("tracked {}", tracked.id)),
                            Err(Error::Refused(_)) => say("refused"),
                            Err(error) => panic!("{error}"),
                        }
                    }
                })
            })
            .collect();
        for caller in callers {
            caller.await.expect("a caller calls until it is killed");
        }
    });
}

/// What was answered, in all lives.
#[derive(Default)]
struct Answered {
    held: BTreeSet<String>,
    /// The event of each reservation that was committed.
    committed: BTreeMap<String, String>,
    released: BTreeSet<String>,
    tracked: BTreeSet<String>,
}

fn live(dir: &Path, lines: usize, answered: &mut Answered) {
    run_and_kill(DIR, dir, lines, |words| {
        match *words {
            ["held", id] => assert!(answered.held.insert(id.to_owned())),
            ["committed", id, event] => {
                let first = answered.committed.entry(id.to_owned()).or_insert_with(|| event.to_owned());
                assert_eq!(first, event, "a repeat answers as the first did");
            }
            ["released", id, _] => drop(answered.released.insert(id.to_owned())),
            ["tracked", id] => assert!(answered.tracked.insert(id.to_owned())),
            ["refused"] => {}
            _ => return false,
        }
        true
    });
}

async fn examine(bench: &Bench, answered: &Answered) {
    let list = |state| ListReservations { state: Some(state), limit: PageSize::MAX, ..ListReservations::default() };
    let mut states = BTreeMap::new();
    for state in
        [ReservationState::Live, ReservationState::Committed, ReservationState::Released, ReservationState::Expired]
    {
        let mut list = list(state);
        loop {
            let page = bench.engine.reservations(list.clone()).await.unwrap();
            states.extend(page.data.into_iter().map(|one| (one.id.to_string(), (state, one.event_id))));
            list.cursor = page.next_cursor;
            if list.cursor.is_none() {
                break;
            }
        }
    }
    assert!(answered.held.iter().all(|id| states.contains_key(id)), "an answered reservation is missing");
    assert!(answered.released.iter().all(|id| states[id].0 == ReservationState::Released));
    for (id, event) in &answered.committed {
        let (state, found) = states[id];
        assert_eq!((state, found.map(|id| id.to_string()).as_ref()), (ReservationState::Committed, Some(event)));
    }
    let mut file =
        SqliteConnectOptions::new().filename(bench.dir.path().join(DATA_FILE)).read_only(true).connect().await.unwrap();
    let events: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM event").fetch_all(&mut file).await.unwrap();
    let events: BTreeSet<String> = events.into_iter().map(|id| weir_core::id::EventId::new(id).to_string()).collect();
    file.close().await.unwrap();
    assert!(answered.tracked.is_subset(&events), "a tracked event is missing");
    let booked = states.values().filter(|(state, _)| *state == ReservationState::Committed).count();
    let distinct: BTreeSet<_> = states.values().filter_map(|(_, event)| *event).collect();
    assert_eq!(booked, distinct.len(), "each reservation is booked as an event of its own");
    for customer in CUSTOMERS {
        let now = bench.engine.check(check(customer)).await.unwrap().limits[0].clone();
        let taken = now.used.checked_add(now.held).unwrap();
        assert!(taken <= Quantity::from_int(LIMIT), "{customer}: {} used and {} held", now.used, now.held);
        let list = ListAlerts { customer_id: Some(customer.to_owned()), limit: PageSize::MAX, ..Default::default() };
        let mut told: Vec<_> = bench
            .engine
            .alerts(list)
            .await
            .unwrap()
            .data
            .iter()
            .filter_map(|alert| Some(alert.limit.as_ref()?.threshold))
            .collect();
        told.sort_unstable();
        let crossed: Vec<u16> = (1..=20)
            .map(|step| step * 5)
            .filter(|step| now.used.steps() * 100 >= Quantity::from_int(LIMIT).steps() * i128::from(*step))
            .collect();
        assert_eq!(told, crossed, "{customer} with {} used", now.used);
    }
}

#[test]
fn killed_while_holding_nothing_is_lost_booked_twice_or_held_for_ever() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let mut bench = runtime.block_on(async {
        let bench = Bench::open_at(NOW).await;
        let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
        let told = (1..=20).map(|step| step * 5).collect();
        let new = NewLimit { alert_thresholds: told, ..limit("all", meter, &LIMIT.to_string(), Period::Month) };
        bench.engine.create_limit(&actor(), new).await.unwrap();
        bench.engine.close().await;
        bench
    });
    let mut answered = Answered::default();
    for round in 0..ROUNDS {
        let lines = 10 + random_below(150);
        live(bench.dir.path(), lines, &mut answered);
        bench = runtime.block_on(async {
            let bench = bench.reopen().await;
            examine(&bench, &answered).await;
            bench.engine.close().await;
            let report = doctor::examine(bench.dir.path()).await.unwrap();
            assert!(report.is_clean(), "after {lines} lines in round {round}: {:?}", report.differences);
            bench
        });
    }
    assert!(!answered.committed.is_empty() && !answered.released.is_empty() && !answered.tracked.is_empty());
    runtime.block_on(async {
        let bench = bench.reopen().await;
        bench.clock.set(at("2026-03-10T12:10:00Z"));
        for customer in CUSTOMERS {
            let held = bench.engine.check(check(customer)).await.unwrap().limits[0].held;
            assert_eq!(held, Quantity::ZERO, "{customer}: what nobody settled is free again");
        }
        let live = ListReservations { state: Some(ReservationState::Live), ..ListReservations::default() };
        assert_eq!(bench.engine.reservations(live).await.unwrap().data, []);
        bench.engine.close().await;
    });
}
