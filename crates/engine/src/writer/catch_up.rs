//! After opening: counting the events that were recorded but not yet counted when the file was last used.

use rustc_hash::FxHashMap;

use super::{Writer, flush, jobs, standings, state};
use crate::error::Result;
use crate::scan::{Names, Scan, Select};

impl Writer {
    /// Replays the tail of the events on every series that follows them.
    pub(crate) async fn catch_up(&mut self) -> Result<()> {
        self.jobs = jobs::Jobs::load(&mut self.conn).await?;
        let config = self.shared.config();
        let mut names = Names::load(&mut self.conn).await?;
        let mut externals: FxHashMap<i64, std::sync::Arc<str>> = FxHashMap::default();
        for (device, after, last) in self.marks(state::FOLLOWING).await? {
            let mut scan = Scan::new(Select::Arrived(after, last));
            loop {
                let events = scan.next(&mut self.conn).await?;
                if events.is_empty() {
                    break;
                }
                names.learn(&mut self.conn, &events).await?;
                for event in &events {
                    let facts = names.facts(event);
                    let external = externals.entry(event.customer).or_insert_with(|| facts.customer.into());
                    self.pending.count_activity(event.customer, external, &facts);
                    self.pending.count_base(&mut self.groups, event.customer, &facts)?;
                    for meter in config.meters.values().filter(|meter| meter.ready) {
                        self.pending.count_meter(&mut self.groups, meter, event.customer, &facts)?;
                    }
                }
                let applied = if scan.is_done() { last } else { events.last().map_or(last, |event| event.seq) };
                self.store_replayed(device, applied).await?;
            }
        }
        self.expect_turns().await
    }

    /// Whoever had something ahead when something was last recorded may have turned since, or will.
    async fn expect_turns(&mut self) -> Result<()> {
        let ahead: Vec<String> = sqlx::query_scalar(
            "SELECT c.external_id FROM customer_activity a JOIN customer c ON c.id = a.customer \
             WHERE a.last_event_at > (SELECT recorded_at FROM event ORDER BY seq DESC LIMIT 1)",
        )
        .fetch_all(&mut self.conn)
        .await?;
        let now = self.shared.clock.now();
        self.turns.extend(ahead.into_iter().map(|external| (now, external.into())));
        Ok(())
    }

    async fn store_replayed(&mut self, device: i64, applied: i64) -> Result<()> {
        let now = self.shared.clock.now();
        let config = self.shared.config();
        let pending = std::mem::take(&mut self.pending);
        flush::begin(&mut self.conn).await?;
        self.groups.store(&mut self.conn).await?;
        flush::store_cells(&mut self.conn, &pending).await?;
        flush::store_activity(&mut self.conn, &pending).await?;
        flush::store_watermark(&mut self.conn, state::FOLLOWING, device, applied).await?;
        // Their counters are cold; load those that the replay touched, now that the roll-ups hold everything.
        let mut touched: Vec<_> = pending
            .active
            .values()
            .filter_map(|seen| self.shared.customers.get(&seen.external))
            .map(|known| (*known).clone())
            .collect();
        let mut cold: Vec<_> = touched.iter_mut().collect();
        super::counters::load(&mut self.conn, &config, &self.groups, &self.pending, &mut cold, now).await?;
        let mut rows = Vec::new();
        for customer in &touched {
            standings::rows_of(&config, customer, now, &mut rows);
        }
        standings::store(&mut self.conn, &mut rows).await?;
        flush::commit(&mut self.conn).await
    }
}
