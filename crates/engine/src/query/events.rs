//! Events as they were recorded: in lists, and one by one with what they counted on.

use std::borrow::Cow;

use sqlx::sqlite::SqliteRow;
use sqlx::{Connection, QueryBuilder, Row, Sqlite, SqliteConnection};
use weir_core::aggregate::What;
use weir_core::error::{Code, Fault};
use weir_core::event::{Event, Facts, check_dimensions};
use weir_core::id::{EventId, ProjectId};
use weir_core::properties::Properties;
use weir_core::quantity::Quantity;
use weir_core::text::{self, MAX_SHORT};
use weir_core::time::Timestamp;

use super::range;
use crate::config::effective;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::model::{CountedLimit, CountedMeter, Cursor, EventDetail, ListEvents, Page};
use crate::rollup::Span;
use crate::scan::{from_json, to_json};

/// Most events looked at for one page: a filter that few events meet must not read the whole file.
const MAX_LOOKED_AT: i64 = 20_000;

/// The columns of an event, for `read`.
const COLUMNS: &str = r#"e.seq, e.id, c.external_id, t.name, e.at, e.recorded_at, e."values", e.dimensions, e.properties, v.at, v.reason"#;
/// CROSS JOIN keeps the order: events first, by the index that sorts them.
const TABLES: &str = "event e CROSS JOIN customer c ON c.id = e.customer CROSS JOIN event_type t ON t.id = e.type \
                      LEFT JOIN void v ON v.event = e.seq";

/// Filters of a list, in the numbers of the data file.
struct Filter {
    event_type: Option<i64>,
    customer: Option<i64>,
    dimensions: Vec<(String, String)>,
    include_voided: bool,
}

impl Filter {
    /// Whether most events pass.
    fn is_wide(&self) -> bool {
        self.event_type.is_none() && self.customer.is_none() && self.dimensions.is_empty()
    }

    fn push(&self, sql: &mut QueryBuilder<Sqlite>) {
        for (column, number) in [(" AND e.type = ", self.event_type), (" AND e.customer = ", self.customer)] {
            if let Some(number) = number {
                sql.push(column).push_bind(number);
            }
        }
        for (name, value) in &self.dimensions {
            sql.push(" AND e.dimensions ->> ").push_bind(name.clone()).push(" = ").push_bind(value.clone());
        }
        if !self.include_voided {
            sql.push(" AND v.event IS NULL");
        }
    }
}

impl Engine {
    /// Events, newest first: of one customer by event time, of all by when they were recorded.
    pub async fn events(&self, list: ListEvents) -> Result<Page<Event>> {
        range::check(list.from, list.to)?;
        if let Some(event_type) = &list.event_type {
            text::check("eventType", event_type, 1, MAX_SHORT)?;
        }
        check_dimensions("dimensions", &list.dimensions)?;
        let customer = list.customer_id.as_deref().map(|id| self.known_customer(id)).transpose()?;
        let mut conn = self.reader().await?;
        let mut view = conn.begin().await?;
        let page = match self.filter(&mut view, &list).await? {
            None => Page::new(Vec::new(), None),
            Some(filter) => match customer {
                Some(customer) => self.events_of(&mut view, customer.key, &list, &filter).await?,
                None => self.events_of_all(&mut view, &list, &filter).await?,
            },
        };
        view.rollback().await?;
        Ok(page)
    }

    /// The filters of a list; none when they name a type or customer that there is not, so that nothing can pass.
    async fn filter(&self, view: &mut SqliteConnection, list: &ListEvents) -> Result<Option<Filter>> {
        let mut filter =
            Filter { event_type: None, customer: None, dimensions: Vec::new(), include_voided: list.include_voided };
        let mut event_type = list.event_type.as_deref();
        for (name, value) in &list.dimensions {
            match name.as_str() {
                "event_type" if event_type.is_some_and(|other| other != value) => return Ok(None),
                "event_type" => event_type = Some(value),
                "customer_id" => match self.shared.customers.get(value) {
                    Some(known) => filter.customer = Some(known.key),
                    None => return Ok(None),
                },
                _ => filter.dimensions.push((name.clone(), value.clone())),
            }
        }
        if let Some(name) = event_type {
            filter.event_type =
                sqlx::query_scalar("SELECT id FROM event_type WHERE name = ?1").bind(name).fetch_optional(view).await?;
            if filter.event_type.is_none() {
                return Ok(None);
            }
        }
        Ok(Some(filter))
    }

    async fn events_of(
        &self,
        view: &mut SqliteConnection,
        customer: i64,
        list: &ListEvents,
        filter: &Filter,
    ) -> Result<Page<Event>> {
        let span = Span::new(list.from, list.to);
        let (at, seq) = match &list.cursor {
            Some(cursor) => keys::<2>(cursor)?.into(),
            None => (span.end, i64::MIN),
        };
        let floor = if filter.is_wide() {
            None
        } else {
            // Where looking ends, if anything lies beyond.
            sqlx::query(
                "SELECT at, seq FROM event WHERE customer = ?1 AND at >= ?2 AND at < ?3 AND (at, seq) < (?4, ?5) \
                 ORDER BY at DESC, seq DESC LIMIT 2 OFFSET ?6",
            )
            .bind(customer)
            .bind(span.start)
            .bind(span.end)
            .bind(at)
            .bind(seq)
            .bind(MAX_LOOKED_AT - 1)
            .fetch_all(&mut *view)
            .await?
            .split_first()
            .filter(|(_, beyond)| !beyond.is_empty())
            .map(|(row, _)| Ok::<_, sqlx::Error>((row.try_get(0)?, row.try_get(1)?)))
            .transpose()?
        };
        let (floor_at, floor_seq) = floor.unwrap_or((span.start, i64::MIN));
        let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {TABLES} WHERE e.customer = "));
        sql.push_bind(customer).push(" AND e.at < ").push_bind(span.end);
        sql.push(" AND (e.at, e.seq) < (").push_bind(at).push(", ").push_bind(seq).push(")");
        sql.push(" AND (e.at, e.seq) >= (").push_bind(floor_at).push(", ").push_bind(floor_seq).push(")");
        filter.push(&mut sql);
        sql.push(" ORDER BY e.at DESC, e.seq DESC LIMIT ").push_bind(list.limit.probe());
        let rows = sql.build().fetch_all(view).await?;
        let cursor = |(at, seq): (i64, i64)| Cursor::of(&[&at.to_string(), &seq.to_string()]);
        self.page(&rows, list, |row| Ok(cursor((row.try_get(4)?, row.try_get(0)?))), floor.map(cursor))
    }

    async fn events_of_all(
        &self,
        view: &mut SqliteConnection,
        list: &ListEvents,
        filter: &Filter,
    ) -> Result<Page<Event>> {
        let span = Span::new(list.from, list.to);
        let before = match &list.cursor {
            Some(cursor) => keys::<1>(cursor)?[0],
            None => i64::MAX,
        };
        let floor = if filter.is_wide() && span == Span::ALL {
            None
        } else {
            // Where looking ends, if anything lies beyond.
            let bounds: Vec<i64> =
                sqlx::query_scalar("SELECT seq FROM event WHERE seq < ?1 ORDER BY seq DESC LIMIT 2 OFFSET ?2")
                    .bind(before)
                    .bind(MAX_LOOKED_AT - 1)
                    .fetch_all(&mut *view)
                    .await?;
            bounds.first().copied().filter(|_| bounds.len() > 1)
        };
        let mut sql = QueryBuilder::new(format!("SELECT {COLUMNS} FROM {TABLES} WHERE e.seq >= "));
        sql.push_bind(floor.unwrap_or(i64::MIN)).push(" AND e.seq < ").push_bind(before);
        sql.push(" AND e.at >= ").push_bind(span.start).push(" AND e.at < ").push_bind(span.end);
        filter.push(&mut sql);
        sql.push(" ORDER BY e.seq DESC LIMIT ").push_bind(list.limit.probe());
        let rows = sql.build().fetch_all(view).await?;
        let cursor = |seq: i64| Cursor::of(&[&seq.to_string()]);
        self.page(&rows, list, |row| Ok(cursor(row.try_get(0)?)), floor.map(cursor))
    }

    /// A page of rows fetched with one to spare. When they do not fill it, the next page begins below the `floor`.
    fn page(
        &self,
        rows: &[SqliteRow],
        list: &ListEvents,
        cursor: impl Fn(&SqliteRow) -> Result<Cursor>,
        floor: Option<Cursor>,
    ) -> Result<Page<Event>> {
        let size = list.limit.rows();
        let shown = &rows[..rows.len().min(size)];
        let next = match shown.last() {
            Some(last) if rows.len() > size => Some(cursor(last)?),
            _ => floor,
        };
        Ok(Page::new(shown.iter().map(|row| read(row, self.shared.project)).collect::<Result<_>>()?, next))
    }

    /// One event, with the live meters and limits that it counts on. A voided one counts on nothing.
    pub async fn event(&self, id: EventId) -> Result<EventDetail> {
        let config = self.shared.config();
        let mut conn = self.reader().await?;
        let (_, event) = find(&mut conn, self.shared.project, id).await?;
        let mut detail = EventDetail { event, meters: Vec::new(), limits: Vec::new() };
        if detail.event.voided_at.is_some() {
            return Ok(detail);
        }
        let facts = facts_of(&detail.event);
        for meter in config.meters.values() {
            if let Some(part) = meter.contribution(&facts) {
                let value = match part.what {
                    What::One => Some(Quantity::ONE),
                    What::Amount(amount) => Some(amount),
                    What::Member(_) => None,
                };
                detail.meters.push(CountedMeter { id: meter.id, name: meter.name.clone(), value });
            }
        }
        let customer = self.known_customer(&detail.event.customer_id)?;
        for (rule, _) in effective(&config, &customer.own) {
            if config.meter_of(rule).is_some_and(|meter| rule.contribution(meter, &facts).is_some()) {
                detail.limits.push(CountedLimit { id: rule.id, name: rule.name.clone(), period: rule.period });
            }
        }
        Ok(detail)
    }
}

/// An event and its number.
pub(crate) async fn find(conn: &mut SqliteConnection, project: ProjectId, id: EventId) -> Result<(i64, Event)> {
    let row = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM {TABLES} WHERE e.id = ?1")))
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?
        .ok_or_else(|| Error::not_found(Code::EventNotFound, "event", &id.to_string()))?;
    Ok((row.try_get(0)?, read(&row, project)?))
}

/// What metering looks at in an event.
pub(crate) fn facts_of(event: &Event) -> Facts<'_> {
    Facts {
        id: event.id,
        at: event.timestamp,
        customer: &event.customer_id,
        event_type: &event.event_type,
        values: &event.values,
        dimensions: &event.dimensions,
    }
}

/// The numbers in a cursor of a list that sorts by so many.
fn keys<const N: usize>(cursor: &Cursor) -> Result<[i64; N], Fault> {
    let numbers = cursor.keys::<N>().and_then(|keys| {
        let numbers: Option<Vec<i64>> = keys.iter().map(|key| key.parse().ok()).collect();
        numbers?.try_into().ok()
    });
    numbers.ok_or_else(Cursor::foreign)
}

/// Events by their numbers, in the order given.
pub(super) async fn events_by_seq(
    view: &mut SqliteConnection,
    project: ProjectId,
    numbers: &[i64],
) -> Result<Vec<Event>> {
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT {COLUMNS} FROM json_each(?1) q CROSS JOIN {TABLES} WHERE e.seq = q.value ORDER BY q.key"
    )))
    .bind(to_json(numbers)?)
    .fetch_all(view)
    .await?;
    rows.iter().map(|row| read(row, project)).collect()
}

fn read(row: &SqliteRow, project: ProjectId) -> Result<Event> {
    let properties = match row.try_get::<Option<&str>, _>(8)? {
        Some(text) => {
            Properties::parse(text).map_err(|reason| Error::Storage(format!("unreadable properties: {reason}")))?
        }
        None => Properties::default(),
    };
    Ok(Event {
        id: EventId::new(row.try_get(1)?),
        project_id: project,
        customer_id: Cow::Owned(row.try_get(2)?),
        event_type: row.try_get(3)?,
        values: from_json(row.try_get(6)?)?,
        dimensions: from_json(row.try_get(7)?)?,
        properties,
        timestamp: Timestamp::from_micros(row.try_get(4)?),
        created_at: Timestamp::from_micros(row.try_get(5)?),
        voided_at: row.try_get::<Option<i64>, _>(9)?.map(Timestamp::from_micros),
        void_reason: row.try_get(10)?,
    })
}
