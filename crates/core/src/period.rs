//! Periods of limits, and the windows they cut time into.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::{CivilDate, DAY_SECONDS, MICROS, Timestamp, Zone, civil_of_days, days_in_month, days_of_civil};

/// How often what a limit counts starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// On every hour of UTC.
    Hour,
    /// At local midnight.
    Day,
    /// At local midnight as Monday begins.
    Week,
    /// On the anchor's day of the month, or a shorter month's last day.
    Month,
    /// On the anchor's month and day; 29 February falls on the 28th in common years.
    Annual,
    /// Never.
    AllTime,
}

/// A stretch of time from its start up to, not including, its end; `None` is without bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Window {
    /// The first instant inside.
    pub start: Option<Timestamp>,
    /// The first instant after.
    pub end: Option<Timestamp>,
}

impl Window {
    /// All of time.
    pub const ALL: Window = Window { start: None, end: None };

    /// Whether the instant lies inside.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= at) && !self.is_over(at)
    }

    /// Whether it has ended at the instant.
    pub fn is_over(&self, at: Timestamp) -> bool {
        self.end.is_some_and(|end| end <= at)
    }
}

/// A text is the name of no period.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown period: expected hour, day, week, month, annual or all_time")]
pub struct UnknownPeriod;

impl Period {
    /// Every period, shortest first.
    pub const ALL: [Period; 6] =
        [Period::Hour, Period::Day, Period::Week, Period::Month, Period::Annual, Period::AllTime];

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Period::Hour => "hour",
            Period::Day => "day",
            Period::Week => "week",
            Period::Month => "month",
            Period::Annual => "annual",
            Period::AllTime => "all_time",
        }
    }

    /// The window that holds an instant, for a customer with this zone and billing cycle start.
    ///
    /// The windows of a period lie end to end, each holds at least one instant, and every instant there is has one. A bound
    /// beyond the instants there are (some 292,000 years from now, and as many ago) is `None`.
    pub fn window(self, zone: Zone, anchor: CivilDate, at: Timestamp) -> Window {
        let seconds = at.unix_seconds();
        let cut = match self {
            Period::AllTime => return Window::ALL,
            Period::Hour => {
                let start = seconds - seconds.rem_euclid(3600);
                return window_of_seconds(start, start + 3600);
            }
            Period::Day => Cut::Days { length: 1, phase: 0 },
            // Day 0, the first of 1970, was a Thursday.
            Period::Week => Cut::Days { length: 7, phase: 4 },
            Period::Month => Cut::Months { length: 1, phase: 0, day: anchor.day().into() },
            Period::Annual => {
                Cut::Months { length: 12, phase: i64::from(anchor.month()) - 1, day: anchor.day().into() }
            }
        };

        let mut index = cut.index(zone.local_seconds(seconds).div_euclid(DAY_SECONDS));
        let mut start = zone.first_at_local(cut.day(index) * DAY_SECONDS);
        loop {
            index += 1;
            let end = zone.first_at_local(cut.day(index) * DAY_SECONDS);
            if seconds < end {
                return window_of_seconds(start, end);
            }
            // The clock was set back over midnight, so this instant shows a day that was over before; or the window had
            // no instant, because its days were skipped.
            start = end;
        }
    }

    /// The window that starts where `window` ends; none where time has no end.
    pub fn window_after(self, zone: Zone, anchor: CivilDate, window: Window) -> Option<Window> {
        window.end.map(|end| self.window(zone, anchor, end))
    }

    /// The window that ends where `window` starts; none where time has no beginning.
    pub fn window_before(self, zone: Zone, anchor: CivilDate, window: Window) -> Option<Window> {
        window
            .start
            .and_then(|start| start.as_micros().checked_sub(1))
            .map(|last| self.window(zone, anchor, Timestamp::from_micros(last)))
    }
}

/// The dates on which the windows of a period begin, numbered in order.
#[derive(Clone, Copy)]
enum Cut {
    /// The day numbers that leave `phase` when divided by `length`.
    Days { length: i64, phase: i64 },
    /// A day, or the last one there is, of each month whose number (counted from January of year 0) leaves `phase` when divided by `length`.
    Months { length: i64, phase: i64, day: i64 },
}

impl Cut {
    /// The last date of the cut that is not after a day.
    fn index(self, day_number: i64) -> i64 {
        match self {
            Cut::Days { length, phase } => (day_number - phase).div_euclid(length),
            Cut::Months { length, phase, .. } => {
                let (year, month, _) = civil_of_days(day_number);
                let index = (year * 12 + month - 1 - phase).div_euclid(length);
                if self.day(index) > day_number { index - 1 } else { index }
            }
        }
    }

    /// The day number of a date of the cut.
    fn day(self, index: i64) -> i64 {
        match self {
            Cut::Days { length, phase } => index * length + phase,
            Cut::Months { length, phase, day } => {
                let months = index * length + phase;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
                days_of_civil(year, month, day.min(days_in_month(year, month)))
            }
        }
    }
}

fn window_of_seconds(start: i64, end: i64) -> Window {
    let instant = |seconds: i64| seconds.checked_mul(MICROS).map(Timestamp::from_micros);
    Window { start: instant(start), end: instant(end) }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Period {
    type Err = UnknownPeriod;

    fn from_str(name: &str) -> Result<Period, UnknownPeriod> {
        Period::ALL.into_iter().find(|period| period.as_str() == name).ok_or(UnknownPeriod)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_everywhere() {
        for period in Period::ALL {
            assert_eq!(period.as_str().parse(), Ok(period));
            assert_eq!(serde_json::to_value(period).unwrap(), period.as_str());
            assert_eq!(period.to_string(), period.as_str());
        }
        for name in ["", "Hour", "alltime", "all time", "year"] {
            assert_eq!(name.parse::<Period>(), Err(UnknownPeriod));
        }
    }
}
