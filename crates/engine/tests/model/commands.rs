//! What can happen to an engine, drawn at random: small choices that meet often.

use std::collections::BTreeMap;

use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use weir_core::aggregate::Aggregation;
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::Enforcement;

use crate::plain::{Definition, Texts};

/// Customers by number; the last is never given anything but questions.
pub const CUSTOMERS: [&str; 4] = ["acme", "beta", "corp", "stranger"];
pub const KNOWN: usize = 3;
/// Zones with daylight saving of an hour and half an hour, at three quarters of an hour, and off every grid before 1972.
pub const ZONES: [&str; 6] =
    ["UTC", "America/Los_Angeles", "Asia/Kathmandu", "Australia/Lord_Howe", "Europe/Paris", "Africa/Monrovia"];
pub const ANCHORS: [&str; 5] = ["2024-01-31", "2024-02-29", "2025-06-15", "2026-03-01", "1971-12-30"];
/// Around changes of clocks, ends of months and years, and where Monrovia's days begin off the quarter hour.
pub const STARTS: [&str; 7] = [
    "2026-03-10T12:00:00Z",
    "2026-03-29T00:58:00Z",
    "2026-03-08T07:56:00Z",
    "2026-10-03T15:20:00Z",
    "2024-02-28T23:57:30Z",
    "2026-12-31T23:56:00.000001Z",
    "1971-12-31T00:40:00Z",
];
pub const LIMIT_NAMES: [&str; 5] = ["one", "two", "three", "four", "five"];
pub const METER_NAMES: [&str; 8] = ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"];

/// An event to record.
#[derive(Clone, Debug)]
pub struct Sketch {
    pub who: usize,
    pub login: bool,
    pub tokens: Option<i16>,
    pub seats: Option<i16>,
    pub feature: Option<bool>,
    pub region: Option<bool>,
    pub user: Option<u8>,
    pub when: When,
    pub key: Option<u8>,
    pub broken: bool,
}

/// When an event happens.
#[derive(Clone, Debug)]
pub enum When {
    Unsaid,
    /// So many seconds before now; after, if negative.
    Ago(i64),
    /// On the start or end of a window of now, give or take a microsecond.
    Edge {
        period: Period,
        end: bool,
        micros: i64,
    },
    /// More than five minutes ahead: refused.
    TooFar,
}

/// How a limit may be set up or changed.
#[derive(Clone, Debug)]
pub struct LimitSketch {
    pub name: usize,
    pub meter: Index,
    pub value: Quantity,
    pub period: Period,
    pub filters: Texts,
    pub enforcement: Enforcement,
    pub enabled: bool,
    pub thresholds: Vec<u16>,
}

#[derive(Clone, Debug)]
pub enum Question {
    Bare,
    Event { feature: Option<Option<bool>>, region: Option<bool>, login: Option<bool> },
    Values { feature: Option<bool>, login: Option<bool>, tokens: Option<i16>, seats: Option<i16>, user: Option<u8> },
}

#[derive(Clone, Debug)]
pub enum Command {
    Record(Sketch),
    Batch(Vec<Sketch>),
    /// An event that carried a key, sent again as it was, alone or between others.
    Repeat(Index, Option<Sketch>),
    /// An event, voided before or not.
    Void(Index, Option<u8>),
    Track(Sketch),
    /// A share to hold for so many seconds.
    Reserve(Sketch, u32),
    /// A reservation, with the values that it comes to if they are not those held.
    Commit(Index, Option<(Option<i16>, Option<i16>)>),
    Release(Index),
    Extend(Index, u32),
    /// A limit's higher value for a customer, for so many seconds.
    Raise {
        which: Index,
        who: usize,
        value: Quantity,
        seconds: i64,
    },
    EndRaise {
        which: Index,
        who: usize,
    },
    Reset {
        which: Index,
        who: usize,
    },
    Check(usize, Question),
    /// Seconds the clock moves by.
    Clock(i64),
    /// To a window's end, give or take.
    ClockToEdge {
        who: usize,
        period: Period,
        micros: i64,
    },
    NewCustomer {
        who: usize,
        zone: Option<usize>,
        anchor: Option<usize>,
    },
    ChangeCustomer {
        who: usize,
        zone: Option<Option<usize>>,
        anchor: Option<usize>,
    },
    ArchiveCustomer {
        who: usize,
        archived: bool,
    },
    ProjectZone(usize),
    NewLimit {
        who: Option<usize>,
        limit: LimitSketch,
    },
    /// A whole new set-up, of which only the fields of the mask are sent.
    ChangeLimit {
        which: Index,
        limit: LimitSketch,
        fields: u8,
    },
    ArchiveLimit {
        which: Index,
        archived: bool,
    },
    NewMeter {
        name: usize,
        definition: Definition,
    },
    ChangeMeter {
        which: Index,
        name: Option<usize>,
        definition: Option<Definition>,
    },
    ArchiveMeter {
        which: Index,
        archived: bool,
    },
    Reopen,
    /// What a power cut leaves: a copy of the files as they stand.
    Crash,
    Lists,
}

/// A command, and the customers that are looked at afterwards.
#[derive(Clone, Debug)]
pub struct Step {
    pub command: Command,
    pub look: u8,
}

fn texts(entries: &[(&str, &str)]) -> Texts {
    entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub fn definition() -> impl Strategy<Value = Definition> {
    use Aggregation::{Avg, Count, Latest, Max, Min, Sum, Unique};
    let limitable = select(vec![
        (Sum, "values.tokens"),
        (Sum, "values.seats"),
        (Count, "*"),
        (Max, "values.tokens"),
        (Latest, "values.seats"),
        (Latest, "values.tokens"),
        (Unique, "dimensions.user"),
        (Unique, "dimensions.event_type"),
    ]);
    let field = prop_oneof![9 => limitable, 1 => select(vec![(Min, "values.tokens"), (Avg, "values.tokens")])];
    let filter = select(vec![
        (None, texts(&[])),
        (None, texts(&[])),
        (Some("call"), texts(&[])),
        (None, texts(&[("region", "eu")])),
        (Some("login"), texts(&[("feature", "a")])),
        (None, texts(&[("customer_id", "acme")])),
    ]);
    let group_by =
        select(vec![vec![], vec!["feature"], vec!["feature", "region"], vec!["event_type"], vec!["customer_id"]]);
    (field, filter, group_by).prop_map(|((aggregation, field), (event_type, dimensions), group_by)| Definition {
        aggregation,
        field,
        event_type,
        dimensions,
        group_by,
    })
}

fn when() -> impl Strategy<Value = When> {
    let near = vec![0, 1, 59, 900, 3_599, 3_600, -1, -60, -150, -299, -300];
    let far = vec![7_200, 86_400, 7 * 86_400, 31 * 86_400, 366 * 86_400];
    prop_oneof![
        6 => Just(When::Unsaid),
        4 => select(near).prop_map(When::Ago),
        1 => select(far).prop_map(When::Ago),
        4 => (near_period(), any::<bool>(), -1..=1_i64).prop_map(|(period, end, micros)| When::Edge { period, end, micros }),
        1 => (-300..90_000_i64).prop_map(When::Ago),
    ]
}

/// Mostly short ones, so that what was recorded is not left behind at once.
fn near_period() -> impl Strategy<Value = Period> {
    prop_oneof![5 => Just(Period::Hour), 3 => Just(Period::Day), 2 => period()]
}

fn period() -> impl Strategy<Value = Period> {
    select(Period::ALL.to_vec())
}

fn amount() -> impl Strategy<Value = Option<i16>> {
    // In tenths.
    prop_oneof![1 => Just(None), 4 => (-3..60_i16).prop_map(Some), 1 => (0..3_i16).prop_map(|whole| Some(whole * 10))]
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let key = prop_oneof![2 => Just(None), 1 => (0..4_u8).prop_map(Some)];
    let entries = (amount(), amount(), of(any::<bool>()), of(any::<bool>()), of(0..3_u8));
    (0..KNOWN, any::<bool>(), entries, when(), key).prop_map(|(who, login, entries, when, key)| {
        let (tokens, seats, feature, region, user) = entries;
        Sketch { who, login, tokens, seats, feature, region, user, when, key, broken: false }
    })
}

/// Now and then one that cannot be recorded.
fn faulty_sketch() -> impl Strategy<Value = Sketch> {
    (sketch(), 0..40_u8).prop_map(|(sketch, fault)| match fault {
        0 => Sketch { broken: true, ..sketch },
        1 => Sketch { when: When::TooFar, ..sketch },
        _ => sketch,
    })
}

fn limit() -> impl Strategy<Value = LimitSketch> {
    let filters = select(vec![
        texts(&[]),
        texts(&[]),
        texts(&[("feature", "a")]),
        texts(&[("feature", "b")]),
        texts(&[("region", "eu")]),
        texts(&[("feature", "a"), ("region", "eu")]),
        texts(&[("event_type", "call")]),
        texts(&[("customer_id", "beta")]),
        texts(&[("nowhere", "x")]),
    ]);
    let value = select(vec![5, 10, 20, 25, 30, 29, 70, 200, 10_000]).prop_map(tenth);
    let enforcement = prop_oneof![3 => Just(Enforcement::Hard), 1 => Just(Enforcement::Soft)];
    let thresholds = select(vec![vec![], vec![80], vec![50, 100], vec![1, 100, 250]]);
    let rest = (prop::bool::weighted(0.9), thresholds);
    (0..LIMIT_NAMES.len(), any::<Index>(), value, period(), filters, enforcement, rest).prop_map(
        |(name, meter, value, period, filters, enforcement, (enabled, thresholds))| LimitSketch {
            thresholds,
            name,
            meter,
            value,
            period,
            filters,
            enforcement,
            enabled,
        },
    )
}

pub fn tenth(tenths: i16) -> Quantity {
    Quantity::from_steps(i128::from(tenths) * 100_000_000)
}

fn question() -> impl Strategy<Value = Question> {
    prop_oneof![
        Just(Question::Bare),
        (of(of(any::<bool>())), of(any::<bool>()), of(any::<bool>()))
            .prop_map(|(feature, region, login)| Question::Event { feature, region, login }),
        (of(any::<bool>()), of(any::<bool>()), amount(), amount(), of(0..4_u8))
            .prop_map(|(feature, login, tokens, seats, user)| Question::Values { feature, login, tokens, seats, user }),
    ]
}

fn ttl() -> impl Strategy<Value = u32> {
    select(vec![1, 60, 300, 3_600])
}

fn command() -> impl Strategy<Value = Command> {
    let who = 0..KNOWN;
    let zone = 0..ZONES.len();
    let near = select(vec![1, 60, 299, 300, 301, 900, 3_600, -1, -3_600]);
    let far = select(vec![3_600, 86_400, 7 * 86_400, 31 * 86_400, 366 * 86_400]);
    let seconds = prop_oneof![4 => near, 1 => far];
    prop_oneof![
        18 => faulty_sketch().prop_map(Command::Record),
        5 => prop::collection::vec(faulty_sketch(), 1..12).prop_map(Command::Batch),
        3 => (any::<Index>(), of(sketch())).prop_map(|(which, beside)| Command::Repeat(which, beside)),
        5 => (any::<Index>(), of(0..3_u8)).prop_map(|(which, reason)| Command::Void(which, reason)),
        10 => (0..CUSTOMERS.len(), question()).prop_map(|(who, question)| Command::Check(who, question)),
        8 => faulty_sketch().prop_map(Command::Track),
        8 => (faulty_sketch(), ttl()).prop_map(|(sketch, ttl)| Command::Reserve(sketch, ttl)),
        6 => (any::<Index>(), of((amount(), amount()))).prop_map(|(which, values)| Command::Commit(which, values)),
        2 => any::<Index>().prop_map(Command::Release),
        1 => (any::<Index>(), ttl()).prop_map(|(which, ttl)| Command::Extend(which, ttl)),
        3 => (any::<Index>(), who.clone(), select(vec![29, 40, 100, 500]).prop_map(tenth), select(vec![1, 300, 3_600, 90_000])).prop_map(|(which, who, value, seconds)| Command::Raise { which, who, value, seconds }),
        1 => (any::<Index>(), who.clone()).prop_map(|(which, who)| Command::EndRaise { which, who }),
        2 => (any::<Index>(), who.clone()).prop_map(|(which, who)| Command::Reset { which, who }),
        3 => seconds.prop_map(Command::Clock),
        4 => (0..CUSTOMERS.len(), near_period(), select(vec![-150_000_000, -1, 0, 1])).prop_map(|(who, period, micros)| Command::ClockToEdge { who, period, micros }),
        1 => (who.clone(), of(zone.clone()), of(0..ANCHORS.len())).prop_map(|(who, zone, anchor)| Command::NewCustomer { who, zone, anchor }),
        2 => (who.clone(), of(of(zone.clone())), of(0..ANCHORS.len())).prop_map(|(who, zone, anchor)| Command::ChangeCustomer { who, zone, anchor }),
        1 => (who.clone(), any::<bool>()).prop_map(|(who, archived)| Command::ArchiveCustomer { who, archived }),
        1 => zone.prop_map(Command::ProjectZone),
        3 => (of(who), limit()).prop_map(|(who, limit)| Command::NewLimit { who, limit }),
        4 => (any::<Index>(), limit(), any::<u8>()).prop_map(|(which, limit, fields)| Command::ChangeLimit { which, limit, fields }),
        2 => (any::<Index>(), any::<bool>()).prop_map(|(which, archived)| Command::ArchiveLimit { which, archived }),
        1 => (0..METER_NAMES.len(), definition()).prop_map(|(name, definition)| Command::NewMeter { name, definition }),
        2 => (any::<Index>(), of(0..METER_NAMES.len()), of(definition())).prop_map(|(which, name, definition)| Command::ChangeMeter { which, name, definition }),
        1 => (any::<Index>(), any::<bool>()).prop_map(|(which, archived)| Command::ArchiveMeter { which, archived }),
        2 => Just(Command::Reopen),
        2 => Just(Command::Crash),
        1 => Just(Command::Lists),
    ]
}

/// Some meters and limits to begin with, then anything.
pub fn steps(most: usize) -> impl Strategy<Value = Vec<Step>> {
    let meters = prop::collection::vec(definition(), 1..6).prop_map(|definitions| {
        let meter = |(name, definition)| Command::NewMeter { name, definition };
        definitions.into_iter().enumerate().map(meter).collect::<Vec<_>>()
    });
    let limit = (prop::option::weighted(0.3, 0..KNOWN), limit());
    let limits = prop::collection::vec(limit, 2..8).prop_map(|limits| {
        let limit = |(name, (who, limit))| Command::NewLimit { who, limit: LimitSketch { name: name % 5, ..limit } };
        limits.into_iter().enumerate().map(limit).collect::<Vec<_>>()
    });
    let look = prop_oneof![3 => Just(0_u8), 2 => any::<u8>(), 1 => Just(u8::MAX)];
    let then = prop::collection::vec((command(), look).prop_map(|(command, look)| Step { command, look }), 1..most);
    (meters, limits, then).prop_map(|(meters, limits, then)| {
        let set_up = meters.into_iter().chain(limits).map(|command| Step { command, look: 0 });
        set_up.chain(then).collect()
    })
}

/// Values and dimensions in full.
impl Sketch {
    pub fn values(&self) -> BTreeMap<String, Quantity> {
        amounts(self.tokens, self.seats)
    }

    pub fn dimensions(&self) -> Texts {
        let mut dimensions = Texts::new();
        dimensions.extend(self.feature.map(feature));
        dimensions.extend(self.region.map(region));
        dimensions.extend(self.user.map(user));
        dimensions
    }
}

pub fn amounts(tokens: Option<i16>, seats: Option<i16>) -> BTreeMap<String, Quantity> {
    let named = [("tokens", tokens), ("seats", seats)];
    named.into_iter().filter_map(|(name, tenths)| Some((name.to_owned(), tenth(tenths?)))).collect()
}

pub fn event_type(login: bool) -> String {
    if login { "login" } else { "call" }.to_owned()
}

pub fn feature(a: bool) -> (String, String) {
    ("feature".to_owned(), if a { "a" } else { "b" }.to_owned())
}

pub fn region(eu: bool) -> (String, String) {
    ("region".to_owned(), if eu { "eu" } else { "us" }.to_owned())
}

pub fn user(number: u8) -> (String, String) {
    ("user".to_owned(), format!("u{number}"))
}
