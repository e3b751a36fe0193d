//! Limits as a file: written from those in force, read back as a list that is put into force.
//!
//! In TOML each limit is a `[[limit]]` table with the fields that `limits.sync` takes. Whole quantities are written as integers and
//! others as texts, so that any TOML tool keeps every digit; read are integers, decimals and texts alike, by their digits, and
//! no number is ever a float on the way. In JSON the file is the body of `limits.sync`.

mod toml;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use schemars::{JsonSchema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use weir_core::error::{Code, Fault};
use weir_engine::Engine;
use weir_engine::model::{StatedLimit, SyncLimits};

use crate::error::{ApiError, Details, ItemError};
use crate::request::{self, Fields, guard};

/// Most faults that one answer lists.
const MAX_LISTED: usize = 1_000;

/// How a file of limits is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "LimitFileFormat")]
pub enum Format {
    /// `[[limit]]` tables.
    #[default]
    Toml,
    /// `{"limits": [...]}`.
    Json,
}

/// Limits as a text that [`read`] reads.
pub(crate) fn write(format: Format, limits: &[StatedLimit]) -> Result<String, ApiError> {
    let broken = |error: serde_json::Error| {
        ApiError::new(Code::InternalError, format!("the limits could not be written: {error}"))
    };
    match format {
        Format::Toml => Ok(toml::write(limits)),
        Format::Json => {
            #[derive(Serialize)]
            struct File<'a> {
                limits: &'a [StatedLimit],
            }
            serde_json::to_string_pretty(&File { limits }).map(|text| text + "\n").map_err(broken)
        }
    }
}

/// A limit of a file before it is read: its JSON, and where it stands.
pub(crate) struct Entry {
    json: String,
    place: Option<Place>,
}

/// Where a limit of a file stands, counted from 1.
struct Place {
    line: usize,
    fields: BTreeMap<String, usize>,
}

/// The limits of a file; or everything that is wrong with any of them.
pub(crate) fn read(engine: &Engine, format: Format, text: &str) -> Result<Vec<StatedLimit>, ApiError> {
    let entries = match format {
        Format::Toml => toml::entries(text)?,
        Format::Json => {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct File<'a> {
                #[serde(borrow)]
                limits: Vec<&'a RawValue>,
            }
            guard::check(text, &fields_of::<SyncLimits>())?;
            let file: File<'_> = serde_json::from_str(text)
                .map_err(|error| Fault::invalid("text", format_args!("is not `{{\"limits\": [...]}}`: {error}")))?;
            file.limits.iter().map(|limit| Entry { json: limit.get().to_owned(), place: None }).collect()
        }
    };
    read_entries(engine, &entries)
}

/// Reads the limits of a list one by one, so that whatever is wrong with any of them is said at once.
pub(crate) fn read_entries(engine: &Engine, entries: &[Entry]) -> Result<Vec<StatedLimit>, ApiError> {
    SyncLimits::check_length(entries.len())?;
    let (mut limits, mut refused) = (Vec::with_capacity(entries.len()), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        match request::read::<StatedLimit>(&entry.json, fields()) {
            Ok(limit) => limits.push((index, limit)),
            Err(error) => refused.push((index, error)),
        }
    }
    // Each is read; whether they also may be put into force is looked at in the same go.
    refused.extend(engine.limit_faults(limits.clone()).into_iter().map(|(index, fault)| (index, fault.into())));
    if refused.is_empty() {
        return Ok(limits.into_iter().map(|(_, limit)| limit).collect());
    }
    refused.sort_by_key(|(index, _)| *index);
    Err(of_limits(
        refused.into_iter().map(|(index, error)| item(index, error, entries[index].place.as_ref())).collect(),
    ))
}

/// The limits of a request that could not be read as a whole.
pub(crate) fn faults(engine: &Engine, text: &str) -> Option<ApiError> {
    #[derive(Deserialize)]
    struct Raw<'a> {
        #[serde(borrow)]
        limits: Vec<&'a RawValue>,
    }
    // What is wrong outside the limits is said by the general rule.
    let raw: Raw<'_> = serde_json::from_str(text).ok()?;
    let entries: Vec<Entry> =
        raw.limits.iter().map(|limit| Entry { json: limit.get().to_owned(), place: None }).collect();
    read_entries(engine, &entries).err()
}

/// The fields of a limit in a list.
fn fields() -> &'static Fields {
    static FIELDS: OnceLock<Fields> = OnceLock::new();
    FIELDS.get_or_init(fields_of::<StatedLimit>)
}

fn fields_of<T: JsonSchema>() -> Fields {
    let mut generator = SchemaGenerator::default();
    let schema = generator.subschema_for::<T>().to_value();
    Fields::of(&schema, generator.definitions())
}

/// A fault of one limit, its field seen from the list, its message beginning with the line where it stands.
fn item(index: usize, error: ApiError, place: Option<&Place>) -> ItemError {
    let parent = format!("limits[{index}]");
    let own = error.details.field;
    let (field, message) = match &own {
        None => (parent.clone(), error.message.replace("the request", &format!("`{parent}`"))),
        Some(field) => {
            let whole = format!("{parent}.{field}");
            (whole.clone(), error.message.replacen(&format!("`{field}`"), &format!("`{whole}`"), 1))
        }
    };
    let line = place.map(|place| {
        let first = own.as_deref().and_then(|field| field.split(['.', '[']).next()).unwrap_or_default();
        place.fields.get(first).copied().unwrap_or(place.line)
    });
    let message = line.map_or_else(|| message.clone(), |line| format!("line {line}: {message}"));
    ItemError { index, field: Some(field), code: error.code, message }
}

/// The faults of a list of limits; nothing of it was done.
pub(crate) fn of_limits(errors: Vec<ItemError>) -> ApiError {
    let Some(first) = errors.first() else {
        return ApiError::new(Code::InvalidRequest, "the limits cannot be put into force");
    };
    let message = match errors.len() {
        1 => format!("{}; nothing was changed", first.message),
        many => format!("{many} faults; nothing was changed. The first: {}", first.message),
    };
    let (code, field) = (first.code, first.field.clone());
    let shown = errors.len().min(MAX_LISTED);
    ApiError { code, message, details: Details { field, errors: errors[..shown].to_vec(), ..Details::default() } }
}

/// The engine's faults of a list.
pub(crate) fn of_engine(error: weir_engine::Error) -> ApiError {
    match error {
        weir_engine::Error::Faults(faults) if !faults.is_empty() => {
            of_limits(faults.into_iter().map(|(index, fault)| item(index, fault.into(), None)).collect())
        }
        error => error.into(),
    }
}
