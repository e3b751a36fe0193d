//! The ledger's arithmetic: what a movement does to a balance, to the grants that it is made of, and to what is held. Pure: who
//! asks, what is written and when it is told is elsewhere.
//!
//! An [`Account`] is moved by its methods alone, each of which says in a [`Journal`] everything that has to be written down. Before
//! anything is decided it is brought up to date with [`Account::advance`]: holds end, grants expire and recurring credits come at
//! their own instants, in order, however late it is noticed.

mod account;
mod metering;
mod watch;

pub use account::{Account, Back, Debt, Grant, Hold, Recurring};
pub use metering::{MAX_RATE, Metering, Plan, Rate, Share, plan};
pub use watch::{Told, Watch};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::quantity::Quantity;
use crate::time::Timestamp;

/// No balance may come to this, up or down: 18 integer digits are what can be sent and stored.
pub const BOUND: Quantity = Quantity::from_int(1_000_000_000_000_000_000);

/// What kind of movement an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// Money came in.
    Credit,
    /// Money was spent.
    Debit,
    /// What was left of a grant on its date.
    Expiry,
    /// A correction, up or down.
    Adjustment,
}

impl EntryKind {
    /// Every kind.
    pub const ALL: [EntryKind; 4] = [EntryKind::Credit, EntryKind::Debit, EntryKind::Expiry, EntryKind::Adjustment];

    /// The word on the wire and in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            EntryKind::Credit => "credit",
            EntryKind::Debit => "debit",
            EntryKind::Expiry => "expiry",
            EntryKind::Adjustment => "adjustment",
        }
    }
}

/// Where the money of a grant comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantSource {
    /// The customer paid for it.
    #[default]
    Paid,
    /// It was given to win the customer.
    Promotional,
    /// It was given to make up for something.
    Goodwill,
}

impl GrantSource {
    /// Every source.
    pub const ALL: [GrantSource; 3] = [GrantSource::Paid, GrantSource::Promotional, GrantSource::Goodwill];

    /// The word on the wire and in the file.
    pub const fn as_str(self) -> &'static str {
        match self {
            GrantSource::Paid => "paid",
            GrantSource::Promotional => "promotional",
            GrantSource::Goodwill => "goodwill",
        }
    }
}

/// What a recurring credit does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RecurringMode {
    /// Adds its amount.
    #[default]
    Add,
    /// Adds what is missing up to its amount.
    UpTo,
}

/// What a grant is spent by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Lower ones are spent first.
    pub priority: u16,
    /// It pays up to, not including, this instant.
    pub expires_at: Option<Timestamp>,
    /// Where the money comes from.
    pub source: GrantSource,
}

/// A part of an amount, and the grant that it came from or went to, by the number of its entry; `None`: debt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part(pub Option<i64>, pub Quantity);

/// Why an entry was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Somebody or something asked for it: whoever moves the account knows what.
    Asked,
    /// The recurring credit.
    Recurring,
    /// The date of a grant.
    Expiry,
}

/// An entry of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Posting {
    /// Its number.
    pub seq: i64,
    /// What kind of movement.
    pub kind: EntryKind,
    /// How much: positive by kind, signed for an adjustment.
    pub amount: Quantity,
    /// What the balance was after it.
    pub after: Quantity,
    /// When.
    pub at: Timestamp,
    /// Which grants it was paid from, or given back to.
    pub parts: Vec<Part>,
    /// Of money that came in: what the grant is spent by, and how much of the amount it began with.
    pub grant: Option<(Terms, Quantity)>,
    /// Why.
    pub why: Why,
}

/// Which of a balance's levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The low-balance threshold.
    Low,
    /// The one at which a top-up is wanted.
    TopUp,
}

/// Something to write down.
#[derive(Clone, Debug, PartialEq)]
pub enum Movement {
    /// An entry was made.
    Posted(Posting),
    /// What is left of a grant.
    GrantLeft(i64, Quantity),
    /// What is still owed of an entry.
    DebtLeft(i64, Quantity),
    /// A grant paid for an entry that had been owed.
    Repaid {
        /// The grant.
        grant: i64,
        /// The entry.
        debit: i64,
        /// How much.
        amount: Quantity,
        /// When.
        at: Timestamp,
    },
    /// A hold ran out.
    Expired {
        /// Its number.
        hold: i64,
        /// When.
        at: Timestamp,
    },
    /// An alert is due, or over.
    Told {
        /// Of which level.
        level: Level,
        /// What became of it.
        told: Told,
        /// Which alert of the level it is, counted from 1.
        count: u32,
        /// What the balance was then.
        current: Quantity,
        /// When.
        at: Timestamp,
    },
}

/// What has to be written down, in order, with the number of the balance.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The number of the last entry.
    pub last: i64,
    /// What happened.
    pub movements: Vec<(i64, Movement)>,
}

impl Journal {
    /// Goes on after an entry.
    pub fn after(last: i64) -> Self {
        Journal { last, movements: Vec::new() }
    }

    fn number(&mut self) -> i64 {
        self.last += 1;
        self.last
    }
}
