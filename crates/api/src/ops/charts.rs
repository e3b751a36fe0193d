//! Charts as files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use weir_core::error::Code;
use weir_core::id::MeterId;
use weir_core::interval::Interval;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;
use weir_engine::model::{Group, Point, QueryAnswer, QueryMeter};
use weir_report::chart::{self, Chart, Format, MAX_SIDE, Series, Theme};

use super::operation;
use crate::context::Context;
use crate::error::ApiError;

/// Most lines of a chart.
const MAX_LINES: u16 = 8;
const MINUTES: i64 = 60 * 1_000_000;
const DAYS: i64 = 24 * 60 * MINUTES;

/// A chart of a meter's series.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewChart {
    /// Which meter.
    pub meter_id: MeterId,
    /// Only this customer; all when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::Short>")]
    pub customer_id: Option<String>,
    /// From this instant on; the first event when not given.
    #[serde(default, alias = "startDate", skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Up to this instant, exclusive; the last event when not given.
    #[serde(default, alias = "endDate", skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How finely; as fits the range when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// A line for each of the 8 largest groups by these dimensions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<weir_core::schema::Key>", length(max = 3))]
    pub group_by: Vec<String>,
    /// The form of the picture.
    pub format: Format,
    /// The ground it is for.
    #[serde(default)]
    pub theme: Theme,
    /// In pixels, 1 to 4,000; 960 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_000))]
    pub width: Option<u32>,
    /// In pixels, 1 to 4,000; 480 when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 4_000))]
    pub height: Option<u32>,
    /// Up to 256 characters; the meter's name when not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<weir_core::schema::MaybeShort>")]
    pub title: Option<String>,
}

/// A picture.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Picture {
    /// `image/svg+xml` or `image/png`.
    pub content_type: String,
    /// The file, in base64.
    pub data: String,
}

operation! {
    /// Draws a meter's series as an SVG or PNG file.
    Render "charts.render" Post "/charts" Read Read,
    |ctx, req: NewChart| -> Picture {
        let (width, height) = (side("width", req.width, 960)?, side("height", req.height, 480)?);
        if let Some(title) = &req.title {
            text::check("title", title, 0, MAX_SHORT)?;
        }
        let (format, theme) = (req.format, req.theme);
        let chart = chart(ctx, req).await?;
        let drawn = tokio::task::spawn_blocking(move || chart::render(&chart, format, theme, width, height)).await;
        let failed = |error: &dyn std::fmt::Display| ApiError::new(Code::InternalError, error.to_string());
        let file = drawn.map_err(|error| failed(&error))?.map_err(|error| failed(&error))?;
        Ok(Picture { content_type: format.content_type().to_owned(), data: STANDARD.encode(file) })
    }
}

fn side(field: &str, given: Option<u32>, default: u32) -> Result<u32, ApiError> {
    match given.unwrap_or(default) {
        side @ 1..=MAX_SIDE => Ok(side),
        _ => Err(ApiError::invalid(field, format_args!("must be 1 to {MAX_SIDE}"))),
    }
}

async fn chart(ctx: &Context, req: NewChart) -> Result<Chart, ApiError> {
    let meter = ctx.engine().meter(req.meter_id).await?;
    let mut query = QueryMeter {
        customer_id: req.customer_id.clone(),
        from: req.from,
        to: req.to,
        interval: req.interval,
        group_by: req.group_by,
        group_limit: Some(MAX_LINES),
        ..QueryMeter::default()
    };
    if query.interval.is_none() {
        let whole = ctx.engine().query_meter(meter.id, QueryMeter { group_by: Vec::new(), ..query.clone() }).await?;
        query.interval = Some(fitting(&whole));
    }
    let grouped = !query.group_by.is_empty();
    let answer = ctx.engine().query_meter(meter.id, query).await?;
    let zone = answer.timezone;
    let series = if grouped {
        answer.groups.into_iter().map(|group| Series { name: name(&group), points: points(group.points) }).collect()
    } else {
        vec![Series { name: String::new(), points: points(answer.points) }]
    };
    Ok(Chart { title: req.title.unwrap_or(meter.name), subtitle: req.customer_id, unit: meter.unit, zone, series })
}

/// The interval that shows a range in some tens to hundreds of points.
fn fitting(answer: &QueryAnswer) -> Interval {
    let span = match (answer.from, answer.to) {
        (Some(from), Some(to)) => to.micros_since(from),
        _ => 0,
    };
    let finest_first = [
        (180 * MINUTES, Interval::Minute),
        (2 * DAYS, Interval::QuarterHour),
        (14 * DAYS, Interval::Hour),
        (400 * DAYS, Interval::Day),
    ];
    finest_first.into_iter().find(|(longest, _)| span <= *longest).map_or(Interval::Month, |(_, interval)| interval)
}

fn name(group: &Group) -> String {
    let parts: Vec<&str> = group.key.values().map(|value| value.as_deref().unwrap_or("(none)")).collect();
    parts.join(", ")
}

fn points(points: Vec<Point>) -> Vec<chart::Point> {
    points.into_iter().map(|point| chart::Point { at: point.start, value: point.value }).collect()
}
