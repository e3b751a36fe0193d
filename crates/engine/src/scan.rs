//! Events read back from the data file: for edges off the bucket grid, breakdowns that are not kept, backfills and proofs.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use sqlx::{Row as _, SqliteConnection};
use uuid::Uuid;
use weir_core::event::Facts;
use weir_core::id::EventId;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::error::{Error, Result};
use crate::rollup::Span;

/// Events fetched in one go: enough to make the round trip cheap, few enough to stay small.
const CHUNK: i64 = 5_000;
/// Events fetched in one go where the newest few may well be enough.
const FEW: usize = 1_000;

/// A stored event, as metering needs it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub seq: i64,
    pub id: EventId,
    pub customer: i64,
    pub event_type: i64,
    pub at: Timestamp,
    pub values: BTreeMap<String, Quantity>,
    pub dimensions: BTreeMap<String, String>,
}

/// Names behind the numbers in stored events.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    types: FxHashMap<i64, String>,
    customers: FxHashMap<i64, String>,
}

impl Names {
    /// Learns every event type, and those customers that are asked for later one by one.
    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Self> {
        let rows = sqlx::query("SELECT id, name FROM event_type").fetch_all(conn).await?;
        let types =
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
        Ok(Names { types, customers: FxHashMap::default() })
    }

    /// Makes sure that the names in some events are known.
    pub(crate) async fn learn(&mut self, conn: &mut SqliteConnection, events: &[Stored]) -> Result<()> {
        let mut unknown: Vec<i64> =
            events.iter().map(|event| event.customer).filter(|key| !self.customers.contains_key(key)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        if !unknown.is_empty() {
            let rows =
                sqlx::query("SELECT id, external_id FROM customer WHERE id IN (SELECT value FROM json_each(?1))")
                    .bind(serde_json::to_string(&unknown).unwrap_or_default())
                    .fetch_all(&mut *conn)
                    .await?;
            for row in rows {
                self.customers.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        if events.iter().any(|event| !self.types.contains_key(&event.event_type)) {
            self.types = Names::load(conn).await?.types;
        }
        Ok(())
    }

    /// What metering looks at in a stored event.
    pub(crate) fn facts<'a>(&'a self, event: &'a Stored) -> Facts<'a> {
        Facts {
            id: event.id,
            at: event.at,
            customer: self.customers.get(&event.customer).map_or("", String::as_str),
            event_type: self.type_name(event.event_type),
            values: &event.values,
            dimensions: &event.dimensions,
        }
    }

    pub(crate) fn type_name(&self, key: i64) -> &str {
        self.types.get(&key).map_or("", String::as_str)
    }
}

/// That the event `e` was not voided: one look into an index, and nothing where no event ever was.
pub(crate) const LIVE: &str = "NOT EXISTS (SELECT 1 FROM void v WHERE v.event = e.seq)";

/// Which events to read. Voided ones never count.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Select {
    /// One customer's in a span of event time, by event time.
    Customer(i64, Span),
    /// Everyone's in a span of event time, customer by customer.
    Everyone(Span),
    /// Those with a `seq` above the first and up to the second, in order of `seq`.
    Arrived(i64, i64),
}

/// Reads events a chunk at a time. Give back the last event of a chunk to get the next; `None` starts.
pub(crate) struct Scan {
    select: Select,
    after: Option<(i64, i64, i64)>,
    done: bool,
}

impl Scan {
    pub(crate) fn new(select: Select) -> Self {
        let done = match select {
            Select::Customer(_, span) | Select::Everyone(span) => span.is_empty(),
            Select::Arrived(after, upto) => after >= upto,
        };
        Scan { select, after: None, done }
    }

    /// Whether the last chunk has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The next events; empty at the end.
    pub(crate) async fn next(&mut self, conn: &mut SqliteConnection) -> Result<Vec<Stored>> {
        if self.done {
            return Ok(Vec::new());
        }
        let (sql, keys): (String, &[i64]) = match self.select {
            Select::Customer(customer, span) => {
                let (_, at, seq) = self.after.unwrap_or((0, span.start, i64::MIN));
                let sql = format!(
                    "SELECT {COLUMNS} FROM event e WHERE e.customer = ?1 AND (e.at, e.seq) > (?2, ?3) AND e.at < ?4 AND {LIVE} \
                     ORDER BY e.at, e.seq LIMIT {CHUNK}"
                );
                (sql, &[customer, at, seq, span.end])
            }
            Select::Everyone(span) => {
                // The index leads with the customer: a short range for each customer, never the whole table.
                let (customer, at, seq) = self.after.unwrap_or((i64::MIN, span.start, i64::MIN));
                let sql = format!(
                    "SELECT {COLUMNS} FROM customer c CROSS JOIN event e ON e.customer = c.id \
                     WHERE c.id >= ?1 AND e.at >= ?2 AND e.at < ?3 AND (c.id > ?1 OR (e.at, e.seq) > (?4, ?5)) AND {LIVE} \
                     ORDER BY c.id, e.at, e.seq LIMIT {CHUNK}"
                );
                (sql, &[customer, span.start, span.end, at, seq])
            }
            Select::Arrived(after, upto) => {
                let after = self.after.map_or(after, |(_, _, seq)| seq);
                let sql = format!(
                    "SELECT {COLUMNS} FROM event e WHERE e.seq > ?1 AND e.seq <= ?2 AND {LIVE} ORDER BY e.seq LIMIT {CHUNK}"
                );
                (sql, &[after, upto])
            }
        };
        // The events of a chunk come as one text: to hand over each as a row costs several times as much as reading it.
        let sql = format!("SELECT '[' || group_concat({EVENT}) || ']' FROM ({sql}) e");
        let mut query = sqlx::query_scalar::<_, Option<String>>(sqlx::AssertSqlSafe(sql));
        for key in keys {
            query = query.bind(*key);
        }
        let text = query.fetch_one(conn).await?;
        let mut events = stored(text.as_deref())?;
        // SQLite keeps the order of the inner query without promising to.
        match self.select {
            Select::Arrived(..) => events.sort_by_key(|event| event.seq),
            _ => events.sort_by_key(|event| (event.customer, event.at, event.seq)),
        }
        self.done = (events.len() as i64) < CHUNK;
        self.after = events.last().map(|event| (event.customer, event.at.as_micros(), event.seq));
        Ok(events)
    }
}

/// Reads one customer's live events back from the newest by event time, a chunk at a time.
pub(crate) struct Newest {
    customer: i64,
    span: Span,
    before: Option<(i64, i64)>,
    done: bool,
}

impl Newest {
    pub(crate) fn new(customer: i64, span: Span) -> Self {
        Newest { customer, span, before: None, done: span.is_empty() }
    }

    /// Whether the oldest has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.done
    }

    /// The next events, newest first, and no more than so many; empty at the end.
    pub(crate) async fn next(&mut self, conn: &mut SqliteConnection, most: usize) -> Result<Vec<Stored>> {
        if self.done {
            return Ok(Vec::new());
        }
        let count = most.min(FEW);
        let (at, seq) = self.before.unwrap_or((self.span.end, i64::MIN));
        let sql = format!(
            "SELECT {COLUMNS} FROM event e WHERE e.customer = ?1 AND (e.at, e.seq) < (?2, ?3) AND e.at >= ?4 AND {LIVE} \
             ORDER BY e.at DESC, e.seq DESC LIMIT ?5"
        );
        let sql = format!("SELECT '[' || group_concat({EVENT}) || ']' FROM ({sql}) e");
        let text: Option<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
            .bind(self.customer)
            .bind(at)
            .bind(seq)
            .bind(self.span.start)
            .bind(count as i64)
            .fetch_one(conn)
            .await?;
        let mut events = stored(text.as_deref())?;
        events.sort_by_key(|event| Reverse((event.at, event.seq)));
        self.done = events.len() < count;
        self.before = events.last().map(|event| (event.at.as_micros(), event.seq));
        Ok(events)
    }
}

/// Events handed over as one text.
fn stored(text: Option<&str>) -> Result<Vec<Stored>> {
    from_json::<Vec<Row>>(text.unwrap_or("[]"))?.into_iter().map(Stored::try_from).collect()
}

const COLUMNS: &str = r#"e.seq, e.id, e.customer, e.type, e.at, e."values", e.dimensions"#;

/// An event as JSON, for `Row`: its values and dimensions are JSON already.
const EVENT: &str = r#"'[' || e.seq || ',"' || hex(e.id) || '",' || e.customer || ',' || e.type || ',' || e.at || ','
    || e."values" || ',' || e.dimensions || ']'"#;

type Row<'a> = (i64, &'a str, i64, i64, i64, BTreeMap<String, Quantity>, BTreeMap<String, String>);

impl TryFrom<Row<'_>> for Stored {
    type Error = Error;

    fn try_from((seq, id, customer, event_type, at, values, dimensions): Row<'_>) -> Result<Self> {
        let id = Uuid::try_parse(id).map_err(|error| Error::Storage(format!("malformed event id: {error}")))?;
        Ok(Stored {
            seq,
            id: EventId::new(id),
            customer,
            event_type,
            at: Timestamp::from_micros(at),
            values,
            dimensions,
        })
    }
}

/// JSON that the engine itself stored.
pub(crate) fn from_json<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::Storage(format!("unreadable JSON: {error}")))
}

/// JSON to be stored.
pub(crate) fn to_json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::Storage(format!("unwritable JSON: {error}")))
}
