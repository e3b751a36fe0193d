//! `weir doctor`: recompute everything derived from the facts, and print any difference.

use std::path::Path;
use std::process::ExitCode;

use crate::args::DataArgs;
use crate::failure::Failure;

/// Examines the data: fails if anything differs.
pub async fn run(args: DataArgs) -> Result<ExitCode, Failure> {
    must_hold_data(&args.dir)?;
    let report = weir_engine::doctor::examine(&args.dir).await?;
    for (what, count) in &report.checked {
        println!("{count:>12}  {what}");
    }
    if report.differences.is_empty() {
        println!("No difference found.");
        return Ok(ExitCode::SUCCESS);
    }
    for difference in &report.differences {
        println!("difference: {difference}");
    }
    println!("{} found.", counted(report.differences.len(), "difference"));
    Ok(ExitCode::FAILURE)
}

/// Commands that only look must not make an empty data folder.
pub fn must_hold_data(dir: &Path) -> Result<(), Failure> {
    if dir.join(weir_engine::DATA_FILE).is_file() {
        return Ok(());
    }
    Err(Failure::new(format!("there is no Weir data in {}", dir.display())))
}

fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}
