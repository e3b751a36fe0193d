//! The sample data: an hour of real calls to two LLM services, from Microsoft's Azure Public Dataset (CC-BY 4.0; Patel et al.,
//! "Splitwise: Efficient generative LLM inference using phase splitting", ISCA 2024), imported as any file is.

use std::sync::atomic::AtomicBool;

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::aggregate::Aggregation;
use weir_core::error::Code;
use weir_core::filter::EventFilter;
use weir_core::id::{LimitId, MeterId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_engine::model::{Enforcement, Limit, ListLimits, ListMeters, Meter, NewLimit, NewMeter, PageSize};
use weir_import::{DimensionSource, Mapping, Source, TimeSource, UsageFile, ValueSource};

use crate::context::Context;
use crate::error::ApiError;
use crate::intake::{self, EngineSink};

/// A file of the sample, by the feature that its calls served.
const FILES: [(&str, &[u8]); 2] = [
    ("code", include_bytes!("../../../data/azure-llm-2023-code.csv")),
    ("conv", include_bytes!("../../../data/azure-llm-2023-conv.csv")),
];

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
}

/// Imports the sample and makes its meters and limits, as far as they are not there.
pub(crate) async fn make(ctx: &Context) -> Result<SampleMade, ApiError> {
    let meters = [tokens(), requests()];
    let mut meter_ids = Vec::new();
    for meter in meters {
        meter_ids.push(ensure_meter(ctx, meter).await?);
    }
    let mut events = 0;
    for (feature, file) in FILES {
        events += import(ctx, feature, file).await?;
    }
    let mut limits = Vec::new();
    for limit in &LIMITS {
        limits.push(ensure_limit(ctx, limit, meter_ids[limit.meter]).await?);
    }
    Ok(SampleMade { events, customers: FILES.len() as u64, meters: meter_ids, limits })
}

async fn import(ctx: &Context, feature: &str, file: &'static [u8]) -> Result<u64, ApiError> {
    let mapping = Mapping {
        customer: Source::Value(format!("azure-{feature}")),
        event_type: Source::Value("llm.completion".to_owned()),
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
