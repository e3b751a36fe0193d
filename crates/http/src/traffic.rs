//! What a server counts of what it serves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use weir_core::error::Code;
use weir_engine::measures::{Counter, Histogram};

use crate::limits::Limits;
use crate::respond::Refused;

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// From an answer at once to one that takes as long as it may.
const ANSWERS: &[Duration] = &[
    Duration::from_micros(100),
    Duration::from_micros(250),
    millis(1),
    Duration::from_micros(2_500),
    millis(5),
    millis(10),
    millis(25),
    millis(50),
    millis(100),
    millis(250),
    millis(1_000),
    millis(5_000),
    millis(20_000),
    millis(60_000),
];

/// The counts.
pub struct Traffic {
    /// By the first digit of the status, from 1.
    answers: [Counter; 5],
    /// By the place of the code.
    refusals: [Counter; Code::ALL.len()],
    /// How long it took until an answer's head was there.
    pub time: Histogram,
    /// Connections that were told to come back.
    pub turned_away: Counter,
    open: AtomicUsize,
    /// Most connections at a time.
    pub most_open: usize,
}

/// An open connection, while it lasts.
pub struct Open<'a>(&'a AtomicUsize);

impl Traffic {
    pub fn new(limits: &Limits) -> Self {
        Traffic {
            answers: Default::default(),
            refusals: [const { Counter::new() }; Code::ALL.len()],
            time: Histogram::new(ANSWERS),
            turned_away: Counter::new(),
            open: AtomicUsize::new(0),
            most_open: limits.connections,
        }
    }

    /// Counts an answer.
    pub fn count(&self, response: &Response<Body>, took: Duration) {
        let class = usize::from(response.status().as_u16() / 100);
        if let Some(count) = class.checked_sub(1).and_then(|class| self.answers.get(class)) {
            count.add(1);
        }
        if let Some(refused) = response.extensions().get::<Refused>()
            && let Some(count) = self.refusals.get(refused.code as usize)
        {
            count.add(1);
        }
        self.time.observe(took);
    }

    /// Answers by the class of their status.
    pub fn answers(&self) -> impl Iterator<Item = (&'static str, u64)> {
        ["1xx", "2xx", "3xx", "4xx", "5xx"].into_iter().zip(self.answers.iter().map(Counter::get))
    }

    /// Answers that were refusals, by their code.
    pub fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let count = |code: Code| self.refusals.get(code as usize).map_or(0, Counter::get);
        Code::ALL.into_iter().map(move |code| (code.as_str(), count(code)))
    }

    /// Counts a connection as open until what is returned is let go.
    pub fn open(&self) -> Open<'_> {
        self.open.fetch_add(1, Ordering::Relaxed);
        Open(&self.open)
    }

    /// Connections that are open now.
    pub fn open_now(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
