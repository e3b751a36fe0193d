//! The description as pages to read: plain HTML, made once from the same document that programs read.

mod example;
mod html;
mod page;
mod schema;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use axum::body::Body;
use axum::http::{HeaderValue, Response, header};

const STYLE: &str = include_str!("style.css");

/// Nothing but text and this server's own style and icon.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A page by its name: empty for the index, else what its operations are about. None if there is no such page.
pub fn serve(name: &str) -> Option<Response<Body>> {
    static PAGES: OnceLock<BTreeMap<String, String>> = OnceLock::new();
    if name == "style.css" {
        return Some(respond("text/css; charset=utf-8", STYLE));
    }
    let pages = PAGES.get_or_init(|| page::pages(&weir_api::openapi()));
    pages.get(name).map(|page| respond("text/html; charset=utf-8", page))
}

fn respond(content_type: &'static str, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
