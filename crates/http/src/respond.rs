//! Answers and errors as HTTP responses.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use weir_api::{ApiError, Headers, Quantities};
use weir_core::error::Code;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The name of a request, by which an answer and a line in the log are found together.
#[derive(Clone, Debug)]
pub struct RequestId(String);

impl RequestId {
    /// A new one.
    pub fn new() -> Self {
        RequestId(weir_api::request_id())
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
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
    if status.is_server_error() {
        tracing::warn!(request_id, code = %error.code, message = %error.message, "a request failed");
    }
    let mut response = json(status, Body::from(error.body(request_id, quantities)));
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
        // The rest of the body was not read, so the connection cannot carry another request.
        Code::PayloadTooLarge => {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Adds headers. What cannot stand in one, such as a name that is not ASCII, is left out: the body has it.
pub fn add(response: &mut Response<Body>, headers: &Headers) {
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(*name, value);
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
