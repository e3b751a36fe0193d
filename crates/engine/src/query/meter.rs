//! A meter's answers: its value over a range, as a series, and broken down.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sqlx::{Connection, SqliteConnection};
use weir_core::aggregate::Field;
use weir_core::error::{Code, Fault};
use weir_core::event::check_dimensions;
use weir_core::id::MeterId;
use weir_core::interval::Interval;
use weir_core::text;
use weir_core::time::{Timestamp, Zone};

use super::events::events_by_seq;
use super::lines::{Line, Lines, NOBODY, Plan};
use super::range::{self, Resolved};
use super::{kept, scanned};
use crate::config::{Config, MeterRule};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::{Group, Point, PreviewAnswer, PreviewMeter, QueryAnswer, QueryMeter};
use crate::rollup::Span;
use crate::writer::read_meter;

/// Most dimensions of a breakdown.
const MAX_GROUP_BY: usize = 3;
/// Groups answered when the question does not say.
const DEFAULT_GROUPS: u16 = 100;
/// Most groups answered.
const MAX_GROUPS: u16 = 1_000;

/// A question whose bounds were checked, before anything is read.
struct Asked {
    customer: Option<Arc<LiveCustomer>>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    interval: Option<Interval>,
    group_by: Vec<String>,
    dimensions: BTreeMap<String, String>,
    group_limit: usize,
    zone: Zone,
}

impl Engine {
    /// A meter's value over a range, with a series and a breakdown where asked for.
    pub async fn query_meter(&self, id: MeterId, query: QueryMeter) -> Result<QueryAnswer> {
        let config = self.shared.config();
        let asked = self.asked(&config, query)?;
        let mut conn = self.projections().await?;
        let mut view = conn.begin().await?;
        let live = config.meters.values().find(|meter| meter.id == id);
        let meter = match live {
            Some(meter) => meter.clone(),
            None => Arc::new(archived(&mut view, id).await?),
        };
        let range = resolve(&mut view, &asked).await?;
        let plan = self.plan(&meter, &asked, range)?;
        let lines = match kept::find(&mut view, &plan).await? {
            Some(kept) => kept::answer(&mut view, &plan, &kept).await?,
            None => None,
        };
        let lines = match lines {
            Some(lines) => lines,
            None => scanned::answer(&mut view, &plan).await?.lines,
        };
        view.rollback().await?;
        Ok(answer(Some(id), &asked, &plan, range.0, lines))
    }

    /// What a meter would answer if it existed, from the events themselves.
    pub async fn preview_meter(&self, preview: PreviewMeter) -> Result<PreviewAnswer> {
        let config = self.shared.config();
        let field = Field::parse(preview.aggregation, &preview.field)?;
        preview.event_filter.validate()?;
        let meter = MeterRule {
            key: 0,
            id: MeterId::new(uuid::Uuid::nil()),
            name: String::new(),
            unit: None,
            aggregation: preview.aggregation,
            field,
            filter: preview.event_filter,
            group_by: Vec::new(),
            series: 0,
            ready: false,
        };
        let query = QueryMeter {
            customer_id: preview.customer_id,
            from: preview.from,
            to: preview.to,
            interval: preview.interval,
            group_by: preview.group_by,
            ..QueryMeter::default()
        };
        let asked = self.asked(&config, query)?;
        let mut conn = self.projections().await?;
        let mut view = conn.begin().await?;
        let range = resolve(&mut view, &asked).await?;
        let plan = self.plan(&meter, &asked, range)?;
        let scanned = scanned::answer(&mut view, &plan).await?;
        let sample = events_by_seq(&mut view, self.shared.project, &scanned.newest).await?;
        view.rollback().await?;
        Ok(PreviewAnswer {
            answer: answer(None, &asked, &plan, range.0, scanned.lines),
            matched_events: scanned.matched,
            sample,
        })
    }

    fn asked(&self, config: &Config, query: QueryMeter) -> Result<Asked> {
        range::check(query.from, query.to)?;
        check_dimensions("dimensions", &query.dimensions)?;
        check_group_by(&query.group_by)?;
        let group_limit = query.group_limit.unwrap_or(DEFAULT_GROUPS);
        if !(1..=MAX_GROUPS).contains(&group_limit) {
            return Err(
                Fault::invalid("groupLimit", format_args!("must be a whole number from 1 to {MAX_GROUPS}")).into()
            );
        }
        let customer = query.customer_id.as_deref().map(|id| self.known_customer(id)).transpose()?;
        Ok(Asked {
            zone: customer.as_ref().map_or(config.project.timezone, |customer| customer.zone(config)),
            customer,
            from: query.from,
            to: query.to,
            interval: query.interval,
            group_by: query.group_by,
            dimensions: query.dimensions,
            group_limit: group_limit.into(),
        })
    }

    fn plan<'a>(
        &self,
        meter: &'a MeterRule,
        asked: &'a Asked,
        (range, data): (Resolved, Option<Span>),
    ) -> Result<Plan<'a>> {
        let mut dimensions = asked.dimensions.clone();
        let mut customer = asked.customer.as_ref().map(|customer| customer.key);
        if let Some(external) = dimensions.remove("customer_id") {
            let meant = self.shared.customers.get(&external).map(|customer| customer.key);
            customer = match (customer, meant) {
                (None, Some(meant)) => Some(meant),
                (Some(asked), Some(meant)) if asked == meant => Some(asked),
                _ => Some(NOBODY),
            };
        }
        // What the meter itself asks for needs no filter of its own.
        dimensions.retain(|name, value| meter.filter.dimensions.get(name) != Some(value));
        if dimensions.get("event_type").is_some_and(|name| meter.filter.event_type.as_ref() == Some(name)) {
            dimensions.remove("event_type");
        }
        Ok(Plan {
            meter,
            customer,
            dimensions,
            group_by: &asked.group_by,
            group_limit: asked.group_limit,
            whole: range.span(),
            points: range.points(asked.interval, asked.zone)?,
            data,
            finer_than_kept: asked.interval == Some(Interval::Minute),
        })
    }
}

fn check_group_by(names: &[String]) -> Result<(), Fault> {
    if names.len() > MAX_GROUP_BY {
        return Err(Fault::invalid("groupBy", format_args!("must name at most {MAX_GROUP_BY} dimensions")));
    }
    for (index, name) in names.iter().enumerate() {
        text::check_key(&format!("groupBy[{index}]"), name)?;
    }
    if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        return Err(Fault::invalid("groupBy", "must not name a dimension twice"));
    }
    Ok(())
}

async fn resolve(view: &mut SqliteConnection, asked: &Asked) -> Result<(Resolved, Option<Span>)> {
    let data = range::of_data(view, asked.customer.as_ref().map(|customer| customer.key)).await?;
    Ok((Resolved::new(asked.from, asked.to, data), data))
}

/// An archived meter has no roll-ups to follow the events, but its definition still answers.
async fn archived(view: &mut SqliteConnection, id: MeterId) -> Result<MeterRule> {
    let row =
        sqlx::query("SELECT m.*, 0 AS ready FROM meter m WHERE uuid = ?1").bind(id.uuid()).fetch_optional(view).await?;
    let row = row.ok_or_else(|| Error::not_found(Code::MeterNotFound, "meter", &id.to_string()))?;
    read_meter(&row)
}

fn answer(id: Option<MeterId>, asked: &Asked, plan: &Plan<'_>, range: Resolved, lines: Lines) -> QueryAnswer {
    let points = |line: &Line| {
        let point = |(span, value): (&Span, &_)| Point {
            start: Timestamp::from_micros(span.start),
            end: Timestamp::from_micros(span.end),
            value: *value,
        };
        plan.points.iter().zip(&line.points).map(point).collect::<Vec<_>>()
    };
    let groups = lines.groups.into_iter().map(|(key, line)| Group {
        key: asked.group_by.iter().cloned().zip(key).collect(),
        value: line.value,
        points: points(&line),
    });
    QueryAnswer {
        meter_id: id,
        from: range.from,
        to: range.to,
        interval: asked.interval,
        timezone: asked.zone,
        value: lines.total.value,
        points: points(&lines.total),
        groups: groups.collect(),
        more_groups: lines.more_groups,
    }
}
