//! Answers as JSON. Quantities are exact JSON numbers, or the same digits as strings for readers whose numbers are floats.

use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

/// How quantities are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quantities {
    /// As JSON numbers, with every digit.
    #[default]
    Numbers,
    /// As strings of the same digits.
    Strings,
}

/// Room for most answers, so that they are written without being moved.
const ROOM: usize = 1_000;

/// Writes an answer.
pub fn to_bytes<T: Serialize>(answer: &T, quantities: Quantities) -> serde_json::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(ROOM);
    match quantities {
        Quantities::Numbers => serde_json::to_writer(&mut bytes, answer)?,
        Quantities::Strings => answer.serialize(&mut serde_json::Serializer::with_formatter(&mut bytes, Quoting))?,
    }
    Ok(bytes)
}

/// Puts quotes around raw fragments that are bare numbers. Only quantities are written as such fragments: other numbers come
/// typed, and an event's properties as an object.
struct Quoting;

impl Formatter for Quoting {
    fn write_raw_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut plain = CompactFormatter;
        if fragment.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            writer.write_all(b"\"")?;
            plain.write_raw_fragment(writer, fragment)?;
            return writer.write_all(b"\"");
        }
        plain.write_raw_fragment(writer, fragment)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use weir_core::properties::Properties;
    use weir_core::quantity::Quantity;

    use super::*;

    #[derive(Serialize)]
    struct Sample {
        one: Quantity,
        none: Option<Quantity>,
        by_name: BTreeMap<String, Quantity>,
        list: Vec<Quantity>,
        properties: Properties,
        count: u64,
        rate: f64,
    }

    #[test]
    fn only_quantities_become_strings() {
        let quantity = |text| Quantity::parse(text).unwrap();
        let sample = Sample {
            one: quantity("-123456789012345678.123456789"),
            none: None,
            by_name: BTreeMap::from([("a".to_owned(), quantity("0.1"))]),
            list: vec![Quantity::ZERO],
            properties: Properties::parse(r#"{"n":0.10,"s":"5"}"#).unwrap(),
            count: 7,
            rate: 0.5,
        };
        let text = |quantities| String::from_utf8(to_bytes(&sample, quantities).unwrap()).unwrap();
        assert_eq!(
            text(Quantities::Numbers),
            r#"{"one":-123456789012345678.123456789,"none":null,"by_name":{"a":0.1},"list":[0],"properties":{"n":0.10,"s":"5"},"count":7,"rate":0.5}"#
        );
        assert_eq!(
            text(Quantities::Strings),
            r#"{"one":"-123456789012345678.123456789","none":null,"by_name":{"a":"0.1"},"list":["0"],"properties":{"n":0.10,"s":"5"},"count":7,"rate":0.5}"#
        );
    }
}
