//! A balance as what it is made of: grants, debt and holds.

use super::{BOUND, EntryKind, Journal, Level, Movement, Part, Posting, RecurringMode, Terms, Watch, Why};
use crate::period::Period;
use crate::quantity::Quantity;
use crate::time::{CivilDate, Timestamp, Zone};

/// Money that came in, and what is left of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The number of its entry.
    pub entry: i64,
    /// What it is spent by.
    pub terms: Terms,
    /// What is left of it.
    pub left: Quantity,
    /// What of that holds reserve.
    pub held: Quantity,
}

impl Grant {
    /// In which order grants are spent.
    fn rank(&self) -> (u16, bool, Option<Timestamp>, i64) {
        (self.terms.priority, self.terms.expires_at.is_none(), self.terms.expires_at, self.entry)
    }

    fn free(&self) -> Quantity {
        minus(self.left, self.held)
    }

    fn is_past(&self, now: Timestamp) -> bool {
        self.terms.expires_at.is_some_and(|date| date <= now)
    }
}

/// An entry that nothing has paid for yet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Debt {
    /// The number of the entry.
    pub entry: i64,
    /// How much is owed.
    pub left: Quantity,
}

/// Where money that is given back goes, and how much of it at most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Back {
    /// To a grant, which may be gone.
    Grant(i64, Terms, Quantity),
    /// Off what is owed of an entry.
    Debt(i64, Quantity),
}

/// An amount that is set aside.
#[derive(Clone, Debug, PartialEq)]
pub struct Hold {
    /// Its number.
    pub number: i64,
    /// How much.
    pub amount: Quantity,
    /// What of it is reserved from which grant, in the order in which they are spent; the rest would be debt.
    pub parts: Vec<(i64, Quantity)>,
    /// From this instant on it holds nothing.
    pub expires_at: Timestamp,
}

/// What is credited at the start of every window.
#[derive(Clone, Debug, PartialEq)]
pub struct Recurring {
    /// How much, above zero.
    pub amount: Quantity,
    /// Whether that is added, or what is missing up to it.
    pub mode: RecurringMode,
    /// How often.
    pub period: Period,
    /// Whether each credit ends with its window.
    pub expires: bool,
    /// What each is spent by, but for its date.
    pub terms: Terms,
    /// The next one comes with the window after the one that this lies in.
    pub since: Timestamp,
    /// In which zone and from which date windows are cut.
    pub cut: (Zone, CivilDate),
}

impl Recurring {
    /// When the next one comes.
    pub fn next(&self) -> Option<Timestamp> {
        let (zone, anchor) = self.cut;
        self.period.window(zone, anchor, self.since).end
    }
}

/// A balance.
#[derive(Clone, Debug, PartialEq)]
pub struct Account {
    /// Its number.
    pub key: i64,
    /// What it is: credits + adjustments - debits - expiries; also what is left of all grants, less all debt.
    pub current: Quantity,
    /// What must stay.
    pub minimum: Quantity,
    /// Grants of which something is left, in the order in which they are spent.
    pub grants: Vec<Grant>,
    /// What is owed, oldest first.
    pub debts: Vec<Debt>,
    /// Live holds, oldest first.
    pub holds: Vec<Hold>,
    /// What is credited in every period.
    pub recurring: Option<Recurring>,
    /// The low-balance threshold, and what was told.
    pub low: (Option<Quantity>, Watch),
    /// The one at which a top-up is wanted.
    pub top_up: (Option<Quantity>, Watch),
}

impl Account {
    /// A balance with nothing in it.
    pub fn new(key: i64, minimum: Quantity) -> Self {
        Account {
            key,
            current: Quantity::ZERO,
            minimum,
            grants: Vec::new(),
            debts: Vec::new(),
            holds: Vec::new(),
            recurring: None,
            low: (None, Watch::default()),
            top_up: (None, Watch::default()),
        }
    }

    /// What live holds set aside.
    pub fn held(&self) -> Quantity {
        self.holds.iter().fold(Quantity::ZERO, |sum, hold| plus(sum, hold.amount))
    }

    /// What may be spent: below zero where it is below its minimum.
    pub fn available(&self) -> Quantity {
        minus(minus(self.current, self.held()), self.minimum)
    }

    /// Whether an amount may come in without passing what can be kept.
    pub fn has_room_for(&self, amount: Quantity) -> bool {
        plus(self.current, amount) < BOUND
    }

    /// When something happens by itself next.
    pub fn due(&self) -> Option<Timestamp> {
        let holds = self.holds.iter().map(|hold| hold.expires_at).min();
        let grants = self.grants.iter().filter(|grant| grant.free().is_positive());
        let dates = grants.filter_map(|grant| grant.terms.expires_at).min();
        let recurring = self.recurring.as_ref().and_then(Recurring::next);
        [holds, dates, recurring].into_iter().flatten().min()
    }

    /// Does what has come due, each thing at its own instant: holds end, then grants expire, then the recurring credit comes.
    pub fn advance(&mut self, now: Timestamp, journal: &mut Journal) {
        while let Some(at) = self.due().filter(|at| *at <= now) {
            let (over, live) = std::mem::take(&mut self.holds).into_iter().partition(|hold| hold.expires_at <= at);
            self.holds = live;
            for hold in &over {
                journal.push(self.key, Movement::Expired { hold: hold.number, at: hold.expires_at });
                self.unpin(&hold.parts);
            }
            // What expires as the next credit comes is no fall: both are judged as one.
            let credit = self.recurring.as_ref().is_some_and(|recurring| recurring.next() == Some(at));
            self.lapse(at, !credit, journal);
            if let Some(recurring) = self.recurring.as_mut().filter(|_| credit) {
                recurring.since = at;
                let recurring = recurring.clone();
                let missing = minus(recurring.amount, self.current);
                let wanted = if recurring.mode == RecurringMode::UpTo { missing } else { recurring.amount };
                // No balance grows beyond what can be kept.
                let room = minus(minus(BOUND, Quantity::from_steps(1)), self.current);
                let amount = wanted.min(room);
                if amount.is_positive() {
                    let expires_at = if recurring.expires { recurring.next() } else { None };
                    let terms = Terms { expires_at, ..recurring.terms };
                    self.receive(EntryKind::Credit, amount, terms, Why::Recurring, at, journal);
                } else {
                    self.judge(Level::Low, false, at, journal);
                    self.judge(Level::TopUp, false, at, journal);
                }
            }
        }
    }

    /// Money comes in as a grant, and pays what is owed first. The number of the entry.
    pub fn credit(&mut self, amount: Quantity, terms: Terms, at: Timestamp, journal: &mut Journal) -> i64 {
        self.receive(EntryKind::Credit, amount, terms, Why::Asked, at, journal)
    }

    /// Money is spent, from reserved parts of grants first. Whether it is available, the caller has asked. The number of the entry.
    pub fn debit(
        &mut self,
        amount: Quantity,
        reserved: &[(i64, Quantity)],
        at: Timestamp,
        journal: &mut Journal,
    ) -> i64 {
        self.spend(EntryKind::Debit, amount, reserved, at, journal)
    }

    /// A correction, up or down. The number of the entry.
    pub fn adjust(&mut self, amount: Quantity, at: Timestamp, journal: &mut Journal) -> i64 {
        if amount.is_negative() {
            return self.spend(EntryKind::Adjustment, amount, &[], at, journal);
        }
        self.receive(EntryKind::Adjustment, amount, Terms::PLAIN, Why::Asked, at, journal)
    }

    /// Gives back what an entry took: an amount, to where it came from, the first first. The number of the entry.
    pub fn give_back(&mut self, amount: Quantity, to: &[Back], at: Timestamp, journal: &mut Journal) -> i64 {
        let (seq, mut rest, mut given) = (journal.number(), amount, Vec::new());
        for back in to {
            let part = rest.min(match back {
                Back::Grant(.., most) | Back::Debt(_, most) => *most,
            });
            if !part.is_positive() {
                continue;
            }
            match back {
                Back::Grant(grant, terms, _) => {
                    self.put(*grant, *terms, part, journal);
                    given.push(Part(Some(*grant), part));
                }
                Back::Debt(debit, _) => {
                    self.owe_less(*debit, part, journal);
                    given.push(Part(None, part));
                }
            }
            rest = minus(rest, part);
        }
        // What is given back beyond what was taken, by a step that was rounded, is money of its own.
        let grant = rest.is_positive().then_some((Terms::PLAIN, rest));
        self.current = plus(self.current, amount);
        self.post(seq, EntryKind::Adjustment, amount, given, grant, Why::Asked, at, false, journal);
        if grant.is_some() {
            self.put(seq, Terms::PLAIN, rest, journal);
        }
        self.come_free(at, journal);
        seq
    }

    /// Sets an amount aside. Whether it is available, the caller has asked.
    pub fn hold(&mut self, number: i64, amount: Quantity, expires_at: Timestamp) {
        let (mut rest, mut parts) = (amount, Vec::new());
        for grant in &mut self.grants {
            let part = rest.min(grant.free());
            if part.is_positive() {
                grant.held = plus(grant.held, part);
                parts.push((grant.entry, part));
                rest = minus(rest, part);
            }
        }
        self.holds.push(Hold { number, amount, parts, expires_at });
    }

    /// A live hold.
    pub fn find_hold(&self, number: i64) -> Option<&Hold> {
        self.holds.iter().find(|hold| hold.number == number)
    }

    /// Books what a hold came to and ends it. Whether more than was held is available, the caller has asked. The number of the entry.
    pub fn capture(&mut self, number: i64, amount: Quantity, at: Timestamp, journal: &mut Journal) -> Option<i64> {
        let parts = self.take_hold(number)?;
        Some(self.spend(EntryKind::Debit, amount, &parts, at, journal))
    }

    /// Ends a hold, and frees what it reserved.
    pub fn release(&mut self, number: i64, at: Timestamp, journal: &mut Journal) {
        if self.take_hold(number).is_some() {
            self.come_free(at, journal);
        }
    }

    /// Ends a hold, and answers what it had reserved: to be spent, before anything else happens.
    pub fn take_hold(&mut self, number: i64) -> Option<Vec<(i64, Quantity)>> {
        let place = self.holds.iter().position(|hold| hold.number == number)?;
        let hold = self.holds.remove(place);
        self.unpin(&hold.parts);
        Some(hold.parts)
    }

    /// Lets a hold last longer.
    pub fn extend(&mut self, number: i64, until: Timestamp) {
        if let Some(hold) = self.holds.iter_mut().find(|hold| hold.number == number) {
            hold.expires_at = hold.expires_at.max(until);
        }
    }

    /// After money was set free by [`Account::take_hold`] and not spent.
    pub fn settle(&mut self, at: Timestamp, journal: &mut Journal) {
        self.come_free(at, journal);
    }

    /// Lets free money of grants past their date expire, and other free money pay what is owed.
    fn come_free(&mut self, at: Timestamp, journal: &mut Journal) {
        self.lapse(at, true, journal);
    }

    fn lapse(&mut self, at: Timestamp, is_judged: bool, journal: &mut Journal) {
        while let Some(grant) = self.grants.iter_mut().find(|grant| grant.is_past(at) && grant.free().is_positive()) {
            let (entry, amount) = (grant.entry, grant.free());
            grant.left = grant.held;
            journal.push(self.key, Movement::GrantLeft(entry, grant.left));
            self.current = minus(self.current, amount);
            let (seq, parts) = (journal.number(), vec![Part(Some(entry), amount)]);
            self.write(seq, EntryKind::Expiry, amount, parts, None, Why::Expiry, at, journal);
            if is_judged {
                self.judge(Level::Low, false, at, journal);
                self.judge(Level::TopUp, false, at, journal);
            }
        }
        self.forget_spent();
        self.repay(at, journal);
    }

    /// Another level, or none.
    pub fn watch(&mut self, level: Level, value: Option<Quantity>, at: Timestamp, journal: &mut Journal) {
        let (key, current) = (self.key, self.current);
        let (known, watch) = self.level_mut(level);
        if *known == value {
            return;
        }
        *known = value;
        if let Some(told) = watch.rearm() {
            let count = watch.count;
            journal.push(key, Movement::Told { level, told, count, current, at });
        }
        self.judge(level, false, at, journal);
    }

    /// The balance is put away: what was told is over.
    pub fn stop_watching(&mut self, at: Timestamp, journal: &mut Journal) {
        let (key, current) = (self.key, self.current);
        for level in [Level::Low, Level::TopUp] {
            let (_, watch) = self.level_mut(level);
            if let Some(told) = watch.put_away() {
                let count = watch.count;
                journal.push(key, Movement::Told { level, told, count, current, at });
            }
        }
    }

    /// The balance is back: where it is low now is told anew.
    pub fn watch_again(&mut self, at: Timestamp, journal: &mut Journal) {
        self.judge(Level::Low, false, at, journal);
        self.judge(Level::TopUp, false, at, journal);
    }

    /// A level of a balance that has just been created: it is not told before the balance has once been above it.
    pub fn start_watching(&mut self, level: Level, value: Option<Quantity>) {
        let current = self.current;
        let (known, watch) = self.level_mut(level);
        *known = value;
        watch.armed = value.is_some_and(|value| current > value);
    }

    fn level_mut(&mut self, level: Level) -> (&mut Option<Quantity>, &mut Watch) {
        let (value, watch) = match level {
            Level::Low => &mut self.low,
            Level::TopUp => &mut self.top_up,
        };
        (value, watch)
    }

    fn judge(&mut self, level: Level, credited: bool, at: Timestamp, journal: &mut Journal) {
        let (key, current) = (self.key, self.current);
        let (value, watch) = self.level_mut(level);
        let Some(value) = *value else { return };
        if let Some(told) = watch.judge(current <= value, credited) {
            let count = watch.count;
            journal.push(key, Movement::Told { level, told, count, current, at });
        }
    }

    /// Writes an entry, once `current` and the grants are what they are after it, and judges the levels.
    #[expect(clippy::too_many_arguments, reason = "the fields of an entry")]
    fn post(
        &mut self,
        seq: i64,
        kind: EntryKind,
        amount: Quantity,
        parts: Vec<Part>,
        grant: Option<(Terms, Quantity)>,
        why: Why,
        at: Timestamp,
        credited: bool,
        journal: &mut Journal,
    ) {
        self.write(seq, kind, amount, parts, grant, why, at, journal);
        self.judge(Level::Low, credited, at, journal);
        self.judge(Level::TopUp, credited, at, journal);
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of an entry")]
    fn write(
        &self,
        seq: i64,
        kind: EntryKind,
        amount: Quantity,
        parts: Vec<Part>,
        grant: Option<(Terms, Quantity)>,
        why: Why,
        at: Timestamp,
        journal: &mut Journal,
    ) {
        let after = self.current;
        journal.push(self.key, Movement::Posted(Posting { seq, kind, amount, after, at, parts, grant, why }));
    }

    fn receive(
        &mut self,
        kind: EntryKind,
        amount: Quantity,
        terms: Terms,
        why: Why,
        at: Timestamp,
        journal: &mut Journal,
    ) -> i64 {
        let seq = journal.number();
        self.current = plus(self.current, amount);
        self.post(seq, kind, amount, Vec::new(), Some((terms, amount)), why, at, true, journal);
        self.put(seq, terms, amount, journal);
        self.come_free(at, journal);
        seq
    }

    /// `amount` is below zero for a correction down.
    fn spend(
        &mut self,
        kind: EntryKind,
        amount: Quantity,
        reserved: &[(i64, Quantity)],
        at: Timestamp,
        journal: &mut Journal,
    ) -> i64 {
        let (seq, key) = (journal.number(), self.key);
        let magnitude = if amount.is_negative() { minus(Quantity::ZERO, amount) } else { amount };
        let (mut rest, mut parts) = (magnitude, Vec::<Part>::new());
        let mut take = |grant: &mut Grant, most: Quantity, rest: &mut Quantity| {
            let part = (*rest).min(most);
            if !part.is_positive() {
                return;
            }
            grant.left = minus(grant.left, part);
            *rest = minus(*rest, part);
            match parts.iter_mut().find(|Part(known, _)| *known == Some(grant.entry)) {
                Some(Part(_, amount)) => *amount = plus(*amount, part),
                None => parts.push(Part(Some(grant.entry), part)),
            }
            journal.push(key, Movement::GrantLeft(grant.entry, grant.left));
        };
        for (entry, most) in reserved {
            if let Some(grant) = self.grants.iter_mut().find(|grant| grant.entry == *entry) {
                take(grant, *most, &mut rest);
            }
        }
        for grant in self.grants.iter_mut().filter(|grant| !grant.is_past(at)) {
            let free = grant.free();
            take(grant, free, &mut rest);
        }
        if rest.is_positive() {
            parts.push(Part(None, rest));
            self.debts.push(Debt { entry: seq, left: rest });
            journal.push(key, Movement::DebtLeft(seq, rest));
        }
        self.forget_spent();
        self.current = minus(self.current, magnitude);
        self.post(seq, kind, amount, parts, None, Why::Asked, at, false, journal);
        // What a hold had reserved and did not come to is free again.
        self.come_free(at, journal);
        seq
    }

    /// Puts money into a grant, which may be gone.
    fn put(&mut self, entry: i64, terms: Terms, amount: Quantity, journal: &mut Journal) {
        let place = match self.grants.iter().position(|grant| grant.entry == entry) {
            Some(place) => place,
            None => {
                let grant = Grant { entry, terms, left: Quantity::ZERO, held: Quantity::ZERO };
                let place = self.grants.partition_point(|other| other.rank() < grant.rank());
                self.grants.insert(place, grant);
                place
            }
        };
        let grant = &mut self.grants[place];
        grant.left = plus(grant.left, amount);
        journal.push(self.key, Movement::GrantLeft(entry, grant.left));
    }

    /// Pays what is owed, the oldest first, as far as there is free money.
    fn repay(&mut self, at: Timestamp, journal: &mut Journal) {
        let mut paid = 0;
        while let Some(debt) = self.debts.get_mut(paid) {
            let Some(grant) = self.grants.iter_mut().find(|grant| grant.free().is_positive()) else { break };
            let amount = debt.left.min(grant.free());
            (debt.left, grant.left) = (minus(debt.left, amount), minus(grant.left, amount));
            let (debit, grant_entry) = (debt.entry, grant.entry);
            journal.push(self.key, Movement::GrantLeft(grant_entry, grant.left));
            journal.push(self.key, Movement::DebtLeft(debit, debt.left));
            journal.push(self.key, Movement::Repaid { grant: grant_entry, debit, amount, at });
            let is_spent = !grant.left.is_positive();
            if !debt.left.is_positive() {
                paid += 1;
            }
            if is_spent {
                self.forget_spent();
            }
        }
        self.debts.drain(..paid);
    }

    fn owe_less(&mut self, debit: i64, amount: Quantity, journal: &mut Journal) {
        if let Some(place) = self.debts.iter().position(|debt| debt.entry == debit) {
            let debt = &mut self.debts[place];
            debt.left = minus(debt.left, amount);
            journal.push(self.key, Movement::DebtLeft(debit, debt.left));
            if !debt.left.is_positive() {
                self.debts.remove(place);
            }
        }
    }

    fn unpin(&mut self, parts: &[(i64, Quantity)]) {
        for (entry, amount) in parts {
            if let Some(grant) = self.grants.iter_mut().find(|grant| grant.entry == *entry) {
                grant.held = minus(grant.held, *amount);
            }
        }
    }

    fn forget_spent(&mut self) {
        self.grants.retain(|grant| grant.left.is_positive());
    }
}

impl Terms {
    /// Of money that nobody said anything about.
    pub const PLAIN: Terms = Terms { priority: 100, expires_at: None, source: super::GrantSource::Paid };
}

impl Journal {
    fn push(&mut self, balance: i64, movement: Movement) {
        self.movements.push((balance, movement));
    }
}

// Amounts of one balance lie within `BOUND`, and sums of them far within what can be held.
fn plus(a: Quantity, b: Quantity) -> Quantity {
    Quantity::from_steps(a.steps().saturating_add(b.steps()))
}

fn minus(a: Quantity, b: Quantity) -> Quantity {
    Quantity::from_steps(a.steps().saturating_sub(b.steps()))
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
