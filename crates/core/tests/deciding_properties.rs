//! What a limit makes of usage, held against the contract's own words on numbers of every size.

use std::cmp::Ordering;

use proptest::prelude::*;
use uuid::Uuid;
use weir_core::aggregate::{Aggregate, Contribution, What};
use weir_core::decide::{Standing, admits};
use weir_core::id::EventId;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

/// The largest that a caller may send.
const MOST: i128 = 10_i128.pow(27) - 1;

/// Values that meet often, and values of every size.
fn steps(least: i128, most: i128) -> impl Strategy<Value = i128> {
    prop_oneof![
        least.max(-5)..=5,
        (least.max(-30)..=30).prop_map(|whole| whole * 1_000_000_000),
        least..=most,
        most - 3..=most
    ]
}

fn limit() -> impl Strategy<Value = i128> {
    prop_oneof![1..=6_i128, (1..=30_i128).prop_map(|whole| whole * 1_000_000_000), 1..=MOST, MOST - 3..=MOST]
}

fn standing() -> impl Strategy<Value = Standing> {
    (limit(), steps(-MOST, 1_000_000 * MOST), steps(0, MOST)).prop_map(|(limit, used, held)| {
        let [limit, used, held] = [limit, used, held].map(Quantity::from_steps);
        Standing { limit, used, held }
    })
}

/// a times b, as high and low halves.
fn product(a: i128, b: i128) -> (u128, u128) {
    let (a, b) = (u128::try_from(a).unwrap(), u128::try_from(b).unwrap());
    const HALF: u128 = u64::MAX as u128;
    let (low, left, right, high) = {
        let (a_low, a_high, b_low, b_high) = (a & HALF, a >> 64, b & HALF, b >> 64);
        (a_low * b_low, a_high * b_low, a_low * b_high, a_high * b_high)
    };
    let middle = (low >> 64) + (left & HALF) + (right & HALF);
    (high + (left >> 64) + (right >> 64) + (middle >> 64), (middle << 64) | (low & HALF))
}

proptest! {
    #[test]
    fn a_limit_is_used_up_when_nothing_remains(standing in standing()) {
        let taken = standing.used.steps() + standing.held.steps();
        prop_assert_eq!(standing.exceeded(), taken >= standing.limit.steps());
        prop_assert_eq!(standing.remaining().steps(), (standing.limit.steps() - taken).max(0));
        prop_assert_eq!(standing.exceeded(), standing.remaining() == Quantity::ZERO);
    }

    #[test]
    fn a_percentage_is_cut_never_rounded(standing in standing()) {
        let shown = standing.utilisation().steps();
        let hundred = 100 * 1_000_000_000;
        // Trillions of times the limit saturate somewhere beyond meaning.
        prop_assert!(shown % 10_000_000 == 0 || shown.abs() > 10_i128.pow(35), "two digits");
        prop_assert_eq!(shown >= hundred, standing.used >= standing.limit);
        // shown/100 <= used/limit < (shown + 0.01)/100, towards zero.
        if standing.used.steps() <= MOST && !standing.used.is_negative() {
            let per_mille = product(standing.used.steps(), 10_000);
            prop_assert!(product(shown / 10_000_000, standing.limit.steps()) <= per_mille);
            prop_assert!(product(shown / 10_000_000 + 1, standing.limit.steps()) > per_mille);
        }
    }

    #[test]
    fn shares_of_every_size_compare_as_their_cross_products_do(a in standing(), b in standing()) {
        let left = product(a.remaining().steps(), b.limit.steps());
        let right = product(b.remaining().steps(), a.limit.steps());
        prop_assert_eq!(a.by_remaining_share(&b), left.cmp(&right));
        prop_assert_eq!(b.by_remaining_share(&a), right.cmp(&left));
        prop_assert_eq!(a.by_remaining_share(&a), Ordering::Equal);
    }

    #[test]
    fn an_event_is_refused_only_if_it_passes_the_limit_upwards(used in steps(-MOST, MOST), more in steps(-MOST, MOST), limit in limit(), kind in 0..3_u8) {
        let event = Contribution {
            at: Timestamp::EPOCH,
            id: EventId::new(Uuid::nil()),
            what: What::Amount(Quantity::from_steps(more)),
        };
        let [used, limit] = [used, limit].map(Quantity::from_steps);
        let (before, after) = match kind {
            0 => (Aggregate::Sum(used), used.steps() + more),
            1 => (Aggregate::Max(Some(used)), used.steps().max(more)),
            _ => (Aggregate::Count(7), 8_000_000_000),
        };
        let passes = after > limit.steps() && after > before.used().steps();
        prop_assert_eq!(admits(&before, Some(&event), limit).unwrap(), !passes);
        prop_assert!(admits(&before, None, limit).unwrap());
    }
}
