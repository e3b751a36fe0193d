//! What an answer reads from: events by themselves, and roll-ups with how far they have counted.

use rustc_hash::FxHashMap;
use sqlx::{Row, SqliteConnection};
use weir_core::event::Facts;

use crate::error::Result;
use crate::rollup::Span;
use crate::scan::{Names, Scan, Select, Stored};
use crate::writer::{DEVICE_SHIFT, FOLLOWING};

/// Which events the roll-ups have counted. Later ones are left out of an answer that takes both, so that its parts agree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Applied(FxHashMap<i64, i64>);

impl Applied {
    /// Reads how far the roll-ups have come.
    pub(crate) async fn load(conn: &mut SqliteConnection) -> Result<Self> {
        let rows = sqlx::query("SELECT device, applied FROM watermark WHERE series = ?1")
            .bind(FOLLOWING)
            .fetch_all(conn)
            .await?;
        let applied =
            rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect::<Result<_, sqlx::Error>>()?;
        Ok(Applied(applied))
    }

    /// Whether the roll-ups have counted an event.
    pub(crate) fn counts(&self, seq: i64) -> bool {
        self.0.get(&(seq >> DEVICE_SHIFT)).is_some_and(|applied| seq <= *applied)
    }

    /// The last event counted of each device.
    pub(crate) fn by_device(&self) -> impl Iterator<Item = (i64, i64)> {
        self.0.iter().map(|(device, applied)| (*device, *applied))
    }
}

/// Shows every live event of a selection that lies in a span.
pub(crate) async fn each_event(
    conn: &mut SqliteConnection,
    names: &mut Names,
    select: Select,
    span: Span,
    mut visit: impl FnMut(&Stored, &Facts<'_>) -> Result<()> + Send,
) -> Result<()> {
    let mut scan = Scan::new(select);
    loop {
        let events = scan.next(conn).await?;
        if events.is_empty() {
            return Ok(());
        }
        names.learn(conn, &events).await?;
        for event in events.iter().filter(|event| span.contains(event.at.as_micros())) {
            visit(event, &names.facts(event))?;
        }
    }
}
