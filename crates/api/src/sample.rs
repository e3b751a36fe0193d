//! The sample data: an hour of real calls to two LLM services, from Microsoft's Azure Public Dataset (CC-BY 4.0; Patel et al.,
//! "Splitwise: Efficient generative LLM inference using phase splitting", ISCA 2024), imported as any file is. What they were
//! allowed and what they paid is made up, so that every screen has something to show; every debit and refusal is Weir's own.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::event::EventInput;
use weir_core::filter::EventFilter;
use weir_core::id::{BalanceId, LimitId, MeterId};
use weir_core::ledger::{GrantSource, RecurringMode};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::Error;
use weir_engine::model::{
    Balance, CreditBalance, Enforcement, Limit, ListBalances, ListLimits, ListMeters, ListRefusals, Meter, Metered,
    NewBalance, NewLimit, NewMeter, PageSize, RecurringCredit,
};
use weir_import::{DimensionSource, Mapping, Source, TimeSource, UsageFile, ValueSource};

use crate::context::Context;
use crate::error::ApiError;
use crate::intake::{self, EngineSink};

/// A file of the sample, by the feature that its calls served.
const FILES: [(&str, &[u8]); 2] = [
    ("code", include_bytes!("../../../data/azure-llm-2023-code.csv")),
    ("conv", include_bytes!("../../../data/azure-llm-2023-conv.csv")),
];

/// The type of its events.
const CALL: &str = "llm.completion";

/// A limit of the sample: its name, whose, on what, how much.
struct SampleLimit {
    name: &'static str,
    customer: Option<&'static str>,
    meter: usize,
    value: i64,
}

/// The calls used 18,230,000 and 26,300,000 tokens, or so: one customer is within the allowance and one is beyond.
const LIMITS: [SampleLimit; 3] = [
    SampleLimit { name: "Token allowance", customer: None, meter: 0, value: 25_000_000 },
    SampleLimit { name: "Request allowance", customer: None, meter: 1, value: 20_000 },
    SampleLimit { name: "Request allowance (code)", customer: Some("azure-code"), meter: 1, value: 12_000 },
];

/// A prepaid balance of the sample: whose, what was paid at first, what was given on trial, and when it is low.
struct SampleBalance {
    customer: &'static str,
    paid: i64,
    trial: i64,
    low: i64,
}

const CREDITS: &str = "Credits";
/// The calls cost 36,600 and 52,900 credits, or so: one customer is low and one is not.
const BALANCES: [SampleBalance; 2] = [
    SampleBalance { customer: "azure-code", paid: 36_000, trial: 2_500, low: 2_500 },
    SampleBalance { customer: "azure-conv", paid: 80_000, trial: 2_500, low: 10_000 },
];
/// Microseconds from the day that a balance is made to the end of what was given on trial.
const TRIAL: i64 = 30 * 24 * 60 * 60 * 1_000_000;

/// Calls beyond the allowance, asked for after the others: input and output tokens.
const BEYOND: (&str, [(i64, i64); 3]) = ("azure-conv", [(374, 44), (396, 109), (879, 55)]);

/// What the sample brought.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct SampleMade {
    /// Events newly recorded; none when the sample was there before.
    pub events: u64,
    /// Customers of the sample.
    pub customers: u64,
    /// Its meters.
    pub meters: Vec<MeterId>,
    /// Its limits.
    pub limits: Vec<LimitId>,
    /// Its balances.
    pub balances: Vec<BalanceId>,
}

/// Imports the sample and makes its meters, limits and balances, as far as they are not there.
pub(crate) async fn make(ctx: &Context) -> Result<SampleMade, ApiError> {
    let meters = [tokens(), requests()];
    let mut meter_ids = Vec::new();
    for meter in meters {
        meter_ids.push(ensure_meter(ctx, meter).await?);
    }
    // Before the calls, which they pay for.
    let mut balances = Vec::new();
    for balance in &BALANCES {
        balances.push(ensure_balance(ctx, balance, meter_ids[0]).await?);
    }
    let mut events = 0;
    for (feature, file) in FILES {
        events += import(ctx, feature, file).await?;
    }
    let mut limits = Vec::new();
    for limit in &LIMITS {
        limits.push(ensure_limit(ctx, limit, meter_ids[limit.meter]).await?);
    }
    ensure_refusals(ctx).await?;
    Ok(SampleMade { events, customers: FILES.len() as u64, meters: meter_ids, limits, balances })
}

async fn import(ctx: &Context, feature: &str, file: &'static [u8]) -> Result<u64, ApiError> {
    let mapping = Mapping {
        customer: Source::Value(format!("azure-{feature}")),
        event_type: Source::Value(CALL.to_owned()),
        timestamp: TimeSource { column: "TIMESTAMP".to_owned() },
        timezone: None,
        values: vec![
            value("input_tokens", &["ContextTokens"]),
            value("output_tokens", &["GeneratedTokens"]),
            value("tokens", &["ContextTokens", "GeneratedTokens"]),
        ],
        dimensions: vec![DimensionSource::Value { name: "feature".to_owned(), value: feature.to_owned() }],
        id_column: None,
    };
    let broken = |error: &dyn std::fmt::Display| {
        ApiError::new(Code::InternalError, format!("the sample cannot be imported: {error}"))
    };
    let rows = UsageFile::open(file, None).and_then(|file| file.rows(&mapping)).map_err(|error| broken(&error))?;
    let sink = EngineSink { engine: ctx.engine(), actor: &ctx.actor };
    let tally = intake::run(rows, &sink, &AtomicBool::new(false), |_, _| {}).await.map_err(|ended| broken(&ended))?;
    if tally.refused > 0 {
        return Err(broken(&format_args!("{} rows were refused", tally.refused)));
    }
    Ok(tally.recorded)
}

fn value(name: &str, columns: &[&str]) -> ValueSource {
    ValueSource { name: name.to_owned(), columns: columns.iter().map(|column| (*column).to_owned()).collect() }
}

fn tokens() -> NewMeter {
    NewMeter {
        name: "Tokens".to_owned(),
        description: Some("Tokens read and written by language models".to_owned()),
        aggregation: Aggregation::Sum,
        field: "values.tokens".to_owned(),
        event_filter: EventFilter::default(),
        group_by: vec!["feature".to_owned()],
        unit: Some("tokens".to_owned()),
    }
}

fn requests() -> NewMeter {
    NewMeter {
        name: "Requests".to_owned(),
        description: Some("Calls to language models".to_owned()),
        aggregation: Aggregation::Count,
        field: "*".to_owned(),
        unit: Some("requests".to_owned()),
        ..tokens()
    }
}

async fn ensure_meter(ctx: &Context, meter: NewMeter) -> Result<MeterId, ApiError> {
    let mut list = ListMeters { query: Some(meter.name.clone()), limit: PageSize::MAX, ..ListMeters::default() };
    loop {
        let page = ctx.engine().meters(list.clone()).await?;
        if let Some(Meter { id, .. }) = page.data.into_iter().find(|found| found.name == meter.name) {
            return Ok(id);
        }
        match page.next_cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => return Ok(ctx.engine().create_meter(&ctx.actor, meter).await?.id),
        }
    }
}

async fn ensure_limit(ctx: &Context, sample: &SampleLimit, meter_id: MeterId) -> Result<LimitId, ApiError> {
    let mut list = ListLimits { meter_id: Some(meter_id), limit: PageSize::MAX, ..ListLimits::default() };
    let same = |found: &Limit| found.name == sample.name && found.customer_id.as_deref() == sample.customer;
    loop {
        let page = ctx.engine().limits(list.clone()).await?;
        if let Some(found) = page.data.iter().find(|found| same(found)) {
            return Ok(found.id);
        }
        match page.next_cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => break,
        }
    }
    let limit = NewLimit {
        name: sample.name.to_owned(),
        meter_id,
        limit_value: Quantity::from_int(sample.value),
        period: Period::AllTime,
        customer_id: sample.customer.map(str::to_owned),
        dimension_filters: Default::default(),
        alert_thresholds: vec![80, 100],
        enforcement: Enforcement::Hard,
        enabled: true,
    };
    Ok(ctx.engine().create_limit(&ctx.actor, limit).await?.id)
}

async fn ensure_balance(ctx: &Context, sample: &SampleBalance, tokens: MeterId) -> Result<BalanceId, ApiError> {
    let list =
        ListBalances { customer_id: Some(sample.customer.to_owned()), limit: PageSize::MAX, ..Default::default() };
    let page = ctx.engine().balances(list).await?;
    let balance = match page.data.into_iter().find(|found| found.name == CREDITS) {
        Some(balance) => balance,
        None => ctx.engine().create_balance(&ctx.actor, credits(sample, tokens)).await?,
    };
    let Balance { id, created_at, .. } = balance;
    let trial = CreditBalance {
        customer_id: sample.customer.to_owned(),
        name: CREDITS.to_owned(),
        amount: Quantity::from_int(sample.trial),
        description: "Trial credits".to_owned(),
        reference: None,
        idempotency_key: Some("sample-trial".to_owned()),
        expires_at: Some(created_at.saturating_add_micros(TRIAL)),
        priority: 10,
        source: GrantSource::Promotional,
    };
    ctx.engine().credit_balance(&ctx.actor, trial).await?;
    Ok(id)
}

fn credits(sample: &SampleBalance, tokens: MeterId) -> NewBalance {
    NewBalance {
        customer_id: sample.customer.to_owned(),
        name: CREDITS.to_owned(),
        unit: Some("credits".to_owned()),
        minimum_balance: Quantity::ZERO,
        initial_balance: Some(Quantity::from_int(sample.paid)),
        low_balance_threshold: Some(Quantity::from_int(sample.low)),
        top_up: None,
        dimension_filters: BTreeMap::new(),
        priority: 100,
        metered: Some(Metered {
            meter_id: tokens,
            amount: Quantity::from_int(2),
            per: 1_000,
            enforcement: Enforcement::Hard,
        }),
        recurring_credit: Some(RecurringCredit {
            amount: Quantity::from_int(1_000),
            mode: RecurringMode::Add,
            period: Period::Month,
            expires: true,
            priority: 50,
            source: GrantSource::Promotional,
        }),
    }
}

/// Asks for the calls beyond the allowance, where none was refused yet. One that is admitted all the same, as somebody has
/// raised the limit, is a call like the others, once.
async fn ensure_refusals(ctx: &Context) -> Result<(), ApiError> {
    let (customer, calls) = BEYOND;
    let list = ListRefusals { customer_id: Some(customer.to_owned()), ..Default::default() };
    if !ctx.engine().refusals(list).await?.data.is_empty() {
        return Ok(());
    }
    for (number, (input, output)) in (1..).zip(calls) {
        let event = EventInput {
            customer_id: customer.to_owned(),
            event_type: CALL.to_owned(),
            dimensions: BTreeMap::from([("feature".to_owned(), "conv".to_owned())]),
            input_tokens: Some(Quantity::from_int(input)),
            output_tokens: Some(Quantity::from_int(output)),
            idempotency_key: Some(format!("sample-beyond-{number}")),
            ..EventInput::default()
        };
        match ctx.engine().track(&ctx.actor, event).await {
            Ok(_) | Err(Error::Refused(_)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
