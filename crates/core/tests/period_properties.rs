//! What holds for windows and buckets in every zone, at every instant, from every anchor.

use std::sync::LazyLock;

use chrono::{DateTime, Datelike, NaiveDate, Offset, TimeZone};
use proptest::prelude::*;
use weir_core::interval::{Interval, TooManyBuckets};
use weir_core::period::{Period, Window};
use weir_core::time::{CivilDate, Timestamp, Zone};

const SECOND: i64 = 1_000_000;
const QUARTER_HOUR: i64 = 900 * SECOND;
const DAY: i64 = 86_400 * SECOND;

/// Every change of a zone's offset, as the zone and the instant: where windows go wrong if they do.
static CHANGES: LazyLock<Vec<(Zone, Timestamp)>> = LazyLock::new(|| {
    // No zone changes twice within six days; none before 1840 and none from 2100.
    const STEP: i64 = 6 * 86_400;
    let mut changes = Vec::new();
    for tz in chrono_tz::TZ_VARIANTS {
        let offset = |at: i64| tz.offset_from_utc_datetime(&DateTime::from_timestamp(at, 0).unwrap().naive_utc()).fix();
        let mut from = -4_102_444_800;
        let mut before = offset(from);
        while from < 4_102_444_800 {
            let after = offset(from + STEP);
            if before != after {
                let (mut low, mut high) = (from, from + STEP);
                while high - low > 1 {
                    let middle = (low + high) / 2;
                    if offset(middle) == before { low = middle } else { high = middle }
                }
                changes.push((tz.name().parse().unwrap(), Timestamp::from_unix_seconds(high)));
            }
            (from, before) = (from + STEP, after);
        }
    }
    changes
});

fn zone() -> impl Strategy<Value = Zone> {
    (0..chrono_tz::TZ_VARIANTS.len()).prop_map(|index| chrono_tz::TZ_VARIANTS[index].name().parse().unwrap())
}

fn anchor() -> impl Strategy<Value = CivilDate> {
    let any = (1..=9999, 1..=12u32, 1..=31u32);
    let late = (prop::sample::select(vec![2000, 2023, 2024]), 1..=12u32, 28..=31u32);
    prop_oneof![any, late].prop_filter_map("no such day", |(year, month, day)| CivilDate::from_ymd(year, month, day))
}

fn period() -> impl Strategy<Value = Period> {
    prop::sample::select(Period::ALL.to_vec())
}

fn calendar_period() -> impl Strategy<Value = Period> {
    prop::sample::select(vec![Period::Day, Period::Week, Period::Month, Period::Annual])
}

/// A zone and an instant of the years people have lived in, every other time near a change of the clock.
fn lived() -> impl Strategy<Value = (Zone, Timestamp)> {
    let anywhere = (zone(), -5_000_000_000 * SECOND..5_000_000_000 * SECOND)
        .prop_map(|(zone, at)| (zone, Timestamp::from_micros(at)));
    let near = (any::<prop::sample::Index>(), prop_oneof![-3 * DAY..3 * DAY, -40 * DAY..40 * DAY]).prop_map(
        |(index, shift)| {
            let (zone, change) = CHANGES[index.index(CHANGES.len())];
            (zone, change.saturating_add_micros(shift))
        },
    );
    prop_oneof![anywhere, near]
}

/// The same, and every instant that can be represented besides.
fn whenever() -> impl Strategy<Value = (Zone, Timestamp)> {
    let ends = prop_oneof![Just(i64::MIN), Just(i64::MIN + 1), Just(i64::MAX - 1), Just(i64::MAX)];
    let wild = (zone(), prop_oneof![any::<i64>(), ends]).prop_map(|(zone, at)| (zone, Timestamp::from_micros(at)));
    prop_oneof![3 => lived(), 1 => wild]
}

/// An instant of a window, chosen by a share of its length.
fn inside(window: Window, share: f64) -> Timestamp {
    let start = window.start.map_or(i64::MIN, Timestamp::as_micros);
    let end = window.end.map_or(i64::MAX, Timestamp::as_micros);
    let length = i128::from(end) - i128::from(start);
    Timestamp::from_micros(
        (i128::from(start) + (length as f64 * share) as i128).clamp(start.into(), (end - 1).into()) as i64
    )
}

/// Whether a window of the period begins on a local day, as the contract words it.
fn begins(period: Period, anchor: CivilDate, day: NaiveDate) -> bool {
    let is_last = day.succ_opt().is_none_or(|next| next.month() != day.month());
    let on_day = day.day() == anchor.day() || (is_last && anchor.day() > day.day());
    match period {
        Period::Day => true,
        Period::Week => day.weekday() == chrono::Weekday::Mon,
        Period::Month => on_day,
        Period::Annual => on_day && day.month() == anchor.month(),
        Period::Hour | Period::AllTime => false,
    }
}

fn local_day(at: Timestamp, zone: Zone) -> NaiveDate {
    let date = CivilDate::of(at, zone);
    NaiveDate::from_ymd_opt(date.year(), date.month(), date.day()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn windows_hold_their_instants_and_lie_end_to_end((zone, at) in whenever(), anchor in anchor(), period in period(), share in 0.0..1.0f64) {
        let window = period.window(zone, anchor, at);
        prop_assert!(window.contains(at), "{window:?}");
        if let Some((start, end)) = window.start.zip(window.end) {
            prop_assert!(start < end);
        }
        let last = window.end.map(|end| end.saturating_add_micros(-1));
        for same in [window.start, last, Some(inside(window, share))].into_iter().flatten() {
            prop_assert_eq!(period.window(zone, anchor, same), window, "from {}", same);
        }
        match period.window_after(zone, anchor, window) {
            Some(after) => {
                prop_assert_eq!(after.start, window.end);
                prop_assert_eq!(period.window_before(zone, anchor, after), Some(window));
            }
            None => prop_assert_eq!(window.end, None),
        }
        match period.window_before(zone, anchor, window) {
            Some(before) => {
                prop_assert_eq!(before.end, window.start);
                prop_assert_eq!(period.window_after(zone, anchor, before), Some(window));
            }
            None => prop_assert!(window.start.is_none_or(|start| start.as_micros() == i64::MIN)),
        }
    }

    #[test]
    fn windows_begin_with_the_days_that_begin_them((zone, at) in lived(), anchor in anchor(), period in calendar_period(), share in 0.0..1.0f64) {
        let window = period.window(zone, anchor, at);
        let (start, end) = (window.start.unwrap(), window.end.unwrap());

        // At the start the clock first shows a day that begins a window, or jumps over one.
        let (eve, first) = (local_day(start.saturating_add_micros(-1), zone), local_day(start, zone));
        prop_assert!(eve.iter_days().skip(1).take_while(|day| *day <= first).any(|day| begins(period, anchor, day)), "{eve} {first}");

        // Inside it shows none of the days that begin later ones; at the end it does.
        let next = first.iter_days().skip(1).find(|day| begins(period, anchor, *day)).unwrap();
        for within in [at, inside(window, share), end.saturating_add_micros(-1)] {
            prop_assert!(local_day(within, zone) < next, "{within} shows {next} or later");
        }
        prop_assert!(local_day(end, zone) >= next);
    }

    #[test]
    fn hours_are_those_of_utc((zone, at) in lived(), anchor in anchor()) {
        let window = Period::Hour.window(zone, anchor, at);
        let (start, end) = (window.start.unwrap(), window.end.unwrap());
        prop_assert_eq!(start.as_micros().rem_euclid(3600 * SECOND), 0);
        prop_assert_eq!(end.micros_since(start), 3600 * SECOND);
    }

    #[test]
    fn all_time_is_one_window((zone, at) in whenever(), anchor in anchor()) {
        prop_assert_eq!(Period::AllTime.window(zone, anchor, at), Window::ALL);
        prop_assert_eq!(Period::AllTime.window_after(zone, anchor, Window::ALL), None);
        prop_assert_eq!(Period::AllTime.window_before(zone, anchor, Window::ALL), None);
    }

    #[test]
    fn buckets_cover_the_range_end_to_end(
        (zone, from) in lived(),
        interval in prop::sample::select(Interval::ALL.to_vec()),
        points in 0.0..60.0f64,
        share in 0.0..1.0f64,
    ) {
        let step = match interval {
            Interval::Minute => 60 * SECOND,
            Interval::QuarterHour => QUARTER_HOUR,
            Interval::Hour => 3600 * SECOND,
            Interval::Day => DAY,
            Interval::Week => 7 * DAY,
            Interval::Month => 30 * DAY,
        };
        let to = from.saturating_add_micros((points * step as f64) as i64);
        let buckets = interval.buckets(zone, from, to, 1_000).unwrap();
        if from == to {
            prop_assert_eq!(buckets, vec![]);
            return Ok(());
        }
        prop_assert_eq!(buckets[0].0, from);
        prop_assert_eq!(buckets[buckets.len() - 1].1, to);
        prop_assert!(buckets.windows(2).all(|pair| pair[0].1 == pair[1].0));
        prop_assert!(buckets.iter().all(|(start, end)| start < end));

        prop_assert_eq!(interval.buckets(zone, from, to, buckets.len()), Ok(buckets.clone()));
        let max = buckets.len() - 1;
        prop_assert_eq!(interval.buckets(zone, from, to, max), Err(TooManyBuckets { max }));

        // Where the range begins decides nothing but where the first bucket is clipped.
        let later = from.saturating_add_micros((to.micros_since(from) as f64 * share) as i64);
        let rest = interval.buckets(zone, later, to, 1_000).unwrap();
        let tail: Vec<_> = buckets.iter().filter(|(_, end)| *end > later).map(|&(start, end)| (start.max(later), end)).collect();
        prop_assert_eq!(rest, tail);

        for &(cut, _) in &buckets[1..] {
            let on_grid = |step: i64| cut.as_micros().rem_euclid(step) == 0;
            match interval {
                Interval::Minute => prop_assert!(on_grid(60 * SECOND)),
                Interval::QuarterHour => prop_assert!(on_grid(QUARTER_HOUR)),
                // On the full hour by the clock of that moment, or by the one that was put aside at that moment.
                Interval::Hour => prop_assert!(shows_full_hour(zone, cut, 0) || shows_full_hour(zone, cut, -1), "{cut}"),
                Interval::Day => prop_assert!(starts(Period::Day, zone, cut)),
                Interval::Week => prop_assert!(starts(Period::Week, zone, cut)),
                Interval::Month => prop_assert!(starts(Period::Month, zone, cut)),
            }
        }
    }

    #[test]
    fn times_survive_their_text(at in prop_oneof![any::<i64>().prop_map(|at| at % (253_402_300_800 * SECOND)), 0..4_000_000_000 * SECOND]) {
        let at = Timestamp::from_micros(at.max(-62_167_219_200 * SECOND));
        for at in [at, Timestamp::from_micros(at.as_micros().div_euclid(1_000) * 1_000), Timestamp::from_unix_seconds(at.unix_seconds())] {
            let text = at.to_string();
            prop_assert_eq!(Timestamp::parse(&text), Ok(at), "{}", text);
            prop_assert_eq!(Timestamp::parse(&text.replace('T', " ").replace('Z', "+00:00")), Ok(at));
            let json = serde_json::to_string(&at).unwrap();
            prop_assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
            let chrono = DateTime::parse_from_rfc3339(&text).unwrap();
            prop_assert_eq!(chrono.timestamp_micros(), at.as_micros());
        }
    }

    #[test]
    fn any_instant_can_be_written(at in any::<i64>()) {
        prop_assert!(Timestamp::from_micros(at).to_string().ends_with('Z'));
    }

    #[test]
    fn any_text_is_answered(text in ".*", zone in zone()) {
        let strict = Timestamp::parse_in(&text, zone);
        if strict.is_ok() {
            prop_assert_eq!(Timestamp::parse_loose(&text, zone), strict);
        }
        let _ = (text.parse::<CivilDate>(), text.parse::<Zone>());
    }

    #[test]
    fn texts_like_times_are_answered(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{0,12})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?", zone in zone()) {
        let _ = Timestamp::parse(&text);
        let _ = Timestamp::parse_in(&text, zone);
    }

    #[test]
    fn a_local_time_is_read_as_the_first_instant_that_shows_it((zone, at) in lived()) {
        let offset = offset(zone, at);
        let local = at.saturating_add_micros(offset * SECOND).to_string();
        let local = local.trim_end_matches('Z');
        let first = Timestamp::parse_in(local, zone).unwrap();
        // An instant that shows the same, not later, and no more than the largest set-back earlier.
        prop_assert!(first <= at && at.micros_since(first) <= DAY, "{first} {at}");
        prop_assert_eq!(first.as_micros() + self::offset(zone, first) * SECOND, at.as_micros() + offset * SECOND);
    }
}

fn offset(zone: Zone, at: Timestamp) -> i64 {
    let tz: chrono_tz::Tz = zone.name().parse().unwrap();
    tz.offset_from_utc_datetime(&DateTime::from_timestamp(at.unix_seconds(), 0).unwrap().naive_utc())
        .fix()
        .local_minus_utc()
        .into()
}

fn shows_full_hour(zone: Zone, at: Timestamp, seconds: i64) -> bool {
    let clock = offset(zone, at.saturating_add_micros(seconds * SECOND));
    (at.as_micros() + clock * SECOND).rem_euclid(3600 * SECOND) == 0
}

fn starts(period: Period, zone: Zone, cut: Timestamp) -> bool {
    period.window(zone, CivilDate::from_ymd(2024, 1, 1).unwrap(), cut).start == Some(cut)
}

#[test]
fn windows_stand_at_every_change_of_every_clock() {
    const HALF_HOUR: i64 = 1_800 * SECOND;
    let anchor = CivilDate::from_ymd(2024, 1, 31).unwrap();
    for &(zone, change) in CHANGES.iter() {
        for shift in [-1, 0, HALF_HOUR] {
            let at = change.saturating_add_micros(shift);
            let window = Period::Day.window(zone, anchor, at);
            assert!(window.contains(at) && window.start < window.end, "{window:?} of {at} in {zone}");
            let before = Period::Day.window_before(zone, anchor, window).unwrap();
            assert_eq!(before.end, window.start, "before {at} in {zone}");
        }
    }
}

#[test]
fn all_edges_since_1972_lie_on_quarter_hours_but_for_kiritimati() {
    // Monrovia, 44 minutes 30 seconds behind until 7 January 1972, is the last zone but one to leave the grid; Kiritimati
    // was 10 hours 40 minutes behind until its first of October 1979.
    let since = |zone: Zone| {
        let day = if zone.name() == "Pacific/Kiritimati" { "1979-10-03" } else { "1972-01-08" };
        Timestamp::parse(day).unwrap()
    };
    let first_of_month = CivilDate::from_ymd(2024, 1, 1).unwrap();
    let on_grid = |edge: Timestamp| edge.as_micros().rem_euclid(QUARTER_HOUR) == 0;
    let mut changes = 0;
    for &(zone, change) in CHANGES.iter() {
        if change < since(zone) {
            continue;
        }
        changes += 1;
        // Weeks, months and years begin as days do.
        let mut window = Period::Day.window(zone, first_of_month, change.saturating_add_micros(-DAY));
        for _ in 0..3 {
            let end = window.end.unwrap();
            assert!(on_grid(end), "{zone} {end}");
            window = Period::Day.window_after(zone, first_of_month, window).unwrap();
        }
        let (from, to) = (change.saturating_add_micros(-DAY / 8), change.saturating_add_micros(DAY / 8));
        for &(cut, _) in &Interval::Hour.buckets(zone, from, to, 100).unwrap()[1..] {
            assert!(on_grid(cut), "{zone} {cut}");
        }
    }
    assert!(changes > 10_000);
    // Between its changes a zone's days begin a whole number of days apart, so one more day each, after the last, settles it.
    for zone in Zone::all() {
        let window = Period::Day.window(zone, first_of_month, Timestamp::parse("2150-06-01").unwrap());
        assert!(on_grid(window.start.unwrap()) && on_grid(window.end.unwrap()), "{zone}");
    }
}
