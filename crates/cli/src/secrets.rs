//! `weir secrets`: where the key of signing secrets is kept.

use std::path::Path;
use std::process::ExitCode;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::args::{SecretsArgs, SecretsCommand};
use crate::data;
use crate::doctor::must_hold_data;
use crate::failure::Failure;

#[derive(Serialize)]
struct Nothing {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Keep<'a> {
    store: &'a str,
    new_key: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct State {
    store: Option<String>,
    has_key: bool,
    file_left: bool,
    error: Option<String>,
}

/// Says where the key is kept, after it was moved if that was asked.
pub async fn run(args: SecretsArgs) -> Result<ExitCode, Failure> {
    let state: State = match (args.command, args.data) {
        (Some(SecretsCommand::Use { store, data, new_key }), _) => {
            ask(&data.dir, "secrets.update", &Keep { store: store.as_str(), new_key }).await?
        }
        (None, Some(data)) => {
            must_hold_data(&data.dir)?;
            ask(&data.dir, "secrets.get", &Nothing {}).await?
        }
        (None, None) => return Err(Failure::new("say where the data lies: --data DIR")),
    };
    println!("{}", place(&state));
    if state.file_left {
        println!("Beside the data there still is a file secret.key. It is not used.");
    }
    match state.error {
        Some(error) => Err(Failure::new(error)),
        None => Ok(ExitCode::SUCCESS),
    }
}

async fn ask<T: DeserializeOwned>(dir: &Path, operation: &str, request: &impl Serialize) -> Result<T, Failure> {
    let door = data::door(dir).await?;
    let answer = door.ask(operation, request).await;
    door.close().await;
    Ok(answer?)
}

fn place(state: &State) -> String {
    let place = match state.store.as_deref() {
        Some("keyring") => "in the keyring of the system",
        Some("file") => "in secret.key beside the data, which only its user can read",
        Some("environment") => "in WEIR_SECRET_KEY, where Weir is started",
        Some(other) => other,
        None => return "Nobody has chosen yet where the key of signing secrets is kept.".to_owned(),
    };
    let made = if state.has_key || state.error.is_some() { "" } else { " It is made for the first endpoint." };
    format!("The key of signing secrets is kept {place}.{made}")
}
