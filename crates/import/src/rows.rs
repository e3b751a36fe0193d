//! Rows as events, each under a key that the same row has again when the file is read again.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::Read;

use sha2::{Digest, Sha256};
use weir_core::event::{EventDraft, EventInput};
use weir_core::quantity::Quantity;
use weir_core::time::{Timestamp, Zone};

use crate::delimited::Step;
use crate::error::{FileError, RowError};
use crate::file::{Table, UsageFile};
use crate::input::Input;
use crate::json_lines::Leaf;
use crate::mapping::{DimensionSource, Mapping, Source};

/// A row as an event.
#[derive(Clone, Debug)]
pub struct Row {
    /// The line of the file on which the row begins.
    pub line: u64,
    /// The event it stands for, under the row's key.
    pub event: EventInput,
}

impl Row {
    /// Checks the event as the engine would at `now`.
    pub fn check(self, now: Timestamp) -> Result<EventDraft, RowError> {
        self.event.validate(now).map_err(|fault| RowError::from_fault(self.line, fault))
    }
}

/// Reads a file's rows one after another. Memory grows only where there is no id column, by 20 to 50 bytes for each different row.
pub struct Rows<R: Read> {
    input: Input<R>,
    table: Table,
    columns: Vec<String>,
    plan: Plan,
    seen: Occurrences,
    failure: Option<std::io::Error>,
    over: bool,
}

/// The mapping with its columns looked up.
struct Plan {
    customer: Text,
    event_type: Text,
    timestamp: usize,
    zone: Zone,
    values: Vec<(String, Vec<usize>)>,
    dimensions: Vec<(String, Text)>,
    id: Option<usize>,
}

enum Text {
    Fixed(String),
    Column(usize),
}

/// A cell that holds something.
enum Cell<'a> {
    Text(&'a str),
    /// A JSON number: its digits, perhaps with an exponent.
    Number(&'a str),
    List,
}

impl<R: Read> Rows<R> {
    pub(crate) fn new(file: UsageFile<R>, mapping: &Mapping) -> Result<Self, FileError> {
        let columns = file.columns().to_vec();
        if let Some(problem) = mapping.problem(&columns) {
            return Err(FileError::Mapping(problem));
        }
        let plan = Plan::new(mapping, &columns)?;
        let UsageFile { input, table, .. } = file;
        Ok(Rows { input, table, columns, plan, seen: Occurrences::default(), failure: None, over: false })
    }

    /// Bytes taken so far of the file as it lies on disk, for progress.
    pub fn bytes_read(&self) -> u64 {
        self.input.taken()
    }

    /// Why the file could not be read to its end, once the rows are over: the disk failed, or the compressed data is cut off.
    pub fn failure(&self) -> Option<&std::io::Error> {
        self.failure.as_ref()
    }

    /// The row that was just read, as an event.
    fn event(&mut self) -> Result<Row, RowError> {
        let line = self.line();
        self.check_shape(line)?;
        // First of all, so that the key of a row does not depend on what is mapped.
        let key = match self.plan.id {
            Some(column) => self.text(line, column)?.ok_or_else(|| RowError::missing(line, &self.columns[column]))?,
            None => self.content_key(),
        };
        let required = |text: &Text| match text {
            Text::Fixed(text) => Ok(text.clone()),
            Text::Column(column) => {
                self.text(line, *column)?.ok_or_else(|| RowError::missing(line, &self.columns[*column]))
            }
        };
        let mut event = EventInput {
            customer_id: required(&self.plan.customer)?,
            event_type: required(&self.plan.event_type)?,
            timestamp: Some(self.timestamp(line)?),
            idempotency_key: Some(key),
            ..EventInput::default()
        };
        for (name, columns) in &self.plan.values {
            if let Some(value) = self.total(line, columns)? {
                event.values.insert(name.clone(), value);
            }
        }
        for (name, text) in &self.plan.dimensions {
            let text = match text {
                Text::Fixed(text) => Some(text.clone()),
                Text::Column(column) => self.text(line, *column)?,
            };
            if let Some(text) = text {
                event.dimensions.insert(name.clone(), text);
            }
        }
        Ok(Row { line, event })
    }

    fn line(&self) -> u64 {
        match &self.table {
            Table::Csv(rows) => rows.line(),
            Table::Json(rows) => rows.line(),
        }
    }

    /// A row must have as many fields as the header, each of them text.
    fn check_shape(&self, line: u64) -> Result<(), RowError> {
        let Table::Csv(rows) = &self.table else { return Ok(()) };
        if rows.len() != self.columns.len() {
            let fields = if rows.len() == 1 { "1 field".to_owned() } else { format!("{} fields", rows.len()) };
            return Err(RowError::unreadable(line, format!("the row has {fields}, the header {}", self.columns.len())));
        }
        match rows.fields().position(|field| str::from_utf8(field).is_err()) {
            Some(index) => {
                Err(RowError::unreadable(line, format!("column `{}` is not UTF-8 text", self.columns[index])))
            }
            None => Ok(()),
        }
    }

    /// A row's content and which of its kind it is: the same again when the file is read again, also when it has grown.
    fn content_key(&mut self) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_le_bytes());
            hash.update(bytes);
        };
        match &self.table {
            Table::Csv(rows) => rows.fields().for_each(part),
            Table::Json(rows) => part(rows.content()),
        }
        let mut content = [0; 16];
        content.copy_from_slice(&hash.finalize()[..16]);
        format!("row:{:032x}:{}", u128::from_be_bytes(content), self.seen.next(content))
    }

    /// What a cell holds, if anything.
    fn cell(&self, column: usize) -> Option<Cell<'_>> {
        match &self.table {
            Table::Csv(rows) => {
                let text = str::from_utf8(rows.field(column)?).ok()?;
                (!text.is_empty()).then_some(Cell::Text(text))
            }
            Table::Json(rows) => match rows.member(&self.columns[column])? {
                Leaf::Null => None,
                Leaf::Text(text) if text.is_empty() => None,
                Leaf::Text(text) => Some(Cell::Text(text)),
                Leaf::Number(digits) => Some(Cell::Number(digits)),
                Leaf::List => Some(Cell::List),
                flag @ Leaf::Flag(_) => Some(Cell::Text(flag.shown())),
            },
        }
    }

    fn text(&self, line: u64, column: usize) -> Result<Option<String>, RowError> {
        match self.cell(column) {
            None => Ok(None),
            Some(Cell::Text(text) | Cell::Number(text)) => Ok(Some(text.to_owned())),
            Some(Cell::List) => Err(self.is_list(line, column)),
        }
    }

    fn is_list(&self, line: u64, column: usize) -> RowError {
        RowError::invalid(line, &self.columns[column], "holds a list, not one value")
    }

    fn timestamp(&self, line: u64) -> Result<Timestamp, RowError> {
        let column = self.plan.timestamp;
        let name = &self.columns[column];
        let text = self
            .text(line, column)?
            .filter(|text| !text.trim().is_empty())
            .ok_or_else(|| RowError::missing(line, name))?;
        Timestamp::parse_loose(&text, self.plan.zone)
            .map_err(|error| RowError::invalid(line, name, format_args!("is no time that can be read: {error}")))
    }

    /// The exact sum of the cells that hold something; none if none does.
    fn total(&self, line: u64, columns: &[usize]) -> Result<Option<Quantity>, RowError> {
        let mut sum: Option<Quantity> = None;
        for column in columns {
            let parsed = match self.cell(*column) {
                None => continue,
                Some(Cell::Text(text)) if text.trim().is_empty() => continue,
                Some(Cell::Text(text)) => Quantity::parse(text.trim()),
                Some(Cell::Number(digits)) => Quantity::parse_json_number(digits),
                Some(Cell::List) => return Err(self.is_list(line, *column)),
            };
            let invalid = |error: &dyn std::fmt::Display| RowError::invalid(line, &self.columns[*column], error);
            let value = parsed.map_err(|error| invalid(&error))?;
            sum = Some(sum.unwrap_or_default().checked_add(value).map_err(|error| invalid(&error))?);
        }
        // A sum obeys the bound of a value that was sent as one.
        match sum.map(|sum| Quantity::parse(&sum.to_string())) {
            Some(Err(error)) => {
                let names = columns.iter().map(|column| self.columns[*column].as_str()).collect::<Vec<_>>().join(" + ");
                Err(RowError::invalid(line, &names, error))
            }
            _ => Ok(sum),
        }
    }
}

impl<R: Read> Iterator for Rows<R> {
    type Item = Result<Row, RowError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        match self.table.advance(&mut self.input) {
            Ok(Step::Row) => Some(self.event()),
            Ok(Step::Refused(error)) => Some(Err(error)),
            Ok(Step::End) => {
                self.over = true;
                None
            }
            Err(error) => {
                self.over = true;
                self.failure = Some(error);
                None
            }
        }
    }
}

impl Plan {
    fn new(mapping: &Mapping, columns: &[String]) -> Result<Self, FileError> {
        let find = |name: &String| {
            columns
                .iter()
                .position(|column| column == name)
                .ok_or_else(|| FileError::Mapping(format!("The file has no column `{name}`.")))
        };
        let text = |source: &Source| match source {
            Source::Value(text) => Ok(Text::Fixed(text.clone())),
            Source::Column(column) => find(column).map(Text::Column),
        };
        let dimension = |dimension: &DimensionSource| -> Result<_, FileError> {
            Ok(match dimension {
                DimensionSource::Column { name, column } => (name.clone(), Text::Column(find(column)?)),
                DimensionSource::Value { name, value } => (name.clone(), Text::Fixed(value.clone())),
            })
        };
        Ok(Plan {
            customer: text(&mapping.customer)?,
            event_type: text(&mapping.event_type)?,
            timestamp: find(&mapping.timestamp.column)?,
            zone: mapping.zone().map_err(FileError::Mapping)?,
            values: mapping
                .values
                .iter()
                .map(|value| Ok((value.name.clone(), value.columns.iter().map(find).collect::<Result<_, _>>()?)))
                .collect::<Result<_, FileError>>()?,
            dimensions: mapping.dimensions.iter().map(dimension).collect::<Result<_, _>>()?,
            id: mapping.id_column.as_ref().map(find).transpose()?,
        })
    }
}

/// How often each content was met. Contents are hashes, so a bit of one is hash enough for the table.
#[derive(Default)]
struct Occurrences(HashMap<[u8; 16], u32, BuildHasherDefault<FirstBytes>>);

impl Occurrences {
    fn next(&mut self, content: [u8; 16]) -> u32 {
        let count = self.0.entry(content).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

#[derive(Default)]
struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn write(&mut self, bytes: &[u8]) {
        for (shift, byte) in bytes.iter().take(8).enumerate() {
            self.0 ^= u64::from(*byte) << (8 * shift);
        }
    }

    // The table writes a key's length, which is always the same, before its bytes.
    fn write_usize(&mut self, _: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
