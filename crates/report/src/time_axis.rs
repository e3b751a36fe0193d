//! The time axis: ticks on full hours, days, months and years of a zone's own clock.

use weir_core::time::{CivilDate, Timestamp, Zone};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// 1970-01-05, the first Monday, in days since the epoch.
const MONDAY: i64 = 4;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A mark on the axis with up to two lines of text: the second says the larger unit where it begins.
#[derive(Debug, PartialEq)]
pub(crate) struct TimeTick {
    /// Unix seconds.
    pub(crate) at: i64,
    pub(crate) label: String,
    pub(crate) below: Option<String>,
}

#[derive(Clone, Copy)]
enum Step {
    /// Seconds of the local clock that divide a day.
    Clock(i64),
    Days(i64),
    Months(i64),
}

const STEPS: [Step; 26] = [
    Step::Clock(1),
    Step::Clock(5),
    Step::Clock(15),
    Step::Clock(30),
    Step::Clock(MINUTE),
    Step::Clock(2 * MINUTE),
    Step::Clock(5 * MINUTE),
    Step::Clock(10 * MINUTE),
    Step::Clock(15 * MINUTE),
    Step::Clock(30 * MINUTE),
    Step::Clock(HOUR),
    Step::Clock(2 * HOUR),
    Step::Clock(3 * HOUR),
    Step::Clock(6 * HOUR),
    Step::Clock(12 * HOUR),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
    Step::Months(5 * 12),
    Step::Months(20 * 12),
    Step::Months(100 * 12),
];

/// The ticks from `from` to `to` (Unix seconds, both included), at most `most` of them, at least one.
pub(crate) fn ticks(from: i64, to: i64, zone: Zone, most: usize) -> Vec<TimeTick> {
    let most = most.max(1);
    let clock = |step: i64| zone.local_seconds(from).rem_euclid(step);
    if from == to && clock(DAY) == 0 {
        return labelled(&[from], zone, Step::Days(1));
    }
    for step in STEPS.into_iter().filter(|_| from < to) {
        // Far too many are not even counted.
        if (to - from) / step.seconds() > 2 * most as i64 {
            continue;
        }
        let instants = instants(from, to, zone, step);
        if instants.len() > most {
            continue;
        }
        if instants.is_empty() {
            break;
        }
        return labelled(&instants, zone, step);
    }
    labelled(&[from], zone, Step::Clock(if clock(MINUTE) == 0 { MINUTE } else { 1 }))
}

impl Step {
    /// About how long a step is.
    const fn seconds(self) -> i64 {
        match self {
            Step::Clock(seconds) => seconds,
            Step::Days(days) => days * DAY,
            Step::Months(months) => months * 28 * DAY,
        }
    }
}

fn instants(from: i64, to: i64, zone: Zone, step: Step) -> Vec<i64> {
    let mut instants: Vec<i64> = match step {
        Step::Clock(seconds) => on_clock(from, to, zone, seconds, 0).collect(),
        Step::Days(days) => {
            on_clock(from, to, zone, days * DAY, if days % 7 == 0 { MONDAY * DAY } else { 0 }).collect()
        }
        Step::Months(months) => {
            let month_of = |at: i64| {
                let date = CivilDate::of(Timestamp::from_unix_seconds(at), zone);
                i64::from(date.year()) * 12 + i64::from(date.month()) - 1
            };
            (month_of(from).div_euclid(months)..=month_of(to).div_euclid(months))
                .map(|index| index * months)
                .filter_map(|month| {
                    CivilDate::from_ymd(
                        i32::try_from(month.div_euclid(12)).ok()?,
                        u32::try_from(month.rem_euclid(12)).ok()? + 1,
                        1,
                    )
                })
                .map(|date| date.start(zone).unix_seconds())
                .collect()
        }
    };
    instants.retain(|at| (from..=to).contains(at));
    // A local time that was skipped becomes the one after it.
    instants.dedup();
    instants
}

/// The instants at which the local clock shows `offset` or a multiple of `step` from it.
fn on_clock(from: i64, to: i64, zone: Zone, step: i64, offset: i64) -> impl Iterator<Item = i64> {
    let index = |at: i64| (zone.local_seconds(at) - offset).div_euclid(step);
    (index(from)..=index(to) + 1).map(move |index| zone.first_at_local(index * step + offset))
}

fn labelled(instants: &[i64], zone: Zone, step: Step) -> Vec<TimeTick> {
    let mut before: Option<CivilDate> = None;
    let label = |at: i64| {
        let date = CivilDate::of(Timestamp::from_unix_seconds(at), zone);
        let month = MONTHS[date.month() as usize - 1];
        let new_year = before.is_none_or(|before| before.year() != date.year());
        let new_day = before.is_none_or(|before| before != date);
        before = Some(date);
        let year = || date.year().to_string();
        let (label, below) = match step {
            Step::Clock(seconds) => {
                let clock = zone.local_seconds(at).rem_euclid(DAY);
                let minutes = format!("{:02}:{:02}", clock / HOUR, clock / MINUTE % 60);
                let label = if seconds < MINUTE { format!("{minutes}:{:02}", clock % MINUTE) } else { minutes };
                let day = format!("{month} {}", date.day());
                (label, new_day.then(|| if new_year { format!("{day}, {}", year()) } else { day }))
            }
            Step::Days(_) => (format!("{month} {}", date.day()), new_year.then(year)),
            Step::Months(months) if months % 12 != 0 => (month.to_owned(), new_year.then(year)),
            Step::Months(_) => (year(), None),
        };
        TimeTick { at, label, below }
    };
    instants.iter().copied().map(label).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(from: &str, to: &str, zone: &str, most: usize) -> String {
        let seconds = |text| Timestamp::parse(text).expect("a time").unix_seconds();
        ticks(seconds(from), seconds(to), Zone::parse(zone).expect("a zone"), most)
            .into_iter()
            .map(|tick| tick.label + &tick.below.map(|below| format!(" ({below})")).unwrap_or_default())
            .collect::<Vec<_>>()
            .join(" | ")
    }

    #[test]
    fn ticks_lie_on_the_local_clock_and_calendar() {
        for (from, to, zone, most, expected) in [
            ("2023-11-16T18:15:00Z", "2023-11-16T19:14:00Z", "UTC", 5, "18:15 (Nov 16, 2023) | 18:30 | 18:45 | 19:00"),
            ("2023-11-16T18:15:00Z", "2023-11-16T19:14:00Z", "Asia/Kathmandu", 3, "00:00 (Nov 17, 2023) | 00:30"),
            ("2023-12-31T20:00:00Z", "2024-01-01T12:00:00Z", "UTC", 4, "00:00 (Jan 1, 2024) | 06:00 | 12:00"),
            (
                "2023-12-31T12:00:00Z",
                "2024-01-01T12:00:00Z",
                "UTC",
                3,
                "12:00 (Dec 31, 2023) | 00:00 (Jan 1, 2024) | 12:00",
            ),
            // The clocks of Los Angeles go from 02:00 to 03:00.
            (
                "2024-03-10T08:00:00Z",
                "2024-03-10T13:00:00Z",
                "America/Los_Angeles",
                9,
                "00:00 (Mar 10, 2024) | 01:00 | 03:00 | 04:00 | 05:00 | 06:00",
            ),
            (
                "2024-01-01T00:00:00Z",
                "2024-02-10T00:00:00Z",
                "Europe/Berlin",
                6,
                "Jan 8 (2024) | Jan 15 | Jan 22 | Jan 29 | Feb 5",
            ),
            ("2023-10-05T00:00:00Z", "2024-03-05T00:00:00Z", "UTC", 6, "Nov (2023) | Dec | Jan (2024) | Feb | Mar"),
            ("1990-06-01T00:00:00Z", "2024-01-01T00:00:00Z", "UTC", 8, "1995 | 2000 | 2005 | 2010 | 2015 | 2020"),
            ("2024-05-01T12:34:56Z", "2024-05-01T12:34:56Z", "UTC", 8, "12:34:56 (May 1, 2024)"),
        ] {
            assert_eq!(shown(from, to, zone, most), expected, "{from} to {to} in {zone}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ticks_are_few_in_order_and_in_range(from in -10_000_000_000..10_000_000_000_i64, exponent in 0.0..10.5_f64, most in 1..20_usize, zone in 0..Zone::all().len()) {
            let zone = Zone::all().nth(zone).expect("a zone");
            let to = from + 10_f64.powf(exponent) as i64;
            let ticks = ticks(from, to, zone, most);
            prop_assert!((1..=most).contains(&ticks.len()));
            prop_assert!(ticks.iter().all(|tick| (from..=to).contains(&tick.at)));
            prop_assert!(ticks.windows(2).all(|pair| pair[0].at < pair[1].at));
        }

        #[test]
        fn any_instants_have_a_tick(from: i32, to in any::<i64>(), most in 0..5_usize) {
            let (from, to) = (i64::from(from), to / 1_000_000);
            prop_assert!(!ticks(from.min(to), from.max(to), Zone::UTC, most).is_empty());
        }
    }
}
