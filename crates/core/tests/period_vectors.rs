//! Windows held against a second implementation, `script/period-vectors.py`.

use std::collections::BTreeSet;

use weir_core::period::{Period, Window};
use weir_core::time::{CivilDate, Timestamp, Zone};

struct Vector {
    zone: Zone,
    period: Period,
    anchor: CivilDate,
    start: Timestamp,
    end: Timestamp,
}

fn vectors() -> Vec<Vector> {
    include_str!("data/period-vectors.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            let [zone, period, anchor, start, end] = fields[..] else { panic!("five fields: {line}") };
            Vector {
                zone: zone.parse().unwrap(),
                period: period.parse().unwrap(),
                anchor: anchor.parse().unwrap(),
                start: start.parse().unwrap(),
                end: end.parse().unwrap(),
            }
        })
        .collect()
}

#[test]
fn every_window_is_the_one_of_the_vectors() {
    for Vector { zone, period, anchor, start, end } in vectors() {
        let expected = Window { start: Some(start), end: Some(end) };
        let last = end.saturating_add_micros(-1);
        let middle = end.micros_since(start) / 2;
        // The first hours hold the second passes of a midnight that came twice.
        let minutes = [0, 1, 30, 59, 90].map(|minutes| minutes * 60_000_000);
        let within =
            minutes.into_iter().chain([1, middle]).map(|shift| start.saturating_add_micros(shift)).chain([last]);
        for at in within.filter(|at| *at < end) {
            let window = period.window(zone, anchor, at);
            assert_eq!(window, expected, "the {period} of {at} in {zone} from {anchor}");
        }
        let after = period.window_after(zone, anchor, expected).unwrap();
        assert_eq!(after.start, Some(end), "after the {period} of {start} in {zone} from {anchor}");
        let before = period.window_before(zone, anchor, expected).unwrap();
        assert_eq!(before.end, Some(start), "before the {period} of {start} in {zone} from {anchor}");
    }
}

#[test]
fn the_vectors_are_of_this_zone_data_and_cover_what_is_odd() {
    let head = include_str!("data/period-vectors.tsv").lines().next().unwrap();
    assert!(head.contains(chrono_tz::IANA_TZDB_VERSION), "made for other zone data: {head}");

    let vectors = vectors();
    assert!(vectors.len() > 4_000);
    let anchors: BTreeSet<CivilDate> =
        vectors.iter().filter(|vector| vector.period == Period::Month).map(|vector| vector.anchor).collect();
    for year in [2023, 2024] {
        for (month, day) in (1..=12).flat_map(|month| (28..=31).map(move |day| (month, day))) {
            if let Some(anchor) = CivilDate::from_ymd(year, month, day) {
                assert!(anchors.contains(&anchor), "{anchor}");
            }
        }
    }
    for zone in [
        "America/Los_Angeles",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
        "Pacific/Apia",
        "Africa/Cairo",
        "America/Sao_Paulo",
        "Asia/Gaza",
        "America/Havana",
        "America/St_Johns",
    ] {
        for period in [Period::Day, Period::Week, Period::Month] {
            assert!(
                vectors.iter().any(|vector| vector.zone.name() == zone && vector.period == period),
                "{zone} {period}"
            );
        }
    }
}
