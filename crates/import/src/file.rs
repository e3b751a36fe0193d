//! A file of usage: what form it has and which columns.

use std::io::Read;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::delimited::{Delimited, Step, sniff_delimiter};
use crate::error::FileError;
use crate::input::Input;
use crate::json_lines::{JsonLines, Leaf};
use crate::mapping::Mapping;
use crate::rows::Rows;

/// How many lines of JSON are looked at for their columns.
const SNIFFED_LINES: usize = 1_000;
/// More columns than any table of usage has.
const MAX_COLUMNS: usize = 1_000;

/// The form of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "FileFormat")]
pub enum Format {
    /// Fields between commas, semicolons or tabs, under a line of names.
    Csv,
    /// A JSON object on each line.
    Jsonl,
}

/// A file of usage, opened.
pub struct UsageFile<R: Read> {
    pub(crate) input: Input<R>,
    pub(crate) table: Table,
    columns: Vec<String>,
}

/// Rows in either form.
pub(crate) enum Table {
    Csv(Box<Delimited>),
    Json(JsonLines),
}

impl Table {
    pub(crate) fn advance<R: Read>(&mut self, input: &mut Input<R>) -> std::io::Result<Step> {
        match self {
            Table::Csv(rows) => rows.advance(input),
            Table::Json(rows) => rows.advance(input),
        }
    }
}

impl<R: Read> UsageFile<R> {
    /// Looks at the beginning of a file, an upload or standard input. The name, where there is one, helps where the content leaves
    /// the form open.
    pub fn open(reader: R, name: Option<&str>) -> Result<Self, FileError> {
        Self::from_input(Input::open(reader)?, name)
    }

    pub(crate) fn from_input(mut input: Input<R>, name: Option<&str>) -> Result<Self, FileError> {
        let format = sniff(input.ahead(), name)?;
        let (table, columns) = match format {
            Format::Csv => {
                let mut rows = Delimited::new(sniff_delimiter(input.ahead()));
                let columns = header(&mut rows, &mut input)?;
                (Table::Csv(Box::new(rows)), columns)
            }
            Format::Jsonl => {
                let columns = paths(&input)?;
                (Table::Json(JsonLines::default()), columns)
            }
        };
        if columns.len() > MAX_COLUMNS {
            return Err(FileError::Format(format!("the file has more than {MAX_COLUMNS} columns")));
        }
        Ok(UsageFile { input, table, columns })
    }

    /// The form of the file.
    pub fn format(&self) -> Format {
        match self.table {
            Table::Csv(_) => Format::Csv,
            Table::Json(_) => Format::Jsonl,
        }
    }

    /// Whether the file is compressed.
    pub fn gzip(&self) -> bool {
        self.input.gzip()
    }

    /// The columns: the header of a CSV file, or the paths of the members seen at the beginning of JSON Lines.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The rows as events. Fails before any row when the mapping does not fit the file.
    pub fn rows(self, mapping: &Mapping) -> Result<Rows<R>, FileError> {
        Rows::new(self, mapping)
    }
}

/// Tells the form, and says what else a file is that is neither.
fn sniff(ahead: &[u8], name: Option<&str>) -> Result<Format, FileError> {
    let refuse = |reason: &str| Err(FileError::Format(reason.to_owned()));
    if ahead.starts_with(b"\xff\xfe") || ahead.starts_with(b"\xfe\xff") {
        return refuse("the file is UTF-16 text; save it as UTF-8");
    }
    if ahead.starts_with(b"PK\x03\x04") {
        return refuse("the file is a spreadsheet or an archive; save the table as CSV");
    }
    if ahead.iter().take(64 << 10).any(|byte| *byte == 0) {
        return refuse("the file is not text; CSV and JSON Lines are read, plain or gzipped");
    }
    let name = name.unwrap_or_default().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match ahead.trim_ascii_start().first() {
        None => Err(FileError::Empty),
        Some(b'{') => Ok(Format::Jsonl),
        Some(_) if name.ends_with(".csv") || name.ends_with(".tsv") => Ok(Format::Csv),
        Some(b'[') => refuse("the file is one JSON list; write each of its objects on a line of its own"),
        Some(_) if [".jsonl", ".ndjson", ".json"].iter().any(|end| name.ends_with(end)) => Ok(Format::Jsonl),
        Some(_) => Ok(Format::Csv),
    }
}

/// Reads the names of the columns. Columns without a name, or with that of another, get one of their own.
fn header<R: Read>(rows: &mut Delimited, input: &mut Input<R>) -> Result<Vec<String>, FileError> {
    match rows.advance(input)? {
        Step::Row => {}
        Step::Refused(refused) => {
            return Err(FileError::Format(format!("the header cannot be read: {}", refused.message)));
        }
        Step::End => return Err(FileError::Empty),
    }
    let mut columns: Vec<String> = Vec::new();
    for (index, field) in rows.fields().enumerate().take(MAX_COLUMNS + 1) {
        let Ok(name) = str::from_utf8(field) else {
            return Err(FileError::Format("the header is not UTF-8 text; save the file as UTF-8".to_owned()));
        };
        let name = match name.trim() {
            "" => format!("column {}", index + 1),
            name => name.to_owned(),
        };
        let mut unique = name.clone();
        let mut copies = 1;
        while columns.contains(&unique) {
            copies += 1;
            unique = format!("{name} ({copies})");
        }
        columns.push(unique);
    }
    Ok(columns)
}

/// The paths of all members in the lines that were looked at ahead.
fn paths<R: Read>(input: &Input<R>) -> Result<Vec<String>, FileError> {
    let mut ahead = Input::of_bytes(input.ahead_lines());
    let mut lines = JsonLines::default();
    let mut columns: Vec<String> = Vec::new();
    let mut refused = None;
    for _ in 0..SNIFFED_LINES {
        match lines.advance(&mut ahead)? {
            Step::Row => {
                for (name, _) in lines.members() {
                    if !columns.contains(name) && columns.len() <= MAX_COLUMNS {
                        columns.push(name.clone());
                    }
                }
            }
            Step::Refused(error) => refused = refused.or(Some(error)),
            Step::End => break,
        }
    }
    match refused {
        Some(error) if columns.is_empty() => Err(FileError::Format(format!("no line can be read; {error}"))),
        _ => Ok(columns),
    }
}

impl Leaf {
    /// How the leaf looks in a table.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Leaf::Text(text) | Leaf::Number(text) => text,
            Leaf::Flag(true) => "true",
            Leaf::Flag(false) => "false",
            Leaf::Null => "",
            Leaf::List => "[…]",
        }
    }
}
