//! `weir keys`: make, list and revoke API keys.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use weir_core::time::Timestamp;
use weir_engine::{Clock, SystemClock};
use weir_http::Door;

use crate::args::{KeysArgs, KeysCommand};
use crate::data;
use crate::failure::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewKey<'a> {
    name: &'a str,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<&'a str>,
    per_minute: Option<u32>,
    per_day: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rotate<'a> {
    id: &'a str,
    overlap_seconds: u32,
}

#[derive(Deserialize)]
struct Made {
    key: String,
}

#[derive(Serialize)]
struct ListKeys {
    limit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Key>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Key {
    id: String,
    name: String,
    scope: String,
    prefix: String,
    created_at: String,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    per_minute: Option<u32>,
    per_day: Option<u32>,
}

#[derive(Serialize)]
struct ById<'a> {
    id: &'a str,
}

#[derive(Deserialize)]
struct Done {}

/// Does what is asked with the keys.
pub async fn run(args: KeysArgs) -> Result<ExitCode, Failure> {
    let (KeysCommand::Create { data, .. }
    | KeysCommand::Rotate { data, .. }
    | KeysCommand::List { data }
    | KeysCommand::Revoke { data, .. }) = &args.command;
    let door = data::door(&data.dir).await?;
    let done = act(&door, &args.command).await;
    door.close().await;
    done?;
    Ok(ExitCode::SUCCESS)
}

async fn act(door: &Door, command: &KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::Create { name, scope, expires, per_minute, per_day, .. } => {
            let (per_minute, per_day) = (per_minute.0, per_day.0);
            let request = NewKey { name, scope: scope.as_str(), expires_at: expires.as_deref(), per_minute, per_day };
            let made: Made = door.ask("keys.create", &request).await?;
            println!("{}", made.key);
        }
        KeysCommand::Rotate { id, overlap, .. } => {
            let made: Made = door.ask("keys.rotate", &Rotate { id, overlap_seconds: *overlap }).await?;
            println!("{}", made.key);
        }
        KeysCommand::List { .. } => list(door).await?,
        KeysCommand::Revoke { id, .. } => {
            let Done {} = door.ask("keys.revoke", &ById { id }).await?;
            eprintln!("revoked {id}");
        }
    }
    Ok(())
}

async fn list(door: &Door) -> Result<(), Failure> {
    let mut rows = vec![["ID", "NAME", "SCOPE", "KEY", "CALLS", "CREATED", "LAST USED", "STATE"].map(str::to_owned)];
    let (mut cursor, now) = (None, SystemClock.now());
    loop {
        let page: Page = door.ask("keys.list", &ListKeys { limit: 100, cursor }).await?;
        rows.extend(page.data.into_iter().map(|key| row(key, now)));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 8] = std::array::from_fn(width);
    for row in &rows {
        let line: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        println!("{}", line.join("  ").trim_end());
    }
    Ok(())
}

fn row(key: Key, now: Timestamp) -> [String; 8] {
    let is_over = |at: &String| at.parse::<Timestamp>().is_ok_and(|at| at <= now);
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {at}"),
        (None, Some(at)) if is_over(&at) => format!("expired {at}"),
        (None, Some(at)) => format!("expires {at}"),
        (None, None) => "live".to_owned(),
    };
    let used = key.last_used_at.unwrap_or_else(|| "never".to_owned());
    let calls = [(key.per_minute, "minute"), (key.per_day, "day")];
    let calls: Vec<String> = calls.iter().filter_map(|(most, span)| Some(format!("{}/{span}", (*most)?))).collect();
    let calls = if calls.is_empty() { "any number".to_owned() } else { calls.join(" ") };
    [key.id, key.name, key.scope, key.prefix, calls, key.created_at, used, state]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_said_to_have_expired_once_it_has() {
        let state = |expires_at: Option<&str>, revoked_at: Option<&str>| {
            let key = serde_json::json!({
                "id": "key_1", "name": "n", "scope": "read", "prefix": "weir_sk_", "createdAt": "2026-03-01T00:00:00Z",
                "expiresAt": expires_at, "revokedAt": revoked_at,
            });
            row(serde_json::from_value(key).unwrap(), "2026-03-10T12:00:00Z".parse().unwrap())[7].clone()
        };
        let (now, later) = ("2026-03-10T12:00:00Z", "2026-03-10T12:00:00.000001Z");
        assert_eq!(state(Some(later), None), format!("expires {later}"));
        assert_eq!(state(Some(now), None), format!("expired {now}"));
        assert_eq!(state(Some(now), Some(later)), format!("revoked {later}"));
        assert_eq!(state(None, None), "live");
    }
}
