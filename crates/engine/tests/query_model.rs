//! Answers held against two judges that share nothing with the engine: a plain model in memory, and SQL over the recorded rows.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use common::{Bench, actor, at};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Row, SqliteConnection};
use weir_core::aggregate::Aggregation;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::{EventId, MeterId};
use weir_core::interval::Interval;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};
use weir_engine::model::{
    ListEvents, NewCustomer, NewMeter, PageSize, Point, PreviewMeter, ProjectPatch, QueryAnswer, QueryMeter,
};
use weir_engine::{DATA_FILE, doctor};

const HOUR: i64 = 3_600_000_000;

/// Around changes of clocks, on and off the quarter hour.
const ERAS: [&str; 6] = [
    "1972-01-07T00:00:00Z", // Monrovia leaves an offset of 44 minutes and a half
    "2011-12-30T10:00:00Z", // Apia skips a day
    "2024-03-10T10:00:00Z",
    "2024-10-05T15:30:00Z", // Lord Howe moves by half an hour
    "2024-11-03T09:00:00Z",
    "2026-03-01T00:00:00Z",
];
const ZONES: [&str; 7] = [
    "UTC",
    "Africa/Monrovia",
    "Pacific/Apia",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
];

#[derive(Clone, Debug)]
struct Sample {
    customer: String,
    event_type: String,
    /// In steps of 10⁻⁹.
    tokens: Option<i64>,
    dimensions: BTreeMap<String, String>,
    at: Timestamp,
}

impl Sample {
    fn dimension(&self, name: &str) -> Option<String> {
        match name {
            "customer_id" => Some(self.customer.clone()),
            "event_type" => Some(self.event_type.clone()),
            _ => self.dimensions.get(name).cloned(),
        }
    }

    fn input(&self) -> EventInput {
        EventInput {
            customer_id: self.customer.clone(),
            event_type: self.event_type.clone(),
            values: self
                .tokens
                .map(|steps| ("tokens".to_owned(), Quantity::from_steps(steps.into())))
                .into_iter()
                .collect(),
            dimensions: self.dimensions.clone(),
            timestamp: Some(self.at),
            ..EventInput::default()
        }
    }
}

/// Where in time a case plays.
#[derive(Clone, Debug)]
struct Stage {
    era: Timestamp,
    /// Events lie so many microseconds around the era.
    reach: i64,
    zone: Zone,
    customer_zone: Zone,
}

impl Stage {
    fn at(&self, share: f64) -> Timestamp {
        self.era.saturating_add_micros((share * self.reach as f64) as i64)
    }
}

fn zone() -> impl Strategy<Value = Zone> {
    let all: Vec<Zone> = Zone::all().collect();
    prop_oneof![prop::sample::select(&ZONES[..]).prop_map(|name| Zone::parse(name).unwrap()), prop::sample::select(all),]
}

fn stage() -> impl Strategy<Value = Stage> {
    (prop::sample::select(&ERAS[..]), prop::sample::select(&[HOUR, 40 * HOUR, 1_000 * HOUR][..]), zone(), zone())
        .prop_map(|(era, reach, zone, customer_zone)| Stage { era: at(era), reach, zone, customer_zone })
}

fn some_of(names: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::weighted(0.8, prop::sample::select(names).prop_map(str::to_owned))
}

/// Customer, type, tokens, model, region, user, and where around the era.
type Raw = (&'static str, &'static str, Option<i64>, Option<String>, Option<String>, Option<String>, f64);

fn raw_event() -> impl Strategy<Value = Raw> {
    (
        prop::sample::select(&["acme", "beta", "gamma"][..]),
        prop::sample::select(&["call", "upload"][..]),
        prop::option::weighted(
            0.85,
            prop_oneof![
                (-5_i64..20).prop_map(|whole| whole * 1_000_000_000),
                -2_000_000_000_000_i64..9_000_000_000_000
            ],
        ),
        some_of(&["large", "small"]),
        some_of(&["eu", "us", "\"]'"]),
        some_of(&["u1", "u2", "u3", "u4"]),
        -1.0..1.0_f64,
    )
}

fn sample(stage: &Stage, raw: &Raw) -> Sample {
    let (customer, event_type, tokens, model, region, user, share) = raw.clone();
    let named = [("model", model), ("region", region), ("user", user)];
    Sample {
        customer: customer.to_owned(),
        event_type: event_type.to_owned(),
        tokens,
        dimensions: named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
        at: stage.at(share),
    }
}

#[derive(Clone, Debug)]
struct Ask {
    meter: usize,
    customer: Option<&'static str>,
    from: Option<f64>,
    to: Option<f64>,
    interval: Option<Interval>,
    group_by: Vec<&'static str>,
    dimensions: Vec<(&'static str, &'static str)>,
}

fn ask() -> impl Strategy<Value = Ask> {
    const GROUP_BY: [&[&str]; 8] = [
        &[],
        &["model"],
        &["region"],
        &["customer_id"],
        &["event_type"],
        &["model", "region"],
        &["region", "customer_id", "event_type"],
        &["user"],
    ];
    const DIMENSIONS: [&[(&str, &str)]; 8] = [
        &[],
        &[],
        &[("model", "large")],
        &[("model", "unheard of")],
        &[("region", "\"]'")],
        &[("model", "small"), ("event_type", "call")],
        &[("customer_id", "beta")],
        &[("customer_id", "beta"), ("model", "small")],
    ];
    (
        0..METERS.len() * 2,
        prop::option::of(prop::sample::select(&["acme", "beta"][..])),
        prop::option::weighted(0.7, -1.1..1.0_f64),
        prop::option::weighted(0.7, 0.0..1.1_f64),
        prop::option::weighted(0.7, prop::sample::select(&Interval::ALL[..])),
        prop::sample::select(&GROUP_BY[..]),
        prop::sample::select(&DIMENSIONS[..]),
    )
        .prop_map(|(meter, customer, from, to, interval, group_by, dimensions)| Ask {
            meter,
            customer,
            from,
            // Never before `from`.
            to: to.map(|to| to.max(from.unwrap_or(-1.1) + 1e-6)),
            interval,
            group_by: group_by.to_vec(),
            dimensions: dimensions.to_vec(),
        })
}

const METERS: [(Aggregation, &str); 7] = [
    (Aggregation::Sum, "values.tokens"),
    (Aggregation::Count, "*"),
    (Aggregation::Max, "values.tokens"),
    (Aggregation::Latest, "values.tokens"),
    (Aggregation::Min, "values.tokens"),
    (Aggregation::Avg, "values.tokens"),
    (Aggregation::Unique, "dimensions.user"),
];

/// The meters, then the same ones with a filter.
fn filter_of(meter: usize) -> EventFilter {
    if meter < METERS.len() {
        return EventFilter::default();
    }
    EventFilter {
        event_type: Some("call".to_owned()),
        dimensions: BTreeMap::from([("model".to_owned(), "small".to_owned())]),
    }
}

fn new_meter(meter: usize) -> NewMeter {
    let (aggregation, field) = METERS[meter % METERS.len()];
    NewMeter {
        name: format!("meter {meter}"),
        description: None,
        aggregation,
        field: field.to_owned(),
        event_filter: filter_of(meter),
        group_by: vec!["model".to_owned(), "region".to_owned()],
        unit: None,
    }
}

/// The value of some events, by plain arithmetic. They stand in the order of their ids.
fn model_value(kind: Aggregation, events: &[&Sample]) -> Option<i128> {
    let tokens: Vec<i128> = events.iter().filter_map(|event| event.tokens).map(i128::from).collect();
    const ONE: i128 = 1_000_000_000;
    match kind {
        Aggregation::Sum => Some(tokens.iter().sum()),
        Aggregation::Count => Some(events.len() as i128 * ONE),
        Aggregation::Max => tokens.iter().max().copied(),
        Aggregation::Min => tokens.iter().min().copied(),
        Aggregation::Avg => half_even(tokens.iter().sum(), tokens.len() as i128),
        Aggregation::Latest => {
            let with = events.iter().filter(|event| event.tokens.is_some());
            // Of equal times the last, as `max_by_key` has it.
            with.max_by_key(|event| event.at).and_then(|event| event.tokens).map(i128::from)
        }
        Aggregation::Unique => {
            let users: BTreeSet<_> = events.iter().filter_map(|event| event.dimensions.get("user")).collect();
            Some(users.len() as i128 * ONE)
        }
    }
}

fn half_even(sum: i128, count: i128) -> Option<i128> {
    if count == 0 {
        return None;
    }
    let (floor, rest) = (sum.div_euclid(count), sum.rem_euclid(count));
    Some(if rest * 2 > count || (rest * 2 == count && floor % 2 != 0) { floor + 1 } else { floor })
}

fn has_field(kind: Aggregation, event: &Sample) -> bool {
    match kind {
        Aggregation::Count => true,
        Aggregation::Unique => event.dimensions.contains_key("user"),
        _ => event.tokens.is_some(),
    }
}

/// The value of events in SQL: numbers are taken from the JSON text as whole steps, so nothing passes through a float.
async fn sql_value(
    conn: &mut SqliteConnection,
    kind: Aggregation,
    filters: &[(String, Option<String>)],
    span: (i64, i64),
) -> Option<i128> {
    let mut wheres = String::new();
    for (name, value) in filters {
        let place = match name.as_str() {
            "customer_id" => "c.external_id".to_owned(),
            "event_type" => "t.name".to_owned(),
            _ => format!("(SELECT d.value FROM json_each(e.dimensions) d WHERE d.key = '{name}')"),
        };
        match value {
            Some(value) => wheres += &format!(" AND {place} = '{}'", value.replace('\'', "''")),
            None => wheres += &format!(" AND {place} IS NULL"),
        }
    }
    let steps = "CAST(replace(text, '.', '') || substr('000000000', 1 + CASE instr(text, '.') WHEN 0 THEN 0 \
                 ELSE length(text) - instr(text, '.') END) AS INTEGER)";
    let what = match kind {
        Aggregation::Sum => format!("coalesce(sum({steps}), 0)"),
        Aggregation::Count => "count(*) * 1000000000".to_owned(),
        Aggregation::Max => format!("max({steps})"),
        Aggregation::Min => format!("min({steps})"),
        Aggregation::Avg => format!("sum({steps})"),
        Aggregation::Latest => format!("(SELECT {steps} FROM rows ORDER BY at DESC, id DESC LIMIT 1)"),
        Aggregation::Unique => "count(DISTINCT user) * 1000000000".to_owned(),
    };
    let from = match kind {
        Aggregation::Count | Aggregation::Unique => "'' AS text FROM event e",
        _ => r#"e."values" -> v.key AS text FROM event e JOIN json_each(e."values") v ON v.key = 'tokens'"#,
    };
    let sql = format!(
        "WITH rows AS (SELECT e.at, e.id, e.dimensions ->> 'user' AS user, {from} JOIN customer c ON c.id = e.customer \
           JOIN event_type t ON t.id = e.type WHERE e.at >= ?1 AND e.at < ?2 \
             AND e.seq NOT IN (SELECT event FROM void){wheres}) \
         SELECT {what}, count(*) FROM rows"
    );
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(span.0).bind(span.1).fetch_one(conn).await.unwrap();
    let value: Option<i64> = row.try_get(0).unwrap();
    match kind {
        Aggregation::Avg => value.and_then(|sum| half_even(sum.into(), row.get::<i64, _>(1).into())),
        _ => value.map(i128::from),
    }
}

struct Judges<'a> {
    samples: &'a [Sample],
    conn: SqliteConnection,
}

impl Judges<'_> {
    /// Both judges' verdict on a value.
    async fn check(
        &mut self,
        kind: Aggregation,
        filters: &[(String, Option<String>)],
        span: (Timestamp, Timestamp),
        value: Option<Quantity>,
        what: &str,
    ) -> Result<(), TestCaseError> {
        let chosen: Vec<&Sample> = self
            .samples
            .iter()
            .filter(|event| span.0 <= event.at && event.at < span.1)
            .filter(|event| filters.iter().all(|(name, wanted)| event.dimension(name) == *wanted))
            .collect();
        let value = value.map(Quantity::steps);
        prop_assert_eq!(value, model_value(kind, &chosen), "{} by the model", what);
        let by_sql = sql_value(&mut self.conn, kind, filters, (span.0.as_micros(), span.1.as_micros())).await;
        prop_assert_eq!(value, by_sql, "{} by SQL", what);
        Ok(())
    }

    async fn check_points(
        &mut self,
        kind: Aggregation,
        filters: &[(String, Option<String>)],
        points: &[Point],
        what: &str,
    ) -> Result<(), TestCaseError> {
        // All of them by the model; some of them by SQL, which reads everything each time.
        for (index, point) in points.iter().enumerate() {
            let filled = self.samples.iter().any(|event| point.start <= event.at && event.at < point.end);
            if filled || index % 97 == 0 {
                let what = format!("{what}, point {index} from {}", point.start);
                self.check(kind, filters, (point.start, point.end), point.value, &what).await?;
            } else {
                prop_assert_eq!(point.value.map(Quantity::steps), model_value(kind, &[]), "an empty point of {}", what);
            }
        }
        Ok(())
    }
}

async fn check_answer(
    judges: &mut Judges<'_>,
    stage: &Stage,
    ask: &Ask,
    answer: &QueryAnswer,
) -> Result<(), TestCaseError> {
    let kind = METERS[ask.meter % METERS.len()].0;
    let zone = if ask.customer == Some("acme") { stage.customer_zone } else { stage.zone };
    prop_assert_eq!(answer.timezone, zone);
    let (Some(from), Some(to)) = (answer.from, answer.to) else {
        prop_assert!(answer.points.is_empty() && answer.groups.is_empty());
        return Ok(());
    };
    let filter = filter_of(ask.meter);
    let mut filters: Vec<(String, Option<String>)> =
        ask.dimensions.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
    filters.extend(ask.customer.map(|customer| ("customer_id".to_owned(), Some(customer.to_owned()))));
    filters.extend(filter.event_type.map(|event_type| ("event_type".to_owned(), Some(event_type))));
    filters.extend(filter.dimensions.into_iter().map(|(name, value)| (name, Some(value))));
    judges.check(kind, &filters, (from, to), answer.value, "the total").await?;
    let buckets = match ask.interval {
        Some(interval) => interval.buckets(zone, from, to, 5_000).unwrap(),
        None => Vec::new(),
    };
    let cuts: Vec<_> = answer.points.iter().map(|point| (point.start, point.end)).collect();
    prop_assert_eq!(cuts, buckets);
    judges.check_points(kind, &filters, &answer.points, "the series").await?;

    // Every group there is, and each as the judges have it.
    let expected: BTreeSet<BTreeMap<String, Option<String>>> = judges
        .samples
        .iter()
        .filter(|event| from <= event.at && event.at < to && has_field(kind, event))
        .filter(|event| filters.iter().all(|(name, wanted)| event.dimension(name) == *wanted))
        .map(|event| ask.group_by.iter().map(|name| ((*name).to_owned(), event.dimension(name))).collect())
        .filter(|key: &BTreeMap<_, _>| !key.is_empty())
        .collect();
    let found: BTreeSet<_> = answer.groups.iter().map(|group| group.key.clone()).collect();
    prop_assert_eq!(&found, &expected);
    prop_assert_eq!(found.len(), answer.groups.len());
    prop_assert!(answer.groups.is_sorted_by_key(|group| std::cmp::Reverse(group.value)));
    for group in &answer.groups {
        let mut filters = filters.clone();
        filters.extend(group.key.iter().map(|(name, value)| (name.clone(), value.clone())));
        let what = format!("group {:?}", group.key);
        judges.check(kind, &filters, (from, to), group.value, &what).await?;
        judges.check_points(kind, &filters, &group.points, &what).await?;
    }
    if matches!(kind, Aggregation::Sum | Aggregation::Count) {
        let total = answer.value.unwrap().steps();
        let sum = |values: Vec<Option<Quantity>>| values.iter().map(|value| value.unwrap().steps()).sum::<i128>();
        if !answer.points.is_empty() {
            prop_assert_eq!(sum(answer.points.iter().map(|point| point.value).collect()), total);
        }
        if !ask.group_by.is_empty() {
            prop_assert_eq!(sum(answer.groups.iter().map(|group| group.value).collect()), total);
        }
    }
    Ok(())
}

/// What is asked, unless it has too many points.
fn query_of(stage: &Stage, ask: &Ask) -> Option<QueryMeter> {
    let reach = 2.2 * stage.reach as f64;
    let many = match ask.interval {
        Some(Interval::Minute) => reach > 24.0 * HOUR as f64,
        Some(Interval::QuarterHour) => reach > 1_000.0 * HOUR as f64,
        _ => false,
    };
    (!many).then(|| QueryMeter {
        customer_id: ask.customer.map(str::to_owned),
        from: ask.from.map(|share| stage.at(share)),
        to: ask.to.map(|share| stage.at(share)),
        interval: ask.interval,
        group_by: ask.group_by.iter().map(|name| (*name).to_owned()).collect(),
        dimensions: ask.dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        group_limit: None,
    })
}

/// The events recorded so far, oldest first, voided ones included.
async fn recorded(bench: &Bench) -> Vec<EventId> {
    let list = ListEvents { include_voided: true, limit: PageSize::MAX, ..ListEvents::default() };
    let page = bench.engine.events(list).await.unwrap();
    assert!(!page.has_more);
    page.data.iter().rev().map(|event| event.id).collect()
}

async fn play(
    stage: Stage,
    batches: Vec<Vec<Raw>>,
    voids: Vec<Vec<Index>>,
    asks: Vec<Ask>,
) -> Result<(), TestCaseError> {
    let bench = Bench::open_at("2026-06-01T00:00:00Z").await;
    let patch = ProjectPatch { timezone: Some(stage.zone), ..ProjectPatch::default() };
    bench.engine.update_project(&actor(), patch).await.unwrap();
    let known =
        NewCustomer { external_id: "acme".to_owned(), timezone: Some(stage.customer_zone), ..NewCustomer::default() };
    bench.engine.create_customer(&actor(), known).await.unwrap();
    let mut bench = bench;
    let mut samples = Vec::new();
    let mut meters: Vec<MeterId> = Vec::new();
    for (index, batch) in batches.iter().enumerate() {
        // Some meters are built from history, some follow from the start.
        let all = 2 * METERS.len();
        for meter in all * index / batches.len()..all * (index + 1) / batches.len() {
            meters.push(bench.engine.create_meter(&actor(), new_meter(meter)).await.unwrap().id);
        }
        let events: Vec<Sample> = batch.iter().map(|raw| sample(&stage, raw)).collect();
        if !events.is_empty() {
            bench.engine.record_batch(&actor(), events.iter().map(Sample::input).collect()).await.unwrap();
        }
        samples.extend(events.into_iter().map(Some));
        let ids = recorded(&bench).await;
        for which in voids.get(index).into_iter().flatten().filter(|_| !ids.is_empty()) {
            let which = which.index(ids.len());
            bench.engine.void_event(&actor(), ids[which], None).await.unwrap();
            samples[which] = None;
        }
        if index == 1 {
            bench = bench.reopen().await;
        }
    }
    let path = bench.dir.path().join(DATA_FILE);
    // The beta of a question may not have come yet.
    let beta = EventInput { customer_id: "beta".to_owned(), event_type: "call".to_owned(), ..EventInput::default() };
    let beta = EventInput { timestamp: Some(stage.era), ..beta };
    bench.engine.record(&actor(), beta).await.unwrap();
    let named = ("beta", "call", None, None, None, None, 0.0);
    samples.push(Some(sample(&stage, &named)));
    let samples: Vec<Sample> = samples.into_iter().flatten().collect();
    let conn = SqliteConnectOptions::new().filename(path).read_only(true).connect().await.unwrap();
    let mut judges = Judges { samples: &samples, conn };
    for ask in &asks {
        let Some(query) = query_of(&stage, ask) else { continue };
        let answer = bench.engine.query_meter(meters[ask.meter], query.clone()).await.unwrap();
        check_answer(&mut judges, &stage, ask, &answer).await?;
        // The same from the events alone.
        if ask.dimensions.is_empty() {
            let meter = new_meter(ask.meter);
            let preview = PreviewMeter {
                aggregation: meter.aggregation,
                field: meter.field,
                event_filter: meter.event_filter,
                group_by: query.group_by,
                customer_id: query.customer_id,
                from: query.from,
                to: query.to,
                interval: query.interval,
            };
            let previewed = bench.engine.preview_meter(preview).await.unwrap().answer;
            prop_assert_eq!(QueryAnswer { meter_id: answer.meter_id, ..previewed }, answer);
        }
    }
    let report = doctor::examine(bench.dir.path()).await.unwrap();
    prop_assert_eq!(report.differences, Vec::<String>::new());
    bench.engine.close().await;
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn aggregates_of_random_events_equal_those_of_an_independent_sql_engine_on_the_same_rows(
        stage in stage(),
        batches in prop::collection::vec(prop::collection::vec(raw_event(), 0..25), 2..4),
        voids in prop::collection::vec(prop::collection::vec(any::<Index>(), 0..6), 0..4),
        asks in prop::collection::vec(ask(), 12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(play(stage, batches, voids, asks))?;
    }
}
