//! The report of refused rows: a CSV file with line, code and reason of each, made when the first one is refused.

use std::fs::File;
use std::path::{Path, PathBuf};

use weir_api::intake::RefusedRow;

use crate::failure::Failure;

/// Where the report goes when the rows come from standard input.
const OF_STDIN: &str = "weir-import-report.csv";

/// The report of refused rows.
pub struct RefusedRows {
    path: PathBuf,
    writer: Option<csv::Writer<File>>,
}

impl RefusedRows {
    /// A report on the import of a file, at `path` or beside the file.
    pub fn new(file: &Path, path: Option<PathBuf>) -> Self {
        let beside = || {
            if file == Path::new("-") {
                return PathBuf::from(OF_STDIN);
            }
            let mut name = file.file_name().unwrap_or_default().to_owned();
            name.push(".refused.csv");
            file.with_file_name(name)
        };
        RefusedRows { path: path.unwrap_or_else(beside), writer: None }
    }

    /// Adds rows.
    pub fn write(&mut self, rows: Vec<RefusedRow>) -> Result<(), Failure> {
        if rows.is_empty() {
            return Ok(());
        }
        let failed = |error: &dyn std::fmt::Display| cannot(&self.path, error);
        let writer = match &mut self.writer {
            Some(writer) => writer,
            none => {
                let mut writer = csv::Writer::from_path(&self.path).map_err(|error| failed(&error))?;
                writer.write_record(["line", "code", "reason"]).map_err(|error| failed(&error))?;
                none.insert(writer)
            }
        };
        for RefusedRow { line, code, message } in rows {
            writer.write_record([line.to_string(), code, message]).map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// Where the report lies, if there is one.
    pub fn finish(self) -> Result<Option<PathBuf>, Failure> {
        let Some(mut writer) = self.writer else { return Ok(None) };
        writer.flush().map_err(|error| cannot(&self.path, &error))?;
        Ok(Some(self.path))
    }
}

fn cannot(path: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!(
        "refused rows cannot be listed in {}: {error}; name another file with --report",
        path.display()
    ))
}
