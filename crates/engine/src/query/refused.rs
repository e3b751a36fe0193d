//! Refusals counted over time.

use sqlx::{Connection, Row, SqliteConnection};
use weir_core::id::LimitId;
use weir_core::quantity::Quantity;
use weir_core::text;
use weir_core::time::Timestamp;

use super::range::{self, Resolved};
use crate::engine::Engine;
use crate::error::Result;
use crate::model::{CountRefusals, Point, RefusalCounts};
use crate::rollup::{BUCKET, Span, bucket_of};
use crate::scan::to_json;

/// The refusals that are kept.
struct Kept {
    /// All of them, rounded outwards to quarters of an hour.
    span: Span,
    /// When the oldest was refused, if there were older ones.
    truncated_before: Option<Timestamp>,
}

impl Engine {
    /// How many calls were refused, over a range and per interval.
    pub async fn count_refusals(&self, count: CountRefusals) -> Result<RefusalCounts> {
        range::check(count.from, count.to)?;
        // By the name given, not by the customer: who is refused need not exist.
        if let Some(external) = &count.customer_id {
            text::check_external_id("customerId", external)?;
        }
        let config = self.shared.config();
        let customer = count.customer_id.as_deref().and_then(|external| self.shared.customers.get(external));
        let zone = customer.as_ref().map_or(config.project.timezone, |customer| customer.zone(&config));
        let mut conn = self.reader().await?;
        let mut view = conn.begin().await?;
        let kept = kept(&mut view).await?;
        let range = Resolved::new(count.from, count.to, kept.as_ref().map(|kept| kept.span));
        let mut spans = range.points(count.interval, zone)?;
        spans.push(range.span());
        let mut counts = counted(&mut view, &count, customer.map_or(0, |customer| customer.key), &spans).await?;
        view.rollback().await?;
        let value = counts.pop().unwrap_or(Quantity::ZERO);
        let truncated_before = kept.and_then(|kept| kept.truncated_before);
        let is_gone = |span: &Span| truncated_before.is_some_and(|before| span.end <= before.as_micros());
        let points = spans.iter().zip(counts).map(|(span, counted)| Point {
            start: Timestamp::from_micros(span.start),
            end: Timestamp::from_micros(span.end),
            value: (!is_gone(span)).then_some(counted),
        });
        Ok(RefusalCounts {
            from: range.from,
            to: range.to,
            interval: count.interval,
            timezone: zone,
            value,
            points: points.collect(),
            truncated_before,
        })
    }
}

async fn kept(view: &mut SqliteConnection) -> Result<Option<Kept>> {
    let oldest = sqlx::query("SELECT seq, at FROM refusal ORDER BY seq LIMIT 1").fetch_optional(&mut *view).await?;
    let Some(oldest) = oldest else { return Ok(None) };
    let (seq, first): (i64, i64) = (oldest.try_get(0)?, oldest.try_get(1)?);
    let last: i64 = sqlx::query_scalar("SELECT max(at) FROM refusal").fetch_one(view).await?;
    let bucket = |micros| bucket_of(Timestamp::from_micros(micros));
    Ok(Some(Kept {
        span: Span { start: bucket(first), end: bucket(last) + BUCKET },
        // They are numbered from 1, and only the oldest ever go.
        truncated_before: (seq > 1).then(|| Timestamp::from_micros(first)),
    }))
}

/// How many refusals lie in each span: a walk along an index by time, of one customer or of all.
async fn counted(
    view: &mut SqliteConnection,
    count: &CountRefusals,
    customer: i64,
    spans: &[Span],
) -> Result<Vec<Quantity>> {
    let whose = match &count.customer_id {
        None => "",
        Some(_) => "r.customer IN (?2, 0) AND r.body ->> 'customerId' = ?3 AND",
    };
    let by = match count.limit_id {
        None => "",
        Some(_) => "EXISTS (SELECT 1 FROM json_each(r.body, '$.limits') l WHERE l.value ->> 'id' = ?4) AND",
    };
    let sql = format!(
        "SELECT (SELECT count(*) FROM refusal r WHERE {whose} {by} r.at >= p.value ->> 0 AND r.at < p.value ->> 1) \
         FROM json_each(?1) p ORDER BY p.key"
    );
    let edges: Vec<[i64; 2]> = spans.iter().map(|span| [span.start, span.end]).collect();
    let counts: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
        .bind(to_json(&edges)?)
        .bind(customer)
        .bind(&count.customer_id)
        .bind(count.limit_id.as_ref().map(LimitId::to_string))
        .fetch_all(view)
        .await?;
    Ok(counts.into_iter().map(Quantity::from_int).collect())
}
