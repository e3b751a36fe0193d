//! One balance of one customer, and short words for what happens to it.

use weir_core::error::Code;
use weir_core::id::{BalanceId, HoldId, MeterId};
use weir_core::ledger::{EntryKind, GrantSource, RecurringMode};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_engine::model::{
    Balance, CaptureHold, CreditBalance, DebitBalance, Grant, Held, HoldBalance, ListGrants, ListMeters,
    ListTransactions, Metered, Moved, NewBalance, PageSize, ProjectPatch, RecurringCredit, Transaction,
};
use weir_engine::{Error, doctor};

use super::{Bench, actor, at, quantity};

/// A balance of `acme` named `credits`.
pub struct Purse {
    pub bench: Bench,
    pub id: BalanceId,
}

pub fn plain() -> NewBalance {
    NewBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        unit: None,
        minimum_balance: quantity("0"),
        initial_balance: None,
        low_balance_threshold: None,
        top_up: None,
        dimension_filters: Default::default(),
        priority: 100,
        metered: None,
        recurring_credit: None,
    }
}

pub fn recurring(amount: &str, period: Period) -> RecurringCredit {
    RecurringCredit {
        amount: quantity(amount),
        mode: RecurringMode::Add,
        period,
        expires: false,
        priority: 100,
        source: GrantSource::Paid,
    }
}

pub fn credit(amount: &str) -> CreditBalance {
    CreditBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        amount: quantity(amount),
        description: String::new(),
        reference: None,
        idempotency_key: None,
        expires_at: None,
        priority: 100,
        source: GrantSource::Paid,
    }
}

pub fn until(amount: &str, date: &str) -> CreditBalance {
    CreditBalance { expires_at: Some(at(date)), ..credit(amount) }
}

pub fn debit(amount: &str, key: Option<&str>) -> DebitBalance {
    DebitBalance {
        customer_id: "acme".to_owned(),
        name: "credits".to_owned(),
        amount: quantity(amount),
        description: String::new(),
        reference: None,
        idempotency_key: key.map(str::to_owned),
    }
}

pub fn code<T>(answer: Result<T, Error>) -> Option<Code> {
    answer.err().map(|error| error.code())
}

impl Purse {
    pub async fn open_at(now: &str, new: NewBalance) -> Self {
        let bench = Bench::open_at(now).await;
        let id = bench.engine.create_balance(&actor(), new).await.expect("a balance").id;
        Purse { bench, id }
    }

    /// A balance that pays one for each token.
    pub async fn metered(now: &str) -> Self {
        let bench = Bench::open_at(now).await;
        let metered =
            Metered { meter_id: tokens(&bench).await, amount: quantity("1"), per: 1, enforcement: Default::default() };
        let new = NewBalance { metered: Some(metered), ..plain() };
        let id = bench.engine.create_balance(&actor(), new).await.expect("a balance").id;
        Purse { bench, id }
    }

    /// The clock moves, and what is due by then happens.
    pub async fn go(&self, to: &str) {
        self.bench.clock.set(at(to));
        for _ in 0..2 {
            self.bench.engine.update_project(&actor(), ProjectPatch::default()).await.expect("no change");
        }
    }

    pub async fn credit(&self, new: CreditBalance) -> Moved {
        let moved = self.bench.engine.credit_balance(&actor(), new).await.expect("a credit");
        assert!(moved.success);
        moved
    }

    pub async fn debit(&self, amount: &str) -> bool {
        self.bench.engine.debit_balance(&actor(), debit(amount, None)).await.expect("an answer").success
    }

    pub async fn hold(&self, amount: &str, ttl_seconds: u32) -> Held {
        let new = HoldBalance {
            customer_id: "acme".to_owned(),
            name: "credits".to_owned(),
            amount: quantity(amount),
            ttl_seconds,
            description: String::new(),
            reference: None,
            idempotency_key: None,
        };
        self.bench.engine.hold_balance(&actor(), new).await.expect("an answer")
    }

    pub async fn capture(&self, hold: HoldId, amount: Option<&str>) -> Result<Held, Error> {
        let asked = CaptureHold { amount: amount.map(quantity), description: None };
        self.bench.engine.capture_hold(&actor(), hold, asked).await
    }

    pub async fn balance(&self) -> Balance {
        self.bench.engine.balance(self.id).await.expect("the balance")
    }

    /// Current, held and available.
    pub async fn stands(&self) -> (String, String, String) {
        let balance = self.balance().await;
        let text = |amount: Quantity| amount.to_string();
        (text(balance.current_balance), text(balance.held_balance), text(balance.available_balance))
    }

    pub async fn current(&self) -> String {
        self.balance().await.current_balance.to_string()
    }

    /// What is left of each grant, oldest first.
    pub async fn left(&self) -> Vec<String> {
        let list = ListGrants { limit: PageSize::MAX, ..ListGrants::default() };
        let mut grants: Vec<Grant> = self.bench.engine.grants(self.id, list).await.expect("grants").data;
        grants.sort_by_key(|grant| grant.id);
        grants.iter().map(|grant| grant.remaining.to_string()).collect()
    }

    /// Every entry, oldest first.
    pub async fn entries(&self) -> Vec<Transaction> {
        let mut list = ListTransactions { limit: PageSize::MAX, ..ListTransactions::default() };
        let mut entries = Vec::new();
        loop {
            let page = self.bench.engine.transactions(self.id, list.clone()).await.expect("entries");
            entries.extend(page.data);
            list.cursor = page.next_cursor;
            if list.cursor.is_none() {
                entries.reverse();
                return entries;
            }
        }
    }

    /// Type, amount and time of each entry of a kind.
    pub async fn of_kind(&self, kind: EntryKind) -> Vec<(String, Timestamp)> {
        let entries = self.entries().await;
        let those = entries.iter().filter(|entry| entry.kind == kind);
        those.map(|entry| (entry.amount.to_string(), entry.created_at)).collect()
    }

    pub async fn close(self) {
        self.bench.engine.close().await;
        let report = doctor::examine(self.bench.dir.path()).await.expect("a report");
        assert_eq!(report.differences, Vec::<String>::new());
    }
}

pub async fn tokens(bench: &Bench) -> MeterId {
    let meters = bench.engine.meters(ListMeters::default()).await.expect("meters").data;
    meters.iter().find(|meter| meter.name == "total_tokens").expect("a built-in meter").id
}

pub fn three(current: &str, held: &str, available: &str) -> (String, String, String) {
    (current.to_owned(), held.to_owned(), available.to_owned())
}
