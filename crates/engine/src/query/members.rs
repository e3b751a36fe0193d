//! Counting the distinct members of a `unique` meter without holding them in memory.

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::aggregate::{Aggregate, Contribution, What};

use crate::error::Result;
use crate::rollup::{Ask, Groups};
use crate::scan::to_json;

/// How many distinct members each question finds in each group, those of some further events included.
pub(super) async fn count(
    conn: &mut SqliteConnection,
    series: i64,
    groups: Groups<'_>,
    asks: &[Ask],
    parts: &[(usize, i64, Contribution)],
) -> Result<FxHashMap<(usize, i64), Aggregate>> {
    let questions: Vec<_> = asks.iter().map(|ask| (ask.customer, ask.start, ask.end)).collect();
    let further = parts.iter().filter_map(|(ask, group, part)| match part.what {
        What::Member(member) => Some((*ask, *group, hex(&member))),
        _ => None,
    });
    let wanted = match groups {
        Groups::One(group) => vec![group],
        Groups::These(groups) => groups.to_vec(),
        Groups::Every => Vec::new(),
    };
    let which =
        if matches!(groups, Groups::Every) { "r.grp > 0" } else { "r.grp IN (SELECT value FROM json_each(?3))" };
    // CROSS JOIN keeps the order: a range of the primary key for each question.
    let sql = format!(
        "SELECT ask, grp, count(DISTINCT member) FROM ( \
           SELECT q.key AS ask, r.grp AS grp, r.member AS member FROM json_each(?1) q CROSS JOIN rollup_member r \
           WHERE r.series = ?2 AND {which} AND r.customer = q.value ->> 0 \
             AND r.bucket >= q.value ->> 1 AND r.bucket < q.value ->> 2 \
           UNION ALL \
           SELECT value ->> 0, value ->> 1, unhex(value ->> 2) FROM json_each(?4) \
         ) GROUP BY ask, grp"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(to_json(&questions)?)
        .bind(series)
        .bind(to_json(&wanted)?)
        .bind(to_json(&further.collect::<Vec<_>>())?)
        .fetch_all(conn)
        .await?;
    let mut found = FxHashMap::default();
    for row in rows {
        let key = (row.try_get::<i64, _>(0)? as usize, row.try_get(1)?);
        found.insert(key, Aggregate::Count(row.try_get::<i64, _>(2)? as u64));
    }
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
