//! Ids: a prefix that says what a thing is, and a UUIDv7 (RFC 9562) that says which, sortable by creation.

use uuid::Uuid;

use crate::time::Timestamp;

/// A text that is not an id of the expected kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an id of the form {prefix}<uuid>")]
pub struct IdError {
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;
            /// Wraps a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }
            /// The UUID alone, as stored.
            pub const fn uuid(self) -> Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}{}", $prefix, self.0.as_hyphenated())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                let error = IdError { prefix: $prefix };
                let uuid = text.strip_prefix($prefix).filter(|rest| rest.len() == 36).ok_or_else(|| error.clone())?;
                Uuid::try_parse(uuid).map(Self).map_err(|_| error)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // As one text: piece by piece, each would be looked through for what has to be escaped.
                let mut uuid = Uuid::encode_buffer();
                let text = [$prefix, self.0.as_hyphenated().encode_lower(&mut uuid)].concat();
                serializer.serialize_str(&text)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": concat!("^", $prefix, "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$") })
            }
        }
    )*};
}

ids! {
    /// The project that a data file holds.
    ProjectId = "prj_";
    /// A customer, internally; callers name customers by their external id.
    CustomerId = "cus_";
    /// A usage event.
    EventId = "evt_";
    /// A meter.
    MeterId = "mtr_";
    /// A limit.
    LimitId = "lmt_";
    /// A rate limit.
    RateLimitId = "rl_";
    /// A reservation: a share of limits that is held.
    ReservationId = "rsv_";
    /// A balance.
    BalanceId = "bal_";
    /// An entry of a balance's ledger.
    TransactionId = "txn_";
    /// An amount of a balance that is set aside.
    HoldId = "hld_";
    /// An alert.
    AlertId = "alr_";
    /// An API key.
    KeyId = "key_";
    /// A token for a customer's own front end.
    ClientTokenId = "ct_";
    /// An endpoint that is told what happens.
    WebhookId = "whk_";
    /// What endpoints are told.
    MessageId = "msg_";
    /// A message on its way to one endpoint.
    DeliveryId = "whd_";
    /// A file on its way in.
    ImportId = "imp_";
}

/// The next UUIDv7 after `last`: of the given instant where time moves on, else one step above `last`, so that ids ascend
/// strictly even within a millisecond, when the clock steps back, and across restarts.
pub fn next_uuid(last: Uuid, at: Timestamp, entropy: [u8; 10]) -> Uuid {
    let millis = u64::try_from(at.as_micros() / 1000).unwrap_or(0);
    let fresh = uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid();
    if fresh > last {
        return fresh;
    }
    // The low 62 bits are random; carry into the 12 bits above the variant, and from there into the millisecond.
    let bits = last.as_u128();
    let (head, tail) = (bits >> 64, bits & ((1 << 62) - 1));
    let (stamp, high) = (head >> 16, head & 0xfff);
    let counter = (high << 62) | tail;
    let (stamp, counter) = if counter == (1 << 74) - 1 { (stamp + 1, 0) } else { (stamp, counter + 1) };
    let head = (stamp << 16) | (7 << 12) | (counter >> 62);
    Uuid::from_u128((head << 64) | (0b10 << 62) | (counter & ((1 << 62) - 1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ids_read_what_they_write_and_nothing_else() {
        let id = EventId::new(Uuid::from_u128(7));
        assert_eq!(id.to_string().parse(), Ok(id));
        let bare = Uuid::from_u128(7).to_string();
        for text in
            ["", "evt_", "evt_zz", &bare, &format!("cus_{bare}"), &format!("evt_{}", Uuid::from_u128(7).simple())]
        {
            assert!(text.parse::<EventId>().is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn ids_ascend_whatever_the_clock_does(steps in prop::collection::vec((-5_000_i64..5_000, any::<[u8; 10]>()), 1..200)) {
            let mut last = Uuid::nil();
            let mut now = 1_700_000_000_000_000_i64;
            for (step, entropy) in steps {
                now += step;
                let next = next_uuid(last, Timestamp::from_micros(now), entropy);
                prop_assert!(next > last);
                prop_assert_eq!(next.get_version_num(), 7);
                prop_assert_eq!(next.get_variant(), uuid::Variant::RFC4122);
                last = next;
            }
        }

        #[test]
        fn a_full_counter_carries_into_the_time(tail in (u64::MAX >> 2) - 3..=(u64::MAX >> 2)) {
            let head = (1_700_000_000_000_u128 << 16) | 0x7fff;
            let last = Uuid::from_u128((head << 64) | (0b10 << 62) | u128::from(tail));
            let next = next_uuid(last, Timestamp::from_micros(0), [0; 10]);
            prop_assert!(next > last);
            prop_assert_eq!(next.get_version_num(), 7);
            prop_assert_eq!(next.get_variant(), uuid::Variant::RFC4122);
        }
    }
}
