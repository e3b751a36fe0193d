//! Pages of other sites: those of the project's own origins may call what is made for front ends, by CORS. Every other page, and
//! every other route, stays as the guard has it.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use weir_api::{ApiError, Reach, Row, TABLE};
use weir_core::error::Code;
use weir_engine::Engine;

use crate::host;

/// What a page may send along.
const SENT: [HeaderName; 5] = [
    header::AUTHORIZATION,
    header::CONTENT_TYPE,
    header::ACCEPT,
    HeaderName::from_static("idempotency-key"),
    HeaderName::from_static("x-request-id"),
];
/// What of an answer a page may read beside its body.
const READ: HeaderValue =
    HeaderValue::from_static("retry-after, x-request-id, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset");
/// For how long a browser may remember what it was allowed, in seconds.
const REMEMBERED: HeaderValue = HeaderValue::from_static("600");
const ASKED: HeaderValue = HeaderValue::from_static("access-control-request-method, access-control-request-headers");

/// The route of front ends that a path is, written exactly so.
pub fn route(path: &str) -> Option<&'static Row> {
    let bare = path.strip_prefix("/v1").unwrap_or(path);
    if !bare.starts_with("/client/") {
        return None;
    }
    TABLE.iter().find(|row| row.reach == Reach::Client && row.path == bare)
}

/// The page of another site that asks, if it is a page and may.
pub fn page(engine: &Engine, host: &str, headers: &HeaderMap) -> Result<Option<HeaderValue>, ApiError> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(None) };
    match origin.to_str() {
        Ok(text) if engine.admits_pages_of(text) => Ok(Some(origin.clone())),
        Ok(text) if host::is_page_on(text, host) => Ok(None),
        _ => Err(ApiError::new(
            Code::InsufficientPermissions,
            "requests from pages of this origin are refused: it is not among the project's `clientOrigins`",
        )),
    }
}

/// Whether a browser asks if a page may ask.
pub fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    *method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Tells a browser what a page may send.
pub fn preflight(row: &Row, headers: &HeaderMap) -> Result<Response<Body>, ApiError> {
    let refuse = |message: String| Err(ApiError::new(Code::InsufficientPermissions, message));
    let method = row.method.as_str();
    if headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).is_none_or(|asked| asked != method) {
        return refuse(format!("pages call this route by {method} alone"));
    }
    let asked = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS).iter();
    for name in asked.flat_map(|names| names.to_str().unwrap_or("?").split(',')).map(str::trim) {
        if !name.is_empty() && !SENT.iter().any(|known| name.eq_ignore_ascii_case(known.as_str())) {
            let shown: String = name.chars().take(64).collect();
            return refuse(format!("pages may not send the header `{shown}`"));
        }
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let answer = response.headers_mut();
    answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(method));
    for name in SENT {
        answer.append(header::ACCESS_CONTROL_ALLOW_HEADERS, name.into());
    }
    answer.insert(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    answer.append(header::VARY, ASKED);
    Ok(response)
}

/// Lets the page that asked read an answer of a front end's route, whatever it says.
pub fn mark(response: &mut Response<Body>, page: Option<HeaderValue>) {
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(page) = page {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, page);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, READ);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_written_exactly_so_is_a_route_of_front_ends() {
        for path in ["/client/token", "/v1/client/token", "/client/limits/check", "/v1/client/events/summary"] {
            assert!(route(path).is_some(), "{path}");
        }
        for path in [
            "/",
            "/client",
            "/client/",
            "/client/token/",
            "//client/token",
            "/Client/token",
            "/client/%74oken",
            "/client/../v1/customers",
            "/client/token/../../v1/customers",
            "/v1/v1/client/token",
            "/v1client/token",
            "/v1/customers",
            "/v2/client/token",
        ] {
            assert!(route(path).is_none(), "{path}");
        }
    }
}
