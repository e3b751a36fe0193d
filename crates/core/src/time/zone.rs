//! Time zones by their IANA names.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::read_text;

/// No zone has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {0:?}: expected an IANA name such as \"Europe/Paris\"")]
pub struct UnknownZone(pub String);

/// A time zone of the IANA database, which is built in: no zone file of the machine is read.
///
/// The rules that are built in end with the year 2099; later times keep the offset a zone had then.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Zone = Zone(Tz::UTC);

    /// The zone of this name; upper and lower case count.
    pub fn parse(name: &str) -> Result<Zone, UnknownZone> {
        // The name is repeated to the caller, so an endless one is cut.
        name.parse().map(Zone).map_err(|_| UnknownZone(name.chars().take(64).collect()))
    }

    /// The IANA name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Every zone there is, in no promised order.
    pub fn all() -> impl ExactSizeIterator<Item = Zone> {
        chrono_tz::TZ_VARIANTS.iter().copied().map(Zone)
    }

    /// Seconds that local time is ahead of UTC at an instant given in Unix seconds.
    pub(crate) fn offset_at(self, seconds: i64) -> i64 {
        // No zone changes its offset outside these years, so any instant beyond has the offset of their ends.
        const YEAR_1: i64 = -62_135_596_800;
        const YEAR_9999: i64 = 253_402_300_799;
        let at = DateTime::from_timestamp(seconds.clamp(YEAR_1, YEAR_9999), 0).unwrap_or_default();
        self.0.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc().into()
    }

    /// What a local clock shows at an instant, as if it were UTC; both in Unix seconds.
    pub fn local_seconds(self, seconds: i64) -> i64 {
        seconds + self.offset_at(seconds)
    }

    /// The first instant at which the local clock shows `local` or later, in Unix seconds.
    ///
    /// So a local time that was skipped gives the first instant after the gap, and one that came twice its first coming.
    pub fn first_at_local(self, local: i64) -> i64 {
        // Offsets lie within sixteen hours of UTC, so the instant is at most that far from `local`. No zone has ever
        // changed its offset twice within six days, so at most one change lies between the two ends.
        const REACH: i64 = 16 * 3600;
        let before = self.offset_at(local - REACH);
        let after = self.offset_at(local + REACH);
        let early = local - before;
        if before == after || self.offset_at(early) == before {
            return early;
        }
        let late = local - after;
        if self.offset_at(late) == after {
            return late;
        }
        self.change_between(late, early)
    }

    /// The instant at which the offset changes, where it changes once after `from` and no later than `to`.
    pub(crate) fn change_between(self, mut from: i64, mut to: i64) -> i64 {
        let offset = self.offset_at(from);
        while to - from > 1 {
            let middle = from + (to - from) / 2;
            if self.offset_at(middle) == offset {
                from = middle;
            } else {
                to = middle;
            }
        }
        to
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Zone, UnknownZone> {
        Zone::parse(name)
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Zone, D::Error> {
        read_text(deserializer, "the IANA name of a time zone", Zone::parse)
    }
}

impl JsonSchema for Zone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Zone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[A-Za-z0-9_+/-]{1,64}$", "description": "IANA time zone name", "examples": ["Europe/Paris"] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_exact() {
        for zone in Zone::all() {
            assert_eq!(Zone::parse(zone.name()), Ok(zone));
        }
        for name in ["", "utc ", "europe/paris", "Europe/Atlantis", "+02:00", "Europe/Paris\0"] {
            let error = Zone::parse(name).unwrap_err();
            assert_eq!(error, UnknownZone(name.into()));
            assert!(error.to_string().contains(&format!("{name:?}")));
        }
        assert_eq!(Zone::parse(&"x".repeat(10_000)).unwrap_err().0.len(), 64);
    }

    #[test]
    fn a_zone_is_a_json_string() {
        let zone: Zone = serde_json::from_str("\"Asia/Kathmandu\"").unwrap();
        assert_eq!(serde_json::to_string(&zone).unwrap(), "\"Asia/Kathmandu\"");
        assert!(serde_json::from_str::<Zone>("\"Asia/kathmandu\"").is_err());
    }

    /// What `first_at_local` takes for granted of the zones that are built in.
    #[test]
    fn offsets_stay_within_reach_and_changes_lie_days_apart() {
        const STEP: i64 = 6 * 86_400;
        for zone in Zone::all() {
            // From 1840, before the first change of any zone, past the last rule.
            let mut at = -4_102_444_800;
            let mut here = zone.offset_at(at);
            assert_eq!(here, zone.offset_at(i64::MIN), "{zone}");
            let mut last_change = i64::MIN / 2;
            while at < 4_260_000_000 {
                let there = zone.offset_at(at + STEP);
                if here != there {
                    let change = zone.change_between(at, at + STEP);
                    assert!(change - last_change > STEP, "{zone} changes twice around {change}");
                    assert_eq!(zone.offset_at(change), there, "{zone} changes twice around {change}");
                    assert!(there.abs() < 16 * 3600, "{zone}");
                    last_change = change;
                }
                (at, here) = (at + STEP, there);
            }
            assert_eq!(here, zone.offset_at(i64::MAX), "{zone}");
        }
    }
}
