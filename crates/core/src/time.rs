//! Instants, time zones and calendar dates.
//!
//! An instant is a count of microseconds since 1970-01-01T00:00:00Z ([`Timestamp`]); a [`Zone`] turns it into local clock
//! time and back; a [`CivilDate`] is a local calendar day. Nothing here reads a clock.

mod civil;
mod parse;
mod zone;

pub use civil::{CivilDate, CivilDateError};
pub use parse::TimestampError;
pub use zone::{UnknownZone, Zone};

pub(crate) use civil::{civil_of_days, days_in_month, days_of_civil};

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) const MICROS: i64 = 1_000_000;
pub(crate) const DAY_SECONDS: i64 = 86_400;

/// An instant in UTC, to the microsecond.
///
/// Every `i64` is an instant. Text covers the years 0000 to 9999, the years RFC 3339 can write; an instant outside them
/// is displayed with a signed year of six digits or more (`+010000-01-01T00:00:00Z`), which is not read back.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Timestamp = Timestamp(0);

    /// The instant this many microseconds after the epoch (before it, if negative).
    pub const fn from_micros(micros: i64) -> Timestamp {
        Timestamp(micros)
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// The instant this many seconds after the epoch; stops at the first and last instant there are.
    pub const fn from_unix_seconds(seconds: i64) -> Timestamp {
        Timestamp(seconds.saturating_mul(MICROS))
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS)
    }

    /// Whole seconds since the epoch, rounded up: at that second, this instant has come.
    pub const fn unix_seconds_ceil(self) -> i64 {
        self.unix_seconds() + (self.0.rem_euclid(MICROS) != 0) as i64
    }

    /// This instant moved by so many microseconds; stops at the first and last instant there are.
    pub const fn saturating_add_micros(self, micros: i64) -> Timestamp {
        Timestamp(self.0.saturating_add(micros))
    }

    /// Microseconds from `earlier` to this instant, negative if it is in fact later; stops at the ends of `i64`.
    pub const fn micros_since(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Whole seconds to wait from `earlier` until this instant has come: rounded up, at least 1.
    pub const fn seconds_from(self, earlier: Timestamp) -> u32 {
        let micros = self.micros_since(earlier);
        let seconds = micros.div_euclid(MICROS) + (micros.rem_euclid(MICROS) != 0) as i64;
        match seconds {
            ..=1 => 1,
            0xffff_ffff.. => u32::MAX,
            seconds => seconds as u32,
        }
    }

    /// Reads an RFC 3339 time.
    ///
    /// Besides the strict form: a space or a lower-case `t` may stand for `T`, `z` for `Z`, an offset may be `+HHMM` or
    /// `+HH`, seconds may be left out, a date alone is its midnight, and a time without a zone is UTC. Digits beyond
    /// microseconds are cut. Second 60 is taken only where leap seconds happen, at 23:59:60 UTC, and counts as the last
    /// microsecond of that day, so that it stays in the day it belongs to.
    pub fn parse(text: &str) -> Result<Timestamp, TimestampError> {
        parse::strict(text, Zone::UTC)
    }

    /// Reads a time as [`Timestamp::parse`] does, but a time without a zone is local in `zone`.
    ///
    /// A local time that a clock change skipped becomes the first instant after the gap; one that came twice is the
    /// first of the two.
    pub fn parse_in(text: &str, zone: Zone) -> Result<Timestamp, TimestampError> {
        parse::strict(text, zone)
    }

    /// Reads a time as files have them: as [`Timestamp::parse_in`] does, or as a count since the epoch.
    ///
    /// A number of digits alone is seconds from 10^9 (2001) up to 10^11, milliseconds up to 10^14 and microseconds up to
    /// 10^17, each bound excluded above; smaller and larger ones are refused, as nothing tells their unit. Around
    /// the text spaces are dropped; before the offset one may stand, and `UTC` or `GMT` may stand for `Z`.
    pub fn parse_loose(text: &str, zone: Zone) -> Result<Timestamp, TimestampError> {
        parse::loose(text, zone)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with no, three or six fractional digits as needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.unix_seconds();
        let (year, month, day) = civil_of_days(seconds.div_euclid(DAY_SECONDS));
        let clock = seconds.rem_euclid(DAY_SECONDS);
        let micros = self.0.rem_euclid(MICROS);
        if (0..=9999).contains(&year) {
            write!(f, "{year:04}")?;
        } else {
            write!(f, "{year:+07}")?;
        }
        let (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60);
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match (micros / 1000, micros % 1000) {
            (0, 0) => {}
            (millis, 0) => write!(f, ".{millis:03}")?,
            _ => write!(f, ".{micros:06}")?,
        }
        f.write_str("Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Timestamp, TimestampError> {
        Timestamp::parse(text)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        read_text(deserializer, "an RFC 3339 time", Timestamp::parse)
    }
}

impl JsonSchema for Timestamp {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time" })
    }
}

/// Reads a value from a JSON string by `parse`, without asking the format to lend the text.
fn read_text<'de, D, T, E>(
    deserializer: D,
    expecting: &'static str,
    parse: fn(&str) -> Result<T, E>,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    E: fmt::Display,
{
    struct Visitor<T, E>(&'static str, fn(&str) -> Result<T, E>);

    impl<T, E: fmt::Display> serde::de::Visitor<'_> for Visitor<T, E> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<F: serde::de::Error>(self, text: &str) -> Result<T, F> {
            (self.1)(text).map_err(F::custom)
        }
    }

    deserializer.deserialize_str(Visitor(expecting, parse))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_as_they_say() {
        for (micros, floor, ceil) in [(0, 0, 0), (1, 0, 1), (-1, -1, 0), (1_000_000, 1, 1), (-1_000_001, -2, -1)] {
            let at = Timestamp::from_micros(micros);
            assert_eq!((at.unix_seconds(), at.unix_seconds_ceil()), (floor, ceil), "{micros}");
        }
        assert_eq!(Timestamp::from_unix_seconds(i64::MAX), Timestamp::from_micros(i64::MAX));
        assert_eq!(Timestamp::from_micros(i64::MIN).saturating_add_micros(-1), Timestamp::from_micros(i64::MIN));
    }

    #[test]
    fn a_wait_is_whole_seconds_and_never_too_short() {
        let now = Timestamp::from_micros(999_999);
        for (until, wait) in
            [(0, 1), (999_999, 1), (1_000_000, 1), (1_999_999, 1), (2_000_000, 2), (i64::MAX, u32::MAX)]
        {
            assert_eq!(Timestamp::from_micros(until).seconds_from(now), wait, "{until}");
        }
    }

    #[test]
    fn years_beyond_four_digits_are_written_with_a_sign() {
        assert_eq!(Timestamp::from_unix_seconds(253_402_300_800).to_string(), "+010000-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_unix_seconds(-62_167_219_201).to_string(), "-000001-12-31T23:59:59Z");
        assert_eq!(Timestamp::from_micros(i64::MAX).to_string(), "+294247-01-10T04:00:54.775807Z");
        assert_eq!(Timestamp::from_micros(i64::MIN).to_string(), "-290308-12-21T19:59:05.224192Z");
    }

    #[test]
    fn a_time_is_a_json_string() {
        let at: Timestamp = serde_json::from_str("\"2024-05-01 14:30:00.5+02:00\"").unwrap();
        assert_eq!(serde_json::to_string(&at).unwrap(), "\"2024-05-01T12:30:00.500Z\"");
        assert!(serde_json::from_str::<Timestamp>("1714566600").is_err());
        let message = serde_json::from_str::<Timestamp>("\"yesterday\"").unwrap_err().to_string();
        assert!(message.starts_with("not a time of the form"), "{message}");
    }
}
