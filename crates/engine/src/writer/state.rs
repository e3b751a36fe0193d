//! What the writer knows beside the data file, read when it opens.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::aggregate::{Aggregation, Field};
use weir_core::filter::EventFilter;
use weir_core::id::{CustomerId, KeyId, LimitId, MeterId, ProjectId, RateLimitId};
use weir_core::period::Period;
use weir_core::quantity::Quantity;
use weir_core::rate::RateSpan;
use weir_core::time::{CivilDate, Timestamp, Zone};

use super::alerts::read_lasting;
use super::flush::{begin, commit};
use super::groups::Groups;
use super::holds::read_live;
use super::ids::Ids;
use crate::accounts::Accounts;
use crate::config::{Config, EVERYONE, KeyRule, KeySecret, KeyUse, LimitRule, MeterRule, RateRule};
use crate::error::{Error, Result};
use crate::extras::{Raise, Reset};
use crate::live::LiveCustomer;
use crate::model::{Enforcement, Project, Scope};
use crate::rollup::BASE;
use crate::scan::{from_json, to_json};

/// Bits of a fact's number that count within its device.
pub(crate) const DEVICE_SHIFT: u32 = 40;
/// The watermark shared by every series that follows the events.
pub(crate) const FOLLOWING: i64 = -1;

/// What the writer starts from.
pub(crate) struct State {
    pub config: Config,
    /// Every customer with their own limits, counters not loaded.
    pub customers: Vec<LiveCustomer>,
    /// Time at which the file was last written: the clock does not step back behind it.
    pub not_before: Timestamp,
    pub device: i64,
    /// The last event's number, of this device.
    pub last_seq: i64,
    /// The last number given to what a limit counts.
    pub last_counting: u64,
    pub last_customer: i64,
    /// The last reservation's or hold's number, of this device.
    pub last_hold: i64,
    /// The last ledger entry's number, of this device.
    pub last_entry: i64,
    /// The last number of a balance's hold, of this device.
    pub last_balance_hold: i64,
    /// Weir itself, as an actor.
    pub system_actor: i64,
    /// When something happens by itself next.
    pub due: Option<Timestamp>,
    pub ids: Ids,
    pub groups: Groups,
    pub event_types: FxHashMap<String, i64>,
}

impl State {
    /// Reads the data file, and fills it with what every file has when it is new.
    pub(crate) async fn load(conn: &mut SqliteConnection, now: Timestamp) -> Result<State> {
        // Of everything that has an id: while the clock stands still or steps back, new ones go on after the last.
        let last_id: Option<Uuid> = sqlx::query_scalar(
            "SELECT max(id) FROM (SELECT max(id) AS id FROM event UNION ALL SELECT max(uuid) FROM customer \
             UNION ALL SELECT max(uuid) FROM meter UNION ALL SELECT max(uuid) FROM usage_limit \
             UNION ALL SELECT max(uuid) FROM rate_limit UNION ALL SELECT max(id) FROM hold UNION ALL SELECT max(uuid) FROM balance \
             UNION ALL SELECT id FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry) UNION ALL SELECT max(id) FROM balance_hold \
             UNION ALL SELECT max(uuid) FROM api_key UNION ALL SELECT max(uuid) FROM client_token UNION ALL SELECT max(uuid) FROM device UNION ALL SELECT uuid FROM project)",
        )
        .fetch_one(&mut *conn)
        .await?;
        let mut ids = Ids::after(last_id.unwrap_or_default());
        let project = match read_project(conn).await? {
            Some(project) => project,
            None => {
                found(conn, &mut ids, now).await?;
                read_project(conn).await?.ok_or_else(|| Error::Storage("the project is missing".to_owned()))?
            }
        };
        let device: i64 = sqlx::query_scalar("SELECT id FROM device WHERE is_self = 1").fetch_one(&mut *conn).await?;
        let floor = device << DEVICE_SHIFT;
        let mut last_of = async |table: &'static str| -> Result<i64> {
            let sql = format!("SELECT max(seq) FROM {table} WHERE seq > ?1 AND seq < ?2");
            let last: Option<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(sql))
                .bind(floor)
                .bind((device + 1) << DEVICE_SHIFT)
                .fetch_one(&mut *conn)
                .await?;
            Ok(last.unwrap_or(floor))
        };
        let (last_seq, last_hold) = (last_of("event").await?, last_of("hold").await?);
        let (last_entry, last_balance_hold) = (last_of("ledger_entry").await?, last_of("balance_hold").await?);
        // Neither events nor money may come from before the last ones.
        let last_recorded: Option<i64> = sqlx::query_scalar(
            "SELECT max(at) FROM (SELECT recorded_at AS at FROM event WHERE seq = (SELECT max(seq) FROM event) \
             UNION ALL SELECT created_at FROM ledger_entry WHERE seq = (SELECT max(seq) FROM ledger_entry) \
             UNION ALL SELECT created_at FROM balance_hold WHERE seq = (SELECT max(seq) FROM balance_hold))",
        )
        .fetch_one(&mut *conn)
        .await?;
        let meters = read_meters(conn).await?;
        let mut counting = 0;
        let (mut defaults, mut own) = (Vec::new(), FxHashMap::<i64, Vec<Arc<LimitRule>>>::default());
        let rows = sqlx::query("SELECT * FROM usage_limit WHERE archived_at IS NULL AND enabled = 1 ORDER BY id")
            .fetch_all(&mut *conn)
            .await?;
        for row in rows {
            counting += 1;
            let rule = Arc::new(read_limit(&row, counting)?);
            match row.try_get::<Option<i64>, _>("customer")? {
                None => defaults.push(rule),
                Some(customer) => own.entry(customer).or_default().push(rule),
            }
        }
        let mut customers = Vec::new();
        let rows = sqlx::query("SELECT id, uuid, external_id, timezone, billing_cycle_start FROM customer ORDER BY id")
            .fetch_all(&mut *conn)
            .await?;
        for row in rows {
            let key = row.try_get(0)?;
            customers.push(LiveCustomer {
                key,
                id: CustomerId::new(row.try_get(1)?),
                external: row.try_get::<&str, _>(2)?.into(),
                zone: row.try_get::<Option<&str>, _>(3)?.map(stored).transpose()?,
                anchor: stored::<CivilDate>(row.try_get(4)?)?,
                own: own.remove(&key).unwrap_or_default().into(),
                counters: Vec::new(),
                rates: Vec::new(),
                extras: None,
                accounts: Accounts::None,
            });
        }
        for row in
            sqlx::query("SELECT customer, rate_limit, slot, calls FROM rate_use ORDER BY rate_limit, slot, customer")
                .fetch_all(&mut *conn)
                .await?
        {
            let customer: i64 = row.try_get(0)?;
            if let Ok(place) = customers.binary_search_by_key(&customer, |customer| customer.key) {
                let calls = u64::try_from(row.try_get::<i64, _>(3)?).unwrap_or_default();
                customers[place].calls_mut(row.try_get(1)?).put(row.try_get(2)?, calls);
            }
        }
        read_extras(conn, &mut customers, now).await?;
        let prepaid: Vec<i64> = sqlx::query_scalar("SELECT DISTINCT customer FROM balance WHERE archived_at IS NULL")
            .fetch_all(&mut *conn)
            .await?;
        for customer in prepaid {
            if let Ok(place) = customers.binary_search_by_key(&customer, |customer| customer.key) {
                customers[place].accounts = Accounts::Cold;
            }
        }
        let types = sqlx::query("SELECT name, id FROM event_type").fetch_all(&mut *conn).await?;
        Ok(State {
            config: Config {
                project,
                meters,
                defaults,
                rates: read_rates(conn).await?,
                keys: read_keys(conn).await?,
                webhooks: crate::webhooks::read_rules(conn).await?,
            },
            last_customer: customers.last().map_or(0, |customer| customer.key),
            customers,
            not_before: Timestamp::from_micros(last_recorded.unwrap_or(i64::MIN)),
            device,
            last_seq,
            last_counting: counting,
            last_hold,
            last_entry,
            last_balance_hold,
            system_actor: actor_key(conn, &crate::Actor::system()).await?,
            due: Some(now),
            ids,
            groups: Groups::load(conn).await?,
            event_types: types
                .iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
                .collect::<Result<_, sqlx::Error>>()?,
        })
    }
}

/// Text that the engine itself stored.
pub(crate) fn stored<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::Storage(format!("unreadable {}: {text:?}", std::any::type_name::<T>())))
}

/// A total from its text: what callers sent may add up to more than one of them may send.
pub(crate) fn stored_total(text: &str) -> Result<Quantity> {
    Quantity::parse_total(text).map_err(|_| Error::Storage(format!("unreadable total: {text:?}")))
}

/// Founds a new file: the project, this device, the base roll-up and the built-in meters.
async fn found(conn: &mut SqliteConnection, ids: &mut Ids, now: Timestamp) -> Result<()> {
    let at = now.as_micros();
    begin(conn).await?;
    sqlx::query("INSERT INTO project (id, uuid, name, timezone, created_at, updated_at) VALUES (1, ?1, 'My project', 'UTC', ?2, ?2)")
        .bind(ids.next(now)?)
        .bind(at)
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO device (id, uuid, name, created_at, is_self) VALUES (1, ?1, 'this device', ?2, 1)")
        .bind(ids.next(now)?)
        .bind(at)
        .execute(&mut *conn)
        .await?;
    sqlx::query("INSERT INTO series (id, meter, ready) VALUES (?1, NULL, 1)").bind(BASE).execute(&mut *conn).await?;
    let built_in = [
        ("total_events", "Every event recorded", Aggregation::Count, "*", "events"),
        ("total_tokens", "The sum of `tokens`", Aggregation::Sum, "values.tokens", "tokens"),
        ("total_cost_cents", "The sum of `cost_cents`", Aggregation::Sum, "values.cost_cents", "cents"),
    ];
    for (key, (name, description, aggregation, field, unit)) in (1_i64..).zip(built_in) {
        sqlx::query("INSERT INTO series (id, meter, ready) VALUES (?1, ?1, 1)").bind(key).execute(&mut *conn).await?;
        sqlx::query(
            "INSERT INTO meter (id, uuid, name, description, aggregation, field, unit, built_in, series, created_at, updated_at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?1, ?8, ?8)",
        )
        .bind(key)
        .bind(ids.next(now)?)
        .bind(name)
        .bind(description)
        .bind(aggregation.as_str())
        .bind(field)
        .bind(unit)
        .bind(at)
        .execute(&mut *conn)
        .await?;
    }
    commit(conn).await
}

/// Reads what some customers have beside limits, into customers in the order of their numbers.
async fn read_extras(conn: &mut SqliteConnection, customers: &mut [LiveCustomer], now: Timestamp) -> Result<()> {
    let place =
        |customers: &[LiveCustomer], key: i64| customers.binary_search_by_key(&key, |customer| customer.key).ok();
    let newest = |table: &str| {
        format!(
            "SELECT * FROM {table} WHERE seq IN (SELECT max(seq) FROM {table} GROUP BY customer, usage_limit) ORDER BY seq"
        )
    };
    for row in sqlx::query(sqlx::AssertSqlSafe(newest("limit_override"))).fetch_all(&mut *conn).await? {
        let Some(place) = place(customers, row.try_get("customer")?) else { continue };
        let (units, nanos): (i64, i64) = (row.try_get("units")?, row.try_get("nanos")?);
        customers[place].extras_mut().put_raise(Raise {
            limit: row.try_get("usage_limit")?,
            seq: row.try_get("seq")?,
            value: Quantity::from_parts(units.into(), nanos.into())?,
            at: Timestamp::from_micros(row.try_get("at")?),
            until: Timestamp::from_micros(row.try_get("until")?),
            note: row.try_get::<&str, _>("note")?.into(),
        });
    }
    for row in sqlx::query(sqlx::AssertSqlSafe(newest("limit_reset"))).fetch_all(&mut *conn).await? {
        let Some(place) = place(customers, row.try_get("customer")?) else { continue };
        customers[place].extras_mut().put_reset(Reset {
            limit: row.try_get("usage_limit")?,
            after: row.try_get("after_event")?,
            at: Timestamp::from_micros(row.try_get("at")?),
        });
    }
    for (customer, hold) in read_live(conn).await? {
        let Some(place) = place(customers, customer) else { continue };
        customers[place].extras_mut().holds.push(Arc::new(hold));
    }
    for (customer, alert) in read_lasting(conn, now).await? {
        let Some(place) = place(customers, customer) else { continue };
        customers[place].extras_mut().alerts.push(alert);
    }
    Ok(())
}

async fn read_project(conn: &mut SqliteConnection) -> Result<Option<Project>> {
    let row = sqlx::query("SELECT uuid, name, timezone, created_at, updated_at, client_origins FROM project")
        .fetch_optional(conn)
        .await?;
    row.map(|row| {
        Ok(Project {
            id: ProjectId::new(row.try_get(0)?),
            name: row.try_get(1)?,
            timezone: stored::<Zone>(row.try_get(2)?)?,
            created_at: Timestamp::from_micros(row.try_get(3)?),
            updated_at: Timestamp::from_micros(row.try_get(4)?),
            client_origins: from_json(row.try_get(5)?)?,
        })
    })
    .transpose()
}

async fn read_meters(conn: &mut SqliteConnection) -> Result<BTreeMap<i64, Arc<MeterRule>>> {
    let rows =
        sqlx::query("SELECT m.*, s.ready FROM meter m JOIN series s ON s.id = m.series WHERE m.archived_at IS NULL")
            .fetch_all(conn)
            .await?;
    rows.iter().map(|row| read_meter(row).map(|rule| (rule.key, Arc::new(rule)))).collect()
}

/// The rule of a meter row joined with its series.
pub(crate) fn read_meter(row: &SqliteRow) -> Result<MeterRule> {
    let aggregation: Aggregation = stored(row.try_get("aggregation")?)?;
    Ok(MeterRule {
        key: row.try_get("id")?,
        id: MeterId::new(row.try_get("uuid")?),
        name: row.try_get("name")?,
        unit: row.try_get("unit")?,
        aggregation,
        field: Field::parse(aggregation, row.try_get("field")?)?,
        filter: EventFilter {
            event_type: row.try_get("event_type")?,
            dimensions: from_json(row.try_get("dimensions")?)?,
        },
        group_by: from_json(row.try_get("group_by")?)?,
        series: row.try_get("series")?,
        ready: row.try_get("ready")?,
    })
}

/// The rule of a limit row.
pub(crate) fn read_limit(row: &SqliteRow, counting: u64) -> Result<LimitRule> {
    let (units, nanos): (i64, i64) = (row.try_get("units")?, row.try_get("nanos")?);
    Ok(LimitRule {
        key: row.try_get("id")?,
        id: LimitId::new(row.try_get("uuid")?),
        name: row.try_get("name")?,
        meter: row.try_get("meter")?,
        value: Quantity::from_parts(units.into(), nanos.into())?,
        period: stored::<Period>(row.try_get("period")?)?,
        filters: from_json(row.try_get("dimension_filters")?)?,
        enforcement: match row.try_get("enforcement")? {
            "soft" => Enforcement::Soft,
            _ => Enforcement::Hard,
        },
        thresholds: from_json::<Vec<u16>>(row.try_get("alert_thresholds")?)?.into(),
        arming: row.try_get("arming")?,
        counting,
    })
}

async fn read_rates(conn: &mut SqliteConnection) -> Result<FxHashMap<i64, Vec<Arc<RateRule>>>> {
    let rows = sqlx::query("SELECT * FROM rate_limit WHERE archived_at IS NULL AND enabled = 1 ORDER BY id")
        .fetch_all(conn)
        .await?;
    let mut rates = FxHashMap::<i64, Vec<Arc<RateRule>>>::default();
    for row in rows {
        let customer = row.try_get::<Option<i64>, _>("customer")?.unwrap_or(EVERYONE);
        rates.entry(customer).or_default().push(Arc::new(read_rate(&row)?));
    }
    Ok(rates)
}

/// The rule of a rate limit's row.
pub(crate) fn read_rate(row: &SqliteRow) -> Result<RateRule> {
    Ok(RateRule {
        key: row.try_get("id")?,
        id: RateLimitId::new(row.try_get("uuid")?),
        name: row.try_get("name")?,
        span: stored::<RateSpan>(row.try_get("span")?)?,
        value: u64::try_from(row.try_get::<i64, _>("units")?).unwrap_or_default(),
        filters: from_json(row.try_get("dimension_filters")?)?,
    })
}

async fn read_keys(conn: &mut SqliteConnection) -> Result<FxHashMap<[u8; 32], KeySecret>> {
    let rows = sqlx::query("SELECT * FROM api_key WHERE revoked_at IS NULL").fetch_all(conn).await?;
    let hash = |bytes: &[u8]| -> Result<[u8; 32]> {
        bytes.try_into().map_err(|_| Error::Storage("a key's hash has the wrong length".to_owned()))
    };
    let mut keys = FxHashMap::default();
    for row in &rows {
        let rule = Arc::new(KeyRule {
            key: row.try_get("id")?,
            id: KeyId::new(row.try_get("uuid")?),
            name: row.try_get("name")?,
            scope: scope(row.try_get("scope")?),
            expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp::from_micros),
            limits: [row.try_get("per_minute")?, row.try_get("per_day")?],
            used: Arc::new(KeyUse::read(row.try_get("calls")?)?),
        });
        if let Some(old) = row.try_get::<Option<&[u8]>, _>("old_hash")? {
            let until = row.try_get::<Option<i64>, _>("old_until")?.map(Timestamp::from_micros);
            keys.insert(hash(old)?, KeySecret { rule: rule.clone(), until });
        }
        keys.insert(hash(row.try_get("hash")?)?, KeySecret { rule, until: None });
    }
    Ok(keys)
}

/// The scope of a stored word; the table admits no other.
pub(crate) fn scope(word: &str) -> Scope {
    match word {
        "manage" => Scope::Manage,
        "ingest" => Scope::Ingest,
        _ => Scope::Read,
    }
}

/// The number of an actor, learnt where it is new.
pub(crate) async fn actor_key(conn: &mut SqliteConnection, actor: &crate::Actor) -> Result<i64> {
    let (kind, name) = (actor.kind.as_str(), actor.name.as_str());
    let known = sqlx::query_scalar("SELECT id FROM actor WHERE kind = ?1 AND name = ?2")
        .bind(kind)
        .bind(name)
        .fetch_optional(&mut *conn)
        .await?;
    match known {
        Some(key) => Ok(key),
        None => Ok(sqlx::query_scalar("INSERT INTO actor (kind, name) VALUES (?1, ?2) RETURNING id")
            .bind(kind)
            .bind(name)
            .fetch_one(conn)
            .await?),
    }
}

/// One audit fact.
pub(crate) struct Audit<'a, T: serde::Serialize> {
    pub operation: &'static str,
    pub target: &'a str,
    pub before: Option<&'a T>,
    pub after: Option<&'a T>,
}

/// Writes who changed what, with what stood before and after.
pub(crate) async fn write_audit<T: serde::Serialize>(
    conn: &mut SqliteConnection,
    actor: &crate::Actor,
    now: Timestamp,
    audit: Audit<'_, T>,
) -> Result<()> {
    let actor = actor_key(conn, actor).await?;
    sqlx::query("INSERT INTO audit (at, actor, operation, target, before, after) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .bind(now.as_micros())
        .bind(actor)
        .bind(audit.operation)
        .bind(audit.target)
        .bind(audit.before.map(to_json).transpose()?)
        .bind(audit.after.map(to_json).transpose()?)
        .execute(conn)
        .await?;
    Ok(())
}
