//! What a few customers have beside the limits that apply: limits raised until an instant, goodwill resets, reservations, and
//! alerts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use weir_core::event::Facts;
use weir_core::id::{AlertId, EventId, ReservationId};
use weir_core::period::Window;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

use crate::config::LimitRule;

/// Most customers have none of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// The newest raise of each limit, also when it is over.
    pub raises: Vec<Raise>,
    /// The newest goodwill reset of each limit.
    pub resets: Vec<Reset>,
    /// Reservations that nobody has ended, oldest first. Some may have run out a moment ago.
    pub holds: Vec<Arc<Hold>>,
    /// Alerts of windows that last, up or not: no second one is made for the same.
    pub alerts: Vec<LiveAlert>,
}

/// A limit's other value until an instant.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    pub limit: i64,
    /// Its number among raises.
    pub seq: i64,
    pub value: Quantity,
    /// When it was given.
    pub at: Timestamp,
    pub until: Timestamp,
    pub note: Arc<str>,
}

/// Only events that arrived after it count on a limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reset {
    pub limit: i64,
    /// The last event before it.
    pub after: i64,
    pub at: Timestamp,
}

/// An alert, as judging knows it.
#[derive(Clone, Debug)]
pub(crate) struct LiveAlert {
    pub id: AlertId,
    pub limit: i64,
    /// Percent.
    pub threshold: u16,
    pub arming: Arming,
    /// How many times it had been due before within the window, where a value may fall and rise again.
    pub times: u32,
    pub window: Window,
    /// Whether usage is over the threshold.
    pub is_up: bool,
}

impl LiveAlert {
    /// Whether its window is.
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.window.end.is_some_and(|end| end <= now)
    }
}

/// What makes alerts due again: another value or other thresholds of the limit, and a raise that begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arming {
    /// The limit's own.
    pub limit: i64,
    /// The newest raise, 0 for none.
    pub raise: i64,
    /// Whether that raise is in force.
    pub raised: bool,
}

impl fmt::Display for Arming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.limit, self.raise, u8::from(self.raised))
    }
}

impl FromStr for Arming {
    type Err = ();
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('.').map(|part| part.parse::<i64>());
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(Ok(limit)), Some(Ok(raise)), Some(Ok(raised @ 0..=1)), None) => {
                Ok(Arming { limit, raise, raised: raised == 1 })
            }
            _ => Err(()),
        }
    }
}

/// A share that is held.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub id: ReservationId,
    pub expires_at: Timestamp,
    pub event_type: String,
    pub values: BTreeMap<String, Quantity>,
    pub dimensions: BTreeMap<String, String>,
}

impl Hold {
    /// The event that may come, as if it came now.
    pub(crate) fn facts<'a>(&'a self, customer: &'a str, now: Timestamp) -> Facts<'a> {
        Facts {
            id: EventId::new(self.id.uuid()),
            at: now,
            customer,
            event_type: &self.event_type,
            values: &self.values,
            dimensions: &self.dimensions,
        }
    }
}

impl Extras {
    pub(crate) const NONE: &'static Extras =
        &Extras { raises: Vec::new(), resets: Vec::new(), holds: Vec::new(), alerts: Vec::new() };

    pub(crate) fn is_empty(&self) -> bool {
        self.raises.is_empty() && self.resets.is_empty() && self.holds.is_empty() && self.alerts.is_empty()
    }

    /// The raise of a limit that is in force: one that is over, or that the limit itself has overtaken, is not.
    pub(crate) fn raise(&self, rule: &LimitRule, now: Timestamp) -> Option<&Raise> {
        self.raises.iter().find(|raise| raise.limit == rule.key && now < raise.until && raise.value > rule.value)
    }

    /// What alerts of a limit are due under.
    pub(crate) fn arming(&self, rule: &LimitRule, now: Timestamp) -> Arming {
        let newest = self.raises.iter().find(|raise| raise.limit == rule.key).map_or(0, |raise| raise.seq);
        Arming { limit: rule.arming, raise: newest, raised: self.raise(rule, now).is_some() }
    }

    /// The newest goodwill reset of a limit.
    pub(crate) fn reset(&self, limit: i64) -> Option<&Reset> {
        self.resets.iter().find(|reset| reset.limit == limit)
    }

    /// Puts a raise in the place of the one before.
    pub(crate) fn put_raise(&mut self, raise: Raise) {
        self.raises.retain(|old| old.limit != raise.limit);
        self.raises.push(raise);
    }

    /// Puts a reset in the place of the one before.
    pub(crate) fn put_reset(&mut self, reset: Reset) {
        self.resets.retain(|old| old.limit != reset.limit);
        self.resets.push(reset);
    }
}
