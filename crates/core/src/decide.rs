//! The deciding: what a limit makes of usage. Checks, tracks, reservations, simulators and models all ask here.

use std::cmp::Ordering;

use crate::aggregate::{Aggregate, Contribution};
use crate::quantity::{Overflow, Quantity};

/// Where a customer stands with a limit in one window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The limit's value, positive.
    pub limit: Quantity,
    /// The meter over the window.
    pub used: Quantity,
    /// Taken by live reservations.
    pub held: Quantity,
}

impl Standing {
    /// Used up or over: another unit would be too much.
    pub fn exceeded(&self) -> bool {
        self.taken().is_none_or(|taken| taken >= self.limit)
    }

    /// What is left, never below zero.
    pub fn remaining(&self) -> Quantity {
        let left = self.taken().and_then(|taken| self.limit.checked_sub(taken).ok());
        left.unwrap_or(Quantity::ZERO).max(Quantity::ZERO)
    }

    /// Used as a percentage of the limit, truncated: 99.97 % is never shown as 100 %.
    pub fn utilisation(&self) -> Quantity {
        self.used.percent_of(self.limit)
    }

    /// Orders by the share of the limit that remains, least first, exactly.
    pub fn by_remaining_share(&self, other: &Standing) -> Ordering {
        compare_ratios(self.remaining(), self.limit, other.remaining(), other.limit)
    }

    fn taken(&self) -> Option<Quantity> {
        self.used.checked_add(self.held).ok()
    }
}

/// Whether usage has reached a percentage of a limit: compared exactly.
pub fn crosses(used: Quantity, limit: Quantity, percent: u16) -> bool {
    match (used.steps().checked_mul(100), limit.steps().checked_mul(i128::from(percent))) {
        (Some(used), Some(wanted)) => used >= wanted,
        // A limit is far below what overflows here: usage is far beyond it, or far below zero.
        _ => used.is_positive(),
    }
}

/// The aggregate over a window with live holds: each is an event that may come. A hold takes and never gives: one that would take
/// usage down counts as nothing until it comes, since it may not.
pub fn with_holds(total: &Aggregate, holds: impl Iterator<Item = Contribution>) -> Aggregate {
    let mut taken = total.clone();
    for hold in holds {
        let mut with = taken.clone();
        // Beyond what can be counted, it is beyond any limit already.
        if with.add(&hold).is_ok() && with.used() > taken.used() {
            taken = with;
        }
    }
    taken
}

/// Whether a hard limit lets an event through, given the aggregate over the window and live holds without it: it is
/// refused only if it would take usage over the limit and further up. An event that does not contribute always passes.
pub fn admits(before: &Aggregate, event: Option<&Contribution>, limit: Quantity) -> Result<bool, Overflow> {
    let Some(event) = event else { return Ok(true) };
    let mut with = before.clone();
    with.add(event)?;
    let after = with.used();
    Ok(after <= limit || after <= before.used())
}

/// Compares a/b with c/d for a, c ≥ 0 and b, d > 0, by the continued fractions of both: products would overflow.
fn compare_ratios(a: Quantity, b: Quantity, c: Quantity, d: Quantity) -> Ordering {
    let (mut a, mut b, mut c, mut d) = (a.steps(), b.steps(), c.steps(), d.steps());
    let mut flipped = false;
    loop {
        let order = (a / b).cmp(&(c / d));
        if order != Ordering::Equal {
            return if flipped { order.reverse() } else { order };
        }
        let (left, right) = (a % b, c % d);
        let order = match (left, right) {
            (0, 0) => return Ordering::Equal,
            (0, _) => Ordering::Less,
            (_, 0) => Ordering::Greater,
            _ => {
                // left/b ? right/d is the reverse of b/left ? d/right.
                (a, b, c, d) = (b, left, d, right);
                flipped = !flipped;
                continue;
            }
        };
        return if flipped { order.reverse() } else { order };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aggregate::{Aggregation, Newest, What};
    use crate::id::EventId;
    use crate::time::Timestamp;
    use proptest::prelude::*;

    fn standing(limit: i64, used: i64, held: i64) -> Standing {
        let [limit, used, held] = [limit, used, held].map(Quantity::from_int);
        Standing { limit, used, held }
    }

    fn amount(value: i64) -> Contribution {
        Contribution {
            at: Timestamp::from_micros(0),
            id: EventId::new(uuid::Uuid::nil()),
            what: What::Amount(Quantity::from_int(value)),
        }
    }

    #[test]
    fn a_limit_is_exceeded_when_it_is_used_up() {
        assert!(!standing(10, 9, 0).exceeded());
        assert!(standing(10, 10, 0).exceeded());
        assert!(standing(10, 4, 6).exceeded());
        assert_eq!(standing(10, 4, 3).remaining(), Quantity::from_int(3));
        assert_eq!(standing(10, 40, 3).remaining(), Quantity::ZERO);
        assert_eq!(standing(10, -5, 0).remaining(), Quantity::from_int(15), "a correction leaves more");
    }

    #[test]
    fn an_event_may_fill_a_limit_but_not_pass_it() {
        let before = Aggregate::Sum(Quantity::from_int(9));
        let admits = |event: Option<Contribution>| admits(&before, event.as_ref(), Quantity::from_int(10)).unwrap();
        assert!(admits(Some(amount(1))));
        assert!(!admits(Some(amount(2))));
        assert!(admits(None), "an event that does not count is not refused");
    }

    #[test]
    fn a_threshold_is_reached_exactly() {
        let crosses =
            |used: &str, limit: &str, percent| crosses(used.parse().unwrap(), limit.parse().unwrap(), percent);
        assert!(crosses("0.8", "1", 80));
        assert!(!crosses("0.799999999", "1", 80));
        assert!(crosses("1.5", "0.5", 300));
        assert!(!crosses("99.999999999", "100", 100));
        assert!(!crosses("-1", "100", 1));
        assert!(super::crosses(Quantity::from_steps(i128::MAX), Quantity::from_int(1), 1_000));
        assert!(!super::crosses(Quantity::from_steps(i128::MIN), Quantity::from_int(1), 1));
    }

    #[test]
    fn a_hold_takes_and_never_gives() {
        let held = |total: Aggregate, holds: &[i64]| {
            with_holds(&total, holds.iter().map(|value| amount(*value))).used().checked_sub(total.used()).unwrap()
        };
        let [three, zero] = [3, 0].map(Quantity::from_int);
        assert_eq!(held(Aggregate::Sum(three), &[2, 1]), three);
        assert_eq!(held(Aggregate::Sum(three), &[-2, 3]), three, "what may be given back is not there yet");
        assert_eq!(held(Aggregate::Max(Some(three)), &[2, 6, 4]), three);
        assert_eq!(held(Aggregate::Max(Some(three)), &[2]), zero);
        let newest = Newest { at: Timestamp::from_micros(-1), id: EventId::new(uuid::Uuid::nil()), value: three };
        assert_eq!(held(Aggregate::Latest(Some(newest)), &[1, 6, 2]), three, "the most that any of them may leave");
    }

    #[test]
    fn an_event_that_takes_usage_down_passes_even_above_the_limit() {
        let over = Aggregate::Sum(Quantity::from_int(20));
        let admits = |value| admits(&over, Some(&amount(value)), Quantity::from_int(10)).unwrap();
        assert!(admits(-1));
        assert!(admits(0));
        assert!(!admits(1));
        let max = Aggregate::Max(Some(Quantity::from_int(20)));
        assert!(
            super::admits(&max, Some(&amount(15)), Quantity::from_int(10)).unwrap(),
            "the maximum stays where it is"
        );
        assert_eq!(Aggregate::empty(Aggregation::Max).used(), Quantity::ZERO);
    }

    proptest! {
        #[test]
        fn shares_compare_like_their_cross_products(a in 0..1_i64 << 40, b in 1..1_i64 << 40, c in 0..1_i64 << 40, d in 1..1_i64 << 40) {
            let expected = (i128::from(a) * i128::from(d)).cmp(&(i128::from(c) * i128::from(b)));
            let q = |value: i64| Quantity::from_steps(value.into());
            prop_assert_eq!(compare_ratios(q(a), q(b), q(c), q(d)), expected);
        }
    }
}
