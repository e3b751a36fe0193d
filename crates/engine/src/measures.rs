//! What the engine measures of itself while it works, for a monitor. Whoever counts pays for a few atomic additions, and nothing else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::model::RefusalReason;

/// A count that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Starts at nothing.
    pub const fn new() -> Self {
        Counter(AtomicU64::new(0))
    }

    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A figure that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// What it is from now on.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// What it was last set to.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Most bounds of a histogram.
const MOST_BOUNDS: usize = 16;

/// How often something took how long.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [Duration],
    /// One for each bound, each without those below it, and one for what took longer.
    counts: [Counter; MOST_BOUNDS + 1],
    nanos: Counter,
}

impl Histogram {
    /// Counts by these upper bounds, in order; at most 16.
    pub const fn new(bounds: &'static [Duration]) -> Self {
        assert!(bounds.len() <= MOST_BOUNDS, "too many bounds");
        Histogram { bounds, counts: [const { Counter::new() }; MOST_BOUNDS + 1], nanos: Counter::new() }
    }

    /// Counts something that took so long.
    pub fn observe(&self, took: Duration) {
        let place = self.bounds.iter().position(|bound| took <= *bound).unwrap_or(self.bounds.len());
        self.counts[place].add(1);
        self.nanos.add(took.as_nanos().try_into().unwrap_or(u64::MAX));
    }

    /// How many took at most each of the bounds.
    pub fn cumulated(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut below = 0;
        self.bounds.iter().zip(&self.counts).map(move |(bound, count)| {
            below += count.get();
            (*bound, below)
        })
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(Counter::get).sum()
    }

    /// How long they took together.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.nanos.get())
    }
}

const fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

/// From a disk that answers at once to one that hardly does.
const COMMITS: &[Duration] = &[
    micros(500),
    micros(1_000),
    micros(2_500),
    micros(5_000),
    micros(10_000),
    micros(25_000),
    micros(50_000),
    micros(100_000),
    micros(250_000),
    micros(500_000),
    micros(1_000_000),
    micros(2_500_000),
    micros(10_000_000),
];

/// From counters that are at hand to ones that wait for the writer.
const CHECKS: &[Duration] = &[
    micros(2),
    micros(5),
    micros(10),
    micros(25),
    micros(50),
    micros(100),
    micros(250),
    micros(1_000),
    micros(5_000),
    micros(25_000),
    micros(100_000),
    micros(1_000_000),
];

/// The figures of an engine, since it was opened.
#[derive(Debug)]
pub struct Measures {
    /// Events recorded.
    pub events: Counter,
    /// How long it took to write a group of what callers sent, to the disk.
    pub commits: Histogram,
    /// How long checks took.
    pub checks: Histogram,
    /// Calls that were refused for their customer, by [`RefusalReason`].
    refusals: [Counter; 3],
    /// Messages that arrived at an endpoint, each time one did.
    pub webhooks_delivered: Counter,
    /// Attempts that did not arrive.
    pub webhooks_failed: Counter,
    /// Messages that wait to be delivered, as whoever sends them last saw.
    pub webhooks_waiting: Gauge,
}

impl Default for Measures {
    fn default() -> Self {
        let (commits, checks) = (Histogram::new(COMMITS), Histogram::new(CHECKS));
        Measures {
            events: Counter::default(),
            commits,
            checks,
            refusals: Default::default(),
            webhooks_delivered: Counter::default(),
            webhooks_failed: Counter::default(),
            webhooks_waiting: Gauge::default(),
        }
    }
}

impl Measures {
    /// The refusals for a reason.
    pub fn refusals(&self, reason: RefusalReason) -> &Counter {
        let [rate_limits, limits, balances] = &self.refusals;
        match reason {
            RefusalReason::CustomerRateLimited => rate_limits,
            RefusalReason::LimitExceeded => limits,
            RefusalReason::InsufficientBalance => balances,
        }
    }
}

/// What waits for the writer, what it works on included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// About how much memory it takes.
    pub bytes: usize,
    /// How much it may take; beyond that, callers are told to come back.
    pub most_bytes: usize,
    /// Commands that nobody has begun to serve.
    pub commands: usize,
    /// How many of them there may be, however small.
    pub most_commands: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_counts_below_the_first_bound_that_it_does_not_exceed() {
        const BOUNDS: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(10)];
        let histogram = Histogram::new(BOUNDS);
        for took in [0, 1_000, 1_001, 10_000, 10_001, 60_000_000] {
            histogram.observe(Duration::from_micros(took));
        }
        let cumulated: Vec<_> = histogram.cumulated().collect();
        assert_eq!(cumulated, [(Duration::from_millis(1), 2), (Duration::from_millis(10), 4)]);
        assert_eq!((histogram.count(), histogram.sum()), (6, Duration::from_micros(60_022_002)));
    }

    #[test]
    fn each_reason_has_a_count_of_its_own() {
        let measures = Measures::default();
        measures.refusals(RefusalReason::LimitExceeded).add(2);
        measures.refusals(RefusalReason::InsufficientBalance).add(1);
        let counts =
            [RefusalReason::CustomerRateLimited, RefusalReason::LimitExceeded, RefusalReason::InsufficientBalance]
                .map(|reason| measures.refusals(reason).get());
        assert_eq!(counts, [0, 2, 1]);
    }
}
