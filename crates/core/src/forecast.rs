//! When a limit runs out if usage goes on as it has since its window began. Exact: no rate is ever rounded on the way.

use schemars::JsonSchema;
use serde::Serialize;

use crate::aggregate::Aggregation;
use crate::decide::Standing;
use crate::period::Window;
use crate::quantity::Quantity;
use crate::time::Timestamp;

const MINUTE: i64 = 60 * 1_000_000;
const HOUR: i64 = 60 * MINUTE;
/// What has passed of a window before its usage says anything: this part of it, and no less than a minute.
const LEAST_PART: i64 = 100;
/// How far ahead a limit that never resets is looked at, in microseconds: a hundred years.
const HORIZON: i64 = 36_525 * 24 * HOUR;

/// What becomes of a limit at the present rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outlook {
    /// It runs out before its window ends.
    RunsOut,
    /// It lasts until its window ends, or for a hundred years where it never resets.
    Lasts,
    /// Nothing is left already.
    UsedUp,
    /// Usage does not grow.
    NotGrowing,
    /// Too little of its window has passed to tell: a hundredth of it, or a minute; an hour since the first event where it never resets.
    TooEarly,
    /// There is no rate to go by: its meter does not add up over time, as max, latest and unique do not.
    NoRate,
}

/// When a limit runs out at the present rate, and what that is taken from.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// What becomes of it.
    pub outlook: Outlook,
    /// The first instant at which nothing is left; null unless it runs out.
    pub runs_out_at: Option<Timestamp>,
    /// What the rate is taken from; null where there is none.
    pub basis: Option<Basis>,
}

/// What a rate is taken from: all that the window has counted so far.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Basis {
    /// When the window began; the customer's first event where it has no beginning.
    pub from: Timestamp,
    /// Now.
    pub to: Timestamp,
    /// What was used in between.
    pub used: Quantity,
    /// That per hour, cut to nine digits; null where it is too large to be told.
    pub per_hour: Option<Quantity>,
}

/// Another value that a limit has from an instant on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Later {
    /// From when on.
    pub from: Timestamp,
    /// The limit's value then, positive.
    pub limit: Quantity,
}

/// Looks ahead from `now`. `first` is the customer's first event, where the window has no beginning; `later` is what the limit falls
/// back to, where it is raised.
pub fn forecast(
    aggregation: Aggregation,
    standing: &Standing,
    later: Option<Later>,
    window: Window,
    first: Option<Timestamp>,
    now: Timestamp,
) -> Forecast {
    let none = |outlook| Forecast { outlook, runs_out_at: None, basis: None };
    if !matches!(aggregation, Aggregation::Sum | Aggregation::Count) {
        return none(Outlook::NoRate);
    }
    let Some(from) = window.start.or(first) else { return none(Outlook::TooEarly) };
    let passed = now.micros_since(from);
    let least = match (window.start, window.end) {
        (Some(start), Some(end)) => (end.micros_since(start) / LEAST_PART).max(MINUTE),
        _ => HOUR,
    };
    let used = standing.used;
    let per_hour = scaled(used.steps(), HOUR, passed.into()).map(|(steps, _)| Quantity::from_steps(steps));
    let told = |outlook, runs_out_at| Forecast {
        outlook,
        runs_out_at,
        basis: (passed >= least).then_some(Basis { from, to: now, used, per_hour }),
    };
    if standing.exceeded() {
        return told(Outlook::UsedUp, None);
    }
    if passed < least {
        return none(Outlook::TooEarly);
    }
    if !used.is_positive() {
        return told(Outlook::NotGrowing, None);
    }
    // At used / passed, what remains takes remaining * passed / used.
    let used_up_at = |limit| {
        let left = Standing { limit, ..*standing }.remaining();
        let (whole, rest) = scaled(left.steps(), passed, used.steps())?;
        let ahead = i64::try_from(whole).ok()?.checked_add(i64::from(rest))?;
        now.as_micros().checked_add(ahead).map(Timestamp::from_micros)
    };
    let at = used_up_at(standing.limit);
    let at = match later {
        // It lasts until it falls, and then for as long as the lower value does: that may have been passed already.
        Some(later) if at.is_none_or(|at| at > later.from) => used_up_at(later.limit).map(|at| at.max(later.from)),
        _ => at,
    };
    let end = window.end.unwrap_or_else(|| now.saturating_add_micros(HORIZON));
    match at {
        Some(at) if at < end => told(Outlook::RunsOut, Some(at)),
        _ => told(Outlook::Lasts, None),
    }
}

/// `value` * `times` / `by`, towards zero, and whether anything is left over. The product may be larger than any integer there is.
fn scaled(value: i128, times: i64, by: i128) -> Option<(i128, bool)> {
    if times < 0 || by <= 0 {
        return None;
    }
    let (by, negative, value) = (by.unsigned_abs(), value < 0, value.unsigned_abs());
    let whole = (value / by).checked_mul(times.unsigned_abs().into())?;
    // The rest of it bit by bit: what is carried stays below three times the divisor.
    if by > u128::MAX / 4 {
        return None;
    }
    let (part, mut quotient, mut carried) = (value % by, 0_u128, 0_u128);
    for bit in (0..i64::BITS).rev() {
        carried = 2 * carried + if times >> bit & 1 == 1 { part } else { 0 };
        quotient = 2 * quotient + carried / by;
        carried %= by;
    }
    let total = i128::try_from(whole.checked_add(quotient)?).ok()?;
    Some((if negative { -total } else { total }, carried > 0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn day() -> Window {
        Window { start: Some(at("2026-03-10")), end: Some(at("2026-03-11")) }
    }

    fn standing(limit: i64, used: i64, held: i64) -> Standing {
        let [limit, used, held] = [limit, used, held].map(Quantity::from_int);
        Standing { limit, used, held }
    }

    fn told(standing: Standing, now: &str) -> (Outlook, Option<String>) {
        let forecast = forecast(Aggregation::Sum, &standing, None, day(), None, at(now));
        (forecast.outlook, forecast.runs_out_at.map(|at| at.to_string()))
    }

    #[test]
    fn what_is_left_lasts_as_long_as_it_took_to_use_as_much() {
        let noon = "2026-03-10T12:00:00Z";
        assert_eq!(told(standing(100, 80, 0), noon), (Outlook::RunsOut, Some("2026-03-10T15:00:00Z".to_owned())));
        assert_eq!(told(standing(100, 80, 10), noon), (Outlook::RunsOut, Some("2026-03-10T13:30:00Z".to_owned())));
        // A third of an instant longer is the next instant.
        assert_eq!(told(standing(100, 99, 0), noon).1.as_deref(), Some("2026-03-10T12:07:16.363637Z"));
        // At the very end of the window a new one begins.
        assert_eq!(told(standing(100, 50, 0), noon), (Outlook::Lasts, None));
        assert_eq!(told(standing(100, 51, 0), noon).0, Outlook::RunsOut);
        assert_eq!(told(standing(100, 0, 0), noon), (Outlook::NotGrowing, None));
        assert_eq!(told(standing(100, -5, 0), noon), (Outlook::NotGrowing, None));
        assert_eq!(told(standing(100, 100, 0), noon), (Outlook::UsedUp, None));
        assert_eq!(told(standing(100, 10, 90), noon), (Outlook::UsedUp, None));
    }

    #[test]
    fn a_raise_that_ends_is_looked_beyond() {
        let raised = |limit, until: &str, own| {
            let later = Some(Later { from: at(until), limit: Quantity::from_int(own) });
            let told =
                forecast(Aggregation::Sum, &standing(limit, 60, 0), later, day(), None, at("2026-03-10T12:00:00Z"));
            (told.outlook, told.runs_out_at.map(|at| at.to_string()))
        };
        let runs_out = |at: &str| (Outlook::RunsOut, Some(at.to_owned()));
        // Five an hour.
        assert_eq!(raised(70, "2026-03-10T18:00:00Z", 50), runs_out("2026-03-10T14:00:00Z"));
        assert_eq!(raised(100, "2026-03-10T18:00:00Z", 50), runs_out("2026-03-10T18:00:00Z"));
        assert_eq!(raised(100, "2026-03-10T18:00:00Z", 95), runs_out("2026-03-10T19:00:00Z"));
        assert_eq!(raised(1_000, "2026-03-10T18:00:00Z", 125), (Outlook::Lasts, None));
        assert_eq!(raised(1_000, "2026-03-11T18:00:00Z", 50), (Outlook::Lasts, None), "another window by then");
    }

    #[test]
    fn the_basis_is_told_with_it() {
        let told = forecast(Aggregation::Count, &standing(100, 80, 0), None, day(), None, at("2026-03-10T12:00:00Z"));
        let (from, to) = (at("2026-03-10"), at("2026-03-10T12:00:00Z"));
        let per_hour = Some(Quantity::parse("6.666666666").unwrap());
        assert_eq!(told.basis, Some(Basis { from, to, used: Quantity::from_int(80), per_hour }));
    }

    #[test]
    fn a_hundredth_of_the_window_and_a_minute_have_to_pass() {
        assert_eq!(told(standing(100, 80, 0), "2026-03-10T00:14:23Z"), (Outlook::TooEarly, None));
        assert_eq!(told(standing(100, 80, 0), "2026-03-10T00:14:24Z").0, Outlook::RunsOut);
        let hour = Window { start: Some(at("2026-03-10")), end: Some(at("2026-03-10T01:00:00Z")) };
        let in_hour = |now| forecast(Aggregation::Sum, &standing(100, 80, 0), None, hour, None, at(now)).outlook;
        assert_eq!(in_hour("2026-03-10T00:00:59Z"), Outlook::TooEarly);
        assert_eq!(in_hour("2026-03-10T00:01:00Z"), Outlook::RunsOut);
        assert_eq!(told(standing(100, 100, 0), "2026-03-10T00:00:01Z").0, Outlook::UsedUp, "that is no forecast");
    }

    #[test]
    fn where_nothing_resets_the_first_event_begins_it() {
        let all = |used, first: Option<&str>| {
            let now = at("2026-03-10T12:00:00Z");
            let told = forecast(Aggregation::Sum, &standing(100, used, 0), None, Window::ALL, first.map(at), now);
            (told.outlook, told.runs_out_at.map(|at| at.to_string()))
        };
        assert_eq!(all(50, Some("2026-03-09T12:00:00Z")), (Outlook::RunsOut, Some("2026-03-11T12:00:00Z".to_owned())));
        assert_eq!(all(50, Some("2026-03-10T11:00:01Z")).0, Outlook::TooEarly);
        assert_eq!(all(0, None).0, Outlook::TooEarly);
        assert_eq!(all(1, Some("2024-03-09T12:00:00Z")).0, Outlook::Lasts, "beyond a hundred years");
    }

    #[test]
    fn what_does_not_add_up_has_no_rate() {
        for aggregation in Aggregation::ALL {
            let told = forecast(aggregation, &standing(100, 80, 0), None, day(), None, at("2026-03-10T12:00:00Z"));
            let adds_up = aggregation.adds_up();
            assert_eq!(told.outlook == Outlook::NoRate, !adds_up);
            assert_eq!(told.basis.is_some(), adds_up);
        }
    }

    /// a times b, as high and low halves.
    fn product(a: u128, b: u128) -> (u128, u128) {
        const HALF: u128 = u64::MAX as u128;
        let (low, left, right, high) = {
            let (a_low, a_high, b_low, b_high) = (a & HALF, a >> 64, b & HALF, b >> 64);
            (a_low * b_low, a_high * b_low, a_low * b_high, a_high * b_high)
        };
        let middle = (low >> 64) + (left & HALF) + (right & HALF);
        (high + (left >> 64) + (right >> 64) + (middle >> 64), (middle << 64) | (low & HALF))
    }

    fn steps() -> impl Strategy<Value = i128> {
        prop_oneof![1..1_000_i128, 1..10_i128.pow(12), 1..10_i128.pow(27), 1..10_i128.pow(33)]
    }

    proptest! {
        #[test]
        fn it_is_the_first_instant_at_which_the_rate_has_used_what_is_left(
            limit in steps(), share in 1..1_000_000_i128, micros in prop_oneof![1..1_000_000_000_i64, 1..1_i64 << 50],
        ) {
            let limit = Quantity::from_steps(limit.min(10_i128.pow(27)));
            let used = Quantity::from_steps((limit.steps() / 1_000_000 * share).max(1));
            let standing = Standing { limit, used, held: Quantity::ZERO };
            let now = at("2026-03-10T12:00:00Z");
            let start = now.saturating_add_micros(-micros);
            let window = Window { start: Some(start), end: None };
            let told = forecast(Aggregation::Sum, &standing, None, window, None, now);
            let (left, used) = (standing.remaining().steps().unsigned_abs(), used.steps().unsigned_abs());
            let spent = |after: i64| product(used, after.unsigned_abs().into()) >= product(left, micros.unsigned_abs().into());
            match told.outlook {
                Outlook::RunsOut => {
                    let after = told.runs_out_at.unwrap().micros_since(now);
                    prop_assert!(spent(after) && !spent(after - 1), "{after}");
                }
                Outlook::Lasts => prop_assert!(!spent(HORIZON - 1)),
                Outlook::UsedUp => prop_assert!(standing.exceeded()),
                Outlook::TooEarly => prop_assert!(micros < HOUR),
                outlook => prop_assert!(false, "{:?}", outlook),
            }
        }

        #[test]
        fn scaling_is_exact_where_it_can_be_done_plainly(value in -(1_i128 << 60)..1 << 60, times in 0..1_i64 << 60, by in 1..1_i128 << 90) {
            let plain = value * i128::from(times);
            prop_assert_eq!(scaled(value, times, by), Some((plain / by, plain % by != 0)));
        }

        #[test]
        fn nothing_breaks_it(value in any::<i128>(), times in any::<i64>(), by in any::<i128>(), now in any::<i64>(), first in any::<i64>()) {
            let _ = scaled(value, times, by);
            let standing = Standing { limit: Quantity::ONE, used: Quantity::from_steps(value), held: Quantity::ZERO };
            let first = Some(Timestamp::from_micros(first));
            let _ = forecast(Aggregation::Sum, &standing, None, Window::ALL, first, Timestamp::from_micros(now));
        }
    }
}
