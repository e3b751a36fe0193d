//! The plain model of one balance: every bit of money lies in one place, and what is shown is added up from there each time.

use weir_core::id::{BalanceId, EventId, HoldId, ReservationId};
use weir_core::ledger::{EntryKind, GrantSource};
use weir_core::period::Period;
use weir_core::time::{CivilDate, Timestamp, Zone};
use weir_engine::model::{CauseKind, GrantState, HoldState};

use crate::commands::{Recurring, Texts};
use crate::watch::{Movement, Watch};

/// An amount in steps of 10⁻⁹.
pub type Steps = i128;

pub const WHOLE: Steps = 1_000_000_000;
pub const DEFAULT_PRIORITY: u16 = 100;

/// Where money is. Numbers count the balance's holds and entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Free,
    Held(usize),
    Spent(usize),
    Expired,
}

/// Some money of a grant. The later it came where it is, the further down the list it stands.
#[derive(Clone, Debug)]
pub struct Part {
    pub grant: usize,
    pub amount: Steps,
    pub place: Place,
}

#[derive(Clone, Debug)]
pub struct Grant {
    /// The entry that it came in by.
    pub entry: usize,
    pub amount: Steps,
    pub priority: u16,
    pub expires_at: Option<Timestamp>,
    pub source: GrantSource,
}

impl Grant {
    pub fn is_past(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|date| date <= at)
    }
}

#[derive(Clone, Debug)]
pub struct Entry {
    pub kind: EntryKind,
    pub amount: Steps,
    pub after: Steps,
    pub at: Timestamp,
    pub cause: CauseKind,
    /// Which grants paid for it, or where its money went back to: none is debt that is no more.
    pub paid: Vec<(Option<usize>, Steps)>,
}

#[derive(Clone, Debug)]
pub struct Hold {
    /// Not known yet of a reservation's.
    pub id: Option<HoldId>,
    pub amount: Steps,
    pub state: HoldState,
    pub expires_at: Timestamp,
    pub reservation: Option<ReservationId>,
    /// How much was captured, and by which debit.
    pub captured: Option<(Steps, usize)>,
}

/// What a balance has paid for since its rate or meter was last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Era {
    pub meter: usize,
    pub amount: Steps,
    pub per: u32,
    pub counted: Steps,
}

impl Era {
    /// What so much of the meter costs in all, rounded half to even.
    pub fn price(&self, counted: Steps) -> Steps {
        let (whole, per) = (self.amount * counted, WHOLE * Steps::from(self.per));
        let (low, rest) = (whole.div_euclid(per), whole.rem_euclid(per));
        low + Steps::from(2 * rest > per || (2 * rest == per && low % 2 != 0))
    }

    /// What so much more costs.
    pub fn more(&self, quantity: Steps) -> Steps {
        self.price(self.counted + quantity) - self.price(self.counted)
    }
}

/// What a balance paid for an event.
#[derive(Clone, Debug)]
pub struct Payment {
    pub event: EventId,
    pub era: usize,
    pub quantity: Steps,
    pub entry: Option<usize>,
}

#[derive(Clone, Debug)]
pub struct Balance {
    pub id: BalanceId,
    pub customer: usize,
    pub name: usize,
    pub minimum: Steps,
    pub filters: Texts,
    pub priority: u16,
    pub soft: bool,
    pub recurring: Option<Recurring>,
    pub next_recurring: Option<Timestamp>,
    pub archived: bool,
    pub created: Timestamp,
    pub grants: Vec<Grant>,
    pub parts: Vec<Part>,
    pub entries: Vec<Entry>,
    pub holds: Vec<Hold>,
    /// Debits that are not paid in full: entry and what is owed, oldest first.
    pub owed: Vec<(usize, Steps)>,
    pub eras: Vec<Era>,
    /// The era that counts, where the balance is metered.
    pub era: Option<usize>,
    pub payments: Vec<Payment>,
    /// What is booked now is judged once it is all booked.
    pub together: bool,
    pub low: Watch,
    pub top_up: Watch,
}

impl Balance {
    pub fn current(&self) -> Steps {
        self.entries.last().map_or(0, |entry| entry.after)
    }

    pub fn held(&self) -> Steps {
        self.holds.iter().filter(|hold| hold.state == HoldState::Live).map(|hold| hold.amount).sum()
    }

    pub fn available(&self) -> Steps {
        self.current() - self.held() - self.minimum
    }

    pub fn of(&self, grant: usize, place: Place) -> Steps {
        self.parts.iter().filter(|part| part.grant == grant && part.place == place).map(|part| part.amount).sum()
    }

    fn sum(&self, grant: usize, wanted: impl Fn(Place) -> bool) -> Steps {
        self.parts.iter().filter(|part| part.grant == grant && wanted(part.place)).map(|part| part.amount).sum()
    }

    pub fn reserved_of(&self, grant: usize) -> Steps {
        self.sum(grant, |place| matches!(place, Place::Held(_)))
    }

    pub fn left_of(&self, grant: usize) -> Steps {
        self.of(grant, Place::Free) + self.reserved_of(grant)
    }

    pub fn state_of(&self, grant: usize) -> GrantState {
        match (self.left_of(grant), self.of(grant, Place::Expired)) {
            (1.., _) => GrantState::Live,
            (_, 1..) => GrantState::Expired,
            _ => GrantState::Spent,
        }
    }

    /// Grants in the order in which they are spent.
    pub fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.grants.len()).collect();
        let last = Timestamp::from_micros(i64::MAX);
        order.sort_by_key(|grant| {
            let terms = &self.grants[*grant];
            (terms.priority, terms.expires_at.unwrap_or(last), *grant)
        });
        order
    }

    /// Moves money of a grant, as much as is there, and says how much.
    pub fn shift(&mut self, grant: usize, from: Place, to: Place, most: Steps) -> Steps {
        let mut moved = 0;
        for part in self.parts.iter_mut().rev().filter(|part| part.grant == grant && part.place == from) {
            let taken = part.amount.min(most - moved);
            part.amount -= taken;
            moved += taken;
        }
        self.parts.retain(|part| part.amount > 0);
        if moved > 0 {
            self.parts.push(Part { grant, amount: moved, place: to });
            if let Place::Spent(entry) = to {
                self.entries[entry].paid.push((Some(grant), moved));
            }
        }
        moved
    }

    /// Moves money of all grants in the order in which they are spent, and says how much was missing.
    fn shift_all(&mut self, from: Place, to: Place, amount: Steps) -> Steps {
        let order = self.order();
        order.into_iter().fold(amount, |rest, grant| rest - self.shift(grant, from, to, rest))
    }

    pub fn book(&mut self, kind: EntryKind, amount: Steps, at: Timestamp, cause: CauseKind) -> usize {
        let signed = match kind {
            EntryKind::Credit | EntryKind::Adjustment => amount,
            EntryKind::Debit | EntryKind::Expiry => -amount,
        };
        let after = self.current() + signed;
        self.entries.push(Entry { kind, amount, after, at, cause, paid: Vec::new() });
        if !self.together {
            self.judge(match (signed > 0, cause) {
                (false, _) => Movement::Spent,
                (true, CauseKind::Void) => Movement::GivenBack,
                (true, _) => Movement::Credited,
            });
        }
        self.entries.len() - 1
    }

    pub fn judge(&mut self, movement: Movement) {
        let current = self.current();
        for watch in [&mut self.low, &mut self.top_up] {
            watch.judge(current, movement);
        }
    }

    /// Money that comes in, and pays debt.
    pub fn income(&mut self, entry: usize, amount: Steps, terms: (u16, Option<Timestamp>, GrantSource)) {
        self.add(entry, amount, terms);
        self.pay_debt();
    }

    /// Money that comes in.
    pub fn add(&mut self, entry: usize, amount: Steps, terms: (u16, Option<Timestamp>, GrantSource)) {
        let (priority, expires_at, source) = terms;
        self.grants.push(Grant { entry, amount, priority, expires_at, source });
        self.parts.push(Part { grant: self.grants.len() - 1, amount, place: Place::Free });
    }

    /// Money that goes, from what is free; the rest is owed.
    pub fn spend(&mut self, entry: usize, amount: Steps) {
        let rest = self.shift_all(Place::Free, Place::Spent(entry), amount);
        if rest > 0 {
            self.owed.push((entry, rest));
        }
    }

    fn pay_debt(&mut self) {
        for number in 0..self.owed.len() {
            let (entry, amount) = self.owed[number];
            self.owed[number].1 = self.shift_all(Place::Free, Place::Spent(entry), amount);
        }
        self.owed.retain(|(_, amount)| *amount > 0);
    }

    /// Books what is free of a grant as expired.
    fn expire(&mut self, grant: usize, at: Timestamp) {
        let amount = self.of(grant, Place::Free);
        if amount > 0 {
            let entry = self.book(EntryKind::Expiry, amount, at, CauseKind::Expiry);
            self.shift(grant, Place::Free, Place::Expired, amount);
            self.entries[entry].paid.push((Some(grant), amount));
        }
    }

    /// Of money that is free anew: what is past its date expires, the rest pays debt.
    pub fn settle_freed(&mut self, grants: &[usize], at: Timestamp) {
        self.expire_freed(grants, at);
        self.pay_debt();
    }

    fn expire_freed(&mut self, grants: &[usize], at: Timestamp) {
        for grant in self.order() {
            if grants.contains(&grant) && self.grants[grant].is_past(at) {
                self.expire(grant, at);
            }
        }
    }

    pub fn make_hold(&mut self, amount: Steps, expires_at: Timestamp, reservation: Option<ReservationId>) -> usize {
        let number = self.holds.len();
        let state = HoldState::Live;
        self.holds.push(Hold { id: None, amount, state, expires_at, reservation, captured: None });
        self.shift_all(Place::Free, Place::Held(number), amount);
        number
    }

    pub fn end_hold(&mut self, hold: usize, state: HoldState, at: Timestamp) {
        let grants = self.free_hold(hold, state);
        self.settle_freed(&grants, at);
    }

    /// Frees what a hold reserves, and says of which grants.
    pub fn free_hold(&mut self, hold: usize, state: HoldState) -> Vec<usize> {
        self.holds[hold].state = state;
        let mut grants = Vec::new();
        for grant in 0..self.grants.len() {
            if self.shift(grant, Place::Held(hold), Place::Free, Steps::MAX) > 0 {
                grants.push(grant);
            }
        }
        grants
    }

    pub fn capture(&mut self, hold: usize, amount: Steps, at: Timestamp, cause: CauseKind) -> usize {
        let entry = self.book(EntryKind::Debit, amount, at, cause);
        let rest = self.shift_all(Place::Held(hold), Place::Spent(entry), amount);
        self.holds[hold].captured = Some((amount, entry));
        self.spend(entry, rest);
        self.end_hold(hold, HoldState::Captured, at);
        entry
    }

    /// Gives back what a debit took: to debt first, then to the grants, the last spent first.
    pub fn give_back(&mut self, debit: Option<usize>, amount: Steps, at: Timestamp) -> usize {
        let entry = self.book(EntryKind::Adjustment, amount, at, CauseKind::Void);
        let mut rest = amount;
        let mut grants = Vec::new();
        if let Some(debit) = debit {
            for (_, owed) in self.owed.iter_mut().filter(|(one, _)| *one == debit) {
                let taken = rest.min(*owed);
                *owed -= taken;
                rest -= taken;
                self.entries[entry].paid.push((None, taken));
            }
            self.owed.retain(|(_, owed)| *owed > 0);
            while rest > 0
                && let Some(grant) =
                    self.parts.iter().rev().find(|part| part.place == Place::Spent(debit)).map(|part| part.grant)
            {
                let last = self.parts.iter().rposition(|part| part.place == Place::Spent(debit)).expect("the part");
                let back = self.parts[last].amount.min(rest);
                self.parts[last].amount -= back;
                self.parts.retain(|part| part.amount > 0);
                self.parts.push(Part { grant, amount: back, place: Place::Free });
                self.entries[entry].paid.push((Some(grant), back));
                grants.push(grant);
                rest -= back;
            }
        }
        self.expire_freed(&grants, at);
        match rest {
            // What no grant has paid, through rounding, is new money.
            1.. => self.income(entry, rest, (DEFAULT_PRIORITY, None, GrantSource::Paid)),
            _ => self.pay_debt(),
        }
        entry
    }

    /// The next instant at which something happens by itself.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.archived {
            return None;
        }
        let holds = self.holds.iter().filter(|hold| hold.state == HoldState::Live).map(|hold| hold.expires_at);
        let grants = (0..self.grants.len()).filter(|grant| self.of(*grant, Place::Free) > 0);
        let dates = grants.filter_map(|grant| self.grants[grant].expires_at);
        holds.chain(dates).chain(self.next_recurring).min()
    }

    /// What happens by itself up to an instant.
    pub fn advance(&mut self, now: Timestamp, zone: Zone, anchor: CivilDate) {
        while let Some(at) = self.next_due().filter(|at| *at <= now) {
            // What expires as a recurring credit comes is judged with it.
            self.together = self.next_recurring == Some(at);
            let mut movement = Movement::Spent;
            for hold in 0..self.holds.len() {
                if self.holds[hold].state == HoldState::Live && self.holds[hold].expires_at <= at {
                    self.free_hold(hold, HoldState::Expired);
                }
            }
            // What several holds free of a grant past its date expires at once, and in one, with the rest of it.
            let all: Vec<usize> = (0..self.grants.len()).collect();
            self.settle_freed(&all, at);
            if let (Some(recurring), Some(due)) = (self.recurring.clone(), self.next_recurring)
                && due <= at
            {
                let next = recurring.period.window(zone, anchor, due).end;
                let amount = if recurring.up_to { recurring.amount - self.current() } else { recurring.amount };
                if amount > 0 {
                    let entry = self.book(EntryKind::Credit, amount, due, CauseKind::Recurring);
                    let ends = next.filter(|_| recurring.expires);
                    self.income(entry, amount, (recurring.priority, ends, recurring.source));
                    movement = Movement::Credited;
                }
                self.next_recurring = next;
            }
            if std::mem::take(&mut self.together) {
                self.judge(movement);
            }
        }
    }

    /// Cuts the windows of the recurring credit anew.
    pub fn recut(&mut self, now: Timestamp, zone: Zone, anchor: CivilDate) {
        let period: Option<Period> = self.recurring.as_ref().map(|recurring| recurring.period);
        self.next_recurring = period.and_then(|period| period.window(zone, anchor, now).end);
    }

    /// When a grant expires next, and what is left of all that expire then.
    pub fn next_expiry(&self, now: Timestamp) -> Option<(Timestamp, Steps)> {
        let dates = (0..self.grants.len()).filter(|grant| self.left_of(*grant) > 0);
        let dates: Vec<_> = dates.filter_map(|grant| Some((self.grants[grant].expires_at?, grant))).collect();
        let at = dates.iter().map(|(at, _)| *at).filter(|at| *at > now).min()?;
        Some((at, dates.iter().filter(|(date, _)| *date == at).map(|(_, grant)| self.left_of(*grant)).sum()))
    }

    /// Which grants paid for an entry, or got back its money, and what is owed of it.
    pub fn paid_by(&self, entry: usize) -> Vec<(Option<usize>, Steps)> {
        let mut paid: Vec<(Option<usize>, Steps)> = Vec::new();
        let owed = self.owed.iter().filter(|(one, _)| *one == entry).map(|(_, amount)| (None, *amount));
        for (grant, amount) in self.entries[entry].paid.iter().copied().chain(owed) {
            match paid.iter_mut().find(|(one, _)| *one == grant) {
                Some((_, sum)) => *sum += amount,
                None => paid.push((grant, amount)),
            }
        }
        paid.sort_unstable();
        paid
    }

    /// From when on the speed of spending is told, and how much was spent since.
    pub fn burn(&self, now: Timestamp) -> (Timestamp, Steps) {
        const DAY: i64 = 86_400_000_000;
        let week = Timestamp::from_micros(now.as_micros() - now.as_micros().rem_euclid(DAY) - 6 * DAY);
        let from = week.max(self.created);
        let since = self.entries.iter().filter(|entry| entry.at >= from);
        let spent: Steps = since
            .map(|entry| match (entry.kind, entry.cause) {
                (EntryKind::Debit, _) => entry.amount,
                (EntryKind::Adjustment, CauseKind::Void | CauseKind::Event) => -entry.amount,
                _ => 0,
            })
            .sum();
        (from, spent.max(0))
    }

    /// Nothing is made or lost: what is left of all grants, less all debt, is the balance; free money stands beside no debt.
    pub fn audit(&self) {
        let left: Steps = (0..self.grants.len()).map(|grant| self.left_of(grant)).sum();
        let owed: Steps = self.owed.iter().map(|(_, amount)| amount).sum();
        assert_eq!(left - owed, self.current(), "the model's own money");
        let free: Steps = (0..self.grants.len()).map(|grant| self.of(grant, Place::Free)).sum();
        assert!(free == 0 || owed == 0, "the model's free money beside debt");
    }
}
