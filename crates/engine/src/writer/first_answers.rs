//! What tracking answered at first, for repeats under the event's own key. The key is for ever; the answer is kept for a day, as those
//! under an `Idempotency-Key` are.

use sqlx::{Arguments, SqliteConnection};
use uuid::Uuid;
use weir_core::id::{EventId, next_uuid};
use weir_core::time::Timestamp;

use super::flush::insert_rows;
use crate::error::Result;
use crate::model::{Charged, CheckedLimit, RateStanding, Tracked};
use crate::receipts::KEPT;
use crate::scan::{from_json, to_json};

/// Most answers let go of in one go: what 20,000 calls a second leave between two, which are ten seconds apart at most. Others wait
/// for the next.
const MOST_FORGOTTEN: i64 = 200_000;

/// Before every id of an event whose answer is still kept.
fn oldest(now: Timestamp) -> Uuid {
    next_uuid(Uuid::nil(), now.saturating_add_micros(-KEPT), [0; 10])
}

/// An answer as it is kept.
pub(super) fn write(tracked: &Tracked) -> Result<String> {
    to_json(&(&tracked.limits, &tracked.balances, tracked.overdrawn, tracked.rate_limits.first()))
}

/// An answer that was kept.
fn read(id: EventId, text: &str) -> Result<Tracked> {
    type Kept = (Vec<CheckedLimit>, Vec<Charged>, bool, Option<RateStanding>);
    let (limits, balances, overdrawn, tightest): Kept = from_json(text)?;
    Ok(Tracked { id, recorded: true, limits, balances, overdrawn, rate_limits: Vec::from_iter(tightest) })
}

/// What was answered when an event was recorded: `unwritten` is what this batch answered. `None` once it is no longer kept, and for
/// an event that was not tracked.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    unwritten: &[(EventId, String)],
    id: EventId,
    now: Timestamp,
) -> Result<Option<Tracked>> {
    if id.uuid() < oldest(now) {
        return Ok(None);
    }
    if let Ok(place) = unwritten.binary_search_by_key(&id, |(id, _)| *id) {
        return read(id, &unwritten[place].1).map(Some);
    }
    let kept: Option<String> = sqlx::query_scalar("SELECT answer FROM track_answer WHERE event = ?1")
        .bind(id.uuid())
        .fetch_optional(conn)
        .await?;
    Ok(kept.and_then(|kept| match read(id, &kept) {
        Ok(first) => Some(first),
        Err(error) => {
            // The figures of now are right as well, and nobody else is held up.
            tracing::warn!(%error, "a kept answer cannot be read");
            None
        }
    }))
}

/// Writes answers.
pub(super) async fn store(conn: &mut SqliteConnection, answers: &[(EventId, String)]) -> Result<()> {
    insert_rows(conn, "INTO track_answer (event, answer)", 2, "", answers, |arguments, (id, answer)| {
        arguments.add(id.uuid())?;
        arguments.add(answer.as_str())
    })
    .await
}

/// Lets go of answers older than a day, the oldest first.
pub(super) async fn forget(conn: &mut SqliteConnection, now: Timestamp) -> Result<()> {
    sqlx::query(
        "DELETE FROM track_answer WHERE event IN (SELECT event FROM track_answer WHERE event < ?1 ORDER BY event LIMIT ?2)",
    )
    .bind(oldest(now))
    .bind(MOST_FORGOTTEN)
    .execute(conn)
    .await?;
    Ok(())
}
