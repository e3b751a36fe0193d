//! Events, voids and reservations that balances pay for, carried out on both sides.

use proptest::sample::Index;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{BalanceId, EventId};
use weir_core::quantity::Quantity;
use weir_engine::Error;
use weir_engine::model::{
    Charged, CommitReservation, ExtendReservation, HoldState, ListEvents, NewReservation, PageSize, Refused,
    ReservationState,
};

use crate::commands::{CUSTOMERS, Sketch, event_type, quantity, regions, values};
use crate::common::actor;
use crate::paying::{Happened, Plan, Reservation, Use};
use crate::plain::Steps;
use crate::world::{Life, World, code};

/// What a repeat of an event under a key comes to.
enum Sent {
    New,
    Same(EventId),
    Other,
}

impl World {
    fn input(&self, sketch: &Sketch) -> EventInput {
        EventInput {
            customer_id: CUSTOMERS[sketch.who].to_owned(),
            event_type: event_type(sketch.call),
            values: sketch.values(),
            dimensions: regions(sketch.eu),
            timestamp: sketch.ago.map(|seconds| self.now.saturating_add_micros(-seconds * 1_000_000)),
            idempotency_key: sketch.key.map(|key| format!("e{key}")),
            ..EventInput::default()
        }
    }

    fn sent(&self, input: &EventInput) -> Sent {
        let key = input.idempotency_key.clone().map(|key| (input.customer_id.clone(), key));
        match key.and_then(|key| self.sent.get(&key)) {
            None => Sent::New,
            Some((first, id)) if same(first, input) => Sent::Same(*id),
            Some(_) => Sent::Other,
        }
    }

    fn accept(&mut self, input: &EventInput, id: EventId, plans: &[Plan], own: &[(usize, usize)]) {
        self.plain.events.push(Happened { id, voided: false });
        self.plain.pay(plans, id, own, self.now);
        if let Some(key) = &input.idempotency_key {
            self.sent.insert((input.customer_id.clone(), key.clone()), (input.clone(), id));
        }
    }

    pub fn record(&mut self, sketch: &Sketch) {
        let input = self.input(sketch);
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.record(&actor(), input.clone()));
        match self.sent(&input) {
            Sent::Other => assert_eq!(code(&answer), Some(Code::IdempotencyConflict), "{input:?}"),
            Sent::Same(id) => assert_eq!(answer.expect("a repeat").id, id),
            Sent::New => {
                let answer = answer.expect("an event");
                let plans = self.plain.plans(&Use::of(sketch), &[]);
                assert_eq!(answer.overdrawn, plans.iter().any(Plan::is_forced), "{input:?}");
                self.accept(&input, answer.id, &plans, &[]);
            }
        }
    }

    pub fn batch(&mut self, sketches: &[Sketch]) {
        let inputs: Vec<_> = sketches.iter().map(|sketch| self.input(sketch)).collect();
        let key = |input: &EventInput| (input.customer_id.clone(), input.idempotency_key.clone());
        let repeated = inputs.iter().enumerate().any(|(number, input)| {
            let within = inputs[..number].iter().any(|other| key(other) == key(input));
            input.idempotency_key.is_some() && (within || !matches!(self.sent(input), Sent::New))
        });
        if repeated {
            // Repeats are the business of the other model.
            return;
        }
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.record_batch(&actor(), inputs.clone())).expect("a batch");
        assert_eq!((answer.count, answer.duplicates), (inputs.len() as u64, 0));
        let list = ListEvents { include_voided: true, limit: PageSize::MAX, ..ListEvents::default() };
        let listed = runtime.block_on(engine.events(list)).expect("events").data;
        let ids: Vec<_> = listed.iter().take(inputs.len()).rev().map(|event| event.id).collect();
        let mut overdrawn = 0;
        for ((sketch, input), id) in sketches.iter().zip(&inputs).zip(ids) {
            let plans = self.plain.plans(&Use::of(sketch), &[]);
            overdrawn += u64::from(plans.iter().any(Plan::is_forced));
            self.accept(input, id, &plans, &[]);
        }
        assert_eq!(answer.overdrawn, overdrawn, "{inputs:?}");
    }

    pub fn track(&mut self, sketch: &Sketch) {
        let input = self.input(sketch);
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.track(&actor(), input.clone()));
        match self.sent(&input) {
            Sent::Other => {
                assert_eq!(code(&answer), Some(Code::IdempotencyConflict), "{input:?}");
                return;
            }
            Sent::Same(id) => {
                assert_eq!(answer.expect("a repeat").id, id);
                return;
            }
            Sent::New => {}
        }
        let plans = self.plain.plans(&Use::of(sketch), &[]);
        if self.is_refused(&answer, &plans) {
            return;
        }
        let answer = answer.expect("an event");
        assert_eq!(answer.overdrawn, plans.iter().any(Plan::is_forced), "{input:?}");
        self.accept(&input, answer.id, &plans, &[]);
        let charged = answer.balances.iter().filter(|one| one.amount != Quantity::ZERO).map(charge);
        let shares = plans.iter().flat_map(|plan| &plan.shares).filter(|share| share.amount != 0);
        let expected = shares.map(|share| {
            let balance = &self.plain.balances[share.balance];
            (balance.id, share.amount, balance.current(), balance.available())
        });
        assert_eq!(sorted(charged.collect()), sorted(expected.collect()), "{input:?}");
    }

    /// Whether the balances refuse, as expected: those are named that would have to pay.
    fn is_refused<T: std::fmt::Debug>(&self, answer: &Result<T, Error>, plans: &[Plan]) -> bool {
        let refusing: Vec<_> = plans.iter().filter(|plan| plan.refuses).collect();
        if refusing.is_empty() {
            return false;
        }
        let Err(Error::Refused(refused)) = answer else { panic!("{answer:?} where {refusing:?}") };
        assert_eq!(code(answer), Some(Code::LimitExceeded));
        let Refused { limits, balances, .. } = &**refused;
        assert!(limits.is_empty());
        let named: Vec<BalanceId> = balances.iter().map(|balance| balance.balance_id).collect();
        let chains = refusing.iter().flat_map(|plan| &plan.chain);
        let expected: Vec<BalanceId> = chains.map(|index| self.plain.balances[*index].id).collect();
        assert_eq!(sorted(named), sorted(expected), "{refusing:?}");
        for shown in balances {
            let balance =
                self.plain.balances.iter().find(|balance| balance.id == shown.balance_id).expect("one of them");
            let stands = (quantity(balance.current()), quantity(balance.available()));
            assert_eq!((shown.current_balance, shown.available_balance), stands);
        }
        true
    }

    pub fn void(&mut self, which: Index) {
        if self.plain.events.is_empty() {
            return;
        }
        // Rather one that was paid for, and not voided.
        let is_paid = |id: EventId| self.plain.balances.iter().flat_map(|one| &one.payments).any(|one| one.event == id);
        let numbers = 0..self.plain.events.len();
        let paid = |number: &usize| !self.plain.events[*number].voided && is_paid(self.plain.events[*number].id);
        let mut among: Vec<usize> = numbers.clone().filter(paid).collect();
        if which.index(8) == 0 || among.is_empty() {
            among = numbers.collect();
        }
        let number = among[which.index(among.len())];
        let events = &mut self.plain.events;
        let (id, first) = (events[number].id, !events[number].voided);
        events[number].voided = true;
        let Life { engine, runtime } = &self.life;
        runtime.block_on(engine.void_event(&actor(), id, None)).expect("a void");
        if first {
            self.plain.void(id, self.now);
        }
    }

    pub fn reserve(&mut self, sketch: &Sketch, seconds: i64) {
        let new = NewReservation {
            customer_id: CUSTOMERS[sketch.who].to_owned(),
            event_type: event_type(sketch.call),
            values: sketch.values(),
            dimensions: regions(sketch.eu),
            ttl_seconds: seconds as u32,
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.reserve(&actor(), new));
        let plans = self.plain.plans(&Use::of(sketch), &[]);
        if self.is_refused(&answer, &plans) {
            return;
        }
        let id = answer.expect("a reservation").id;
        let expires_at = self.now.saturating_add_micros(seconds * 1_000_000);
        let mut holds = Vec::new();
        for share in plans.iter().flat_map(|plan| &plan.shares).filter(|share| share.amount > 0) {
            let balance = &mut self.plain.balances[share.balance];
            holds.push((share.balance, balance.make_hold(share.amount, expires_at, Some(id))));
        }
        let state = ReservationState::Live;
        self.plain.reservations.push(Reservation { id, sketch: sketch.clone(), state, expires_at, holds });
    }

    fn any_reservation(&self, which: Index) -> Option<usize> {
        let mut among: Vec<usize> = (0..self.plain.reservations.len()).collect();
        // Rather one that is live.
        let is_live = |number: &usize| self.plain.reservations[*number].state == ReservationState::Live;
        if which.index(5) > 0 && among.iter().any(is_live) {
            among.retain(is_live);
        }
        (!among.is_empty()).then(|| among[which.index(among.len())])
    }

    pub fn commit(&mut self, which: Index, actual: Option<(Option<Steps>, Option<Steps>)>) {
        let Some(which) = self.any_reservation(which) else { return };
        let Reservation { id, sketch, state, holds, .. } = self.plain.reservations[which].clone();
        let sketch = match actual {
            None => sketch,
            Some((tokens, units)) => Sketch { tokens, units, ..sketch },
        };
        let commit = CommitReservation { values: actual.map(|(tokens, units)| values(tokens, units)) };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.commit_reservation(&actor(), id, commit));
        match state {
            ReservationState::Released => assert_eq!(code(&answer), Some(Code::Conflict)),
            ReservationState::Committed => {
                let (event, first) = &self.committed[&id];
                match *first == sketch.values() {
                    true => assert_eq!(answer.expect("a repeat").event_id, Some(*event)),
                    false => assert_eq!(code(&answer), Some(Code::IdempotencyConflict)),
                }
            }
            ReservationState::Live | ReservationState::Expired => {
                let answer = answer.expect("committed");
                let is_late = state == ReservationState::Expired;
                assert_eq!(answer.late, Some(is_late));
                let own = if is_late { Vec::new() } else { holds };
                let plans = self.plain.plans(&Use::of(&sketch), &own);
                assert_eq!(answer.overdrawn, Some(plans.iter().any(Plan::is_forced)), "{plans:?}");
                let event = answer.event_id.expect("its event");
                let input = EventInput { timestamp: None, idempotency_key: None, ..self.input(&sketch) };
                self.accept(&input, event, &plans, &own);
                self.plain.reservations[which].state = ReservationState::Committed;
                self.committed.insert(id, (event, sketch.values()));
            }
        }
    }

    pub fn release_reservation(&mut self, which: Index) {
        let Some(which) = self.any_reservation(which) else { return };
        let Reservation { id, state, holds, .. } = self.plain.reservations[which].clone();
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.release_reservation(&actor(), id));
        match state {
            ReservationState::Committed => assert_eq!(code(&answer), Some(Code::Conflict)),
            ReservationState::Live => {
                answer.expect("released");
                self.plain.reservations[which].state = ReservationState::Released;
                for (balance, hold) in holds {
                    self.plain.balances[balance].end_hold(hold, HoldState::Released, self.now);
                }
            }
            // Released or run out: nothing is held any more.
            _ => {}
        }
    }

    pub fn extend_reservation(&mut self, which: Index, seconds: i64) {
        let Some(which) = self.any_reservation(which) else { return };
        let Reservation { id, state, holds, expires_at, .. } = self.plain.reservations[which].clone();
        let Life { engine, runtime } = &self.life;
        let extend = ExtendReservation { ttl_seconds: seconds as u32 };
        let answer = runtime.block_on(engine.extend_reservation(&actor(), id, extend));
        if state != ReservationState::Live {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        let until = self.now.saturating_add_micros(seconds * 1_000_000).max(expires_at);
        assert_eq!(answer.expect("extended").expires_at, until);
        self.plain.reservations[which].expires_at = until;
        for (balance, hold) in holds {
            self.plain.balances[balance].holds[hold].expires_at = until;
        }
    }
}

fn charge(charged: &Charged) -> (BalanceId, Steps, Steps, Steps) {
    let steps = |amount: Quantity| amount.steps();
    (charged.balance_id, steps(charged.amount), steps(charged.current_balance), steps(charged.available_balance))
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list
}

/// Whether two events under one key are the same event.
fn same(a: &EventInput, b: &EventInput) -> bool {
    (&a.event_type, &a.values, &a.dimensions, a.timestamp) == (&b.event_type, &b.values, &b.dimensions, b.timestamp)
}
