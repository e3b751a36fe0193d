//! `weir limits`: limits from a file and as one.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::Path;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weir_http::Refusal;

use crate::args::{FileFormat, LimitsArgs, LimitsCommand};
use crate::data;
use crate::doctor::must_hold_data;
use crate::failure::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ApplyFile<'a> {
    text: &'a str,
    format: &'a str,
    preview: bool,
    archive_missing: bool,
}

#[derive(Serialize)]
struct AskedFile<'a> {
    format: &'a str,
}

#[derive(Deserialize)]
struct File {
    text: String,
}

#[derive(Deserialize)]
struct Applied {
    applied: bool,
    created: u64,
    updated: u64,
    unchanged: u64,
    archived: u64,
    changes: Vec<Change>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    action: Action,
    name: String,
    customer_id: Option<String>,
    #[serde(default)]
    before: Fields,
    #[serde(default)]
    after: Fields,
}

/// What stands in a limit, as JSON with every digit.
type Fields = BTreeMap<String, Box<RawValue>>;

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
enum Action {
    Create,
    Update,
    Archive,
}

/// Does what is asked with the limits.
pub async fn run(args: LimitsArgs) -> Result<ExitCode, Failure> {
    match args.command {
        LimitsCommand::Export { data, format } => {
            must_hold_data(&data.dir)?;
            let door = data::door(&data.dir).await?;
            let file = door.ask::<File>("limits.file", &AskedFile { format: format.as_str() }).await;
            door.close().await;
            print(&file?.text)
        }
        LimitsCommand::Apply { file, data, preview, archive_missing, format } => {
            let text = read(&file)?;
            let format = format.unwrap_or_else(|| format_of(&file)).as_str();
            let door = data::door(&data.dir).await?;
            let request = ApplyFile { text: &text, format, preview, archive_missing };
            let applied = door.ask::<Applied>("limits.apply", &request).await;
            door.close().await;
            match applied {
                Ok(applied) => print(&plan(&applied)),
                Err(refusal) => Err(refused(&file, &refusal)),
            }
        }
    }
}

/// By the ending of its name; a file without one that says anything is TOML.
fn format_of(file: &Path) -> FileFormat {
    match file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json")) {
        true => FileFormat::Json,
        false => FileFormat::Toml,
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let read = if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    read.map_err(|error| Failure::new(format!("{}: {error}", file.display())))
}

fn print(text: &str) -> Result<ExitCode, Failure> {
    let written = std::io::stdout().write_all(text.as_bytes());
    written.map_err(|error| Failure::new(format!("standard output: {error}")))?;
    Ok(ExitCode::SUCCESS)
}

/// Every fault on a line of its own, each with where it stands.
fn refused(file: &Path, refusal: &Refusal) -> Failure {
    let faults = &refusal.details.errors;
    if faults.is_empty() {
        return Failure::new(format!("{}: {}", file.display(), refusal.message));
    }
    let lines: Vec<String> = faults.iter().map(|fault| format!("{}: {}", file.display(), fault.message)).collect();
    Failure::new(format!("nothing was changed\n{}", lines.join("\n")))
}

/// What changes: a line for each limit, and below it each field that differs.
fn plan(applied: &Applied) -> String {
    let mut out = String::new();
    for change in &applied.changes {
        let sign = match change.action {
            Action::Create => '+',
            Action::Update => '~',
            Action::Archive => '-',
        };
        let whose = change.customer_id.as_ref().map_or_else(|| "every customer".to_owned(), |id| format!("`{id}`"));
        out.push_str(&format!("{sign} {} (for {whose})\n", change.name));
        if change.action == Action::Archive {
            continue;
        }
        let names: std::collections::BTreeSet<&String> = change.before.keys().chain(change.after.keys()).collect();
        for name in names {
            let text = |fields: &Fields| fields.get(name).map(|value| value.get().to_owned());
            let (before, after) = (text(&change.before), text(&change.after));
            // Who and whose is said above.
            if before == after || name == "name" || name == "customerId" {
                continue;
            }
            let after = after.unwrap_or_else(|| "nothing".to_owned());
            if before.is_none() && matches!(after.as_str(), "{}" | "[]") {
                continue;
            }
            match before {
                Some(before) => out.push_str(&format!("    {name}: {before} -> {after}\n")),
                None => out.push_str(&format!("    {name}: {after}\n")),
            }
        }
    }
    let Applied { created, updated, archived, unchanged, .. } = applied;
    let done = if applied.applied { "" } else { "would be " };
    out.push_str(&format!("{done}created {created}, changed {updated}, archived {archived}; unchanged {unchanged}\n"));
    out
}
