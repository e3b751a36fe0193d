//! Bytes become a typed request, by one rule for every door: ids from the path, parameters from the query and members of the
//! body are merged into one JSON object, and that is read. Nothing passes through a number type on the way.

mod explain;
mod fields;
pub(crate) mod guard;
mod merge;
pub(crate) mod nearest;

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use weir_core::error::Code;

use crate::error::ApiError;
pub use fields::Fields;

pub(crate) use explain::explain;

/// What a door received.
#[derive(Clone, Copy, Debug, Default)]
pub struct Input<'a> {
    /// Ids from the path, decoded.
    pub path: &'a [(String, String)],
    /// Parameters from the query, decoded.
    pub query: &'a [(String, String)],
    /// The body; empty means `{}`.
    pub body: &'a [u8],
}

impl<'a> Input<'a> {
    /// A request that is only a body.
    pub fn body(body: &'a [u8]) -> Self {
        Input { path: &[], query: &[], body }
    }
}

/// The request as one JSON text, checked for depth, for keys given twice and for lists in the place of objects.
pub(crate) fn text<'a>(input: &Input<'a>, fields: &Fields) -> Result<Cow<'a, str>, ApiError> {
    let refuse = |message: String| Err(ApiError::new(Code::InvalidRequest, message));
    let body = match std::str::from_utf8(input.body) {
        Ok(body) => body.trim_ascii(),
        Err(error) => return refuse(format!("the body is not UTF-8: byte {} is wrong", error.valid_up_to())),
    };
    let body = if body.is_empty() { "{}" } else { body };
    if !body.starts_with('{') {
        return refuse("the body must be a JSON object".to_owned());
    }
    let text = if input.path.is_empty() && input.query.is_empty() {
        Cow::Borrowed(body)
    } else {
        Cow::Owned(merge::merge(input.path, input.query, body, fields))
    };
    guard::check(&text, fields)?;
    Ok(text)
}

/// Reads a request. Most are right, so the reason for a refusal is looked for only once one fails.
pub(crate) fn read<T: DeserializeOwned>(text: &str, fields: &Fields) -> Result<T, ApiError> {
    serde_json::from_str(text).map_err(|error| explain::<T>(text, &error, fields))
}
