//! Tracking, reservations, raises and resets, carried out on both sides.

use std::collections::BTreeMap;

use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::id::{EventId, LimitId};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::Error;
use weir_engine::model::{
    CheckedLimit, CommitReservation, ExtendReservation, ListAlerts, ListReservations, NewRaise, NewReservation,
    PageSize, Refused, ReservationState, ResetUsage,
};

use crate::alerts::shown;
use crate::commands::{CUSTOMERS, Sketch, amounts};
use crate::common::actor;
use crate::plain::{Applying, Forgiven, Happened, Held, Plain, Raised};
use crate::world::{Life, World};

/// How long a tracked event's first answer is given again, in microseconds.
const DAY: i64 = 86_400_000_000;

fn code<T>(answer: &Result<T, Error>) -> Option<Code> {
    answer.as_ref().err().map(Error::code)
}

fn refusing(refused: &Refused) -> Vec<LimitId> {
    refused.limits.iter().map(|limit| limit.id).collect()
}

fn checked(applying: Vec<Applying<'_>>) -> Vec<CheckedLimit> {
    let calm = applying.into_iter().map(|one| Applying { refuses: false, ..one }).collect();
    Plain::sorted(calm).iter().map(Applying::checked).collect()
}

impl World {
    /// An event as it would be recorded now.
    fn candidate(&self, input: &EventInput) -> Happened {
        Happened {
            id: EventId::new(uuid::Uuid::max()),
            customer: input.customer_id.clone(),
            event_type: input.event_type.clone(),
            values: input.values.clone(),
            dimensions: input.dimensions.clone(),
            at: input.timestamp.unwrap_or(self.now),
            voided: None,
        }
    }

    /// The limits that refuse an event, most urgent first.
    fn refusing(&self, event: &Happened) -> Vec<LimitId> {
        let counting = self.plain.counting_on(event, self.now).into_iter();
        let judged = counting.map(|one| Applying { refuses: one.refuses(event), ..one });
        let refusing = judged.filter(|one| one.refuses).collect();
        Plain::sorted(refusing).iter().map(|one| one.limit.id).collect()
    }

    /// The limits that refuse an event which may come until an instant: now, or in the window at the latest.
    fn refusing_until(&self, event: &Happened, until: Timestamp) -> Vec<LimitId> {
        let coming = Happened { at: until, ..event.clone() };
        let judged = self.plain.counting_on(event, self.now).into_iter().map(|one| (one.refuses(event), one));
        let later = self.plain.counting_on(&coming, self.now).into_iter().map(|one| (one.refuses(&coming), one));
        let refusing = judged.zip(later).filter_map(|(now, later)| match (now, later) {
            ((true, one), _) | (_, (true, one)) => Some(Applying { refuses: true, ..one }),
            _ => None,
        });
        Plain::sorted(refusing.collect()).iter().map(|one| one.limit.id).collect()
    }

    pub fn track(&mut self, input: EventInput) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.track(&actor(), input.clone()));
        if !self.is_valid(&input) {
            assert_eq!(code(&answer), Some(Code::InvalidFieldValue), "{input:?}");
            return;
        }
        let event = self.candidate(&input);
        let earlier = self.earlier(&input).map(|sent| (sent.is_same(&input), sent.id, sent.tracked.clone()));
        match earlier {
            Some((false, ..)) => {
                assert_eq!(code(&answer), Some(Code::IdempotencyConflict));
                return;
            }
            Some((true, id, first)) => {
                let tracked = answer.expect("a repeat");
                assert!(id.is_none_or(|first| first == tracked.id), "a repeat answers as the first did");
                if let Some((at, limits)) = first
                    && self.now.as_micros() - at.as_micros() < DAY
                {
                    assert_eq!(tracked.limits, limits, "a repeat answers as the first did");
                }
                return;
            }
            None => {}
        }
        let expected = self.refusing(&event);
        match answer {
            Ok(tracked) => {
                assert_eq!(expected, [], "{input:?} at {}", self.now);
                let now = self.now;
                if let Some(sent) = self.accept_keyed(input, tracked.id) {
                    sent.tracked = Some((now, tracked.limits.clone()));
                }
                let event = Happened { id: tracked.id, ..event };
                assert_eq!(tracked.limits, checked(self.plain.counting_on(&event, now)));
            }
            Err(Error::Refused(refused)) => assert_eq!(refusing(&refused), expected, "{input:?} at {}", self.now),
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn reserve(&mut self, sketch: &Sketch, ttl_seconds: u32) {
        let input = EventInput { timestamp: None, ..self.input(sketch) };
        let new = NewReservation {
            customer_id: input.customer_id.clone(),
            event_type: input.event_type.clone(),
            values: input.values.clone(),
            dimensions: input.dimensions.clone(),
            ttl_seconds,
        };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.reserve(&actor(), new));
        if input.event_type.is_empty() {
            assert_eq!(code(&answer), Some(Code::InvalidFieldValue));
            return;
        }
        let event = self.candidate(&input);
        let expires_at = self.now.saturating_add_micros(i64::from(ttl_seconds) * 1_000_000);
        let last = Timestamp::from_micros(expires_at.as_micros() - 1);
        let expected = self.refusing_until(&event, last);
        match answer {
            Ok(reserved) => {
                assert_eq!(expected, [], "{input:?} at {}", self.now);
                let owner = self.plain.owner(&event.customer, self.now);
                self.plain.customers.entry(event.customer.clone()).or_insert(owner);
                assert_eq!(reserved.expires_at, expires_at);
                let state = ReservationState::Live;
                self.plain.holds.push(Held { id: reserved.id, event: event.clone(), expires_at, state });
                assert_eq!(reserved.limits, checked(self.plain.counting_on(&event, self.now)));
            }
            Err(Error::Refused(refused)) => assert_eq!(refusing(&refused), expected, "{input:?} at {}", self.now),
            Err(other) => panic!("{other:?}"),
        }
    }

    pub fn commit(&mut self, which: usize, values: Option<(Option<i16>, Option<i16>)>) {
        let hold = self.plain.holds[which].clone();
        let values = values.map(|(tokens, seats)| amounts(tokens, seats));
        let Life { engine, runtime } = &self.life;
        let commit = CommitReservation { values: values.clone() };
        let answer = runtime.block_on(engine.commit_reservation(&actor(), hold.id, commit));
        let values: BTreeMap<String, Quantity> = values.unwrap_or_else(|| hold.event.values.clone());
        match hold.state {
            ReservationState::Released => assert_eq!(code(&answer), Some(Code::Conflict)),
            ReservationState::Committed => {
                // What it came to the first time stands in the list of events.
                let first = self.committed[&hold.id];
                let event = self.plain.events.iter().find(|event| event.id == first).expect("its event");
                match answer {
                    Ok(answer) => {
                        assert_eq!(event.values, values);
                        assert_eq!(answer.event_id, Some(first));
                    }
                    Err(error) => {
                        assert_ne!(event.values, values);
                        assert_eq!(error.code(), Code::IdempotencyConflict);
                    }
                }
            }
            ReservationState::Live | ReservationState::Expired => {
                let late = !hold.is_live(self.now);
                self.plain.holds[which].state = ReservationState::Committed;
                let input = EventInput {
                    customer_id: hold.event.customer.clone(),
                    event_type: hold.event.event_type.clone(),
                    values,
                    dimensions: hold.event.dimensions.clone(),
                    ..EventInput::default()
                };
                let overdrawn = !self.refusing(&self.candidate(&input)).is_empty();
                let answer = answer.expect("a commit is always recorded");
                assert_eq!((answer.late, answer.overdrawn), (Some(late), Some(overdrawn)));
                let id = answer.event_id.expect("its event");
                self.committed.insert(hold.id, id);
                self.accept(input, id);
            }
        }
    }

    pub fn release(&mut self, which: usize) {
        let hold = self.plain.holds[which].clone();
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.release_reservation(&actor(), hold.id));
        match hold.state {
            ReservationState::Committed => assert_eq!(code(&answer), Some(Code::Conflict)),
            ReservationState::Live if hold.is_live(self.now) => {
                assert_eq!(answer.expect("a release").state, ReservationState::Released);
                self.plain.holds[which].state = ReservationState::Released;
            }
            ReservationState::Live => panic!("what has run out is known to have"),
            state => assert_eq!(answer.expect("nothing to release").state, state),
        }
    }

    pub fn extend(&mut self, which: usize, ttl_seconds: u32) {
        let hold = self.plain.holds[which].clone();
        let Life { engine, runtime } = &self.life;
        let extend = ExtendReservation { ttl_seconds };
        let answer = runtime.block_on(engine.extend_reservation(&actor(), hold.id, extend));
        if !hold.is_live(self.now) {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        let until = self.now.saturating_add_micros(i64::from(ttl_seconds) * 1_000_000).max(hold.expires_at);
        // Into a window that it did not reach before, it has to fit like any other.
        let last = Happened { at: Timestamp::from_micros(until.as_micros() - 1), ..hold.event.clone() };
        self.plain.holds[which].state = ReservationState::Released;
        let reached = self.plain.counting_on(&last, self.now).into_iter();
        let mut reached = reached.filter(|one| one.window.start.is_some_and(|start| hold.expires_at <= start));
        let refused = reached.any(|one| one.refuses(&last));
        self.plain.holds[which].state = ReservationState::Live;
        if refused {
            assert_eq!(code(&answer), Some(Code::Conflict));
            return;
        }
        assert_eq!(answer.expect("more time").expires_at, until);
        self.plain.holds[which].expires_at = until;
    }

    /// Why a limit cannot be raised or reset for a customer.
    fn exempts(&self, limit: usize, customer: &str) -> Option<Code> {
        if !self.plain.customers.contains_key(customer) {
            return Some(Code::CustomerNotFound);
        }
        let applies = self.plain.applying(customer, self.now).iter().any(|one| one.index == limit);
        (!applies).then_some(Code::Conflict)
    }

    pub fn raise(&mut self, limit: usize, who: usize, value: Quantity, seconds: i64) {
        let customer = CUSTOMERS[who];
        let until = self.now.saturating_add_micros(seconds * 1_000_000);
        let note = "raised".to_owned();
        let new = NewRaise { customer_id: customer.to_owned(), limit_value: value, until, note };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.raise_limit(&actor(), self.plain.limits[limit].id, new));
        let low = (value <= self.plain.limits[limit].value).then_some(Code::InvalidFieldValue);
        if let Some(expected) = self.exempts(limit, customer).or(low) {
            assert_eq!(code(&answer), Some(expected));
            return;
        }
        answer.expect("a raise");
        self.put_raise(Raised { limit, customer: customer.to_owned(), value, until, ended: false });
    }

    pub fn end_raise(&mut self, limit: usize, who: usize) {
        let customer = CUSTOMERS[who];
        let Life { engine, runtime } = &self.life;
        let id = self.plain.limits[limit].id;
        let answer = runtime.block_on(engine.end_raise(&actor(), id, customer.to_owned()));
        if let Some(expected) = self.exempts(limit, customer) {
            assert_eq!(code(&answer), Some(expected));
            return;
        }
        answer.expect("an end");
        if let Some((_, raise, true)) = self.plain.raise(limit, customer, self.now) {
            let ended = Raised { until: self.now, ended: true, ..raise.clone() };
            self.put_raise(ended);
        }
    }

    fn put_raise(&mut self, raise: Raised) {
        for before in &mut self.plain.raises {
            before.ended |= before.limit == raise.limit && before.customer == raise.customer;
        }
        let customer = raise.customer.clone();
        self.plain.raises.push(raise);
        self.plain.judge_customer(&customer, self.now);
    }

    pub fn forgive(&mut self, limit: usize, who: usize) {
        let customer = CUSTOMERS[who];
        let reset = ResetUsage { customer_id: customer.to_owned(), note: "forgiven".to_owned() };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.reset_usage(&actor(), self.plain.limits[limit].id, reset));
        if let Some(expected) = self.exempts(limit, customer) {
            assert_eq!(code(&answer), Some(expected));
            return;
        }
        let after = answer.expect("a reset");
        let (from, at) = (self.plain.events.len(), self.now);
        self.plain.resets.push(Forgiven { limit, customer: customer.to_owned(), from, at });
        assert_eq!((after.used, after.reset_at), (Quantity::ZERO, Some(at)));
        self.plain.judge_customer(customer, self.now);
    }

    /// Compares every alert, and every reservation.
    pub fn compare_told(&self) {
        let Life { engine, runtime } = &self.life;
        let mut list = ListAlerts { limit: PageSize::MAX, ..ListAlerts::default() };
        let mut told = Vec::new();
        loop {
            let page = runtime.block_on(engine.alerts(list.clone())).expect("alerts");
            told.extend(page.data.iter().map(shown));
            list.cursor = page.next_cursor;
            if list.cursor.is_none() {
                break;
            }
        }
        let mut expected = self.plain.told(self.now);
        // Of several told at once, the order among customers and limits does not matter.
        let order = |a: &crate::alerts::Shown, b: &crate::alerts::Shown| {
            (a.5, &a.0, &a.1, a.6, a.2, a.4, a.3, a.7).cmp(&(b.5, &b.0, &b.1, b.6, b.2, b.4, b.3, b.7))
        };
        told.sort_by(order);
        expected.sort_by(order);
        assert_eq!(told, expected, "alerts at {}", self.now);
        let mut list = ListReservations { limit: PageSize::MAX, ..ListReservations::default() };
        let mut held = Vec::new();
        loop {
            let page = runtime.block_on(engine.reservations(list.clone())).expect("reservations");
            held.extend(page.data.into_iter().map(|one| (one.id, one.state, one.expires_at)));
            list.cursor = page.next_cursor;
            if list.cursor.is_none() {
                break;
            }
        }
        let state = |hold: &Held| match hold.state {
            ReservationState::Live if !hold.is_live(self.now) => ReservationState::Expired,
            state => state,
        };
        let expected: Vec<_> =
            self.plain.holds.iter().rev().map(|hold| (hold.id, state(hold), hold.expires_at)).collect();
        assert_eq!(held, expected, "reservations at {}", self.now);
    }

    /// Lets the engine do what is due, and work in the background: each command served lets a chunk of it be done.
    pub fn settle(&mut self) {
        let Life { engine, runtime } = &self.life;
        for _ in 0..4 {
            let nothing = weir_engine::model::ProjectPatch::default();
            runtime.block_on(engine.update_project(&actor(), nothing)).expect("no change");
        }
        self.plain.do_due(self.now);
    }
}
