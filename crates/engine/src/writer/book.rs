//! What a transaction does to balances, until it is committed.

mod store;

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use uuid::Uuid;
use weir_core::id::{BalanceId, EventId, HoldId, TransactionId};
use weir_core::ledger::{EntryKind, Journal, Level, Movement, Part, Posting, Told, Why};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::set_aside::HoldRow;
use crate::accounts::LiveBalance;
use crate::actor::Actor;
use crate::changes::Topics;
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::model::{AuditActor, BalanceHold, Cause, CauseKind, GrantTerms, Paid, Transaction};
use crate::scan::to_json;

/// What a transaction does to balances.
#[derive(Default)]
pub(crate) struct Book {
    pub journal: Journal,
    entries: Vec<EntryRow>,
    /// Balances to write, and whose they are.
    touched: BTreeMap<i64, Arc<str>>,
    grants: BTreeMap<i64, Quantity>,
    debts: BTreeMap<i64, (i64, Quantity)>,
    repayments: Vec<(i64, i64, i64, Quantity, Timestamp)>,
    told: Vec<ToldRow>,
    /// Holds that the transaction is about, and those it makes.
    pub holds: FxHashMap<HoldId, HoldRow>,
    /// Holds that end, by number.
    ended: Vec<(i64, Ending)>,
    /// Holds that last longer, by number.
    extended: Vec<(i64, Timestamp)>,
    /// Keys that were used before, by balance.
    pub keys: FxHashMap<(i64, [u8; 16]), Used>,
    new_keys: Vec<KeyRow>,
    /// References that were used before, by balance and kind of entry.
    pub references: FxHashSet<(i64, EntryKind, String)>,
    unpriced: Vec<(i64, i64, bool, Quantity)>,
    /// Events that were paid for, by id.
    events: FxHashMap<EventId, i64>,
    /// The entries that paid for an event.
    of_event: FxHashMap<i64, Vec<usize>>,
    /// Prices of which more has been paid for.
    rates: FxHashSet<i64>,
    audits: Vec<AuditRow>,
}

/// A key, what it was given for, and what became of it.
pub(crate) struct Used {
    pub body: [u8; 16],
    pub first: First,
}

/// What was done under a key the first time.
#[derive(Clone)]
pub(crate) enum First {
    Entry(Box<Transaction>),
    Hold(Box<BalanceHold>),
}

struct KeyRow {
    balance: i64,
    hash: [u8; 16],
    body: [u8; 16],
    entry: Option<i64>,
    hold: Option<i64>,
}

/// How a hold ended.
#[derive(Clone, Copy)]
pub(crate) struct Ending {
    pub state: &'static str,
    pub at: Timestamp,
    pub entry: Option<i64>,
}

/// What an entry that was asked for is about.
#[derive(Clone, Default)]
pub(crate) struct About {
    pub cause: Option<CauseKind>,
    /// Who asked, by number.
    pub actor: i64,
    /// Who asked; Weir itself when not given.
    pub who: Option<Actor>,
    pub description: String,
    pub reference: Option<String>,
    pub key: Option<String>,
    pub event: Option<i64>,
    pub rate: Option<i64>,
    pub quantity: Option<Quantity>,
    pub hold: Option<i64>,
    pub overdrawn: bool,
}

struct EntryRow {
    balance: i64,
    id: Uuid,
    posting: Posting,
    about: About,
    cause: CauseKind,
}

struct ToldRow {
    balance: i64,
    id: BalanceId,
    customer: Arc<str>,
    level: Level,
    told: Told,
    count: u32,
    threshold: Quantity,
    current: Quantity,
    top_up: Option<Quantity>,
    at: Timestamp,
}

struct AuditRow {
    at: Timestamp,
    actor: i64,
    operation: &'static str,
    target: String,
    before: Option<String>,
    after: Option<String>,
}

impl Book {
    pub(super) fn after(last: i64) -> Self {
        Book { journal: Journal::after(last), ..Book::default() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.touched.is_empty()
    }

    /// Has a balance written.
    pub(crate) fn touch(&mut self, balance: &LiveBalance, customer: &Arc<str>) {
        self.touched.entry(balance.rule.key).or_insert_with(|| customer.clone());
    }

    /// Remembers that an event, or the void of one, came to less than can be booked.
    pub(super) fn count_unpriced(&mut self, event: i64, rate: i64, is_void: bool, quantity: Quantity) {
        self.unpriced.push((event, rate, is_void, quantity));
    }

    /// Remembers an event that is paid for.
    pub(super) fn pay_for(&mut self, event: EventId, number: i64) {
        self.events.insert(event, number);
    }

    /// Has what was paid for at a price written.
    pub(super) fn touch_rate(&mut self, rate: i64) {
        self.rates.insert(rate);
    }

    pub(super) fn end_hold(&mut self, number: i64, ending: Ending) {
        self.ended.push((number, ending));
    }

    pub(super) fn extend_hold(&mut self, number: i64, until: Timestamp) {
        self.extended.push((number, until));
    }

    /// Takes a key for an entry or a hold.
    pub(super) fn take_key(&mut self, balance: i64, hash: [u8; 16], used: Used, entry: Option<i64>, hold: Option<i64>) {
        self.new_keys.push(KeyRow { balance, hash, body: used.body, entry, hold });
        self.keys.insert((balance, hash), used);
    }

    pub(super) fn audit<T: serde::Serialize>(
        &mut self,
        (at, actor): (Timestamp, i64),
        operation: &'static str,
        target: String,
        after: &T,
    ) -> Result<()> {
        self.audits.push(AuditRow { at, actor, operation, target, before: None, after: Some(to_json(after)?) });
        Ok(())
    }

    /// What balances paid for an event of this transaction.
    pub(super) fn paid_for(&self, event: i64) -> impl Iterator<Item = (i64, Quantity)> + '_ {
        self.of_event.get(&event).into_iter().flatten().filter_map(|place| self.entries.get(*place)).map(|row| {
            let amount = row.posting.amount;
            let paid =
                if row.posting.kind == EntryKind::Debit { amount } else { Quantity::from_steps(-amount.steps()) };
            (row.balance, paid)
        })
    }

    /// The same by the event's id.
    pub(super) fn paid_for_id(&self, event: EventId) -> Vec<(i64, Quantity)> {
        let number = self.events.get(&event).copied();
        number.map(|number| self.paid_for(number).collect()).unwrap_or_default()
    }

    /// How many entries it has.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What is stale once this is committed.
    pub(crate) fn topics(&self) -> Topics {
        let mut topics = if self.is_empty() { Topics::NONE } else { Topics::BALANCES };
        if !self.told.is_empty() {
            topics |= Topics::ALERTS;
        }
        if !self.audits.is_empty() {
            topics |= Topics::AUDIT;
        }
        topics
    }
}

impl Writer {
    /// Takes in what was done to a balance: entries get their ids, and what the balance is known by follows. `asked` is the entry
    /// that was asked for, and what it is about. Answers that entry as it is shown.
    pub(super) fn note(
        &mut self,
        book: &mut Book,
        customer: &Arc<str>,
        balance: &mut LiveBalance,
        mut asked: Option<(i64, About)>,
        now: Timestamp,
    ) -> Result<Option<Transaction>> {
        let mut shown = None;
        let movements = std::mem::take(&mut book.journal.movements);
        if !movements.is_empty() || asked.is_some() {
            book.touch(balance, customer);
        }
        for (key, movement) in movements {
            match movement {
                Movement::Posted(posting) => {
                    let id = self.ids.next(now)?;
                    let about = asked.take_if(|(seq, _)| *seq == posting.seq).map(|(_, about)| about);
                    let cause = about.as_ref().and_then(|about| about.cause).unwrap_or(match posting.why {
                        Why::Asked => CauseKind::Request,
                        Why::Recurring => CauseKind::Recurring,
                        Why::Expiry => CauseKind::Expiry,
                    });
                    let is_asked = about.is_some();
                    let about = match about {
                        Some(about) => about,
                        None => About { actor: self.system_actor, ..About::default() },
                    };
                    if posting.grant.is_some() {
                        balance.grant_ids.push((posting.seq, id));
                    }
                    match (posting.kind, cause) {
                        (EntryKind::Debit, _) => balance.spend_on(posting.at, posting.amount),
                        (EntryKind::Adjustment, CauseKind::Void | CauseKind::Event) => {
                            balance.spend_on(posting.at, Quantity::from_steps(-posting.amount.steps()));
                        }
                        _ => {}
                    }
                    let row = EntryRow { balance: key, id, posting, about, cause };
                    if is_asked {
                        shown = Some(self.shown(balance, &row));
                    }
                    if let Some(event) = row.about.event {
                        book.of_event.entry(event).or_default().push(book.entries.len());
                    }
                    book.entries.push(row);
                }
                Movement::GrantLeft(grant, left) => {
                    book.grants.insert(grant, left);
                }
                Movement::DebtLeft(debit, left) => {
                    book.debts.insert(debit, (key, left));
                }
                Movement::Repaid { grant, debit, amount, at } => book.repayments.push((key, grant, debit, amount, at)),
                Movement::Expired { hold, at } => {
                    balance.hold_ids.retain(|known| known.number != hold);
                    book.end_hold(hold, Ending { state: "expired", at, entry: None });
                }
                Movement::Told { level, told, count, current, at } => {
                    let (value, _) = match level {
                        Level::Low => balance.account.low,
                        Level::TopUp => balance.account.top_up,
                    };
                    let top_up = balance.rule.settings.top_up.as_ref().filter(|_| level == Level::TopUp);
                    book.told.push(ToldRow {
                        balance: key,
                        id: balance.rule.id,
                        customer: customer.clone(),
                        level,
                        told,
                        count,
                        threshold: value.unwrap_or_default(),
                        current,
                        top_up: top_up.map(|top_up| top_up.amount),
                        at,
                    });
                }
            }
        }
        // Only those of which something is left are named from here on.
        if balance.grant_ids.len() > balance.account.grants.len() {
            let left: FxHashSet<i64> = balance.account.grants.iter().map(|grant| grant.entry).collect();
            balance.grant_ids.retain(|(entry, _)| left.contains(entry));
        }
        Ok(shown)
    }

    /// Brings a customer's balances up to date.
    pub(super) fn bring_up_to_date(
        &mut self,
        book: &mut Book,
        customer: &mut LiveCustomer,
        now: Timestamp,
    ) -> Result<()> {
        if !customer.accounts.is_due(now) {
            return Ok(());
        }
        let external = customer.external.clone();
        for balance in customer.accounts.iter_mut() {
            balance.account.advance(now, &mut book.journal);
            if !book.journal.movements.is_empty() {
                self.note(book, &external, balance, None, now)?;
                // Something was done: what is due next is something else.
                book.touch(balance, &external);
            } else if balance.account.recurring.is_some() {
                // Nothing was missing up to the amount: the window is done all the same.
                book.touch(balance, &external);
            }
        }
        Ok(())
    }

    /// An entry as it is shown.
    fn shown(&self, balance: &LiveBalance, row: &EntryRow) -> Transaction {
        let EntryRow { id, posting, about, cause, .. } = row;
        let system = Actor::system();
        let who = about.who.as_ref().unwrap_or(&system);
        let known = |grant: &i64| balance.grant_ids.iter().find(|(entry, _)| entry == grant).map(|(_, id)| *id);
        Transaction {
            id: TransactionId::new(*id),
            project_id: self.shared.project,
            balance_id: balance.rule.id,
            kind: posting.kind,
            amount: posting.amount,
            balance_after: posting.after,
            description: about.description.clone(),
            reference: about.reference.clone(),
            idempotency_key: about.key.clone(),
            cause: Cause {
                kind: *cause,
                actor: AuditActor {
                    kind: who.kind.as_str().to_owned(),
                    name: who.name.clone(),
                    label: self.shared.config().key_name(&who.name),
                },
                event_id: None,
                hold_id: about
                    .hold
                    .and_then(|number| balance.hold_ids.iter().find(|hold| hold.number == number).map(|hold| hold.id)),
                quantity: about.quantity,
            },
            grant: posting.grant.map(|(terms, _)| GrantTerms {
                expires_at: terms.expires_at,
                priority: terms.priority,
                source: terms.source,
            }),
            paid_by: posting
                .parts
                .iter()
                .map(|Part(grant, amount)| Paid {
                    grant_id: grant.as_ref().and_then(known).map(TransactionId::new),
                    amount: *amount,
                })
                .collect(),
            created_at: posting.at,
        }
    }
}

/// The cause of a stored word.
pub(crate) fn cause_of(word: &str) -> CauseKind {
    match word {
        "initial" => CauseKind::Initial,
        "recurring" => CauseKind::Recurring,
        "expiry" => CauseKind::Expiry,
        "hold" => CauseKind::Hold,
        "event" => CauseKind::Event,
        "void" => CauseKind::Void,
        _ => CauseKind::Request,
    }
}
