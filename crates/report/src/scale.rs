//! The value axis: where its lines lie and how they are labelled.

/// How near to the outermost value, as a share of all, a line must be to become the end of the axis.
const NEAR: f64 = 0.08;
/// What is left free beyond the outermost value where no line is near.
const ROOM: f64 = 0.03;

/// An axis from `min` to `max` with a line at each tick.
#[derive(Debug, PartialEq)]
pub(crate) struct Scale {
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) ticks: Vec<Tick>,
}

#[derive(Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) value: f64,
    pub(crate) label: String,
}

impl Scale {
    /// An axis over values from `low` to `high` that holds zero, with about `wanted` steps. Where all values are `whole` no step is a fraction.
    pub(crate) fn new(low: f64, high: f64, wanted: usize, whole: bool) -> Scale {
        let (low, mut high) = (low.min(0.0), high.max(0.0));
        if high - low <= 0.0 {
            high = 1.0;
        }
        let span = high - low;
        // There is at least one line besides that of zero.
        let largest = high.max(-low);
        let step = nice_step((span / wanted.max(1) as f64).min(largest / 3.0), whole && largest >= 1.0);
        // A line close beyond the outermost value is where the axis ends; a far one would only cost the values their height.
        let end = |value: f64, index: f64| {
            let beyond = (index * step - value).abs();
            if beyond <= NEAR * span { index * step } else { value + ROOM * span * value.signum() }
        };
        let min = if low < 0.0 { end(low, (low / step).floor()) } else { 0.0 };
        let max = if high > 0.0 { end(high, (high / step).ceil()) } else { 0.0 };
        let slack = step * 1e-6;
        let (first, last) = (((min - slack) / step).ceil(), ((max + slack) / step).floor());
        let unit = Unit::of(first.abs().max(last.abs()) * step, step);
        let ticks = (first as i64..=last as i64).map(|index| {
            let value = index as f64 * step;
            Tick { value, label: unit.label(value) }
        });
        Scale { min, max, ticks: ticks.collect() }
    }

    /// Where a value lies between the bottom (0) and the top (1).
    pub(crate) fn share(&self, value: f64) -> f64 {
        (value - self.min) / (self.max - self.min)
    }
}

/// The smallest of 1, 2, 2.5 and 5 times a power of ten that is no less than `rough`.
fn nice_step(rough: f64, whole: bool) -> f64 {
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0]
        .into_iter()
        .map(|factor| factor * power)
        // What should be equal may differ in its last binary digit.
        .find(|step| *step >= rough * (1.0 - 1e-9) && (!whole || *step >= 10.0 || step.fract() == 0.0))
        .unwrap_or(10.0 * power);
    if whole { step.max(1.0) } else { step }
}

/// In what unit the labels of one axis are written.
struct Unit {
    divisor: f64,
    decimals: usize,
    suffix: Suffix,
}

enum Suffix {
    Letter(&'static str),
    Power(i32),
}

impl Unit {
    fn of(largest: f64, step: f64) -> Unit {
        let (divisor, suffix) = match largest {
            _ if largest < 1e4 => (1.0, Suffix::Letter("")),
            _ if largest < 1e6 => (1e3, Suffix::Letter("K")),
            _ if largest < 1e9 => (1e6, Suffix::Letter("M")),
            _ if largest < 1e12 => (1e9, Suffix::Letter("B")),
            _ if largest < 1e15 => (1e12, Suffix::Letter("T")),
            _ => {
                let power = largest.log10().floor() as i32;
                (10_f64.powi(power), Suffix::Power(power))
            }
        };
        // As many decimals as tell one tick from the next, no more.
        let shown = step / divisor;
        let decimals = (0..12).find(|decimals| {
            let scaled = shown * 10_f64.powi(*decimals);
            scaled.round() >= 1.0 && (scaled - scaled.round()).abs() < 1e-6 * scaled
        });
        Unit { divisor, decimals: decimals.unwrap_or(12) as usize, suffix }
    }

    fn label(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        let digits = format!("{:.*}", self.decimals, value.abs() / self.divisor);
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let mut label = if value < 0.0 { "−".to_owned() } else { String::new() };
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                label.push(',');
            }
            label.push(digit);
        }
        if !fraction.is_empty() {
            label.push('.');
            label.push_str(fraction);
        }
        match self.suffix {
            Suffix::Letter(letter) => label.push_str(letter),
            Suffix::Power(power) => {
                label.push_str("×10");
                label.extend(power.to_string().chars().map(superscript));
            }
        }
        label
    }
}

fn superscript(digit: char) -> char {
    match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => digit.to_digit(10).and_then(|digit| char::from_u32(0x2070 + digit)).unwrap_or(digit),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(low: f64, high: f64, wanted: usize, whole: bool) -> Vec<String> {
        Scale::new(low, high, wanted, whole).ticks.into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn labels_are_short_and_exact() {
        assert_eq!(labels(0.0, 0.0, 5, true), ["0", "1"]);
        assert_eq!(labels(0.0, 3.0, 5, true), ["0", "1", "2", "3"]);
        assert_eq!(labels(0.0, 9.0, 4, true), ["0", "5"]);
        assert_eq!(labels(0.0, 9.5, 4, true), ["0", "5", "10"]);
        assert_eq!(labels(0.0, 1.0, 4, false), ["0", "0.25", "0.50", "0.75", "1.00"]);
        assert_eq!(labels(0.0, 7_300.0, 4, true), ["0", "2,000", "4,000", "6,000"]);
        assert_eq!(labels(0.0, 48_000.0, 5, true), ["0", "10K", "20K", "30K", "40K", "50K"]);
        assert_eq!(labels(0.0, 1_200_000.0, 5, true), ["0", "0.25M", "0.50M", "0.75M", "1.00M", "1.25M"]);
        assert_eq!(labels(-40.0, 55.0, 4, true), ["−40", "−20", "0", "20", "40", "60"]);
        assert_eq!(labels(0.0, 1e27, 2, true), ["0", "0.5×10²⁷", "1.0×10²⁷"]);
        assert_eq!(labels(0.0, 2e-9, 2, false), ["0", "0.000000001", "0.000000002"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_axis_holds_its_values_and_zero(low in -1e29..1e29_f64, span in 0.0..1e29_f64, shrink in 0..38, wanted in 1..12_usize, whole: bool) {
            let shrink = 10_f64.powi(shrink);
            let (low, high) = (low / shrink, (low + span) / shrink);
            let scale = Scale::new(low, high, wanted, whole);
            let slack = (scale.max - scale.min) * 1e-9;
            prop_assert!(scale.min <= low.min(0.0) + slack && scale.max >= high.max(0.0) - slack);
            prop_assert!((2..=wanted.max(6) + 3).contains(&scale.ticks.len()), "{:?}", scale.ticks);
            prop_assert!(scale.ticks.iter().any(|tick| tick.value == 0.0));
            prop_assert!(scale.ticks.iter().all(|tick| (-1e-6..=1.0 + 1e-6).contains(&scale.share(tick.value))));
            prop_assert!(scale.ticks.windows(2).all(|pair| pair[0].value < pair[1].value && pair[0].label != pair[1].label), "{:?}", scale.ticks);
        }
    }
}
