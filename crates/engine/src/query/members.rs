//! Counting the distinct members of a `unique` meter without holding them in memory.

use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Contribution, What};

use crate::error::Result;
use crate::rollup::{Ask, Found};
use crate::scan::to_json;

/// How many distinct members each question finds in each group, those of some further events included.
pub(super) async fn count(
    conn: &mut SqliteConnection,
    series: i64,
    groups: &[i64],
    asks: &[Ask],
    parts: &[(usize, i64, Contribution)],
) -> Result<Found> {
    let mut questions: Vec<_> = asks.iter().map(|ask| (ask.customer, ask.start, ask.end, Vec::new())).collect();
    for (ask, group, part) in parts {
        if let (Some((.., further)), What::Member(member)) = (questions.get_mut(*ask), part.what) {
            further.push((*group, hex(&member)));
        }
    }
    let rows = sqlx::query(
        "SELECT q.key, g.value, (SELECT count(DISTINCT member) FROM ( \
           SELECT r.member FROM rollup_member r WHERE r.series = ?2 AND r.customer = q.value ->> 0 AND r.grp = g.value \
             AND r.bucket >= q.value ->> 1 AND r.bucket < q.value ->> 2 \
           UNION ALL \
           SELECT unhex(p.value ->> 1) FROM json_each(q.value, '$[3]') p WHERE p.value ->> 0 = g.value)) \
         FROM json_each(?1) q CROSS JOIN json_each(?3) g",
    )
    .bind(to_json(&questions)?)
    .bind(series)
    .bind(to_json(groups)?)
    .fetch_all(conn)
    .await?;
    let mut found = Found::default();
    for row in rows {
        let count: i64 = row.try_get(2)?;
        if count > 0 {
            found.insert((row.try_get::<i64, _>(0)? as usize, row.try_get(1)?), Aggregate::Count(count.unsigned_abs()));
        }
    }
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
