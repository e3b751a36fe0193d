//! What can happen to balances, drawn at random: small choices that meet often.

use std::collections::BTreeMap;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use weir_core::ledger::GrantSource;
use weir_core::period::Period;
use weir_core::quantity::Quantity;

use crate::plain::{Steps, WHOLE};

pub type Texts = BTreeMap<String, String>;

pub const CUSTOMERS: [&str; 2] = ["acme", "beta"];
pub const BALANCES: [&str; 3] = ["credits", "money", "gifts"];
pub const ZONES: [&str; 3] = ["UTC", "America/Los_Angeles", "Australia/Lord_Howe"];
pub const ANCHORS: [&str; 3] = ["2024-01-31", "2025-06-15", "2026-03-01"];
/// Before a month's last day, changes of clocks, and a leap day.
pub const STARTS: [&str; 4] =
    ["2026-03-10T12:00:00Z", "2026-03-08T07:56:00Z", "2024-02-28T23:57:30Z", "2026-12-31T23:56:00.000001Z"];
/// Seconds for holds and dates alike, so that they meet.
const SECONDS: [i64; 5] = [1, 5, 60, 300, 3_600];

#[derive(Clone, Debug, PartialEq)]
pub struct Recurring {
    pub amount: Steps,
    pub up_to: bool,
    pub period: Period,
    pub expires: bool,
    pub priority: u16,
    pub source: GrantSource,
}

/// A rate: the meter by number, and the amount for so many units.
#[derive(Clone, Debug, PartialEq)]
pub struct Rate {
    pub meter: usize,
    pub amount: Steps,
    pub per: u32,
    pub soft: bool,
}

/// The settings of a balance.
#[derive(Clone, Debug)]
pub struct Settings {
    pub minimum: Steps,
    pub low: Option<Steps>,
    pub top_up: Option<Steps>,
    pub filters: Texts,
    pub priority: u16,
    pub rate: Option<Rate>,
    pub recurring: Option<Recurring>,
}

/// What the caller adds to an operation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Marks {
    pub key: Option<u8>,
    pub reference: Option<u8>,
}

/// When a grant expires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ends {
    Never,
    In(i64),
    /// At the end of the customer's window.
    With(Period),
}

/// An event to record.
#[derive(Clone, Debug)]
pub struct Sketch {
    pub who: usize,
    pub tokens: Option<Steps>,
    pub units: Option<Steps>,
    pub call: bool,
    pub eu: Option<bool>,
    pub key: Option<u8>,
    /// Happened so many seconds ago.
    pub ago: Option<i64>,
}

/// How time passes before a command.
#[derive(Clone, Copy, Debug)]
pub enum Jump {
    Stay,
    Micros(i64),
    Seconds(i64),
    /// To the next instant at which something happens to a balance by itself, give or take.
    Due(Index, i64),
}

#[derive(Clone, Debug)]
pub enum Command {
    Create {
        who: usize,
        name: usize,
        initial: Option<Steps>,
        settings: Settings,
    },
    Credit {
        which: Index,
        amount: Steps,
        ends: Ends,
        priority: u16,
        source: GrantSource,
        marks: Marks,
    },
    Debit {
        which: Index,
        amount: Steps,
        marks: Marks,
    },
    /// Exactly what is available, give or take.
    DebitAll {
        which: Index,
        over: Steps,
    },
    Adjust {
        which: Index,
        amount: Steps,
        marks: Marks,
    },
    Check {
        which: Index,
        amount: Steps,
        eu: Option<Option<bool>>,
    },
    Hold {
        which: Index,
        amount: Steps,
        seconds: i64,
        key: Option<u8>,
    },
    HoldAll {
        which: Index,
        over: Steps,
        seconds: i64,
    },
    /// A hold of any balance: as much less (or more) than is held.
    Capture {
        which: Index,
        less: Option<Steps>,
    },
    Release(Index),
    Extend(Index, i64),
    Record(Sketch),
    Batch(Vec<Sketch>),
    Track(Sketch),
    Void(Index),
    Reserve(Sketch, i64),
    Commit(Index, Option<(Option<Steps>, Option<Steps>)>),
    ReleaseReservation(Index),
    ExtendReservation(Index, i64),
    /// New settings, of which only the fields of the mask are sent.
    Edit {
        which: Index,
        settings: Settings,
        fields: u8,
    },
    Archive(Index),
    Restore(Index),
    ChangeCustomer {
        who: usize,
        zone: Option<usize>,
        anchor: Option<usize>,
    },
    /// Something under a key, asked again as it was.
    Repeat(Index),
    Reopen,
    Crash,
    /// The balance may be debited by a name that nobody knows.
    Unknown(usize),
}

#[derive(Clone, Debug)]
pub struct Step {
    pub jump: Jump,
    pub command: Command,
}

pub fn quantity(steps: Steps) -> Quantity {
    Quantity::from_steps(steps)
}

fn amount() -> impl Strategy<Value = Steps> {
    prop_oneof![
        6 => (1..6_i128).prop_map(|whole| whole * WHOLE),
        6 => (4..20_i128).prop_map(|whole| whole * WHOLE),
        2 => select(vec![WHOLE / 2, 333_333_333, 1, 2, WHOLE + 1, 1_234_567_891]),
        1 => select(vec![20, 50, 1_000_000]).prop_map(|whole: i128| whole * WHOLE),
    ]
}

fn used() -> impl Strategy<Value = Option<Steps>> {
    prop_oneof![
        1 => Just(None),
        8 => (1..7_i128).prop_map(|whole| Some(whole * WHOLE)),
        2 => (-6..1_i128).prop_map(|whole| Some(whole * WHOLE)),
        1 => select(vec![Some(1), Some(WHOLE / 2), Some(-WHOLE / 2), Some(30 * WHOLE)]),
    ]
}

fn priority() -> impl Strategy<Value = u16> {
    select(vec![100, 100, 100, 0, 5, 1_000])
}

fn source() -> impl Strategy<Value = GrantSource> {
    select(GrantSource::ALL.to_vec())
}

fn period() -> impl Strategy<Value = Period> {
    select(vec![Period::Hour, Period::Day, Period::Day, Period::Week, Period::Month, Period::Annual])
}

fn recurring() -> impl Strategy<Value = Recurring> {
    (amount(), any::<bool>(), period(), any::<bool>(), priority(), source()).prop_map(
        |(amount, up_to, period, expires, priority, source)| Recurring {
            amount,
            up_to,
            period,
            expires,
            priority,
            source,
        },
    )
}

fn rate() -> impl Strategy<Value = Rate> {
    let price = select(vec![
        (WHOLE, 1),
        (WHOLE, 1),
        (2 * WHOLE, 1),
        (WHOLE, 2),
        (WHOLE, 3),
        (WHOLE, 3),
        (2 * WHOLE, 3),
        (1, 2),
        (WHOLE / 2, 1),
        (3 * WHOLE, 7),
    ]);
    (prop_oneof![6 => Just(0_usize), 1 => Just(1), 1 => Just(2)], price, prop::bool::weighted(0.3))
        .prop_map(|(meter, (amount, per), soft)| Rate { meter, amount, per, soft })
}

fn region(eu: bool) -> (String, String) {
    ("region".to_owned(), if eu { "eu" } else { "us" }.to_owned())
}

pub fn regions(eu: Option<bool>) -> Texts {
    eu.map(region).into_iter().collect()
}

fn settings() -> impl Strategy<Value = Settings> {
    let minimum = select(vec![0, 0, 0, 0, 0, 2, -1, -5, -10]).prop_map(|whole: i128| whole * WHOLE);
    let threshold = select(vec![0, 1, 3, 5, 10, -2]).prop_map(|whole: i128| whole * WHOLE);
    let filters = prop_oneof![5 => Just(None), 1 => any::<bool>().prop_map(Some)].prop_map(regions);
    let (rate, recurring) = (prop::option::weighted(0.7, rate()), prop::option::weighted(0.15, recurring()));
    (minimum, of(threshold.clone()), prop::option::weighted(0.3, threshold), filters, priority(), rate, recurring)
        .prop_map(|(minimum, low, top_up, filters, priority, rate, recurring)| Settings {
            minimum,
            low,
            top_up,
            filters,
            priority,
            rate,
            recurring,
        })
}

fn marks() -> impl Strategy<Value = Marks> {
    let key = prop_oneof![3 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let reference = prop_oneof![6 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    (key, reference).prop_map(|(key, reference)| Marks { key, reference })
}

fn seconds() -> impl Strategy<Value = i64> {
    select(SECONDS.to_vec())
}

fn ends() -> impl Strategy<Value = Ends> {
    prop_oneof![
        5 => Just(Ends::Never),
        4 => seconds().prop_map(Ends::In),
        1 => select(vec![86_400, 31 * 86_400]).prop_map(Ends::In),
        1 => period().prop_map(Ends::With),
    ]
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let key = prop_oneof![5 => Just(None), 1 => (0..3_u8).prop_map(Some)];
    let ago = prop_oneof![4 => Just(None), 1 => select(vec![0, 1, 3_600, 90 * 86_400, -60]).prop_map(Some)];
    let who = prop_oneof![9 => Just(0_usize), 1 => Just(1)];
    (who, used(), used(), any::<bool>(), of(any::<bool>()), key, ago)
        .prop_map(|(who, tokens, units, call, eu, key, ago)| Sketch { who, tokens, units, call, eu, key, ago })
}

fn jump() -> impl Strategy<Value = Jump> {
    prop_oneof![
        50 => Just(Jump::Stay),
        1 => (1..3_i64).prop_map(Jump::Micros),
        4 => select(vec![1, 4, 55]).prop_map(Jump::Seconds),
        2 => seconds().prop_map(Jump::Seconds),
        1 => select(vec![3_600, 86_400, 7 * 86_400, 62 * 86_400]).prop_map(Jump::Seconds),
        7 => (any::<Index>(), select(vec![-1, 0, 0, 0, 1])).prop_map(|(which, micros)| Jump::Due(which, micros)),
    ]
}

fn create() -> impl Strategy<Value = Command> {
    let who = prop_oneof![9 => Just(0_usize), 1 => Just(1)];
    (who, 0..BALANCES.len(), prop::option::weighted(0.9, amount()), settings())
        .prop_map(|(who, name, initial, settings)| Command::Create { who, name, initial, settings })
}

fn command() -> impl Strategy<Value = Command> {
    let which = any::<Index>;
    let eu = of(of(any::<bool>()));
    let less = select(vec![0, 1, 2, 5, -1, -3, -20]).prop_map(|whole: i128| whole * WHOLE);
    let adjusted = prop_oneof![2 => amount(), 2 => amount().prop_map(|amount| -amount), 1 => Just(-30 * WHOLE)];
    let over = select(vec![0, 0, 0, 1, -1, -WHOLE]);
    prop_oneof![
        2 => create(),
        20 => (which(), amount(), ends(), priority(), source(), marks()).prop_map(|(which, amount, ends, priority, source, marks)| Command::Credit { which, amount, ends, priority, source, marks }),
        8 => (which(), amount(), marks()).prop_map(|(which, amount, marks)| Command::Debit { which, amount, marks }),
        1 => (which(), over.clone()).prop_map(|(which, over)| Command::DebitAll { which, over }),
        3 => (which(), adjusted, marks()).prop_map(|(which, amount, marks)| Command::Adjust { which, amount, marks }),
        2 => (which(), amount(), eu).prop_map(|(which, amount, eu)| Command::Check { which, amount, eu }),
        10 => (which(), prop_oneof![(1..7_i128).prop_map(|whole| whole * WHOLE), amount()], seconds(), of(0..4_u8)).prop_map(|(which, amount, seconds, key)| Command::Hold { which, amount, seconds, key: key.filter(|key| *key < 2) }),
        2 => (which(), over, seconds()).prop_map(|(which, over, seconds)| Command::HoldAll { which, over, seconds }),
        16 => (which(), of(less)).prop_map(|(which, less)| Command::Capture { which, less }),
        3 => which().prop_map(Command::Release),
        2 => (which(), seconds()).prop_map(|(which, seconds)| Command::Extend(which, seconds)),
        12 => sketch().prop_map(Command::Record),
        2 => prop::collection::vec(sketch(), 1..5).prop_map(Command::Batch),
        8 => sketch().prop_map(Command::Track),
        10 => which().prop_map(Command::Void),
        9 => (sketch(), seconds()).prop_map(|(sketch, seconds)| Command::Reserve(sketch, seconds)),
        15 => (which(), of((used(), used()))).prop_map(|(which, values)| Command::Commit(which, values)),
        2 => which().prop_map(Command::ReleaseReservation),
        1 => (which(), seconds()).prop_map(|(which, seconds)| Command::ExtendReservation(which, seconds)),
        4 => (which(), settings(), any::<u8>()).prop_map(|(which, settings, fields)| Command::Edit { which, settings, fields }),
        1 => which().prop_map(Command::Archive),
        2 => which().prop_map(Command::Restore),
        1 => (0..CUSTOMERS.len(), of(0..ZONES.len()), of(0..ANCHORS.len())).prop_map(|(who, zone, anchor)| Command::ChangeCustomer { who, zone, anchor }),
        3 => which().prop_map(Command::Repeat),
        2 => Just(Command::Reopen),
        2 => Just(Command::Crash),
        1 => (0..CUSTOMERS.len()).prop_map(Command::Unknown),
    ]
}

/// Some balances to begin with, then anything.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let first = prop::collection::vec(create(), 1..4);
    let then =
        prop::collection::vec((jump(), command()).prop_map(|(jump, command)| Step { jump, command }), most / 2..most);
    (first, then).prop_map(|(first, then)| {
        let set_up = first.into_iter().enumerate().map(|(number, command)| match command {
            Command::Create { initial, settings, .. } => Command::Create { who: 0, name: number, initial, settings },
            other => other,
        });
        let set_up = set_up.map(|command| Step { jump: Jump::Stay, command });
        set_up.chain(then).collect()
    })
}

/// Values and dimensions in full.
impl Sketch {
    pub fn values(&self) -> BTreeMap<String, Quantity> {
        values(self.tokens, self.units)
    }
}

pub fn values(tokens: Option<Steps>, units: Option<Steps>) -> BTreeMap<String, Quantity> {
    let named = [("tokens", tokens), ("units", units)];
    named.into_iter().filter_map(|(name, steps)| Some((name.to_owned(), quantity(steps?)))).collect()
}

pub fn event_type(call: bool) -> String {
    if call { "call" } else { "login" }.to_owned()
}
