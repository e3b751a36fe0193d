//! Reservations: a share is held until the work is done, given up, or its time runs out, and never twice booked.

mod common;

use std::collections::BTreeMap;

use common::{Bench, actor, at, check, event, limit, quantity};
use proptest::prelude::*;
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{MeterId, ReservationId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_engine::model::{
    CommitReservation, ExtendReservation, ListEvents, ListReservations, NewLimit, NewRaise, NewRateLimit,
    NewReservation, Reservation, ReservationState, Reserved,
};
use weir_engine::{Error, doctor};

const NOW: &str = "2026-03-10T12:00:00Z";

fn tokens(amount: &str) -> BTreeMap<String, Quantity> {
    BTreeMap::from([("tokens".to_owned(), quantity(amount))])
}

fn hold(customer: &str, amount: &str) -> NewReservation {
    NewReservation {
        customer_id: customer.to_owned(),
        event_type: "call".to_owned(),
        values: tokens(amount),
        dimensions: BTreeMap::new(),
        ttl_seconds: 60,
    }
}

async fn daily(bench: &Bench, value: &str) -> MeterId {
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    bench.engine.create_limit(&actor(), limit("daily", meter, value, Period::Day)).await.unwrap();
    meter
}

/// What is used, held and left of the only limit, and whether it is exceeded.
async fn standing(bench: &Bench, customer: &str) -> (String, String, String, bool) {
    let answer = bench.engine.check(check(customer)).await.unwrap();
    let limit = &answer.limits[0];
    assert_eq!(answer.allowed, !limit.exceeded);
    (limit.used.to_string(), limit.held.to_string(), limit.remaining.to_string(), limit.exceeded)
}

fn figures(used: &str, held: &str, remaining: &str, exceeded: bool) -> (String, String, String, bool) {
    (used.to_owned(), held.to_owned(), remaining.to_owned(), exceeded)
}

async fn reserve(bench: &Bench, new: NewReservation) -> Reserved {
    bench.engine.reserve(&actor(), new).await.unwrap()
}

async fn commit(bench: &Bench, id: ReservationId, amount: Option<&str>) -> weir_engine::Result<Reservation> {
    bench.engine.commit_reservation(&actor(), id, CommitReservation { values: amount.map(tokens) }).await
}

async fn events(bench: &Bench) -> usize {
    bench.engine.events(ListEvents::default()).await.unwrap().data.len()
}

#[tokio::test]
async fn what_is_held_is_out_of_reach_in_the_coming_window_too() {
    let midnight = "2026-03-11T00:00:00Z";
    let ahead = |amount: &str| EventInput { timestamp: Some(at(midnight)), ..event("acme", amount) };
    let bench = Bench::open_at("2026-03-10T23:57:00Z").await;
    daily(&bench, "10").await;
    let held = reserve(&bench, NewReservation { ttl_seconds: 900, ..hold("acme", "3") }).await;
    bench.engine.record(&actor(), ahead("5")).await.unwrap();
    let Err(Error::Refused(refused)) = bench.engine.track(&actor(), ahead("2.1")).await else { panic!("admitted") };
    assert_eq!((refused.limits[0].used, refused.limits[0].held), (quantity("5"), quantity("3")));
    bench.engine.track(&actor(), ahead("2")).await.unwrap();
    // Today is all but unused, tomorrow is not: what lasts until then may come then.
    let lasting = |ttl_seconds| NewReservation { ttl_seconds, ..hold("acme", "0.1") };
    let Err(Error::Refused(refused)) = bench.engine.reserve(&actor(), lasting(181)).await else { panic!("admitted") };
    assert_eq!(refused.limits[0].reset, Some(at("2026-03-12T00:00:00Z").unix_seconds_ceil()));
    let short = reserve(&bench, lasting(180)).await;
    let actor = actor();
    let extend = |ttl_seconds| bench.engine.extend_reservation(&actor, short.id, ExtendReservation { ttl_seconds });
    assert_eq!(extend(181).await.unwrap_err().code(), Code::Conflict, "it does not fit into tomorrow");
    extend(180).await.unwrap();
    bench.engine.release_reservation(&actor, short.id).await.unwrap();
    bench.engine.track(&actor, event("acme", "7")).await.unwrap();
    bench.clock.set(at(midnight));
    assert_eq!(standing(&bench, "acme").await, figures("7", "3", "0", true));
    assert_eq!(commit(&bench, held.id, None).await.unwrap().overdrawn, Some(false));
    assert_eq!(standing(&bench, "acme").await, figures("10", "0", "0", true));
}

/// A correction makes room today alone.
#[tokio::test]
async fn a_hold_that_outlives_its_window_fits_into_the_next_one() {
    let bench = Bench::open_at("2026-03-10T23:50:00Z").await;
    daily(&bench, "10").await;
    bench.engine.record(&actor(), event("acme", "-5")).await.unwrap();
    let lasting = |ttl_seconds| NewReservation { ttl_seconds, ..hold("acme", "15") };
    assert!(matches!(bench.engine.reserve(&actor(), lasting(601)).await, Err(Error::Refused(_))));
    let held = reserve(&bench, lasting(600)).await;
    let extend = ExtendReservation { ttl_seconds: 601 };
    assert_eq!(bench.engine.extend_reservation(&actor(), held.id, extend).await.unwrap_err().code(), Code::Conflict);
}

#[tokio::test]
async fn a_raise_that_ends_with_the_window_lets_nothing_more_into_the_next_one() {
    let bench = Bench::open_at("2026-03-10T23:57:00Z").await;
    let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
    let id = bench.engine.create_limit(&actor(), limit("daily", meter, "10", Period::Day)).await.unwrap().id;
    bench.engine.record(&actor(), event("acme", "1")).await.unwrap();
    let midnight = at("2026-03-11T00:00:00Z");
    let raise = NewRaise {
        customer_id: "acme".to_owned(),
        limit_value: quantity("100"),
        until: midnight,
        note: "launch".to_owned(),
    };
    bench.engine.raise_limit(&actor(), id, raise).await.unwrap();
    let lasting = |ttl_seconds| NewReservation { ttl_seconds, ..hold("acme", "80") };
    let Err(Error::Refused(refused)) = bench.engine.reserve(&actor(), lasting(900)).await else { panic!("admitted") };
    assert_eq!(refused.limits[0].limit, quantity("10"));
    let ahead = EventInput { timestamp: Some(midnight), ..event("acme", "80") };
    assert!(matches!(bench.engine.track(&actor(), ahead).await, Err(Error::Refused(_))));
    reserve(&bench, lasting(180)).await;
}

#[tokio::test]
async fn what_is_held_is_out_of_reach_until_it_is_settled() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let held = reserve(&bench, hold("acme", "6")).await;
    assert_eq!((held.state, held.expires_at), (ReservationState::Live, at("2026-03-10T12:01:00Z")));
    assert_eq!((held.limits[0].held, held.limits[0].remaining), (quantity("6"), quantity("4")));
    assert_eq!(standing(&bench, "acme").await, figures("0", "6", "4", false), "created with the first fact about it");
    assert!(matches!(bench.engine.reserve(&actor(), hold("acme", "4.1")).await, Err(Error::Refused(_))));
    assert!(matches!(bench.engine.track(&actor(), event("acme", "4.1")).await, Err(Error::Refused(_))));
    bench.engine.track(&actor(), event("acme", "4")).await.unwrap();
    assert_eq!(standing(&bench, "acme").await, figures("4", "6", "0", true));
    // Less than held: what is left over is free at once.
    let done = commit(&bench, held.id, Some("1.5")).await.unwrap();
    assert_eq!((done.state, done.late, done.overdrawn), (ReservationState::Committed, Some(false), Some(false)));
    assert_eq!(standing(&bench, "acme").await, figures("5.5", "0", "4.5", false));
    let recorded = bench.engine.event(done.event_id.unwrap()).await.unwrap().event;
    assert_eq!((&recorded.values, &*recorded.event_type, recorded.timestamp), (&tokens("1.5"), "call", at(NOW)));
    // Given up: all of it is.
    let other = reserve(&bench, hold("acme", "4.5")).await;
    assert_eq!(standing(&bench, "acme").await, figures("5.5", "4.5", "0", true));
    let gone = bench.engine.release_reservation(&actor(), other.id).await.unwrap();
    assert_eq!((gone.state, gone.ended_at, gone.late), (ReservationState::Released, Some(at(NOW)), None));
    assert_eq!(standing(&bench, "acme").await, figures("5.5", "0", "4.5", false));
}

#[tokio::test]
async fn repeats_answer_as_the_first_did_and_contradictions_are_refused() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let held = reserve(&bench, hold("acme", "6")).await;
    let first = commit(&bench, held.id, Some("5")).await.unwrap();
    bench.clock.set(at("2026-03-10T13:00:00Z"));
    let bench = bench.reopen().await;
    assert_eq!(commit(&bench, held.id, Some("5.0")).await.unwrap(), first);
    assert_eq!(commit(&bench, held.id, Some("6")).await.unwrap_err().code(), Code::IdempotencyConflict);
    assert_eq!(commit(&bench, held.id, None).await.unwrap_err().code(), Code::IdempotencyConflict);
    let refused = |error: Error| assert_eq!(error.code(), Code::Conflict);
    refused(bench.engine.release_reservation(&actor(), held.id).await.unwrap_err());
    let extend = ExtendReservation { ttl_seconds: 60 };
    refused(bench.engine.extend_reservation(&actor(), held.id, extend.clone()).await.unwrap_err());
    assert_eq!(events(&bench).await, 1);

    let other = reserve(&bench, hold("acme", "1")).await;
    let first = bench.engine.release_reservation(&actor(), other.id).await.unwrap();
    assert_eq!(bench.engine.release_reservation(&actor(), other.id).await.unwrap(), first);
    refused(commit(&bench, other.id, None).await.unwrap_err());
    refused(bench.engine.extend_reservation(&actor(), other.id, extend).await.unwrap_err());
    let nothing = ReservationId::new(uuid::Uuid::nil());
    assert_eq!(commit(&bench, nothing, None).await.unwrap_err().code(), Code::ReservationNotFound);
    assert_eq!(events(&bench).await, 1);
}

#[tokio::test]
async fn a_share_is_free_again_by_itself_and_a_late_commit_is_recorded_in_full() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let held = reserve(&bench, hold("acme", "8")).await;
    bench.clock.set(at("2026-03-10T12:00:59.999999Z"));
    assert_eq!(standing(&bench, "acme").await, figures("0", "8", "2", false));
    bench.clock.set(at("2026-03-10T12:01:00Z"));
    assert_eq!(standing(&bench, "acme").await, figures("0", "0", "10", false), "to the microsecond");
    let shown = bench.engine.reservation(held.id).await.unwrap();
    assert_eq!((shown.state, shown.ended_at), (ReservationState::Expired, Some(at("2026-03-10T12:01:00Z"))));
    let extend = ExtendReservation { ttl_seconds: 60 };
    let refused = bench.engine.extend_reservation(&actor(), held.id, extend).await.unwrap_err();
    assert_eq!(refused.code(), Code::Conflict, "somebody else may have what was held");
    bench.engine.track(&actor(), event("acme", "9")).await.unwrap();
    let done = commit(&bench, held.id, None).await.unwrap();
    assert_eq!((done.late, done.overdrawn, done.expires_at), (Some(true), Some(true), held.expires_at));
    assert_eq!(standing(&bench, "acme").await, figures("17", "0", "0", true));
    let expired =
        bench.engine.release_reservation(&actor(), reserve(&bench, hold("beta", "1")).await.id).await.unwrap();
    assert_eq!(expired.state, ReservationState::Released);
}

#[tokio::test]
async fn more_than_held_is_recorded_and_said() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let first = reserve(&bench, hold("acme", "2")).await;
    let second = reserve(&bench, hold("acme", "5")).await;
    // 5 are held by the other: 6 would be beyond 10 with them, 5 would not.
    let done = commit(&bench, first.id, Some("6")).await.unwrap();
    assert_eq!((done.late, done.overdrawn), (Some(false), Some(true)));
    assert_eq!(standing(&bench, "acme").await, figures("6", "5", "0", true));
    let done = commit(&bench, second.id, Some("4")).await.unwrap();
    assert_eq!(done.overdrawn, Some(false));
    assert_eq!(standing(&bench, "acme").await, figures("10", "0", "0", true));
}

#[tokio::test]
async fn reservations_survive_a_restart_and_a_crash() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let held = reserve(&bench, hold("acme", "6")).await;
    let longer = ExtendReservation { ttl_seconds: 600 };
    let extended = bench.engine.extend_reservation(&actor(), held.id, longer).await.unwrap();
    assert_eq!(extended.expires_at, at("2026-03-10T12:10:00Z"));
    let shorter = ExtendReservation { ttl_seconds: 1 };
    let same = bench.engine.extend_reservation(&actor(), held.id, shorter).await.unwrap();
    assert_eq!(same.expires_at, extended.expires_at, "never shorter");
    let copy = Bench::open_copy(&bench).await;
    let bench = bench.reopen().await;
    for bench in [&copy, &bench] {
        assert_eq!(standing(bench, "acme").await, figures("0", "6", "4", false));
    }
    // Its time runs out while nothing runs.
    copy.engine.close().await;
    copy.clock.set(at("2026-03-10T12:10:00Z"));
    let copy = copy.reopen().await;
    assert_eq!(standing(&copy, "acme").await, figures("0", "0", "10", false));
    assert_eq!(commit(&bench, held.id, Some("3")).await.unwrap().late, Some(false));
    assert_eq!(commit(&copy, held.id, Some("3")).await.unwrap().late, Some(true));
    for bench in [copy, bench] {
        assert_eq!(standing(&bench, "acme").await, figures("3", "0", "7", false));
        bench.engine.close().await;
        assert!(doctor::examine(bench.dir.path()).await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn a_share_moves_into_the_next_window_and_counts_where_it_would_count() {
    let bench = Bench::open_at("2026-03-10T23:59:30Z").await;
    let meter = daily(&bench, "10").await;
    let filters = BTreeMap::from([("model".to_owned(), "big".to_owned())]);
    let filtered = NewLimit { dimension_filters: filters.clone(), ..limit("big", meter, "5", Period::AllTime) };
    bench.engine.create_limit(&actor(), filtered).await.unwrap();
    reserve(&bench, NewReservation { dimensions: filters, ..hold("acme", "4") }).await;
    reserve(&bench, hold("acme", "5")).await;
    let held = |answer: weir_engine::model::CheckAnswer| {
        answer.limits.into_iter().map(|limit| (limit.name, limit.held.to_string())).collect::<BTreeMap<_, _>>()
    };
    let both = BTreeMap::from([("daily".to_owned(), "9".to_owned()), ("big".to_owned(), "4".to_owned())]);
    assert_eq!(held(bench.engine.check(check("acme")).await.unwrap()), both);
    // An event of a day that is over is not in the way of what is held now.
    let yesterday = weir_core::event::EventInput { timestamp: Some(at("2026-03-09T00:00:00Z")), ..event("acme", "10") };
    bench.engine.track(&actor(), yesterday).await.unwrap();
    bench.clock.set(at("2026-03-11T00:00:00Z"));
    assert_eq!(held(bench.engine.check(check("acme")).await.unwrap()), both, "in the new day's window");
    assert!(bench.engine.track(&actor(), event("acme", "2")).await.is_err());
    bench.engine.track(&actor(), event("acme", "1")).await.unwrap();
}

#[tokio::test]
async fn an_admitted_reservation_consumes_rate_limits_and_a_refused_one_is_a_fact() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "10").await;
    let burst = NewRateLimit {
        name: "burst".to_owned(),
        window: RateSpan::Minute,
        limit_value: 2,
        dimension_filters: BTreeMap::new(),
        customer_id: None,
        enabled: true,
    };
    bench.engine.create_rate_limit(&actor(), burst).await.unwrap();
    assert!(bench.engine.reserve(&actor(), hold("nobody", "11")).await.is_err());
    assert_eq!(bench.engine.customer("nobody").await.unwrap_err().code(), Code::CustomerNotFound);
    let held = reserve(&bench, hold("acme", "1")).await;
    assert_eq!(held.rate_limits[0].remaining, 1);
    commit(&bench, held.id, None).await.unwrap();
    bench.engine.track(&actor(), event("acme", "1")).await.unwrap();
    let refused = bench.engine.reserve(&actor(), hold("acme", "1")).await.unwrap_err();
    assert_eq!(refused.code(), Code::CustomerRateLimited, "a commit consumes nothing, a track and a reservation do");
    assert_eq!(bench.engine.refusals(Default::default()).await.unwrap().data.len(), 2);
    let listed = bench.engine.reservations(ListReservations::default()).await.unwrap().data;
    assert_eq!(listed.iter().map(|one| one.state).collect::<Vec<_>>(), [ReservationState::Committed]);
}

#[tokio::test]
async fn lists_know_the_state_by_the_clock() {
    let bench = Bench::open_at(NOW).await;
    let mut made = Vec::new();
    for (customer, ttl_seconds) in [("acme", 10), ("beta", 60), ("acme", 60), ("acme", 61)] {
        made.push(reserve(&bench, NewReservation { ttl_seconds, ..hold(customer, "1") }).await.id);
    }
    commit(&bench, made[2], None).await.unwrap();
    bench.clock.set(at("2026-03-10T12:00:10Z"));
    let list = |customer: Option<&str>, state| {
        let list = ListReservations { customer_id: customer.map(str::to_owned), state, ..Default::default() };
        let engine = bench.engine.clone();
        async move { engine.reservations(list).await.unwrap().data.into_iter().map(|one| one.id).collect::<Vec<_>>() }
    };
    assert_eq!(list(None, None).await, [made[3], made[2], made[1], made[0]]);
    assert_eq!(list(Some("acme"), Some(ReservationState::Live)).await, [made[3]]);
    assert_eq!(list(None, Some(ReservationState::Expired)).await, [made[0]]);
    assert_eq!(list(None, Some(ReservationState::Committed)).await, [made[2]]);
    assert_eq!(list(Some("nobody"), None).await, []);
    for seconds in [0, 3_601] {
        let new = NewReservation { ttl_seconds: seconds, ..hold("acme", "1") };
        let Err(Error::Fault(fault)) = bench.engine.reserve(&actor(), new).await else { panic!("{seconds}") };
        assert_eq!(fault.field.as_deref(), Some("ttlSeconds"));
    }
}

/// Many callers at once, of whom each reserves and then commits, releases, or lets go: what is used and held is never more than
/// the limit, and in the end every share is accounted for.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn shares_are_never_given_out_twice() {
    let bench = Bench::open_at(NOW).await;
    daily(&bench, "100").await;
    let callers = (0..16).map(|caller| {
        let engine = bench.engine.clone();
        tokio::spawn(async move {
            let (mut committed, mut lost, actor) = (0, 0, actor());
            for round in 0..25 {
                let Ok(held) = engine.reserve(&actor, hold("acme", "3")).await else { continue };
                let now = engine.check(check("acme")).await.unwrap();
                let (used, held_now) = (now.limits[0].used, now.limits[0].held);
                assert!(used.checked_add(held_now).unwrap() <= quantity("100"), "{used} and {held_now}");
                match (caller + round) % 3 {
                    0 => {
                        let commit = CommitReservation { values: Some(tokens("1")) };
                        // Both at once: the event is recorded once.
                        let (one, two) = tokio::join!(
                            engine.commit_reservation(&actor, held.id, commit.clone()),
                            engine.commit_reservation(&actor, held.id, commit)
                        );
                        assert_eq!(one.unwrap(), two.unwrap());
                        committed += 1;
                    }
                    1 => {
                        // Either the one or the other, never both.
                        let (one, two) = tokio::join!(
                            engine.commit_reservation(&actor, held.id, CommitReservation::default()),
                            engine.release_reservation(&actor, held.id)
                        );
                        assert!(one.is_ok() != two.is_ok());
                        committed += if one.is_ok() { 3 } else { 0 };
                    }
                    _ => lost += 3,
                }
            }
            (committed, lost)
        })
    });
    let (mut committed, mut lost) = (0, 0);
    for caller in callers.collect::<Vec<_>>() {
        let (more, gone) = caller.await.unwrap();
        (committed, lost) = (committed + more, lost + gone);
    }
    let left = 100_i64 - committed - lost;
    assert_eq!(
        standing(&bench, "acme").await,
        figures(&committed.to_string(), &lost.to_string(), &left.to_string(), left == 0)
    );
    bench.clock.set(at("2026-03-10T12:01:00Z"));
    assert_eq!(
        standing(&bench, "acme").await,
        figures(&committed.to_string(), "0", &(100 - committed).to_string(), false)
    );
}

/// One step of callers that keep to what they were given.
#[derive(Clone, Debug)]
enum Call {
    /// An amount, for an event so many seconds ahead.
    Track(i64, i64),
    /// An amount, held for so many seconds.
    Reserve(i64, u32),
    /// Of what is live, with at most what was held.
    Commit(prop::sample::Index),
    Release(prop::sample::Index),
    /// Of what is live, for so many seconds.
    Extend(prop::sample::Index, u32),
    /// So many seconds later.
    Wait(i64),
    /// So many seconds before an hour ends, or after if negative.
    WaitForTheEnd(i64),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let amount = || prop_oneof![8 => 1..7_i64, 1 => -4..0_i64];
    let call = prop_oneof![
        4 => (amount(), prop_oneof![Just(0), 0..=300_i64]).prop_map(|(amount, ahead)| Call::Track(amount, ahead)),
        3 => (amount(), prop_oneof![1..60_u32, 600..=3_600_u32]).prop_map(|(amount, ttl)| Call::Reserve(amount, ttl)),
        2 => any::<prop::sample::Index>().prop_map(Call::Commit),
        1 => any::<prop::sample::Index>().prop_map(Call::Release),
        2 => (any::<prop::sample::Index>(), 1..=3_600_u32).prop_map(|(index, ttl)| Call::Extend(index, ttl)),
        1 => prop_oneof![1..120_i64, 120..2_400_i64].prop_map(Call::Wait),
        3 => (-60..240_i64).prop_map(Call::WaitForTheEnd),
    ];
    prop::collection::vec(call, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// Whatever is tracked ahead of time, held over the end of a window and committed there: a hard limit holds in every window.
    #[test]
    fn no_window_is_ever_over_its_limit(calls in calls()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::open_at("2026-03-10T12:56:00Z").await;
            let meter = bench.meter("tokens", Aggregation::Sum, "values.tokens").await;
            bench.engine.create_limit(&actor(), limit("hourly", meter, "10", Period::Hour)).await.unwrap();
            let (mut now, mut live) = (at("2026-03-10T12:56:00Z"), Vec::new());
            for call in calls {
                live.retain(|held: &Reserved| now < held.expires_at);
                match call {
                    Call::Track(amount, ahead) => {
                        let timestamp = Some(now.saturating_add_micros(ahead * 1_000_000));
                        let input = EventInput { timestamp, ..event("acme", &amount.to_string()) };
                        let answer = bench.engine.track(&actor(), input).await;
                        prop_assert!(matches!(answer, Ok(_) | Err(Error::Refused(_))));
                    }
                    Call::Reserve(amount, ttl_seconds) => {
                        let new = NewReservation { ttl_seconds, ..hold("acme", &amount.to_string()) };
                        match bench.engine.reserve(&actor(), new).await {
                            Ok(held) => live.push(held),
                            answer => prop_assert!(matches!(answer, Err(Error::Refused(_)))),
                        }
                    }
                    Call::Commit(index) if !live.is_empty() => {
                        let held = live.remove(index.index(live.len()));
                        let committed = commit(&bench, held.id, None).await.unwrap();
                        prop_assert_eq!((committed.late, committed.overdrawn), (Some(false), Some(false)));
                    }
                    Call::Release(index) if !live.is_empty() => {
                        let held = live.remove(index.index(live.len()));
                        bench.engine.release_reservation(&actor(), held.id).await.unwrap();
                    }
                    Call::Extend(index, ttl_seconds) if !live.is_empty() => {
                        let held = index.index(live.len());
                        let extend = ExtendReservation { ttl_seconds };
                        match bench.engine.extend_reservation(&actor(), live[held].id, extend).await {
                            Ok(longer) => live[held].expires_at = longer.expires_at,
                            Err(error) => prop_assert_eq!(error.code(), Code::Conflict),
                        }
                    }
                    Call::Commit(_) | Call::Release(_) | Call::Extend(..) => {}
                    Call::Wait(seconds) => now = now.saturating_add_micros(seconds * 1_000_000),
                    Call::WaitForTheEnd(seconds) => {
                        let left = 3_600 - now.unix_seconds() % 3_600 - seconds;
                        let left = if left < 0 { left + 3_600 } else { left };
                        now = now.saturating_add_micros(left * 1_000_000);
                    }
                }
                bench.clock.set(now);
                let answer = bench.engine.check(check("acme")).await.unwrap();
                let taken = answer.limits[0].used.checked_add(answer.limits[0].held).unwrap();
                prop_assert!(taken <= quantity("10"), "{} taken at {}", taken, now);
            }
            Ok(())
        })?;
    }
}
