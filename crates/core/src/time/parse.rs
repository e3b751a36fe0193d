//! Reading times from text.

use super::{DAY_SECONDS, MICROS, Timestamp, Zone, days_in_month, days_of_civil};

/// Why a text is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not of the form of a time.
    #[error("not a time of the form 2024-05-01T12:30:00Z")]
    Form,
    /// A month or day that the calendar does not have.
    #[error("no such day in the calendar")]
    NoSuchDay,
    /// An hour, minute or second that the clock does not have.
    #[error("no such time of day")]
    NoSuchTime,
    /// An offset from UTC of a day or more, or of more than 59 minutes.
    #[error("no such offset from UTC")]
    NoSuchOffset,
    /// The instant lies outside the years 0000 to 9999 in UTC.
    #[error("outside the years 0000 to 9999")]
    OutOfRange,
    /// A count since the epoch too small or too large to tell its unit.
    #[error("a number that is neither Unix seconds, milliseconds nor microseconds")]
    UnknownUnit,
}

use TimestampError::{Form, NoSuchDay, NoSuchOffset, NoSuchTime, OutOfRange, UnknownUnit};

pub(super) fn strict(text: &str, zone: Zone) -> Result<Timestamp, TimestampError> {
    read(text, zone, false)
}

pub(super) fn loose(text: &str, zone: Zone) -> Result<Timestamp, TimestampError> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return count(text);
    }
    read(text, zone, true)
}

/// Reads digits as a count since the epoch whose unit follows from its size.
fn count(digits: &str) -> Result<Timestamp, TimestampError> {
    const SECONDS: i64 = 1_000_000_000;
    const MILLIS: i64 = 100_000_000_000;
    const MICROSECONDS: i64 = 100_000_000_000_000;
    const END: i64 = 100_000_000_000_000_000;
    // Digits that are too many for the type are too many for any unit.
    let count: i64 = digits.parse().map_err(|_| UnknownUnit)?;
    match count {
        SECONDS..MILLIS => Ok(Timestamp::from_micros(count * MICROS)),
        MILLIS..MICROSECONDS => Ok(Timestamp::from_micros(count * 1000)),
        MICROSECONDS..END => Ok(Timestamp::from_micros(count)),
        _ => Err(UnknownUnit),
    }
}

fn read(text: &str, zone: Zone, loose: bool) -> Result<Timestamp, TimestampError> {
    let mut reader = Reader::new(text);
    let (year, month, day) = date(&mut reader).ok_or(Form)?;
    let mut clock = Clock::default();
    let mut offset = None;
    if !reader.at_end() {
        if !(reader.take(b'T') || reader.take(b't') || reader.take(b' ')) {
            return Err(Form);
        }
        clock = time_of_day(&mut reader).ok_or(Form)?;
        offset = zone_suffix(&mut reader, loose)?;
        if !reader.at_end() {
            return Err(Form);
        }
    }

    if !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
        return Err(NoSuchDay);
    }
    if clock.hour > 23 || clock.minute > 59 || clock.second > 60 {
        return Err(NoSuchTime);
    }
    // A leap second is read as the last microsecond of the second before it.
    let leap = clock.second == 60;
    let (second, micros) = if leap {
        (59, MICROS - 1)
    } else {
        (clock.second, clock.micros)
    };
    let local = days_of_civil(year, month, day) * DAY_SECONDS
        + clock.hour * 3600
        + clock.minute * 60
        + second;
    let (seconds, micros) = match offset {
        Some(offset) => (local - offset, micros),
        None => {
            let seconds = zone.first_at_local(local);
            // After a gap the clock does not show this time, and the gap's end is a whole second.
            (
                seconds,
                if zone.local_seconds(seconds) == local {
                    micros
                } else {
                    0
                },
            )
        }
    };
    if leap && seconds.rem_euclid(DAY_SECONDS) != DAY_SECONDS - 1 {
        return Err(NoSuchTime);
    }
    if !(days_of_civil(0, 1, 1)..days_of_civil(10_000, 1, 1))
        .contains(&seconds.div_euclid(DAY_SECONDS))
    {
        return Err(OutOfRange);
    }
    Ok(Timestamp::from_micros(seconds * MICROS + micros))
}

/// Takes what the text still has to give, byte by byte.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        Reader(text.as_bytes())
    }

    pub(super) fn at_end(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, wanted: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn digit(&mut self) -> Option<i64> {
        match self.0 {
            [first @ b'0'..=b'9', rest @ ..] => {
                self.0 = rest;
                Some(i64::from(first - b'0'))
            }
            _ => None,
        }
    }

    /// Exactly so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        (0..digits).try_fold(0, |number, _| Some(number * 10 + self.digit()?))
    }
}

/// Reads `YYYY-MM-DD`, without asking whether the calendar has that day.
pub(super) fn date(reader: &mut Reader<'_>) -> Option<(i64, i64, i64)> {
    let year = reader.number(4)?;
    let month = reader.take(b'-').then(|| reader.number(2))??;
    let day = reader.take(b'-').then(|| reader.number(2))??;
    Some((year, month, day))
}

#[derive(Default)]
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
}

/// Reads `HH:MM`, `HH:MM:SS` or `HH:MM:SS.digits`.
fn time_of_day(reader: &mut Reader<'_>) -> Option<Clock> {
    let mut clock = Clock {
        hour: reader.number(2)?,
        ..Clock::default()
    };
    clock.minute = reader.take(b':').then(|| reader.number(2))??;
    if !reader.take(b':') {
        return Some(clock);
    }
    clock.second = reader.number(2)?;
    if reader.take(b'.') {
        let mut weight = MICROS / 10;
        clock.micros = reader.digit()? * weight;
        while let Some(digit) = reader.digit() {
            weight /= 10;
            clock.micros += digit * weight;
        }
    }
    Some(clock)
}

/// Reads `Z`, `+HH:MM`, `+HHMM` or `+HH` as seconds ahead of UTC; nothing at all is `None`.
fn zone_suffix(reader: &mut Reader<'_>, loose: bool) -> Result<Option<i64>, TimestampError> {
    if reader.at_end() {
        return Ok(None);
    }
    if loose {
        reader.take(b' ');
        if let b"UTC" | b"GMT" = reader.0 {
            reader.0 = &[];
            return Ok(Some(0));
        }
    }
    if reader.take(b'Z') || reader.take(b'z') {
        return Ok(Some(0));
    }
    let sign = if reader.take(b'+') {
        1
    } else if reader.take(b'-') {
        -1
    } else {
        return Err(Form);
    };
    let hours = reader.number(2).ok_or(Form)?;
    let minutes = if reader.at_end() {
        0
    } else {
        reader.take(b':');
        reader.number(2).ok_or(Form)?
    };
    if hours > 23 || minutes > 59 {
        return Err(NoSuchOffset);
    }
    Ok(Some(sign * (hours * 3600 + minutes * 60)))
}
