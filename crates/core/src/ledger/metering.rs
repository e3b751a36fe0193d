//! What usage costs: exact over the whole, whatever the parts, and shared among balances that pay for the same.

use crate::quantity::{Overflow, Quantity};

/// The most that a rate may charge, and the most units that it may be for.
pub const MAX_RATE: i64 = 1_000_000_000;

/// A price: an amount for so many units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Above zero, at most [`MAX_RATE`].
    pub amount: Quantity,
    /// At least one, at most [`MAX_RATE`].
    pub per: u32,
}

impl Rate {
    /// What a quantity costs, half-even to nine digits.
    pub fn cost(self, quantity: Quantity) -> Result<Quantity, Overflow> {
        // amount x quantity / divisor, all in steps. The quantity is split, so that the product stays in range.
        let divisor = Quantity::from_int(self.per.into()).steps();
        let amount = self.amount.steps();
        let (whole, rest) = (quantity.steps().div_euclid(divisor), quantity.steps().rem_euclid(divisor));
        let product = amount * rest;
        let (part, remainder) = (product / divisor, product % divisor);
        let up = match (2 * remainder).cmp(&divisor) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            // What comes before is whole, so that it decides with the part which neighbour is even.
            std::cmp::Ordering::Equal => (whole.rem_euclid(2) * amount.rem_euclid(2) + part) % 2 != 0,
        };
        let cost = amount.checked_mul(whole).and_then(|cost| cost.checked_add(part + i128::from(up)));
        cost.map(Quantity::from_steps).ok_or(Overflow)
    }
}

/// What a balance has paid for under a rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metering {
    /// The price.
    pub rate: Rate,
    /// How much of the meter it has paid for.
    pub counted: Quantity,
    /// What it has booked for that.
    pub booked: Quantity,
    /// Whether it takes what nobody can pay for into debt.
    pub soft: bool,
}

impl Metering {
    /// What more of the meter would book.
    pub fn price(&self, quantity: Quantity) -> Result<Quantity, Overflow> {
        self.rate.cost(self.counted.checked_add(quantity)?)?.checked_sub(self.booked)
    }

    /// Counts more of the meter as paid for, and answers what that books.
    pub fn take(&mut self, quantity: Quantity) -> Result<Quantity, Overflow> {
        let price = self.price(quantity)?;
        self.counted = self.counted.checked_add(quantity)?;
        self.booked = self.booked.checked_add(price)?;
        Ok(price)
    }

    /// The most of a quantity that an amount pays for.
    fn affordable(&self, amount: Quantity, most: Quantity) -> Result<Quantity, Overflow> {
        if self.price(most)? <= amount {
            return Ok(most);
        }
        // Prices rise with the quantity, so that the last one within reach is found by halving.
        let (mut within, mut beyond) = (0, most.steps());
        while beyond - within > 1 {
            let middle = within + (beyond - within) / 2;
            if self.price(Quantity::from_steps(middle))? <= amount {
                within = middle;
            } else {
                beyond = middle;
            }
        }
        Ok(Quantity::from_steps(within))
    }
}

/// What one balance of a chain takes of a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Its place in the chain.
    pub place: usize,
    /// How much of the meter; below zero where it gives back.
    pub quantity: Quantity,
    /// What that books; below zero where it gives back.
    pub amount: Quantity,
}

/// How a quantity is paid for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who takes what, in the order in which it is booked.
    pub shares: Vec<Share>,
    /// The place that takes more than it has available, with how much it lacks.
    pub short: Option<(usize, Quantity)>,
    /// Whether that one may not: an event that is only recorded if it is paid for is refused.
    pub refused: bool,
}

/// Shares a quantity among a chain of balances in the order in which they pay, each with what it has available.
pub fn plan(chain: &[(Metering, Quantity)], quantity: Quantity) -> Result<Plan, Overflow> {
    let mut plan = Plan::default();
    if chain.is_empty() || quantity == Quantity::ZERO {
        return Ok(plan);
    }
    if quantity.is_negative() {
        return give_back(chain, quantity);
    }
    let mut left = quantity;
    for (place, (metering, available)) in chain.iter().enumerate() {
        if !available.is_positive() {
            continue;
        }
        let taken = metering.affordable(*available, left)?;
        if taken.is_positive() {
            left = left.checked_sub(taken)?;
            plan.shares.push(Share { place, quantity: taken, amount: metering.price(taken)? });
        }
        if !left.is_positive() {
            return Ok(plan);
        }
    }
    let last_soft = chain.iter().rposition(|(metering, _)| metering.soft);
    let place = last_soft.unwrap_or(chain.len() - 1);
    let (metering, available) = &chain[place];
    let already = plan.shares.iter().position(|share| share.place == place).map(|at| plan.shares.remove(at));
    let taken = already.map_or(Ok(left), |share| share.quantity.checked_add(left))?;
    let amount = metering.price(taken)?;
    plan.shares.push(Share { place, quantity: taken, amount });
    let lacks = amount.checked_sub((*available).max(Quantity::ZERO))?;
    // So little may be left that it costs nothing.
    if lacks.is_positive() {
        plan.short = Some((place, lacks));
        plan.refused = last_soft.is_none();
    }
    Ok(plan)
}

/// The last gives back first, each up to what it has counted; what nobody has counted goes to the first.
fn give_back(chain: &[(Metering, Quantity)], quantity: Quantity) -> Result<Plan, Overflow> {
    let mut plan = Plan::default();
    let mut left = Quantity::ZERO.checked_sub(quantity)?;
    for (place, (metering, _)) in chain.iter().enumerate().rev() {
        let back = if place == 0 { left } else { left.min(metering.counted.max(Quantity::ZERO)) };
        if back.is_positive() {
            left = left.checked_sub(back)?;
            let quantity = Quantity::ZERO.checked_sub(back)?;
            plan.shares.push(Share { place, quantity, amount: metering.price(quantity)? });
        }
    }
    Ok(plan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn q(text: &str) -> Quantity {
        text.parse().unwrap()
    }

    fn metering(amount: &str, per: u32) -> Metering {
        let rate = Rate { amount: q(amount), per };
        Metering { rate, counted: Quantity::ZERO, booked: Quantity::ZERO, soft: false }
    }

    #[test]
    fn three_thirds_are_one() {
        let mut thirds = metering("1", 3);
        let booked: Vec<_> = (0..3).map(|_| thirds.take(Quantity::ONE).unwrap().to_string()).collect();
        assert_eq!(booked, ["0.333333333", "0.333333334", "0.333333333"]);
        assert_eq!(thirds.booked, Quantity::ONE);
    }

    #[test]
    fn halves_of_a_step_round_to_even() {
        let half = Rate { amount: q("0.000000001"), per: 2 };
        for (quantity, cost) in [("1", "0"), ("2", "0.000000001"), ("3", "0.000000002"), ("5", "0.000000002")] {
            assert_eq!(half.cost(q(quantity)).unwrap(), q(cost), "{quantity}");
        }
        assert_eq!(half.cost(q("-1")).unwrap(), q("0"));
        assert_eq!(half.cost(q("-3")).unwrap(), q("-0.000000002"));
    }

    #[test]
    fn the_first_pays_as_far_as_it_can_and_the_next_for_the_rest() {
        let chain = [(metering("3", 1000), q("6")), (metering("1", 100), q("100"))];
        let plan = plan(&chain, q("5000")).unwrap();
        let shares: Vec<_> = plan.shares.iter().map(|share| (share.place, share.quantity, share.amount)).collect();
        // The last unit that rounds down to what is there is paid for, too.
        assert_eq!(shares, [(0, q("2000.000000166"), q("6")), (1, q("2999.999999834"), q("29.999999998"))]);
        assert_eq!((plan.short, plan.refused), (None, false));
    }

    #[test]
    fn what_nobody_can_pay_for_is_refused_or_goes_to_the_last_that_may_owe() {
        let (hard, soft) = (metering("1", 1), Metering { soft: true, ..metering("1", 1) });
        let refused = plan(&[(hard, q("2")), (hard, q("3"))], q("10")).unwrap();
        assert_eq!((refused.short, refused.refused), (Some((1, q("5"))), true));
        let owed = plan(&[(soft, q("2")), (hard, q("3"))], q("10")).unwrap();
        assert_eq!((owed.short, owed.refused), (Some((0, q("5"))), false));
        assert_eq!(owed.shares.iter().map(|share| share.amount).collect::<Vec<_>>(), [q("3"), q("7")]);
    }

    #[test]
    fn a_correction_goes_back_from_the_last_to_the_first() {
        let paid = |counted: &str| Metering { counted: q(counted), booked: q(counted), ..metering("1", 1) };
        let plan = plan(&[(paid("5"), q("0")), (paid("3"), q("10"))], q("-10")).unwrap();
        let shares: Vec<_> = plan.shares.iter().map(|share| (share.place, share.amount)).collect();
        assert_eq!(shares, [(1, q("-3")), (0, q("-7"))]);
    }

    proptest! {
        #[test]
        fn the_whole_is_right_to_the_last_digit(
            amount in 1_i128..1_000_000_000_000_000_000, per in 1_u32..1_000_000_000,
            parts in prop::collection::vec(-1_000_000_000_000_i128..1_000_000_000_000, 1..30),
        ) {
            let mut metering = metering("1", 1);
            metering.rate = Rate { amount: Quantity::from_steps(amount), per };
            let mut sum = Quantity::ZERO;
            for part in &parts {
                sum = sum.checked_add(metering.take(Quantity::from_steps(*part)).unwrap()).unwrap();
            }
            let whole = Quantity::from_steps(parts.iter().sum());
            prop_assert_eq!(sum, metering.rate.cost(whole).unwrap());
            // Within half a step of the exact quotient: |cost x divisor - amount x whole| <= divisor / 2, where that can be told in range.
            let divisor = i128::from(per) * 1_000_000_000;
            if let (Some(left), Some(right)) = (sum.steps().checked_mul(divisor), amount.checked_mul(whole.steps())) {
                prop_assert!(2 * (left - right).abs() <= divisor);
            }
        }

        #[test]
        fn nothing_of_a_quantity_is_lost_and_nobody_pays_more_than_there_is(
            balances in prop::collection::vec((1_i64..50, 1_u32..20, 0_i64..200, any::<bool>()), 1..5), quantity in -100_i64..1_000,
        ) {
            let chain: Vec<_> = balances.iter().map(|(amount, per, available, soft)| {
                let rate = Rate { amount: Quantity::from_int(*amount), per: *per };
                (Metering { rate, counted: Quantity::ONE, booked: rate.cost(Quantity::ONE).unwrap(), soft: *soft }, Quantity::from_int(*available))
            }).collect();
            let quantity = Quantity::from_int(quantity);
            let plan = plan(&chain, quantity).unwrap();
            let sum = plan.shares.iter().try_fold(Quantity::ZERO, |sum, share| sum.checked_add(share.quantity)).unwrap();
            prop_assert_eq!(sum, quantity);
            for share in &plan.shares {
                let is_short = plan.short.is_some_and(|(place, _)| place == share.place);
                prop_assert!(share.amount <= chain[share.place].1 || is_short);
                prop_assert_eq!(share.amount, chain[share.place].0.price(share.quantity).unwrap());
            }
            prop_assert_eq!(plan.refused, plan.short.is_some() && balances.iter().all(|(.., soft)| !soft));
        }
    }
}
