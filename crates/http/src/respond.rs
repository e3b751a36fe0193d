//! Answers and errors as HTTP responses.

use std::str::FromStr;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use weir_api::{ApiError, Quantities};
use weir_core::error::Code;
use weir_engine::Headers;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Longest name that a caller may give a request.
const MAX_ID: usize = 128;
/// What every secret of ours that is sent begins with.
const SECRETS: [&str; 4] = ["weir_sk_", "weir_ct_", "weir_cs_", "whsec_"];

/// The name of a request, by which an answer and a line in the log are found together.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// A new one.
    pub fn new() -> Self {
        RequestId(weir_api::request_id())
    }

    /// The one that the caller gave in `X-Request-Id`, if it is 1 to 128 visible ASCII characters; else a new one.
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).map(HeaderValue::as_bytes).unwrap_or_default();
        match std::str::from_utf8(given) {
            // A secret of ours is there by mistake, and is for no log.
            Ok(id)
                if (1..=MAX_ID).contains(&id.len())
                    && id.bytes().all(|byte| byte.is_ascii_graphic())
                    && !SECRETS.iter().any(|prefix| id.contains(prefix)) =>
            {
                RequestId(id.to_owned())
            }
            _ => RequestId::new(),
        }
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the log says of a refusal.
#[derive(Clone, Debug)]
pub struct Refused {
    pub code: Code,
    /// What failed. What was wrong with a request may be in the words of its caller, and is not for the log.
    pub failure: Option<String>,
}

/// An answer.
pub fn answer(status: u16, body: Vec<u8>) -> Response<Body> {
    json(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), Body::from(body))
}

/// A refusal.
pub fn refuse(error: &ApiError, id: &RequestId) -> Response<Body> {
    refuse_in(error, id, Quantities::Numbers)
}

/// A refusal, with quantities as the caller reads them.
pub fn refuse_in(error: &ApiError, id: &RequestId, quantities: Quantities) -> Response<Body> {
    let request_id = id.as_str();
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, Body::from(error.body(request_id, quantities)));
    let failure = status.is_server_error().then(|| error.message.clone());
    response.extensions_mut().insert(Refused { code: error.code, failure });
    if let Some(refused) = &error.details.refused {
        add(&mut response, &refused.headers);
    }
    let headers = response.headers_mut();
    if let Some(seconds) = error.details.retry_after_seconds {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    match error.code {
        Code::MissingApiKey | Code::InvalidApiKey | Code::ExpiredApiKey => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        // The rest of the body may not have been read, so the connection cannot carry another request.
        Code::PayloadTooLarge | Code::Timeout => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Adds headers. What cannot stand in one, such as a name that is not ASCII, is left out: the body has it.
pub fn add(response: &mut Response<Body>, headers: &Headers) {
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_str(name), HeaderValue::from_str(value)) {
            response.headers_mut().insert(name, value);
        }
    }
}

fn json(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, JSON);
    response
}

/// Adds what every answer carries.
pub fn finish(mut response: Response<Body>, id: &RequestId) -> Response<Body> {
    let headers = response.headers_mut();
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    if let Ok(id) = HeaderValue::from_str(id.as_str()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}
