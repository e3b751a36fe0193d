//! Usage as CSV (RFC 4180): every digit of a quantity, times in UTC, and no text that a spreadsheet would run as a formula.

use std::borrow::Cow;
use std::io::{self, Write};

use csv::{QuoteStyle, Terminator, Writer, WriterBuilder};
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;

/// What stands in a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text. One that a spreadsheet would take for a formula is written with an apostrophe before it.
    Text(String),
    /// A quantity, exactly.
    Number(Quantity),
    /// A count.
    Count(u64),
    /// A time, in RFC 3339 and UTC.
    Time(Timestamp),
}

/// A bucket of a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins.
    pub start: Timestamp,
    /// Where the next begins.
    pub end: Timestamp,
    /// What was used in it.
    pub value: Option<Quantity>,
}

/// A series of one group of a breakdown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// A text for each dimension that is broken down by, none where events have none.
    pub key: Vec<Option<String>>,
    /// The buckets in order.
    pub buckets: Vec<Bucket>,
}

/// Writes a table of any kind.
pub fn write<W: Write>(into: W, header: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> io::Result<()> {
    let mut writer: Writer<W> = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .flexible(true)
        .from_writer(into);
    let mut record = |fields: &mut dyn Iterator<Item = Cow<'_, str>>| {
        for field in fields {
            writer.write_field(field.as_bytes())?;
        }
        // Ends the row.
        writer.write_record(None::<&[u8]>)
    };
    record(&mut header.iter().map(|name| harmless(name)))?;
    for row in rows {
        record(&mut row.iter().map(Cell::written))?;
    }
    writer.flush()
}

/// A table of any kind, as bytes.
pub fn csv(header: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(&mut bytes, header, rows)?;
    Ok(bytes)
}

/// Series as one table: `start`, `end`, a column for each dimension, and the value under its own name.
pub fn usage(dimensions: &[&str], value: &str, groups: &[Group]) -> io::Result<Vec<u8>> {
    let header: Vec<&str> = ["start", "end"].into_iter().chain(dimensions.iter().copied()).chain([value]).collect();
    let rows = groups.iter().flat_map(|group| {
        group.buckets.iter().map(|bucket| {
            let keys = (0..dimensions.len()).map(|index| match group.key.get(index) {
                Some(Some(text)) => Cell::Text(text.clone()),
                _ => Cell::Empty,
            });
            let times = [Cell::Time(bucket.start), Cell::Time(bucket.end)];
            times.into_iter().chain(keys).chain([bucket.value.map_or(Cell::Empty, Cell::Number)]).collect()
        })
    });
    csv(&header, rows)
}

impl Cell {
    fn written(&self) -> Cow<'_, str> {
        match self {
            Cell::Empty => Cow::Borrowed(""),
            Cell::Text(text) => harmless(text),
            Cell::Number(quantity) => Cow::Owned(quantity.to_string()),
            Cell::Count(count) => Cow::Owned(count.to_string()),
            Cell::Time(at) => Cow::Owned(at.to_string()),
        }
    }
}

/// A text as it can be given to a spreadsheet. Signs of full width count, as spreadsheets read them alike.
fn harmless(text: &str) -> Cow<'_, str> {
    let risky = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    if risky && Quantity::parse(text).is_err() { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(bytes: io::Result<Vec<u8>>) -> String {
        String::from_utf8(bytes.expect("a table")).expect("UTF-8")
    }

    #[test]
    fn formulas_are_made_texts_and_numbers_stay_numbers() {
        let cells = ["=1+1", "+a", "-a", "@a", "\ta", "＝1", "-5", "-0.5", "a=b", "", "x"]
            .map(|cell| vec![Cell::Text(cell.to_owned())]);
        assert_eq!(
            text(csv(&["-name"], cells)),
            "'-name\r\n'=1+1\r\n'+a\r\n'-a\r\n'@a\r\n'\ta\r\n'＝1\r\n-5\r\n-0.5\r\na=b\r\n\"\"\r\nx\r\n"
        );
    }

    #[test]
    fn fields_are_quoted_where_they_must_be_and_digits_are_kept() {
        let number = Quantity::parse("-123456789012345678.123456789").expect("a quantity");
        let row = vec![
            Cell::Text("a,b".into()),
            Cell::Text("say \"hi\"\nthere".into()),
            Cell::Number(number),
            Cell::Count(u64::MAX),
            Cell::Time(Timestamp::from_micros(1)),
            Cell::Empty,
        ];
        assert_eq!(
            text(csv(&["a", "b", "c", "d", "e", "f"], [row])),
            "a,b,c,d,e,f\r\n\"a,b\",\"say \"\"hi\"\"\nthere\",-123456789012345678.123456789,18446744073709551615,1970-01-01T00:00:00.000001Z,\r\n"
        );
        assert_eq!(text(csv(&[], [])), "\"\"\r\n", "a table of nothing is still a table");
    }

    #[test]
    fn a_breakdown_is_one_long_table() {
        let at = |hour: i64| Timestamp::from_unix_seconds(hour * 3600);
        let bucket = |hour, value: Option<i64>| Bucket {
            start: at(hour),
            end: at(hour + 1),
            value: value.map(Quantity::from_int),
        };
        let groups = [
            Group { key: vec![Some("small".into())], buckets: vec![bucket(0, Some(5)), bucket(1, None)] },
            Group { key: vec![None], buckets: vec![bucket(0, Some(-7))] },
        ];
        assert_eq!(
            text(usage(&["model"], "tokens", &groups)),
            "start,end,model,tokens\r\n\
             1970-01-01T00:00:00Z,1970-01-01T01:00:00Z,small,5\r\n\
             1970-01-01T01:00:00Z,1970-01-01T02:00:00Z,small,\r\n\
             1970-01-01T00:00:00Z,1970-01-01T01:00:00Z,,-7\r\n"
        );
    }
}
