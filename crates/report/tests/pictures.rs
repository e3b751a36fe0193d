//! What a chart must hold to, whatever it shows.

use proptest::prelude::*;
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};
use weir_report::chart::{Chart, ChartError, Format, MAX_SIDE, Point, Series, Theme, render};

fn series(name: &str, values: &[Option<i128>]) -> Series {
    let point = |(index, steps): (usize, &Option<i128>)| Point {
        at: Timestamp::from_unix_seconds(1_700_000_000 + 900 * index as i64),
        value: steps.map(Quantity::from_steps),
    };
    Series { name: name.to_owned(), points: values.iter().enumerate().map(point).collect() }
}

fn whole(values: &[i64]) -> Vec<Option<i128>> {
    values.iter().map(|value| Some(i128::from(*value) * 1_000_000_000)).collect()
}

fn chart(series: Vec<Series>) -> Chart {
    Chart { title: "Tokens".into(), subtitle: None, unit: Some("tokens".into()), zone: Zone::UTC, series }
}

fn svg(chart: &Chart) -> String {
    String::from_utf8(render(chart, Format::Svg, Theme::Light, 720, 360).expect("a picture")).expect("UTF-8")
}

/// The texts of a picture, and a check on the way that it is well-formed: each tag closed in order, no stray sign.
fn texts(svg: &str) -> Vec<String> {
    let mut open = Vec::new();
    let mut texts = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        let content = &rest[..start];
        assert!(!content.contains('>'), "a stray > in {content:?}");
        let end = start + rest[start..].find('>').expect("a closed tag");
        let tag = &rest[start + 1..end];
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "tags close in order");
            if name == "text" {
                texts.push(content.trim().to_owned());
            }
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().expect("a name"));
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty() && rest.trim().is_empty());
    for entity in svg.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|known| entity.starts_with(known)), "{entity:.20}");
    }
    texts
}

#[test]
fn an_svg_has_a_line_for_each_run_and_labels_in_the_given_zone() {
    let mut chart = chart(vec![series("", &whole(&[0, 250, 1000, 750]))]);
    chart.zone = Zone::parse("Asia/Kathmandu").expect("a zone");
    let picture = svg(&chart);
    assert_eq!(picture.matches("<polyline").count(), 1);
    assert_eq!(picture.matches("<polygon").count(), 1, "one fill");
    let texts = texts(&picture);
    // 22:13:20 UTC is 03:58:20 there.
    for expected in ["Tokens", "tokens", "Asia/Kathmandu", "0", "600", "1,000", "04:00", "04:30", "Nov 15, 2023"] {
        assert!(texts.iter().any(|text| text == expected), "{expected} among {texts:?}");
    }
    assert!(picture.contains("width=\"720\" height=\"360\" viewBox=\"0 0 5760 2880\""));

    chart.series = vec![
        series("one", &[Some(1), Some(2), None, Some(3), None, Some(4), Some(5)]),
        series("two", &whole(&[1, 2, 3])),
    ];
    let picture = svg(&chart);
    assert_eq!(
        picture.matches("<polyline").count(),
        3,
        "two runs of the first, one of the second; the lone value is a mark"
    );
    assert!(self::texts(&picture).contains(&"one".to_owned()));
}

#[test]
fn texts_are_escaped_and_cut_to_the_picture() {
    let evil = "</text><script>alert('x')</script>&\"\u{0}\u{1b}\n\u{ffff}";
    let mut chart = chart(vec![series(evil, &whole(&[1, 2])), series(&"long ".repeat(10_000), &whole(&[2, 1]))]);
    (chart.title, chart.subtitle, chart.unit) = (evil.into(), Some(evil.into()), Some(evil.into()));
    let picture = svg(&chart);
    assert!(!picture.contains("<script") && !picture.chars().any(|letter| letter.is_control() && letter != '\n'));
    assert!(texts(&picture).iter().any(|text| text.starts_with("long") && text.ends_with('…') && text.len() < 60));
    assert!(picture.len() < 100_000);
}

#[test]
fn a_picture_without_values_says_so() {
    for series in [vec![], vec![series("", &[])], vec![series("a", &[None, None]), series("b", &[])]] {
        assert!(texts(&svg(&chart(series))).contains(&"No usage in this range".to_owned()));
    }
}

#[test]
fn a_png_has_the_size_that_was_asked_for_and_the_colours_of_its_theme() {
    let chart = chart(vec![series("", &whole(&[1, 5, 3]))]);
    for (width, height) in [(1, 1), (1, 400), (400, 1), (37, 53), (640, 320), (1300, 1200)] {
        for (theme, ground) in [(Theme::Light, [255, 255, 255]), (Theme::Dark, [0x12, 0x14, 0x19])] {
            let bytes = render(&chart, Format::Png, theme, width, height).expect("a picture");
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
            let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
            let info = reader.next_frame(&mut pixels).expect("pixels");
            assert_eq!((info.width, info.height, info.color_type), (width, height, png::ColorType::Rgb));
            if width > 100 && height > 100 {
                assert_eq!(pixels[..3], ground);
                assert!(pixels.chunks(3).any(|pixel| pixel != ground));
            }
        }
    }
}

#[test]
fn a_picture_is_the_same_every_time() {
    let chart = chart(vec![series("", &whole(&[1, 5, 3])), series("b", &whole(&[2, 2, 2]))]);
    for format in [Format::Svg, Format::Png] {
        let draw = || render(&chart, format, Theme::Dark, 300, 200).expect("a picture");
        assert_eq!(draw(), draw());
    }
}

#[test]
fn what_cannot_be_drawn_is_refused() {
    let draw = |series: usize, width, height| {
        let chart = chart((0..series).map(|_| self::series("", &whole(&[1]))).collect());
        render(&chart, Format::Svg, Theme::Light, width, height).err()
    };
    assert_eq!(draw(1, 0, 10), Some(ChartError::Size));
    assert_eq!(draw(1, 10, MAX_SIDE + 1), Some(ChartError::Size));
    assert_eq!(draw(9, 10, 10), Some(ChartError::TooManySeries));
    assert_eq!(draw(8, MAX_SIDE, MAX_SIDE), None);
}

#[test]
fn half_a_million_points_make_a_small_file() {
    let values: Vec<_> =
        (0..500_000_i64).map(|index| Some(i128::from(index * 7919 % 10_007) * 1_000_000_000)).collect();
    let picture = svg(&chart(vec![series("", &values)]));
    assert!(picture.len() < 300_000, "{} bytes", picture.len());
}

fn any_value() -> impl Strategy<Value = Option<i128>> {
    prop_oneof![
        Just(None),
        Just(Some(0)),
        (-1_000_000_000_000_i128..1_000_000_000_000).prop_map(Some),
        Just(Some(10_i128.pow(36))),
        any::<i128>().prop_map(Some),
    ]
}

fn any_series() -> impl Strategy<Value = Series> {
    let at = prop_oneof![any::<i64>(), 1_600_000_000_000_000..1_700_000_000_000_000_i64, Just(0_i64)];
    let point = (at, any_value())
        .prop_map(|(at, value)| Point { at: Timestamp::from_micros(at), value: value.map(Quantity::from_steps) });
    (any::<String>(), prop::collection::vec(point, 0..30)).prop_map(|(name, points)| Series { name, points })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_makes_a_chart_fall(
        title: String,
        subtitle: Option<String>,
        unit: Option<String>,
        zone in 0..Zone::all().len(),
        series in prop::collection::vec(any_series(), 0..9),
        width in 1..500_u32,
        height in 1..300_u32,
        dark: bool,
    ) {
        let chart = Chart { title, subtitle, unit, zone: Zone::all().nth(zone).expect("a zone"), series };
        let theme = if dark { Theme::Dark } else { Theme::Light };
        let picture = String::from_utf8(render(&chart, Format::Svg, theme, width, height).expect("a picture")).expect("UTF-8");
        texts(&picture);
        render(&chart, Format::Png, theme, width, height).expect("a picture");
    }
}
