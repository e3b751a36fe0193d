//! `weir chart`: a meter's usage as a picture.

use std::path::Path;
use std::process::ExitCode;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use weir_http::Door;

use crate::args::ChartArgs;
use crate::data;
use crate::doctor::must_hold_data;
use crate::failure::Failure;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewChart<'a> {
    meter_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    interval: Option<&'a str>,
    group_by: &'a [String],
    format: &'a str,
    theme: &'a str,
    width: u32,
    height: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<&'a str>,
}

#[derive(Deserialize)]
struct Picture {
    data: String,
}

#[derive(Serialize)]
struct ListMeters<'a> {
    query: &'a str,
    limit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    data: Vec<Meter>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Meter {
    id: String,
    name: String,
}

/// Draws a meter's usage.
pub async fn run(args: ChartArgs) -> Result<ExitCode, Failure> {
    let format = format(&args.out)?;
    must_hold_data(&args.data.dir)?;
    let door = data::door(&args.data.dir).await?;
    let drawn = draw(&door, &args, format).await;
    door.close().await;
    let picture =
        STANDARD.decode(drawn?.data).map_err(|error| Failure::new(format!("the picture is damaged: {error}")))?;
    std::fs::write(&args.out, picture).map_err(|error| Failure::new(format!("{}: {error}", args.out.display())))?;
    eprintln!("wrote {}", args.out.display());
    Ok(ExitCode::SUCCESS)
}

fn format(out: &Path) -> Result<&'static str, Failure> {
    match out.extension().and_then(|ending| ending.to_str()) {
        Some(ending) if ending.eq_ignore_ascii_case("svg") => Ok("svg"),
        Some(ending) if ending.eq_ignore_ascii_case("png") => Ok("png"),
        _ => Err(Failure::new(format!("{}: write to a file that ends in .svg or .png", out.display()))),
    }
}

async fn draw(door: &Door, args: &ChartArgs, format: &str) -> Result<Picture, Failure> {
    let request = NewChart {
        meter_id: meter(door, &args.meter).await?,
        customer_id: args.customer.as_deref(),
        from: args.from.as_deref(),
        to: args.to.as_deref(),
        interval: args.interval.as_deref(),
        group_by: &args.group_by,
        format,
        theme: args.theme.as_str(),
        width: args.width,
        height: args.height,
        title: args.title.as_deref(),
    };
    Ok(door.ask("charts.render", &request).await?)
}

/// The id of a meter that is named by its id or its name.
async fn meter(door: &Door, wanted: &str) -> Result<String, Failure> {
    let mut cursor = None;
    loop {
        let query = if wanted.starts_with("mtr_") { "" } else { wanted };
        let page: Page = door.ask("meters.list", &ListMeters { query, limit: 100, cursor }).await?;
        if let Some(meter) = page.data.into_iter().find(|meter| meter.id == wanted || meter.name == wanted) {
            return Ok(meter.id);
        }
        cursor = page.next_cursor;
        if cursor.is_none() {
            return Err(Failure::new(format!("there is no meter `{wanted}`")));
        }
    }
}
