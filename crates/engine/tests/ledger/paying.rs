//! The plain model of all balances together: who pays for an event, who is given back.

use weir_core::id::{EventId, ReservationId};
use weir_core::ledger::{EntryKind, GrantSource};
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::model::{CauseKind, HoldState, ReservationState};

use crate::commands::{Sketch, Texts, regions};
use crate::plain::{Balance, DEFAULT_PRIORITY, Payment, Steps, WHOLE};

/// Meters by number: tokens, events, and the units of calls.
pub const METERS: usize = 3;

/// What an event is paid by.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    pub who: usize,
    /// By meter; none where it does not count.
    pub quantities: [Option<Steps>; METERS],
    pub dimensions: Texts,
}

impl Use {
    pub fn of(sketch: &Sketch) -> Self {
        let units = sketch.units.filter(|_| sketch.call);
        Use { who: sketch.who, quantities: [sketch.tokens, Some(WHOLE), units], dimensions: regions(sketch.eu) }
    }
}

#[derive(Clone, Debug)]
pub struct Happened {
    pub id: EventId,
    pub voided: bool,
}

#[derive(Clone, Debug)]
pub struct Reservation {
    pub id: ReservationId,
    pub sketch: Sketch,
    pub state: ReservationState,
    pub expires_at: Timestamp,
    /// Balance and hold.
    pub holds: Vec<(usize, usize)>,
}

#[derive(Clone, Debug)]
pub struct Plain {
    pub balances: Vec<Balance>,
    /// Zone and billing cycle by customer.
    pub owners: Vec<(Zone, CivilDate)>,
    pub events: Vec<Happened>,
    pub reservations: Vec<Reservation>,
}

/// What one balance is to pay for, and whether it is more than it has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    pub balance: usize,
    pub quantity: Steps,
    pub amount: Steps,
    pub forced: bool,
}

/// What a chain is to pay.
#[derive(Clone, Debug)]
pub struct Plan {
    pub chain: Vec<usize>,
    pub shares: Vec<Share>,
    /// It cannot pay all, and none of it may owe.
    pub refuses: bool,
}

impl Plan {
    pub fn is_forced(&self) -> bool {
        self.shares.iter().any(|share| share.forced)
    }
}

impl Plain {
    /// What happens by itself up to now.
    pub fn advance(&mut self, now: Timestamp) {
        for balance in &mut self.balances {
            let (zone, anchor) = self.owners[balance.customer];
            balance.advance(now, zone, anchor);
        }
        for reservation in &mut self.reservations {
            if reservation.state == ReservationState::Live && reservation.expires_at <= now {
                reservation.state = ReservationState::Expired;
            }
        }
    }

    /// The live balance of this name.
    pub fn named(&self, who: usize, name: usize) -> Option<usize> {
        self.balances.iter().position(|one| one.customer == who && one.name == name && !one.archived)
    }

    /// The balances that pay for a meter, in order.
    fn chain(&self, usage: &Use, meter: usize) -> Vec<usize> {
        let pays = |balance: &Balance| {
            let filters = balance.filters.iter().all(|(name, value)| usage.dimensions.get(name) == Some(value));
            let metered = balance.era.is_some_and(|era| balance.eras[era].meter == meter);
            balance.customer == usage.who && !balance.archived && metered && filters
        };
        let mut chain: Vec<usize> = (0..self.balances.len()).filter(|index| pays(&self.balances[*index])).collect();
        chain.sort_by_key(|index| (self.balances[*index].priority, *index));
        chain
    }

    /// What each chain would pay for an event, where a balance has so much more than is free: what is held for this very event.
    pub fn plans(&self, usage: &Use, own: &[(usize, usize)]) -> Vec<Plan> {
        let mut plans = Vec::new();
        for meter in 0..METERS {
            let chain = self.chain(usage, meter);
            let Some(quantity) = usage.quantities[meter].filter(|_| !chain.is_empty()) else { continue };
            plans.push(match quantity {
                1.. => self.plan(chain, quantity, own),
                _ => self.correction(chain, -quantity),
            });
        }
        plans
    }

    fn plan(&self, chain: Vec<usize>, quantity: Steps, own: &[(usize, usize)]) -> Plan {
        let mut rest = quantity;
        let mut shares: Vec<Share> = Vec::new();
        for index in &chain {
            let balance = &self.balances[*index];
            let held: Steps =
                own.iter().filter(|(one, _)| one == index).map(|(_, hold)| balance.holds[*hold].amount).sum();
            let most = balance.available() + held;
            let era = &balance.eras[balance.era.expect("metered")];
            // The largest quantity that costs no more than that; where nothing is there, nothing.
            let (mut low, mut high) = (0, if most > 0 { rest } else { 0 });
            while low < high {
                let middle = (low + high + 1) / 2;
                if era.more(middle) <= most {
                    low = middle;
                } else {
                    high = middle - 1;
                }
            }
            shares.push(Share { balance: *index, quantity: low, amount: era.more(low), forced: false });
            rest -= low;
        }
        let soft = chain.iter().rposition(|index| self.balances[*index].soft);
        if rest > 0 {
            let taker = soft.unwrap_or(chain.len() - 1);
            let balance = &self.balances[chain[taker]];
            let quantity = shares[taker].quantity + rest;
            let amount = balance.eras[balance.era.expect("metered")].more(quantity);
            // What costs nothing needs nobody to have anything.
            shares[taker] = Share { balance: chain[taker], quantity, amount, forced: amount > 0 };
        }
        let refuses = soft.is_none() && shares.iter().any(|share| share.forced);
        Plan { chain, shares, refuses }
    }

    /// So much less: from the last to the first, each up to what it has counted; the rest to the first.
    fn correction(&self, chain: Vec<usize>, quantity: Steps) -> Plan {
        let mut rest = quantity;
        let mut shares = Vec::new();
        for index in chain.iter().rev() {
            let balance = &self.balances[*index];
            let era = &balance.eras[balance.era.expect("metered")];
            let back = if *index == chain[0] { rest } else { rest.min(era.counted.max(0)) };
            rest -= back;
            shares.push(Share { balance: *index, quantity: -back, amount: era.more(-back), forced: false });
        }
        shares.reverse();
        Plan { chain, shares, refuses: false }
    }

    /// Books what an event costs; what is held for it is captured.
    pub fn pay(&mut self, plans: &[Plan], event: EventId, own: &[(usize, usize)], now: Timestamp) {
        let mut left: Vec<(usize, usize)> = own.to_vec();
        for share in plans.iter().flat_map(|plan| &plan.shares).filter(|share| share.quantity != 0) {
            let balance = &mut self.balances[share.balance];
            let held = left.iter().position(|(one, _)| *one == share.balance);
            let entry = match (share.amount, held) {
                (1.., Some(held)) => {
                    let (_, hold) = left.remove(held);
                    Some(balance.capture(hold, share.amount, now, CauseKind::Event))
                }
                (1.., None) => {
                    let entry = balance.book(EntryKind::Debit, share.amount, now, CauseKind::Event);
                    balance.spend(entry, share.amount);
                    Some(entry)
                }
                (0, _) => None,
                (back, held) => {
                    let entry = balance.book(EntryKind::Adjustment, -back, now, CauseKind::Event);
                    balance.add(entry, -back, (DEFAULT_PRIORITY, None, GrantSource::Paid));
                    // What was held for the event is free by then, and pays debt in its turn.
                    let freed = held.map(|held| balance.free_hold(left.remove(held).1, HoldState::Released));
                    balance.settle_freed(&freed.unwrap_or_default(), now);
                    Some(entry)
                }
            };
            let era = balance.era.expect("metered");
            balance.eras[era].counted += share.quantity;
            balance.payments.push(Payment { event, era, quantity: share.quantity, entry });
        }
        for (balance, hold) in left {
            self.balances[balance].end_hold(hold, HoldState::Released, now);
        }
    }

    pub fn void(&mut self, event: EventId, now: Timestamp) {
        for balance in self.balances.iter_mut().filter(|balance| !balance.archived) {
            for payment in balance.payments.iter().filter(|one| one.event == event).cloned().collect::<Vec<_>>() {
                let era = &mut balance.eras[payment.era];
                let amount = era.more(-payment.quantity);
                era.counted -= payment.quantity;
                match amount {
                    0 => {}
                    1.. => {
                        let entry = balance.book(EntryKind::Debit, amount, now, CauseKind::Void);
                        balance.spend(entry, amount);
                    }
                    _ => {
                        balance.give_back(payment.entry, -amount, now);
                    }
                }
            }
        }
    }
}
