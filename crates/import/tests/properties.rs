//! What holds for any rows: nothing about how a file is written, packed, cut or continued changes its events.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::collection::vec;
use proptest::prelude::*;
use weir_core::quantity::Quantity;
use weir_core::time::Timestamp;
use weir_import::{DimensionSource, Mapping, Row, RowError, Source, TimeSource, UsageFile, ValueSource, preview};

#[derive(Clone, Debug, PartialEq)]
struct Usage {
    customer: String,
    at: Timestamp,
    values: [Option<Quantity>; 2],
    model: String,
}

/// Customer, time, values and model of an event.
type Expected = (String, Timestamp, BTreeMap<String, Quantity>, Option<String>);

const COLUMNS: [&str; 5] = ["who", "when", "in", "out", "model"];

fn mapping() -> Mapping {
    Mapping {
        customer: Source::Column("who".into()),
        event_type: Source::Value("call".into()),
        timestamp: TimeSource { column: "when".into() },
        timezone: None,
        values: vec![ValueSource::from_pair("in=in").unwrap(), ValueSource::from_pair("all=in+out").unwrap()],
        dimensions: vec![DimensionSource::column_from_pair("model=model").unwrap()],
        id_column: None,
    }
}

fn usage() -> impl Strategy<Value = Usage> {
    let quantity = prop::option::of(
        (-1_000_000_000_000_000_000_000_i128..1_000_000_000_000_000_000_000).prop_map(Quantity::from_steps),
    );
    // Few customers and models, so that rows repeat; any text between.
    let text = prop_oneof![Just("acme".to_owned()), Just("a,b;c\t\"d\"".to_owned()), "[ -~äß€😀\n\r]{1,12}"];
    (text.clone(), 0..4_000_000_000_000_000_i64, [quantity.clone(), quantity], prop_oneof![Just(String::new()), text])
        .prop_map(|(customer, micros, values, model)| Usage {
            customer,
            at: Timestamp::from_micros(micros),
            values,
            model,
        })
}

fn cells(usage: &Usage) -> [String; 5] {
    let shown = |value: Option<Quantity>| value.map(|value| value.to_string()).unwrap_or_default();
    [usage.customer.clone(), usage.at.to_string(), shown(usage.values[0]), shown(usage.values[1]), usage.model.clone()]
}

fn as_csv(usages: &[Usage], delimiter: u8, crlf: bool, quote_all: bool) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new()
        .delimiter(delimiter)
        .terminator(if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') })
        .quote_style(if quote_all { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary })
        .from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for usage in usages {
        writer.write_record(cells(usage)).unwrap();
    }
    writer.into_inner().unwrap()
}

fn as_json_lines(usages: &[Usage]) -> Vec<u8> {
    let mut lines = Vec::new();
    let text = |text: &str| serde_json::to_string(text).unwrap();
    for usage in usages {
        let [who, when, input, output, model] = cells(usage);
        let number = |digits: &str| if digits.is_empty() { "null".to_owned() } else { digits.to_owned() };
        let line = format!(
            r#"{{"who":{},"when":{},"in":{},"out":{},"model":{}}}"#,
            text(&who),
            text(&when),
            number(&input),
            number(&output),
            text(&model)
        );
        writeln!(lines, "{line}").unwrap();
    }
    lines
}

fn expected(usage: &Usage) -> Expected {
    let mut values = BTreeMap::new();
    let [input, output] = usage.values;
    values.extend(input.map(|value| ("in".to_owned(), value)));
    if input.is_some() || output.is_some() {
        let sum = input.unwrap_or_default().checked_add(output.unwrap_or_default()).unwrap();
        values.insert("all".to_owned(), sum);
    }
    (usage.customer.clone(), usage.at, values, Some(usage.model.clone()).filter(|model| !model.is_empty()))
}

fn read(reader: impl Read) -> Vec<Result<Row, RowError>> {
    UsageFile::open(reader, None).unwrap().rows(&mapping()).unwrap().collect()
}

fn as_expected(rows: Vec<Result<Row, RowError>>) -> Vec<Expected> {
    let event = |row: Result<Row, RowError>| row.map(|row| row.event).unwrap();
    rows.into_iter()
        .map(event)
        .map(|event| {
            (event.customer_id, event.timestamp.unwrap(), event.values, event.dimensions.get("model").cloned())
        })
        .collect()
}

fn keys(rows: &[Result<Row, RowError>]) -> Vec<String> {
    rows.iter().map(|row| row.as_ref().unwrap().event.idempotency_key.clone().unwrap()).collect()
}

/// Rows without their keys' type, comparable whether read or refused.
fn outcome(rows: &[Result<Row, RowError>]) -> Vec<Result<(u64, String), RowError>> {
    rows.iter()
        .map(|row| row.as_ref().map(|row| (row.line, format!("{:?}", row.event))).map_err(Clone::clone))
        .collect()
}

/// Gives its bytes in pieces of changing size.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: &'a [usize],
    turn: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        let size = self.sizes[self.turn % self.sizes.len()].min(into.len());
        self.bytes.read(&mut into[..size])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_and_read_back_the_rows_are_the_same(
        usages in vec(usage(), 1..40),
        delimiter in prop::sample::select(&[b',', b';', b'\t'][..]),
        crlf: bool,
        quote_all: bool,
    ) {
        let wanted: Vec<_> = usages.iter().map(expected).collect();
        prop_assert_eq!(as_expected(read(&as_csv(&usages, delimiter, crlf, quote_all)[..])), wanted.clone());
        prop_assert_eq!(as_expected(read(&as_json_lines(&usages)[..])), wanted);
    }

    #[test]
    fn pieces_and_packing_change_nothing(
        bytes in prop_oneof![
            vec(usage(), 1..20).prop_map(|usages| as_csv(&usages, b',', true, false)),
            vec(usage(), 1..20).prop_map(|usages| as_json_lines(&usages)),
            // Anything at all beneath a good header.
            "[a,\";\r\n\u{e9}1-]{0,200}".prop_map(|text| format!("who,when,in,out,model\n{text}").into_bytes()),
            vec(any::<u8>().prop_filter("no zero byte", |byte| *byte != 0), 0..200).prop_map(|bytes| [b"who,when,in,out,model\n", &bytes[..]].concat()),
        ],
        sizes in vec(1..50_usize, 1..8),
    ) {
        let whole = outcome(&read(&bytes[..]));
        prop_assert_eq!(&outcome(&read(Pieces { bytes: &bytes, sizes: &sizes, turn: 0 })), &whole);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        let packed = encoder.finish().unwrap();
        prop_assert_eq!(&outcome(&read(Pieces { bytes: &packed, sizes: &sizes, turn: 0 })), &whole);
        // Two members, as when compressed files are put together.
        let mut encoder = GzEncoder::new(packed, Compression::fast());
        encoder.write_all(b"\n").unwrap();
        prop_assert!(read(&encoder.finish().unwrap()[..]).len() >= whole.len());
    }

    #[test]
    fn keys_are_distinct_and_stay_when_rows_are_added(usages in vec(usage(), 1..30), repeats in vec(0..30_usize, 0..30), more in vec(usage(), 0..10)) {
        let mut rows = usages.clone();
        rows.extend(repeats.iter().map(|index| usages[index % usages.len()].clone()));
        let before = keys(&read(&as_csv(&rows, b',', false, false)[..]));
        prop_assert_eq!(before.iter().collect::<HashSet<_>>().len(), rows.len());
        let mut grown = rows.clone();
        grown.extend(more);
        let after = keys(&read(&as_csv(&grown, b',', true, true)[..]));
        prop_assert_eq!(&after[..rows.len()], &before[..]);
    }

    #[test]
    fn nothing_makes_a_preview_fall(bytes in vec(any::<u8>(), 0..300), json: bool) {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let bytes = if json { [b"{\"a\":1}\n{", &bytes[..]].concat() } else { bytes };
        if let Ok(seen) = preview(&bytes[..], None, None, now) {
            prop_assert!(seen.rows.iter().all(|row| row.len() == seen.columns.len()));
        }
    }
}
