//! `weir import`: a file of usage, recorded.

mod progress;
mod refused;
mod sink;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use weir_api::intake::{self, Ended};
use weir_http::Door;
use weir_import::{DimensionSource, FileError, Mapping, Rows, Source, TimeSource, UsageFile, ValueSource};

use crate::args::ImportArgs;
use crate::data;
use crate::failure::Failure;
use progress::Progress;
use refused::RefusedRows;
use sink::DoorSink;

/// The exit status when rows were refused.
const SOME_REFUSED: u8 = 2;

/// Records a file.
pub async fn run(args: ImportArgs) -> Result<ExitCode, Failure> {
    let mapping = mapping(&args)?;
    let (rows, size) = open(&args.file, mapping)?;
    let door = data::door(&args.data.dir).await?;
    let done = import(&args, rows, size, &door).await;
    door.close().await;
    done
}

fn mapping(args: &ImportArgs) -> Result<Mapping, Failure> {
    let flag = |flag: &str, error: weir_import::PairError| Failure::new(format!("--{flag}: {error}"));
    let either = |value: &Option<String>, column: &Option<String>| match (value, column) {
        (Some(value), _) => Source::Value(value.clone()),
        (None, column) => Source::Column(column.clone().unwrap_or_default()),
    };
    let mut dimensions = Vec::new();
    for pair in &args.dimensions {
        dimensions.push(DimensionSource::column_from_pair(pair).map_err(|error| flag("dimension", error))?);
    }
    for pair in &args.dimension_values {
        dimensions.push(DimensionSource::value_from_pair(pair).map_err(|error| flag("dimension-value", error))?);
    }
    let values: Result<Vec<_>, _> = args.values.iter().map(|pair| ValueSource::from_pair(pair)).collect();
    Ok(Mapping {
        customer: either(&args.customer, &args.customer_column),
        event_type: either(&args.event_type, &args.type_column),
        timestamp: TimeSource { column: args.timestamp.clone() },
        timezone: args.timezone.clone(),
        values: values.map_err(|error| flag("value", error))?,
        dimensions,
        id_column: args.id_column.clone(),
    })
}

type Reader = Box<dyn Read + Send>;

/// The rows, and the file's size where it is known.
fn open(file: &Path, mapping: Mapping) -> Result<(Rows<Reader>, Option<u64>), Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", file.display()));
    let (reader, size, name): (Reader, _, _) = if file == Path::new("-") {
        (Box::new(io::stdin()), None, None)
    } else {
        let opened = File::open(file).map_err(|error| named(&error))?;
        let about = opened.metadata().map_err(|error| named(&error))?;
        if about.is_dir() {
            return Err(named(&"is a folder"));
        }
        (Box::new(opened), about.is_file().then_some(about.len()), file.file_name().and_then(|name| name.to_str()))
    };
    let rows = UsageFile::open(reader, name).and_then(|file| file.rows(&mapping));
    Ok((rows.map_err(|error: FileError| named(&error))?, size))
}

async fn import(args: &ImportArgs, rows: Rows<Reader>, size: Option<u64>, door: &Door) -> Result<ExitCode, Failure> {
    let began = Instant::now();
    let progress = Progress::new(size);
    let mut refused = RefusedRows::new(&args.file, args.report.clone());
    let (stop, mut unwritten) = (AtomicBool::new(false), None);
    let ended = intake::run(rows, &DoorSink(door), &stop, |tally, more| {
        progress.advance(tally);
        if let Err(error) = refused.write(more) {
            unwritten.get_or_insert(error);
            stop.store(true, Ordering::Relaxed);
        }
    })
    .await;
    progress.end();
    let report = refused.finish();
    if let Some(failure) = unwritten {
        return Err(failure);
    }
    let report = report?;
    let tally = ended
        .map_err(|ended: Ended| Failure::new(format!("{}: {ended}. Run it again to go on", args.file.display())))?;
    println!(
        "{} rows in {:.1} s: {} recorded, {} already there, {} refused",
        tally.rows,
        began.elapsed().as_secs_f64(),
        tally.recorded,
        tally.duplicates,
        tally.refused
    );
    match report {
        None => Ok(ExitCode::SUCCESS),
        Some(path) => {
            eprintln!("the refused rows are listed in {}", path.display());
            Ok(ExitCode::from(SOME_REFUSED))
        }
    }
}
