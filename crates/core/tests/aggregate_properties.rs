//! Aggregates over any events: in any order, in any split, and as a plain computation over all of them gives.

use std::collections::BTreeSet;

use proptest::prelude::*;
use uuid::Uuid;
use weir_core::aggregate::{Aggregate, Aggregation, Contribution, What};
use weir_core::id::EventId;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

fn kind() -> impl Strategy<Value = Aggregation> {
    prop::sample::select(Aggregation::ALL.to_vec())
}

/// Steps as callers send them: small ones that meet often, and all there are.
fn steps() -> impl Strategy<Value = i128> {
    const MOST: i128 = 10_i128.pow(27) - 1;
    prop_oneof![-3_000_000_000..3_000_000_000_i128, -MOST..=MOST]
}

/// Events of a meter of a kind: ids are their own, times and values meet.
fn events(kind: Aggregation) -> impl Strategy<Value = Vec<Contribution>> {
    let event = (0..20_i64, steps(), 0..6_u8);
    prop::collection::vec(event, 0..40).prop_map(move |events| {
        let contribution = |(index, (at, steps, member))| Contribution {
            at: Timestamp::from_micros(at),
            id: EventId::new(Uuid::from_u128(index)),
            what: match kind {
                Aggregation::Count => What::One,
                Aggregation::Unique => What::Member([member; 16]),
                _ => What::Amount(Quantity::from_steps(steps)),
            },
        };
        (0_u128..).zip(events).map(contribution).collect()
    })
}

fn kind_and_events() -> impl Strategy<Value = (Aggregation, Vec<Contribution>)> {
    kind().prop_flat_map(|kind| (Just(kind), events(kind)))
}

fn over(kind: Aggregation, events: &[Contribution]) -> Aggregate {
    let mut total = Aggregate::empty(kind);
    for event in events {
        total.add(event).unwrap();
    }
    total
}

fn merged(left: &Aggregate, right: &Aggregate) -> Aggregate {
    let mut both = left.clone();
    both.merge(right).unwrap();
    both
}

/// The value as the contract words it, without any state that grows.
fn plain_value(kind: Aggregation, events: &[Contribution]) -> Option<Quantity> {
    let amounts = || {
        events.iter().map(|event| match event.what {
            What::Amount(value) => value.steps(),
            _ => unreachable!("a meter of values"),
        })
    };
    let steps = match kind {
        Aggregation::Sum => Some(amounts().sum()),
        Aggregation::Count => Some(events.len() as i128 * 1_000_000_000),
        Aggregation::Max => amounts().max(),
        Aggregation::Min => amounts().min(),
        Aggregation::Latest => {
            amounts().zip(events).max_by_key(|(_, event)| (event.at, event.id)).map(|(steps, _)| steps)
        }
        Aggregation::Avg if events.is_empty() => None,
        Aggregation::Avg => {
            let (total, count) = (amounts().sum::<i128>(), events.len() as i128);
            let floor = total.div_euclid(count);
            let twice = 2 * total.rem_euclid(count);
            Some(if twice > count || (twice == count && floor % 2 != 0) { floor + 1 } else { floor })
        }
        Aggregation::Unique => {
            let members: BTreeSet<_> = events
                .iter()
                .map(|event| match event.what {
                    What::Member(member) => member,
                    _ => unreachable!("a meter of members"),
                })
                .collect();
            Some(members.len() as i128 * 1_000_000_000)
        }
    };
    steps.map(Quantity::from_steps)
}

proptest! {
    #[test]
    fn the_value_is_that_of_all_events_at_once((kind, events) in kind_and_events()) {
        prop_assert_eq!(over(kind, &events).value(), plain_value(kind, &events));
        let used = plain_value(kind, &events).unwrap_or(Quantity::ZERO);
        prop_assert_eq!(over(kind, &events).used(), used);
    }

    #[test]
    fn any_order_gives_the_same((events, shuffled, kind) in kind_and_events().prop_flat_map(|(kind, events)| {
        (Just(events.clone()), Just(events).prop_shuffle(), Just(kind))
    })) {
        prop_assert_eq!(over(kind, &events), over(kind, &shuffled));
    }

    #[test]
    fn any_split_gives_the_same((kind, events) in kind_and_events(), owners in prop::collection::vec(0..5_usize, 40), order in Just([0, 1, 2, 3, 4]).prop_shuffle()) {
        let mut parts = vec![Aggregate::empty(kind); 5];
        for (event, owner) in events.iter().zip(&owners) {
            parts[*owner].add(event).unwrap();
        }
        let mut total = Aggregate::empty(kind);
        for part in order {
            total.merge(&parts[part]).unwrap();
        }
        prop_assert_eq!(total, over(kind, &events));
    }

    #[test]
    fn merging_is_associative_and_commutative((kind, events) in kind_and_events(), cuts in (0..41_usize, 0..41_usize)) {
        let (first, second) = (cuts.0.min(cuts.1).min(events.len()), cuts.0.max(cuts.1).min(events.len()));
        let [a, b, c] = [&events[..first], &events[first..second], &events[second..]].map(|part| over(kind, part));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        let nothing = Aggregate::empty(kind);
        prop_assert_eq!(&merged(&a, &nothing), &a);
        prop_assert_eq!(&merged(&nothing, &a), &a);
    }

    #[test]
    fn what_does_not_add_up_takes_repeats_without_a_change((kind, events) in kind_and_events(), again in any::<prop::sample::Index>()) {
        prop_assume!(!events.is_empty());
        let total = over(kind, &events);
        let repeated = *again.get(&events);
        let mut more = total.clone();
        more.add(&repeated).unwrap();
        match kind {
            Aggregation::Max | Aggregation::Min | Aggregation::Latest | Aggregation::Unique => {
                prop_assert_eq!(&more, &total);
                prop_assert_eq!(&merged(&total, &total), &total);
            }
            Aggregation::Sum | Aggregation::Count | Aggregation::Avg => {
                prop_assert_eq!(more.value(), plain_value(kind, &[events, vec![repeated]].concat()));
            }
        }
    }

    #[test]
    fn usage_of_these_kinds_never_falls((kind, events) in prop::sample::select(vec![Aggregation::Count, Aggregation::Max, Aggregation::Unique]).prop_flat_map(|kind| (Just(kind), events(kind)))) {
        let mut total = Aggregate::empty(kind);
        let mut last = None;
        for event in &events {
            total.add(event).unwrap();
            prop_assert!(total.value() >= last);
            last = total.value();
        }
    }

    #[test]
    fn an_overflow_changes_nothing(near in 0..1_000_i128, over in 1..1_000_i128, negative in any::<bool>(), average in any::<bool>()) {
        let sign = if negative { -1 } else { 1 };
        let full = Quantity::from_steps(sign * (i128::MAX - near));
        let event = Contribution {
            at: Timestamp::EPOCH,
            id: EventId::new(Uuid::nil()),
            what: What::Amount(Quantity::from_steps(sign * (near + 1 + over))),
        };
        let before = if average { Aggregate::Avg(full, 3) } else { Aggregate::Sum(full) };
        let mut after = before.clone();
        prop_assert!(after.add(&event).is_err());
        prop_assert_eq!(&after, &before);
        let mut after = before.clone();
        prop_assert!(after.merge(&before).is_err());
        prop_assert_eq!(&after, &before);
    }

    #[test]
    fn a_contribution_of_another_kind_adds_nothing((kind, events) in kind_and_events(), (_, others) in kind_and_events()) {
        let before = over(kind, &events);
        let mut after = before.clone();
        for other in others {
            let fits = matches!(
                (kind, other.what),
                (Aggregation::Count, _) | (Aggregation::Unique, What::Member(_))
            ) || (kind != Aggregation::Unique && matches!(other.what, What::Amount(_)));
            if !fits {
                after.add(&other).unwrap();
            }
        }
        prop_assert_eq!(after, before);
    }
}
