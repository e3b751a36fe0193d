//! Reading balances from the file into what decisions know them as.

use rustc_hash::FxHashMap;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};
use uuid::Uuid;
use weir_core::id::{BalanceId, HoldId, MeterId, ReservationId};
use weir_core::ledger::{Account, Debt, Grant, GrantSource, Hold, Level, Metering, Rate, Recurring, Terms, Watch};
use weir_core::quantity::Quantity;
use weir_core::time::{CivilDate, Timestamp, Zone};

use super::state::stored;
use crate::accounts::{Accounts, BalanceRule, LiveBalance, LiveHold, Price, Settings};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::live::LiveCustomer;
use crate::model::{Enforcement, Metered};
use crate::scan::{from_json, to_json};

const SELECT: &str = "SELECT b.id, b.uuid, b.customer, b.name, b.unit, b.settings, b.version, b.created_at, b.updated_at, b.archived_at, \
     c.name AS customer_name, r.id AS rate, r.meter, m.uuid AS meter_uuid, r.amount, r.per, r.counted, r.booked, \
     a.current_units, a.current_nanos, a.recurring_since, a.low_count, a.low_armed, a.low_up, a.top_up_count, a.top_up_armed, a.top_up_up \
     FROM balance b JOIN customer c ON c.id = b.customer JOIN account a ON a.balance = b.id \
     LEFT JOIN balance_rate r ON r.id = b.rate LEFT JOIN meter m ON m.id = r.meter";

/// Loads the balances of some customers that are not loaded.
pub(crate) async fn load(
    conn: &mut SqliteConnection,
    config: &Config,
    customers: &mut [&mut LiveCustomer],
) -> Result<()> {
    let cold: Vec<i64> =
        customers.iter().filter(|customer| customer.accounts.is_cold()).map(|customer| customer.key).collect();
    if cold.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "{SELECT} WHERE b.archived_at IS NULL AND b.customer IN (SELECT value FROM json_each(?1)) ORDER BY b.id"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(to_json(&cold)?).fetch_all(&mut *conn).await?;
    let mut loaded: FxHashMap<i64, Vec<&SqliteRow>> = FxHashMap::default();
    for row in &rows {
        loaded.entry(row.try_get("customer")?).or_default().push(row);
    }
    for customer in customers.iter_mut().filter(|customer| customer.accounts.is_cold()) {
        let rows = loaded.remove(&customer.key).unwrap_or_default();
        customer.accounts = Accounts::None;
        let cut = (customer.zone(config), customer.anchor);
        for balance in read(conn, &rows, cut).await? {
            customer.accounts.put(balance);
        }
    }
    Ok(())
}

/// Reads one balance, archived or not, with the number of its customer.
pub(crate) async fn find(
    conn: &mut SqliteConnection,
    id: BalanceId,
    cut: impl Fn(i64) -> Option<(Zone, CivilDate)>,
) -> Result<Option<(i64, LiveBalance)>> {
    let sql = format!("{SELECT} WHERE b.uuid = ?1");
    let Some(row) = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.uuid()).fetch_optional(&mut *conn).await? else {
        return Ok(None);
    };
    let customer = row.try_get("customer")?;
    let cut = cut(customer).ok_or_else(|| Error::Storage("a customer is missing".to_owned()))?;
    Ok(read(conn, &[&row], cut).await?.pop().map(|balance| (customer, balance)))
}

async fn read(conn: &mut SqliteConnection, rows: &[&SqliteRow], cut: (Zone, CivilDate)) -> Result<Vec<LiveBalance>> {
    let mut balances = rows.iter().map(|row| read_one(row, cut)).collect::<Result<Vec<_>>>()?;
    let keys: Vec<i64> = balances.iter().map(|balance| balance.rule.key).collect();
    let keys = to_json(&keys)?;
    let mut place = FxHashMap::default();
    for (at, balance) in balances.iter().enumerate() {
        place.insert(balance.rule.key, at);
    }
    let among = "balance IN (SELECT value FROM json_each(?1))";
    let of = |row: &SqliteRow| -> Result<Option<usize>> { Ok(place.get(&row.try_get::<i64, _>("balance")?).copied()) };
    let sql = format!(
        "SELECT g.*, e.id FROM credit_grant g JOIN ledger_entry e ON e.seq = g.entry \
         WHERE g.{among} AND (g.left_units > 0 OR g.left_nanos > 0) \
         ORDER BY g.priority, g.expires_at IS NULL, g.expires_at, g.entry"
    );
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&keys).fetch_all(&mut *conn).await? {
        let Some(at) = of(&row)? else { continue };
        let entry = row.try_get("entry")?;
        let left = quantity(&row, "left_units", "left_nanos")?;
        balances[at].account.grants.push(Grant { entry, terms: terms(&row)?, left, held: Quantity::ZERO });
        balances[at].grant_ids.push((entry, row.try_get::<Uuid, _>("id")?));
    }
    let sql = format!("SELECT * FROM debt WHERE {among} ORDER BY entry");
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&keys).fetch_all(&mut *conn).await? {
        let Some(at) = of(&row)? else { continue };
        let debt = Debt { entry: row.try_get("entry")?, left: quantity(&row, "units", "nanos")? };
        balances[at].account.debts.push(debt);
    }
    let sql = format!("SELECT * FROM balance_hold WHERE {among} AND state = 'live' ORDER BY seq");
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&keys).fetch_all(&mut *conn).await? {
        let Some(at) = of(&row)? else { continue };
        let number = row.try_get("seq")?;
        let parts: Vec<(i64, Quantity)> = from_json(row.try_get("parts")?)?;
        let balance = &mut balances[at];
        for (entry, part) in &parts {
            if let Some(grant) = balance.account.grants.iter_mut().find(|grant| grant.entry == *entry) {
                grant.held = grant.held.checked_add(*part)?;
            }
        }
        balance.hold_ids.push(LiveHold {
            number,
            id: HoldId::new(row.try_get("id")?),
            reservation: row.try_get::<Option<Uuid>, _>("reservation")?.map(ReservationId::new),
        });
        balance.account.holds.push(Hold {
            number,
            amount: quantity(&row, "units", "nanos")?,
            parts,
            expires_at: Timestamp::from_micros(row.try_get("expires_at")?),
        });
    }
    let sql = format!(
        "SELECT * FROM balance_day WHERE {among} AND day > (SELECT max(day) FROM balance_day d WHERE d.balance = balance_day.balance) - 7 \
         ORDER BY day"
    );
    for row in sqlx::query(sqlx::AssertSqlSafe(sql)).bind(&keys).fetch_all(&mut *conn).await? {
        let Some(at) = of(&row)? else { continue };
        let day = (row.try_get("day")?, quantity(&row, "units", "nanos")?);
        balances[at].days.push(day);
    }
    Ok(balances)
}

/// A balance without what it is made of.
fn read_one(row: &SqliteRow, cut: (Zone, CivilDate)) -> Result<LiveBalance> {
    let key = row.try_get("id")?;
    let settings: Settings = from_json(row.try_get("settings")?)?;
    let (mut price, mut metering) = (None, None);
    if let (Some(rate), Some(meter)) = (row.try_get::<Option<i64>, _>("rate")?, row.try_get::<Option<i64>, _>("meter")?)
    {
        let (amount, per) = (stored(row.try_get("amount")?)?, row.try_get("per")?);
        let metered = Metered {
            meter_id: MeterId::new(row.try_get("meter_uuid")?),
            amount,
            per,
            enforcement: settings.enforcement,
        };
        price = Some(Price { key: rate, meter, metered });
        metering = Some(Metering {
            rate: Rate { amount, per },
            counted: total(row.try_get("counted")?)?,
            booked: total(row.try_get("booked")?)?,
            soft: settings.enforcement == Enforcement::Soft,
        });
    }
    let watch = |count: &str, armed: &str, up: &str| -> Result<Watch> {
        Ok(Watch { count: row.try_get(count)?, armed: row.try_get(armed)?, up: row.try_get(up)? })
    };
    let mut account = Account::new(key, settings.minimum);
    account.current = quantity(row, "current_units", "current_nanos")?;
    account.low = (settings.low, watch("low_count", "low_armed", "low_up")?);
    let below = settings.top_up.as_ref().map(|top_up| top_up.below);
    account.top_up = (below, watch("top_up_count", "top_up_armed", "top_up_up")?);
    let since = row.try_get::<Option<i64>, _>("recurring_since")?.map(Timestamp::from_micros);
    account.recurring = recurring(&settings, since, cut);
    let rule = BalanceRule {
        key,
        id: BalanceId::new(row.try_get("uuid")?),
        name: row.try_get("name")?,
        unit: row.try_get("unit")?,
        customer_name: row.try_get("customer_name")?,
        settings,
        price,
        version: row.try_get("version")?,
        created_at: Timestamp::from_micros(row.try_get("created_at")?),
        updated_at: Timestamp::from_micros(row.try_get("updated_at")?),
        archived_at: row.try_get::<Option<i64>, _>("archived_at")?.map(Timestamp::from_micros),
    };
    Ok(LiveBalance {
        rule: rule.into(),
        account,
        metering,
        grant_ids: Vec::new(),
        hold_ids: Vec::new(),
        days: Vec::new(),
    })
}

/// The recurring credit of a balance, counted since an instant.
pub(crate) fn recurring(settings: &Settings, since: Option<Timestamp>, cut: (Zone, CivilDate)) -> Option<Recurring> {
    let (credit, since) = (settings.recurring.as_ref()?, since?);
    let terms = Terms { priority: credit.priority, expires_at: None, source: credit.source };
    let (amount, mode, period, expires) = (credit.amount, credit.mode, credit.period, credit.expires);
    Some(Recurring { amount, mode, period, expires, terms, since, cut })
}

/// A total as stored, in steps: it may be larger than what a caller may send.
pub(crate) fn total(text: &str) -> Result<Quantity> {
    Ok(Quantity::from_steps(stored(text)?))
}

/// An amount of two columns.
pub(crate) fn quantity(row: &SqliteRow, units: &str, nanos: &str) -> Result<Quantity> {
    let (units, nanos): (i64, i64) = (row.try_get(units)?, row.try_get(nanos)?);
    Ok(Quantity::from_parts(units.into(), nanos.into())?)
}

/// What a grant's row says it is spent by.
pub(crate) fn terms(row: &SqliteRow) -> Result<Terms> {
    Ok(Terms {
        priority: row.try_get("priority")?,
        expires_at: row.try_get::<Option<i64>, _>("expires_at")?.map(Timestamp::from_micros),
        source: source(row.try_get("source")?),
    })
}

/// The source of a stored word.
pub(crate) fn source(word: &str) -> GrantSource {
    GrantSource::ALL.into_iter().find(|source| source.as_str() == word).unwrap_or_default()
}

/// Which level, in the words of alerts.
pub(super) fn alert_kind(level: Level) -> &'static str {
    match level {
        Level::Low => "balance_low",
        Level::TopUp => "balance_top_up",
    }
}
