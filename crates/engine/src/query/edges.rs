//! The parts of a range that lie off the bucket grid, where only the events themselves can tell.

use sqlx::SqliteConnection;
use weir_core::aggregate::Contribution;

use super::lines::Plan;
use super::view::{Applied, each_event};
use crate::error::Result;
use crate::rollup::Span;
use crate::scan::{Names, Select};

/// Spans cut into what roll-ups answer and what events answer.
pub(super) struct Cuts {
    /// Of each span, the part on the grid; may be empty.
    pub inner: Vec<Span>,
    /// The other parts, with the index of their span.
    edges: Vec<(usize, Span)>,
}

impl Cuts {
    pub(super) fn new(spans: &[Span]) -> Self {
        let mut cuts = Cuts { inner: Vec::with_capacity(spans.len()), edges: Vec::new() };
        for (index, span) in spans.iter().enumerate() {
            let (inner, edges) = span.split();
            cuts.inner.push(inner);
            cuts.edges.extend(edges.into_iter().filter(|edge| !edge.is_empty()).map(|edge| (index, edge)));
        }
        cuts
    }

    /// The spans of which an instant is to be read from events.
    pub(super) fn holding(&self, micros: i64) -> impl Iterator<Item = usize> {
        self.edges.iter().filter(move |(_, edge)| edge.contains(micros)).map(|(index, _)| *index)
    }

    /// What to read from events, each instant once.
    pub(super) fn to_read(&self) -> Vec<Span> {
        let mut edges: Vec<Span> = self.edges.iter().map(|(_, edge)| *edge).collect();
        edges.sort_unstable_by_key(|edge| edge.start);
        let mut merged: Vec<Span> = Vec::new();
        for edge in edges {
            match merged.last_mut() {
                Some(last) if edge.start <= last.end => last.end = last.end.max(edge.end),
                _ => merged.push(edge),
            }
        }
        merged
    }
}

/// An event on an edge, as far as it counts.
pub(super) struct EdgeEvent {
    pub at: i64,
    pub customer: i64,
    /// Its value of the dimension that is broken down.
    pub group: Option<String>,
    pub part: Contribution,
}

/// Which events to read in a span.
pub(super) fn select(customer: Option<i64>, span: Span) -> Select {
    customer.map_or(Select::Everyone(span), |key| Select::Customer(key, span))
}

/// Reads the events in some spans that a plan counts, as far as the roll-ups have counted too.
pub(super) async fn read(
    conn: &mut SqliteConnection,
    plan: &Plan<'_>,
    spans: &[Span],
    dimension: Option<&str>,
) -> Result<Vec<EdgeEvent>> {
    let mut found = Vec::new();
    if spans.is_empty() {
        return Ok(found);
    }
    let applied = Applied::load(conn).await?;
    let mut names = Names::load(conn).await?;
    for &span in spans {
        each_event(conn, &mut names, select(plan.customer, span), span, |stored, facts| {
            if applied.counts(stored.seq)
                && let Some(part) = plan.part(facts)
            {
                let group = dimension.and_then(|name| facts.dimension(name)).map(str::to_owned);
                found.push(EdgeEvent { at: stored.at.as_micros(), customer: stored.customer, group, part });
            }
            Ok(())
        })
        .await?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rollup::BUCKET;

    #[test]
    fn edges_that_touch_are_read_once() {
        let span = |start, end| Span { start, end };
        let half = BUCKET / 2;
        // Two points that meet within a bucket, and the whole of them.
        let cuts = Cuts::new(&[span(0, BUCKET + half), span(BUCKET + half, 3 * BUCKET), span(0, 3 * BUCKET)]);
        assert_eq!(cuts.inner[2], span(0, 3 * BUCKET));
        assert_eq!(cuts.to_read(), [span(BUCKET, 2 * BUCKET)]);
        assert_eq!(cuts.holding(BUCKET + 1).collect::<Vec<_>>(), [0]);
        assert_eq!(cuts.holding(2 * BUCKET - 1).collect::<Vec<_>>(), [1]);
        assert_eq!(cuts.holding(0).count() + cuts.holding(2 * BUCKET).count(), 0);
    }
}
