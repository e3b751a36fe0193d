//! When to try again what failed: soon at first, then ever later, for three days, never two callers in step.

use crate::time::Timestamp;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;

/// The pauses after the first attempts; the last one also after all further ones.
const PAUSES: [i64; 9] =
    [5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR];
/// For how long it is tried.
pub const PATIENCE: i64 = 72 * HOUR;

/// When to try again after `attempts` attempts, the first at `first` and the last at `now`; `None` once it is given up. `chance`
/// spreads the pauses over four fifths to six fifths of their length.
pub fn next(first: Timestamp, attempts: u32, now: Timestamp, chance: u16) -> Option<Timestamp> {
    let place = usize::try_from(attempts.max(1) - 1).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    let pause = PAUSES[place];
    let spread = pause / 5 * 2;
    let pause = pause - pause / 5 + spread / i64::from(u16::MAX) * i64::from(chance);
    let at = now.saturating_add_micros(pause);
    (at.micros_since(first) <= PATIENCE).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(attempts: u32, chance: u16) -> i64 {
        let now = Timestamp::from_micros(0);
        next(now, attempts, now, chance).expect("again").as_micros() / SECOND
    }

    #[test]
    fn pauses_grow_and_are_spread() {
        assert_eq!((seconds(1, 0), seconds(1, u16::MAX)), (4, 5));
        for (attempts, pause) in [(1, 5), (2, 30), (3, 120), (4, 600), (9, 28_800), (30, 28_800)] {
            let (least, most) = (seconds(attempts, 0), seconds(attempts, u16::MAX));
            assert!((pause * 4 / 5 - 1..=pause).contains(&least), "{attempts}: {least}");
            assert!((pause..=pause * 6 / 5).contains(&(most + 1)), "{attempts}: {most}");
        }
    }

    #[test]
    fn it_is_tried_for_three_days_and_then_given_up() {
        for chance in [0, 30_000, u16::MAX] {
            let first = Timestamp::from_micros(1_700_000_000_000_000);
            let (mut now, mut attempts) = (first, 1);
            while let Some(at) = next(first, attempts, now, chance) {
                assert!(at > now);
                (now, attempts) = (at, attempts + 1);
            }
            let lasted = now.micros_since(first);
            assert!((60 * HOUR..=PATIENCE).contains(&lasted), "{lasted}");
            assert!((14..=20).contains(&attempts), "{attempts}");
        }
    }
}
