//! Sliding windows of calls: no interval as long as the window ever holds more than the limit.
//!
//! Calls are counted in slots of a hundredth of the window, so that memory stays bounded whatever the rate. A slot leaves the
//! window only once its last instant has: a call may be refused up to a hundredth of a window early, never admitted early.

use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// Slots of one window.
const SLOTS: i64 = 100;

/// How long a window is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateSpan {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// Twenty-four hours.
    Day,
}

impl RateSpan {
    /// All of them, shortest first.
    pub const ALL: [RateSpan; 4] = [RateSpan::Second, RateSpan::Minute, RateSpan::Hour, RateSpan::Day];

    /// The word on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            RateSpan::Second => "second",
            RateSpan::Minute => "minute",
            RateSpan::Hour => "hour",
            RateSpan::Day => "day",
        }
    }

    /// In microseconds.
    pub const fn micros(self) -> i64 {
        match self {
            RateSpan::Second => 1_000_000,
            RateSpan::Minute => 60_000_000,
            RateSpan::Hour => 3_600_000_000,
            RateSpan::Day => 86_400_000_000,
        }
    }

    const fn slot_micros(self) -> i64 {
        self.micros() / SLOTS
    }

    /// The slot that holds an instant.
    pub const fn slot(self, at: Timestamp) -> i64 {
        at.as_micros().div_euclid(self.slot_micros())
    }

    /// The first instant at which nothing of a slot lies within a window that ends then.
    pub const fn slot_leaves(self, slot: i64) -> Timestamp {
        Timestamp::from_micros((slot + 1) * self.slot_micros() + self.micros())
    }
}

impl fmt::Display for RateSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for RateSpan {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|span| span.as_str() == text).ok_or_else(|| format!("unknown window {text:?}"))
    }
}

/// The calls admitted within one window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RateCount {
    /// Slots and how many calls each holds, ascending.
    slots: VecDeque<(i64, u64)>,
}

impl RateCount {
    /// Counts a call, admitted at an instant not before any counted one.
    pub fn take(&mut self, span: RateSpan, at: Timestamp) {
        self.put(span.slot(at), 1);
        self.forget(span, at);
    }

    /// Lets go of what has left the window; answers whether anything is left.
    pub fn forget(&mut self, span: RateSpan, now: Timestamp) -> bool {
        while self.slots.front().is_some_and(|(slot, _)| span.slot_leaves(*slot) <= now) {
            self.slots.pop_front();
        }
        if self.slots.is_empty() {
            self.slots = VecDeque::new();
        }
        !self.slots.is_empty()
    }

    /// Counts calls of a slot not before any counted one, as read back.
    pub fn put(&mut self, slot: i64, calls: u64) {
        match self.slots.back_mut() {
            Some((last, count)) if *last >= slot => *count += calls,
            _ => self.slots.push_back((slot, calls)),
        }
    }

    /// How many calls a window that ends now may hold.
    pub fn used(&self, span: RateSpan, now: Timestamp) -> u64 {
        self.live(span, now).map(|(_, count)| count).sum()
    }

    /// The first instant from which on a call would be admitted, were none admitted meanwhile.
    pub fn admits_from(&self, span: RateSpan, limit: u64, now: Timestamp) -> Timestamp {
        let mut used = self.used(span, now);
        for (slot, count) in self.live(span, now) {
            if used < limit {
                break;
            }
            used -= count;
            if used < limit {
                return span.slot_leaves(slot);
            }
        }
        now
    }

    /// When the oldest call leaves the window; now, if there is none.
    pub fn frees_at(&self, span: RateSpan, now: Timestamp) -> Timestamp {
        self.live(span, now).next().map_or(now, |(slot, _)| span.slot_leaves(slot))
    }

    /// Slots and how many calls each holds, ascending: what `put` reads back.
    pub fn slots(&self) -> impl Iterator<Item = (i64, u64)> {
        self.slots.iter().copied()
    }

    /// How many calls the newest slot holds, and which it is.
    pub fn newest(&self) -> Option<(i64, u64)> {
        self.slots.back().copied()
    }

    fn live(&self, span: RateSpan, now: Timestamp) -> impl Iterator<Item = (i64, u64)> {
        self.slots.iter().copied().skip_while(move |(slot, _)| span.slot_leaves(*slot) <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Admits what it can of some arrivals, ascending, and answers the instants of the admitted.
    fn admitted(span: RateSpan, limit: u64, arrivals: &[i64]) -> Vec<i64> {
        let mut count = RateCount::default();
        let mut admitted = Vec::new();
        for &at in arrivals {
            let now = Timestamp::from_micros(at);
            let free = count.used(span, now) < limit;
            assert_eq!(free, count.admits_from(span, limit, now) <= now);
            if free {
                count.take(span, now);
                admitted.push(at);
            }
        }
        admitted
    }

    proptest! {
        #[test]
        fn no_interval_as_long_as_the_window_holds_more_than_the_limit(
            span in prop::sample::select(RateSpan::ALL.to_vec()),
            limit in 1..20_u64,
            steps in prop::collection::vec((0..100_i64, 1..400_i64), 1..300),
        ) {
            let mut at = 1_700_000_000_123_456;
            let arrivals: Vec<i64> = steps.iter().map(|(pause, per)| { at += pause * span.micros() / per / 20; at }).collect();
            let admitted = admitted(span, limit, &arrivals);
            // An interval that holds the most begins at an admitted call.
            for (first, start) in admitted.iter().enumerate() {
                let within = admitted[first..].iter().take_while(|at| **at < start + span.micros()).count() as u64;
                prop_assert!(within <= limit, "{within} of {limit} from {start}");
            }
            // Whoever was refused had the whole limit within a window that is a hundredth longer.
            let longer = span.micros() + span.micros() / SLOTS;
            for at in arrivals.iter().filter(|at| !admitted.contains(at)) {
                let before = admitted.iter().filter(|other| **other <= *at && **other > at - longer).count() as u64;
                prop_assert!(before >= limit, "refused at {at} after {before} of {limit}");
            }
        }

        #[test]
        fn a_call_is_admitted_from_the_instant_that_is_told(limit in 1..5_u64, gaps in prop::collection::vec(0..400_000_i64, 1..30)) {
            let span = RateSpan::Second;
            let (mut count, mut at) = (RateCount::default(), 1_000_000_000);
            for gap in gaps {
                at += gap;
                let from = count.admits_from(span, limit, Timestamp::from_micros(at)).as_micros();
                if from > at {
                    prop_assert!(count.used(span, Timestamp::from_micros(from - 1)) >= limit);
                }
                at = from.max(at);
                prop_assert!(count.used(span, Timestamp::from_micros(at)) < limit);
                count.take(span, Timestamp::from_micros(at));
            }
        }
    }

    #[test]
    fn memory_is_bounded_by_slots() {
        let mut count = RateCount::default();
        for at in 0..10_000 {
            count.take(RateSpan::Second, Timestamp::from_micros(at * 1_000));
        }
        assert!(count.slots.len() as i64 <= SLOTS + 1, "{}", count.slots.len());
        assert_eq!(
            count.frees_at(RateSpan::Second, Timestamp::from_micros(99_000_000)),
            Timestamp::from_micros(99_000_000)
        );
    }
}
