//! Calendar days of the proleptic Gregorian calendar.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, NaiveDate};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::parse::{Reader, date};
use super::{DAY_SECONDS, Timestamp, Zone, read_text};

/// The number of a date, counted from 1970-01-01. Total for every year the 64-bit microsecond count can reach, where
/// chrono's dates end sooner.
pub(crate) const fn days_of_civil(year: i64, month: i64, day: i64) -> i64 {
    // Years are counted from March, so that the leap day is the last day of its year and month lengths follow one formula.
    let year = year - (month <= 2) as i64;
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month and day of a day number: the inverse of [`days_of_civil`].
pub(crate) const fn civil_of_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    (era * 400 + year_of_era + (month <= 2) as i64, month, day)
}

/// How many days a month has.
pub(crate) const fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Why a text is no calendar date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CivilDateError {
    /// Not of the form `YYYY-MM-DD`.
    #[error("not a date of the form YYYY-MM-DD")]
    Form,
    /// A month or day that the calendar does not have, or the year 0000.
    #[error("no such day in the calendar")]
    NoSuchDay,
}

/// A day of the calendar, `YYYY-MM-DD`, in the years 0001 to 9999. It names a local day and is no instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(NaiveDate);

impl CivilDate {
    /// 0001-01-01, the first day of a month and of a year.
    pub const FIRST: CivilDate = CivilDate(NaiveDate::from_ymd_opt(1, 1, 1).unwrap());

    /// The date, if the calendar has it and its year is one of 0001 to 9999.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<CivilDate> {
        if !(1..=9999).contains(&year) {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, day).map(CivilDate)
    }

    /// The date that a clock in `zone` shows at an instant. Outside the years 0001 to 9999 it is the nearest day in them.
    pub fn of(at: Timestamp, zone: Zone) -> CivilDate {
        let days = zone.local_seconds(at.unix_seconds()).div_euclid(DAY_SECONDS);
        let days = days.clamp(days_of_civil(1, 1, 1), days_of_civil(9999, 12, 31));
        let (year, month, day) = civil_of_days(days);
        // Within these years chrono has every date.
        CivilDate::from_ymd(year as i32, month as u32, day as u32).unwrap_or(CivilDate::FIRST)
    }

    /// The first instant of the day in `zone`: its midnight; where that was skipped, the first instant after the gap;
    /// where it came twice, the first.
    pub fn start(self, zone: Zone) -> Timestamp {
        Timestamp::from_unix_seconds(zone.first_at_local(self.day_number() * DAY_SECONDS))
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month, 1 to 12.
    pub fn month(self) -> u32 {
        self.0.month()
    }

    /// The day of the month, 1 to 31.
    pub fn day(self) -> u32 {
        self.0.day()
    }

    fn day_number(self) -> i64 {
        days_of_civil(self.year().into(), self.month().into(), self.day().into())
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year(), self.month(), self.day())
    }
}

impl fmt::Debug for CivilDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CivilDate {
    type Err = CivilDateError;

    fn from_str(text: &str) -> Result<CivilDate, CivilDateError> {
        let mut reader = Reader::new(text);
        let (year, month, day) = date(&mut reader).ok_or(CivilDateError::Form)?;
        if !reader.at_end() {
            return Err(CivilDateError::Form);
        }
        CivilDate::from_ymd(year as i32, month as u32, day as u32).ok_or(CivilDateError::NoSuchDay)
    }
}

impl Serialize for CivilDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CivilDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<CivilDate, D::Error> {
        read_text(deserializer, "a date of the form YYYY-MM-DD", str::parse)
    }
}

impl JsonSchema for CivilDate {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "CivilDate".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn day_numbers_agree_with_chrono_and_invert() {
        let epoch = NaiveDate::from_ymd_opt(1970, 1, 1).unwrap();
        for number in (-800_000..3_000_000).step_by(13).chain(-800..800) {
            let (year, month, day) = civil_of_days(number);
            assert_eq!(days_of_civil(year, month, day), number);
            let date = NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32).unwrap();
            assert_eq!(date.signed_duration_since(epoch).num_days(), number);
            assert!(day <= days_in_month(year, month));
        }
    }

    #[test]
    fn months_have_their_lengths() {
        for year in [1900, 1999, 2000, 2023, 2024, 2100] {
            for month in 1..=12 {
                let next = if month == 12 { days_of_civil(year + 1, 1, 1) } else { days_of_civil(year, month + 1, 1) };
                assert_eq!(days_in_month(year, month), next - days_of_civil(year, month, 1), "{year}-{month}");
            }
        }
    }

    #[test]
    fn dates_are_read_strictly() {
        assert_eq!("2024-02-29".parse(), Ok(CivilDate::from_ymd(2024, 2, 29).unwrap()));
        assert_eq!("0001-01-01".parse::<CivilDate>().unwrap().to_string(), "0001-01-01");
        assert_eq!("9999-12-31".parse::<CivilDate>().unwrap().to_string(), "9999-12-31");
        for text in ["2023-02-29", "0000-01-01", "2024-13-01", "2024-00-10", "2024-01-00", "2024-01-32"] {
            assert_eq!(text.parse::<CivilDate>(), Err(CivilDateError::NoSuchDay), "{text}");
        }
        for text in [
            "",
            "2024",
            "2024-1-1",
            "2024-01-01 ",
            " 2024-01-01",
            "2024-01-01T00:00:00Z",
            "20240101",
            "+024-01-01",
            "２024-01-01",
        ] {
            assert_eq!(text.parse::<CivilDate>(), Err(CivilDateError::Form), "{text}");
        }
    }

    #[test]
    fn a_date_is_a_json_string() {
        let date: CivilDate = serde_json::from_str("\"2024-02-29\"").unwrap();
        assert_eq!(serde_json::to_string(&date).unwrap(), "\"2024-02-29\"");
        assert!(serde_json::from_str::<CivilDate>("20240229").is_err());
        let message = serde_json::from_str::<CivilDate>("\"2023-02-29\"").unwrap_err().to_string();
        assert!(message.starts_with("no such day in the calendar"), "{message}");
    }

    #[test]
    fn the_date_of_an_instant_is_local_and_stays_in_range() {
        let at = Timestamp::parse("2024-03-01T03:30:00Z").unwrap();
        assert_eq!(CivilDate::of(at, Zone::UTC).to_string(), "2024-03-01");
        assert_eq!(CivilDate::of(at, Zone::parse("America/Los_Angeles").unwrap()).to_string(), "2024-02-29");
        assert_eq!(CivilDate::of(Timestamp::from_micros(i64::MIN), Zone::UTC).to_string(), "0001-01-01");
        assert_eq!(CivilDate::of(Timestamp::from_micros(i64::MAX), Zone::UTC).to_string(), "9999-12-31");
    }

    #[test]
    fn a_day_starts_at_its_first_instant() {
        let start =
            |date: &str, zone: &str| date.parse::<CivilDate>().unwrap().start(Zone::parse(zone).unwrap()).to_string();
        assert_eq!(start("2024-03-10", "America/Los_Angeles"), "2024-03-10T08:00:00Z");
        // Cairo skipped midnight, Havana had it twice, Apia never had the day.
        assert_eq!(start("2024-04-26", "Africa/Cairo"), "2024-04-25T22:00:00Z");
        assert_eq!(start("2024-11-03", "America/Havana"), "2024-11-03T04:00:00Z");
        assert_eq!(start("2011-12-30", "Pacific/Apia"), start("2011-12-31", "Pacific/Apia"));
    }
}
