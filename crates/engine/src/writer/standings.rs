//! The standing rows: where customers stand with their limits, kept for sorting over all customers.

use sqlx::{Arguments, SqliteConnection};
use weir_core::aggregate::Aggregation;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use super::flush::insert_rows;
use crate::config::{Config, effective};
use crate::error::Result;
use crate::live::LiveCustomer;
use crate::rollup::split_quantity;

/// One row to store.
pub(crate) struct Row {
    customer: i64,
    limit: i64,
    used: Quantity,
    share: f64,
    window_end: Option<i64>,
}

/// The rows of a customer's loaded counters, in the windows of now.
pub(crate) fn rows_of(config: &Config, customer: &LiveCustomer, now: Timestamp, rows: &mut Vec<Row>) {
    let zone = customer.zone(config);
    for (rule, _) in effective(config, &customer.own) {
        let Some(meter) = config.meter_of(rule) else { continue };
        let Some(counter) = customer.counter(config, rule, meter) else { continue };
        let window = rule.period.window(zone, customer.anchor, now);
        let used = counter.total(meter.aggregation, window).used();
        rows.push(Row {
            customer: customer.key,
            limit: rule.key,
            used,
            share: used.to_pixels() / customer.value_of(rule, now).to_pixels(),
            // What a `latest` meter shows does not end with the window.
            window_end: window.end.filter(|_| meter.aggregation != Aggregation::Latest).map(Timestamp::as_micros),
        });
    }
}

/// Writes rows over those they replace.
pub(crate) async fn store(conn: &mut SqliteConnection, rows: &mut [Row]) -> Result<()> {
    rows.sort_unstable_by_key(|row| (row.customer, row.limit));
    insert_rows(
        conn,
        "INTO standing (customer, usage_limit, used_hi, used_lo, used_nanos, share, window_end)",
        7,
        "ON CONFLICT DO UPDATE SET used_hi = excluded.used_hi, used_lo = excluded.used_lo, used_nanos = excluded.used_nanos, \
         share = excluded.share, window_end = excluded.window_end",
        rows,
        |arguments, row| {
            let (hi, lo, nanos) = split_quantity(row.used);
            for number in [row.customer, row.limit, hi, lo, nanos] {
                arguments.add(number)?;
            }
            arguments.add(row.share)?;
            arguments.add(row.window_end)
        },
    )
    .await
}

/// Removes the rows of some customers, before they are written anew.
pub(crate) async fn forget(conn: &mut SqliteConnection, customers: &[i64]) -> Result<()> {
    sqlx::query("DELETE FROM standing WHERE customer IN (SELECT value FROM json_each(?1))")
        .bind(crate::scan::to_json(customers)?)
        .execute(conn)
        .await?;
    Ok(())
}
