//! Files as people have them: well-formed, odd and broken.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use weir_core::error::Code;
use weir_core::time::Timestamp;
use weir_import::{
    DimensionSource, FileError, Format, Mapping, Row, RowError, Source, TimeSource, UsageFile, ValueSource, preview,
};

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

/// Columns `t`, `v` and, where there is one, `d`, for one customer.
fn mapping() -> Mapping {
    Mapping {
        customer: Source::Value("acme".into()),
        event_type: Source::Value("call".into()),
        timestamp: TimeSource { column: "t".into() },
        timezone: None,
        values: vec![ValueSource::from_pair("tokens=v").unwrap()],
        dimensions: Vec::new(),
        id_column: None,
    }
}

fn with_dimension() -> Mapping {
    Mapping { dimensions: vec![DimensionSource::column_from_pair("model=d").unwrap()], ..mapping() }
}

fn read_all(bytes: &[u8], mapping: &Mapping) -> Vec<Result<Row, RowError>> {
    UsageFile::open(bytes, None).expect("a file").rows(mapping).expect("a mapping that fits").collect()
}

/// Each row's line and first value, or its error.
fn brief(bytes: &[u8], mapping: &Mapping) -> Vec<String> {
    let value = |row: &Row| row.event.values.get("tokens").map_or("-".to_owned(), ToString::to_string);
    let shown = |row: Result<Row, RowError>| match row {
        Ok(row) => format!("{} {}", row.line, value(&row)),
        Err(error) => format!("{} {} {}", error.line, error.code, error.message),
    };
    read_all(bytes, mapping).into_iter().map(shown).collect()
}

fn times(bytes: &str, mapping: &Mapping) -> Vec<String> {
    let shown = |row: Result<Row, RowError>| match row {
        Ok(row) => row.event.timestamp.expect("a time").to_string(),
        Err(error) => error.message,
    };
    read_all(bytes.as_bytes(), mapping).into_iter().map(shown).collect()
}

fn keys(bytes: &[u8], mapping: &Mapping) -> Vec<String> {
    read_all(bytes, mapping).into_iter().map(|row| row.expect("a row").event.idempotency_key.expect("a key")).collect()
}

fn problem(bytes: &[u8], mapping: &Mapping) -> String {
    match UsageFile::open(bytes, None).expect("a file").rows(mapping) {
        Err(error @ FileError::Mapping(_)) => {
            assert_eq!(error.code(), Code::InvalidFieldValue);
            error.to_string()
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the mapping fits"),
    }
}

fn refusal(bytes: &[u8], name: Option<&str>) -> String {
    match UsageFile::open(bytes, name) {
        Err(error) => {
            assert_eq!(error.code(), Code::InvalidRequest);
            error.to_string()
        }
        Ok(_) => panic!("the file opens"),
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn marks_line_ends_quotes_and_delimiters_do_not_matter() {
    let expected = ["2 1.5", "3 2"];
    for text in [
        "t,v\n2023-01-01,1.5\n2023-01-02,2\n",
        "\u{feff}t,v\r\n2023-01-01,1.5\r\n2023-01-02,2\r\n",
        "t;v\n2023-01-01;1.5\n2023-01-02;2",
        "t\tv\n2023-01-01\t1.5\n2023-01-02\t2\n",
        "\"t\",\"v\"\n\"2023-01-01\",\"1.5\"\n\"2023-01-02\", 2 \n",
        " t , v \n2023-01-01, 1.50\n 2023-01-02,2.0\n",
    ] {
        assert_eq!(brief(text.as_bytes(), &mapping()), expected, "{text:?}");
    }
    assert_eq!(
        brief(b"t;v;d\n2023-01-01;1;\"a,b,c,d\"\n", &mapping()),
        ["2 1"],
        "commas within a quoted field delimit nothing"
    );
    assert_eq!(
        brief(b"\n\nt,v\n\n2023-01-01,1\n\n\n2023-01-01,2\n\n", &mapping()),
        ["5 1", "8 2"],
        "blank lines are no rows"
    );
}

#[test]
fn quoted_fields_keep_what_is_in_them() {
    let rows = read_all(b"t,v,d\r\n2023-01-01,1,\"a \"\"b\"\",\r\nc\"\r\n2023-01-01,2,x\r\n", &with_dimension());
    let rows: Vec<Row> = rows.into_iter().map(|row| row.expect("a row")).collect();
    assert_eq!((rows[0].line, rows[0].event.dimensions["model"].as_str()), (2, "a \"b\",\r\nc"));
    assert_eq!((rows[1].line, rows[1].event.dimensions["model"].as_str()), (4, "x"));
    assert_eq!(rows[0].clone().check(NOW).expect_err("a control character").line, 2);
}

#[test]
fn a_bad_row_is_refused_alone() {
    let text = b"t,v\n2023-01-01,1\n2023-01-01\n2023-01-01,2,3\n2023-01-01,abc\n,4\nyesterday,5\n2023-01-01,\xff\n2023-01-01,1e3\n2023-01-01,\"1,234\"\n2023-01-01,0.1234567891\n2023-01-01,1234567890123456789\n2023-02-30,6\n2023-01-01,7\n";
    assert_eq!(
        brief(text, &mapping()),
        [
            "2 1",
            "3 invalid_request the row has 1 field, the header 2",
            "4 invalid_request the row has 3 fields, the header 2",
            "5 invalid_field_value column `v` must be a decimal number such as 12.5",
            "6 missing_required_field column `t` is empty",
            "7 invalid_field_value column `t` is no time that can be read: not a time of the form 2024-05-01T12:30:00Z",
            "8 invalid_request column `v` is not UTF-8 text",
            "9 invalid_field_value column `v` must be a decimal number such as 12.5",
            "10 invalid_field_value column `v` must be a decimal number such as 12.5",
            "11 invalid_field_value column `v` has more than 9 digits after the decimal point",
            "12 invalid_field_value column `v` has more than 18 digits before the decimal point",
            "13 invalid_field_value column `t` is no time that can be read: no such day in the calendar",
            "14 7",
        ]
    );
}

#[test]
fn times_before_1970_and_ahead_of_now_are_refused_by_the_check() {
    let rows = read_all(
        b"t,v\n1969-12-31T23:59:59Z,1\n1970-01-01T00:00:00Z,1\n2023-11-14T22:18:20Z,1\n2023-11-14T22:18:21Z,1\n",
        &mapping(),
    );
    let checked: Vec<_> =
        rows.into_iter().map(|row| row.expect("a row").check(NOW).map_err(|error| (error.line, error.code))).collect();
    assert!(checked[1].is_ok() && checked[2].is_ok());
    assert_eq!(checked[0].as_ref().unwrap_err(), &(2, Code::InvalidFieldValue));
    assert_eq!(checked[3].as_ref().unwrap_err(), &(5, Code::InvalidFieldValue));
}

#[test]
fn each_row_may_write_its_time_in_its_own_way() {
    let text = "t,v\n2023-11-14T22:13:20Z,1\n2023-11-14 23:13:20+01:00,1\n2023-11-14 22:13:20,1\n1700000000,1\n1700000000000,1\n1700000000000000,1\n 2023-11-14T22:13:20.0000009 ,1\n";
    assert_eq!(times(text, &mapping()), vec!["2023-11-14T22:13:20Z"; 7]);
    let berlin = Mapping { timezone: Some("Europe/Berlin".into()), ..mapping() };
    assert_eq!(
        times("t,v\n2023-11-14 23:13:20,1\n2023-11-14T22:13:20Z,1\n1700000000,1\n", &berlin),
        vec!["2023-11-14T22:13:20Z"; 3]
    );
}

#[test]
fn values_are_added_exactly_and_empty_cells_add_nothing() {
    let sum = Mapping { values: vec![ValueSource::from_pair("tokens=a+b").unwrap()], ..mapping() };
    let text = b"t,a,b\n2023-01-01,0.1,0.2\n2023-01-01,,3\n2023-01-01,,\n2023-01-01,-1,1\n2023-01-01,999999999999999999,1\n2023-01-01,1,x\n";
    assert_eq!(
        brief(text, &sum),
        [
            "2 0.3",
            "3 3",
            "4 -",
            "5 0",
            "6 invalid_field_value column `a + b` has more than 18 digits before the decimal point",
            "7 invalid_field_value column `b` must be a decimal number such as 12.5",
        ]
    );
}

#[test]
fn json_lines_keep_every_digit_and_reach_into_objects() {
    let nested = Mapping { values: vec![ValueSource::from_pair("tokens=usage.tokens").unwrap()], ..with_dimension() };
    let text = br#"{"t":"2023-01-01","usage":{"tokens":123456789012345678.123456789},"d":"x"}
{"t":1700000000,"usage":{"tokens":"0.1"},"d":null,"extra":[1,2]}

{"t":"2023-01-01","usage":{"tokens":1.5e3},"d":7}
{"t":"2023-01-01","usage":{"tokens":[1]}}
{"t":"2023-01-01","usage":{"tokens":1e400}}
{"t":"2023-01-01","usage.tokens":1,"usage":{"tokens":1}}
{"t":"2023-01-01","usage":{"tokens":1}
[1]
{"t":"2023-01-01","usage":null}
{"t":"2023-01-01","usage":{"tokens":"1e3"},"d":true}"#;
    assert_eq!(
        brief(text, &nested),
        [
            "1 123456789012345678.123456789",
            "2 0.1",
            "4 1500",
            "5 invalid_field_value column `usage.tokens` holds a list, not one value",
            "6 invalid_field_value column `usage.tokens` has more than 18 digits before the decimal point",
            "7 invalid_request column `usage.tokens` is given twice",
            "8 invalid_request the row is not a JSON object: EOF while parsing an object",
            "9 invalid_request the row is not a JSON object: invalid type: sequence, expected an object",
            "10 -",
            "11 invalid_field_value column `usage.tokens` must be a decimal number such as 12.5",
        ]
    );
    let dimensions: Vec<_> = read_all(text, &nested)
        .into_iter()
        .filter_map(Result::ok)
        .map(|row| row.event.dimensions.get("model").cloned())
        .collect();
    assert_eq!(dimensions, [Some("x".into()), None, Some("7".into()), None]);
}

#[test]
fn deep_nesting_is_refused_without_a_fall() {
    let deep = format!(
        "{{\"t\":1700000000,\"v\":1}}\n{}1{}\n{{\"v\":{}}}\n",
        "{\"a\":".repeat(100_000),
        "}".repeat(100_000),
        "[".repeat(100_000)
    );
    let rows = brief(deep.as_bytes(), &mapping());
    assert_eq!(rows[0], "1 1");
    assert!(rows[1].starts_with("2 invalid_request"), "{}", rows[1]);
    assert!(rows[2].starts_with("3 invalid_request"), "{}", rows[2]);
}

#[test]
fn a_row_that_is_too_long_is_refused_and_the_next_is_read() {
    let long = "x".repeat(3 << 20);
    let text = format!("t,v\n2023-01-01,1\n{long},2\n2023-01-01,3\n");
    assert_eq!(
        brief(text.as_bytes(), &mapping()),
        ["2 1", "3 invalid_request the row is longer than 1 MiB; a quote may not be closed", "4 3"]
    );
    let text = format!("{{\"t\":1700000000,\"v\":1}}\n{{\"v\":\"{long}\"}}\n{{\"t\":1700000000,\"v\":3}}\n");
    assert_eq!(brief(text.as_bytes(), &mapping()), ["1 1", "2 invalid_request the row is longer than 1 MiB", "3 3"]);
}

#[test]
fn a_quote_that_is_never_closed_costs_its_own_row_alone() {
    let good = "2023-01-01,1\n".repeat(200_000);
    let text = format!("t,v\n2023-01-01,\"1\n{good}");
    let rows = read_all(text.as_bytes(), &mapping());
    assert_eq!(rows.len(), 200_001);
    assert_eq!(rows[0].as_ref().unwrap_err().line, 2);
    assert!(
        rows[1..].iter().enumerate().all(|(index, row)| row.as_ref().is_ok_and(|row| row.line == index as u64 + 3))
    );
}

#[test]
fn a_file_made_to_be_read_over_and_over_is_not() {
    // Each line, read by itself, opens a quote that no later line closes.
    let text = format!("t,v\n{}", "a\",\"b\n".repeat(1_000_000));
    let rows = read_all(text.as_bytes(), &mapping());
    assert!(rows.iter().all(Result::is_err));
    assert!(rows.len() < 20, "{} rows", rows.len());
}

#[test]
fn bad_files_are_named_for_what_they_are() {
    assert_eq!(refusal(b"", None), "the file is empty");
    assert_eq!(refusal(b"\xef\xbb\xbf \n\n", None), "the file is empty");
    assert_eq!(refusal(b"\xff\xfet\0,\0", None), "the file is UTF-16 text; save it as UTF-8");
    assert_eq!(refusal(b"PK\x03\x04...", None), "the file is a spreadsheet or an archive; save the table as CSV");
    assert_eq!(refusal(b"\x7fELF\0\0", None), "the file is not text; CSV and JSON Lines are read, plain or gzipped");
    assert_eq!(
        refusal(b"[{\"t\":1}]", None),
        "the file is one JSON list; write each of its objects on a line of its own"
    );
    assert_eq!(refusal(b"t,\xff\n", None), "the header is not UTF-8 text; save the file as UTF-8");
    assert_eq!(
        refusal(b"{nonsense\n", None),
        "no line can be read; line 1: the row is not a JSON object: key must be a string"
    );
    assert!(refusal("x".repeat(2 << 20).as_bytes(), None).starts_with("the header cannot be read"));
    assert_eq!(refusal(",".repeat(5000).as_bytes(), None), "the file has more than 1000 columns");
    assert!(refusal(&gzip(b"t,v\n2023-01-01,1\n")[..20], None).starts_with("the file cannot be read"));
}

#[test]
fn the_form_is_told_by_content_then_by_name() {
    let form = |bytes: &[u8], name: Option<&str>| UsageFile::open(bytes, name).map(|file| file.format()).ok();
    assert_eq!(form(b"  {\"t\":1}", Some("x.csv")), Some(Format::Jsonl));
    assert_eq!(form(b"t,v", Some("x.jsonl")), None, "no line is an object");
    assert_eq!(form(b"t,v", Some("x.txt")), Some(Format::Csv));
    assert_eq!(form(b"[t],v", Some("X.CSV.gz")), Some(Format::Csv));
    assert_eq!(form(&gzip(b"{\"t\":1}"), None), Some(Format::Jsonl));
}

#[test]
fn a_mapping_that_does_not_fit_is_one_error_before_any_row() {
    let file = b"t,v\n2023-01-01,1\n";
    let bad = |change: fn(&mut Mapping)| {
        let mut mapping = mapping();
        change(&mut mapping);
        problem(file, &mapping)
    };
    assert_eq!(bad(|m| m.timestamp.column = "when".into()), "The file has no column `when`. Its columns are `t`, `v`.");
    assert_eq!(
        bad(|m| {
            m.id_column = Some("id".into());
            m.customer = Source::Column("who".into());
        }),
        "The file has no column `id` (nor 1 more that the mapping names). Its columns are `t`, `v`."
    );
    assert_eq!(bad(|m| m.timestamp.column.clear()), "Choose the column that holds the time.");
    assert_eq!(
        bad(|m| m.timezone = Some("Mars/Olympus".into())),
        "There is no time zone `Mars/Olympus`. Use a name such as Europe/Berlin."
    );
    assert_eq!(bad(|m| m.customer = Source::Value("a\u{7}".into())), "The customer must not hold control characters.");
    assert_eq!(bad(|m| m.event_type = Source::Value("x".repeat(257))), "The event type must have 1 to 256 characters.");
    assert_eq!(bad(|m| m.values.push(m.values[0].clone())), "There are two values `tokens`.");
    assert_eq!(bad(|m| m.values[0].columns.clear()), "Choose a column for the value `tokens`.");
    assert!(bad(|m| m.values[0].name = "to kens".into()).starts_with("The value `to kens` must be named with"));
    assert_eq!(problem(b"{\"t\":1}\n", &mapping()), "The file has no column `v`. Its columns are `t`.");
}

#[test]
fn keys_are_the_content_and_its_occurrence() {
    let text = b"t,v\n2023-01-01,1\n2023-01-01,2\n2023-01-01,1";
    let first = keys(text, &mapping());
    assert_eq!(first.len(), 3);
    assert!(first.iter().all(|key| key.starts_with("row:") && key.len() == 38));
    assert_eq!(first[0].strip_suffix(":1"), first[2].strip_suffix(":2"));
    assert_ne!(first[0].split(':').nth(1), first[1].split(':').nth(1));
    assert_eq!(keys(&[&text[..], b"\n"].concat(), &mapping()), first, "a last line end changes nothing");
    assert_eq!(
        keys(b"t,v\r\n\"2023-01-01\",1\r\n2023-01-01,\"2\"\r\n2023-01-01,1\r\n", &mapping()),
        first,
        "nor does how a field is written"
    );
    assert_eq!(keys(&[&text[..], b"\n2023-01-01,1\n"].concat(), &mapping())[..3], first[..], "nor do rows that follow");
    let framed = keys(b"t,v\n2023-01-01,12\n", &mapping());
    assert_ne!(framed[0], keys(b"t,v,d\n2023-01-01,1,2\n", &mapping())[0], "fields do not run together");
}

#[test]
fn an_id_column_is_the_key() {
    let by_id = Mapping { id_column: Some("id".into()), ..mapping() };
    let rows = read_all(b"id,t,v\nr-1,2023-01-01,1\n,2023-01-01,2\n", &by_id);
    assert_eq!(rows[0].as_ref().unwrap().event.idempotency_key.as_deref(), Some("r-1"));
    assert_eq!(
        rows[1].as_ref().unwrap_err(),
        &RowError { line: 3, code: Code::MissingRequiredField, message: "column `id` is empty".into() }
    );
}

#[test]
fn columns_without_a_name_of_their_own_get_one() {
    let file = UsageFile::open("t,,v,v,t\n".as_bytes(), None).unwrap();
    assert_eq!(file.columns(), ["t", "column 2", "v", "v (2)", "t (2)"]);
}

/// Gives some bytes, then fails.
struct Failing<'a>(&'a [u8]);

impl Read for Failing<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            count => Ok(count),
        }
    }
}

#[test]
fn a_failing_disk_ends_the_rows_and_is_told() {
    let text = format!("t,v\n{}", "2023-01-01,1\n".repeat(100_000));
    let mut rows = UsageFile::open(Failing(text.as_bytes()), None).unwrap().rows(&mapping()).unwrap();
    assert_eq!(rows.by_ref().filter(Result::is_ok).count(), 100_000);
    assert_eq!(rows.failure().unwrap().to_string(), "the disk is gone");
    assert_eq!(rows.bytes_read(), text.len() as u64);
    assert!(rows.next().is_none());
}

#[test]
fn progress_counts_the_file_as_it_lies_on_disk() {
    let packed = gzip(format!("t,v\n{}", "2023-01-01,1\n".repeat(1000)).as_bytes());
    let mut rows = UsageFile::open(&packed[..], None).unwrap().rows(&mapping()).unwrap();
    assert_eq!(rows.by_ref().count(), 1000);
    assert_eq!(rows.bytes_read(), packed.len() as u64);
    assert!(rows.failure().is_none());
}

#[test]
fn a_preview_shows_rows_events_and_the_problem() {
    let text = format!(
        "time,tenant,tokens,model\n2023-01-01,acme,x,small\n2024-01-01,acme,1,small\n{}",
        "2023-01-01,acme,2,small\n".repeat(30)
    );
    let seen = preview(&gzip(text.as_bytes())[..], Some("usage.csv.gz"), None, NOW).unwrap();
    assert_eq!(
        (seen.format, seen.gzip, seen.columns.len(), seen.rows.len(), seen.events.len()),
        (Format::Csv, true, 4, 20, 20)
    );
    assert_eq!(seen.problem, None);
    let json: serde_json::Value = serde_json::to_value(&seen).unwrap();
    assert_eq!(json["mapping"]["customer"], serde_json::json!({"column": "tenant"}));
    assert_eq!(json["events"][1]["error"]["message"], "`timestamp` must not lie more than 5 minutes ahead");
    assert_eq!(json["events"][2]["event"]["customerId"], "acme");

    let given = Mapping { timestamp: TimeSource { column: String::new() }, ..mapping() };
    let seen = preview(text.as_bytes(), None, Some(given), NOW).unwrap();
    assert_eq!(seen.problem.as_deref(), Some("Choose the column that holds the time."));
    assert!(seen.events.is_empty() && seen.rows.len() == 20);

    let long = format!("{{\"t\":1,\"text\":\"{}\",\"n\":[1]}}\n", "é".repeat(1000));
    let seen = preview(long.as_bytes(), None, None, NOW).unwrap();
    assert_eq!((seen.rows[0][1].chars().count(), seen.rows[0][2].as_str()), (201, "[…]"));
}

#[test]
fn a_mapping_is_read_as_it_is_written_and_refuses_what_it_does_not_know() {
    let text = r#"{"customer":{"value":"acme"},"eventType":{"column":"type"},"timestamp":{"column":"t"},"timezone":"UTC","values":[{"name":"tokens","columns":["a","b"]}],"dimensions":[{"name":"model","column":"m"},{"name":"feature","value":"chat"}],"idColumn":"id"}"#;
    let mapping: Mapping = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&mapping).unwrap(), text);
    for bad in [
        text.replace("\"idColumn\"", "\"idcolumn\""),
        text.replace("{\"value\":\"acme\"}", "{\"value\":\"acme\",\"column\":\"c\"}"),
        text.replace("\"value\":\"chat\"", "\"value\":\"chat\",\"column\":\"c\""),
        text.replace("\"timestamp\":{\"column\":\"t\"}", "\"timestamp\":\"t\""),
    ] {
        assert!(serde_json::from_str::<Mapping>(&bad).is_err(), "{bad}");
    }
    assert!(ValueSource::from_pair("tokens").is_err() && ValueSource::from_pair("=a").is_err());
    assert!(DimensionSource::value_from_pair("a=").is_err());
}
