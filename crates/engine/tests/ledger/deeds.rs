//! Operations on balances, carried out on both sides, and the engine's answers held to what the model expects of them.

use proptest::sample::Index;
use weir_core::error::Code;
use weir_core::id::HoldId;
use weir_core::ledger::{EntryKind, GrantSource};
use weir_engine::Error;
use weir_engine::model::{
    AdjustBalance, CaptureHold, CauseKind, CheckBalance, CreditBalance, DebitBalance, ExtendHold, Held, HoldBalance,
    HoldState, Moved,
};

use crate::commands::{BALANCES, CUSTOMERS, Command, Ends, Marks, quantity, regions};
use crate::common::actor;
use crate::plain::{Balance, DEFAULT_PRIORITY, Steps, WHOLE};
use crate::world::{Life, World, code};

/// Something asked under a key, and what it came to: an entry or a hold by number.
#[derive(Clone, Debug)]
pub struct Kept {
    pub asked: Asked,
    pub came_to: usize,
}

#[derive(Clone, Debug)]
pub enum Asked {
    Credit(CreditBalance),
    Debit(DebitBalance),
    Adjust(AdjustBalance),
    Hold(HoldBalance),
}

/// What the ledger says before money is looked at.
enum Before {
    New,
    Repeat(usize),
    Refused(Code),
}

fn text(letter: char, number: Option<u8>) -> Option<String> {
    number.map(|number| format!("{letter}{number}"))
}

impl Asked {
    fn key(&self) -> Option<&String> {
        match self {
            Asked::Credit(asked) => asked.idempotency_key.as_ref(),
            Asked::Debit(asked) => asked.idempotency_key.as_ref(),
            Asked::Adjust(asked) => asked.idempotency_key.as_ref(),
            Asked::Hold(asked) => asked.idempotency_key.as_ref(),
        }
    }

    fn reference(&self) -> Option<(EntryKind, &String)> {
        match self {
            Asked::Credit(asked) => asked.reference.as_ref().map(|text| (EntryKind::Credit, text)),
            Asked::Debit(asked) => asked.reference.as_ref().map(|text| (EntryKind::Debit, text)),
            Asked::Adjust(asked) => asked.reference.as_ref().map(|text| (EntryKind::Adjustment, text)),
            Asked::Hold(_) => None,
        }
    }
}

impl World {
    pub fn act(mut self, command: Command) -> Self {
        let some = |world: &World| !world.plain.balances.is_empty();
        match command {
            Command::Create { who, name, initial, settings } => self.create(who, name, initial, settings),
            Command::Reopen => return self.reopen(),
            Command::Crash => return self.crash(),
            Command::Unknown(who) => self.unknown(who),
            Command::ChangeCustomer { who, zone, anchor } => self.change_customer(who, zone, anchor),
            Command::Record(sketch) => self.record(&sketch),
            Command::Batch(sketches) => self.batch(&sketches),
            Command::Track(sketch) => self.track(&sketch),
            Command::Void(which) => self.void(which),
            Command::Reserve(sketch, seconds) => self.reserve(&sketch, seconds),
            Command::Commit(which, values) => self.commit(which, values),
            Command::ReleaseReservation(which) => self.release_reservation(which),
            Command::ExtendReservation(which, seconds) => self.extend_reservation(which, seconds),
            _ if !some(&self) => {}
            Command::Credit { which, amount, ends, priority, source, marks } => {
                self.credit(which, amount, (ends, priority, source), marks);
            }
            Command::Debit { which, amount, marks } => self.debit(self.index(which), amount, marks),
            Command::DebitAll { which, over } => {
                let (which, none) = (self.index(which), Marks { key: None, reference: None });
                self.debit(which, self.plain.balances[which].available() + over, none);
            }
            Command::Adjust { which, amount, marks } => {
                let (customer_id, name) = self.name_of(self.index(which));
                let note = "a correction".to_owned();
                let (reference, idempotency_key) = (text('r', marks.reference), text('k', marks.key));
                let asked =
                    AdjustBalance { customer_id, name, amount: quantity(amount), note, reference, idempotency_key };
                self.ask(self.index(which), Asked::Adjust(asked));
            }
            Command::Check { which, amount, eu } => self.check(self.index(which), amount, eu),
            Command::Hold { which, amount, seconds, key } => self.hold(self.index(which), amount, seconds, key),
            Command::HoldAll { which, over, seconds } => {
                let which = self.index(which);
                self.hold(which, self.plain.balances[which].available() + over, seconds, None);
            }
            Command::Capture { which, less } => self.capture(which, less),
            Command::Release(which) => self.release(which),
            Command::Extend(which, seconds) => self.extend(which, seconds),
            Command::Edit { which, settings, fields } => self.edit(self.index(which), settings, fields),
            Command::Archive(which) => self.archive(self.index(which)),
            Command::Restore(which) => self.restore(self.index(which)),
            Command::Repeat(which) => self.repeat(which),
        }
        self
    }

    fn index(&self, which: Index) -> usize {
        which.index(self.plain.balances.len())
    }

    fn name_of(&self, which: usize) -> (String, String) {
        let balance = &self.plain.balances[which];
        (CUSTOMERS[balance.customer].to_owned(), BALANCES[balance.name].to_owned())
    }

    /// The live balance that goes by the name of this one.
    fn meant(&self, which: usize) -> Option<usize> {
        let balance = &self.plain.balances[which];
        self.plain.named(balance.customer, balance.name)
    }

    fn before(&self, which: usize, asked: &Asked) -> Before {
        if let Some(kept) = asked.key().and_then(|key| self.keys.get(&(which, key.clone()))) {
            return match format!("{:?}", kept.asked) == format!("{asked:?}") {
                true => Before::Repeat(kept.came_to),
                false => Before::Refused(Code::IdempotencyConflict),
            };
        }
        let taken = |(kind, text): (EntryKind, &String)| self.references.contains(&(which, kind, text.clone()));
        if asked.reference().is_some_and(taken) {
            return Before::Refused(Code::Conflict);
        }
        Before::New
    }

    /// The operation was done: its key and reference are taken.
    fn keep(&mut self, which: usize, asked: Asked, came_to: usize) {
        if let Some((kind, text)) = asked.reference() {
            self.references.push((which, kind, text.clone()));
        }
        if let Some(key) = asked.key() {
            self.keys.insert((which, key.clone()), Kept { came_to, asked });
        }
    }

    /// A credit, a debit or an adjustment.
    fn ask(&mut self, which: usize, asked: Asked) {
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(async {
            match asked.clone() {
                Asked::Credit(asked) => engine.credit_balance(&actor(), asked).await,
                Asked::Debit(asked) => engine.debit_balance(&actor(), asked).await,
                Asked::Adjust(asked) => engine.adjust_balance(&actor(), asked).await,
                Asked::Hold(asked) => panic!("not a movement: {asked:?}"),
            }
        });
        let amount = match &asked {
            Asked::Credit(asked) => asked.amount,
            Asked::Debit(asked) => asked.amount,
            Asked::Adjust(asked) => asked.amount,
            Asked::Hold(asked) => asked.amount,
        }
        .steps();
        if amount == 0 || (amount < 0 && !matches!(asked, Asked::Adjust(_))) {
            assert_eq!(code(&answer), Some(Code::InvalidFieldValue), "{asked:?}");
            return;
        }
        let Some(which) = self.meant(which) else {
            assert_eq!(code(&answer), Some(Code::BalanceNotFound), "{asked:?}");
            return;
        };
        match self.before(which, &asked) {
            Before::Refused(expected) => assert_eq!(code(&answer), Some(expected), "{asked:?}"),
            Before::Repeat(entry) => self.moved(which, answer, Some(entry)),
            Before::New => {
                let now = self.now;
                let balance = &mut self.plain.balances[which];
                let entry = match &asked {
                    Asked::Debit(_) if amount > balance.available() => None,
                    Asked::Debit(_) => {
                        let entry = balance.book(EntryKind::Debit, amount, now, CauseKind::Request);
                        balance.spend(entry, amount);
                        Some(entry)
                    }
                    Asked::Credit(asked) => {
                        let entry = balance.book(EntryKind::Credit, amount, now, CauseKind::Request);
                        balance.income(entry, amount, (asked.priority, asked.expires_at, asked.source));
                        Some(entry)
                    }
                    _ => {
                        let entry = balance.book(EntryKind::Adjustment, amount, now, CauseKind::Request);
                        match amount {
                            1.. => balance.income(entry, amount, (DEFAULT_PRIORITY, None, GrantSource::Paid)),
                            _ => balance.spend(entry, -amount),
                        }
                        Some(entry)
                    }
                };
                self.moved(which, answer, entry);
                if let Some(entry) = entry {
                    self.keep(which, asked, entry);
                }
            }
        }
    }

    /// Holds an answer to the entry that it should name; none where there is too little.
    fn moved(&mut self, which: usize, answer: Result<Moved, Error>, entry: Option<usize>) {
        let answer = answer.expect("an answer");
        assert_eq!(answer.success, entry.is_some(), "{answer:?}");
        assert_eq!(answer.error.map(|error| error.code), entry.is_none().then_some("insufficient_balance"));
        let balance = &self.plain.balances[which];
        let shown = (answer.balance.id, answer.balance.current_balance, answer.balance.available_balance);
        assert_eq!(shown, (balance.id, quantity(balance.current()), quantity(balance.available())));
        assert_eq!(answer.transaction.is_some(), entry.is_some());
        if let (Some(transaction), Some(entry)) = (answer.transaction, entry) {
            self.named.push((which, entry, transaction.id));
        }
    }

    fn credit(&mut self, which: Index, amount: Steps, terms: (Ends, u16, GrantSource), marks: Marks) {
        let which = self.index(which);
        let (customer_id, name) = self.name_of(which);
        let (ends, priority, source) = terms;
        let (zone, anchor) = self.plain.owners[self.plain.balances[which].customer];
        let expires_at = match ends {
            Ends::Never => None,
            Ends::In(seconds) => Some(self.now.saturating_add_micros(seconds * 1_000_000)),
            Ends::With(period) => period.window(zone, anchor, self.now).end,
        };
        let asked = CreditBalance {
            customer_id,
            name,
            amount: quantity(amount),
            description: String::new(),
            reference: text('r', marks.reference),
            idempotency_key: text('k', marks.key),
            expires_at,
            priority,
            source,
        };
        self.ask(which, Asked::Credit(asked));
    }

    fn debit(&mut self, which: usize, amount: Steps, marks: Marks) {
        let (customer_id, name) = self.name_of(which);
        let (reference, idempotency_key) = (text('r', marks.reference), text('k', marks.key));
        let description = "spent".to_owned();
        let asked =
            DebitBalance { customer_id, name, amount: quantity(amount), description, reference, idempotency_key };
        self.ask(which, Asked::Debit(asked));
    }

    fn check(&self, which: usize, amount: Steps, eu: Option<Option<bool>>) {
        let (customer_id, name) = self.name_of(which);
        let dimensions = eu.map(regions);
        let asked = CheckBalance { customer_id, name, amount: quantity(amount), dimensions: dimensions.clone() };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.check_balance(asked));
        let Some(which) = self.meant(which) else {
            assert_eq!(code(&answer), Some(Code::BalanceNotFound));
            return;
        };
        let (balance, answer) = (&self.plain.balances[which], answer.expect("an answer"));
        let meets =
            dimensions.is_none_or(|given| balance.filters.iter().all(|(name, value)| given.get(name) == Some(value)));
        let shown = (answer.balance_id, answer.current_balance, answer.available_balance, answer.sufficient);
        let (current, available) = (balance.current(), balance.available());
        assert_eq!(shown, (balance.id, quantity(current), quantity(available), meets && amount <= available));
    }

    fn hold(&mut self, which: usize, amount: Steps, seconds: i64, key: Option<u8>) {
        let (customer_id, name) = self.name_of(which);
        let asked = HoldBalance {
            customer_id,
            name,
            amount: quantity(amount),
            ttl_seconds: seconds as u32,
            description: String::new(),
            reference: None,
            idempotency_key: text('k', key),
        };
        self.ask_hold(which, asked);
    }

    fn ask_hold(&mut self, which: usize, asked: HoldBalance) {
        let amount = asked.amount.steps();
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.hold_balance(&actor(), asked.clone()));
        if amount <= 0 {
            assert_eq!(code(&answer), Some(Code::InvalidFieldValue), "{asked:?}");
            return;
        }
        let Some(which) = self.meant(which) else {
            assert_eq!(code(&answer), Some(Code::BalanceNotFound), "{asked:?}");
            return;
        };
        let expires_at = self.now.saturating_add_micros(i64::from(asked.ttl_seconds) * 1_000_000);
        let asked = Asked::Hold(asked);
        match self.before(which, &asked) {
            Before::Refused(expected) => assert_eq!(code(&answer), Some(expected), "{asked:?}"),
            Before::Repeat(hold) => self.held(which, Some(hold), answer),
            Before::New => {
                let balance = &mut self.plain.balances[which];
                let enough = amount <= balance.available();
                let hold = enough.then(|| balance.make_hold(amount, expires_at, None));
                if let (Some(hold), Ok(answer)) = (hold, &answer) {
                    balance.holds[hold].id = answer.hold.as_ref().map(|hold| hold.id);
                }
                self.held(which, hold, answer);
                if let Some(hold) = hold {
                    self.keep(which, asked, hold);
                }
            }
        }
    }

    fn held(&mut self, which: usize, hold: Option<usize>, answer: Result<Held, Error>) {
        let answer = answer.expect("an answer");
        let balance = &self.plain.balances[which];
        assert_eq!(answer.success, hold.is_some(), "{answer:?}");
        assert_eq!(answer.error.map(|error| error.code), hold.is_none().then_some("insufficient_balance"));
        let named = answer.hold.map(|hold| (hold.id, hold.state));
        assert_eq!(named, hold.map(|hold| (balance.holds[hold].id.expect("an id"), balance.holds[hold].state)));
        assert_eq!(answer.balance.available_balance, quantity(balance.available()));
    }

    /// A hold of any balance: whose, its number and id.
    fn any_hold(&self, which: Index) -> Option<(usize, usize, HoldId)> {
        let of = |(number, balance): (usize, &Balance)| -> Vec<_> {
            let holds = balance.holds.iter().enumerate();
            holds.filter_map(|(hold, one)| Some((number, hold, one.id?))).collect()
        };
        let mut all: Vec<_> = self.plain.balances.iter().enumerate().flat_map(of).collect();
        // Rather one that is live, and no reservation's.
        let hold = |one: &(usize, usize, HoldId)| &self.plain.balances[one.0].holds[one.1];
        let is_live =
            |one: &(usize, usize, HoldId)| hold(one).state == HoldState::Live && hold(one).reservation.is_none();
        if which.index(5) > 0 && all.iter().any(is_live) {
            all.retain(is_live);
        }
        (!all.is_empty()).then(|| all[which.index(all.len())])
    }

    fn capture(&mut self, which: Index, less: Option<Steps>) {
        let Some((which, hold, id)) = self.any_hold(which) else { return };
        let before = self.plain.balances[which].holds[hold].clone();
        let given = less.map(|less| before.amount - less);
        let asked = CaptureHold { amount: given.map(quantity), description: None };
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.capture_hold(&actor(), id, asked));
        if given.is_some_and(|given| given <= 0) {
            assert_eq!(code(&answer), Some(Code::InvalidFieldValue));
            return;
        }
        let amount = given.unwrap_or(before.amount);
        let balance = &mut self.plain.balances[which];
        let entry = match (before.state, before.captured) {
            _ if balance.archived || before.reservation.is_some() => {
                // An archived balance stands still; a reservation's hold ends with that alone.
                assert_eq!(code(&answer), Some(Code::Conflict), "{before:?}");
                return;
            }
            (HoldState::Captured, Some((captured, entry))) if captured == amount => entry,
            (HoldState::Live, _) if before.reservation.is_none() => {
                if amount - before.amount > balance.available().max(0) {
                    let answer = answer.expect("an answer");
                    assert!(!answer.success && answer.transaction.is_none(), "{answer:?}");
                    return;
                }
                balance.capture(hold, amount, self.now, CauseKind::Hold)
            }
            (HoldState::Captured, _) => {
                assert_eq!(code(&answer), Some(Code::IdempotencyConflict), "{before:?}");
                return;
            }
            _ => {
                assert_eq!(code(&answer), Some(Code::Conflict), "{before:?}");
                return;
            }
        };
        let answer = answer.expect("an answer");
        assert!(answer.success);
        let transaction = answer.transaction.expect("its debit").id;
        self.named.push((which, entry, transaction));
    }

    fn release(&mut self, which: Index) {
        let Some((which, hold, id)) = self.any_hold(which) else { return };
        let before = self.plain.balances[which].holds[hold].clone();
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.release_hold(&actor(), id));
        match before.state {
            _ if self.plain.balances[which].archived || before.reservation.is_some() => {
                assert_eq!(code(&answer), Some(Code::Conflict), "{before:?}");
            }
            HoldState::Live => {
                self.plain.balances[which].end_hold(hold, HoldState::Released, self.now);
                self.held(which, Some(hold), answer);
            }
            HoldState::Released => self.held(which, Some(hold), answer),
            _ => assert_eq!(code(&answer), Some(Code::Conflict), "{before:?}"),
        }
    }

    fn extend(&mut self, which: Index, seconds: i64) {
        let Some((which, hold, id)) = self.any_hold(which) else { return };
        let before = self.plain.balances[which].holds[hold].clone();
        let Life { engine, runtime } = &self.life;
        let answer = runtime.block_on(engine.extend_hold(&actor(), id, ExtendHold { ttl_seconds: seconds as u32 }));
        if before.reservation.is_some() || before.state != HoldState::Live {
            assert_eq!(code(&answer), Some(Code::Conflict), "{before:?}");
            return;
        }
        let until = self.now.saturating_add_micros(seconds * 1_000_000).max(before.expires_at);
        self.plain.balances[which].holds[hold].expires_at = until;
        assert_eq!(answer.as_ref().ok().and_then(|held| held.hold.as_ref()).map(|hold| hold.expires_at), Some(until));
        self.held(which, Some(hold), answer);
    }

    fn repeat(&mut self, which: Index) {
        if self.keys.is_empty() {
            return;
        }
        let ((balance, _), kept) = self.keys.iter().nth(which.index(self.keys.len())).expect("one of them");
        let (balance, kept) = (*balance, kept.clone());
        match kept.asked {
            Asked::Hold(asked) => self.ask_hold(balance, asked),
            asked => self.ask(balance, asked),
        }
    }

    fn unknown(&self, who: usize) {
        let asked = DebitBalance {
            customer_id: CUSTOMERS[who].to_owned(),
            name: "nowhere".to_owned(),
            amount: quantity(WHOLE),
            description: String::new(),
            reference: None,
            idempotency_key: None,
        };
        let Life { engine, runtime } = &self.life;
        assert_eq!(code(&runtime.block_on(engine.debit_balance(&actor(), asked))), Some(Code::BalanceNotFound));
    }
}
