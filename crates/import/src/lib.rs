//! Files of usage read into event drafts: CSV and JSON Lines, plain or gzipped, row by row in bounded memory.
//!
//! ```
//! use weir_import::{DimensionSource, Mapping, Source, TimeSource, UsageFile, ValueSource};
//!
//! let file = UsageFile::open("time,tokens,model\n2024-05-01T12:00:00Z,12.5,small\n".as_bytes(), None)?;
//! let mapping = Mapping {
//!     customer: Source::Value("acme".into()),
//!     event_type: Source::Value("llm.completion".into()),
//!     timestamp: TimeSource { column: "time".into() },
//!     timezone: None,
//!     values: vec![ValueSource::from_pair("tokens=tokens")?],
//!     dimensions: vec![DimensionSource::column_from_pair("model=model")?],
//!     id_column: None,
//! };
//! for row in file.rows(&mapping)? {
//!     let row = row?;
//!     assert_eq!((row.line, row.event.values["tokens"].to_string()), (2, "12.5".to_owned()));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod delimited;
mod error;
mod file;
mod guess;
mod input;
mod json_lines;
mod mapping;
mod preview;
mod rows;

pub use error::{FileError, RowError};
pub use file::{Format, UsageFile};
pub use mapping::{DimensionSource, Mapping, PairError, Source, TimeSource, ValueSource};
pub use preview::{Preview, PreviewEvent, preview};
pub use rows::{Row, Rows};

/// The most bytes that one row may have.
const MAX_ROW: usize = 1 << 20;
const ROW_TOO_LONG: &str = "the row is longer than 1 MiB";
