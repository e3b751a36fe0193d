//! Alerts: whether customers are over the thresholds of their limits, judged in the transaction of whatever may have changed it.
//!
//! What is up follows from usage alone, so judging again finds nothing new: there is one alert for each limit, customer, window,
//! threshold and arming, however often it is looked at.

use sqlx::{Arguments, Row, SqliteConnection};
use weir_core::aggregate::Aggregation;
use weir_core::decide::crosses;
use weir_core::event::hash_text;
use weir_core::id::AlertId;
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::Writer;
use super::flush::insert_rows;
use super::state::stored;
use crate::config::{Config, LimitRule, MeterRule, effective};
use crate::error::Result;
use crate::extras::{Arming, LiveAlert};
use crate::live::LiveCustomer;
use crate::told;

/// What became of alerts, in order, to be written.
#[derive(Default)]
pub(crate) struct AlertChanges(Vec<Change>);

enum Change {
    Fire(Box<Fired>),
    Resolve(AlertId),
    Reopen(AlertId),
    /// The window that it belongs to was cut anew.
    Move(AlertId, Window),
}

/// An alert on its way into the file.
struct Fired {
    alert: LiveAlert,
    customer: i64,
    value: Quantity,
    used: Quantity,
}

impl AlertChanges {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The new ones.
    fn fired(&self) -> impl Iterator<Item = AlertId> {
        self.0.iter().filter_map(|change| match change {
            Change::Fire(fired) => Some(fired.alert.id),
            _ => None,
        })
    }

    /// The first window's end among new alerts: they are resolved then.
    pub(crate) fn first_end(&self) -> Option<Timestamp> {
        let ends = self.0.iter().filter_map(|change| match change {
            Change::Fire(fired) => fired.alert.window.end,
            Change::Move(_, window) => window.end,
            _ => None,
        });
        ends.min()
    }
}

impl Writer {
    /// Writes what became of alerts, within the transaction of its cause.
    pub(super) async fn store_alerts(&mut self, changes: &AlertChanges, now: Timestamp) -> Result<()> {
        if let Some(end) = changes.first_end() {
            self.schedule(end);
        }
        store(&mut self.conn, changes, now, false).await?;
        let config = self.shared.config();
        told::tell_alerts(&mut self.conn, &config, changes.fired(), now).await
    }

    /// The same of what a change of configuration made due for many: they are told together, once all are found.
    pub(super) async fn store_alerts_for_summary(&mut self, changes: &AlertChanges, now: Timestamp) -> Result<()> {
        if let Some(end) = changes.first_end() {
            self.schedule(end);
        }
        store(&mut self.conn, changes, now, true).await
    }
}

/// Judges every limit that applies to a customer, as far as it is counted, and lets go of alerts that are of no use any more.
pub(crate) fn judge_all(config: &Config, customer: &mut LiveCustomer, now: Timestamp, changes: &mut AlertChanges) {
    let own = customer.own.clone();
    for (rule, _) in effective(config, &own) {
        if let Some(meter) = config.meter_of(rule) {
            judge(config, customer, rule, meter, now, changes);
        }
    }
    if customer.extras().alerts.is_empty() {
        return;
    }
    let applies = |limit: i64| effective(config, &own).any(|(rule, _)| rule.key == limit);
    let alerts = &mut customer.extras_mut().alerts;
    alerts.retain(|alert| !alert.is_over(now));
    // A limit that does not apply now may apply again within the window: then the alert is up again, and no second one is made.
    for alert in alerts.iter_mut().filter(|alert| alert.is_up && !applies(alert.limit)) {
        alert.is_up = false;
        changes.0.push(Change::Resolve(alert.id));
    }
}

/// Judges one limit of a customer in its current window, and in those ahead that hold events already.
pub(crate) fn judge(
    config: &Config,
    customer: &mut LiveCustomer,
    rule: &LimitRule,
    meter: &MeterRule,
    now: Timestamp,
    changes: &mut AlertChanges,
) {
    let (zone, anchor) = (customer.zone(config), customer.anchor);
    let arming = customer.extras().arming(rule, now);
    if customer.extras().alerts.iter().any(|alert| alert.limit == rule.key) {
        let recut = |at: Timestamp| rule.period.window(zone, anchor, at);
        bring_in_line(&mut customer.extras_mut().alerts, rule.key, arming, recut, now, changes);
    }
    if rule.thresholds.is_empty() {
        return;
    }
    let value = customer.value_of(rule, now);
    let Some(counter) = customer.counter(config, rule, meter) else { return };
    let known = counter.windows.iter().map(|count| count.window).find(|window| window.contains(now));
    let current = known.unwrap_or_else(|| rule.period.window(zone, anchor, now));
    // The next window may be loaded before anything happened in it: what is carried into it is told when it begins to count.
    let is_told = |window: Window| {
        let alerts = &customer.extras().alerts;
        alerts.iter().any(|alert| alert.limit == rule.key && alert.window == window)
    };
    let ahead = counter.windows.iter().filter(|count| count.window > current);
    let ahead = ahead.filter(|count| !count.total.is_empty() || is_told(count.window));
    let windows = std::iter::once(current).chain(ahead.map(|count| count.window));
    let judged: Vec<_> = windows.map(|window| (window, counter.total(meter.aggregation, window).used())).collect();
    for (window, used) in judged {
        for &threshold in rule.thresholds.iter() {
            let is_over = crosses(used, value, threshold);
            let known =
                customer.extras().alerts.iter().position(|alert| {
                    alert.limit == rule.key && alert.threshold == threshold && alert.window == window
                });
            let known_up = known.map(|place| customer.extras().alerts[place].is_up);
            match (is_over, known, known_up) {
                (true, None, _) => {
                    let alert = LiveAlert::new(rule, customer, threshold, arming, 0, window);
                    fire(customer, alert, value, used, changes);
                }
                // A value that fell and rose again is news; a total that was corrected and reached again is not.
                (true, Some(place), Some(false)) if meter.aggregation == Aggregation::Latest => {
                    let times = customer.extras().alerts[place].times + 1;
                    customer.extras_mut().alerts.remove(place);
                    let alert = LiveAlert::new(rule, customer, threshold, arming, times, window);
                    fire(customer, alert, value, used, changes);
                }
                (true, Some(place), Some(false)) => {
                    let alert = &mut customer.extras_mut().alerts[place];
                    alert.is_up = true;
                    changes.0.push(Change::Reopen(alert.id));
                }
                (false, Some(place), Some(true)) => {
                    let alert = &mut customer.extras_mut().alerts[place];
                    alert.is_up = false;
                    changes.0.push(Change::Resolve(alert.id));
                }
                _ => {}
            }
        }
    }
}

fn fire(customer: &mut LiveCustomer, alert: LiveAlert, value: Quantity, used: Quantity, changes: &mut AlertChanges) {
    let key = customer.key;
    customer.extras_mut().alerts.push(alert.clone());
    changes.0.push(Change::Fire(Box::new(Fired { alert, customer: key, value, used })));
}

/// Lets go of a limit's alerts of windows that are over and of another arming; those of a window that was cut anew (the zone or
/// the billing cycle changed) go over into the new one, so that none is told twice.
fn bring_in_line(
    alerts: &mut Vec<LiveAlert>,
    limit: i64,
    arming: Arming,
    recut: impl Fn(Timestamp) -> Window,
    now: Timestamp,
    changes: &mut AlertChanges,
) {
    let mut kept: Vec<LiveAlert> = Vec::with_capacity(alerts.len());
    for mut alert in alerts.drain(..) {
        if alert.limit != limit {
            kept.push(alert);
            continue;
        }
        if alert.is_over(now) {
            continue;
        }
        let within = alert.window.start.map_or(now, |start| start.max(now));
        let window = recut(within);
        let stands =
            |other: &LiveAlert| other.limit == limit && other.threshold == alert.threshold && other.window == window;
        if alert.arming != arming || kept.iter().any(stands) {
            if alert.is_up {
                changes.0.push(Change::Resolve(alert.id));
            }
            continue;
        }
        if alert.window != window {
            alert.window = window;
            changes.0.push(Change::Move(alert.id, window));
        }
        kept.push(alert);
    }
    *alerts = kept;
}

impl LiveAlert {
    fn new(
        rule: &LimitRule,
        customer: &LiveCustomer,
        threshold: u16,
        arming: Arming,
        times: u32,
        window: Window,
    ) -> Self {
        let start = window.start.map_or_else(|| "always".to_owned(), |start| start.as_micros().to_string());
        let about = format!("alert/{}/{}/{start}/{threshold}/{arming}/{times}", rule.id, customer.id);
        let id = AlertId::new(uuid::Builder::from_custom_bytes(hash_text(&about)).into_uuid());
        LiveAlert { id, limit: rule.key, threshold, arming, times, window, is_up: true }
    }
}

async fn store(conn: &mut SqliteConnection, changes: &AlertChanges, now: Timestamp, in_summary: bool) -> Result<()> {
    let at = now.as_micros();
    let mut rest = changes.0.as_slice();
    while !rest.is_empty() {
        // New ones together; what becomes of an alert comes after its row.
        let fired = rest.iter().take_while(|change| matches!(change, Change::Fire(_))).count();
        let (new, after) = rest.split_at(fired);
        rest = after;
        let new: Vec<&Fired> = new
            .iter()
            .filter_map(|change| match change {
                Change::Fire(fired) => Some(&**fired),
                _ => None,
            })
            .collect();
        insert_rows(
            conn,
            "INTO alert (id, kind, customer, usage_limit, threshold, arming, times, window_start, window_end, level, was, created_at, in_summary)",
            13,
            // The id says what it is about: there is one.
            "ON CONFLICT (id) DO NOTHING",
            &new,
            |arguments, fired| {
                let alert = &fired.alert;
                arguments.add(alert.id.uuid())?;
                arguments.add("limit_threshold")?;
                arguments.add(fired.customer)?;
                arguments.add(alert.limit)?;
                arguments.add(i64::from(alert.threshold))?;
                arguments.add(alert.arming.to_string())?;
                arguments.add(i64::from(alert.times))?;
                arguments.add(alert.window.start.map(Timestamp::as_micros))?;
                arguments.add(alert.window.end.map(Timestamp::as_micros))?;
                arguments.add(fired.value.to_string())?;
                arguments.add(fired.used.to_string())?;
                arguments.add(at)?;
                arguments.add(in_summary)
            },
        )
        .await?;
        let Some((change, after)) = rest.split_first() else { break };
        rest = match change {
            Change::Fire(_) => rest,
            Change::Resolve(id) => {
                sqlx::query("UPDATE alert SET resolved_at = ?2 WHERE id = ?1")
                    .bind(id.uuid())
                    .bind(at)
                    .execute(&mut *conn)
                    .await?;
                after
            }
            Change::Reopen(id) => {
                sqlx::query("UPDATE alert SET resolved_at = NULL WHERE id = ?1")
                    .bind(id.uuid())
                    .execute(&mut *conn)
                    .await?;
                after
            }
            Change::Move(id, window) => {
                sqlx::query("UPDATE alert SET window_start = ?2, window_end = ?3 WHERE id = ?1")
                    .bind(id.uuid())
                    .bind(window.start.map(Timestamp::as_micros))
                    .bind(window.end.map(Timestamp::as_micros))
                    .execute(&mut *conn)
                    .await?;
                after
            }
        };
    }
    Ok(())
}

/// Reads the alerts of windows that last, up or resolved, with the customers' numbers.
pub(super) async fn read_lasting(conn: &mut SqliteConnection, now: Timestamp) -> Result<Vec<(i64, LiveAlert)>> {
    let rows = sqlx::query(
        "SELECT id, customer, usage_limit, threshold, arming, max(times) AS times, window_start, window_end, resolved_at \
         FROM alert WHERE usage_limit IS NOT NULL AND (window_end IS NULL OR window_end > ?1) \
         GROUP BY customer, usage_limit, threshold, arming, window_start",
    )
    .bind(now.as_micros())
    .fetch_all(conn)
    .await?;
    rows.iter()
        .map(|row| {
            let instant = |column| -> Result<Option<Timestamp>> {
                Ok(row.try_get::<Option<i64>, _>(column)?.map(Timestamp::from_micros))
            };
            let alert = LiveAlert {
                id: AlertId::new(row.try_get("id")?),
                limit: row.try_get("usage_limit")?,
                threshold: u16::try_from(row.try_get::<i64, _>("threshold")?).unwrap_or_default(),
                arming: stored(row.try_get("arming")?)?,
                times: u32::try_from(row.try_get::<i64, _>("times")?).unwrap_or_default(),
                window: Window { start: instant("window_start")?, end: instant("window_end")? },
                is_up: row.try_get::<Option<i64>, _>("resolved_at")?.is_none(),
            };
            Ok((row.try_get("customer")?, alert))
        })
        .collect()
}
