//! Buckets of a series.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::period::Period;
use crate::time::{CivilDate, MICROS, Timestamp, Zone};

/// How finely a range of time is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub enum Interval {
    /// Minutes.
    #[serde(rename = "1m")]
    Minute,
    /// Quarters of an hour, the same in every zone.
    #[serde(rename = "15m")]
    QuarterHour,
    /// Hours of the local clock.
    #[serde(rename = "hour")]
    Hour,
    /// Local days.
    #[serde(rename = "day")]
    Day,
    /// Local weeks from Monday.
    #[serde(rename = "week")]
    Week,
    /// Months of the local calendar.
    #[serde(rename = "month")]
    Month,
}

/// A range has more buckets of an interval than were asked for at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the range has more than {max} points at this interval")]
pub struct TooManyBuckets {
    /// The most that were allowed.
    pub max: usize,
}

/// A text is the name of no interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown interval: expected 1m, 15m, hour, day, week or month")]
pub struct UnknownInterval;

impl Interval {
    /// Every interval, finest first.
    pub const ALL: [Interval; 6] =
        [Interval::Minute, Interval::QuarterHour, Interval::Hour, Interval::Day, Interval::Week, Interval::Month];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Interval::Minute => "1m",
            Interval::QuarterHour => "15m",
            Interval::Hour => "hour",
            Interval::Day => "day",
            Interval::Week => "week",
            Interval::Month => "month",
        }
    }

    /// The buckets of `[from, to)` in order, each half-open, end to end, the first and the last clipped to the range.
    ///
    /// Days, weeks and months begin as the windows of those periods do, months on the 1st. Hours are cut where the local clock
    /// comes to a full hour, so both passes of an hour that comes twice stand apart. An empty range has no bucket.
    pub fn buckets(
        self,
        zone: Zone,
        from: Timestamp,
        to: Timestamp,
        max: usize,
    ) -> Result<Vec<(Timestamp, Timestamp)>, TooManyBuckets> {
        let mut buckets = Vec::new();
        let mut start = from;
        while start < to {
            if buckets.len() == max {
                return Err(TooManyBuckets { max });
            }
            let end = self.next_cut(zone, start).map_or(to, |cut| cut.min(to));
            buckets.push((start, end));
            start = end;
        }
        Ok(buckets)
    }

    /// The first cut after an instant; none if no instant is so late.
    fn next_cut(self, zone: Zone, at: Timestamp) -> Option<Timestamp> {
        let seconds = at.unix_seconds();
        let cut = match self {
            Interval::Minute => next_multiple(seconds, 60),
            Interval::QuarterHour => next_multiple(seconds, 900),
            Interval::Hour => next_local_hour(zone, seconds),
            Interval::Day => return calendar_cut(Period::Day, zone, at),
            Interval::Week => return calendar_cut(Period::Week, zone, at),
            Interval::Month => return calendar_cut(Period::Month, zone, at),
        };
        cut.checked_mul(MICROS).map(Timestamp::from_micros)
    }
}

fn calendar_cut(period: Period, zone: Zone, at: Timestamp) -> Option<Timestamp> {
    period.window(zone, CivilDate::FIRST, at).end
}

fn next_multiple(seconds: i64, of: i64) -> i64 {
    seconds - seconds.rem_euclid(of) + of
}

fn next_local_hour(zone: Zone, seconds: i64) -> i64 {
    let full_hour = |from: i64, offset: i64| next_multiple(from + offset, 3600) - offset;
    let offset = zone.offset_at(seconds);
    let next = full_hour(seconds, offset);
    if zone.offset_at(next - 1) == offset {
        return next;
    }
    // The clock changes within the hour: what counts is what it shows from then on.
    let change = zone.change_between(seconds, next - 1);
    let offset = zone.offset_at(change);
    if (change + offset).rem_euclid(3600) == 0 { change } else { full_hour(change, offset) }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Interval {
    type Err = UnknownInterval;

    fn from_str(name: &str) -> Result<Interval, UnknownInterval> {
        Interval::ALL.into_iter().find(|interval| interval.as_str() == name).ok_or(UnknownInterval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for interval in Interval::ALL {
            assert_eq!(interval.as_str().parse(), Ok(interval));
            assert_eq!(serde_json::to_value(interval).unwrap(), interval.as_str());
            assert_eq!(interval.to_string(), interval.as_str());
        }
        for name in ["", "1M", "15min", "minute", "year"] {
            assert_eq!(name.parse::<Interval>(), Err(UnknownInterval));
        }
    }

    fn cuts(interval: Interval, zone: &str, from: &str, to: &str) -> Vec<String> {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let buckets = interval.buckets(Zone::parse(zone).unwrap(), at(from), at(to), 100).unwrap();
        buckets.iter().skip(1).map(|(start, _)| start.to_string()).collect()
    }

    #[test]
    fn hours_follow_the_local_clock() {
        let hours = |zone, from, to| cuts(Interval::Hour, zone, from, to);
        assert_eq!(
            hours("Asia/Kathmandu", "2024-05-01T00:00:00Z", "2024-05-01T02:15:00Z"),
            ["2024-05-01T00:15:00Z", "2024-05-01T01:15:00Z"]
        );
        // Both passes of one o'clock stand apart.
        assert_eq!(
            hours("America/Los_Angeles", "2024-11-03T08:00:00Z", "2024-11-03T11:00:00Z"),
            ["2024-11-03T09:00:00Z", "2024-11-03T10:00:00Z"]
        );
        // Half an hour is set back at two, which makes the second pass of one o'clock half an hour long.
        assert_eq!(
            hours("Australia/Lord_Howe", "2024-04-06T14:00:00Z", "2024-04-06T16:30:00Z"),
            ["2024-04-06T15:00:00Z", "2024-04-06T15:30:00Z"]
        );
        // Half an hour is skipped at two, which leaves that hour its second half.
        assert_eq!(
            hours("Australia/Lord_Howe", "2024-10-05T14:30:00Z", "2024-10-05T17:00:00Z"),
            ["2024-10-05T15:30:00Z", "2024-10-05T16:00:00Z"]
        );
        // Half past two became three o'clock.
        assert_eq!(
            hours("America/Caracas", "2016-05-01T06:00:00Z", "2016-05-01T08:30:00Z"),
            ["2016-05-01T06:30:00Z", "2016-05-01T07:00:00Z", "2016-05-01T08:00:00Z"]
        );
        // Set back at a minute past midnight: eleven o'clock comes again with its last 59 minutes.
        assert_eq!(
            hours("America/St_Johns", "2006-10-29T01:30:00Z", "2006-10-29T04:30:00Z"),
            ["2006-10-29T02:30:00Z", "2006-10-29T03:30:00Z"]
        );
    }

    #[test]
    fn days_weeks_and_months_follow_the_local_calendar() {
        assert_eq!(
            cuts(Interval::Day, "America/Los_Angeles", "2024-03-09T12:00:00Z", "2024-03-12T00:00:00Z"),
            ["2024-03-10T08:00:00Z", "2024-03-11T07:00:00Z"]
        );
        assert_eq!(
            cuts(Interval::Week, "UTC", "2024-04-28T12:00:00Z", "2024-05-13T00:00:00Z"),
            ["2024-04-29T00:00:00Z", "2024-05-06T00:00:00Z"]
        );
        assert_eq!(
            cuts(Interval::Month, "Asia/Kathmandu", "2024-01-15", "2024-03-15"),
            ["2024-01-31T18:15:00Z", "2024-02-29T18:15:00Z"]
        );
    }

    #[test]
    fn short_intervals_keep_to_one_grid() {
        let from = "2024-05-01T00:07:30Z";
        assert_eq!(
            cuts(Interval::QuarterHour, "Asia/Kathmandu", from, "2024-05-01T00:30:00Z"),
            ["2024-05-01T00:15:00Z"]
        );
        assert_eq!(cuts(Interval::Minute, "Asia/Kathmandu", from, "2024-05-01T00:08:01Z"), ["2024-05-01T00:08:00Z"]);
    }

    #[test]
    fn a_range_without_end_is_refused_and_an_empty_one_has_no_bucket() {
        let (first, last) = (Timestamp::from_micros(i64::MIN), Timestamp::from_micros(i64::MAX));
        for interval in Interval::ALL {
            assert_eq!(interval.buckets(Zone::UTC, first, last, 5), Err(TooManyBuckets { max: 5 }));
            assert_eq!(interval.buckets(Zone::UTC, last, first, 0), Ok(vec![]));
            assert_eq!(interval.buckets(Zone::UTC, first, first, 0), Ok(vec![]));
            let almost_last = last.saturating_add_micros(-1);
            assert_eq!(interval.buckets(Zone::UTC, almost_last, last, 1), Ok(vec![(almost_last, last)]));
        }
    }
}
