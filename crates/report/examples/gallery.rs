//! Draws charts of many kinds into a folder, to be looked at: `cargo run -p weir-report --example gallery -- FOLDER`.

use std::error::Error;
use std::fs;
use std::path::Path;

use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};
use weir_report::chart::{Chart, Format, Point, Series, Theme, render};

/// A series under its name.
type Named = (&'static str, Vec<Point>);

fn points(
    from: &str,
    step_minutes: i64,
    values: impl IntoIterator<Item = Option<f64>>,
) -> Result<Vec<Point>, Box<dyn Error>> {
    let from = Timestamp::parse(from)?;
    let value = |value: f64| Quantity::from_steps((value * 1e9) as i128);
    let point = |(index, number): (usize, Option<f64>)| Point {
        at: from.saturating_add_micros(index as i64 * step_minutes * 60_000_000),
        value: number.map(value),
    };
    Ok(values.into_iter().enumerate().map(point).collect())
}

/// A day's wave with some noise, the same every time.
fn wave(count: usize, period: f64, height: f64, seed: u64) -> impl Iterator<Item = f64> {
    let mut state = seed | 1;
    (0..count).map(move |index| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let noise = (state >> 40) as f64 / f64::from(1 << 24);
        let phase = (index as f64 / period + seed as f64 * 0.13) * std::f64::consts::TAU;
        (height * (1.0 - phase.cos()) * 0.5 * (0.75 + 0.5 * noise) + height * 0.12 * noise).round()
    })
}

fn chart(title: &str, subtitle: &str, unit: &str, series: Vec<(&str, Vec<Point>)>) -> Chart {
    Chart {
        title: title.to_owned(),
        subtitle: Some(subtitle.to_owned()),
        unit: Some(unit.to_owned()),
        zone: Zone::UTC,
        series: series.into_iter().map(|(name, points)| Series { name: name.to_owned(), points }).collect(),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder")?;
    let names = [
        "gpt-4o",
        "claude",
        "llama-3-70b",
        "mistral-large",
        "gemini-pro",
        "embedding-small",
        "whisper",
        "a model with a very long name that goes on and on",
    ];
    let many = |count: usize| -> Result<Vec<Named>, Box<dyn Error>> {
        let series = names.iter().take(count).enumerate();
        series
            .map(|(index, name)| {
                Ok((
                    *name,
                    points(
                        "2024-03-01T00:00:00Z",
                        1440,
                        wave(60, 30.0, 90_000.0 / (index + 1) as f64, index as u64).map(Some),
                    )?,
                ))
            })
            .collect()
    };
    let gaps = wave(96, 96.0, 48_000.0, 3).enumerate().map(|(index, value)| {
        (!(30..40).contains(&index) && !(60..62).contains(&index) && index != 64).then_some(value)
    });
    let charts = [
        (
            "one",
            chart(
                "Tokens",
                "azure-conv · 16 November 2023, by minute",
                "tokens",
                vec![("", points("2023-11-16T18:15:00Z", 1, wave(60, 40.0, 480_000.0, 5).map(Some))?)],
            ),
        ),
        ("three", chart("Tokens by model", "All customers · 1 March to 29 April 2024, by day", "tokens", many(3)?)),
        ("eight", chart("Tokens by model", "All customers · 1 March to 29 April 2024, by day", "tokens", many(8)?)),
        (
            "gaps",
            chart(
                "Latency",
                "acme · average by quarter of an hour",
                "ms",
                vec![("", points("2024-05-01T00:00:00Z", 15, gaps)?)],
            ),
        ),
        (
            "negative",
            chart(
                "Credits",
                "acme · corrections included",
                "credits",
                vec![("", points("2024-05-01T00:00:00Z", 1440, [12.5, -3.0, 7.25, 0.0, -9.5, 4.0, 6.0].map(Some))?)],
            ),
        ),
        (
            "single",
            chart("Requests", "one day", "requests", vec![("", points("2024-05-01T00:00:00Z", 1440, [Some(42.0)])?)]),
        ),
        (
            "empty",
            chart(
                "Requests",
                "nobody · May 2024",
                "requests",
                vec![("", points("2024-05-01T00:00:00Z", 1440, [None, None])?)],
            ),
        ),
        (
            "zeros",
            chart("Requests", "all zero", "requests", vec![("", points("2024-05-01T00:00:00Z", 60, [Some(0.0); 48])?)]),
        ),
        (
            "huge",
            chart(
                "Tokens",
                "beyond all measure",
                "tokens",
                vec![(
                    "",
                    points("2020-01-01T00:00:00Z", 43_200, wave(50, 20.0, 1e9, 2).map(|value| Some(value * 1e18)))?,
                )],
            ),
        ),
        (
            "dense",
            chart(
                "Tokens",
                "a year by minute",
                "tokens",
                vec![("", points("2023-01-01T00:00:00Z", 1, wave(525_600, 1440.0, 9_000.0, 2).map(Some))?)],
            ),
        ),
        (
            "long",
            chart(
                &"A title that is far too long for any picture ".repeat(5),
                &"and so is its subtitle ".repeat(20),
                "units of something",
                many(2)?,
            ),
        ),
    ];
    fs::create_dir_all(&folder)?;
    for (name, chart) in &charts {
        for (theme, suffix) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
            let path = Path::new(&folder).join(format!("{name}-{suffix}"));
            fs::write(path.with_extension("png"), render(chart, Format::Png, theme, 1440, 720)?)?;
            fs::write(path.with_extension("svg"), render(chart, Format::Svg, theme, 720, 360)?)?;
        }
    }
    for (width, height) in [(360, 200), (120, 40), (720, 360), (300, 600)] {
        fs::write(
            Path::new(&folder).join(format!("three-{width}x{height}.png")),
            render(&charts[1].1, Format::Png, Theme::Light, width, height)?,
        )?;
    }
    Ok(())
}
