//! Exact decimals. Every amount in Weir is one: 0.1 added ten times is exactly 1.

use std::fmt;
use std::io::Write as _;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use serde_json::value::RawValue;

/// Steps in one whole: quantities are whole numbers of 10⁻⁹.
const SCALE: i128 = 1_000_000_000;
/// Largest magnitude that a caller may send: 18 integer and 9 fractional digits.
const MAX_INPUT: i128 = 1_000_000_000_000_000_000 * SCALE - 1;
/// No well-formed quantity needs more characters; longer text is refused before it is read.
const MAX_TEXT: usize = 64;

/// An exact decimal with nine fractional digits, held as an `i128` of 10⁻⁹ steps.
///
/// What callers send is bounded to 18 integer digits; totals may be larger, up to the range of `i128`, and every
/// operation that could pass it is checked. On the wire a quantity is a JSON number or a decimal string.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i128);

/// Why a text is not a quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Not a decimal number at all.
    #[error("must be a decimal number such as 12.5")]
    NotDecimal,
    /// More than 18 digits before the point.
    #[error("has more than 18 digits before the decimal point")]
    TooLarge,
    /// More than 9 digits after the point; rounding would lose some.
    #[error("has more than 9 digits after the decimal point")]
    TooPrecise,
}

/// A total left the range of exact arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the total is too large to be held exactly")]
pub struct Overflow;

impl Quantity {
    /// Nothing.
    pub const ZERO: Quantity = Quantity(0);
    /// One whole.
    pub const ONE: Quantity = Quantity(SCALE);

    /// A whole number.
    pub const fn from_int(value: i64) -> Self {
        Quantity(value as i128 * SCALE)
    }

    /// From steps of 10⁻⁹.
    pub const fn from_steps(steps: i128) -> Self {
        Quantity(steps)
    }

    /// In steps of 10⁻⁹.
    pub const fn steps(self) -> i128 {
        self.0
    }

    /// From whole units and nanos, as SQLite stores and sums them. Nanos may exceed 999,999,999 when they are themselves a sum.
    pub fn from_parts(units: i128, nanos: i128) -> Result<Self, Overflow> {
        units.checked_mul(SCALE).and_then(|steps| steps.checked_add(nanos)).map(Quantity).ok_or(Overflow)
    }

    /// Whole units, rounded towards minus infinity, and the nanos above them, 0..=999,999,999.
    pub const fn parts(self) -> (i128, i64) {
        (self.0.div_euclid(SCALE), self.0.rem_euclid(SCALE) as i64)
    }

    /// Plain decimal text: an optional sign, digits, and at most nine significant digits after a point.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse_decimal(text, 0)
    }

    /// The text that a quantity is written as, also of a total, which may go beyond what one caller may send.
    pub fn parse_total(text: &str) -> Result<Self, QuantityError> {
        use QuantityError::{NotDecimal, TooLarge, TooPrecise};
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let numeric = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !numeric(whole) || !numeric(fraction) {
            return Err(NotDecimal);
        }
        if fraction.len() > 9 {
            return Err(TooPrecise);
        }
        let number = |text: &str| text.parse::<i128>().map_err(|_| TooLarge);
        let nanos = number(&format!("{fraction:0<9}"))?;
        Quantity::from_parts(sign * number(whole)?, sign * nanos).map_err(|_| TooLarge)
    }

    /// The text of a JSON number, which may carry an exponent.
    pub fn parse_json_number(text: &str) -> Result<Self, QuantityError> {
        match text.split_once(['e', 'E']) {
            None => parse_decimal(text, 0),
            Some((mantissa, exponent)) => {
                let exponent: i32 = exponent.parse().map_err(|_| QuantityError::TooLarge)?;
                parse_decimal(mantissa, exponent.clamp(-400, 400))
            }
        }
    }

    /// The sum, unless it leaves the exact range.
    pub fn checked_add(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Quantity).ok_or(Overflow)
    }

    /// The difference, unless it leaves the exact range.
    pub fn checked_sub(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_sub(other.0).map(Quantity).ok_or(Overflow)
    }

    /// Divided by a count, half-even to nine digits. `None` when the count is zero.
    pub fn divide(self, count: u64) -> Option<Self> {
        if count == 0 {
            return None;
        }
        let count = i128::from(count);
        let (quotient, remainder) = (self.0.div_euclid(count), self.0.rem_euclid(count));
        let up = match (remainder * 2).cmp(&count) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => quotient % 2 != 0,
        };
        Some(Quantity(quotient + i128::from(up)))
    }

    /// Whether this is above nothing.
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this is below nothing.
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }

    /// This as a percentage of a positive whole, truncated to two digits so that nothing is shown as reached before it is.
    pub fn percent_of(self, whole: Quantity) -> Quantity {
        debug_assert!(whole.is_positive());
        const HUNDREDTHS: i128 = 10_000;
        let (quotient, remainder) = (self.0 / whole.0, self.0 % whole.0);
        // The remainder is below a limit's 10^27 steps, so only the quotient could overflow; it saturates far beyond meaning.
        let hundredths = quotient.saturating_mul(HUNDREDTHS).saturating_add(remainder * HUNDREDTHS / whole.0);
        Quantity(hundredths.saturating_mul(SCALE / 100))
    }

    /// Nearest float, for pixels alone.
    pub fn to_pixels(self) -> f64 {
        self.0 as f64 / SCALE as f64
    }
}

fn parse_decimal(text: &str, exponent: i32) -> Result<Quantity, QuantityError> {
    use QuantityError::{NotDecimal, TooLarge, TooPrecise};
    if text.len() > MAX_TEXT {
        return Err(if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-')) {
            TooLarge
        } else {
            NotDecimal
        });
    }
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || !numeric(whole) || !numeric(fraction) || (fraction.is_empty() && digits.contains('.')) {
        return Err(NotDecimal);
    }
    // All digits as one integer, and how many steps of ten it is away from 10^-9.
    let significant = fraction.trim_end_matches('0');
    let mut steps: i128 = 0;
    let mut seen = 0;
    for digit in whole.bytes().chain(significant.bytes()) {
        if seen > 0 || digit != b'0' {
            seen += 1;
        }
        if seen > 36 {
            return Err(if whole.trim_start_matches('0').len() > 18 { TooLarge } else { TooPrecise });
        }
        steps = steps * 10 + i128::from(digit - b'0');
    }
    if steps == 0 {
        return Ok(Quantity::ZERO);
    }
    let mut shift = 9 - significant.len() as i32 + exponent;
    while shift < 0 {
        if steps % 10 != 0 {
            return Err(TooPrecise);
        }
        steps /= 10;
        shift += 1;
    }
    while shift > 0 {
        steps = steps.checked_mul(10).filter(|steps| *steps <= MAX_INPUT).ok_or(TooLarge)?;
        shift -= 1;
    }
    if steps > MAX_INPUT {
        return Err(TooLarge);
    }
    Ok(Quantity(if negative { -steps } else { steps }))
}

impl FromStr for Quantity {
    type Err = QuantityError;
    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (whole, nanos) = (magnitude / SCALE as u128, magnitude % SCALE as u128);
        if self.0 < 0 {
            f.write_str("-")?;
        }
        write!(f, "{whole}")?;
        if nanos != 0 {
            let (mut digits, mut width) = (nanos, 9);
            while digits % 10 == 0 {
                (digits, width) = (digits / 10, width - 1);
            }
            write!(f, ".{digits:0width$}")?;
        }
        Ok(())
    }
}

/// A JSON number with every digit; a writer may turn these into strings (see `weir-api`).
impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // An answer holds many: none of them goes over the heap.
        let mut buffer = [0; MAX_TEXT];
        let mut rest = &mut buffer[..];
        write!(rest, "{self}").map_err(ser::Error::custom)?;
        let length = MAX_TEXT - rest.len();
        let raw: &RawValue = serde_json::from_slice(&buffer[..length]).map_err(ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let parsed = match raw.as_bytes().first() {
            Some(b'"') => {
                let text: String = serde_json::from_str(raw).map_err(de::Error::custom)?;
                Quantity::parse(&text)
            }
            Some(b'-' | b'0'..=b'9') => Quantity::parse_json_number(raw),
            _ => Err(QuantityError::NotDecimal),
        };
        parsed.map_err(de::Error::custom)
    }
}

/// Reads a total that was written down, as number or text; for `deserialize_with`.
pub fn total<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    Quantity::parse_total(raw.trim_matches('"')).map_err(de::Error::custom)
}

impl JsonSchema for Quantity {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Quantity".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        if generator.contract().is_serialize() {
            // Sums may grow beyond what one caller may send.
            return json_schema!({
                "description": "An exact decimal of at most 9 fractional digits: a JSON number, or a decimal string where that was asked for.",
                "anyOf": [{ "type": "number" }, { "type": "string", "pattern": r"^-?[0-9]{1,38}(\.[0-9]{1,9})?$" }],
            });
        }
        json_schema!({
            "description": "An exact decimal of at most 18 integer and 9 fractional digits: a JSON number or a decimal string.",
            "anyOf": [
                { "type": "number", "minimum": -999_999_999_999_999_999_i64, "maximum": 999_999_999_999_999_999_i64 },
                { "type": "string", "pattern": r"^-?[0-9]{1,18}(\.[0-9]{1,9})?$" },
            ],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_total_is_read_as_it_was_written(steps in -i128::MAX..=i128::MAX) {
            let total = Quantity::from_steps(steps);
            prop_assert_eq!(Quantity::parse_total(&total.to_string()), Ok(total));
        }
    }

    #[test]
    fn what_is_no_total_is_refused() {
        for text in ["", "-", ".", "1.", ".5", "--1", "1e3", "1.0000000001", "+1", " 1"] {
            assert!(Quantity::parse_total(text).is_err(), "{text}");
        }
        assert_eq!(Quantity::parse_total(&"9".repeat(38)), Err(QuantityError::TooLarge));
    }

    #[test]
    fn a_tenth_added_ten_times_is_one() {
        let tenth = Quantity::parse("0.1").unwrap();
        let sum = (0..10).try_fold(Quantity::ZERO, |sum, _| sum.checked_add(tenth)).unwrap();
        assert_eq!(sum, Quantity::ONE);
    }

    #[test]
    fn the_edges_of_the_accepted_range() {
        for text in ["999999999999999999.999999999", "-999999999999999999.999999999", "0.000000001", "-0.000000001"] {
            assert_eq!(Quantity::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Quantity::parse("1000000000000000000"), Err(QuantityError::TooLarge));
        assert_eq!(Quantity::parse("0.0000000001"), Err(QuantityError::TooPrecise));
        assert_eq!(Quantity::parse("1.0000000000"), Ok(Quantity::ONE), "zeros that carry nothing are no digits");
        assert_eq!(Quantity::parse("000000000000000000000000001"), Ok(Quantity::ONE));
        assert_eq!(Quantity::parse("123456789012345678901234567890"), Err(QuantityError::TooLarge));
        assert_eq!(Quantity::parse(&"9".repeat(500)), Err(QuantityError::TooLarge));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in
            ["", "-", ".", "1.", ".5", "+1", "1e3", "NaN", "Infinity", "0x10", "1,000", " 1", "1 ", "--1", "1.2.3", "١"]
        {
            assert_eq!(Quantity::parse(text), Err(QuantityError::NotDecimal), "{text:?}");
        }
    }

    #[test]
    fn json_numbers_may_have_exponents() {
        let read = |text: &str| serde_json::from_str::<Quantity>(text);
        assert_eq!(read("1e3").unwrap(), Quantity::from_int(1000));
        assert_eq!(read("1.5E+2").unwrap(), Quantity::from_int(150));
        assert_eq!(read("15e-1").unwrap().to_string(), "1.5");
        assert_eq!(read("0e400").unwrap(), Quantity::ZERO);
        assert!(read("1e400").is_err());
        assert!(read("1e-400").is_err());
        assert!(read("1e99999999999").is_err());
        assert!(read("\"1e3\"").is_err(), "strings are plain decimals");
        assert!(read("true").is_err());
        assert!(read("null").is_err());
        assert!(read("[1]").is_err());
    }

    #[test]
    fn averages_round_half_to_even() {
        let average = |steps, count| Quantity::from_steps(steps).divide(count).unwrap().steps();
        assert_eq!([average(1, 2), average(3, 2), average(-1, 2), average(-3, 2)], [0, 2, 0, -2]);
        assert_eq!(average(2, 3), 1);
        assert_eq!(Quantity::ONE.divide(0), None);
    }

    #[test]
    fn a_percentage_never_rounds_up() {
        let percent =
            |used: &str, limit| Quantity::parse(used).unwrap().percent_of(Quantity::from_int(limit)).to_string();
        assert_eq!(percent("99.999999999", 100), "99.99");
        assert_eq!(percent("100", 100), "100");
        assert_eq!(percent("1", 3), "33.33");
        assert_eq!(percent("-5", 100), "-5");
    }

    proptest! {
        #[test]
        fn text_and_back(steps in -MAX_INPUT..=MAX_INPUT) {
            let quantity = Quantity::from_steps(steps);
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
            let json = serde_json::to_string(&quantity).unwrap();
            prop_assert_eq!(&json, &quantity.to_string());
            prop_assert_eq!(serde_json::from_str::<Quantity>(&json).unwrap(), quantity);
        }

        #[test]
        fn parts_and_back(steps in any::<i64>().prop_map(i128::from)) {
            let (units, nanos) = Quantity::from_steps(steps).parts();
            prop_assert!((0..1_000_000_000).contains(&nanos));
            prop_assert_eq!(Quantity::from_parts(units, nanos.into()).unwrap().steps(), steps);
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,80}") {
            let _ = Quantity::parse(&text);
            let _ = Quantity::parse_json_number(&text);
        }
    }
}
