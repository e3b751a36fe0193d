//! What a caller is told when an operation does not happen: a closed list of codes, a sentence for people, and which field.

use std::fmt;

use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};
use weir_core::error::{Code, Fault};
use weir_engine::Headers;
use weir_engine::model::{CheckedBalance, CheckedLimit, RateStanding, Refused};

use crate::answer::{Quantities, to_bytes};

/// Most faults that one answer lists.
const MAX_LISTED: usize = 1_000;

/// Why an operation did not happen.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ApiError {
    /// The rule.
    pub code: Code,
    /// What is wrong, for a person.
    pub message: String,
    /// Where exactly.
    pub details: Details,
}

/// Where exactly something is wrong, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// The field at fault, as a path such as `eventFilter.eventType`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The known field that an unknown one is nearest to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The faults of a batch.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ItemError>,
    /// When to ask again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
    /// What refused an event.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Box<RefusedBy>>,
}

/// What refused an event.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedBy {
    /// The rate limits that refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rate_limits: Vec<RateStanding>,
    /// The limits that refuse.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub limits: Vec<CheckedLimit>,
    /// The balances that cannot pay.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub balances: Vec<CheckedBalance>,
    /// What also stands in headers.
    #[serde(skip)]
    pub headers: Headers,
}

impl Details {
    fn is_empty(&self) -> bool {
        *self == Details::default()
    }
}

/// What is wrong with one item of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ItemError {
    /// Which item, from 0.
    pub index: usize,
    /// The field at fault, as a path from the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule.
    #[serde(serialize_with = "word")]
    pub code: Code,
    /// What is wrong, for a person.
    pub message: String,
}

fn word<S: Serializer>(code: &Code, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(code.as_str())
}

impl ApiError {
    /// A fault of the request as a whole.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        ApiError { code, message: message.into(), details: Details::default() }
    }

    /// A field whose value is out of bounds.
    pub fn invalid(field: impl Into<String>, reason: impl fmt::Display) -> Self {
        Fault::invalid(field, reason).into()
    }

    /// Something that was asked for by an id it does not have.
    pub fn not_found(code: Code, thing: &str, id: &str) -> Self {
        let shown: String = id.chars().take(64).collect();
        ApiError::new(code, format!("there is no {thing} `{shown}`"))
    }

    /// The faults of a batch, by index; nothing of it was done.
    pub fn of_items(errors: Vec<ItemError>, total: usize) -> Self {
        let shown = errors.len().min(MAX_LISTED);
        let first = &errors[0];
        let message = match errors.len() {
            1 => {
                format!("event {} of {total} cannot be recorded: {}; nothing was recorded", first.index, first.message)
            }
            many => format!(
                "{many} of {total} events cannot be recorded; nothing was recorded. The first: {}",
                first.message
            ),
        };
        let (code, field) = (first.code, first.field.clone());
        ApiError { code, message, details: Details { field, errors: errors[..shown].to_vec(), ..Details::default() } }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.code.status()
    }

    /// The answer's body: `{"error": {...}}`.
    pub fn body(&self, request_id: &str, quantities: Quantities) -> String {
        let written = to_bytes(&Envelope { error: Body { error: self, request_id } }, quantities);
        written.ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_else(|| {
            // Texts, numbers and lists of them can always be written.
            r#"{"error":{"code":"internal_error","message":"the error could not be written","status":500}}"#.to_owned()
        })
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: Body<'a>,
}

struct Body<'a> {
    error: &'a ApiError,
    request_id: &'a str,
}

impl Serialize for Body<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut body = serializer.serialize_struct("ApiError", 5)?;
        body.serialize_field("code", self.error.code.as_str())?;
        body.serialize_field("message", &self.error.message)?;
        body.serialize_field("status", &self.error.status())?;
        body.serialize_field("requestId", self.request_id)?;
        if !self.error.details.is_empty() {
            body.serialize_field("details", &self.error.details)?;
        }
        body.end()
    }
}

impl From<Fault> for ApiError {
    fn from(fault: Fault) -> Self {
        ApiError {
            code: fault.code,
            message: fault.message,
            details: Details { field: fault.field, ..Details::default() },
        }
    }
}

impl From<weir_engine::Error> for ApiError {
    fn from(error: weir_engine::Error) -> Self {
        use weir_engine::Error;
        let (code, message) = (error.code(), error.to_string());
        match error {
            Error::Fault(fault) => fault.into(),
            Error::Faults(faults) => {
                let errors: Vec<ItemError> = faults.into_iter().map(|(index, fault)| item(index, fault)).collect();
                let total = errors.len();
                if errors.is_empty() { ApiError::new(code, message) } else { ApiError::of_items(errors, total) }
            }
            Error::Busy { retry_after_seconds, .. } | Error::TooManyCalls { retry_after_seconds, .. } => ApiError {
                details: Details { retry_after_seconds: Some(retry_after_seconds), ..Details::default() },
                ..ApiError::new(code, message)
            },
            Error::Refused(refused) => ApiError {
                details: Details {
                    retry_after_seconds: refused.retry_after_seconds,
                    refused: Some(Box::new(RefusedBy {
                        headers: headers_of(&refused),
                        rate_limits: refused.rate_limits,
                        limits: refused.limits,
                        balances: refused.balances,
                    })),
                    ..Details::default()
                },
                ..ApiError::new(code, message)
            },
            Error::Closed => ApiError {
                details: Details { retry_after_seconds: Some(1), ..Details::default() },
                ..ApiError::new(code, message)
            },
            Error::Unknown(_) | Error::Storage(_) => {
                tracing::error!(%message, "an operation failed");
                ApiError::new(code, message)
            }
        }
    }
}

/// The headers of a refused event.
fn headers_of(refused: &Refused) -> Headers {
    let mut headers = refused.tightest.as_ref().map(rate_headers).unwrap_or_default();
    if let (Some(meter), Some(limit)) = (&refused.meter, refused.limits.first()) {
        headers.push(("x-quota-metric".into(), meter.clone()));
        headers.push(("x-quota-period".into(), limit.period.to_string()));
        headers.extend(limit.reset.map(|reset| ("x-quota-reset".into(), reset.to_string())));
    }
    headers
}

/// The headers of the tightest rate limit.
pub(crate) fn rate_headers(rate: &RateStanding) -> Headers {
    vec![
        ("x-ratelimit-limit".into(), rate.limit.to_string()),
        ("x-ratelimit-remaining".into(), rate.remaining.to_string()),
        ("x-ratelimit-reset".into(), rate.reset.to_string()),
    ]
}

/// A fault of one event of a batch, its field seen from the request.
pub(crate) fn item(index: usize, fault: Fault) -> ItemError {
    let fault = fault.within(&format!("events[{index}]"));
    ItemError { index, field: fault.field, code: fault.code, message: fault.message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_names_code_status_request_and_field() {
        let error = ApiError::invalid("name", "must have 1 to 256 characters");
        assert_eq!(
            error.body("req_1", Quantities::Numbers),
            r#"{"error":{"code":"invalid_field_value","message":"`name` must have 1 to 256 characters","status":400,"requestId":"req_1","details":{"field":"name"}}}"#
        );
        let bare = ApiError::new(Code::NotFound, "there is no such route");
        assert!(!bare.body("req_2", Quantities::Numbers).contains("details"));
    }

    #[test]
    fn a_batch_lists_every_fault_by_index() {
        let fault = |field: &str| Fault::invalid(field, "is wrong");
        let error: ApiError =
            weir_engine::Error::Faults(vec![(3, fault("values.tokens")), (5, fault("customerId"))]).into();
        let fields: Vec<_> = error.details.errors.iter().map(|e| (e.index, e.field.as_deref().unwrap())).collect();
        assert_eq!(fields, [(3, "events[3].values.tokens"), (5, "events[5].customerId")]);
        assert_eq!(error.details.errors[0].message, "`events[3].values.tokens` is wrong");
        assert_eq!(error.details.field.as_deref(), Some("events[3].values.tokens"));
    }

    #[test]
    fn busy_says_when_to_come_back() {
        let error: ApiError = weir_engine::Error::Busy { reason: "too much waits", retry_after_seconds: 2 }.into();
        assert_eq!((error.code, error.status(), error.details.retry_after_seconds), (Code::Busy, 503, Some(2)));
    }
}
