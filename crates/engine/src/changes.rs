//! Changes, told to whoever shows something: "these things are stale", never what is in them.

use std::ops::{BitOr, BitOrAssign};

use serde::ser::{Serialize, SerializeSeq, Serializer};

/// A set of things that are stale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Topics(u16);

impl Topics {
    /// Nothing.
    pub const NONE: Topics = Topics(0);
    /// Customers and what is known of them.
    pub const CUSTOMERS: Topics = Topics(1);
    /// Events recorded.
    pub const EVENTS: Topics = Topics(1 << 1);
    /// Meters, and how far they have been built.
    pub const METERS: Topics = Topics(1 << 2);
    /// Limits.
    pub const LIMITS: Topics = Topics(1 << 3);
    /// Where customers stand.
    pub const STANDINGS: Topics = Topics(1 << 4);
    /// Files on their way in.
    pub const IMPORTS: Topics = Topics(1 << 5);
    /// API keys.
    pub const KEYS: Topics = Topics(1 << 6);
    /// The project.
    pub const PROJECT: Topics = Topics(1 << 7);
    /// Who changed what.
    pub const AUDIT: Topics = Topics(1 << 8);
    /// Calls refused.
    pub const REFUSALS: Topics = Topics(1 << 9);
    /// Reservations made, ended or run out.
    pub const RESERVATIONS: Topics = Topics(1 << 10);
    /// Alerts.
    pub const ALERTS: Topics = Topics(1 << 11);
    /// Balances, and what moved them.
    pub const BALANCES: Topics = Topics(1 << 12);
    /// Webhooks, and what they were told.
    pub const WEBHOOKS: Topics = Topics(1 << 13);
    /// Client tokens.
    pub const CLIENT_TOKENS: Topics = Topics(1 << 14);

    const NAMES: [&str; 15] = [
        "customers",
        "events",
        "meters",
        "limits",
        "standings",
        "imports",
        "keys",
        "project",
        "audit",
        "refusals",
        "reservations",
        "alerts",
        "balances",
        "webhooks",
        "client_tokens",
    ];

    /// Everything: after changes may have been missed.
    pub const ALL: Topics = Topics((1 << Self::NAMES.len()) - 1);

    /// Whether nothing is stale.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The words on the wire.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(bit, _)| self.0 & (1 << bit) != 0).map(|(_, name)| name)
    }
}

impl BitOr for Topics {
    type Output = Topics;
    fn bitor(self, other: Topics) -> Topics {
        Topics(self.0 | other.0)
    }
}

impl BitOrAssign for Topics {
    fn bitor_assign(&mut self, other: Topics) {
        self.0 |= other.0;
    }
}

impl Serialize for Topics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut names = serializer.serialize_seq(None)?;
        for name in self.names() {
            names.serialize_element(name)?;
        }
        names.end()
    }
}
