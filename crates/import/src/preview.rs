//! The first rows of a file, as they stand and as they would be recorded.

use std::io::Read;

use schemars::JsonSchema;
use serde::Serialize;
use weir_core::event::EventInput;
use weir_core::time::Timestamp;

use crate::delimited::Step;
use crate::error::{FileError, RowError};
use crate::file::{Format, Table, UsageFile};
use crate::input::Input;
use crate::mapping::Mapping;
use crate::rows::Row;

/// How many rows are shown.
const SHOWN_ROWS: usize = 20;
/// How much of a long cell is shown, in characters.
const SHOWN_TEXT: usize = 200;

/// What a file looks like under a mapping.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The form of the file.
    pub format: Format,
    /// Whether it is compressed.
    pub gzip: bool,
    /// Its columns.
    pub columns: Vec<String>,
    /// Its first rows, by column, long texts cut.
    pub rows: Vec<Vec<String>>,
    /// The mapping that was given, or the likeliest.
    pub mapping: Mapping,
    /// The first rows as they would be recorded; none while there is a problem.
    pub events: Vec<PreviewEvent>,
    /// Why the mapping does not work yet, for a person.
    pub problem: Option<String>,
}

/// A row as it would be recorded, or why it would not.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PreviewEvent {
    /// It becomes this event.
    Event {
        /// The line on which the row begins.
        line: u64,
        /// The event.
        event: Box<EventInput>,
    },
    /// It would be refused.
    Refused {
        /// The line on which the row begins.
        line: u64,
        /// Why.
        error: PreviewError,
    },
}

/// Why a row would be refused.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PreviewError {
    /// Which rule, by its name on the wire.
    pub code: String,
    /// What is wrong, naming the column or field.
    pub message: String,
}

/// Reads the first rows of a file under a mapping, or under the likeliest one. `now` bounds how late an event may be.
pub fn preview<R: Read>(
    reader: R,
    name: Option<&str>,
    mapping: Option<Mapping>,
    now: Timestamp,
) -> Result<Preview, FileError> {
    let input = Input::open(reader)?;
    let open = || UsageFile::from_input(Input::of_bytes(input.ahead_lines()), name);
    let mut file = open()?;
    let (format, columns) = (file.format(), file.columns().to_vec());
    let rows = first_rows(&mut file)?;
    let mapping = mapping.unwrap_or_else(|| Mapping::guess(&columns, &rows));
    let (events, problem) = match open()?.rows(&mapping) {
        Ok(rows) => (rows.take(SHOWN_ROWS).map(|row| shown(row, now)).collect(), None),
        Err(FileError::Mapping(problem)) => (Vec::new(), Some(problem)),
        Err(error) => return Err(error),
    };
    let rows = rows.into_iter().map(|row| row.into_iter().map(cut).collect()).collect();
    Ok(Preview { format, gzip: input.gzip(), columns, rows, mapping, events, problem })
}

/// The first rows that can be read, with a cell for each column.
fn first_rows<R: Read>(file: &mut UsageFile<R>) -> Result<Vec<Vec<String>>, FileError> {
    let columns = file.columns().to_vec();
    let mut shown = Vec::new();
    for _ in 0..SHOWN_ROWS {
        match file.table.advance(&mut file.input)? {
            Step::Row => {}
            Step::Refused(_) => continue,
            Step::End => break,
        }
        shown.push(match &file.table {
            Table::Csv(rows) => {
                let cell = |index| {
                    rows.field(index).map(|field| String::from_utf8_lossy(field).into_owned()).unwrap_or_default()
                };
                (0..columns.len()).map(cell).collect()
            }
            Table::Json(rows) => columns
                .iter()
                .map(|name| rows.member(name).map(|leaf| leaf.shown().to_owned()).unwrap_or_default())
                .collect(),
        });
    }
    Ok(shown)
}

fn shown(row: Result<Row, RowError>, now: Timestamp) -> PreviewEvent {
    let checked = row.and_then(|row| {
        let (line, event) = (row.line, Box::new(row.event.clone()));
        row.check(now).map(|_| PreviewEvent::Event { line, event })
    });
    checked.unwrap_or_else(|RowError { line, code, message }| PreviewEvent::Refused {
        line,
        error: PreviewError { code: code.as_str().to_owned(), message },
    })
}

fn cut(text: String) -> String {
    match text.char_indices().nth(SHOWN_TEXT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
